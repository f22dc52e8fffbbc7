/* How a line is built: values that need quotes, escapes, levels, and lines that are too long. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bounds.h"
#include "log.h"
#include "unit.h"

static const struct { const char *value, *text, *json; } values[] = {
	{ "plain", "plain", "\"plain\"" },
	{ "", "\"\"", "\"\"" },
	{ "two words", "\"two words\"", "\"two words\"" },
	{ "a=b,c:d/e", "a=b,c:d/e", "\"a=b,c:d/e\"" },
	{ "say \"no\"", "\"say \\\"no\\\"\"", "\"say \\\"no\\\"\"" },
	{ "back\\slash", "\"back\\\\slash\"", "\"back\\\\slash\"" },
	{ "it's", "\"it's\"", "\"it's\"" },
	{ "a\nb\tc\rd", "\"a\\nb\\tc\\rd\"", "\"a\\nb\\tc\\rd\"" },
	{ "\x01\x1b[2J\x7f", "\"\\x01\\x1b[2J\\x7f\"", "\"\\u0001\\u001b[2J\\u007f\"" },
	/* UTF-8 that is one: two, three and four bytes */
	{ "caf\xc3\xa9", "\"caf\xc3\xa9\"", "\"caf\xc3\xa9\"" },
	{ "\xe2\x82\xac", "\"\xe2\x82\xac\"", "\"\xe2\x82\xac\"" },
	{ "\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"", "\"\xf0\x9f\x98\x80\"" },
	{ "\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\"", "\"\xf4\x8f\xbf\xbf\"" },
	/* and that is none: lone, cut, overlong, a surrogate, too large */
	{ "\xff", "\"\\xff\"", "\"\\u00ff\"" },
	{ "\x80", "\"\\x80\"", "\"\\u0080\"" },
	{ "\xc3", "\"\\xc3\"", "\"\\u00c3\"" },
	{ "\xe2\x82", "\"\\xe2\\x82\"", "\"\\u00e2\\u0082\"" },
	{ "\xc0\xaf", "\"\\xc0\\xaf\"", "\"\\u00c0\\u00af\"" },
	{ "\xe0\x80\xaf", "\"\\xe0\\x80\\xaf\"", "\"\\u00e0\\u0080\\u00af\"" },
	{ "\xed\xa0\x80", "\"\\xed\\xa0\\x80\"", "\"\\u00ed\\u00a0\\u0080\"" },
	{ "\xf4\x90\x80\x80", "\"\\xf4\\x90\\x80\\x80\"", "\"\\u00f4\\u0090\\u0080\\u0080\"" },
	/* a C1 control, which a terminal may obey */
	{ "\xc2\x9b", "\"\\xc2\\x9b\"", "\"\\u00c2\\u009b\"" },
};

START_TEST(a_value_is_written_so_that_it_forges_nothing)
{
	char want[512];

	unit_log_start();
	log_begin(LOG_LEVEL_INFO, "event");
	log_text("key", values[_i].value);
	log_number("n", 1);
	log_end();
	snprintf(want, sizeof want, "info event key=%s n=1\n", values[_i].text);
	ck_assert_str_eq(unit_logged(), want);
}
END_TEST

START_TEST(a_value_is_written_as_json)
{
	char want[512];
	const char *line;

	unit_log_start();
	ck_assert_int_eq(log_open(NULL, LOG_FORMAT_JSON, LOG_LEVEL_DEBUG), 0);
	log_begin(LOG_LEVEL_NOTICE, "event");
	log_text("key", values[_i].value);
	log_number("n", 1);
	log_end();
	line = unit_logged();
	ck_assert_int_eq(strncmp(line, "{\"time\":\"2", 10), 0);
	snprintf(want, sizeof want, "Z\",\"level\":\"notice\",\"event\":\"event\",\"key\":%s,\"n\":1}\n",
	    values[_i].json);
	ck_assert_ptr_nonnull(strchr(line, 'Z'));
	ck_assert_str_eq(strchr(line, 'Z'), want);
}
END_TEST

static const struct { uint64_t number; const char *text; } numbers[] = {
	{ 0, "0" }, { 7, "7" }, { 10, "10" }, { 4294967296, "4294967296" },
	{ UINT64_MAX, "18446744073709551615" },
};

