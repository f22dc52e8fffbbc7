/*
 * UDP, a process for each peer: how sessions end, by the peer's silence, by the
 * process itself, by superd; and that nothing that was answered is lost then.
 */
#include "harness_admission.h"
#include "harness_udp.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct daemon *
start_puppets(const char *keys)
{
	return daemon_start("[superd]\ngrace = 1h\n[services]\nx = udp:127.0.0.1:0 puppet\n"
	    "[x]\nstderr = null\n%s\n", keys);
}

/* --- silence */

START_TEST(silent_peer_gives_end_of_file_and_a_new_process_afterwards)
{
	struct daemon *d = start_puppets("idle_timeout = 300ms");
	int fd = udp_dial(d, "x");
	pid_t pid = udp_pid(fd);

	udp_expect(fd, "bye");
	await_log(d, "exit", "service=x", "session=1", "status=0");
	must(log_find(d, "exit", "cause=*", NULL) == NULL);
	must(udp_pid(fd) != pid);
	daemon_stop(d);
}
END_TEST

START_TEST(peer_that_talks_keeps_its_process)
{
	struct daemon *d = start_puppets("idle_timeout = 5s");
	int talker = udp_dial(d, "x"), other = udp_dial(d, "x");
	pid_t pid = udp_pid(talker);

	udp_pid(other);
	await(udp_pid(talker) == pid && log_count(d, "exit", "service=x", NULL) == 1);
	must(udp_pid(talker) == pid);
	udp_expect(other, "bye");
	must(silent(talker));
	daemon_stop(d);
}
END_TEST

START_TEST(without_idle_timeout_a_session_stays)
{
	struct daemon *d = daemon_start("[services]\nx = udp:127.0.0.1:0 puppet\n"
	    "y = udp:127.0.0.1:0 puppet\n[x]\nidle_timeout = none\n[y]\nidle_timeout = 1s\n");
	int x = udp_dial(d, "x"), y = udp_dial(d, "y");
	pid_t pid = udp_pid(x);

	udp_pid(y);
	udp_expect(y, "bye");
	must(silent(x) && udp_pid(x) == pid);
	daemon_stop(d);
}
END_TEST

START_TEST(peer_that_writes_while_its_process_stays_gets_a_new_one)
{
	struct daemon *d = start_puppets("idle_timeout = 300ms");
	int fd = udp_dial(d, "x");
	const char *text;
	pid_t pid;

	udp_ask(fd, "stay", "staying");
	udp_expect(fd, "stays");	/* it has read the end */
	pid = (pid_t)log_number(log_line(d, "start", "session=1", NULL), "pid");
	must(udp_pid(fd) != pid);
	must(state_of(pid) != '\0' && kill(pid, SIGTERM) == 0);
	for (text = udp_text(fd); strcmp(text, "bye") == 0; text = udp_text(fd))
		continue;			/* of the new one, whose peer is silent by now */
	must(strcmp(text, "term") == 0);
	daemon_stop(d);
}
END_TEST

/* A time of superd's own, longer than any test should wait. */
static void
expect_late(int fd, const char *text)
{
	char bytes[16] = "";

	for (int i = 0; i < 2; i++)
		if (receive(fd, bytes, sizeof bytes - 1, 0) != -1 || errno != EAGAIN)
			break;
	if (strcmp(bytes, text) != 0)
		flunk("got '%s', wanted '%s'", bytes, text);
}

START_TEST(process_that_lives_on_after_end_of_file_is_ended)
{
	struct daemon *d = start_puppets("idle_timeout = 100ms");
	int fd = udp_dial(d, "x");

	udp_ask(fd, "stay", "staying");
	udp_expect(fd, "stays");
	expect_late(fd, "term");	/* what it says to SIGTERM is sent, too */
	await_log(d, "exit", "service=x", "cause=idle");
	daemon_stop(d);
}
END_TEST

/* --- the process ends by itself */

START_TEST(last_answers_are_never_lost)
{
	enum { ROUNDS = 200 };
	struct daemon *d = start_puppets("max_per_source = unlimited");

	for (int i = 0; i < ROUNDS; i++) {
		int fd = udp_dial(d, "x");

		udp_put(fd, "many 3");
		udp_expect(fd, "1");
		udp_expect(fd, "2");
		udp_expect(fd, "3");
		close(fd);
	}
	await_count(d, ROUNDS, "exit", "service=x", "status=0");
	daemon_stop(d);
}
END_TEST

