/*
 * Whole configuration files: what superd -t accepts, what -T makes of it, and
 * every message about what is wrong, in its order.
 *
 * tests/conf/good/NAME.ini is accepted, and what -T prints reads back to the
 * same; the lines of NAME.out, where there is one, are among those printed, in
 * this order, and the warnings are those of NAME.err, where there is one.
 * tests/conf/bad/NAME.ini is refused with the messages of NAME.err, in which "@"
 * is the folder and "@services" that of the services.
 * A NAME that begins with "root_" needs root.  PATH begins with the folder's bin/.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "unit.h"

#define MOST_OUTPUT	(1 << 18)
#define ROOT_ONLY	"root_"
#define WARNING		" (warning)"

static glob_t good_files, bad_files;

/* The files that a glob below CONF names, sorted. */
static void
find_files(const char *pattern, glob_t *found)
{
	const char *conf = getenv("CONF");
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", conf != NULL ? conf : "", pattern);
	if (conf == NULL || glob(path, 0, NULL, found) != 0)
		found->gl_pathc = 0;
}

static const char *
base_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* "FOLDER/NAME.ini" to "FOLDER/NAME" and another ending; free() it. */
static char *
beside(const char *file, const char *ending)
{
	char *path;

	ck_assert_int_ne(asprintf(&path, "%.*s%s", (int)strlen(file) - 4, file, ending), -1);
	return path;
}

static char *
folder_of(const char *file)
{
	return strndup(file, (size_t)(base_name(file) - 1 - file));
}

/* superd OPTION -c FILE, in a process of its own. */
struct command {
	const char	*option, *file;
};

static int
superd_exec(const void *arg)
{
	const struct command *command = arg;
	const char *superd = unit_env("SUPERD"), *services = unit_env("SERVICES");
	int fd = open(unit_path("stderr"), O_WRONLY | O_CREAT | O_TRUNC, 0644);
	char path[8192];

	snprintf(path, sizeof path, "%s/bin:%s", unit_env("FOLDER"), unit_env("PATH"));
	if (fd == -1 || dup2(fd, STDERR_FILENO) == -1 || setenv("PATH", path, 1) == -1)
		return EX_OSERR;
	execl(superd, "superd", command->option, "-c", command->file, "-s", services, (char *)NULL);
	dprintf(STDERR_FILENO, "%s: %s; 'make' builds it\n", superd, strerror(errno));
	return EX_OSERR;
}

/* Its exit status; output is valid until the next call, errors are free()d by the caller. */
static int
superd_run(const char *option, const char *file, const char **output, char **errors)
{
	static char text[MOST_OUTPUT];
	const struct command command = { option, file };
	int status = unit_apart(superd_exec, &command, text, sizeof text);

	*output = text;
	*errors = unit_read(unit_path("stderr"));
	return status;
}

/* Where the next "old" or "other" stands, whichever is first, and its length; or the end. */
static size_t
next_of(const char *text, const char *old, const char *other, bool *is_other)
{
	const char *a = strstr(text, old), *b = strstr(text, other);

	*is_other = b != NULL && (a == NULL || b < a);
	if (*is_other)
		return (size_t)(b - text);
	return a != NULL ? (size_t)(a - text) : strlen(text);
}

/* The messages with "@" and "@services" in place of the two folders; frees text. */
static char *
without_paths(char *text, const char *folder)
{
	const char *services = unit_env("SERVICES"), *rest = text;
	char *plain = NULL;
	size_t size = 0, len;
	FILE *copy = open_memstream(&plain, &size);
	bool service;

	ck_assert_ptr_nonnull(copy);
	while (*rest != '\0') {
		len = next_of(rest, folder, services, &service);
		fwrite(rest, 1, len, copy);
		rest += len;
		if (*rest == '\0')
			break;
		fputs(service ? "@services" : "@", copy);
		rest += strlen(service ? services : folder);
	}
	ck_assert_int_eq(fclose(copy), 0);
	free(text);
	return plain;
}

/* Without root superd warns of what it cannot know or do; nothing else may be told. */
static void
assert_warnings(const char *file, const char *errors)
{
	while (*errors != '\0') {
		size_t len = strcspn(errors, "\n");

		ck_assert_msg(geteuid() != 0 && len > strlen(WARNING) &&
		    strncmp(errors + len - strlen(WARNING), WARNING, strlen(WARNING)) == 0,
		    "%s: %s", base_name(file), errors);
		errors += len + (errors[len] == '\n');
	}
}

/* Exactly those of the file's .err, or none. */
static void
assert_expected_warnings(const char *file, char *errors, const char *folder)
{
	char *path = beside(file, ".err"), *wanted;

	if (access(path, F_OK) == 0) {
		errors = without_paths(errors, folder);
		wanted = unit_read(path);
		ck_assert_msg(strcmp(errors, wanted) == 0, "%s: told is\n%s--- and not\n%s",
		    base_name(file), errors, wanted);
		free(wanted);
	} else {
		assert_warnings(file, errors);
	}
	free(errors);
	free(path);
}

/* A whole line of text, at its start or behind a newline. */
static const char *
find_line(const char *text, const char *line, size_t len)
{
	for (; *text != '\0'; text += strcspn(text, "\n"), text += *text == '\n')
		if (strncmp(text, line, len) == 0 && (text[len] == '\n' || text[len] == '\0'))
			return text;
	return NULL;
}

