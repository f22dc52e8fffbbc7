/*
 * The end: what each signal does to the sessions that still run.
 */
#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool
refused_now(const char *address)
{
	int fd = try_dial(address);

	if (fd == -1)
		return errno == ECONNREFUSED;
	reset(fd);
	return false;
}

static struct daemon *
start_hold(const char *grace)
{
	return daemon_start("[superd]\ngrace = %s\n[services]\nhold = 127.0.0.1:0 hold\n"
	    "stubborn = 127.0.0.1:0 stubborn\norphaning = 127.0.0.1:0 stubborn -c\n"
	    "[hold]\nmax_sessions = unlimited\n", grace);
}

START_TEST(idle_daemon_ends_at_once)
{
	struct daemon *d = start_hold("1h");

	daemon_stop(d);
	await_log(d, "unlisten", "service=hold", "address=127.0.0.1:*");
	await_log(d, "stop", "text=*");
}
END_TEST

static void
sessions_end_within_grace(int signo)
{
	struct daemon *d = start_hold("1h");
	int a = dial(d, "hold"), b = dial(d, "hold");

	expect(a, "held\n");
	expect(b, "held\n");
	kill(d->pid, signo);
	await(refused_now(address_of(d, "hold", 0)));
	must(silent(a) && silent(b));
	close(a);
	await(log_count(d, "exit", "service=hold", "status=0", NULL) >= 1);
	must(silent(b) && !daemon_ended(d));
	close(b);
	must(daemon_exit_status(d) == 0);
	must(log_find(d, "exit", "cause=*", NULL) == NULL);
}

START_TEST(sigterm_lets_sessions_end_within_grace)
{
	sessions_end_within_grace(SIGTERM);
}
END_TEST

START_TEST(sigint_lets_sessions_end_within_grace)
{
	sessions_end_within_grace(SIGINT);
}
END_TEST

START_TEST(status_while_stopping_claims_no_service)
{
	struct daemon *d = start_hold("1h");
	int fd = dial(d, "hold");

	expect(fd, "held\n");
	kill(d->pid, SIGTERM);
	await_log(d, "stop");
	kill(d->pid, SIGUSR1);
	await_log(d, "status", "service=hold", "live=1", "state=leaving");
	close(fd);
	must(daemon_exit_status(d) == 0);
}
END_TEST

START_TEST(sessions_left_after_grace_are_terminated)
{
	struct daemon *d = start_hold("300ms");
	int fd = dial(d, "hold");

	expect(fd, "held\n");
	kill(d->pid, SIGTERM);
	expect_end(fd);
	must(daemon_exit_status(d) == 0);
	await_log(d, "exit", "service=hold", "signal=*", "~TERM", "cause=stop");
}
END_TEST

START_TEST(sessions_that_ignore_sigterm_are_killed_with_their_children)
{
	struct daemon *d = start_hold("300ms");
	long parent, child;
	int fd = dial(d, "stubborn");

	await(!silent(fd));
	kill(d->pid, SIGTERM);
	must(sscanf(drain(fd), "pids %ld %ld", &parent, &child) == 2);
	must(daemon_exit_status(d) == 0);
	await_log(d, "exit", "service=stubborn", "signal=*", "~KILL", "cause=stop");
	await(kill((pid_t)parent, 0) == -1);
	/* The orphan became this test's child: nobody but the test reaps it. */
	await(kill((pid_t)child, 0) == -1 || state_of((pid_t)child) == 'Z');
}
END_TEST

/* For so long that the time to give up has come as well when it goes on. */
START_TEST(superd_that_stood_still_sees_the_end_of_what_it_kills)
{
	enum { STILL_MS = 7500 };
	struct daemon *d = start_hold("0");
	int fd = dial(d, "stubborn");
	int64_t begun;

	await(!silent(fd));
	begun = now_ms();
	kill(d->pid, SIGTERM);
	await_log(d, "stop");
	must(kill(d->pid, SIGSTOP) == 0);
	await(now_ms() - begun > STILL_MS);
	must(kill(d->pid, SIGCONT) == 0);
	must(daemon_exit_status(d) == 0);
	await_log(d, "exit", "service=stubborn", "signal=*", "~KILL", "cause=stop");
	must(log_find(d, "error", NULL) == NULL);
}
END_TEST

START_TEST(child_that_ignores_sigterm_goes_with_its_session)
{
	struct daemon *d = start_hold("300ms");
	long parent, child;
	int fd = dial(d, "orphaning");

	await(!silent(fd));
	kill(d->pid, SIGTERM);
	must(sscanf(drain(fd), "pids %ld %ld", &parent, &child) == 2);
	must(daemon_exit_status(d) == 0);
	await_log(d, "exit", "service=orphaning", "signal=*", "~TERM", "cause=stop");
	await(kill((pid_t)child, 0) == -1 || state_of((pid_t)child) == 'Z');
}
END_TEST

static void
second_signal_skips_grace(int first, int second)
{
	struct daemon *d = start_hold("1h");
	int fd = dial(d, "hold");

	expect(fd, "held\n");
	kill(d->pid, first);
	await(refused_now(address_of(d, "hold", 0)));
	must(silent(fd));
	kill(d->pid, second);
	expect_end(fd);
	must(daemon_exit_status(d) == 0);
	await_log(d, "exit", "service=hold", "signal=*", "cause=stop");
}

START_TEST(second_sigterm_skips_grace)
{
	second_signal_skips_grace(SIGTERM, SIGTERM);
}
END_TEST

START_TEST(sigint_after_sigterm_skips_grace)
{
	second_signal_skips_grace(SIGTERM, SIGINT);
}
END_TEST