/* The kernel tells of the end with unread input before it gives what was written. */
START_TEST(last_answer_is_not_lost_when_the_process_leaves_something_unread)
{
	enum { ROUNDS = 100 };
	struct daemon *d = start_puppets("max_per_source = unlimited");

	for (int i = 0; i < ROUNDS; i++) {
		int fd = udp_dial(d, "x");

		udp_put(fd, "last");
		udp_put(fd, "that is not read");
		udp_expect(fd, "last");
		close(fd);
	}
	daemon_stop(d);
}
END_TEST

START_TEST(many_last_answers_all_come)
{
	enum { MANY = 100 };
	struct daemon *d = start_puppets("");
	int fd = udp_dial(d, "x");
	char text[32];

	udp_put(fd, "many 100");
	for (int i = 1; i <= MANY; i++) {
		snprintf(text, sizeof text, "%d", i);
		udp_expect(fd, text);
	}
	await_log(d, "exit", "service=x", "status=0");
	must(silent(fd));
	daemon_stop(d);
}
END_TEST

START_TEST(each_datagram_after_an_end_is_a_new_process)
{
	enum { MANY = 20 };
	struct daemon *d = start_puppets("");
	int fd = udp_dial(d, "x");

	for (unsigned i = 1; i <= MANY; i++) {
		udp_put(fd, "exit");
		await_count(d, i, "exit", "service=x", "status=0");
	}
	await_count(d, MANY, "start", "service=x");
	must(status_number(d, "x", "failed") == 0);
	daemon_stop(d);
}
END_TEST

START_TEST(process_that_dies_at_once_is_bounded_by_rate)
{
	struct daemon *d = daemon_start("[services]\nx = udp:127.0.0.1:0 false\n"
	    "y = udp:127.0.0.1:0 cat\n[x]\nrate = 5/m:5\n");
	int x = udp_dial(d, "x"), y = udp_dial(d, "y");

	for (int i = 0; i < 500; i++) {
		udp_put(x, "?");
		if (i % 50 == 0)
			udp_ask(y, "well?", "well?");
	}
	udp_ask(y, "well?", "well?");
	settle(d);
	must(log_count(d, "start", "service=x", NULL) <= 5);
	must(log_count(d, NULL, "service=x", NULL) < 60);	/* a burst of each gate, and no more */
	daemon_stop(d);
}
END_TEST

START_TEST(program_that_cannot_be_executed_makes_no_flood_of_lines)
{
	enum { PEERS = 100, ROUNDS = 20 };	/* many times what passes a gate in a second */
	struct daemon *d = daemon_new();
	int peers[PEERS], failed = 0;
	char path[224];

	snprintf(path, sizeof path, "%s/gone", d->dir);
	copy_program("/bin/true", path);
	daemon_write(d, "[services]\nx = udp:127.0.0.1:0 %s\n[x]\nlog_sessions = none\n"
	    "max_sessions = 1000\nmax_per_source = 1000\n", path);
	daemon_run(d, NULL);
	daemon_ready(d);
	must(unlink(path) == 0);
	for (int i = 0; i < PEERS; i++)
		peers[i] = udp_dial(d, "x");
	do {
		for (int i = 0; i < PEERS; i++)
			udp_put(peers[i], "?");
		failed += PEERS;
		await(status_number(d, "x", "failed") == failed);
	} while (log_count(d, "failed", "service=x", NULL) == (unsigned)failed &&
	    failed < ROUNDS * PEERS);
	await(log_total(d, "failed", "service=x") == (unsigned)failed);
	await(log_find(d, "failed", "service=x", "held=*", NULL) != NULL);
	daemon_stop(d);
}
END_TEST

/* --- it shuts something, or does not read */

