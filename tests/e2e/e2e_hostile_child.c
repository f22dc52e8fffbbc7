/*
 * What a hostile reading of superd found, and must not come back: rights that a
 * program was left with, two daemons with one pid file, a configuration that is
 * empty, and children that somebody else stops or kills.
 */
#include "harness.h"

#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- rights that superd has without being root */

static uint32_t rights = 1U << CAP_SETUID | 1U << CAP_SETGID | 1U << CAP_NET_BIND_SERVICE;

static bool
keep_rights(uid_t uid)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{ .effective = rights, .permitted = rights, .inheritable = rights } };

	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == -1 || setgroups(0, NULL) == -1 ||
	    setresgid(uid, uid, uid) == -1 || setresuid(uid, uid, uid) == -1 ||
	    syscall(SYS_capset, &head, data) == -1)
		return false;
	for (unsigned long right = 0; right < 32; right++)
		if ((rights >> right & 1) != 0 &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, right, 0, 0) == -1)
			return false;
	return true;
}

static void
become_one_with_rights(void)
{
	if (!keep_rights(unused_uid()))
		_exit(125);
	prctl(PR_SET_PDEATHSIG, SIGKILL);	/* the change of user has undone it */
}

static bool
can_keep_rights(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(!keep_rights(unused_uid()));
	return waitpid(pid, &status, 0) == pid && status == 0;
}

static void
must_be_without_rights(const char *status, uid_t uid)
{
	static const char *const sets[] = { "CapInh", "CapPrm", "CapEff", "CapAmb" };
	char line[64];

	snprintf(line, sizeof line, "Uid:\t%u\t%u\t%u\t%u\n", (unsigned)uid, (unsigned)uid,
	    (unsigned)uid, (unsigned)uid);
	if (strstr(status, line) == NULL)
		flunk("wanted user %u:\n%s", (unsigned)uid, status);
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
		snprintf(line, sizeof line, "%s:\t0000000000000000\n", sets[i]);
		if (strstr(status, line) == NULL)
			flunk("the program has rights in %s:\n%s", sets[i], status);
	}
}

START_TEST(rights_of_a_superd_that_is_not_root_do_not_reach_programs)
{
	struct daemon *d = daemon_new();

	if (!can_keep_rights()) {
		printf("SKIPPED: rights_of_a_superd_that_is_not_root_do_not_reach_programs: "
		    "no ambient capabilities\n");
		return;
	}
	daemon_write(d, "[services]\nown = 127.0.0.1:0 cat /proc/self/status\n"
	    "other = 127.0.0.1:0 cat /proc/self/status\n"
	    "[other]\nuser = 23456\ngroup = 23456\n");
	daemon_run(d, &(struct start){ .prepare = become_one_with_rights });
	daemon_ready(d);
	must_be_without_rights(drain(dial(d, "own")), 30000 + (uid_t)d->pid % 30000);
	must_be_without_rights(drain(dial(d, "other")), 23456);
	daemon_stop(d);
}
END_TEST

/* Without the right to change users superd leaves the program its own, and nothing else. */
START_TEST(right_to_low_ports_alone_does_not_reach_programs)
{
	struct daemon *d = daemon_new();

	rights = 1U << CAP_NET_BIND_SERVICE;
	if (!can_keep_rights()) {
		printf("SKIPPED: right_to_low_ports_alone_does_not_reach_programs: "
		    "no ambient capabilities\n");
		return;
	}
	daemon_write(d, "[services]\nown = 127.0.0.1:0 cat /proc/self/status\n");
	daemon_run(d, &(struct start){ .prepare = become_one_with_rights });
	daemon_ready(d);
	must_be_without_rights(drain(dial(d, "own")), 30000 + (uid_t)d->pid % 30000);
	daemon_stop(d);
}
END_TEST

/* --- two daemons, an empty file */

START_TEST(second_superd_with_the_same_pid_file_ends_and_leaves_it)
{
	struct daemon *first = daemon_new(), *second = daemon_new();
	char pid_file[200], pid[16];
	const char *const args[] = { "-p", pid_file, NULL };

	snprintf(pid_file, sizeof pid_file, "%s/pid", first->dir);
	daemon_write(first, "[services]\nhold = 127.0.0.1:0 hold\n");
	daemon_write(second, "[services]\nhold = 127.0.0.1:0 hold\n");
	daemon_run(first, &(struct start){ .args = args });
	daemon_ready(first);
	snprintf(pid, sizeof pid, "%d\n", (int)first->pid);
	daemon_run(second, &(struct start){ .args = args });
	must(daemon_exit_status(second) == 71);
	await_log(second, "error", "~another superd has it");
	must(!notified(second, "READY=1"));
	must(strcmp(read_file(pid_file), pid) == 0);
	expect(dial(first, "hold"), "held\n");
	daemon_stop(first);
	must(access(pid_file, F_OK) == -1 && errno == ENOENT);
}
END_TEST

static void
try_empty(const char *empty)
{
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n");
	int fd = dial(d, "hold");

	expect(fd, "held\n");
	log_mark(d);
	daemon_write(d, "%s", empty);
	must(kill(d->pid, SIGHUP) == 0);
	await_log(d, "error", "~has nothing in it");
	await_log(d, "error", "~the old one stays in force");
	must(log_find(d, "reload", NULL) == NULL && log_find(d, "unlisten", NULL) == NULL);
	must(silent(fd));
	d->mark = 0;
	expect(dial(d, "hold"), "held\n");
	daemon_reload(d, "[services]\n");	/* that is how all services are ended */
	await_log(d, "unlisten", "service=hold");
	daemon_stop(d);
}