static void
assert_lines(const char *file, const char *text, const char *wanted)
{
	const char *rest = text;

	while (*wanted != '\0') {
		size_t len = strcspn(wanted, "\n");

		rest = find_line(rest, wanted, len);
		ck_assert_msg(rest != NULL, "%s: '%.*s' is not there, or not in this order:\n%s",
		    base_name(file), (int)len, wanted, text);
		rest += len + (rest[len] == '\n');
		wanted += len + (wanted[len] == '\n');
	}
}

/* Whether the test is left to another run, which is told; valgrind has no openat2(2) for a chroot. */
static bool
skipped(const char *file)
{
	const char *name = base_name(file), *valgrind = getenv("VALGRIND"), *needs = NULL;

	if (strncmp(name, ROOT_ONLY, strlen(ROOT_ONLY)) == 0 && geteuid() != 0)
		needs = "root";
	else if (strstr(name, "chroot") != NULL && valgrind != NULL && strcmp(valgrind, "1") == 0)
		needs = "superd itself, not valgrind";
	if (needs != NULL)
		printf("skipped: %s needs %s\n", name, needs);
	return needs != NULL;
}

/* Tells superd_exec where the file's own bin/ is. */
static char *
enter_folder(const char *file)
{
	char *folder = folder_of(file);

	ck_assert_int_eq(setenv("FOLDER", folder, 1), 0);
	return folder;
}

START_TEST(there_are_files_of_both_kinds)
{
	ck_assert_uint_gt(good_files.gl_pathc, 0);
	ck_assert_uint_gt(bad_files.gl_pathc, 0);
}
END_TEST

START_TEST(every_expectation_belongs_to_a_file)
{
	static const char *const patterns[] = { "good/*.out", "good/*.err", "bad/*.err" };
	glob_t found = { .gl_pathc = 0 };
	char *file;

	for (int i = 0; i < ROWS(patterns); i++) {
		find_files(patterns[i], &found);
		ck_assert_uint_gt(found.gl_pathc, 0);
		for (size_t j = 0; j < found.gl_pathc; j++) {
			file = beside(found.gl_pathv[j], ".ini");
			ck_assert_msg(access(file, R_OK) == 0, "there is no %s", file);
			free(file);
		}
		globfree(&found);
	}
}
END_TEST

START_TEST(a_good_file_is_accepted)
{
	const char *file = good_files.gl_pathv[_i], *output;
	char *folder = enter_folder(file), *errors;
	int status;

	if (!skipped(file)) {
		status = superd_run("-t", file, &output, &errors);
		ck_assert_msg(status == 0, "%s: status %d\n%s", base_name(file), status, errors);
		ck_assert_msg(strncmp(output, file, strlen(file)) == 0 &&
		    strstr(output, " services, ok\n") != NULL, "%s: %s", base_name(file), output);
		assert_expected_warnings(file, errors, folder);
	}
	free(folder);
}
END_TEST

START_TEST(what_is_printed_of_a_good_file_reads_back_to_the_same)
{
	const char *file = good_files.gl_pathv[_i], *output, *copy = unit_path("copy.ini");
	char *folder = enter_folder(file), *first, *errors, *wanted, *path = beside(file, ".out");
	int status;

	if (!skipped(file)) {
		status = superd_run("-T", file, &output, &errors);
		ck_assert_msg(status == 0, "%s: status %d\n%s", base_name(file), status, errors);
		free(errors);
		first = strdup(output);
		if (access(path, F_OK) == 0) {
			wanted = unit_read(path);
			assert_lines(file, first, wanted);
			free(wanted);
		}
		unit_write(copy, first, strlen(first));
		status = superd_run("-T", copy, &output, &errors);
		ck_assert_msg(status == 0, "%s, read back: status %d\n%s", base_name(file), status, errors);
		ck_assert_str_eq(output, first);
		free(errors);
		free(first);
	}
	free(path);
	free(folder);
}
END_TEST

START_TEST(a_bad_file_is_refused_with_these_messages)
{
	const char *file = bad_files.gl_pathv[_i], *output;
	char *folder = enter_folder(file), *errors, *wanted, *path = beside(file, ".err");
	int status;

	if (!skipped(file)) {
		status = superd_run("-t", file, &output, &errors);
		errors = without_paths(errors, folder);
		wanted = unit_read(path);
		ck_assert_msg(status == EX_CONFIG, "%s: status %d\n%s", base_name(file), status, errors);
		ck_assert_msg(*wanted != '\0', "%s is empty", path);
		ck_assert_msg(strcmp(errors, wanted) == 0, "%s: told is\n%s--- and not\n%s",
		    base_name(file), errors, wanted);
		ck_assert_str_eq(output, "");
		free(wanted);
		free(errors);
	}
	free(path);
	free(folder);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("conf_files");
	TCase *files = unit_case(suite, "files"), *good = unit_case(suite, "good");
	TCase *bad = unit_case(suite, "bad");
	int status;

	find_files("good/*.ini", &good_files);
	find_files("bad/*.ini", &bad_files);
	tcase_add_test(files, there_are_files_of_both_kinds);
	tcase_add_test(files, every_expectation_belongs_to_a_file);
	tcase_add_loop_test(good, a_good_file_is_accepted, 0, (int)good_files.gl_pathc);
	tcase_add_loop_test(good, what_is_printed_of_a_good_file_reads_back_to_the_same, 0,
	    (int)good_files.gl_pathc);
	tcase_add_loop_test(bad, a_bad_file_is_refused_with_these_messages, 0, (int)bad_files.gl_pathc);
	status = unit_run(suite);
	if (good_files.gl_pathc > 0)
		globfree(&good_files);
	if (bad_files.gl_pathc > 0)
		globfree(&bad_files);
	return status;
}
