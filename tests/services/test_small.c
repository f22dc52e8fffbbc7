/*
 * The small services of the early RFCs: discard, chargen, daytime, time, qotd.
 */
#include "filter.h"

#include "../../services/clock.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BULK 3000000
#define SHOWN 400000		/* bytes of chargen: more than it keeps, and not whole periods */
#define QUOTE_MAX 512
#define SAYING_MAX 128		/* of those that are built in */

static const enum channel channels[] = { PIPES, STREAM, NARROW, TCP };

static void
udp_environment(void)
{
	setenv("PROTO", "UDP", 1);
}

/* The program starts when input is there, so that it always ends with input unread. */
static void
wait_for_input(void)
{
	struct pollfd input = { .fd = 0, .events = POLLIN };

	poll(&input, 1, -1);
}

START_TEST(discard_is_silent)
{
	char *input = calloc(1, BULK);
	struct result result = filter_run(channels[_i], ARGS("discard"), input, BULK);

	ck_assert_int_eq(result.status, 0);
	ck_assert_uint_eq(result.size, 0);
	free(result.data);
	free(input);
}
END_TEST

START_TEST(discard_reads_to_the_end)
{
	struct filter filter = filter_start_with(PACKETS, ARGS("discard"), udp_environment);

	for (int i = 0; i < 100; i++)
		filter_send_text(&filter, "one datagram");
	filter_end_input(&filter);
	filter_expect_end(&filter);
	ck_assert_int_eq(filter_wait(&filter), 0);
}
END_TEST

/* RFC 864: line N has the characters N to N + 71 of the ring of 95. */
static char *
chargen_pattern(size_t size)
{
	char *pattern = malloc(size);

	ck_assert_ptr_nonnull(pattern);
	for (size_t i = 0; i < size; i++) {
		size_t line = i / 74, column = i % 74;

		pattern[i] = column == 72 ? '\r' : column == 73 ? '\n'
		    : (char)(' ' + (line + column) % 95);
	}
	return pattern;
}

START_TEST(chargen_pattern_is_exact)
{
	static const char lines[] =
	    " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefg\r\n"
	    "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefgh\r\n";
	char *pattern = chargen_pattern(SHOWN);
	struct filter filter = filter_start(channels[_i], ARGS("chargen"));

	ck_assert(memcmp(pattern, lines, sizeof lines - 1) == 0);
	filter_expect(&filter, pattern, SHOWN);
	ck_assert_int_eq(filter_finish(&filter), 0);
	free(pattern);
}
END_TEST

START_TEST(chargen_goes_on_after_the_end_of_input)
{
	char *pattern = chargen_pattern(SHOWN);
	struct filter filter = filter_start(channels[_i], ARGS("chargen"));

	filter_end_input(&filter);
	filter_expect(&filter, pattern, SHOWN);
	ck_assert_int_eq(filter_finish(&filter), 0);
	free(pattern);
}
END_TEST

START_TEST(chargen_takes_what_a_client_sends_before_it_reads)
{
	static const enum channel sockets[] = { STREAM, NARROW, TCP };
	char *pattern = chargen_pattern(SHOWN);
	struct filter filter = filter_start(sockets[_i], ARGS("chargen"));

	for (int i = 0; i < 20; i++)
		filter_send(&filter, pattern, SHOWN);
	filter_expect(&filter, pattern, SHOWN);
	ck_assert_int_eq(filter_finish(&filter), 0);
	free(pattern);
}
END_TEST

static const struct {
	int64_t       now;
	unsigned char bytes[4];
} counts[] = {
	{ 0, { 0x83, 0xaa, 0x7e, 0x80 } },		/* 2,208,988,800, as the RFC says */
	{ 1, { 0x83, 0xaa, 0x7e, 0x81 } },
	{ -2208988800, { 0, 0, 0, 0 } },
	{ 2085978495, { 0xff, 0xff, 0xff, 0xff } },	/* 7 February 2036 */
	{ 2085978496, { 0, 0, 0, 0 } },
	{ 2147483648, { 0x03, 0xaa, 0x7e, 0x80 } },	/* 19 January 2038 */
	{ 2085978496 + 4294967296 + 258, { 0, 0, 1, 2 } },
};

