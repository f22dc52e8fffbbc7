/*
 * The small services of the early RFCs: discard, chargen, daytime, time; and qotd
 * where all are alike.
 */
#include "filter.h"

#include "../../services/clock.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BULK 3000000
#define SHOWN 400000		/* bytes of chargen: more than it keeps, and not whole periods */
#define QUOTE_MAX 512

static const enum channel channels[] = { PIPES, STREAM, NARROW, TCP };

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

/*
 * Demands that the answer is that of a moment between two, the second being
 * now: by the exact clock, for glibc's time(3) is that of the last tick, and
 * other C libraries' is not.
 */
static void
check_moment(const struct result *result, int64_t before,
    size_t (*answer)(int64_t, char[CLOCK_LINE_SIZE]))
{
	struct timespec after;
	char wanted[CLOCK_LINE_SIZE];
	bool found = false;

	clock_gettime(CLOCK_REALTIME, &after);
	ck_assert_int_eq(result->status, 0);
	for (int64_t now = before; now <= after.tv_sec && !found; now++)
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
	tcase_add_loop_test(tc, chargen_pattern_is_exact, 0, ARRAY_LEN(channels));
	tcase_add_loop_test(tc, chargen_goes_on_after_the_end_of_input, 0, ARRAY_LEN(channels));
	tcase_add_loop_test(tc, chargen_takes_what_a_client_sends_before_it_reads, 0, 3);
	tcase_add_loop_test(tc, time_of_any_moment, 0, ARRAY_LEN(counts));
	tcase_add_loop_test(tc, time_is_now, 0, ARRAY_LEN(channels));
	tcase_add_test(tc, daytime_line_is_exact);
	tcase_add_loop_test(tc, daytime_is_local_now, 0, ARRAY_LEN(channels));
	suite_add_tcase(suite, tc);
	tc = filter_case("all");
	tcase_add_loop_test(tc, answer_reaches_a_client_that_sends, 0, 3);
	tcase_add_loop_test(tc, client_that_leaves_is_no_failure, 0, ARRAY_LEN(programs));
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