START_TEST(sigquit_leaves_sessions_alive)
{
	struct daemon *d = daemon_start("[services]\nflip = 127.0.0.1:0 flip\n");
	int fd = dial(d, "flip");

	put(fd, "before ");
	expect(fd, "BEFORE ");
	kill(d->pid, SIGQUIT);
	must(daemon_exit_status(d) == 0);
	must(refused_now(address_of(d, "flip", 0)));
	put(fd, "after");
	expect(fd, "AFTER");
	shutdown(fd, SHUT_WR);
	expect_end(fd);
}
END_TEST

START_TEST(sigquit_after_sigterm_leaves_sessions_alive)
{
	struct daemon *d = start_hold("1h");
	int fd = dial(d, "hold");

	expect(fd, "held\n");
	kill(d->pid, SIGTERM);
	await(refused_now(address_of(d, "hold", 0)));
	kill(d->pid, SIGQUIT);
	must(daemon_exit_status(d) == 0);
	must(silent(fd));
}
END_TEST

/* superd(8): what to do where a program writes to standard error and must live on. */
static const struct { const char *before, *keys; bool lives; } complainers[] = {
	{ "", "stderr = null\n", true }, { "", "stderr = socket\n", true },
	{ "trap \"\" PIPE; ", "stderr = log\n", true }, { "", "stderr = log\n", false },
};

START_TEST(sigquit_takes_the_reader_of_stderr_away)
{
	struct daemon *d = daemon_start("[complainer]\nlisten = 127.0.0.1:0\n"
	    "exec = sh -c '%swhile read x; do echo $x >&2; echo end; done'\n%s",
	    complainers[_i].before, complainers[_i].keys);
	const bool twice = strstr(complainers[_i].keys, "socket") != NULL;
	int fd = dial(d, "complainer");

	put(fd, "one\n");
	expect(fd, twice ? "one\nend\n" : "end\n");
	kill(d->pid, SIGQUIT);
	must(daemon_exit_status(d) == 0);
	put(fd, "two\n");
	if (complainers[_i].lives)
		expect(fd, twice ? "two\nend\n" : "end\n");
	else
		expect_end(fd);
}
END_TEST

START_TEST(sigusr1_writes_services_and_sessions_to_the_log)
{
	struct daemon *d = start_hold("1s");
	char pid[32];
	int fd = dial(d, "hold");

	expect(fd, "held\n");
	await_log(d, "start", "service=hold");
	snprintf(pid, sizeof pid, "pid=%s", log_value(log_line(d, "start", NULL), "pid"));
	log_mark(d);
	kill(d->pid, SIGUSR1);
	await_log(d, NULL, "~service=hold");
	await_log(d, NULL, "~service=stubborn");
	await_log(d, NULL, "~service=hold", pid);
	must(silent(fd));
	close(fd);
	await_log(d, "exit", "service=hold");
	daemon_stop(d);
}
END_TEST

START_TEST(sigpipe_and_sigchld_from_outside_do_no_harm)
{
	struct daemon *d = start_hold("1s");
	int fd;

	for (int i = 0; i < 10; i++) {
		kill(d->pid, SIGPIPE);
		kill(d->pid, SIGCHLD);
	}
	fd = dial(d, "hold");
	expect(fd, "held\n");
	close(fd);
	await_log(d, "exit", "service=hold", "status=0");
	daemon_stop(d);
}
END_TEST

START_TEST(queued_clients_see_the_end_when_superd_stops)
{
	struct daemon *d = daemon_start("[superd]\ngrace = 1h\n[services]\nhold = 127.0.0.1:0 hold\n"
	    "[hold]\nmax_sessions = 1\n");
	int first = dial(d, "hold"), queued;
	char byte;

	expect(first, "held\n");
	queued = dial(d, "hold");
	await_log(d, "full", "service=hold");
	kill(d->pid, SIGTERM);
	await(!silent(queued));
	must(receive(queued, &byte, 1, 0) <= 0);	/* end-of-file or reset, as the kernel likes */
	close(first);
	must(daemon_exit_status(d) == 0);
}
END_TEST

START_TEST(notify_socket_hears_ready_and_stopping)
{
	struct daemon *d = start_hold("1s");

	must(!notified(d, "STOPPING=1"));
	daemon_stop(d);
	must(notified(d, "STOPPING=1"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_stop");

	add_case(suite, "grace", NEEDS_NOTHING, TESTS(idle_daemon_ends_at_once,
	    sigterm_lets_sessions_end_within_grace, sigint_lets_sessions_end_within_grace,
	    status_while_stopping_claims_no_service, sessions_left_after_grace_are_terminated,
	    second_sigterm_skips_grace, sigint_after_sigterm_skips_grace,
	    queued_clients_see_the_end_when_superd_stops, notify_socket_hears_ready_and_stopping));
	add_case(suite, "groups", NEEDS_PROC,
	    TESTS(sessions_that_ignore_sigterm_are_killed_with_their_children,
	    superd_that_stood_still_sees_the_end_of_what_it_kills,
	    child_that_ignores_sigterm_goes_with_its_session));
	add_case(suite, "other signals", NEEDS_NOTHING, TESTS(sigquit_leaves_sessions_alive,
	    sigquit_after_sigterm_leaves_sessions_alive,
	    sigusr1_writes_services_and_sessions_to_the_log,
	    sigpipe_and_sigchld_from_outside_do_no_harm));
	add_loop(suite, "standard error", NEEDS_NOTHING, sigquit_takes_the_reader_of_stderr_away,
	    (int)(sizeof complainers / sizeof *complainers));
	return run_suite(suite);
}
