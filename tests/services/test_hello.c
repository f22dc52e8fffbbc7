/*
 * hello: what a message is, by reads whose borders are certain (a SEQPACKET
 * socket gives each write as one read); the options; quit.
 */
#include "filter.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HI "Hello, World!\n"
#define BYE "Goodbye, 192.0.2.7\n"
#define READS_MAX 6
#define LINE_REST_MS 500	/* for so long the program waits for the rest of a line */

/* Each send is one read of the program; its answer must come before the next is sent. */
static const struct {
	const char *what;
	struct {
		const char *send, *answer;
	} reads[READS_MAX];
} talks[] = {
	{ "a line", { { "hi\n", HI } } },
	{ "bare text", { { "hi", HI } } },
	{ "telnet", { { "hi\r\n", HI }, { "quit\r\n", BYE } } },
	{ "bare quit", { { "quit", BYE } } },
	{ "bare text, then bare quit", { { "hi", HI }, { "quit", BYE } } },
	{ "a line, then bare quit", { { "hi\n", HI }, { "quit", BYE } } },
	{ "two lines in one read", { { "a\nb\n", HI HI } } },
	{ "an empty line is a message", { { "\n", HI }, { "\r\n", HI } } },
	{ "quit within a batch", { { "a\nquit\nb\n", HI BYE } } },
	{ "a line in two reads", { { "a\nqu", HI }, { "it\n", BYE } } },
	{ "a line in two reads, one byte last", { { "a\nqui", HI }, { "t", BYE } } },
	{ "the rest of a line does not come", { { "a\nquit", HI BYE } } },
	{ "a line end after bare text ends it", { { "a", HI }, { "\nquit\n", BYE } } },
	{ "a telnet line end after bare text", { { "a", HI }, { "\r\nb\n", HI } } },
	{ "a second line end is a message", { { "a", HI }, { "\n\n", HI } } },
	{ "what only begins like quit", { { "quitt\n", HI }, { "qui\n", HI }, { " quit\n", HI } } },
	{ "QUIT is a message", { { "QUIT\n", HI } } },
};

static void
with_address(void)
{
	setenv("REMOTE_ADDR", "192.0.2.7", 1);
	filter_as_stream();
}

static bool
ends_with(const char *text, const char *tail)
{
	size_t size = strlen(text), wanted = strlen(tail);

	return size >= wanted && strcmp(text + size - wanted, tail) == 0;
}

/* The first of several lines, and of the next one a beginning. */
static bool
goes_on(const char *text)
{
	return strchr(text, '\n') != NULL && !ends_with(text, "\n");
}

/* False where the test itself was too late with the rest of a line. */
static bool
talk(struct filter *filter, int row)
{
	const int64_t begun = now_ms();
	const char *last = "";

	for (size_t i = 0; i < READS_MAX && talks[row].reads[i].send != NULL; i++) {
		last = talks[row].reads[i].answer;
		filter_send_text(filter, talks[row].reads[i].send);
		if (i > 0 && goes_on(talks[row].reads[i - 1].send) &&
		    now_ms() - begun >= LINE_REST_MS)
			return false;
		filter_expect_text(filter, last);
	}
	if (!ends_with(last, BYE))
		filter_end_input(filter);
	filter_expect_end(filter);
	return true;
}

START_TEST(talk_is_answered)
{
	bool in_time;

	do {
		struct filter filter = filter_start_with(PACKETS, ARGS("hello"), with_address);

		in_time = talk(&filter, _i);
		ck_assert_msg(filter_finish(&filter) == 0, "%s", talks[_i].what);
	} while (!in_time);
}
END_TEST

START_TEST(quit_is_seen_wherever_reads_part)
{
	static const char text[] = "first\r\nquit\n";
	bool in_time;

	do {
		struct filter filter = filter_start_with(PACKETS, ARGS("hello"), with_address);
		const int64_t begun = now_ms();
		struct result result;

		filter_send(&filter, text, (size_t)_i);
		filter_send(&filter, text + _i, sizeof text - 1 - (size_t)_i);
		in_time = now_ms() - begun < LINE_REST_MS;
		if (!in_time)
			filter_end_input(&filter);
		result = filter_rest(&filter);
		ck_assert_int_eq(result.status, 0);
		ck_assert_msg(!in_time || ends_with(result.data, BYE), "'%s'", result.data);
		free(result.data);
	} while (!in_time);
}
END_TEST

