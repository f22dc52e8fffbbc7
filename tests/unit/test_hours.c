/* Hours of the week: what is read, what is told of mistakes, what is written back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hours.h"
#include "unit.h"

/* libcheck notes down each assertion that it meets: in long loops they stand behind an if. */

#define DAY	(24 * 60)
#define WEEK	(7 * DAY)

enum { SUN, MON, TUE, WED, THU, FRI, SAT };		/* as tm_wday */

static const struct hours *
hours_of(struct arena *arena, const char *text)
{
	const struct hours *hours;
	const char *wrong = hours_parse(arena, text, &hours);

	ck_assert_msg(wrong == NULL, "%s", wrong);
	return hours;
}

static unsigned
open_minutes(const struct hours *hours)
{
	unsigned open = 0;

	for (int day = 0; day < 7; day++)
		for (int minute = 0; minute < DAY; minute++)
			open += hours_contain(hours, day, minute);
	return open;
}

/* A text, what is written back, and how many minutes of a week it has. */
static const struct {
	const char	*text, *back;
	unsigned	 minutes;
} rows[] = {
	{ "always", "always", WEEK }, { "Always", "always", WEEK },
	{ "00:00-24:00", "00:00-24:00", WEEK }, { "0:00-24:00", "00:00-24:00", WEEK },
	{ "Mon-Sun 00:00-24:00", "00:00-24:00", WEEK }, { "Thu-Wed 00:00-24:00", "00:00-24:00", WEEK },
	{ "08:00-18:00", "08:00-18:00", 7 * 600 }, { "8:00-18:00", "08:00-18:00", 7 * 600 },
	{ "Mon-Fri 08:00-18:00", "Mon-Fri 08:00-18:00", 5 * 600 },
	{ "mon-FRI 08:00-18:00", "Mon-Fri 08:00-18:00", 5 * 600 },
	{ "Monday-friday 08:00-18:00", "Mon-Fri 08:00-18:00", 5 * 600 },
	{ "Sat,Sun 10:00-12:00", "Sat-Sun 10:00-12:00", 240 },
	{ "Sun Sat 10:00-12:00", "Sat-Sun 10:00-12:00", 240 },
	{ "Sun,Mon-Tue,Sat 10:00-12:00", "Mon-Tue,Sat-Sun 10:00-12:00", 480 },
	{ "Mon-Fri 08:00-18:00, Sat 10:00-12:00", "Mon-Fri 08:00-18:00, Sat 10:00-12:00", 3120 },
	{ "Mon-Fri 08:00-18:00 Sat 10:00-12:00", "Mon-Fri 08:00-18:00, Sat 10:00-12:00", 3120 },
	{ "Mon-Fri 08:00-18:00,Sat 10:00-12:00,", "Mon-Fri 08:00-18:00, Sat 10:00-12:00", 3120 },
	{ "08:00-12:00, 13:00-18:00", "08:00-12:00, 13:00-18:00", 7 * 540 },
	{ "08:00-12:00,12:00-18:00", "08:00-18:00", 7 * 600 },
	{ "08:00-14:00,12:00-18:00,9:00-10:00", "08:00-18:00", 7 * 600 },
	{ "12:00-13:00, Sat 08:00-10:00", "12:00-13:00, Sat 08:00-10:00", 7 * 60 + 120 },
	{ "Sat 08:00-10:00, Mon-Sun 12:00-13:00", "12:00-13:00, Sat 08:00-10:00", 7 * 60 + 120 },
	{ "Fri-Mon 08:00-09:00", "Mon,Fri-Sun 08:00-09:00", 240 }, { "Sun-Mon 08:00-09:00", "Mon,Sun 08:00-09:00", 120 },
	{ "Tue-Tue 08:00-09:00", "Tue 08:00-09:00", 60 },
	{ "22:00-06:00", "22:00-06:00", 7 * 480 }, { "Fri 22:00-06:00", "Fri 22:00-06:00", 480 },
	{ "Sun 22:00-06:00", "Sun 22:00-06:00", 480 }, { "Mon-Fri 22:00-06:00", "Mon-Fri 22:00-06:00", 5 * 480 },
	{ "22:00-00:00", "22:00-24:00", 7 * 120 }, { "Sun 22:00-24:00", "Sun 22:00-24:00", 120 },
	{ "Sun 23:00-24:00, Mon 00:00-01:00", "Sun 23:00-01:00", 120 },
	{ "23:59-00:01", "23:59-00:01", 14 }, { "00:00-00:01", "00:00-00:01", 7 }, { "00:01-00:00", "00:01-24:00", 7 * 1439 },
	{ "Sat-Sun 00:00-24:00", "Sat-Sun 00:00-24:00", 2 * DAY },
	{ "Sun-Mon 00:00-24:00", "Mon,Sun 00:00-24:00", 2 * DAY },
	{ "Fri 18:00-24:00, Sat-Sun 00:00-24:00, Mon 00:00-06:00",
	    "Fri 18:00-24:00, Sat-Sun 00:00-24:00, Mon 00:00-06:00", 2 * DAY + 720 },
	{ "Wed 08:00-24:00, Thu 00:00-08:00", "Wed 08:00-24:00, Thu 00:00-08:00", DAY },
	{ "08:00-07:59", "08:00-07:59", 7 * (DAY - 1) },
};

