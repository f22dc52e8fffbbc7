/*
 * qotd: its own sayings, and the files of others.
 */
#include "filter.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUOTE_MAX 512
#define SAYING_MAX 128		/* of those that are built in */

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

static Suite *
qotd_suite(void)
{
	Suite *suite = suite_create("qotd");
	TCase *tc = filter_case("quotes");

	tcase_add_test(tc, qotd_says_something);
	tcase_add_loop_test(tc, qotd_reads_fortune_files, 0, ARRAY_LEN(files));
	tcase_add_test(tc, qotd_chooses_any_of_a_file);
	tcase_add_test(tc, qotd_never_sends_what_is_too_long);
	tcase_add_loop_test(tc, qotd_reads_long_files, 0, 16);
	tcase_add_test(tc, qotd_without_its_file);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return filter_main(qotd_suite());
}
