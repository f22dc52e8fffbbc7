/*
 * idle_timeout and traffic: superd keeps a copy of the connection, and the
 * kernel tells it what went over it.
 */
#include "harness.h"

#include <sys/socket.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- idle_timeout */

/* One byte there and back. */
static bool
talks(int fd)
{
	put(fd, "a");
	expect(fd, "A");
	return true;
}

START_TEST(silent_session_ends_and_one_that_talks_does_not)
{
	struct daemon *d = daemon_start("[services]\nflip = 127.0.0.1:0 flip\n"
	    "[flip]\nidle_timeout = 5s\n");
	int silent_one = dial(d, "flip"), talker = dial(d, "flip"), spoke = dial(d, "flip");

	talks(spoke);
	await(talks(talker) && log_count(d, "exit", "service=flip", "cause=idle", NULL) == 2);
	await_count(d, 2, "exit");
	expect_end(silent_one);
	expect_end(spoke);
	talks(talker);
	close(talker);
	await_log(d, "exit", "service=flip", "status=0");
	await_count(d, 2, "exit", "cause=*");
	daemon_stop(d);
}
END_TEST

START_TEST(session_that_only_the_program_talks_in_is_not_idle)
{
	struct daemon *d = daemon_start("[services]\n"
	    "ticker = 127.0.0.1:0 sh -c 'while sleep 0.1; do echo tick; done'\n"
	    "flip = 127.0.0.1:0 flip\n[ticker]\nidle_timeout = 5s\n[flip]\nidle_timeout = 5s\n");
	int ticker = dial(d, "ticker"), flip = dial(d, "flip");

	await_log(d, "exit", "service=flip", "cause=idle");
	expect_end(flip);
	must(log_find(d, "exit", "service=ticker", NULL) == NULL);
	expect(ticker, "tick\n");
	kill_daemons();		/* the ticker ends by SIGPIPE */
	close(ticker);
}
END_TEST

START_TEST(idle_session_that_ignores_its_end_is_killed)
{
	struct daemon *d = daemon_start("[services]\nslow = 127.0.0.1:0 lingers\n"
	    "[slow]\nidle_timeout = 2s\n");
	int fd = dial(d, "slow");

	expect(fd, "ready\nterm\n");
	await_log(d, "exit", "service=slow", "cause=idle", "signal=KILL");
	expect_end(fd);
	daemon_stop(d);
}
END_TEST

START_TEST(idle_timeout_is_not_for_the_sessions_of_others)
{
	struct daemon *d = daemon_start("[services]\nidle = 127.0.0.1:0 hold\nhold = 127.0.0.1:0 hold\n"
	    "[idle]\nidle_timeout = 2s\n");
	int idle = dial(d, "idle"), hold = dial(d, "hold");

	expect(hold, "held\n");
	expect(idle, "held\n");
	expect_end(idle);
	await_log(d, "exit", "service=idle", "cause=idle");
	must(silent(hold) && log_find(d, "exit", "service=hold", NULL) == NULL);
	daemon_stop(d);
}
END_TEST

/* --- traffic */

static void
must_count(struct daemon *d, unsigned long in, unsigned long out)
{
	char want_in[32], want_out[32];
	const char *line;

	await_log(d, "exit", "service=x");
	snprintf(want_in, sizeof want_in, "in=%lu", in);
	snprintf(want_out, sizeof want_out, "out=%lu", out);
	line = log_line(d, "exit", "service=x", NULL);
	if (log_find(d, "exit", "service=x", want_in, want_out, NULL) == NULL)
		flunk("wanted %s %s in: %s", want_in, want_out, line);
}

static struct daemon *
start_counted(const char *program)
{
	return daemon_start("[services]\nx = 127.0.0.1:0 %s\n[x]\ntraffic = yes\nstderr = null\n",
	    program);
}

/* In pieces, so that neither side has to hold all of it. */
static void
put_many(int fd, size_t bytes)
{
	static char block[1000];

	memset(block, 'x', sizeof block);
	for (; bytes >= sizeof block; bytes -= sizeof block)
		put_bytes(fd, block, sizeof block);
	put_bytes(fd, block, bytes);
}

START_TEST(session_without_a_byte_counts_nothing)
{
	struct daemon *d = start_counted("true");

	expect_end(dial(d, "x"));
	must_count(d, 0, 0);
	daemon_stop(d);
}
END_TEST

START_TEST(bytes_are_counted_where_the_client_ends_first)
{
	struct daemon *d = start_counted("tostderr");
	int fd = dial(d, "x");

	put_many(fd, 123457);
	must(shutdown(fd, SHUT_WR) == 0);
	expect(fd, "copied\n");
	expect_end(fd);
	must_count(d, 123457, 7);
	daemon_stop(d);
}
END_TEST

START_TEST(bytes_are_counted_where_the_program_ends_first)
{
	struct daemon *d = start_counted("sh -c 'read line; echo $line$line'");
	int fd = dial(d, "x");

	put(fd, "hello\n");
	expect(fd, "hellohello\n");
	expect_end(fd);
	must_count(d, 6, 11);
	daemon_stop(d);
}
END_TEST

START_TEST(bytes_that_the_client_never_reads_are_counted)
{
	struct daemon *d = start_counted("sh -c 'head -c 30000 /dev/zero'");
	int fd = dial(d, "x");

	must_count(d, 0, 30000);
	reset(fd);
	daemon_stop(d);
}
END_TEST

static void
end_halfclose(struct daemon *d)
{
	must(kill(child_of(d->pid), SIGTERM) == 0);
	await_log(d, "exit", "service=x", "signal=TERM");
}

