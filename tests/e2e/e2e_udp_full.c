/*
 * UDP where there is not enough of something: who is served goes on, and who
 * may have a session at all is decided as for TCP.
 */
#include "harness_admission.h"
#include "harness_udp.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SILENT_MS = 1000, PAUSE_MS = 200 };

static struct daemon *
start_puppets(const char *keys)
{
	return daemon_start("[superd]\ngrace = 0\n[services]\nx = udp:127.0.0.1:0 puppet\n"
	    "[x]\nidle_timeout = none\n%s\n", keys);
}

/* The session of this peer is there still. */
static bool
goes_on(int fd, pid_t pid)
{
	must(udp_pid(fd) == pid);
	return true;
}

/* --- what is short */

START_TEST(child_that_answers_for_ever_holds_up_nobody)
{
	struct daemon *d = start_puppets("");
	int flood, other = udp_dial(d, "x");
	pid_t pid = udp_pid(other);

	for (unsigned i = 1; i <= 5; i++, close(flood)) {
		flood = udp_dial(d, "x");
		for (int j = 0; j < 8; j++)
			udp_put(flood, "flood");
		udp_expect(flood, "x");
		udp_put(flood, "exit");
		await_count(d, i, "exit", "service=x");
		goes_on(other, pid);
	}
	daemon_stop(d);
}
END_TEST

START_TEST(live_sessions_go_on_without_descriptors)
{
	struct daemon *d = start_puppets("");
	int talker = udp_dial(d, "x"), fresh = udp_dial(d, "x");
	pid_t pid = udp_pid(talker);

	limit_descriptors(d->pid, open_descriptors(d->pid));
	for (int i = 0; i < 50; i++) {
		udp_put(fresh, "say no");
		goes_on(talker, pid);
	}
	await_log(d, "failed", "service=x", "stage=descriptors");
	goes_on(talker, pid);
	limit_descriptors(d->pid, 1000);
	udp_put(fresh, "say yes");
	for (const char *text = ""; strcmp(text, "yes") != 0;)
		text = udp_text(fresh);		/* what had waited comes first */
	goes_on(talker, pid);
	daemon_stop(d);
}
END_TEST

/* There is room, but no descriptor: that nobody can be begun is no reason to end who is silent. */
START_TEST(silent_sessions_are_not_ended_for_want_of_descriptors)
{
	struct daemon *d = start_puppets("");
	int quiet = udp_dial(d, "x"), fresh = udp_dial(d, "x");
	pid_t pid = udp_pid(quiet);

	limit_descriptors(d->pid, open_descriptors(d->pid));
	for (unsigned i = 0; i < SILENT_MS / PAUSE_MS + 3; i++) {
		udp_put(fresh, "say no");	/* the first at once, each other one after a pause */
		await(log_count(d, "failed", "stage=descriptors", NULL) > i);
	}
	limit_descriptors(d->pid, 1000);
	goes_on(quiet, pid);
	daemon_stop(d);
}
END_TEST

/* --- who may have one */

START_TEST(when_full_refuse_refuses_and_ends_nobody)
{
	struct daemon *d = start_puppets("max_sessions = 1\nmax_per_source = unlimited\n"
	    "when_full = refuse");
	int first = udp_dial(d, "x"), second = udp_dial(d, "x");
	pid_t pid = udp_pid(first);

	udp_put(second, "pid");
	await_log(d, "refuse", "service=x", "reason=max_sessions");
	goes_on(first, pid);
	udp_put(first, "exit");
	await_log(d, "exit", "service=x");
	must(silent(second));
	must(udp_pid(second) != pid);
	daemon_stop(d);
}
END_TEST

START_TEST(one_source_has_no_more_than_its_share)
{
	struct daemon *d = start_puppets("max_sessions = 10\nmax_per_source = 2");
	int a = udp_call(d, "x", "127.0.0.2"), b = udp_call(d, "x", "127.0.0.2"),
	    c = udp_call(d, "x", "127.0.0.2");
	pid_t pid = udp_pid(a);

	udp_pid(b);
	udp_put(c, "pid");
	await_log(d, "refuse", "service=x", "reason=max_per_source");
	udp_pid(udp_call(d, "x", "127.0.0.3"));
	goes_on(a, pid);
	udp_put(b, "exit");
	await_log(d, "exit", "service=x");
	must(silent(c));
	udp_pid(c);
	daemon_stop(d);
}
END_TEST

