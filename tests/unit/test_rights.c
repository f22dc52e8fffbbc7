/* What superd may do: the answer against the kernel's own in /proc, with each right taken away. */
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rights.h"
#include "unit.h"

#define BIT(capability)	(1ULL << (capability))

static const struct { enum right right; uint64_t needs; } rows[] = {
	{ RIGHT_IDENTITY, BIT(CAP_SETUID) | BIT(CAP_SETGID) }, { RIGHT_CHROOT, BIT(CAP_SYS_CHROOT) },
	{ RIGHT_NICE, BIT(CAP_SYS_NICE) }, { RIGHT_LIMITS, BIT(CAP_SYS_RESOURCE) },
	{ RIGHT_OWNER, BIT(CAP_CHOWN) },
};

static uint64_t
effective(void)
{
	unsigned long long bits = 0;
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	bool found = false;

	ck_assert_ptr_nonnull(file);
	while (!found && fgets(line, sizeof line, file) != NULL)
		found = sscanf(line, "CapEff: %llx", &bits) == 1;
	fclose(file);
	ck_assert(found);
	return bits;
}

/* The effective ones only: what is permitted stays, so that this could be undone. */
static void
keep_only(uint64_t bits)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	ck_assert_int_eq(syscall(SYS_capget, &head, data), 0);
	data[0].effective &= (uint32_t)bits;
	data[1].effective &= (uint32_t)(bits >> 32);
	ck_assert_int_eq(syscall(SYS_capset, &head, data), 0);
}

static void
must_agree(void)
{
	const uint64_t bits = effective();

	for (int i = 0; i < ROWS(rows); i++)
		ck_assert_msg(rights_have(rows[i].right) == ((bits & rows[i].needs) == rows[i].needs),
		    "right %d of %llx", (int)rows[i].right, (unsigned long long)bits);
}

START_TEST(a_right_is_what_the_kernel_says)
{
	must_agree();
}
END_TEST

START_TEST(a_right_that_is_taken_away_is_seen)
{
	keep_only(~rows[_i].needs);
	ck_assert(!rights_have(rows[_i].right));
	must_agree();
}
END_TEST

/* Another user needs both. */
START_TEST(half_a_right_is_none)
{
	keep_only(~(uint64_t)(_i == 0 ? BIT(CAP_SETUID) : BIT(CAP_SETGID)));
	ck_assert(!rights_have(RIGHT_IDENTITY));
	must_agree();
}
END_TEST

START_TEST(without_any_there_is_none)
{
	keep_only(0);
	must_agree();
	for (int i = 0; i < ROWS(rows); i++)
		ck_assert(!rights_have(rows[i].right));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rights");
	TCase *tcase = unit_case(suite, "rights");

	tcase_add_test(tcase, a_right_is_what_the_kernel_says);
	tcase_add_loop_test(tcase, a_right_that_is_taken_away_is_seen, 0, ROWS(rows));
	tcase_add_loop_test(tcase, half_a_right_is_none, 0, 2);
	tcase_add_test(tcase, without_any_there_is_none);
	return unit_run(suite);
}
