/*
 * The small services where the client sends datagrams: one answer for each, and
 * the guards that keep loops and amplification bounded.
 */
#include "filter.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DATAGRAM_MAX 65507
#define RATE 10			/* answers a second */

static const char *const programs[] = { "echo", "chargen", "daytime", "time", "qotd" };

static const char *remote_port = "50000", *remote_port_name = "UDPREMOTEPORT";

/* As superd does it: the first datagram is there before the program is. */
static void
from_peer(void)
{
	struct pollfd input = { .fd = 0, .events = POLLIN };

	setenv("PROTO", "UDP", 1);
	setenv("UDPLOCALPORT", "5007", 1);
	setenv(remote_port_name, remote_port, 1);
	poll(&input, 1, -1);
}

/* The same where the first datagram was empty, and is not delivered. */
static void
from_peer_empty(void)
{
	setenv("PROTO", "UDP", 1);
	setenv("UDPLOCALPORT", "5007", 1);
	setenv("UDPREMOTEPORT", "50000", 1);
}

/* Reads one datagram; returns its size, 0 at the end. */
static size_t
receive(const struct filter *filter, char data[DATAGRAM_MAX])
{
	ssize_t n = read(filter->out, data, DATAGRAM_MAX);

	ck_assert_msg(n >= 0, "read: %s", strerror(errno));
	return (size_t)n;
}

static char *
bytes_make(size_t size)
{
	char *data = malloc(size);
	uint32_t state = 1;

	ck_assert_ptr_nonnull(data);
	for (size_t i = 0; i < size; i++)
		data[i] = (char)((state = state * 1103515245 + 12345) >> 16);
	return data;
}

static const size_t sizes[] = { 1, 2, 73, 74, 75, 511, 512, 513, DATAGRAM_MAX };

START_TEST(echo_answers_with_the_question)
{
	struct filter filter = filter_start_with(PACKETS, ARGS("echo"), from_peer);
	char *data = bytes_make(DATAGRAM_MAX), got[DATAGRAM_MAX];

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		filter_send(&filter, data, sizes[i]);
		ck_assert_uint_eq(receive(&filter, got), sizes[i]);
		ck_assert_mem_eq(got, data, sizes[i]);
	}
	filter_end_input(&filter);
	filter_expect_end(&filter);
	ck_assert_int_eq(filter_wait(&filter), 0);
	free(data);
}
END_TEST

START_TEST(chargen_is_never_longer_than_the_question)
{
	struct filter filter = filter_start_with(PACKETS, ARGS("chargen"), from_peer);
	char *data = bytes_make(DATAGRAM_MAX), got[DATAGRAM_MAX];

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		const size_t wanted = sizes[i] < 512 ? sizes[i] : 512;

		filter_send(&filter, data, sizes[i]);
		ck_assert_uint_eq(receive(&filter, got), wanted);
		/* Each begins a line further in the ring. */
		for (size_t k = 0; k < wanted; k++) {
			const size_t line = i + k / 74, column = k % 74;

			ck_assert_int_eq(got[k], column == 72 ? '\r' : column == 73 ? '\n'
			    : (char)(' ' + (line + column) % 95));
		}
	}
	free(data);
	ck_assert_int_eq(filter_finish(&filter), 0);
}
END_TEST

static const struct {
	const char *program;
	size_t      least, most;
} shorts[] = { { "time", 4, 4 }, { "daytime", 26, 32 }, { "qotd", 10, 128 } };

START_TEST(short_answers_are_short)
{
	struct filter filter = filter_start_with(PACKETS, ARGS(shorts[_i].program), from_peer);
	char got[DATAGRAM_MAX];

	for (int i = 0; i < RATE; i++) {
		size_t size;

		filter_send_text(&filter, "?");
		size = receive(&filter, got);
		ck_assert_uint_ge(size, shorts[_i].least);
		ck_assert_uint_le(size, shorts[_i].most);
	}
	filter_end_input(&filter);
	filter_expect_end(&filter);
	ck_assert_int_eq(filter_wait(&filter), 0);
}
END_TEST

/* An empty datagram would be the end of the input: superd starts the process, and that is all. */
START_TEST(empty_first_datagram_is_a_question)
{
	struct filter filter = filter_start_with(PACKETS, ARGS(shorts[_i].program),
	    from_peer_empty);
	char got[DATAGRAM_MAX];

	for (int i = 0; i < 3; i++) {
		size_t size = receive(&filter, got);

		ck_assert_uint_ge(size, shorts[_i].least);
		ck_assert_uint_le(size, shorts[_i].most);
		filter_send_text(&filter, "?");
	}
	ck_assert_int_eq(filter_finish(&filter), 0);
}
END_TEST

