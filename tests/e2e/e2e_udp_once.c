/*
 * UDP, idle_timeout = 0: any filter is a service; a process for each datagram,
 * whose whole output is one answer.
 */
#include "harness_admission.h"
#include "harness_udp.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct daemon *
start_filter(const char *program, const char *keys)
{
	return daemon_start("[services]\nx = udp:127.0.0.1:0 %s\n[x]\nidle_timeout = 0\n%s\n", program,
	    keys);
}

/* The datagram is answered by nothing: its process has ended, and nothing has come. */
static void
must_get_nothing(struct daemon *d, int fd, const char *text)
{
	log_mark(d);
	udp_put(fd, text);
	await_log(d, "exit", "service=x");
	must(silent(fd));
}

/* --- filters */

START_TEST(tr_answers_each_datagram)
{
	struct daemon *d = start_filter("tr a-z A-Z", "");
	int fd = udp_dial(d, "x");

	udp_ask(fd, "hello", "HELLO");
	udp_ask(fd, "again", "AGAIN");
	await_count(d, 2, "start", "service=x");
	daemon_stop(d);
}
END_TEST

START_TEST(several_echos_are_one_answer)
{
	struct daemon *d = daemon_new();
	const char *script = put_file(d, "script", "read q\necho one\nsleep 0\necho \"$q\"\necho three\n");
	int fd;

	daemon_write(d, "[services]\nx = udp:127.0.0.1:0 sh %s\n[x]\nidle_timeout = 0\n", script);
	daemon_run(d, NULL);
	daemon_ready(d);
	fd = udp_dial(d, "x");
	udp_ask(fd, "two\n", "one\ntwo\nthree\n");
	must(silent(fd));
	daemon_stop(d);
}
END_TEST

START_TEST(nothing_written_is_nothing_sent)
{
	struct daemon *d = start_filter("true", "");
	int fd = udp_dial(d, "x");

	must_get_nothing(d, fd, "?");
	must_get_nothing(d, fd, "");
	daemon_stop(d);
}
END_TEST

START_TEST(empty_datagram_is_a_process_with_empty_input)
{
	struct daemon *d = start_filter("wc -c", "");
	int fd = udp_dial(d, "x");

	udp_ask(fd, "", "0\n");
	udp_ask(fd, "four", "4\n");
	daemon_stop(d);
}
END_TEST

START_TEST(answer_of_a_process_that_fails_is_sent)
{
	struct daemon *d = start_filter("sh -c 'cat; exit 3'", "");

	udp_ask(udp_dial(d, "x"), "what there is", "what there is");
	await_log(d, "exit", "service=x", "status=3");
	daemon_stop(d);
}
END_TEST

START_TEST(bytes_of_a_filter_are_counted)
{
	struct daemon *d = start_filter("sh -c 'cat; cat /dev/null; echo'", "traffic = yes");

	udp_ask(udp_dial(d, "x"), "seven by", "seven by\n");
	await_log(d, "exit", "service=x", "in=8", "out=9");
	daemon_stop(d);
}
END_TEST

/* --- bytes */

START_TEST(every_size_comes_back_exactly)
{
	static const size_t sizes[] = { 0, 1, 511, 4095, 4096, 4097, 32768, 65506, DATAGRAM_MOST };
	struct daemon *d = start_filter("cat", "");
	int fd = udp_dial(d, "x");

	for (size_t i = 1; i < sizeof sizes / sizeof *sizes; i++) {
		udp_put_bytes(fd, pattern(sizes[i]), sizes[i]);
		udp_expect_bytes(fd, pattern(sizes[i]), sizes[i]);
	}
	must(silent(fd));
	daemon_stop(d);
}
END_TEST

static void
must_answer_only_what_fits(unsigned written)
{
	struct daemon *d = daemon_start("[services]\nx = udp:127.0.0.1:0 sh -c 'head -c %u /dev/zero'\n"
	    "[x]\nidle_timeout = 0\n", written);
	int fd = udp_dial(d, "x");

	must_get_nothing(d, fd, "?");
	await(log_find(d, "warning", "~service 'x': an answer of session 1 is longer than", NULL) != NULL);
	must(status_number(d, "x", "dropped") == 1);
	daemon_stop(d);
}

START_TEST(one_byte_too_many_is_no_answer)
{
	must_answer_only_what_fits(DATAGRAM_MOST + 1);
}
END_TEST

START_TEST(far_too_much_is_no_answer)
{
	must_answer_only_what_fits(200000);
}
END_TEST

