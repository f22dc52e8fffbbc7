/* Mistakes: their form, their order, and what was probably meant. */
#include <stdio.h>
#include <string.h>

#include "bounds.h"
#include "mistakes.h"
#include "unit.h"

static const struct {
	const char	*file;
	unsigned	 line;
	const char	*section, *key, *text;
} forms[] = {
	{ "superd.ini", 7, "echo", "listen", "superd.ini:7: [echo] listen: what is wrong" },
	{ "superd.ini", 7, "echo", NULL, "superd.ini:7: [echo]: what is wrong" },
	{ "superd.ini", 7, NULL, NULL, "superd.ini:7: what is wrong" },
	{ "superd.ini", 0, NULL, NULL, "superd.ini: what is wrong" },
	{ "superd.ini", 0, "echo", "listen", "superd.ini: [echo] listen: what is wrong" },
	{ "superd.ini", 7, NULL, "listen", "superd.ini:7: listen: what is wrong" },
	{ "superd.ini", 7, "", "listen", "superd.ini:7: listen: what is wrong" },
	{ NULL, 0, NULL, NULL, "what is wrong" },
};

START_TEST(a_mistake_tells_its_place)
{
	struct mistakes wrong = { .count = 0 };
	struct place at = { .file = forms[_i].file, .line = forms[_i].line };

	mistakes_add(&wrong, at, forms[_i].section, forms[_i].key, "what is %s", "wrong");
	mistakes_warn(&wrong, at, forms[_i].section, forms[_i].key, "what is %s", "wrong");
	ck_assert_uint_eq(wrong.count, 1);
	ck_assert_str_eq(wrong.first->text, forms[_i].text);
	ck_assert_ptr_null(wrong.first->next);
	ck_assert_str_eq(wrong.first_warning->text, forms[_i].text);
	ck_assert_ptr_null(wrong.first_warning->next);
	mistakes_free(&wrong);
	ck_assert_ptr_null(wrong.first);
	ck_assert_uint_eq(wrong.count, 0);
}
END_TEST

/* By file in the order of reading, then by line; of one line in the order of telling. */
START_TEST(mistakes_are_sorted_by_place)
{
	enum { COUNT = 2000 };
	struct mistakes wrong = { .count = 0 };
	uint32_t seed = 31337;
	unsigned told = 0;

	for (unsigned i = 0; i < COUNT; i++) {
		struct place at = { .file = "x.ini", .line = unit_random(&seed, 40),
			.order = unit_random(&seed, 5) };

		mistakes_add(&wrong, at, NULL, NULL, "%u", i);
	}
	ck_assert_uint_eq(wrong.count, COUNT);
	for (const struct mistake *m = wrong.first; m != NULL; m = m->next, told++) {
		const struct mistake *next = m->next;
		unsigned number, following;

		if (next == NULL)
			continue;
		ck_assert_uint_le(m->at.order, next->at.order);
		if (m->at.order != next->at.order)
			continue;
		ck_assert_uint_le(m->at.line, next->at.line);
		if (m->at.line != next->at.line)
			continue;
		ck_assert_int_eq(sscanf(strrchr(m->text, ' '), "%u", &number), 1);
		ck_assert_int_eq(sscanf(strrchr(next->text, ' '), "%u", &following), 1);
		ck_assert_uint_lt(number, following);
	}
	ck_assert_uint_eq(told, COUNT);
	mistakes_free(&wrong);
}
END_TEST

START_TEST(a_warning_does_not_count)
{
	struct mistakes wrong = { .count = 0 };
	struct place at = { .file = "x.ini", .line = 1 };

	mistakes_warn(&wrong, at, NULL, NULL, "one");
	at.line = 0;
	mistakes_warn(&wrong, at, NULL, NULL, "none");
	ck_assert_uint_eq(wrong.count, 0);
	ck_assert_ptr_null(wrong.first);
	ck_assert_str_eq(wrong.first_warning->text, "x.ini: none");
	ck_assert_str_eq(wrong.first_warning->next->text, "x.ini:1: one");
	mistakes_free(&wrong);
}
END_TEST

/* A path may be longer than any message: it is cut, and nothing behind it is written. */
START_TEST(a_message_too_long_is_cut)
{
	static char path[5000];
	struct mistakes wrong = { .count = 0 };
	const size_t lengths[] = { 900, 1000, 1010, 1020, 1023, 1024, 1025, sizeof path - 1 };

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		struct place at = { .file = path, .line = 1, .order = (unsigned)i };
		const struct mistake *last;

		memset(path, 'x', lengths[i]);
		path[lengths[i]] = '\0';
		mistakes_add(&wrong, at, path, path, "%s", path);
		for (last = wrong.first; last->next != NULL; last = last->next)
			continue;
		ck_assert_uint_eq(strlen(last->text), 1023);
		ck_assert_int_eq(strncmp(last->text, path, lengths[i] < 1000 ? lengths[i] : 1000), 0);
	}
	mistakes_free(&wrong);
}
END_TEST