/* Nothing but the socket tells what the client sends. */
START_TEST(socket_tells_without_an_environment)
{
	struct filter filter = filter_start(PACKETS, ARGS(programs[_i]));
	char got[DATAGRAM_MAX];

	filter_send_text(&filter, "?");
	ck_assert_uint_gt(receive(&filter, got), 0);
	filter_end_input(&filter);
	/* A slow start is taken for an empty datagram, hence perhaps one more. */
	while (receive(&filter, got) > 0)
		continue;
	ck_assert_int_eq(filter_wait(&filter), 0);
}
END_TEST

static const struct {
	const char *port;
	bool        answered;
} ports[] = {
	{ "1", false }, { "7", false }, { "1023", false }, { "1024", true }, { "5006", true },
	{ "5007", false }, { "5008", true }, { "65535", true },
};

START_TEST(ports_of_services_get_no_answer)
{
	const size_t program = (size_t)_i % ARRAY_LEN(programs);
	const size_t port = (size_t)_i / ARRAY_LEN(programs) % ARRAY_LEN(ports);
	const bool piped = (size_t)_i / ARRAY_LEN(programs) / ARRAY_LEN(ports) == 1;
	struct filter filter;
	struct result result;

	remote_port = ports[port].port;
	remote_port_name = piped ? "REMOTE_PORT" : "UDPREMOTEPORT";
	filter = filter_start_with(piped ? PIPES : PACKETS, ARGS(programs[program]), from_peer);
	filter_send_text(&filter, "question");
	filter_end_input(&filter);
	result = filter_rest(&filter);
	ck_assert_int_eq(result.status, 0);
	ck_assert_msg((result.size > 0) == ports[port].answered, "%zu bytes", result.size);
	free(result.data);
}
END_TEST

/* Who must not be answered keeps one process busy, not a new one for each datagram. */
START_TEST(port_without_answer_is_still_read)
{
	struct filter filter;

	remote_port = "53";
	filter = filter_start_with(PACKETS, ARGS(programs[_i]), from_peer);
	for (int i = 0; i < 1000; i++)
		filter_send_text(&filter, "response to your response");
	filter_end_input(&filter);
	filter_expect_end(&filter);
	ck_assert_int_eq(filter_wait(&filter), 0);
}
END_TEST

START_TEST(flood_gets_ten_answers_a_second)
{
	struct filter filter = filter_start_with(PACKETS, ARGS(programs[_i]), from_peer);
	const int64_t begun = now_ms();
	struct pollfd both = { .fd = filter.in, .events = POLLIN | POLLOUT };
	char got[DATAGRAM_MAX];
	int answers = 0, sent = 0;

	while (sent < 20000) {
		ck_assert_int_eq(poll(&both, 1, -1), 1);
		if ((both.revents & POLLIN) != 0 && receive(&filter, got) > 0)
			answers++;
		if ((both.revents & POLLOUT) != 0) {
			filter_send_text(&filter, "x");
			sent++;
		}
	}
	filter_end_input(&filter);
	while (receive(&filter, got) > 0)
		answers++;
	/* As many as fit into the seconds that this took, begun ones too. */
	ck_assert_int_ge(answers, RATE);
	ck_assert_int_le(answers, RATE * (int)((now_ms() - begun) / 1000 + 1));
	ck_assert_int_eq(filter_wait(&filter), 0);
}
END_TEST

START_TEST(after_a_flood_there_are_answers_again)
{
	struct filter filter = filter_start_with(PACKETS, ARGS("echo"), from_peer);
	struct pollfd answer = { .fd = filter.out, .events = POLLIN };
	char got[DATAGRAM_MAX];
	int answers = 0;

	while (answers < 2 * RATE) {
		filter_send_text(&filter, "x");
		if (poll(&answer, 1, 50) == 1)
			answers += receive(&filter, got) == 1;
	}
	ck_assert_int_eq(filter_finish(&filter), 0);
}
END_TEST

/* A process for each datagram: the input is that datagram, the output its answer. */
START_TEST(datagram_on_pipes)
{
	static const size_t piped[] = { 0, 1, 600, DATAGRAM_MAX };
	const char *program = programs[(size_t)_i / ARRAY_LEN(piped)];
	const size_t size = piped[(size_t)_i % ARRAY_LEN(piped)];
	char *data = bytes_make(DATAGRAM_MAX);
	struct filter filter = filter_start_with(PIPES, ARGS(program),
	    size > 2 ? from_peer : from_peer_empty);
	struct result result;
	int waiting;

	/* In two pieces, the second after the first was read. */
	filter_send(&filter, data, size / 3);
	while (ioctl(filter.in, FIONREAD, &waiting) == 0 && waiting > 0)
		sched_yield();
	filter_send(&filter, data + size / 3, size - size / 3);
	filter_end_input(&filter);
	result = filter_rest(&filter);
	ck_assert_int_eq(result.status, 0);
	if (strcmp(program, "echo") == 0) {
		ck_assert_uint_eq(result.size, size);
		ck_assert_mem_eq(result.data, data, size);
	} else if (strcmp(program, "chargen") == 0)
		ck_assert_uint_eq(result.size, size < 512 ? size : 512);
	else
		ck_assert(result.size >= 4 && result.size <= 128);
	free(result.data);
	free(data);
}
END_TEST

