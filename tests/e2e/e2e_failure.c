/*
 * What goes wrong while superd runs: programs that cannot be executed, no
 * process or descriptor left, clients that are gone before they are accepted.
 */
#include "harness.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* --- exec fails */

static char program[224];

/* A service "own" whose program is the test's own file, with one slot. */
static struct daemon *
start_own(void)
{
	struct daemon *d = daemon_new();
	char hold[256];

	snprintf(program, sizeof program, "%s/program", d->dir);
	snprintf(hold, sizeof hold, "%s/hold", tools());
	copy_program(hold, program);
	daemon_write(d, "[services]\nown = 127.0.0.1:0 %s\nother = 127.0.0.1:0 hold\n"
	    "[own]\nmax_sessions = 1\n", program);
	daemon_run(d, NULL);
	daemon_ready(d);
	return d;
}

static void
served_again(struct daemon *d)
{
	char hold[256];

	snprintf(hold, sizeof hold, "%s/hold", tools());
	copy_program(hold, program);
	expect(dial(d, "own"), "held\n");
}

START_TEST(removed_program_fails_each_session_and_gives_its_slot_back)
{
	struct daemon *d = start_own();

	must(unlink(program) == 0);
	for (unsigned i = 1; i <= 3; i++) {
		expect_end(dial(d, "own"));
		await_count(d, i, "failed", "service=own", "session=*", "remote=127.0.0.1:*",
		    "stage=exec", "error=\"No such file or directory\"");
	}
	must(log_find(d, "exit", "service=own", NULL) == NULL);
	expect(dial(d, "other"), "held\n");
	served_again(d);
	daemon_stop(d);
}
END_TEST

START_TEST(unexecutable_program_fails_with_its_reason)
{
	struct daemon *d = start_own();

	must(chmod(program, 0644) == 0);
	expect_end(dial(d, "own"));
	await_log(d, "failed", "service=own", "stage=exec", "error=\"Permission denied\"");
	served_again(d);
	daemon_stop(d);
}
END_TEST

START_TEST(program_of_garbage_fails_with_its_reason)
{
	struct daemon *d = start_own();

	write_file(program, "neither a script nor a program\n");
	must(chmod(program, 0755) == 0);
	expect_end(dial(d, "own"));
	await_log(d, "failed", "service=own", "stage=exec", "error=\"Exec format error\"");
	write_file(program, "#!/no/such/interpreter\n");
	must(chmod(program, 0755) == 0);
	expect_end(dial(d, "own"));
	await_log(d, "failed", "service=own", "stage=exec", "error=\"No such file or directory\"");
	served_again(d);
	daemon_stop(d);
}
END_TEST

START_TEST(replaced_program_is_used_at_once)
{
	struct daemon *d = start_own();
	char fresh[256];

	snprintf(fresh, sizeof fresh, "%s/fresh", d->dir);
	write_file(fresh, "#!/bin/sh\necho replaced\n");
	must(chmod(fresh, 0755) == 0 && rename(fresh, program) == 0);
	must(strcmp(drain(dial(d, "own")), "replaced\n") == 0);
	daemon_stop(d);
}
END_TEST

START_TEST(failures_held_back_are_told_by_their_number)
{
	enum { MANY = 60 };
	struct daemon *d = start_own();
	const char *address;
	int fds[MANY];

	daemon_reload(d, "[services]\nown = 127.0.0.1:0 %s\nother = 127.0.0.1:0 hold\n", program);
	address = address_of(d, "own", 0);
	must(unlink(program) == 0);
	must(kill(d->pid, SIGSTOP) == 0);	/* so that the last failure comes after the last client */
	for (int i = 0; i < MANY; i++)
		fds[i] = dial_to(address);
	must(kill(d->pid, SIGCONT) == 0);
	for (int i = 0; i < MANY; i++)
		expect_end(fds[i]);
	await(log_total(d, "failed", "service=own") == MANY);
	daemon_stop(d);
}
END_TEST

/* --- no process */

START_TEST(failed_fork_costs_one_connection_and_heals)
{
	const struct start how = { .uid = geteuid() == 0 ? unused_uid() : 0 };
	struct daemon *d = daemon_new();
	int old, fresh;

	daemon_write(d, "[services]\nhold = 127.0.0.1:0 hold\n[hold]\nmax_sessions = 2\n");
	daemon_run(d, &how);
	daemon_ready(d);
	old = dial(d, "hold");
	expect(old, "held\n");
	log_mark(d);
	limit_processes(d->pid, 1);
	for (int i = 0; i < 5; i++)	/* more than max_sessions: no slot may be lost */
		close(dial(d, "hold"));
	await(log_find(d, NULL, "~Resource temporarily unavailable", NULL) != NULL);
	must(silent(old));		/* who is served already does not notice */
	limit_processes(d->pid, UINT64_MAX);
	fresh = dial(d, "hold");
	expect(fresh, "held\n");
	close(fresh);
	close(old);
	await(children_of(d->pid, 0) == 0);
	daemon_stop(d);
}
END_TEST

