/* How a session is ended: signals and deadlines, and what is told of one that does not end. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "session.h"
#include "unit.h"

static struct loop loop;
static struct sessions all;
static const struct peer peer = { .port = 1234 };
static unsigned told;
static struct session *told_of;

static void
stuck(struct session *session)
{
	told++;
	told_of = session;
}

static void
setup(void)
{
	ck_assert_int_eq(loop_init(&loop), 0);
	ck_assert_int_eq(sessions_init(&all, &loop), 0);
	all.stuck = stuck;
}

static void
teardown(void)
{
	sessions_finish(&all);
	loop_finish(&loop);
}

/* A process that SIGTERM does not end, a session of its own. */
static pid_t
stubborn(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		if (signal(SIGTERM, SIG_IGN) == SIG_ERR || setsid() == -1 || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static struct session *
add(pid_t pid)
{
	struct session *session = session_add(&all, pid, session_next_id(&all), NULL, &peer, 0);

	ck_assert_ptr_nonnull(session);
	return session;
}

/* The deadline that is set is this far away, and comes now. */
static void
let_come(struct session *session, uint64_t ms)
{
	struct timer *timer = &session->deadline;

	ck_assert_uint_ne(timer->place, 0);
	ck_assert_uint_ge(timer->when, loop.now + ms);
	ck_assert_uint_le(timer->when, loop.now + ms + 1);
	timer_stop(&loop, timer);
	timer->due(timer);
}

/* To superd a process that was not waited for is alive, whatever the kernel thinks. */
static void
must_be_killed(pid_t pid)
{
	siginfo_t info;

	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(info.si_code, CLD_KILLED);
	ck_assert_int_eq(info.si_status, SIGKILL);
}

START_TEST(who_is_there_after_sigkill_is_told_of_once)
{
	pid_t pid = stubborn();
	struct session *session = add(pid);

	session_end(session, CAUSE_STOP);
	let_come(session, KILL_AFTER_MS);
	must_be_killed(pid);
	ck_assert(!session->stuck);
	ck_assert_uint_eq(told, 0);
	let_come(session, STUCK_MS);
	ck_assert(session->stuck);
	ck_assert_uint_eq(told, 1);
	ck_assert_ptr_eq(told_of, session);
	ck_assert_uint_eq(session->deadline.place, 0);
	session_end(session, CAUSE_STOP);
	ck_assert_uint_eq(session->deadline.place, 0);
	session_remove(session);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

START_TEST(a_child_that_did_not_execute_is_killed_at_once)
{
	pid_t pid = stubborn();
	struct session *session = add(pid);

	session_end(session, CAUSE_EXEC);
	must_be_killed(pid);
	let_come(session, STUCK_MS);
	ck_assert_uint_eq(told, 1);
	session_remove(session);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

START_TEST(of_who_ends_in_time_nothing_is_told)
{
	pid_t pid = stubborn();
	struct session *session = add(pid);

	session_end(session, CAUSE_TIMEOUT);
	let_come(session, KILL_AFTER_MS);
	ck_assert_uint_ne(session->deadline.place, 0);
	session_remove(session);
	ck_assert_uint_eq(session->deadline.place, 0);
	ck_assert_uint_eq(told, 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	/* The next one in its place knows nothing of it. */
	session = add(1 << 22);
	ck_assert(!session->stuck);
	session_remove(session);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("session");
	TCase *tcase = unit_case(suite, "session");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, who_is_there_after_sigkill_is_told_of_once);
	tcase_add_test(tcase, a_child_that_did_not_execute_is_killed_at_once);
	tcase_add_test(tcase, of_who_ends_in_time_nothing_is_told);
	return unit_run(suite);
}
