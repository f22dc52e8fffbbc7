/* superd has short turns of the processor, and its children have the usual ones. */
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bounds.h"
#include "turns.h"
#include "unit.h"

static struct sched_attr
own_turns(void)
{
	struct sched_attr attr = { .size = sizeof attr };

	ck_assert_int_eq(syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0), 0);
	return attr;
}

START_TEST(turns_are_short_and_those_of_children_are_not)
{
	struct sched_attr before = own_turns(), after, child;
	int status;
	pid_t pid;

	turns_shorten();
	after = own_turns();
	ck_assert_uint_eq(after.sched_policy, before.sched_policy);
	ck_assert_int_eq(after.sched_nice, before.sched_nice);
	if (before.sched_policy == SCHED_NORMAL && before.sched_nice >= 0 &&
	    before.sched_runtime != 0)		/* a kernel that knows of turns, Linux 6.12 */
		ck_assert_uint_eq(after.sched_runtime, TURN_NS);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		child = own_turns();
		_exit(child.sched_runtime != before.sched_runtime ? 1 :
		    child.sched_flags != before.sched_flags ? 2 :
		    child.sched_nice != before.sched_nice ? 3 : 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(a_nice_value_that_children_would_lose_is_kept)
{
	struct sched_attr before;

	if (setpriority(PRIO_PROCESS, 0, -5) == -1)
		return;		/* it takes CAP_SYS_NICE */
	before = own_turns();
	turns_shorten();
	ck_assert_int_eq(own_turns().sched_nice, -5);
	ck_assert_uint_eq(own_turns().sched_runtime, before.sched_runtime);
	ck_assert_uint_eq(own_turns().sched_flags, before.sched_flags);
}
END_TEST

START_TEST(a_nice_value_above_zero_goes_on_to_children)
{
	int status, most = 19;
	pid_t pid;

	ck_assert_int_eq(setpriority(PRIO_PROCESS, 0, most), 0);
	turns_shorten();
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		_exit(own_turns().sched_nice);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), most);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("turns");
	TCase *tcase = unit_case(suite, "turns");

	tcase_add_test(tcase, turns_are_short_and_those_of_children_are_not);
	tcase_add_test(tcase, a_nice_value_that_children_would_lose_is_kept);
	tcase_add_test(tcase, a_nice_value_above_zero_goes_on_to_children);
	return unit_run(suite);
}
