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
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define YAMA "/proc/sys/kernel/yama/ptrace_scope"	/* above 0: nobody looks but into his own child */

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
	/* Not for writing: the lease ends before the file is closed, and execve would say ETXTBSY. */
	fd = open(program, O_RDONLY | O_CLOEXEC);
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

/* What superd tells at SIGUSR1 of the children that it made. */
static long
told(struct daemon *d, const char *field)
{
	log_mark(d);
	must(kill(d->pid, SIGUSR1) == 0);
	await_log(d, "status", "shared=*");
	return log_number(log_line(d, "status", "shared=*", NULL), field);
}

START_TEST(more_stuck_children_than_slots_are_forked)
{
	enum { MANY = 92, SLOTS = 80 };	/* SLOTS_MAX of bounds.h */
	struct daemon *d = daemon_new();
	int fds[MANY], lease;
	long shared;
	char hold[256];

	snprintf(program, sizeof program, "%s/program", d->dir);
	snprintf(hold, sizeof hold, "%s/hold", tools());
	copy_program(hold, program);
	daemon_write(d, "[services]\nstuck = 127.0.0.1:0 %s\ntrue = 127.0.0.1:0 true\n"
	    "[stuck]\nmax_sessions = 1000\nmax_per_source = 1000\n", program);
	daemon_run(d, NULL);
	daemon_ready(d);
	expect_end(dial(d, "true"));
	shared = told(d, "shared");			/* 0 where superd always forks */
	lease = take_lease();
	for (int i = 0; i < MANY; i++)
		fds[i] = dial(d, "stuck");
	await(children_of(d->pid, 0) == MANY);
	expect_end(dial(d, "true"));
	must(told(d, "shared") == shared * (1 + SLOTS));
	must(told(d, "shared") + told(d, "forked") == MANY + 2);
	must(children_named(d->pid, "superd") == MANY);
	close(lease);
	for (int i = 0; i < MANY; i++)
		expect(fds[i], "held\n");
	expect_end(dial(d, "true"));			/* the slots were given back */
	must(told(d, "shared") == shared * (2 + SLOTS));
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
	await(children_of(d->pid, 0) == 0);
	daemon_stop(d);
}
END_TEST

/* glibc overwrites memory that is freed. */
static void
spoil_freed_memory(void)
{
	setenv("MALLOC_PERTURB_", "165", 1);
	setenv("GLIBC_TUNABLES", "glibc.malloc.perturb=165", 1);
}

/* The configuration from which a child has its arguments is gone when it needs them. */
START_TEST(reload_leaves_a_stuck_child_what_it_needs)
{
	const struct start how = { .prepare = spoil_freed_memory };
	struct daemon *d = daemon_new();
	char inspect[256];
	const char *slate;
	int lease, stuck;

	snprintf(program, sizeof program, "%s/program", d->dir);
	snprintf(inspect, sizeof inspect, "%s/inspect", services());
	copy_program(inspect, program);
	daemon_write(d, "[services]\nstuck = 127.0.0.1:0 %s first second third\n", program);
	daemon_run(d, &how);
	daemon_ready(d);
	lease = take_lease();
	stuck = dial(d, "stuck");
	await(children_of(d->pid, 0) == 1);
	for (int i = 0; i < 3; i++) {
		log_mark(d);
		daemon_reload(d, "[services]\nstuck = 127.0.0.1:0 %s other %d\n", program, i);
		await_log(d, "reload", "text=*");
	}
	close(lease);
	slate = drain(stuck);
	must_be(slate, "argv.1", "first");
	must_be(slate, "argv.3", "third");
	must(strstr(slate, "\nSUPERD_SERVICE=stuck\n") != NULL);
	daemon_stop(d);
}
END_TEST

/* --- what a child shares with superd is nothing for its user */

/* As the child's user: it may be signalled, and nothing else.  The exit status says what was possible. */
static int
try_to_look_into(pid_t child, uid_t uid)
{
	char path[64], byte = 0;
	struct iovec mine = { &byte, 1 }, theirs = { (void *)(uintptr_t)&program, 1 };
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		become(uid);
		if (kill(child, 0) == -1)
			_exit(1);			/* it is not this user's: nothing would be proved */
		snprintf(path, sizeof path, "/proc/%d/mem", (int)child);
		if (open(path, O_RDONLY) != -1 || open(path, O_RDWR) != -1)
			_exit(2);
		if (process_vm_readv(child, &mine, 1, &theirs, 1, 0) != -1 || errno != EPERM)
			_exit(3);
		if (ptrace(PTRACE_SEIZE, child, NULL, NULL) != -1 || errno != EPERM)
			_exit(4);
		snprintf(path, sizeof path, "/proc/%d/fd/0", (int)child);
		_exit(open(path, O_RDWR) != -1 ? 5 : 0);
	}
	must(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(user_cannot_look_into_his_child_before_its_exec)
{
	const uid_t uid = unused_uid();
	struct daemon *d = daemon_new();
	char hold[256];
	int lease, stuck;

	snprintf(program, sizeof program, "%s/program", d->dir);
	snprintf(hold, sizeof hold, "%s/hold", tools());
	copy_program(hold, program);
	daemon_write(d, "[services]\nstuck = 127.0.0.1:0 %s\n[stuck]\nuser = %u\ngroup = %u\n",
	    program, (unsigned)uid, (unsigned)uid);
	daemon_run(d, NULL);
	daemon_ready(d);
	lease = take_lease();
	stuck = dial(d, "stuck");
	await(children_of(d->pid, 0) == 1);
	await(owner_of(child_of(d->pid)) == uid);
	ck_assert_int_eq(try_to_look_into(child_of(d->pid), uid), 0);
	must(children_named(d->pid, "superd") == 1);	/* it was so all the while */
	close(lease);
	expect(stuck, "held\n");
	if (access(YAMA, F_OK) == -1 || atoi(read_file(YAMA)) == 0)	/* his own program is open to him */
		ck_assert_int_ne(try_to_look_into(child_of(d->pid), uid), 0);
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
	    stop_does_not_wait_for_a_hanging_exec, more_stuck_children_than_slots_are_forked,
	    reload_leaves_a_stuck_child_what_it_needs));
	add_case(suite, "hostile user", NEEDS_PROC | NEEDS_ROOT,
	    TESTS(user_who_stops_his_children_delays_nobody_else,
	    user_who_kills_his_children_delays_nobody_else,
	    user_cannot_look_into_his_child_before_its_exec));
	return run_suite(suite);
}