static void
by_datagrams(void)
{
	struct pollfd input = { .fd = 0, .events = POLLIN };

	setenv("REMOTE_ADDR", "192.0.2.7", 1);
	setenv("PROTO", "UDP", 1);
	setenv("UDPREMOTEPORT", "50000", 1);
	poll(&input, 1, -1);
}

START_TEST(datagram_is_a_message)
{
	struct filter filter = filter_start_with(PACKETS, ARGS("hello"), by_datagrams);

	filter_send_text(&filter, "hi\n");
	filter_expect_text(&filter, HI);
	filter_send_text(&filter, "\n");
	filter_expect_text(&filter, HI);
	filter_send_text(&filter, "two\nlines\nquit");
	filter_expect_text(&filter, HI);
	filter_send_text(&filter, "quit\n");
	filter_expect_text(&filter, BYE);
	filter_expect_end(&filter);
	ck_assert_int_eq(filter_wait(&filter), 0);
}
END_TEST

/* However long: one packet, as filter_expect demands of PACKETS. */
START_TEST(datagram_is_repeated_whole)
{
	char *text = malloc(65507);
	struct filter filter = filter_start_with(PACKETS, ARGS("hello", "-e"), by_datagrams);
	char got[65536];

	memset(text, 'x', 65507);
	text[65506] = '\n';
	for (int i = 0; i < 20; i++) {
		filter_send(&filter, text, 65507);
		ck_assert_int_eq(read(filter.out, got, sizeof got), 65507);
		ck_assert_mem_eq(got, text, 65507);
	}
	ck_assert_int_eq(filter_finish(&filter), 0);
	free(text);
}
END_TEST

static void
by_datagrams_of_a_service(void)
{
	by_datagrams();
	setenv("UDPREMOTEPORT", "53", 1);
}

START_TEST(datagram_of_a_service_is_not_answered)
{
	struct filter filter = filter_start_with(PACKETS,
	    _i == 0 ? ARGS("hello") : ARGS("hello", "-1"), by_datagrams_of_a_service);

	filter_send_text(&filter, "hello, hello\n");
	filter_end_input(&filter);
	filter_expect_end(&filter);
	ck_assert_int_eq(filter_wait(&filter), 0);
}
END_TEST

START_TEST(nothing_is_said_to_silence)
{
	filter_check(ARGS("hello"), "", 0, 0, "", 0);
}
END_TEST

START_TEST(last_line_without_newline_is_answered)
{
	filter_check(ARGS("hello"), BYTES("a\nb"), 0, BYTES(HI HI));
}
END_TEST

START_TEST(goodbye_without_an_address)
{
	filter_check(ARGS("hello"), BYTES("quit\n"), 0, BYTES("Goodbye, stranger\n"));
}
END_TEST

START_TEST(nul_behind_the_text_is_tolerated)
{
	filter_check(ARGS("hello"), BYTES("quit\0"), 0, BYTES("Goodbye, stranger\n"));
}
END_TEST

static const struct {
	const char *words[4];
	const char *input;
	const char *output;
} options[] = {
	{ { "-m", "Ahoy" }, "a\nb\n", "Ahoy\nAhoy\n" },
	{ { "-m", "" }, "a\n", "\n" },
	{ { "-e" }, "one\r\n\ntwo\nquit\n", "one\n\ntwo\nGoodbye, stranger\n" },
	{ { "-e" }, "b\303\244r", "b\303\244r\n" },
	{ { "-1" }, "", HI },
	{ { "-1" }, "a\nb\n", HI },
	{ { "-1", "-m", "Ahoy" }, "", "Ahoy\n" },
	{ { "-1", "-e" }, "a\nb\n", "a\n" },
	{ { "-1e" }, "quit\n", "Goodbye, stranger\n" },
};

START_TEST(option_changes_the_answer)
{
	const char *const *words = options[_i].words;

	filter_check(ARGS("hello", words[0], words[1], words[2]), options[_i].input,
	    strlen(options[_i].input), 0, options[_i].output, strlen(options[_i].output));
}
END_TEST