START_TEST(hours_are_read_and_written_back)
{
	struct arena arena = { .used = 0 };
	const struct hours *hours = hours_of(&arena, rows[_i].text), *again;
	const char *text = hours_text(hours, &arena);

	ck_assert_str_eq(text, rows[_i].back);
	ck_assert_uint_eq(open_minutes(hours), rows[_i].minutes);
	again = hours_of(&arena, text);
	ck_assert_str_eq(hours_text(again, &arena), text);
	for (int day = 0; day < 7; day++)
		for (int minute = 0; minute < DAY; minute++)
			if (hours_contain(again, day, minute) != hours_contain(hours, day, minute))
				ck_abort_msg("%s at %d %d", text, day, minute);
	arena_free(&arena);
}
END_TEST

static const struct {
	const char	*text;
	int		 day, minute;
	bool		 open;
} points[] = {
	{ "08:00-18:00", SUN, 480, true }, { "08:00-18:00", SUN, 479, false },
	{ "08:00-18:00", SAT, 1079, true }, { "08:00-18:00", SAT, 1080, false },
	{ "Mon-Fri 08:00-18:00", SUN, 600, false }, { "Mon-Fri 08:00-18:00", SAT, 600, false },
	{ "Mon-Fri 08:00-18:00", MON, 600, true }, { "Mon-Fri 08:00-18:00", FRI, 600, true },
	{ "Sun 08:00-18:00", SUN, 600, true }, { "Sun 08:00-18:00", MON, 600, false },
	{ "Fri-Mon 08:00-18:00", SUN, 600, true }, { "Fri-Mon 08:00-18:00", TUE, 600, false },
	/* after midnight it is still the hours of the day before */
	{ "Fri 22:00-06:00", FRI, 1320, true }, { "Fri 22:00-06:00", SAT, 359, true },
	{ "Fri 22:00-06:00", SAT, 360, false }, { "Fri 22:00-06:00", FRI, 100, false },
	{ "Fri 22:00-06:00", SAT, 1320, false },
	{ "Sun 22:00-06:00", MON, 0, true }, { "Sun 22:00-06:00", SUN, 0, false },
	{ "Sat 22:00-06:00", SUN, 100, true }, { "Sat 22:00-06:00", SAT, 100, false },
	{ "22:00-24:00", SUN, 1439, true }, { "22:00-24:00", MON, 0, false },
	{ "always", WED, 720, true },
};

START_TEST(a_minute_is_in_or_out)
{
	struct arena arena = { .used = 0 };

	ck_assert_int_eq(hours_contain(hours_of(&arena, points[_i].text), points[_i].day, points[_i].minute),
	    points[_i].open);
	arena_free(&arena);
}
END_TEST

#define FORM	" is not HH:MM-HH:MM (00:00 to 24:00)"
#define DAYS	" is not HH:MM-HH:MM, nor a day or days as in Mon-Fri (Mon Tue Wed Thu Fri Sat Sun)"