START_TEST(discard_reads_to_the_end)
{
	struct filter filter = filter_start_with(PACKETS, ARGS("discard"), from_peer);

	for (int i = 0; i < 1000; i++)
		filter_send_text(&filter, "one datagram");
	filter_end_input(&filter);
	filter_expect_end(&filter);
	ck_assert_int_eq(filter_wait(&filter), 0);
}
END_TEST

static const struct {
	size_t size;
	bool   sent;
} quotes[] = { { 126, true }, { 127, false }, { 400, false } };

START_TEST(long_quote_is_no_answer)
{
	char text[600], got[DATAGRAM_MAX];
	struct filter filter;
	FILE *file = fopen("quotes", "w");

	ck_assert_ptr_nonnull(file);
	memset(text, 'q', sizeof text);
	fprintf(file, "%.*s\n", (int)quotes[_i].size, text);
	ck_assert_int_eq(fclose(file), 0);
	filter = filter_start_with(PACKETS, ARGS("qotd", "-f", "quotes"), from_peer);
	filter_send_text(&filter, "?");
	if (quotes[_i].sent)
		ck_assert_uint_eq(receive(&filter, got), quotes[_i].size + 2);
	else
		filter_expect_end(&filter);
	ck_assert_int_eq(filter_finish(&filter), quotes[_i].sent ? 0 : 1);
}
END_TEST

START_TEST(file_of_quotes_is_read_for_each_question)
{
	struct filter filter;
	char got[DATAGRAM_MAX];
	FILE *file;

	for (int i = 0; i < 3; i++) {
		file = fopen("quotes", "w");
		ck_assert_ptr_nonnull(file);
		fprintf(file, "quote %d\n", i);
		ck_assert_int_eq(fclose(file), 0);
		if (i == 0)
			filter = filter_start_with(PACKETS, ARGS("qotd", "-f", "quotes"), from_peer);
		filter_send_text(&filter, "?");
		ck_assert_uint_eq(receive(&filter, got), 9);
		ck_assert_int_eq(got[6], '0' + i);
	}
	ck_assert_int_eq(filter_finish(&filter), 0);
}
END_TEST

/* The program starts when three datagrams of a byte wait for it. */
static void
from_peer_in_haste(void)
{
	int waiting = 0;

	from_peer();
	while (waiting < 3 && ioctl(0, FIONREAD, &waiting) == 0)
		sched_yield();
}

/* Datagrams that nobody read would be told to the other side as a reset, before the answer. */
START_TEST(unread_datagrams_spoil_no_answer)
{
	const char *const *argv = _i == 0 ? ARGS("inspect") : ARGS("hello", "-1");
	struct filter filter = filter_start_with(PACKETS, argv, from_peer_in_haste);
	char got[DATAGRAM_MAX];

	for (int i = 0; i < 3; i++)
		filter_send_text(&filter, "?");
	ck_assert_uint_gt(receive(&filter, got), 10);
	filter_expect_end(&filter);
	/* And no later one is swallowed meanwhile: it is for a new process. */
	ck_assert_int_eq(send(filter.in, "?", 1, MSG_NOSIGNAL), -1);
	ck_assert_int_eq(filter_wait(&filter), 0);
}
END_TEST

static Suite *
datagrams_suite(void)
{
	Suite *suite = suite_create("datagrams");
	TCase *tc = filter_case("answers");

	tcase_add_test(tc, echo_answers_with_the_question);
	tcase_add_test(tc, chargen_is_never_longer_than_the_question);
	tcase_add_loop_test(tc, short_answers_are_short, 0, ARRAY_LEN(shorts));
	tcase_add_loop_test(tc, empty_first_datagram_is_a_question, 0, ARRAY_LEN(shorts));
	tcase_add_loop_test(tc, socket_tells_without_an_environment, 0, ARRAY_LEN(programs));
	tcase_add_loop_test(tc, datagram_on_pipes, 0, 4 * ARRAY_LEN(programs));
	tcase_add_test(tc, discard_reads_to_the_end);
	tcase_add_loop_test(tc, long_quote_is_no_answer, 0, ARRAY_LEN(quotes));
	tcase_add_test(tc, file_of_quotes_is_read_for_each_question);
	tcase_add_loop_test(tc, unread_datagrams_spoil_no_answer, 0, 2);
	suite_add_tcase(suite, tc);
	tc = filter_case("guards");
	tcase_add_loop_test(tc, ports_of_services_get_no_answer, 0,
	    2 * ARRAY_LEN(ports) * ARRAY_LEN(programs));
	tcase_add_loop_test(tc, port_without_answer_is_still_read, 0, ARRAY_LEN(programs));
	tcase_add_loop_test(tc, flood_gets_ten_answers_a_second, 0, ARRAY_LEN(programs));
	tcase_add_test(tc, after_a_flood_there_are_answers_again);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return filter_main(datagrams_suite());
}