static const char *const names[] = { "listen", "exec", "enabled", "user", "group", "env", "nice",
	"max_sessions", "log_sessions", "socket_user", "this_name_is_longer_than_thirty_two", NULL };

static const struct {
	const char	*text, *nearest;
} near[] = {
	{ "max_session", "max_sessions" },	/* left out */
	{ "max_sessionss", "max_sessions" },	/* too many */
	{ "max_sesions", "max_sessions" },
	{ "mx_sesions", "max_sessions" },
	{ "maxsession", "max_sessions" },
	{ "max-sessions", "max_sessions" },	/* wrong */
	{ "max_sessoins", "max_sessions" },	/* exchanged */
	{ "amx_sessoins", "max_sessions" },
	{ "lsiten", "listen" },
	{ "listne", "listen" },
	{ "usre", "user" },
	{ "uesr", "user" },
	{ "exce", "exec" },
	{ "user", "user" },
	{ "USER", NULL },
	{ "en", "env" },
	{ "evn", "env" },
	{ "ev", "env" },
	{ "xy", NULL },
	{ "enx", "env" },
	{ "axx", NULL },
	{ "max", NULL },
	{ "", NULL },
	{ "x", NULL },
	{ "colour", NULL },
	{ "nine", "nice" }, { "nimx", NULL },	/* of four letters one may be wrong, ... */
	{ "grpu", NULL }, { "grup", "group" }, { "gruop", "group" },
	{ "lsetin", NULL }, { "lisen", "listen" }, { "lixxen", "listen" }, { "lixxex", NULL },	/* ... of six two */
	{ "mxsesion", NULL },
	{ "this_name_is_longer_than_thirty_two", NULL },
};

START_TEST(the_nearest_name_is_at_most_two_letters_away)
{
	const char *nearest = mistakes_nearest(near[_i].text, names);

	if (near[_i].nearest == NULL)
		ck_assert_msg(nearest == NULL, "%s is near to %s", near[_i].text, nearest);
	else
		ck_assert_msg(nearest != NULL && strcmp(nearest, near[_i].nearest) == 0,
		    "%s: %s and not %s", near[_i].text, nearest, near[_i].nearest);
}
END_TEST

START_TEST(the_nearest_of_several_wins)
{
	const char *const several[] = { "limit_nproc", "limit_nofile", "limit_core", "limit_cpu", NULL };

	ck_assert_str_eq(mistakes_nearest("limit_cpus", several), "limit_cpu");
	ck_assert_str_eq(mistakes_nearest("limit_cor", several), "limit_core");
	ck_assert_str_eq(mistakes_nearest("limit_nprocs", several), "limit_nproc");
}
END_TEST

/* Whoever changes two letters of a name gets it back: every name, random places. */
START_TEST(two_wrong_letters_are_understood)
{
	static const char word[] = "max_sessions";
	const char *const only[] = { word, NULL };
	uint32_t seed = 5;

	for (int round = 0; round < 2000; round++) {
		char text[32] = "";

		strcpy(text, word);
		for (int change = 0; change < 2; change++) {
			size_t len = strlen(text), at = unit_random(&seed, (uint32_t)len);

			switch (unit_random(&seed, 3)) {
			case 0:
				text[at] = '#';
				break;
			case 1:
				memmove(text + at, text + at + 1, len - at);
				break;
			default:
				memmove(text + at + 1, text + at, len - at + 1);
			}
		}
		ck_assert_msg(mistakes_nearest(text, only) == word, "%s", text);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("mistakes");
	TCase *list = unit_case(suite, "list"), *meant = unit_case(suite, "nearest");

	tcase_add_loop_test(list, a_mistake_tells_its_place, 0, ROWS(forms));
	tcase_add_test(list, mistakes_are_sorted_by_place);
	tcase_add_test(list, a_warning_does_not_count);
	tcase_add_test(list, a_message_too_long_is_cut);
	tcase_add_loop_test(meant, the_nearest_name_is_at_most_two_letters_away, 0, ROWS(near));
	tcase_add_test(meant, the_nearest_of_several_wins);
	tcase_add_test(meant, two_wrong_letters_are_understood);
	return unit_run(suite);
}