static const struct {
	const char	*text, *wrong;
} mistakes[] = {
	{ "", "no hours: write 08:00-18:00, Mon-Fri 08:00-18:00 or 'always'" },
	{ " , ", "no hours: write 08:00-18:00, Mon-Fri 08:00-18:00 or 'always'" },
	{ "08:00", "'08:00'" FORM }, { "8-18", "'8-18'" FORM }, { "08:00-", "'08:00-'" FORM },
	{ "08:00 - 18:00", "'08:00'" FORM }, { "08:00-18:00x", "'08:00-18:00x'" FORM },
	{ "08:0-18:00", "'08:0-18:00'" FORM }, { "08:000-18:00", "'08:000-18:00'" FORM },
	{ "008:00-18:00", "'008:00-18:00'" FORM }, { "08:60-18:00", "'08:60-18:00'" FORM },
	{ "08:00-24:01", "'08:00-24:01'" FORM }, { "08:00-25:00", "'08:00-25:00'" FORM },
	{ "08:00-18:00-20:00", "'08:00-18:00-20:00'" FORM }, { "08.00-18.00", "'08.00-18.00'" FORM },
	{ "8:00am-6:00pm", "'8:00am-6:00pm'" FORM },
	{ "24:00-06:00", "'24:00-06:00' begins at 24:00: write 00:00, on the day after" },
	{ "08:00-08:00", "'08:00-08:00' ends when it begins: write 00:00-24:00 for the whole day" },
	{ "00:00-00:00", "'00:00-00:00' ends when it begins: write 00:00-24:00 for the whole day" },
	{ "Mo 08:00-18:00", "'Mo'" DAYS }, { "Mond 08:00-18:00", "'Mond'" DAYS }, { "daily", "'daily'" DAYS },
	{ "Mon- 08:00-18:00", "'Mon-'" DAYS }, { "-Mon 08:00-18:00", "'-Mon'" DAYS }, { "Mon-Fri-Sun", "'Mon-Fri-Sun'" DAYS },
	{ "Mon-Xyz 08:00-18:00", "'Mon-Xyz'" DAYS }, { "-08:00-18:00", "'-08:00-18:00'" DAYS },
	{ "always 08:00-18:00", "'always'" DAYS },
	{ "Mon", "'Mon' has no hours: write Mon 00:00-24:00 for the whole day" },
	{ "Mon-Fri 08:00-18:00, Sat-Sun", "'Sat-Sun' has no hours: write Sat-Sun 00:00-24:00 for the whole day" },
	{ "Mon 08:00-12:00, 13:00-18:00", "'13:00-18:00' does not say on which days, as the span before it does: "
	    "name them again, or write Mon-Sun for every day" },
	{ "Mon 08:00-12:00 13:00-18:00", "'13:00-18:00' does not say on which days, as the span before it does: "
	    "name them again, or write Mon-Sun for every day" },
};

START_TEST(a_mistake_is_told)
{
	struct arena arena = { .used = 0 };
	const struct hours *hours;

	ck_assert_pstr_eq(hours_parse(&arena, mistakes[_i].text, &hours), mistakes[_i].wrong);
	arena_free(&arena);
}
END_TEST

/* --- A model that knows spans and not minutes of the week ------------------------------- */

struct spoken {
	uint8_t		days;		/* bit of tm_wday */
	int		begin, end;	/* minutes; end before begin: over midnight */
};

static bool
model_open(const struct spoken *spans, unsigned count, int day, int minute)
{
	for (unsigned i = 0; i < count; i++) {
		const struct spoken *span = &spans[i];
		bool today = (span->days >> day & 1) != 0, yesterday = (span->days >> (day + 6) % 7 & 1) != 0;

		if (span->begin < span->end && today && minute >= span->begin && minute < span->end)
			return true;
		if (span->begin > span->end && ((today && minute >= span->begin) || (yesterday && minute < span->end)))
			return true;
	}
	return false;
}

/* Adds a span at random to the text; the first ones may leave their days out. */
static size_t
say_span(uint32_t *seed, struct spoken *span, char *text, size_t size, bool may_omit)
{
	static const char *const names[] = { "sun", "MON", "Tuesday", "wed", "Thu", "FRIDAY", "Sat" };
	size_t used = 0;

	span->days = may_omit ? 0x7f : 0;
	while (!may_omit && (span->days == 0 || unit_random(seed, 2) == 0)) {
		unsigned day = unit_random(seed, 7), last = unit_random(seed, 2) == 0 ? day : unit_random(seed, 7);

		used += (size_t)snprintf(text + used, size - used, last == day ? "%s%s" : "%s%s-%s",
		    unit_random(seed, 2) == 0 ? ", " : " ", names[day], names[last]);
		for (; day != last; day = (day + 1) % 7)
			span->days |= (uint8_t)(1 << day);
		span->days |= (uint8_t)(1 << last);
	}
	span->begin = (int)unit_random(seed, 24) * 60 + (int)unit_random(seed, 3) * 29;
	do
		span->end = (int)unit_random(seed, 25) * 60;
	while (span->end == span->begin);
	return used + (size_t)snprintf(text + used, size - used, " %d:%02d-%02d:%02d", span->begin / 60,
	    span->begin % 60, span->end / 60, span->end % 60);
}

START_TEST(random_hours_agree_with_a_model)
{
	uint32_t seed = 77 + (uint32_t)_i;

	for (unsigned round = 0; round < 40; round++) {
		struct arena arena = { .used = 0 };
		struct spoken spans[12];
		char text[4096];
		size_t used = 0;
		unsigned count = 1 + unit_random(&seed, 1 + unit_random(&seed, 12)), every = unit_random(&seed, 2);
		const struct hours *hours, *again;

		for (unsigned i = 0; i < count; i++)
			used += say_span(&seed, &spans[i], text + used, sizeof text - used, i < every);
		hours = hours_of(&arena, text);
		again = hours_of(&arena, hours_text(hours, &arena));
		for (int day = 0; day < 7; day++)
			for (int minute = 0; minute < DAY; minute++) {
				bool open = model_open(spans, count, day, minute);

				if (hours_contain(hours, day, minute) != open || hours_contain(again, day, minute) != open)
					ck_abort_msg("%s, written as %s, at %d %d", text, hours_text(hours, &arena),
					    day, minute);
			}
		ck_assert_str_eq(hours_text(hours, &arena), hours_text(again, &arena));
		arena_free(&arena);
	}
}
END_TEST