START_TEST(process_that_closes_its_input_and_output_is_replaced)
{
	struct daemon *d = start_puppets("");
	int fd = udp_dial(d, "x");
	pid_t pid = udp_pid(fd);

	udp_put(fd, "close");
	await(open_sockets(pid) == 0);
	must(udp_pid(fd) != pid);
	must(kill(pid, SIGTERM) == 0);
	await_log(d, "exit", "session=1");
	must(udp_pid(fd) != pid);
	daemon_stop(d);
}
END_TEST

START_TEST(process_that_shuts_its_half_reads_on_and_costs_nothing)
{
	struct daemon *d = start_puppets("");
	int fd = udp_dial(d, "x");
	long before;

	udp_pid(fd);
	udp_put(fd, "shut");
	udp_put(fd, "nothing");
	settle(d);
	before = context_switches(d->pid);
	settle(d);
	must(context_switches(d->pid) - before < 100);	/* the loop does not spin */
	must(log_find(d, "exit", NULL) == NULL);
	udp_put(fd, "exit");		/* it still reads */
	await_log(d, "exit", "service=x", "status=0");
	daemon_stop(d);
}
END_TEST

START_TEST(process_that_never_reads_costs_nobody_else)
{
	enum { MANY = 3000 };
	struct daemon *d = start_puppets("idle_timeout = none");
	int deaf = udp_dial(d, "x"), other = udp_dial(d, "x");
	pid_t pid = udp_pid(other);
	long before;

	udp_put(deaf, "deaf");
	udp_put_bytes(deaf, pattern(8000), 8000);
	settle(d);
	before = writable_kb(d->pid);
	for (int i = 0; i < MANY; i++) {
		udp_put_bytes(deaf, pattern(8000), 8000);
		if (i % 8 == 0)		/* no more lie in superd's socket than it has room for */
			must(udp_pid(other) == pid);
	}
	settle(d);
	must(status_number(d, "x", "dropped") > MANY / 4);
	must(writable_kb(d->pid) - before < 4096);
	must(udp_pid(other) == pid);
	await_count(d, 2, "start");
	must(kill(d->pid, SIGQUIT) == 0 && daemon_exit_status(d) == 0);
}
END_TEST

/* --- told to end */

START_TEST(bytes_of_a_session_are_counted)
{
	struct daemon *d = start_puppets("traffic = yes");
	int fd = udp_dial(d, "x");

	udp_ask(fd, "say hello", "hello");
	udp_ask(fd, "say hi", "hi");
	udp_put(fd, "many 12");
	await_log(d, "exit", "service=x", "in=22", "out=22");
	daemon_stop(d);
}
END_TEST

START_TEST(timeout_ends_a_session)
{
	struct daemon *d = start_puppets("timeout = 3s\nidle_timeout = none");
	int fd = udp_dial(d, "x");

	udp_pid(fd);
	udp_expect(fd, "term");
	await_log(d, "exit", "service=x", "cause=timeout");
	daemon_stop(d);
}
END_TEST

START_TEST(sigterm_gives_end_of_file_and_last_answers_arrive)
{
	enum { PEERS = 20 };
	struct daemon *d = start_puppets("idle_timeout = none");
	int fds[PEERS];

	for (int i = 0; i < PEERS; i++)
		udp_pid(fds[i] = udp_dial(d, "x"));
	must(kill(d->pid, SIGTERM) == 0);
	for (int i = 0; i < PEERS; i++)
		udp_expect(fds[i], "bye");
	must(daemon_exit_status(d) == 0);	/* far earlier than its grace of an hour */
	await_count(d, PEERS, "exit", "service=x", "status=0");
}
END_TEST

START_TEST(sigterm_lets_a_filter_answer_within_grace)
{
	struct daemon *d = daemon_new();
	char fifo[224];
	int fd, go;

	snprintf(fifo, sizeof fifo, "%s/go", d->dir);
	must(mkfifo(fifo, 0666) == 0 && chmod(fifo, 0666) == 0);
	daemon_write(d, "[superd]\ngrace = 1h\n[services]\nx = udp:127.0.0.1:0 sh -c 'read go <%s; cat'\n"
	    "[x]\nidle_timeout = 0\n", fifo);
	daemon_run(d, NULL);
	daemon_ready(d);
	fd = udp_dial(d, "x");
	udp_put(fd, "question");
	await_log(d, "start", "service=x");
	must(kill(d->pid, SIGTERM) == 0);
	await_log(d, "unlisten", "service=x");
	must((go = open(fifo, O_RDWR | O_CLOEXEC)) != -1 && write(go, "\n", 1) == 1);
	udp_expect(fd, "question");
	must(daemon_exit_status(d) == 0);
	close(go);
}
END_TEST