START_TEST(failed_fork_takes_nothing_from_rates)
{
	const struct start how = { .uid = geteuid() == 0 ? unused_uid() : 0 };
	struct daemon *d = daemon_new();

	daemon_write(d, "[services]\nhold = 127.0.0.1:0 hold\n"
	    "[hold]\nrate = 1/d\nrate_per_source = 1/d\n");
	daemon_run(d, &how);
	daemon_ready(d);
	limit_processes(d->pid, 1);
	expect_end(dial(d, "hold"));
	await_log(d, "failed", "service=hold", "stage=fork");
	limit_processes(d->pid, UINT64_MAX);
	expect(dial(d, "hold"), "held\n");
	daemon_stop(d);
}
END_TEST

/* --- no descriptor */

START_TEST(without_descriptors_superd_rests_and_recovers)
{
	enum { ROUNDS = 5, TICKS = 100 };
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n");
	int old = dial(d, "hold"), waiting;
	long ticks, rounds;

	expect(old, "held\n");
	log_mark(d);
	limit_descriptors(d->pid, 3);		/* 0 to 2 are in use: accept has none left */
	waiting = dial(d, "hold");
	await(log_find(d, NULL, "~Too many open files", NULL) != NULL);
	ticks = cpu_ticks(d->pid);
	rounds = context_switches(d->pid);
	/* A daemon that spins would never wait, or burn its whole time slice between two waits. */
	await(context_switches(d->pid) - rounds >= ROUNDS);
	must(cpu_ticks(d->pid) - ticks < TICKS);
	must(silent(waiting) && silent(old));
	must(log_count(d, NULL, "~Too many open files", NULL) < 100);
	limit_descriptors(d->pid, 1024);
	expect(waiting, "held\n");
	close(waiting);
	close(old);
	daemon_stop(d);
}
END_TEST

START_TEST(sessions_end_while_there_are_no_descriptors)
{
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n");
	int old = dial(d, "hold"), waiting;

	expect(old, "held\n");
	limit_descriptors(d->pid, 3);
	waiting = dial(d, "hold");
	await(log_find(d, NULL, "~Too many open files", NULL) != NULL);
	close(old);
	await_log(d, "exit", "service=hold", "status=0");
	await(children_of(d->pid, 0) == 0);
	limit_descriptors(d->pid, 1024);
	expect(waiting, "held\n");
	daemon_stop(d);
}
END_TEST

/* --- clients that are gone */

static void
stop_process(pid_t pid)
{
	must(kill(pid, SIGSTOP) == 0);
	await(state_of(pid) == 'T');
}

START_TEST(client_that_resets_before_accept_does_no_harm)
{
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n"
	    "[hold]\nmax_sessions = 2\n");
	const char *address = address_of(d, "hold", 0);
	int fd;

	stop_process(d->pid);
	reset(dial_to(address));
	fd = dial_to(address);
	must(kill(d->pid, SIGCONT) == 0);
	expect(fd, "held\n");
	close(fd);
	await(children_of(d->pid, 0) == 0);
	daemon_stop(d);
}
END_TEST

START_TEST(many_resets_before_accept_do_no_harm)
{
	enum { ROUNDS = 10, EACH = 60 };
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n"
	    "[hold]\nmax_sessions = 4\nmax_per_source = unlimited\n");
	unsigned before;
	int fd;

	close(dial(d, "hold"));
	await_log(d, "exit", "service=hold");
	before = open_descriptors(d->pid);
	for (int round = 0; round < ROUNDS; round++) {
		stop_process(d->pid);
		for (int i = 0; i < EACH; i++)
			reset(dial(d, "hold"));
		must(kill(d->pid, SIGCONT) == 0);
	}
	fd = dial(d, "hold");
	expect(fd, "held\n");
	close(fd);
	await(children_of(d->pid, 0) == 0);
	await(open_descriptors(d->pid) == before);
	daemon_stop(d);
}
END_TEST

START_TEST(client_that_closes_while_queued_does_no_harm)
{
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n"
	    "[hold]\nmax_sessions = 1\n");
	int first = dial(d, "hold"), last;

	expect(first, "held\n");
	for (int i = 0; i < 20; i++)
		close(dial(d, "hold"));
	for (int i = 0; i < 20; i++)
		reset(dial(d, "hold"));
	last = dial(d, "hold");
	must(silent(last));
	close(first);
	expect(last, "held\n");
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_failure");

	add_case(suite, "exec", NEEDS_NOTHING,
	    TESTS(removed_program_fails_each_session_and_gives_its_slot_back,
	    unexecutable_program_fails_with_its_reason,
	    failures_held_back_are_told_by_their_number, replaced_program_is_used_at_once));
	/* valgrind cannot go on after an execve that fails so late. */
	add_case(suite, "late failure of exec", NEEDS_NO_VALGRIND,
	    TESTS(program_of_garbage_fails_with_its_reason));
	add_case(suite, "nothing left", NEEDS_PROC | NEEDS_NO_VALGRIND,
	    TESTS(failed_fork_costs_one_connection_and_heals, failed_fork_takes_nothing_from_rates,
	    without_descriptors_superd_rests_and_recovers,
	    sessions_end_while_there_are_no_descriptors));
	add_case(suite, "clients gone", NEEDS_PROC,
	    TESTS(client_that_resets_before_accept_does_no_harm,
	    many_resets_before_accept_do_no_harm));
	add_case(suite, "queued clients gone", NEEDS_NOTHING,
	    TESTS(client_that_closes_while_queued_does_no_harm));
	return run_suite(suite);
}
