/* A kernel that is too old, or a container that hides what it has: told at the start. */
#include "harness.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* As on a kernel that does not know this system call. */
static void
forget_call(unsigned number, unsigned error)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog rules = { .len = 4, .filter = filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &rules) == -1)
		_exit(126);
}

static void
forget_close_range(void)
{
	forget_call(SYS_close_range, ENOSYS);
}

static void
forbid_close_range(void)
{
	forget_call(SYS_close_range, EPERM);
}

static void
forget_faccessat2(void)
{
	forget_call(SYS_faccessat2, ENOSYS);
}

static void
must_not_start(void (*prepare)(void), const char *text)
{
	struct daemon *d = daemon_new();

	daemon_write(d, "[services]\nhold = 127.0.0.1:0 hold\n");
	daemon_run(d, &(struct start){ .prepare = prepare });
	must(daemon_exit_status(d) == 71);
	log_read(d);
	if (strstr(d->log, text) == NULL || strstr(d->log, "needs Linux 5.9 or later") == NULL)
		flunk("'%s' is not in '%s'", text, d->log);
}

START_TEST(missing_call_is_told_at_the_start)
{
	must_not_start(forget_close_range, "close_range(2): Function not implemented");
	must_not_start(forget_faccessat2, "faccessat2(2): Function not implemented");
}
END_TEST

START_TEST(forbidden_call_is_told_at_the_start)
{
	must_not_start(forbid_close_range, "close_range(2): Operation not permitted");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_kernel");

	add_case(suite, "kernel", NEEDS_NO_VALGRIND,
	    TESTS(missing_call_is_told_at_the_start, forbidden_call_is_told_at_the_start));
	return run_suite(suite);
}
