/* The quoting of exec and env, and its way back. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"
#include "words.h"

/* What is split, and the words with a | behind each. */
static const struct {
	const char	*text, *words;
} splits[] = {
	{ "", "" },
	{ " \t ", "" },
	{ "one", "one|" },
	{ " one  two\tthree ", "one|two|three|" },
	{ "'one two'", "one two|" },
	{ "\"one two\"", "one two|" },
	{ "one\\ two", "one two|" },
	{ "''", "|" },
	{ "\"\"", "|" },
	{ "'' a \"\"", "|a||" },
	{ "a''b", "ab|" },
	{ "a'b c'd\"e f\"g\\ h", "ab cde fg h|" },
	{ "'a\"b'", "a\"b|" },
	{ "\"a'b\"", "a'b|" },
	{ "'a\\b'", "a\\b|" },			/* nothing is special in '...' */
	{ "'a\\'", "a\\|" },
	{ "a\\\\b", "a\\b|" },
	{ "a\\'b", "a'b|" },
	{ "a\\\"b", "a\"b|" },
	{ "\\a", "a|" },
	{ "\"a\\\"b\"", "a\"b|" },
	{ "\"a\\\\b\"", "a\\b|" },
	{ "\"a\\$b\\`c\"", "a$b`c|" },
	{ "\"a\\bc\"", "a\\bc|" },		/* in "..." it stays before what is not special */
	{ "\"a\\ b\"", "a\\ b|" },
	{ "$HOME ~ *.c `x` $(y)", "$HOME|~|*.c|`x`|$(y)|" },
	{ "a>b|c&d<e", "a>b|c&d<e|" },
	{ "a#b #c", "a#b|#c|" },
	{ "A=1 B='x y' C=", "A=1|B=x y|C=|" },
	{ "' '';'", " ;|" },
	{ "\303\244 '\377\001'", "\303\244|\377\001|" },
};

START_TEST(text_is_split_as_sh_does)
{
	struct arena arena = { .blocks = NULL };
	const char *wrong;
	char **words = words_split(&arena, splits[_i].text, &wrong), got[256] = "";

	ck_assert_msg(words != NULL, "%s: %s", splits[_i].text, wrong);
	for (unsigned i = 0; words[i] != NULL; i++)
		strcat(strcat(got, words[i]), "|");
	ck_assert_str_eq(got, splits[_i].words);
	arena_free(&arena);
}
END_TEST

static const struct {
	const char	*text, *wrong;
} errors[] = {
	{ "'a", "a ' that is not closed" },
	{ "a '", "a ' that is not closed" },
	{ "'a\\'b'", "a ' that is not closed" },
	{ "\"a", "a \" that is not closed" },
	{ "a \"b'c'", "a \" that is not closed" },
	{ "\"a\\\"", "a \" that is not closed" },
	{ "\"a\\", "a \" that is not closed" },
	{ "'a'\"", "a \" that is not closed" },
	{ "a\\", "a \\ at the end quotes nothing" },
	{ "a b \\", "a \\ at the end quotes nothing" },
};

START_TEST(a_quote_without_end_is_told)
{
	struct arena arena = { .blocks = NULL };
	const char *wrong = NULL;

	ck_assert_ptr_null(words_split(&arena, errors[_i].text, &wrong));
	ck_assert_str_eq(wrong, errors[_i].wrong);
	arena_free(&arena);
}
END_TEST

static const struct {
	const char	*word, *quoted;
} quotes[] = {
	{ "plain", "plain" },
	{ "/usr/bin/rsync", "/usr/bin/rsync" },
	{ "--port=873", "--port=873" },
	{ "", "''" },
	{ "a b", "'a b'" },
	{ "it's", "'it'\\''s'" },
	{ "\"", "'\"'" },
	{ "\\", "'\\'" },
	{ ";", "';'" },
	{ "#", "'#'" },
	{ "[", "'['" },
	{ " ;", "' '';'" },
	{ "a ;b ;c", "'a '';b '';c'" },
	{ "\t;", "'\t'';'" },
};

START_TEST(a_word_is_quoted_where_it_must_be)
{
	struct arena arena = { .blocks = NULL };

	ck_assert_str_eq(words_quote(&arena, quotes[_i].word), quotes[_i].quoted);
	arena_free(&arena);
}
END_TEST

/* Whether inih, or the line reader before it, would see a comment begin. */
static bool
has_comment(const char *text)
{
	for (; *text != '\0'; text++)
		if (isspace((unsigned char)text[0]) && text[1] == ';')
			return true;
	return false;
}

static void
check_words(const char *const *words, unsigned count)
{
	struct arena arena = { .blocks = NULL };
	const char *all = "", *wrong;
	char **back;

	for (unsigned i = 0; i < count; i++)
		all = arena_print(&arena, "%s%s%s", all, i > 0 ? " " : "", words_quote(&arena, words[i]));
	ck_assert_msg(!has_comment(all), "a comment begins in: %s", all);
	back = words_split(&arena, all, &wrong);
	ck_assert_msg(back != NULL, "%s: %s", all, wrong);
	ck_assert_msg(words_count(back) == count, "%s: %u words, not %u", all, words_count(back), count);
	for (unsigned i = 0; i < count; i++)
		ck_assert_str_eq(back[i], words[i]);
	arena_free(&arena);
}

/* All words of up to four of these. */
START_TEST(every_short_word_comes_back)
{
	static const char letters[] = "a \t;'\"\\=#[";
	const char first[2] = { letters[_i], '\0' };
	const unsigned base = sizeof letters;	/* the NUL is one too: shorter words */
	const char *word;
	char text[5];

	for (unsigned n = 0; n < base * base * base; n++) {
		snprintf(text, sizeof text, "%s%c%c%c", first, letters[n % base], letters[n / base % base],
		    letters[n / base / base]);
		word = text;
		check_words(&word, 1);
	}
}
END_TEST

START_TEST(random_words_come_back)
{
	static const char letters[] = "ab \t;'\"\\=#[]$\303\377";
	char texts[8][16];
	const char *words[8];
	uint32_t seed = 20000 + (uint32_t)_i;

	for (int round = 0; round < 500; round++) {
		unsigned count = unit_random(&seed, 9);

		for (unsigned i = 0; i < count; i++) {
			size_t len = unit_random(&seed, 16);

			for (size_t j = 0; j < len; j++)
				texts[i][j] = letters[unit_random(&seed, sizeof letters - 1)];
			texts[i][len] = '\0';
			words[i] = texts[i];
		}
		check_words(words, count);
	}
}
END_TEST

/* To inih every isspace(3) and a ';' behind it begin a comment, quotes or not. */
START_TEST(no_kind_of_blank_stands_before_a_semicolon)
{
	static const char blanks[] = " \t\v\f\r";
	char word[] = "a?;b";
	const char *words[] = { word };

	word[1] = blanks[_i];
	check_words(words, 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("words");
	TCase *split = unit_case(suite, "split"), *quote = unit_case(suite, "quote");

	tcase_add_loop_test(split, text_is_split_as_sh_does, 0, ROWS(splits));
	tcase_add_loop_test(split, a_quote_without_end_is_told, 0, ROWS(errors));
	tcase_add_loop_test(quote, a_word_is_quoted_where_it_must_be, 0, ROWS(quotes));
	tcase_add_loop_test(quote, every_short_word_comes_back, 0, 10);
	tcase_add_loop_test(quote, random_words_come_back, 0, 4);
	tcase_add_loop_test(quote, no_kind_of_blank_stands_before_a_semicolon, 0, 5);
	return unit_run(suite);
}
