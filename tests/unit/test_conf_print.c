/* -T: whatever a service declares is written so that the same is read back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_keys.h"
#include "conf_lines.h"
#include "unit.h"

/* What stood behind "key =" of a section, its lines joined as conf_read.c joins them. */
struct wanted {
	const char	*section, *key;
	char		 value[1 << 16];
	unsigned	 lines;
	bool		 open;
};

static void
tell_heading(void *arg, unsigned line, const char *section)
{
	struct wanted *wanted = arg;

	(void)line;
	(void)section;
	wanted->open = false;
}

static void
tell_value(void *arg, unsigned line, const char *section, const char *key, const char *value,
    bool continues)
{
	struct wanted *wanted = arg;

	(void)line;
	if (!continues)
		wanted->open = strcmp(section, wanted->section) == 0 && strcmp(key, wanted->key) == 0;
	if (!wanted->open)
		return;
	if (continues && *wanted->value != '\0')
		strcat(wanted->value, " ");
	strcat(wanted->value, value);
	wanted->lines++;
}

static void
tell_mistake(void *arg, unsigned line, const char *what)
{
	(void)arg;
	ck_abort_msg("line %u: %s", line, what);
}

/* Writes the service as -T does, and finds a key's value again.  -1: it cannot be written. */
static int
print_and_read(struct service *service, struct wanted *wanted, const char **wrong)
{
	struct service *services[] = { service };
	struct conf conf = { .services = services, .count = 1 };
	const struct conf_lines to = { .heading = tell_heading, .value = tell_value,
		.mistake = tell_mistake, .arg = wanted };
	const char *path = unit_path("printed.ini");
	FILE *file;
	int result;

	ck_assert_ptr_nonnull(freopen(path, "w", stdout));
	result = conf_print(&conf, wrong);
	if (result == -1)
		return -1;
	wanted->section = service->name;
	*wanted->value = '\0';
	wanted->lines = 0;
	ck_assert_ptr_nonnull(file = fopen(path, "r"));
	conf_lines_read(file, &to);
	fclose(file);
	return 0;
}

static void
check_words(const char *name, char **words)
{
	static struct wanted wanted;
	struct arena arena = { .blocks = NULL };
	const struct conf_key *key = conf_key_find(service_keys, name);
	struct service service = { .name = "echo" }, back = { .name = "echo" };
	const char *wrong, *text;

	*(char ***)(void *)((char *)&service + key->at) = words;
	text = conf_key_text(key, &arena, &service);
	wanted.key = name;
	ck_assert_msg(print_and_read(&service, &wanted, &wrong) == 0, "%s: %s", wrong, text);
	wrong = conf_key_parse(key, &arena, wanted.value, &back);
	ck_assert_msg(wrong == NULL, "%s: %s", wanted.value, wrong);
	ck_assert_msg(conf_key_equal(key, &service, &back), "%s\nbecame\n%s", text, wanted.value);
	arena_free(&arena);
}

/* Words of up to this many of these letters, so many of them. */
static const struct {
	const char	*key, *head, *letters;
	uint32_t	 longest, count;
} kinds[] = {
	{ "exec", "", "abcd", 20, 100 },
	{ "exec", "", "abcd", 100, 60 },
	{ "exec", "", "ab c'\"\\d", 30, 60 },
	{ "exec", "", "a ;#[=", 30, 60 },
	{ "exec", "--option=", "abc", 30, 60 },		/* no word that is not NAME=value */
	{ "exec", "a=", "b c", 30, 60 },
	{ "exec", "", "ab \t", 30, 60 },
	{ "env", "NAME=", "abc", 30, 60 },
	{ "env", "NAME=", "ab c;'\"\\", 30, 60 },
	{ "pass_env", "NAME", "ABC_", 20, 100 },
};