START_TEST(who_is_denied_does_not_wait_either)
{
	struct daemon *d = start_puppets("max_sessions = 1\nallow = 127.0.0.1\n");
	int good = udp_dial(d, "x"), bad = udp_call(d, "x", "127.0.0.2");
	pid_t pid = udp_pid(good);

	for (int i = 0; i < 200; i++)
		udp_put(bad, "pid");
	goes_on(good, pid);
	must(status_number(d, "x", "refused_denied") == 200);
	must(log_count(d, "refuse", "reason=denied", NULL) < 100);
	must(log_find(d, "full", NULL) == NULL);	/* nobody waits */
	udp_put(good, "exit");
	await_log(d, "exit", "service=x");
	udp_put(bad, "pid");
	await(log_total(d, "refuse", "service=x") == 201);
	await_count(d, 1, "start");
	daemon_stop(d);
}
END_TEST

START_TEST(newcomers_wait_for_the_rate)
{
	enum { PEERS = 5 };
	struct daemon *d = start_puppets("rate = 2/s:2");
	int fds[PEERS];
	pid_t first = 0;

	for (int i = 0; i < PEERS; i++)
		udp_put(fds[i] = udp_dial(d, "x"), "pid");
	for (int i = 0; i < PEERS; i++) {
		long pid;

		must(sscanf(udp_text(fds[i]), "pid %ld", &pid) == 1);
		if (i == 0)
			first = (pid_t)pid;
		goes_on(fds[0], first);		/* a session needs no token */
	}
	must(log_find(d, "refuse", NULL) == NULL);
	await(log_find(d, "full", "service=x", NULL) != NULL);
	daemon_stop(d);
}
END_TEST

/* The token comes with time, while others write all the time. */
START_TEST(who_waits_for_the_rate_is_served_before_who_comes_later)
{
	struct daemon *d = start_puppets("rate = 30/m:1\nmax_per_source = unlimited");
	int first = udp_dial(d, "x"), second = udp_dial(d, "x");
	int64_t begun = now_ms();
	char remote[64];

	udp_pid(first);
	udp_put(second, "say served");
	await_log(d, "full", "service=x");
	while (silent(second) && now_ms() - begun < DEADLINE_MS) {
		int later = udp_dial(d, "x");

		udp_put(later, "exit");
		close(later);
	}
	udp_expect(second, "served");
	snprintf(remote, sizeof remote, "remote=%s", name_of(second));
	await(log_find(d, "start", remote, "session=2", NULL) != NULL);
	daemon_stop(d);
}
END_TEST

START_TEST(rate_of_a_source_is_its_own)
{
	struct daemon *d = start_puppets("rate_per_source = 1/m:2");
	int fd = udp_call(d, "x", "127.0.0.2");

	udp_pid(fd);
	udp_pid(udp_call(d, "x", "127.0.0.2"));
	udp_put(udp_call(d, "x", "127.0.0.2"), "pid");
	await_log(d, "refuse", "service=x", "reason=rate_per_source");
	udp_pid(udp_call(d, "x", "127.0.0.3"));
	udp_pid(fd);
	await_count(d, 1, "refuse");
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_udp_full");

	add_case(suite, "out of bounds", NEEDS_PROC | NEEDS_NO_VALGRIND, TESTS(
	    child_that_answers_for_ever_holds_up_nobody, live_sessions_go_on_without_descriptors,
	    silent_sessions_are_not_ended_for_want_of_descriptors));
	add_case(suite, "admission", NEEDS_NOTHING, TESTS(when_full_refuse_refuses_and_ends_nobody,
	    one_source_has_no_more_than_its_share, who_is_denied_does_not_wait_either,
	    newcomers_wait_for_the_rate,
	    who_waits_for_the_rate_is_served_before_who_comes_later, rate_of_a_source_is_its_own));
	return run_suite(suite);
}