START_TEST(most_that_fits_is_answered)
{
	struct daemon *d = start_filter("sh -c 'head -c 65507 /dev/zero'", "");
	int fd = udp_dial(d, "x");

	udp_put(fd, "?");
	must(receive(fd, (char[1]){ 0 }, 1, MSG_TRUNC) == DATAGRAM_MOST);
	daemon_stop(d);
}
END_TEST

START_TEST(answers_that_are_too_long_make_no_flood_of_lines)
{
	enum { MANY = 60, ROUNDS = 20 };	/* of which a gate passes 20 in a second */
	struct daemon *d = start_filter("head -c 70000 /dev/zero", "log_sessions = none");
	unsigned dropped = 0;
	int fd = udp_dial(d, "x");

	do {
		for (int i = 0; i < MANY; i++)
			udp_put(fd, "?");
		dropped += MANY;
		await(status_number(d, "x", "dropped") == dropped);
	} while (log_count(d, "warning", "~is longer than", NULL) == dropped && dropped < ROUNDS * MANY);
	await(log_count(d, "warning", "~is longer than", NULL) + log_total(d, "warning", "service=x") ==
	    dropped);
	await(log_find(d, "warning", "service=x", "held=*", NULL) != NULL);
	daemon_stop(d);
}
END_TEST

/* --- programs that do not do as one would wish */

START_TEST(process_that_does_not_read_is_no_trouble)
{
	struct daemon *d = start_filter("sh -c 'echo done'", "");
	int fd = udp_dial(d, "x");

	udp_put_bytes(fd, pattern(DATAGRAM_MOST), DATAGRAM_MOST);
	udp_expect(fd, "done\n");
	daemon_stop(d);
}
END_TEST

START_TEST(child_that_keeps_the_pipe_does_not_hold_up_the_answer)
{
	struct daemon *d = start_filter("sh -c 'sleep 1000 & echo $!'", "stderr = null");
	int fd = udp_dial(d, "x");
	long child;

	udp_put(fd, "?");
	must(sscanf(udp_text(fd), "%ld", &child) == 1 && child > 1);
	await_log(d, "exit", "service=x", "status=0");
	must(kill((pid_t)child, SIGTERM) == 0);
	daemon_stop(d);
}
END_TEST

START_TEST(what_is_cut_off_by_timeout_is_no_answer)
{
	struct daemon *d = start_filter("sh -c 'echo half; exec sleep 1000'", "timeout = 300ms");
	int fd = udp_dial(d, "x");

	must_get_nothing(d, fd, "?");
	await(log_find(d, "exit", "service=x", "cause=timeout", NULL) != NULL);
	daemon_stop(d);
}
END_TEST

START_TEST(process_that_closes_its_output_and_lives_on_costs_nothing)
{
	struct daemon *d = start_filter("sh -c 'echo answer; exec sleep 1000 >&- <&-'", "stderr = null");
	int fd = udp_dial(d, "x");
	long before;

	udp_put(fd, "?");
	await(child_of(d->pid) != 0 && children_named(d->pid, "sleep") == 1);
	settle(d);
	before = context_switches(d->pid);
	settle(d);
	must(context_switches(d->pid) - before < 100);
	must(kill(child_of(d->pid), SIGTERM) == 0);
	udp_expect(fd, "answer\n");
	daemon_stop(d);
}
END_TEST

/* --- many */

/* A filter that cannot answer before the test says so, as many times as there are processes. */
static struct daemon *
start_held(const char *fifo_name, const char *rest, const char *keys, int *go)
{
	struct daemon *d = daemon_new();
	char fifo[224];

	snprintf(fifo, sizeof fifo, "%s/%s", d->dir, fifo_name);
	must(mkfifo(fifo, 0666) == 0 && chmod(fifo, 0666) == 0);
	*go = open(fifo, O_RDWR | O_CLOEXEC);
	must(*go != -1);
	daemon_write(d, "[superd]\ngrace = 0\n[services]\nx = udp:127.0.0.1:0 sh -c 'read go <%s; %s'\n"
	    "[x]\nidle_timeout = 0\n%s\n", fifo, rest, keys);
	daemon_run(d, NULL);
	daemon_ready(d);
	return d;
}

static void
let_go(int go, unsigned count)
{
	while (count-- > 0)
		must(write(go, "\n", 1) == 1);
}