static char **
make_words(struct arena *arena, int kind, uint32_t *seed)
{
	uint32_t count = 1 + unit_random(seed, kinds[kind].count);
	char **words = arena_take(arena, (count + 1) * sizeof *words);

	for (uint32_t i = 0; i < count; i++) {
		size_t head = strlen(kinds[kind].head);
		uint32_t len = 1 + unit_random(seed, kinds[kind].longest);

		words[i] = arena_take(arena, head + len + 1);
		memcpy(words[i], kinds[kind].head, head);
		for (uint32_t j = 0; j < len; j++)
			words[i][head + j] = kinds[kind].letters[unit_random(seed,
			    (uint32_t)strlen(kinds[kind].letters))];
	}
	return words;
}

START_TEST(words_of_every_kind_survive_line_breaks)
{
	uint32_t seed = 1000 + (uint32_t)_i;

	for (int round = 0; round < 100; round++) {
		struct arena arena = { .blocks = NULL };

		check_words(kinds[_i].key, make_words(&arena, _i, &seed));
		arena_free(&arena);
	}
}
END_TEST

START_TEST(a_word_of_many_blanks_is_cut_at_none_of_them)
{
	char spaces[150], word[100];
	char *words[] = { spaces, word, spaces, NULL };

	memset(spaces, ' ', sizeof spaces - 1);
	spaces[sizeof spaces - 1] = '\0';
	memset(word, 'x', sizeof word - 1);
	word[sizeof word - 1] = '\0';
	check_words("exec", words);
}
END_TEST

START_TEST(a_word_longer_than_a_line_is_an_error)
{
	static struct wanted wanted;
	char word[201] = "";
	char *words[] = { word, NULL };
	struct service service = { .name = "echo", .exec = words };
	const char *wrong = NULL;

	memset(word, 'x', sizeof word - 1);
	wanted.key = "exec";
	ck_assert_int_eq(print_and_read(&service, &wanted, &wrong), -1);
	ck_assert_ptr_nonnull(strstr(wrong, "too long for a line"));
}
END_TEST

/* From "exec = " on there are 198 bytes; behind an indentation 197. */
static const struct {
	size_t		first, second;
	unsigned	lines;
} lengths[] = {
	{ 100, 90, 1 },		/* "exec = " + 100 + 1 + 90: just fits */
	{ 100, 91, 2 },
	{ 191, 1, 2 },
	{ 192, 1, 2 },		/* the first word does not fit behind the key: "exec =", then it */
	{ 195, 1, 2 },
	{ 196, 1, 3 },
	{ 197, 197, 3 },
};

START_TEST(lines_are_filled_to_their_end)
{
	static struct wanted wanted;
	char one[256] = "", two[256] = "";
	char *words[] = { one, two, NULL };
	struct service service = { .name = "echo", .exec = words };
	const char *wrong = NULL;

	memset(one, 'x', lengths[_i].first);
	memset(two, 'y', lengths[_i].second);
	wanted.key = "exec";
	ck_assert_msg(print_and_read(&service, &wanted, &wrong) == 0, "%s", wrong);
	ck_assert_uint_eq(wanted.lines, lengths[_i].lines);
	check_words("exec", words);
}
END_TEST

START_TEST(an_output_that_fails_is_told)
{
	struct conf conf = { .count = 0 };
	const char *wrong = NULL;

	ck_assert_ptr_nonnull(freopen("/dev/full", "w", stdout));
	ck_assert_int_eq(conf_print(&conf, &wrong), -1);
	ck_assert_str_eq(wrong, "standard output cannot be written");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("conf_print");
	TCase *tcase = unit_case(suite, "lines");

	tcase_add_loop_test(tcase, words_of_every_kind_survive_line_breaks, 0, ROWS(kinds));
	tcase_add_test(tcase, a_word_of_many_blanks_is_cut_at_none_of_them);
	tcase_add_test(tcase, a_word_longer_than_a_line_is_an_error);
	tcase_add_loop_test(tcase, lines_are_filled_to_their_end, 0, ROWS(lengths));
	tcase_add_test(tcase, an_output_that_fails_is_told);
	return unit_run(suite);
}
