/*
 * A machine that runs out of something: accept(2) and fork(2) fail with the
 * errors of a full table of files or processes and of memory.  superd rests, does
 * not spin, keeps who waits and who is served, and recovers by itself.  And a
 * machine that has too much: a limit of 1,000,000,000 descriptors.
 */
#include "harness_faults.h"

#include <sys/socket.h>
#include <sys/syscall.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define ROWS(table) ((int)(sizeof(table) / sizeof *(table)))

/* superd rests 200 ms after each failure.  No timer comes early, so three rests take longer than this. */
enum { FAILURES = 4, AT_LEAST_MS = (FAILURES - 1) * 100 };

static const long accept_calls[] = { SYS_accept4,
#ifdef SYS_accept
	SYS_accept,
#endif
	-1 };

static const char two_places[] = "[services]\nhold = 127.0.0.1:0 hold\n[hold]\nmax_sessions = 2\n"
    "max_per_source = unlimited\n";

static struct daemon *
start(const char *text, const long *calls)
{
	struct daemon *d = daemon_new();

	daemon_write(d, "%s", text);
	faults_run(d, calls);
	daemon_ready(d);
	return d;
}

static void
must_answer(struct daemon *d)
{
	unsigned before = log_count(d, "status", "services=1", "live=1", NULL);

	must(kill(d->pid, SIGUSR1) == 0);
	await(log_count(d, "status", "services=1", "live=1", NULL) > before);
}

/* The first client; and superd has looked for a second one in vain, so no accept is under way. */
static int
dial_first(struct daemon *d)
{
	int fd = dial(d, "hold");

	expect(fd, "held\n");
	must_answer(d);
	return fd;
}

/* Nothing but the one service stands still: superd answers, and sees its sessions end. */
static void
must_not_stall(struct daemon *d, int old)
{
	must(silent(old));
	must_answer(d);
	close(old);
	await_log(d, "exit", "session=1");
}

/* --- accept */

static const int shortages[] = { ENFILE, EMFILE, ENOMEM, ENOBUFS };

START_TEST(accept_that_is_short_of_something_rests_and_recovers)
{
	struct daemon *d = start(two_places, accept_calls);
	int old = dial_first(d), waiting;
	int64_t begun;

	begun = now_ms();
	faults_set(shortages[_i], UINT_MAX);
	waiting = dial(d, "hold");
	await(faults_failed() >= FAILURES);
	must(now_ms() - begun >= AT_LEAST_MS);
	must(silent(waiting));
	must_not_stall(d, old);
	await_count(d, 1, "error", "~accept");	/* however long it lasts */
	faults_set(0, 0);
	expect(waiting, "held\n");
	await_log(d, "notice", "~taken again");
	await(log_count(d, "start", NULL) == 2 && log_find(d, "failed", NULL) == NULL);
	daemon_stop(d);
}
END_TEST

static const int of_one_client[] = { ECONNABORTED, EPROTO, ENETDOWN, EHOSTUNREACH, ETIMEDOUT, EINTR };

START_TEST(error_of_one_client_hinders_no_other)
{
	struct daemon *d = start(two_places, accept_calls);

	faults_set(of_one_client[_i], 3);
	expect(dial(d, "hold"), "held\n");
	must(faults_failed() == 3);
	must(log_find(d, "error", NULL) == NULL && log_find(d, "warning", NULL) == NULL);
	daemon_stop(d);
}
END_TEST

/* --- fork */

static const int no_process[] = { EAGAIN, ENOMEM };

START_TEST(fork_that_fails_costs_its_own_client_and_recovers)
{
	struct daemon *d = start(two_places, fork_calls);
	int old = dial(d, "hold"), fds[FAILURES], both[2];
	int64_t begun;

	expect(old, "held\n");
	begun = now_ms();
	faults_set(no_process[_i], FAILURES);
	for (int i = 0; i < FAILURES; i++)	/* more than there are places: none may be lost */
		fds[i] = dial(d, "hold");
	for (int i = 0; i < FAILURES; i++)
		expect_end(fds[i]);
	must(now_ms() - begun >= AT_LEAST_MS);
	must(faults_failed() == FAILURES);
	await_count(d, FAILURES, "failed", "service=hold", "stage=fork");
	await_count(d, 1, "error", "~fork");
	must_not_stall(d, old);
	expect(both[0] = dial(d, "hold"), "held\n");
	expect(both[1] = dial(d, "hold"), "held\n");
	await_log(d, "notice", "~taken again");
	daemon_stop(d);
}
END_TEST

/* A client that waits for the process is in the socket's queue, and no fork is for him alone. */
START_TEST(fork_that_fails_costs_no_client_of_a_lent_socket)
{
	struct daemon *d = start("[superd]\ngrace = 0\n[services]\n"
	    "waiter = 127.0.0.1:0 accepter 1\n[waiter]\nwait = yes\n", fork_calls);
	char line[4] = "";
	int fd;

	faults_set(no_process[_i], 1);
	fd = dial(d, "waiter");
	must(receive(fd, line, sizeof line, MSG_WAITALL) == sizeof line);
	must(memcmp(line, "pid=", sizeof line) == 0);
	must(faults_failed() == 1);
	await_count(d, 1, "failed", "service=waiter", "stage=fork");
	daemon_stop(d);
}
END_TEST

/* --- descriptors without end */

START_TEST(billion_of_descriptors_costs_nothing)
{
	enum { SESSIONS = 20, EACH = 200 };
	static const long calls[] = { SYS_prlimit64, SYS_close, SYS_fcntl, SYS_fstat, -1 };
	struct daemon *d = daemon_new();
	unsigned at_start;

	daemon_write(d, "[services]\ntrue = 127.0.0.1:0 true\nshow = 127.0.0.1:0 inspect\n");
	faults_pretend_descriptors(1000000000);
	faults_run(d, calls);
	daemon_ready(d);
	at_start = faults_seen();
	must(at_start > 0 && at_start < EACH);
	for (int i = 0; i < SESSIONS; i++)
		expect_end(dial(d, "true"));
	await(children_of(d->pid, 0) == 0);
	must(faults_seen() - at_start < SESSIONS * EACH);
	must_be(drain(dial(d, "show")), "limit_nofile", "1000000000:1000000000");
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_shortage");
	const unsigned needs = NEEDS_FAULTS | NEEDS_PROC | NEEDS_NO_VALGRIND;

	add_loop(suite, "accept", needs, accept_that_is_short_of_something_rests_and_recovers,
	    ROWS(shortages));
	add_loop(suite, "one client", needs, error_of_one_client_hinders_no_other, ROWS(of_one_client));
	add_loop(suite, "fork", needs, fork_that_fails_costs_its_own_client_and_recovers,
	    ROWS(no_process));
	add_loop(suite, "lent", needs, fork_that_fails_costs_no_client_of_a_lent_socket,
	    ROWS(no_process));
	add_case(suite, "descriptors", needs, TESTS(billion_of_descriptors_costs_nothing));
	return run_suite(suite);
}
