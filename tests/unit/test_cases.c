/*
 * tests/cases says which test tries what.  A test that it names must be in its
 * suite's source, and be put into a case there, or it would never run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

enum { POINTS = 21 };

static const char *const folders[] = { "unit", "services", "e2e", "xinetd" };

/* The source of the suite, or NULL; free() it. */
static char *
source_of(const char *suite)
{
	char path[4096];

	for (int i = 0; i < ROWS(folders); i++) {
		snprintf(path, sizeof path, "%s/tests/%s/%s.c", unit_env("SRCDIR"), folders[i], suite);
		if (access(path, R_OK) == 0)
			return unit_read(path);
	}
	return NULL;
}

static bool
is_name_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '_';
}

/* How often the source has this name, as a word of its own. */
static int
count(const char *source, const char *name)
{
	size_t len = strlen(name);
	int found = 0;

	for (const char *at = source; (at = strstr(at, name)) != NULL; at += len)
		found += !is_name_byte(at[len]) && (at == source || !is_name_byte(at[-1]));
	return found;
}

/* "suite:test" */
static void
must_be_run(unsigned line, char *reference)
{
	char *test = strchr(reference, ':'), definition[256], *source;

	ck_assert_msg(test != NULL, "tests/cases:%u: '%s' is not SUITE:TEST", line, reference);
	*test++ = '\0';
	source = source_of(reference);
	ck_assert_msg(source != NULL, "tests/cases:%u: there is no suite '%s'", line, reference);
	snprintf(definition, sizeof definition, "START_TEST(%s)", test);
	ck_assert_msg(strstr(source, definition) != NULL, "tests/cases:%u: %s has no test '%s'", line,
	    reference, test);
	ck_assert_msg(count(source, test) >= 2, "tests/cases:%u: %s never runs '%s'", line, reference,
	    test);
	free(source);
}

static char *
cases(void)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/tests/cases", unit_env("SRCDIR"));
	return unit_read(path);
}

START_TEST(every_test_that_is_named_is_run)
{
	char *text = cases(), *rest = text, *line;
	unsigned number = 0, named = 0;

	while ((line = strsep(&rest, "\n")) != NULL) {
		number++;
		if (line[0] != '\t' || line[1] == '-')
			continue;
		must_be_run(number, line + 1);
		named++;
	}
	ck_assert_uint_gt(named, 0);
	free(text);
}
END_TEST

START_TEST(every_case_has_tests_or_a_reason)
{
	char *text = cases(), *rest = text, *line, what[128];
	unsigned number = 0, point, open_case = 0, seen[POINTS + 1] = { 0 };

	while ((line = strsep(&rest, "\n")) != NULL) {
		number++;
		if (line[0] == '#' || line[0] == '\0')
			continue;
		if (line[0] == '\t') {
			ck_assert_msg(line[1] != '-' || strlen(line) > strlen("\t- "),
			    "tests/cases:%u: no reason", number);
			open_case = 0;
			continue;
		}
		ck_assert_msg(open_case == 0, "tests/cases:%u: nothing stands below it", open_case);
		ck_assert_msg(sscanf(line, "%u %127[^\n]", &point, what) == 2 && point >= 1 &&
		    point <= POINTS, "tests/cases:%u: is no case: '%s'", number, line);
		seen[point]++;
		open_case = number;
	}
	ck_assert_msg(open_case == 0, "tests/cases:%u: nothing stands below it", open_case);
	for (point = 1; point <= POINTS; point++)
		ck_assert_msg(seen[point] > 0, "tests/cases: point %u is not there", point);
	free(text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cases");
	TCase *tcase = unit_case(suite, "cases");

	tcase_add_test(tcase, every_test_that_is_named_is_run);
	tcase_add_test(tcase, every_case_has_tests_or_a_reason);
	return unit_run(suite);
}