START_TEST(time_of_any_moment)
{
	unsigned char bytes[4];

	clock_count(counts[_i].now, bytes);
	ck_assert_mem_eq(bytes, counts[_i].bytes, sizeof bytes);
}
END_TEST

/* Demands that the answer is that of a moment between two, the second being now. */
static void
check_moment(const struct result *result, int64_t before,
    size_t (*answer)(int64_t, char[CLOCK_LINE_SIZE]))
{
	const int64_t after = time(NULL);
	char wanted[CLOCK_LINE_SIZE];
	bool found = false;

	ck_assert_int_eq(result->status, 0);
	for (int64_t now = before; now <= after && !found; now++)
		found = result->size == answer(now, wanted) &&
		    memcmp(result->data, wanted, result->size) == 0;
	ck_assert_msg(found, "%zu bytes '%s'", result->size, result->data);
}

static size_t
count_of(int64_t now, char data[CLOCK_LINE_SIZE])
{
	unsigned char bytes[4];

	clock_count(now, bytes);
	memcpy(data, bytes, sizeof bytes);
	return sizeof bytes;
}

START_TEST(time_is_now)
{
	const int64_t before = time(NULL);
	struct filter filter = filter_start(channels[_i], ARGS("time"));
	struct result result = filter_rest(&filter);

	check_moment(&result, before, count_of);
	free(result.data);
}
END_TEST

START_TEST(daytime_line_is_exact)
{
	const struct tm early = { .tm_sec = 5, .tm_min = 4, .tm_hour = 0, .tm_mday = 1,
		.tm_mon = 1, .tm_year = 126, .tm_wday = 0 };
	const struct tm late = { .tm_sec = 59, .tm_min = 59, .tm_hour = 23, .tm_mday = 31,
		.tm_mon = 11, .tm_year = 8099, .tm_wday = 5 };
	char line[CLOCK_LINE_SIZE];

	ck_assert_uint_eq(clock_line(&early, line), 26);
	ck_assert_str_eq(line, "Sun Feb  1 00:04:05 2026\r\n");
	ck_assert_uint_eq(clock_line(&late, line), 26);
	ck_assert_str_eq(line, "Fri Dec 31 23:59:59 9999\r\n");
}
END_TEST

static size_t
line_of(int64_t now, char line[CLOCK_LINE_SIZE])
{
	const time_t there = (time_t)now + 5 * 3600 + 30 * 60;
	struct tm local;

	gmtime_r(&there, &local);
	return clock_line(&local, line);
}

static void
eastern_environment(void)
{
	setenv("TZ", "EAST-5:30", 1);
}

START_TEST(daytime_is_local_now)
{
	const int64_t before = time(NULL);
	struct filter filter = filter_start_with(channels[_i], ARGS("daytime"),
	    eastern_environment);
	struct result result = filter_rest(&filter);

	check_moment(&result, before, line_of);
	free(result.data);
}
END_TEST

START_TEST(qotd_says_something)
{
	char first[SAYING_MAX + 1] = "";
	bool another = false;

	for (int i = 0; i < 60; i++) {
		struct filter filter = filter_start(STREAM, ARGS("qotd"));
		struct result result = filter_rest(&filter);

		ck_assert_int_eq(result.status, 0);
		ck_assert_uint_gt(result.size, 10);
		ck_assert_uint_le(result.size, SAYING_MAX);
		ck_assert_str_eq(result.data + result.size - 2, "\r\n");
		if (i == 0)
			strcpy(first, result.data);
		another = another || strcmp(first, result.data) != 0;
		free(result.data);
	}
	ck_assert_msg(another, "always '%s'", first);
}
END_TEST

/* A file name of this test's own; remove it. */
static const char *
file_make(const char *data, size_t size)
{
	static char name[] = "quotes.XXXXXX";
	int file;

	strcpy(name, "quotes.XXXXXX");
	file = mkstemp(name);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(write(file, data, size), (ssize_t)size);
	close(file);
	return name;
}