START_TEST(a_number_has_all_its_digits)
{
	char want[128];

	unit_log_start();
	log_begin(LOG_LEVEL_INFO, "event");
	log_number("n", numbers[_i].number);
	log_end();
	snprintf(want, sizeof want, "info event n=%s\n", numbers[_i].text);
	ck_assert_str_eq(unit_logged(), want);
}
END_TEST

static const struct { uint64_t us; const char *text, *json; } times[] = {
	{ 0, "0.000s", "0.000" }, { 999, "0.000s", "0.000" }, { 1000, "0.001s", "0.001" },
	{ 1999999, "1.999s", "1.999" }, { 86400000000, "86400.000s", "86400.000" },
};

START_TEST(seconds_are_cut_to_milliseconds)
{
	char want[128];

	unit_log_start();
	for (int json = 0; json < 2; json++) {
		ck_assert_int_eq(log_open(NULL, json ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT,
		    LOG_LEVEL_INFO), 0);
		log_begin(LOG_LEVEL_INFO, "event");
		log_seconds("t", times[_i].us);
		log_end();
		snprintf(want, sizeof want, json ? "\"t\":%s}\n" : "event t=%s\n",
		    json ? times[_i].json : times[_i].text);
		ck_assert_ptr_nonnull(strstr(unit_logged(), want));
	}
}
END_TEST

/* A byte of it may become six; the line ends in good order all the same. */
static const char fillings[] = { 'x', '\x01', '"', '\xff' };

START_TEST(a_line_too_long_is_cut_and_still_ends)
{
	static char value[4 * LOG_LINE_BYTES];
	const char *line, *end;

	memset(value, fillings[_i], sizeof value - 1);
	unit_log_start();
	for (int json = 0; json < 2; json++) {
		ck_assert_int_eq(log_open(NULL, json ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT,
		    LOG_LEVEL_INFO), 0);
		log_begin(LOG_LEVEL_INFO, "event");
		log_text("key", value);
		log_end();
		line = unit_logged();
		ck_assert_uint_le(strlen(line), LOG_LINE_BYTES);
		ck_assert_uint_gt(strlen(line), LOG_LINE_BYTES - 64);
		end = line + strlen(line) - (json ? 3 : 2);
		if (json || fillings[_i] != 'x')
			ck_assert_str_eq(end, json ? "\"}\n" : "\"\n");
		ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
	}
}
END_TEST

START_TEST(a_level_wants_itself_and_what_is_worse)
{
	unit_log_start();
	for (int most = LOG_LEVEL_ERROR; most <= LOG_LEVEL_DEBUG; most++) {
		ck_assert_int_eq(log_open(NULL, LOG_FORMAT_TEXT, (enum log_level)most), 0);
		for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++)
			ck_assert_int_eq(log_wants((enum log_level)level), level <= most);
	}
}
END_TEST

START_TEST(errno_is_kept)
{
	unit_log_start();
	errno = EXDEV;
	log_begin(LOG_LEVEL_ERROR, "event");
	errno = EINVAL;		/* what happens within does not matter */
	log_end();
	ck_assert_int_eq(errno, EXDEV);
	log_flush();
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

START_TEST(a_place_that_cannot_be_opened_changes_nothing)
{
	unit_log_start();
	ck_assert_int_eq(log_open("/no/such/folder/log", LOG_FORMAT_JSON, LOG_LEVEL_ERROR), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert(log_wants(LOG_LEVEL_DEBUG));
	log_begin(LOG_LEVEL_DEBUG, "event");
	log_end();
	ck_assert_str_eq(unit_logged(), "debug event\n");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("log");
	TCase *tcase = unit_case(suite, "log");

	tcase_add_loop_test(tcase, a_value_is_written_so_that_it_forges_nothing, 0, ROWS(values));
	tcase_add_loop_test(tcase, a_value_is_written_as_json, 0, ROWS(values));
	tcase_add_loop_test(tcase, a_number_has_all_its_digits, 0, ROWS(numbers));
	tcase_add_loop_test(tcase, seconds_are_cut_to_milliseconds, 0, ROWS(times));
	tcase_add_loop_test(tcase, a_line_too_long_is_cut_and_still_ends, 0, ROWS(fillings));
	tcase_add_test(tcase, a_level_wants_itself_and_what_is_worse);
	tcase_add_test(tcase, errno_is_kept);
	tcase_add_test(tcase, a_place_that_cannot_be_opened_changes_nothing);
	return unit_run(suite);
}