START_TEST(empty_file_changes_nothing)
{
	try_empty("");
}
END_TEST

START_TEST(file_of_nothing_but_comments_changes_nothing)
{
	try_empty("\n; nothing\n# here\n");
}
END_TEST

/* --- sessions that are stopped or killed by others */

START_TEST(stopping_a_session_that_ends_does_not_kill_it)
{
	struct daemon *d = daemon_start("[services]\nslow = 127.0.0.1:0 lingers\n"
	    "other = 127.0.0.1:0 true\n[slow]\ntimeout = 2s\n");
	int fd = dial(d, "slow");
	pid_t child;
	const char *line;

	expect(fd, "ready\nterm\n");		/* from here on it has five seconds */
	must((child = child_of(d->pid)) != 0 && kill(child, SIGSTOP) == 0);
	await(state_of(child) == 'T');
	for (int i = 0; i < 5; i++)
		expect_end(dial(d, "other"));	/* superd has read its signals since */
	await_log(d, "exit", "service=slow", "cause=timeout", "signal=KILL");
	line = log_line(d, "exit", "service=slow", NULL);
	if (strtod(log_value(line, "duration"), NULL) < 6.5)
		flunk("it was killed too early: %s", line);
	must(drain(fd)[0] == '\0');
	daemon_stop(d);
}
END_TEST

START_TEST(session_that_ends_may_be_stopped_and_go_on)
{
	struct daemon *d = daemon_start("[services]\nslow = 127.0.0.1:0 lingers\n"
	    "other = 127.0.0.1:0 true\n[slow]\ntimeout = 2s\n");
	int fd = dial(d, "slow");
	pid_t child;

	expect(fd, "ready\nterm\n");
	must((child = child_of(d->pid)) != 0 && kill(child, SIGSTOP) == 0);
	await(state_of(child) == 'T');
	must(kill(child, SIGCONT) == 0);
	expect_end(dial(d, "other"));
	must(shutdown(fd, SHUT_WR) == 0);
	expect_end(fd);
	await_log(d, "exit", "service=slow", "cause=timeout", "status=0");
	daemon_stop(d);
}
END_TEST

/* The kernel makes an execve wait for the holder of a lease on the program. */
START_TEST(child_that_is_terminated_before_its_exec_has_failed)
{
	struct daemon *d = daemon_new();
	char program[224], hold[256];
	int lease, fd;
	pid_t child;

	snprintf(program, sizeof program, "%s/program", d->dir);
	snprintf(hold, sizeof hold, "%s/hold", tools());
	copy_program(hold, program);
	daemon_write(d, "[services]\nstuck = 127.0.0.1:0 %s\n", program);
	daemon_run(d, NULL);
	daemon_ready(d);
	signal(SIGIO, SIG_IGN);		/* the kernel asks for the lease by it */
	must((lease = open(program, O_RDWR | O_CLOEXEC)) != -1);
	await(fcntl(lease, F_SETLEASE, F_WRLCK) == 0 || errno != EAGAIN);
	must(fcntl(lease, F_GETLEASE) == F_WRLCK);
	fd = dial(d, "stuck");
	await((child = child_of(d->pid)) != 0);
	await(open_sockets(child) == 2);	/* its execve is all that is left to do */
	must(kill(child, SIGTERM) == 0);
	await_log(d, "failed", "service=stuck", "stage=exec", "~killed before the program");
	expect_end(fd);
	must(log_find(d, "exit", "service=stuck", NULL) == NULL);
	close(lease);
	expect(dial(d, "stuck"), "held\n");
	daemon_stop(d);
}
END_TEST

/* --- a process that SIGKILL does not end: its parent sees a traced one die when its tracer has seen it */

START_TEST(process_that_survives_sigkill_is_told_of_and_so_is_its_end)
{
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n"
	    "[hold]\nuser = %u\nmax_sessions = 1\ntimeout = 3s\n", (unsigned)geteuid());
	int client = dial(d, "hold"), status;
	const char *line;
	pid_t pid;

	expect(client, "held\n");
	pid = child_of(d->pid);
	must(ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0);
	await_log(d, "warning", "~lives on after SIGKILL");
	line = log_line(d, "warning", "~lives on after SIGKILL", NULL);
	must(strstr(line, "service 'hold'") != NULL);
	await_count(d, 1, "warning", "~lives on after SIGKILL");
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
	Suite *suite = suite_create("e2e_hostile_child");

	add_case(suite, "rights", NEEDS_ROOT | NEEDS_PROC,
	    TESTS(rights_of_a_superd_that_is_not_root_do_not_reach_programs,
	    right_to_low_ports_alone_does_not_reach_programs));
	add_case(suite, "pid file", NEEDS_NOTHING,
	    TESTS(second_superd_with_the_same_pid_file_ends_and_leaves_it));
	add_case(suite, "empty file", NEEDS_NOTHING, TESTS(empty_file_changes_nothing,
	    file_of_nothing_but_comments_changes_nothing));
	add_case(suite, "children", NEEDS_PROC, TESTS(stopping_a_session_that_ends_does_not_kill_it,
	    session_that_ends_may_be_stopped_and_go_on,
	    child_that_is_terminated_before_its_exec_has_failed,
	    process_that_survives_sigkill_is_told_of_and_so_is_its_end));
	return run_suite(suite);
}
