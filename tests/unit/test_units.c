/* Numbers with units: what is read, what is not, and what is written back. */
#include <string.h>

#include "unit.h"
#include "units.h"

#define SECOND	INT64_C(1000)
#define DAY	(86400 * SECOND)

static const struct {
	const struct unit	*units;
	const char		*text;
	int64_t			 number;
	const char		*back;
} good[] = {
	{ durations, "0", 0, "0" }, { durations, "0d", 0, "0" }, { durations, "0ms", 0, "0" },
	{ durations, "250ms", 250, "250ms" }, { durations, "30s", 30 * SECOND, "30s" },
	{ durations, "30", 30 * SECOND, "30s" }, { durations, "5m", 300 * SECOND, "5m" },
	{ durations, "2h", 7200 * SECOND, "2h" }, { durations, "1d", DAY, "1d" },
	{ durations, "60s", 60 * SECOND, "1m" }, { durations, "90s", 90 * SECOND, "90s" },
	{ durations, "1500ms", 1500, "1500ms" }, { durations, "1000ms", 1000, "1s" },
	{ durations, "24h", DAY, "1d" }, { durations, "25h", 25 * 3600 * SECOND, "25h" },
	{ durations, "007s", 7 * SECOND, "7s" }, { durations, "-5s", -5 * SECOND, "-5s" },
	{ durations, "106751991167d", INT64_C(106751991167) * DAY, "106751991167d" },
	{ sizes, "0", 0, "0" }, { sizes, "1", 1, "1" }, { sizes, "1023", 1023, "1023" },
	{ sizes, "1024", 1024, "1k" }, { sizes, "64k", 65536, "64k" }, { sizes, "64K", 65536, "64k" },
	{ sizes, "10M", 10 << 20, "10M" }, { sizes, "10m", 10 << 20, "10M" },
	{ sizes, "2G", INT64_C(2) << 30, "2G" }, { sizes, "2g", INT64_C(2) << 30, "2G" },
	{ sizes, "2048M", INT64_C(2) << 30, "2G" }, { sizes, "1025k", 1025 << 10, "1025k" },
	{ sizes, "8589934591G", INT64_C(8589934591) << 30, "8589934591G" },
	{ plain, "0", 0, "0" }, { plain, "1000", 1000, "1000" }, { plain, "-20", -20, "-20" },
	{ plain, "9223372036854775807", INT64_MAX, "9223372036854775807" },
	{ plain, "-9223372036854775807", -INT64_MAX, "-9223372036854775807" },
};

START_TEST(a_number_is_read_and_written_with_its_largest_unit)
{
	struct arena arena = { .used = 0 };
	int64_t number = -1;

	ck_assert(units_parse(good[_i].text, strlen(good[_i].text), good[_i].units, &number));
	ck_assert_int_eq(number, good[_i].number);
	ck_assert_str_eq(units_text(&arena, number, good[_i].units), good[_i].back);
	ck_assert(units_parse(good[_i].back, strlen(good[_i].back), good[_i].units, &number));
	ck_assert_int_eq(number, good[_i].number);
	arena_free(&arena);
}
END_TEST

static const struct {
	const struct unit	*units;
	const char		*text;
} bad[] = {
	{ durations, "" }, { durations, "s" }, { durations, "-" }, { durations, "-s" },
	{ durations, " 5s" }, { durations, "5 s" }, { durations, "5s " }, { durations, "5S" },
	{ durations, "5sec" }, { durations, "1h30m" }, { durations, "1.5h" }, { durations, "+5s" },
	{ durations, "0x10" }, { durations, "1e3" }, { durations, "5w" }, { durations, "5k" },
	{ durations, "--5" }, { durations, "m5" }, { durations, "5mss" }, { durations, "unlimited" },
	{ sizes, "5kk" }, { sizes, "5kB" }, { sizes, "5T" }, { sizes, "5s" },
	{ plain, "5s" }, { plain, "5k" }, { plain, "5 " }, { plain, "\xd9\xa3" },
};

START_TEST(what_is_no_number_is_not_read)
{
	int64_t number = 0;

	ck_assert_msg(!units_parse(bad[_i].text, strlen(bad[_i].text), bad[_i].units, &number),
	    "'%s' was read as %lld", bad[_i].text, (long long)number);
}
END_TEST

/* What does not fit is beyond every bound, so that the bound is what a person is told. */
static const struct {
	const struct unit	*units;
	const char		*text;
	int64_t			 number;
} huge[] = {
	{ durations, "106751991168d", INT64_MAX }, { durations, "9223372036854775807", INT64_MAX },
	{ durations, "99999999999999999999ms", INT64_MAX }, { sizes, "8589934592G", INT64_MAX },
	{ sizes, "9223372036854775808", INT64_MAX }, { plain, "9223372036854775808", INT64_MAX },
	{ plain, "18446744073709551617", INT64_MAX }, { plain, "-18446744073709551617", -INT64_MAX },
};

START_TEST(a_number_that_does_not_fit_is_the_largest)
{
	int64_t number = 0;

	ck_assert(units_parse(huge[_i].text, strlen(huge[_i].text), huge[_i].units, &number));
	ck_assert_int_eq(number, huge[_i].number);
}
END_TEST

START_TEST(only_so_many_bytes_are_read)
{
	int64_t number = 0;

	ck_assert(units_parse("12345s", 3, durations, &number));
	ck_assert_int_eq(number, 123 * SECOND);
	ck_assert(units_parse("12ms", 3, durations, &number));	/* "12m" */
	ck_assert_int_eq(number, 12 * 60 * SECOND);
	ck_assert(!units_parse("5s", 0, durations, &number));
	ck_assert(!units_parse("5\0s", 3, durations, &number));
	ck_assert(!units_parse("-5", 1, durations, &number));
}
END_TEST

START_TEST(random_numbers_read_back_to_themselves)
{
	static const struct unit *const all[] = { durations, sizes, plain };
	struct arena arena = { .used = 0 };
	uint32_t seed = 42;

	for (int i = 0; i < 30000; i++) {
		const struct unit *units = all[i % 3];
		int64_t number = (int64_t)unit_random(&seed, UINT32_MAX) << unit_random(&seed, 31), back = 0;
		const char *text;

		if (unit_random(&seed, 2) == 0)
			number = number / DAY * DAY;
		text = units_text(&arena, number, units);
		ck_assert_ptr_nonnull(text);
		ck_assert_msg(units_parse(text, strlen(text), units, &back), "%s", text);
		ck_assert_msg(back == number, "%lld became %s", (long long)number, text);
	}
	arena_free(&arena);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("units");
	TCase *tcase = unit_case(suite, "units");

	tcase_add_loop_test(tcase, a_number_is_read_and_written_with_its_largest_unit, 0, ROWS(good));
	tcase_add_loop_test(tcase, what_is_no_number_is_not_read, 0, ROWS(bad));
	tcase_add_loop_test(tcase, a_number_that_does_not_fit_is_the_largest, 0, ROWS(huge));
	tcase_add_test(tcase, only_so_many_bytes_are_read);
	tcase_add_test(tcase, random_numbers_read_back_to_themselves);
	return unit_run(suite);
}