static struct result
quote_of(const char *data, size_t size)
{
	const char *name = file_make(data, size);
	struct filter filter = filter_start(PIPES, ARGS("qotd", "-f", name));
	struct result result = filter_rest(&filter);

	unlink(name);
	return result;
}

static const struct {
	const char *file;
	const char *quote;		/* NULL: there is none to be sent */
} files[] = {
	{ "one\n", "one\r\n" },
	{ "one", "one\r\n" },
	{ "one\n%\n", "one\r\n" },
	{ "one\n%", "one\r\n" },
	{ "%\none\n", "one\r\n" },
	{ "%\n%\none\n%\n%\n", "one\r\n" },
	{ "one\r\n%\r\n", "one\r\n" },
	{ "one\n\n two\n%\n", "one\r\n\r\n two\r\n" },
	{ "%a\n% \n %\n%%\n", "%a\r\n% \r\n %\r\n%%\r\n" },	/* none of these separates */
	{ "caf\303\251\n", "caf\303\251\r\n" },
	{ "", NULL },
	{ "%\n%\n", NULL },
};

START_TEST(qotd_reads_fortune_files)
{
	struct result result = quote_of(files[_i].file, strlen(files[_i].file));

	ck_assert_int_eq(result.status, files[_i].quote == NULL);
	ck_assert_str_eq(result.data, files[_i].quote != NULL ? files[_i].quote : "");
	free(result.data);
}
END_TEST

START_TEST(qotd_chooses_any_of_a_file)
{
	static const char three[] = "0\n%\n1\n%\n2\n";
	int seen[3] = { 0, 0, 0 };

	for (int i = 0; i < 120; i++) {
		struct result result = quote_of(BYTES(three));

		ck_assert_uint_eq(result.size, 3);
		ck_assert(result.data[0] >= '0' && result.data[0] <= '2');
		seen[result.data[0] - '0']++;
		free(result.data);
	}
	/* Each 40 times; a fair choice strays so far once in a million runs or so. */
	for (int i = 0; i < 3; i++)
		ck_assert_msg(seen[i] >= 13, "%d: %d of 120 times", i, seen[i]);
}
END_TEST

START_TEST(qotd_never_sends_what_is_too_long)
{
	static char longest[QUOTE_MAX];		/* becomes one more by its CR */
	static const char shorter[] = "%\nshort\n";
	char both[sizeof longest + sizeof shorter];
	struct result result;

	memset(longest, 'x', sizeof longest);
	longest[QUOTE_MAX - 2] = '\n';
	result = quote_of(longest, QUOTE_MAX - 1);
	ck_assert_int_eq(result.status, 0);
	ck_assert_uint_eq(result.size, QUOTE_MAX);
	free(result.data);
	longest[QUOTE_MAX - 2] = 'x';
	longest[QUOTE_MAX - 1] = '\n';
	result = quote_of(longest, QUOTE_MAX);
	ck_assert_int_eq(result.status, 1);
	ck_assert_uint_eq(result.size, 0);
	free(result.data);
	memcpy(both, longest, sizeof longest);
	memcpy(both + sizeof longest, shorter, sizeof shorter);
	for (int i = 0; i < 20; i++) {
		result = quote_of(both, sizeof both - 1);
		ck_assert_str_eq(result.data, "short\r\n");
		free(result.data);
	}
}
END_TEST

/* The second quote lies across the place where one read of the file ends. */
START_TEST(qotd_reads_long_files)
{
	const size_t ahead = (size_t)(65536 - 12 + _i);
	char *file = malloc(ahead + 100);
	struct result result;

	memset(file, '\n', ahead);
	memcpy(file + ahead, BYTES("\n%\nfirst line\nlast line\n%"));
	result = quote_of(file, ahead + 25);
	ck_assert_str_eq(result.data, "first line\r\nlast line\r\n");
	free(result.data);
	free(file);
}
END_TEST

START_TEST(qotd_without_its_file)
{
	filter_check(ARGS("qotd", "-f", "no such file"), "", 0, 1, "", 0);
	filter_check(ARGS("qotd", "-f", "."), "", 0, 1, "", 0);
}
END_TEST

