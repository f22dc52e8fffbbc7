/*
 * Children that never become their program: a user who stops or kills what runs
 * under his name, and an execve that hangs; and those that SIGKILL does not end.
 * superd waits for nobody.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- the service's user fights its own children */

static void
become(uid_t uid)
{
	if (setgroups(0, NULL) == -1 || setresgid(uid, uid, uid) == -1 ||
	    setresuid(uid, uid, uid) == -1)
		_exit(1);
}

/* A process that, as that user, sends the signal to all of the user's processes without pause. */
static pid_t
start_attacker(uid_t uid, int signo)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	become(uid);
	for (;;)
		kill(-1, signo);	/* everybody but the caller himself */
}

static void
end_attacker(pid_t attacker)
{
	must(kill(attacker, SIGKILL) == 0);
	must(waitpid(attacker, NULL, 0) == attacker);
}

static void
continue_all(uid_t uid)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		become(uid);
		_exit(kill(-1, SIGCONT) == -1 && errno != ESRCH);
	}
	must(waitpid(pid, &status, 0) == pid && status == 0);
}

static struct daemon *
start_victim(uid_t uid)
{
	return daemon_start("[services]\nvictim = 127.0.0.1:0 hold\nother = 127.0.0.1:0 hold\n"
	    "[victim]\nuser = %u\ngroup = %u\nmax_sessions = 1000\n", (unsigned)uid, (unsigned)uid);
}

static unsigned
ended(struct daemon *d)
{
	return log_total(d, "exit", "service=victim") + log_total(d, "failed", "service=victim");
}

/* Opens victims under attack; the other service must be served each time. */
static void
open_victims(struct daemon *d, int *fds, int count)
{
	for (int i = 0; i < count; i++) {
		int other;

		fds[i] = dial(d, "victim");
		other = dial(d, "other");
		expect(other, "held\n");
		close(other);
	}
}

START_TEST(user_who_stops_his_children_delays_nobody_else)
{
	enum { VICTIMS = 300 };
	const uid_t uid = unused_uid();
	struct daemon *d = start_victim(uid);
	pid_t attacker = start_attacker(uid, SIGSTOP);
	int fds[VICTIMS], other;

	open_victims(d, fds, VICTIMS);
	/*
	 * Those stopped before their exec are killed by superd; those stopped after it are
	 * sessions like any other and wait for this test.
	 */
	await(ended(d) + children_of(d->pid, 'T') == VICTIMS);
	await(children_named(d->pid, "superd") == 0);
	other = dial(d, "other");
	expect(other, "held\n");
	close(other);
	end_attacker(attacker);
	for (int i = 0; i < VICTIMS; i++)
		close(fds[i]);
	continue_all(uid);
	await(ended(d) == VICTIMS);
	await(children_of(d->pid, 0) == 0);
	expect(dial(d, "victim"), "held\n");
	daemon_stop(d);
}
END_TEST

START_TEST(user_who_kills_his_children_delays_nobody_else)
{
	enum { VICTIMS = 300 };
	const uid_t uid = unused_uid();
	struct daemon *d = start_victim(uid);
	pid_t attacker = start_attacker(uid, SIGKILL);
	int fds[VICTIMS];

	open_victims(d, fds, VICTIMS);
	await(ended(d) == VICTIMS);
	await(children_of(d->pid, 0) == 0);
	end_attacker(attacker);
	for (int i = 0; i < VICTIMS; i++)
		close(fds[i]);
	expect(dial(d, "victim"), "held\n");
	daemon_stop(d);
}
END_TEST

/* --- an execve that hangs: the kernel waits for the holder of a lease on the program */

static char program[224];

static int
take_lease(void)
{
	int fd;

	signal(SIGIO, SIG_IGN);		/* the kernel asks for the lease by it */
	fd = open(program, O_RDWR | O_CLOEXEC);
	if (fd == -1)
		flunk("open %s: %s", program, strerror(errno));
	await(fcntl(fd, F_SETLEASE, F_WRLCK) == 0 || errno != EAGAIN);
	if (fcntl(fd, F_GETLEASE) != F_WRLCK)
		flunk("no lease on %s: %s", program, strerror(errno));
	return fd;
}

static struct daemon *
start_stuck(void)
{
	struct daemon *d = daemon_new();
	char hold[256];

	snprintf(program, sizeof program, "%s/program", d->dir);
	snprintf(hold, sizeof hold, "%s/hold", tools());
	copy_program(hold, program);
	daemon_write(d, "[services]\nstuck = 127.0.0.1:0 %s\n"
	    "hold = 127.0.0.1:0 hold\ntrue = 127.0.0.1:0 true\n"
	    "[stuck]\nmax_sessions = 1\n", program);
	daemon_run(d, NULL);
	daemon_ready(d);
	return d;
}

