/*
 * Limits: how many sessions may live, of a service and of all, what becomes of
 * those that are too many, and how long one may live.
 */
#include "harness.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

START_TEST(third_session_waits_while_two_are_alive)
{
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n"
	    "[hold]\nmax_sessions = 2\n");
	int a = dial(d, "hold"), b = dial(d, "hold"), c;

	expect(a, "held\n");
	expect(b, "held\n");
	c = dial(d, "hold");
	await_log(d, "full", "service=hold", "live=2", "busiest=127.0.0.1:2");
	must(silent(c));
	await_count(d, 2, "start", "service=hold");
	close(a);
	expect(c, "held\n");
	close(b);
	close(c);
	await_log(d, "room", "service=hold");
	must(log_find(d, "refuse", NULL) == NULL);
	daemon_stop(d);
}
END_TEST

START_TEST(slots_are_given_back_a_hundred_times)
{
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n"
	    "[hold]\nmax_sessions = 1\n");
	int fds[100];

	for (int i = 0; i < 100; i++)
		fds[i] = dial(d, "hold");
	for (int i = 0; i < 100; i++) {		/* in the order in which they came */
		expect(fds[i], "held\n");
		must(i == 99 || silent(fds[i + 1]));
		close(fds[i]);
	}
	await_count(d, 100, "exit", "service=hold");
	daemon_stop(d);
}
END_TEST

START_TEST(slot_of_a_killed_session_is_given_back)
{
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n"
	    "[hold]\nmax_sessions = 1\n");

	for (int i = 0; i < 5; i++) {
		int fd = dial(d, "hold");

		expect(fd, "held\n");
		await_log(d, "start", "service=hold");
		must(kill((pid_t)log_number(log_line(d, "start", NULL), "pid"), SIGKILL) == 0);
		expect_end(fd);
		await_log(d, "exit", "service=hold", "signal=*", "~KILL");
		must(log_find(d, "exit", "cause=*", NULL) == NULL);	/* not superd's doing */
		log_mark(d);
	}
	expect(dial(d, "hold"), "held\n");
	daemon_stop(d);
}
END_TEST

START_TEST(limit_counts_all_addresses_of_a_service_together)
{
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0,127.0.0.2:0 hold\n"
	    "[hold]\nmax_sessions = 1\n");
	int a = dial_to(address_of(d, "hold", 0)), b;

	expect(a, "held\n");
	b = dial_to(address_of(d, "hold", 1));
	await_log(d, "full", "service=hold");
	must(silent(b));
	close(a);
	expect(b, "held\n");
	daemon_stop(d);
}
END_TEST

START_TEST(full_service_does_not_hinder_another)
{
	struct daemon *d = daemon_start("[services]\nfull = 127.0.0.1:0 hold\n"
	    "other = 127.0.0.1:0 hold\n[full]\nmax_sessions = 1\n");
	int a = dial(d, "full"), b, c;

	expect(a, "held\n");
	b = dial(d, "full");
	await_log(d, "full", "service=full");
	c = dial(d, "other");
	expect(c, "held\n");
	must(silent(b));
	must(log_find(d, "full", "service=other", NULL) == NULL);
	daemon_stop(d);
}
END_TEST

START_TEST(refusing_service_closes_the_third_session)
{
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n"
	    "[hold]\nmax_sessions = 2\nwhen_full = refuse\n");
	int a = dial(d, "hold"), b = dial(d, "hold");

	expect(a, "held\n");
	expect(b, "held\n");
	expect_end(dial(d, "hold"));
	await_log(d, "refuse", "service=hold", "remote=127.0.0.1:*", "reason=max_sessions");
	close(a);
	await_log(d, "exit", "service=hold");
	a = dial(d, "hold");
	expect(a, "held\n");
	await_count(d, 3, "start", "service=hold");
	must(silent(b));
	daemon_stop(d);
}
END_TEST

START_TEST(many_refusals_do_not_flood_the_log)
{
	enum { MANY = 120 };
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n"
	    "[hold]\nmax_sessions = 1\nwhen_full = refuse\n");
	int a = dial(d, "hold"), fds[MANY];

	expect(a, "held\n");
	must(kill(d->pid, SIGSTOP) == 0);		/* so that all are there at once */
	await(state_of(d->pid) == 'T');
	for (int i = 0; i < MANY; i++)
		fds[i] = dial(d, "hold");
	must(kill(d->pid, SIGCONT) == 0);
	for (int i = 0; i < MANY; i++)
		expect_end(fds[i]);
	must(log_count(d, "refuse", "service=hold", NULL) < MANY / 2);
	await(log_total(d, "refuse", "service=hold") == MANY);
	await_log(d, "refuse", "service=hold", "held=*");
	must(strstr(log_line(d, "refuse", "held=*", NULL), "remote=") == NULL);
	must(silent(a));
	daemon_stop(d);
}
END_TEST