/* Every set of days is written so that it is read again. */
START_TEST(every_set_of_days)
{
	static const char *const names[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };

	for (unsigned days = 1; days < 128; days++) {
		struct arena arena = { .used = 0 };
		char text[128] = "";
		const char *back;

		for (unsigned i = 0; i < 7; i++)
			if ((days >> i & 1) != 0)
				strcat(strcat(text, names[i]), ",");
		strcat(text, " 10:15-20:45");
		back = hours_text(hours_of(&arena, text), &arena);
		ck_assert_str_eq(hours_text(hours_of(&arena, back), &arena), back);
		ck_assert_uint_eq(open_minutes(hours_of(&arena, back)), 630u * (unsigned)__builtin_popcount(days));
		arena_free(&arena);
	}
}
END_TEST

/* --- The weeks in which clocks change: Berlin's rules, which need no time zone files ----- */

#define BERLIN	"CET-1CEST,M3.5.0,M10.5.0/3"

/* Where the week of a year, month and day has so many open minutes of time that really passes. */
static const struct {
	const char	*text;
	int		 month, day;		/* of a Monday in 2026, the first day of the week */
	unsigned	 days;
	unsigned	 minutes;
} weeks[] = {
	{ "always", 3, 23, 7, WEEK - 60 },		/* clocks go forward on Sunday at 02:00 */
	{ "always", 10, 19, 7, WEEK + 60 },		/* and back on Sunday at 03:00 */
	{ "02:00-03:00", 3, 23, 7, 6 * 60 }, { "02:00-03:00", 10, 19, 7, 8 * 60 },
	{ "Sun 02:00-03:00", 3, 23, 7, 0 }, { "Sun 02:00-03:00", 10, 19, 7, 120 },
	{ "Sun 02:30-02:31", 3, 23, 7, 0 }, { "Sun 02:30-02:31", 10, 19, 7, 2 },
	{ "Sun 03:00-04:00", 3, 23, 7, 60 }, { "Sun 03:00-04:00", 10, 19, 7, 60 },
	{ "Sat 22:00-06:00", 3, 23, 7, 7 * 60 }, { "Sat 22:00-06:00", 10, 19, 7, 9 * 60 },
	{ "Mon-Fri 08:00-18:00", 3, 23, 7, 5 * 600 }, { "Mon-Fri 08:00-18:00", 10, 19, 7, 5 * 600 },
	{ "Sat-Sun 00:00-24:00", 3, 23, 7, 47 * 60 }, { "Sat-Sun 00:00-24:00", 10, 19, 7, 49 * 60 },
	{ "Sun 22:00-06:00", 3, 23, 8, 14 * 60 }, { "Sun 22:00-06:00", 10, 19, 8, 14 * 60 },
};

START_TEST(summer_time_comes_and_goes)
{
	struct arena arena = { .used = 0 };
	const struct hours *hours = hours_of(&arena, weeks[_i].text);
	struct tm parts = { .tm_year = 126, .tm_mon = weeks[_i].month - 1, .tm_mday = weeks[_i].day, .tm_isdst = -1 };
	struct tm behind = parts;
	time_t now, end;
	unsigned open = 0;

	setenv("TZ", BERLIN, 1);
	tzset();
	behind.tm_mday += (int)weeks[_i].days;
	end = mktime(&behind);
	for (now = mktime(&parts); now < end; now += 60) {
		localtime_r(&now, &parts);
		open += hours_contain(hours, parts.tm_wday, parts.tm_hour * 60 + parts.tm_min);
	}
	ck_assert_uint_eq(open, weeks[_i].minutes);
	arena_free(&arena);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("hours");
	TCase *tcase = unit_case(suite, "hours");

	tcase_add_loop_test(tcase, hours_are_read_and_written_back, 0, ROWS(rows));
	tcase_add_loop_test(tcase, a_minute_is_in_or_out, 0, ROWS(points));
	tcase_add_loop_test(tcase, a_mistake_is_told, 0, ROWS(mistakes));
	tcase_add_loop_test(tcase, random_hours_agree_with_a_model, 0, 10);
	tcase_add_test(tcase, every_set_of_days);
	tcase_add_loop_test(tcase, summer_time_comes_and_goes, 0, ROWS(weeks));
	return unit_run(suite);
}