START_TEST(two_hundred_peers_are_answered_by_two_hundred_processes_at_once)
{
	enum { PEERS = 200 };
	int fds[PEERS], go;
	struct daemon *d = start_held("go", "sleep 0.3; tr a-z A-Z",
	    "max_sessions = 200\nmax_per_source = unlimited", &go);
	char text[32];

	for (int i = 0; i < PEERS; i++) {
		snprintf(text, sizeof text, "peer %d", i);
		udp_put(fds[i] = udp_dial(d, "x"), text);
	}
	await_count(d, PEERS, "start", "service=x");
	must(children_of(d->pid, 0) == PEERS);		/* none has answered: all are at work */
	must(status_number(d, "x", "live") == PEERS);
	let_go(go, PEERS);
	for (int i = 0; i < PEERS; i++) {
		snprintf(text, sizeof text, "PEER %d", i);
		udp_expect(fds[i], text);
	}
	await_count(d, PEERS, "exit", "service=x", "status=0");
	must(status_number(d, "x", "served") == PEERS);
	must(log_find(d, "refuse", NULL) == NULL);
	daemon_stop(d);
}
END_TEST

START_TEST(without_room_datagrams_wait_in_the_socket_and_none_is_lost)
{
	enum { MANY = 100 };
	int fd, go;
	struct daemon *d = start_held("go", "cat", "max_sessions = 4\nmax_per_source = unlimited", &go);
	bool seen[MANY] = { false };
	char text[32];

	fd = udp_dial(d, "x");
	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof text, "%d", i);
		udp_put(fd, text);
	}
	await_log(d, "full", "service=x", "live=4");
	settle(d);
	must(children_of(d->pid, 0) == 4);
	let_go(go, MANY);
	for (int i = 0; i < MANY; i++) {
		int got = -1;

		must(sscanf(udp_text(fd), "%d", &got) == 1 && got >= 0 && got < MANY && !seen[got]);
		seen[got] = true;
	}
	await_log(d, "room", "service=x");
	must(status_number(d, "x", "served") == MANY && status_number(d, "x", "dropped") == 0);
	daemon_stop(d);
}
END_TEST

START_TEST(rate_lets_datagrams_wait_in_the_socket)
{
	enum { MANY = 12 };
	struct daemon *d = start_filter("cat", "rate = 5/s:3");
	int fd = udp_dial(d, "x");

	for (int i = 0; i < MANY; i++)
		udp_put(fd, "?");
	await_log(d, "full", "service=x");
	for (int i = 0; i < MANY; i++)
		udp_expect(fd, "?");
	must(log_find(d, "refuse", NULL) == NULL);
	daemon_stop(d);
}
END_TEST

START_TEST(who_is_denied_gets_no_process_and_few_lines)
{
	enum { MANY = 300 };
	struct daemon *d = start_filter("cat", "deny = 127.0.0.66");
	int bad = udp_call(d, "x", "127.0.0.66"), good = udp_dial(d, "x");

	for (int i = 0; i < MANY; i++) {
		udp_put(bad, "?");
		if (i % 50 == 0)
			udp_ask(good, "!", "!");
	}
	await(status_number(d, "x", "refused_denied") == MANY);
	must(silent(bad));
	await_count(d, MANY / 50, "start");
	await(log_total(d, "refuse", "service=x") == MANY);
	must(log_count(d, "refuse", "reason=denied", NULL) < MANY / 2);
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_udp_once");

	add_case(suite, "filters", NEEDS_NOTHING, TESTS(tr_answers_each_datagram,
	    several_echos_are_one_answer, nothing_written_is_nothing_sent,
	    empty_datagram_is_a_process_with_empty_input, answer_of_a_process_that_fails_is_sent,
	    bytes_of_a_filter_are_counted));
	add_case(suite, "bytes", NEEDS_NOTHING, TESTS(every_size_comes_back_exactly,
	    one_byte_too_many_is_no_answer, far_too_much_is_no_answer, most_that_fits_is_answered,
	    answers_that_are_too_long_make_no_flood_of_lines));
	add_case(suite, "bad ones", NEEDS_PROC, TESTS(process_that_does_not_read_is_no_trouble,
	    child_that_keeps_the_pipe_does_not_hold_up_the_answer,
	    what_is_cut_off_by_timeout_is_no_answer,
	    process_that_closes_its_output_and_lives_on_costs_nothing));
	add_case(suite, "many", NEEDS_PROC, TESTS(
	    two_hundred_peers_are_answered_by_two_hundred_processes_at_once,
	    without_room_datagrams_wait_in_the_socket_and_none_is_lost,
	    rate_lets_datagrams_wait_in_the_socket, who_is_denied_gets_no_process_and_few_lines));
	return run_suite(suite);
}