START_TEST(greets_once_before_any_message)
{
	struct filter filter = filter_start(TCP, ARGS("hello", "-1"));

	filter_expect_text(&filter, HI);
	filter_expect_end(&filter);
	ck_assert_int_eq(filter_wait(&filter), 0);
}
END_TEST

START_TEST(goodbye_is_not_lost_behind_unread_input)
{
	struct filter filter = filter_start(TCP, ARGS("hello"));
	static char much[80000] = "quit\n";	/* more than the program reads at once */

	filter_send(&filter, much, sizeof much);
	filter_expect_text(&filter, "Goodbye, stranger\n");
	filter_expect_end(&filter);
	ck_assert_int_eq(filter_finish(&filter), 0);
}
END_TEST

START_TEST(many_lines_are_all_answered)
{
	enum { LINES = 100000 };
	static const enum channel channels[] = { PIPES, NARROW };
	char *input = malloc(2 * LINES + 1);
	struct result result;

	for (size_t i = 0; i < LINES; i++)
		memcpy(input + 2 * i, "x\n", 3);
	result = filter_run(channels[_i], ARGS("hello", "-e"), input, 2 * LINES);
	ck_assert_int_eq(result.status, 0);
	ck_assert_uint_eq(result.size, 2 * LINES);
	ck_assert(memcmp(result.data, input, result.size) == 0);
	free(result.data);
	free(input);
}
END_TEST

START_TEST(line_of_any_length_costs_no_memory)
{
	enum { SIZE = 1000000 };
	char *input = malloc(SIZE);
	struct result result;
	size_t echoed = 0;

	memset(input, 'y', SIZE);
	input[SIZE - 1] = '\n';
	result = filter_run(PIPES, ARGS("hello", "-e"), input, SIZE);
	ck_assert_int_eq(result.status, 0);
	for (size_t i = 0; i < result.size; i++)
		echoed += result.data[i] == 'y';
	ck_assert_uint_eq(echoed, SIZE - 1);
	free(result.data);
	free(input);
}
END_TEST

START_TEST(client_that_leaves_is_no_failure)
{
	struct filter filter = filter_start(STREAM, ARGS("hello"));

	filter_send_text(&filter, "a\nb\n");
	ck_assert_int_eq(filter_finish(&filter), 0);
}
END_TEST

static const char *const wrong_calls[] = { "-x", "word", "-m" };

START_TEST(wrong_call_is_refused)
{
	filter_check_usage(ARGS("hello", wrong_calls[_i]));
}
END_TEST

START_TEST(help)
{
	filter_check_help("hello");
}
END_TEST

static Suite *
hello_suite(void)
{
	Suite *suite = suite_create("hello");
	TCase *tc = filter_case("hello");

	tcase_add_loop_test(tc, talk_is_answered, 0, ARRAY_LEN(talks));
	tcase_add_loop_test(tc, quit_is_seen_wherever_reads_part, 1, 12);
	tcase_add_test(tc, datagram_is_a_message);
	tcase_add_test(tc, datagram_is_repeated_whole);
	tcase_add_loop_test(tc, datagram_of_a_service_is_not_answered, 0, 2);
	tcase_add_test(tc, nothing_is_said_to_silence);
	tcase_add_test(tc, last_line_without_newline_is_answered);
	tcase_add_test(tc, goodbye_without_an_address);
	tcase_add_test(tc, nul_behind_the_text_is_tolerated);
	tcase_add_loop_test(tc, option_changes_the_answer, 0, ARRAY_LEN(options));
	tcase_add_test(tc, greets_once_before_any_message);
	tcase_add_test(tc, goodbye_is_not_lost_behind_unread_input);
	tcase_add_loop_test(tc, many_lines_are_all_answered, 0, 2);
	tcase_add_test(tc, line_of_any_length_costs_no_memory);
	tcase_add_test(tc, client_that_leaves_is_no_failure);
	tcase_add_loop_test(tc, wrong_call_is_refused, 0, ARRAY_LEN(wrong_calls));
	tcase_add_test(tc, help);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return filter_main(hello_suite());
}