START_TEST(sigterm_ends_a_process_that_stays_after_its_grace)
{
	struct daemon *d = daemon_start("[superd]\ngrace = 3s\n"
	    "[services]\nx = udp:127.0.0.1:0 puppet\n");
	int fd = udp_dial(d, "x");

	udp_ask(fd, "stay", "staying");
	must(kill(d->pid, SIGTERM) == 0);
	udp_expect(fd, "stays");
	udp_expect(fd, "term");
	must(daemon_exit_status(d) == 0);
	await(log_find(d, "exit", "service=x", "cause=stop", NULL) != NULL);
}
END_TEST

START_TEST(sigquit_leaves_at_once)
{
	struct daemon *d = start_puppets("");
	int fd = udp_dial(d, "x");

	udp_ask(fd, "stay", "staying");
	must(kill(d->pid, SIGQUIT) == 0);
	must(daemon_exit_status(d) == 0);
	must(log_find(d, "exit", NULL) == NULL);
	udp_put(fd, "?");
	must(receive(fd, (char[1]){ 0 }, 1, 0) == -1 && errno == ECONNREFUSED);
}
END_TEST

/* --- what it costs in the end */

START_TEST(descriptors_are_given_back_after_a_thousand_sessions)
{
	enum { MANY = 1000 };
	struct daemon *d = daemon_start("[services]\nx = udp:127.0.0.1:0 puppet\n"
	    "once = udp:127.0.0.1:0 cat\n[x]\nidle_timeout = none\n[once]\nidle_timeout = 0\n");
	int x = udp_dial(d, "x"), once = udp_dial(d, "once");
	unsigned before = 0;

	for (unsigned i = 1; i <= MANY / 2; i++) {
		udp_ask(once, "?", "?");
		udp_put(x, "many 1");
		udp_expect(x, "1");
		await_count(d, i, "exit", "service=x");
		if (i == 1) {
			await_count(d, 2, "exit");
			before = open_descriptors(d->pid);
		}
	}
	await_count(d, MANY, "exit");
	must(open_descriptors(d->pid) == before);
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_udp_life");

	add_case(suite, "silence", NEEDS_NOTHING, TESTS(
	    silent_peer_gives_end_of_file_and_a_new_process_afterwards,
	    peer_that_talks_keeps_its_process, without_idle_timeout_a_session_stays));
	add_case(suite, "stays", NEEDS_PROC, TESTS(
	    peer_that_writes_while_its_process_stays_gets_a_new_one,
	    process_that_lives_on_after_end_of_file_is_ended));
	add_case(suite, "ends", NEEDS_NOTHING, TESTS(last_answers_are_never_lost,
	    last_answer_is_not_lost_when_the_process_leaves_something_unread,
	    many_last_answers_all_come, each_datagram_after_an_end_is_a_new_process,
	    process_that_dies_at_once_is_bounded_by_rate,
	    program_that_cannot_be_executed_makes_no_flood_of_lines));
	add_case(suite, "shuts", NEEDS_PROC, TESTS(
	    process_that_closes_its_input_and_output_is_replaced,
	    process_that_shuts_its_half_reads_on_and_costs_nothing));
	add_case(suite, "deaf", NEEDS_PROC | NEEDS_NO_VALGRIND, TESTS(
	    process_that_never_reads_costs_nobody_else));
	add_case(suite, "told to end", NEEDS_NOTHING, TESTS(bytes_of_a_session_are_counted,
	    timeout_ends_a_session, sigterm_gives_end_of_file_and_last_answers_arrive,
	    sigterm_lets_a_filter_answer_within_grace,
	    sigterm_ends_a_process_that_stays_after_its_grace, sigquit_leaves_at_once));
	add_case(suite, "descriptors", NEEDS_PROC, TESTS(
	    descriptors_are_given_back_after_a_thousand_sessions));
	return run_suite(suite);
}