START_TEST(hanging_exec_is_given_up_and_delays_nobody_else)
{
	struct daemon *d = start_stuck();
	int lease = take_lease(), stuck = dial(d, "stuck"), other;

	await(children_of(d->pid, 0) == 1);
	for (int i = 0; i < 50; i++)
		expect_end(dial(d, "true"));
	other = dial(d, "hold");
	expect(other, "held\n");
	must(log_find(d, "failed", NULL) == NULL);	/* it hung all the while */
	await_log(d, "failed", "service=stuck", "stage=exec", "error=*");
	expect_end(stuck);
	must(log_find(d, "exit", "service=stuck", NULL) == NULL);
	must(silent(other));
	close(lease);
	stuck = dial(d, "stuck");			/* the slot was given back */
	expect(stuck, "held\n");
	daemon_stop(d);
}
END_TEST

START_TEST(hanging_exec_holds_no_other_connection)
{
	enum { MANY = 20 };
	struct daemon *d = start_stuck();
	int fds[MANY], lease, stuck;

	address_of(d, "true", 0);			/* a stopped daemon could not tell it */
	lease = take_lease();
	must(kill(d->pid, SIGSTOP) == 0);		/* so that all are accepted in one go */
	await(state_of(d->pid) == 'T');
	for (int i = 0; i < MANY / 2; i++)
		fds[i] = dial(d, "true");
	stuck = dial(d, "stuck");
	for (int i = MANY / 2; i < MANY; i++)
		fds[i] = dial(d, "true");
	must(kill(d->pid, SIGCONT) == 0);
	for (int i = 0; i < MANY; i++)
		expect_end(fds[i]);
	await(children_of(d->pid, 0) == 1);		/* the stuck one */
	await(open_sockets(child_of(d->pid)) == 2);	/* its own connection, twice */
	must(log_find(d, "failed", NULL) == NULL);
	must(silent(stuck));
	close(lease);
	expect(stuck, "held\n");			/* late, but served */
	daemon_stop(d);
}
END_TEST

START_TEST(child_stopped_before_its_exec_is_killed)
{
	struct daemon *d = start_stuck();
	int lease = take_lease(), stuck = dial(d, "stuck"), other;
	pid_t child;

	await((child = child_of(d->pid)) != 0);
	await(open_sockets(child) == 2);	/* its execve is all that is left to do */
	must(kill(child, SIGSTOP) == 0);	/* what its own user may do at any time */
	await(state_of(child) == 'T');
	other = dial(d, "hold");
	expect(other, "held\n");
	must(log_find(d, "failed", NULL) == NULL);
	await_log(d, "failed", "service=stuck", "stage=exec", "error=*");
	expect_end(stuck);
	must(silent(other));
	close(lease);
	expect(dial(d, "stuck"), "held\n");
	daemon_stop(d);
}
END_TEST

START_TEST(stop_does_not_wait_for_a_hanging_exec)
{
	struct daemon *d = daemon_new();
	char hold[256];
	int lease, stuck;

	snprintf(program, sizeof program, "%s/program", d->dir);
	snprintf(hold, sizeof hold, "%s/hold", tools());
	copy_program(hold, program);
	daemon_write(d, "[superd]\ngrace = 1s\n[services]\nstuck = 127.0.0.1:0 %s\n", program);
	daemon_run(d, NULL);
	daemon_ready(d);
	lease = take_lease();
	stuck = dial(d, "stuck");
	await(children_of(d->pid, 0) == 1);
	must(kill(d->pid, SIGTERM) == 0);
	must(daemon_exit_status(d) == 0);
	expect_end(stuck);
	close(lease);
}
END_TEST

/* --- a process that SIGKILL does not end: its parent sees a traced one die when its tracer has seen it */

START_TEST(process_that_survives_sigkill_is_told_of_and_so_is_its_end)
{
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n"
	    "[hold]\nuser = %u\nmax_sessions = 1\ntimeout = 1s\n", (unsigned)geteuid());
	int client = dial(d, "hold"), status;
	const char *line;
	pid_t pid;

	expect(client, "held\n");
	pid = child_of(d->pid);
	must(ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0);
	await_log(d, "warning", "~lives on after SIGKILL");
	line = log_find(d, "warning", "~lives on after SIGKILL", NULL);
	must(strstr(line, "service 'hold'") != NULL);
	must(log_count(d, "warning", "~lives on after SIGKILL", NULL) == 1);
	must(log_find(d, "exit", NULL) == NULL);
	client = dial(d, "hold");
	await_log(d, "full", "service=hold");		/* its place is taken */
	await(waitpid(pid, &status, WNOHANG) == pid && WIFSIGNALED(status));
	await_log(d, "notice", "~is gone after all");
	await_log(d, "exit", "service=hold", "signal=KILL", "cause=timeout");
	expect(client, "held\n");
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_stuck");

	add_case(suite, "hanging exec", NEEDS_PROC,
	    TESTS(hanging_exec_is_given_up_and_delays_nobody_else,
	    hanging_exec_holds_no_other_connection, child_stopped_before_its_exec_is_killed,
	    stop_does_not_wait_for_a_hanging_exec));
	add_case(suite, "after SIGKILL", NEEDS_PROC,
	    TESTS(process_that_survives_sigkill_is_told_of_and_so_is_its_end));
	add_case(suite, "hostile user", NEEDS_PROC | NEEDS_ROOT,
	    TESTS(user_who_stops_his_children_delays_nobody_else,
	    user_who_kills_his_children_delays_nobody_else));
	return run_suite(suite);
}