START_TEST(all_services_together_queue_at_the_global_limit)
{
	struct daemon *d = daemon_start("[superd]\nmax_sessions = 2\n"
	    "[services]\na = 127.0.0.1:0 hold a\nb = 127.0.0.1:0 hold b\n");
	int first = dial(d, "a"), second = dial(d, "b"), third, fourth;

	expect(first, "a\n");
	expect(second, "b\n");
	third = dial(d, "a");
	fourth = dial(d, "b");
	await(log_find(d, "full", NULL) != NULL);
	must(silent(third) && silent(fourth));
	close(first);
	await(!silent(third) || !silent(fourth));
	must(silent(third) || silent(fourth));		/* one slot, one session */
	close(second);
	expect(third, "a\n");
	expect(fourth, "b\n");
	daemon_stop(d);
}
END_TEST

START_TEST(global_limit_follows_each_services_when_full)
{
	struct daemon *d = daemon_start("[superd]\nmax_sessions = 1\n"
	    "[services]\na = 127.0.0.1:0 hold a\nb = 127.0.0.1:0 hold b\n"
	    "[b]\nwhen_full = refuse\n");
	int first = dial(d, "a"), queued;

	expect(first, "a\n");
	queued = dial(d, "a");
	expect_end(dial(d, "b"));
	await_log(d, "refuse", "service=b", "reason=global");
	must(silent(queued));
	close(first);
	expect(queued, "a\n");
	daemon_stop(d);
}
END_TEST

/* --- timeout */

START_TEST(session_is_ended_by_its_timeout)
{
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n"
	    "quick = 127.0.0.1:0 sh -c 'exit 0'\n[defaults]\ntimeout = 2s\n");
	int fd = dial(d, "hold");

	expect(fd, "held\n");
	expect_end(dial(d, "quick"));
	expect_end(fd);
	await_log(d, "exit", "service=hold", "signal=*", "~TERM", "cause=timeout");
	await_log(d, "exit", "service=quick", "status=0");
	must(log_find(d, "exit", "service=quick", "cause=*", NULL) == NULL);
	daemon_stop(d);
}
END_TEST

START_TEST(session_that_ignores_its_timeout_is_killed_with_its_children)
{
	struct daemon *d = daemon_start("[services]\nstubborn = 127.0.0.1:0 stubborn\n"
	    "[stubborn]\ntimeout = 2s\n");
	int fd = dial(d, "stubborn");
	long parent, child;
	char *told;

	told = drain(fd);	/* up to the end: both have let go of the connection */
	must(sscanf(told, "pids %ld %ld", &parent, &child) == 2);
	await_log(d, "exit", "service=stubborn", "signal=*", "~KILL", "cause=timeout");
	await(state_of((pid_t)parent) == '\0');
	await(state_of((pid_t)child) == '\0' || state_of((pid_t)child) == 'Z');
	daemon_stop(d);
}
END_TEST

START_TEST(timeout_gives_the_slot_to_the_next)
{
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n"
	    "[hold]\ntimeout = 2s\nmax_sessions = 1\n");
	int fds[3];

	for (int i = 0; i < 3; i++)
		fds[i] = dial(d, "hold");
	for (int i = 0; i < 3; i++) {
		expect(fds[i], "held\n");
		expect_end(fds[i]);
	}
	await_count(d, 3, "exit", "cause=timeout");
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_limits");

	add_case(suite, "of a service", NEEDS_NOTHING, TESTS(third_session_waits_while_two_are_alive,
	    slots_are_given_back_a_hundred_times,
	    slot_of_a_killed_session_is_given_back,
	    limit_counts_all_addresses_of_a_service_together,
	    full_service_does_not_hinder_another, refusing_service_closes_the_third_session,
	    many_refusals_do_not_flood_the_log));
	add_case(suite, "of all", NEEDS_NOTHING,
	    TESTS(all_services_together_queue_at_the_global_limit,
	    global_limit_follows_each_services_when_full));
	add_case(suite, "timeout", NEEDS_NOTHING, TESTS(session_is_ended_by_its_timeout,
	    timeout_gives_the_slot_to_the_next));
	add_case(suite, "timeout of a group", NEEDS_PROC,
	    TESTS(session_that_ignores_its_timeout_is_killed_with_its_children));
	return run_suite(suite);
}
