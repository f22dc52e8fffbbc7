/*
 * raw.h - system calls without the C library: no errno, no cancellation, no
 * state.  A child that shares superd's memory shares the C library's too, and
 * may not touch it.  A failure is -errno.
 */
#ifndef RAW_H
#define RAW_H

#include <sys/syscall.h>

#if defined(__x86_64__) && !defined(__ILP32__)
#define RAW_CLONE	1	/* raw_clone is there */

static inline long
raw_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall" : "+a"(number) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
	    "r"(r9) : "rcx", "r11", "memory");
	return number;
}

/*
 * clone(2) with a stack, of which top is the end, for the child, which calls
 * run(arg) there and never returns; tid is for CLONE_CHILD_CLEARTID.  (Not
 * clone3(2): the filters of containers forbid it, because its flags are in
 * memory where they cannot look.)
 */
static inline long
raw_clone(unsigned long flags, void *top, void *tid, void (*run)(void *), void *arg)
{
	register long r10 __asm__("r10") = (long)tid;
	register long r8 __asm__("r8") = 0;
	long result = SYS_clone;

	/* run or arg may be in rbp, so that is cleared when both are where they are needed. */
	__asm__ volatile("syscall\n\t"
	    "test %%rax, %%rax\n\t"
	    "jnz 1f\n\t"
	    "mov %[run], %%rax\n\t"
	    "mov %[arg], %%rdi\n\t"
	    "xor %%ebp, %%ebp\n\t"
	    "call *%%rax\n\t"
	    "hlt\n"
	    "1:"
	    : "+a"(result) : "D"(flags), "S"(top), "d"(0L), "r"(r10), "r"(r8), [run] "r"(run),
	    [arg] "r"(arg) : "rcx", "r11", "memory", "cc");
	return result;
}

#elif defined(__aarch64__) && !defined(__ILP32__)
#define RAW_CLONE	1

static inline long
raw_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
	    : "memory", "cc");
	return x0;
}

static inline long
raw_clone(unsigned long flags, void *top, void *tid, void (*run)(void *), void *arg)
{
	register long x8 __asm__("x8") = SYS_clone;
	register long x0 __asm__("x0") = (long)flags;
	register long x1 __asm__("x1") = (long)top;
	register long x2 __asm__("x2") = 0;
	register long x3 __asm__("x3") = 0;
	register long x4 __asm__("x4") = (long)tid;

	__asm__ volatile("svc 0\n\t"
	    "cbnz x0, 1f\n\t"
	    "mov x8, %[run]\n\t"
	    "mov x0, %[arg]\n\t"
	    "mov x29, xzr\n\t"
	    "blr x8\n\t"
	    "brk 0\n"
	    "1:"
	    : "+r"(x0), "+r"(x8) : "r"(x1), "r"(x2), "r"(x3), "r"(x4), [run] "r"(run), [arg] "r"(arg)
	    : "memory", "cc");
	return x0;
}

#else	/* Elsewhere children are forked, and have a C library of their own. */
#include <errno.h>
#include <unistd.h>
static inline long
raw_call(long number, long a, long b, long c, long d, long e, long f)
{
	long result = syscall(number, a, b, c, d, e, f);

	return result == -1 ? -errno : result;
}
#endif

/* raw(SYS_...) with up to six arguments, which may be pointers. */
#define raw(...)	RAW_SIX(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define RAW_SIX(number, a, b, c, d, e, f, ...)	\
	raw_call(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

#endif