START_TEST(half_close_of_the_program_is_no_byte)
{
	struct daemon *d = start_counted("halfclose early");
	int fd = dial(d, "x");

	expect(fd, "sent\n");
	must(receive(fd, &(char){ 0 }, 1, 0) == 0);	/* its end; it still reads */
	put_many(fd, 5000);
	end_halfclose(d);
	must_count(d, 5000, 5);
	close(fd);
	daemon_stop(d);
}
END_TEST

START_TEST(half_close_of_both_is_no_byte_where_the_program_is_first)
{
	struct daemon *d = start_counted("halfclose early");
	int fd = dial(d, "x");

	expect(fd, "sent\n");
	must(receive(fd, &(char){ 0 }, 1, 0) == 0);
	put_many(fd, 5000);
	must(shutdown(fd, SHUT_WR) == 0);
	await(state_of(child_of(d->pid)) == 'S');
	end_halfclose(d);
	must_count(d, 5000, 5);
	daemon_stop(d);
}
END_TEST

START_TEST(half_close_of_both_is_no_byte_where_the_client_is_first)
{
	struct daemon *d = start_counted("halfclose late");
	int fd = dial(d, "x");

	put_many(fd, 5000);
	must(shutdown(fd, SHUT_WR) == 0);
	expect(fd, "sent\n");
	must(receive(fd, &(char){ 0 }, 1, 0) == 0);
	end_halfclose(d);
	must_count(d, 5000, 5);
	daemon_stop(d);
}
END_TEST

START_TEST(no_bytes_are_told_without_traffic)
{
	struct daemon *d = daemon_start("[services]\nx = 127.0.0.1:0 true\n"
	    "[x]\nidle_timeout = 1h\n");

	expect_end(dial(d, "x"));
	await_log(d, "exit", "service=x");
	must(log_find(d, "exit", "in=*", NULL) == NULL && log_find(d, "exit", "out=*", NULL) == NULL);
	daemon_stop(d);
}
END_TEST

/* --- the copy */

static const char closer[] = "[services]\nx = 127.0.0.1:0 sh -c 'echo $$; exec sleep 1000 <&- >&-'\n"
    "[x]\nstderr = null\n%s";

/* The program has closed its connection and lives on. */
static pid_t
closed_by(int fd)
{
	char text[16] = "";
	size_t len = 0;
	pid_t pid;

	while (len < sizeof text - 1 && receive(fd, text + len, 1, 0) == 1 && text[len] != '\n')
		len++;
	pid = (pid_t)strtol(text, NULL, 10);
	must(pid > 0);
	await(open_sockets(pid) == 0);
	return pid;
}

START_TEST(client_sees_the_end_when_the_process_ends)
{
	struct daemon *d = daemon_start(closer, "traffic = yes\n");
	int fd = dial(d, "x");
	pid_t pid = closed_by(fd);

	must(silent(fd));
	must(kill(pid, SIGTERM) == 0);
	expect_end(fd);
	await_log(d, "exit", "service=x", "signal=TERM", "in=0");
	daemon_stop(d);
}
END_TEST

START_TEST(client_sees_the_end_at_once_where_superd_keeps_no_copy)
{
	struct daemon *d = daemon_start(closer, "");
	int fd = dial(d, "x");
	pid_t pid = closed_by(fd);

	expect_end(fd);
	must(log_find(d, "exit", NULL) == NULL);
	must(kill(pid, SIGTERM) == 0);
	await_log(d, "exit", "service=x", "signal=TERM");
	daemon_stop(d);
}
END_TEST

START_TEST(descriptors_are_given_back)
{
	enum { MANY = 50 };
	struct daemon *d = daemon_start("[services]\nx = 127.0.0.1:0 hold\n"
	    "[x]\ntraffic = yes\nidle_timeout = 1h\n");
	int fds[MANY];
	unsigned before;

	expect(fds[0] = dial(d, "x"), "held\n");	/* the pipe of its standard error stays */
	close(fds[0]);
	await_log(d, "exit", "service=x");
	await(children_of(d->pid, 0) == 0);
	before = open_descriptors(d->pid);
	for (int i = 0; i < MANY; i++)
		expect(fds[i] = dial(d, "x"), "held\n");
	await(open_descriptors(d->pid) == before + MANY);
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
	await_count(d, MANY + 1, "exit", "service=x", "in=0", "out=5");
	must(open_descriptors(d->pid) == before);
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_idle");

	add_case(suite, "idle", NEEDS_NOTHING, TESTS(
	    silent_session_ends_and_one_that_talks_does_not,
	    session_that_only_the_program_talks_in_is_not_idle,
	    idle_session_that_ignores_its_end_is_killed,
	    idle_timeout_is_not_for_the_sessions_of_others));
	add_case(suite, "traffic", NEEDS_NOTHING, TESTS(session_without_a_byte_counts_nothing,
	    bytes_are_counted_where_the_client_ends_first,
	    bytes_are_counted_where_the_program_ends_first,
	    bytes_that_the_client_never_reads_are_counted, no_bytes_are_told_without_traffic));
	add_case(suite, "half-close", NEEDS_PROC, TESTS(half_close_of_the_program_is_no_byte,
	    half_close_of_both_is_no_byte_where_the_program_is_first,
	    half_close_of_both_is_no_byte_where_the_client_is_first));
	add_case(suite, "copy", NEEDS_PROC, TESTS(client_sees_the_end_when_the_process_ends,
	    client_sees_the_end_at_once_where_superd_keeps_no_copy, descriptors_are_given_back));
	return run_suite(suite);
}