static const char *const programs[] = { "discard", "chargen", "daytime", "time", "qotd" };

/* An answer is not overtaken by the reset that unread input would cause. */
START_TEST(answer_reaches_a_client_that_sends)
{
	struct filter filter = filter_start_with(TCP, ARGS(programs[2 + _i]), wait_for_input);
	char answer[QUOTE_MAX + 1];
	size_t size = 0;
	ssize_t n;

	filter_send_text(&filter, "tell me\r\n");
	while ((n = read(filter.out, answer + size, sizeof answer - size)) > 0)
		size += (size_t)n;
	ck_assert_int_eq(n, 0);
	ck_assert_uint_ge(size, 4);
	ck_assert_int_eq(filter_finish(&filter), 0);
}
END_TEST

START_TEST(client_that_leaves_is_no_failure)
{
	struct filter filter = filter_start_with(TCP, ARGS(programs[_i]), wait_for_input);

	filter_send_text(&filter, "x");
	ck_assert_int_eq(filter_finish(&filter), 0);
}
END_TEST

/* Until they have a form for them: chargen would flood whom a forged address names. */
START_TEST(datagrams_are_refused)
{
	struct filter filter = filter_start_with(PACKETS, ARGS(programs[1 + _i]),
	    udp_environment);

	filter_expect_end(&filter);
	ck_assert_int_eq(filter_wait(&filter), 64);
}
END_TEST

START_TEST(wrong_call_is_refused)
{
	filter_check_usage(ARGS(programs[_i], "-x"));
	filter_check_usage(ARGS(programs[_i], "word"));
	if (strcmp(programs[_i], "qotd") == 0)
		filter_check_usage(ARGS("qotd", "-f"));
}
END_TEST

START_TEST(help)
{
	filter_check_help(programs[_i]);
}
END_TEST

static Suite *
small_suite(void)
{
	Suite *suite = suite_create("small services");
	TCase *tc = filter_case("bytes");

	tcase_add_loop_test(tc, discard_is_silent, 0, ARRAY_LEN(channels));
	tcase_add_test(tc, discard_reads_to_the_end);
	tcase_add_loop_test(tc, chargen_pattern_is_exact, 0, ARRAY_LEN(channels));
	tcase_add_loop_test(tc, chargen_goes_on_after_the_end_of_input, 0, ARRAY_LEN(channels));
	tcase_add_loop_test(tc, chargen_takes_what_a_client_sends_before_it_reads, 0, 3);
	tcase_add_loop_test(tc, time_of_any_moment, 0, ARRAY_LEN(counts));
	tcase_add_loop_test(tc, time_is_now, 0, ARRAY_LEN(channels));
	tcase_add_test(tc, daytime_line_is_exact);
	tcase_add_loop_test(tc, daytime_is_local_now, 0, ARRAY_LEN(channels));
	suite_add_tcase(suite, tc);
	tc = filter_case("qotd");
	tcase_add_test(tc, qotd_says_something);
	tcase_add_loop_test(tc, qotd_reads_fortune_files, 0, ARRAY_LEN(files));
	tcase_add_test(tc, qotd_chooses_any_of_a_file);
	tcase_add_test(tc, qotd_never_sends_what_is_too_long);
	tcase_add_loop_test(tc, qotd_reads_long_files, 0, 16);
	tcase_add_test(tc, qotd_without_its_file);
	suite_add_tcase(suite, tc);
	tc = filter_case("all");
	tcase_add_loop_test(tc, answer_reaches_a_client_that_sends, 0, 3);
	tcase_add_loop_test(tc, client_that_leaves_is_no_failure, 0, ARRAY_LEN(programs));
	tcase_add_loop_test(tc, datagrams_are_refused, 0, 4);
	tcase_add_loop_test(tc, wrong_call_is_refused, 0, ARRAY_LEN(programs));
	tcase_add_loop_test(tc, help, 0, ARRAY_LEN(programs));
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return filter_main(small_suite());
}
