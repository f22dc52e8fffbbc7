/*
 * xinetd2superd: each NAME.conf here becomes NAME.ini and says NAME.err, to the
 * letter. What it writes are lines that superd reads, and superd -t agrees with
 * them, as far as this version knows the keys.
 *
 * After a change on purpose: WRITE=1 make check-xinetd writes the files anew;
 * then look at what git says of them.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../contrib/xinetd2superd/attributes.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define LINE_BYTES 199 /* of superd.ini, the newline counted */

static const struct sample {
	const char *name; /* of the expected files */
	int status;
	const char *arguments[3];
} samples[] = {
	{ "empty", 0, { "empty.conf" } },
	{ "kinds", 1, { "kinds.conf" } },
	{ "listen", 1, { "listen.conf" } },
	{ "program", 1, { "program.conf" } },
	{ "user", 1, { "user.conf" } },
	{ "rlimits", 1, { "rlimits.conf" } },
	{ "access", 1, { "access.conf" } },
	{ "access-force", 1, { "-f", "access.conf" } },
	{ "hours", 1, { "hours.conf" } },
	{ "limits", 1, { "limits.conf" } },
	{ "banners", 1, { "banners.conf" } },
	{ "logs", 1, { "logs.conf" } },
	{ "logs-syslog", 1, { "logs-syslog.conf" } },
	{ "logs-odd", 1, { "logs-odd.conf" } },
	{ "flags", 1, { "flags.conf" } },
	{ "internal", 1, { "internal.conf" } },
	{ "sensor", 1, { "sensor.conf" } },
	{ "redirect", 1, { "redirect.conf" } },
	{ "lines", 1, { "lines.conf" } },
	{ "defaults", 1, { "defaults.conf" } },
	{ "names", 1, { "names.conf" } },
	{ "include", 1, { "include.conf" } },
	{ "packages", 1, { "packages.conf" } },
};

/*
 * What superd -t may say against the samples: what it does not do yet, to be
 * taken out of here when it does; and what the machine does not have.
 */
static const char *const excused[] = {
	"udp: is not served by this version", ": No such file or directory", "there is no user",
	"there is no group", "there is no program",
	"is not a port (0 to 65535, or a name in services(5))", "(warning)", /* without root */
};

static const char *
variable(const char *name)
{
	const char *value = getenv(name);

	ck_assert_msg(value != NULL, "%s is not set; tests/run does", name);
	return value;
}

/* Texts live as long as the test, which is a process. */
static char *kept[128];

static char *
keep(char *text)
{
	static size_t count;

	ck_assert(text != NULL && count < ARRAY_LEN(kept));
	return kept[count++] = text;
}

static char *
joined(const char *format, const char *a, const char *b)
{
	char *result;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	ck_assert(asprintf(&result, format, a, b) >= 0);
#pragma GCC diagnostic pop
	return keep(result);
}

static char *
slurp(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t room = 0;

	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	if (getdelim(&text, &room, EOF, file) == -1) {
		free(text);
		text = strdup("");
	}
	fclose(file);
	return keep(text);
}

static void
redirect(int fd, const char *path)
{
	int to = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (to == -1 || dup2(to, fd) == -1)
		_exit(126);
}

/* Runs argv[0] in folder with its outputs into files; the exit status. */
static int
run(const char *folder, const char *const *argv, const char *out, const char *err)
{
	int status;
	pid_t pid = fork();

	ck_assert(pid != -1);
	if (pid == 0) {
		char *const *words;

		memcpy(&words, &argv, sizeof words);
		redirect(1, out);
		redirect(2, err);
		if (chdir(folder) == 0)
			execv(argv[0], words);
		_exit(127);
	}
	ck_assert(waitpid(pid, &status, 0) == pid);
	ck_assert_msg(
	    WIFEXITED(status), "%s died of signal %d: %s", argv[0], WTERMSIG(status), slurp(err));
	return WEXITSTATUS(status);
}

static const char *
here(void)
{
	return joined("%s/tests/%s", variable("SRCDIR"), "xinetd");
}

static const char *
in_tmp(const char *name)
{
	return joined("%s/%s", variable("TMPDIR"), name);
}

static int
convert(
    const char *folder, const char *const *arguments, const char *out, const char *err)
{
	const char *argv[5] = { joined("%s/%s", variable("BIN"), "xinetd2superd") };

	for (size_t i = 0; i < 3 && arguments[i] != NULL; i++)
		argv[i + 1] = arguments[i];
	return run(folder, argv, out, err);
}

/* Asserts that both files say the same, and tells the first line that does not. */
static void
compare(const char *got_path, const char *wanted_path)
{
	char *got = slurp(got_path), *wanted;
	unsigned line = 1;
	size_t at = 0;

	if (getenv("WRITE") != NULL) {
		FILE *file = fopen(wanted_path, "w");

		ck_assert(file != NULL && fputs(got, file) != EOF && fclose(file) == 0);
	}
	wanted = slurp(wanted_path);
	for (size_t i = 0; got[i] != '\0' && got[i] == wanted[i]; i++)
		if (got[i] == '\n') {
			line++;
			at = i + 1;
		}
	ck_assert_msg(strcmp(got, wanted) == 0, "%s:%u: expected '%.*s', got '%.*s'", wanted_path,
	    line, (int)strcspn(wanted + at, "\n"), wanted + at, (int)strcspn(got + at, "\n"),
	    got + at);
}

START_TEST(sample_is_converted)
{
	const struct sample *sample = &samples[_i];
	const char *out = in_tmp("out"), *err = in_tmp("err");

	ck_assert_int_eq(convert(here(), sample->arguments, out, err), sample->status);
	compare(out, joined("%s/%s.ini", here(), sample->name));
	compare(err, joined("%s/%s.err", here(), sample->name));
}
END_TEST

START_TEST(lines_are_short_and_clean)
{
	char *text = slurp(joined("%s/%s.ini", here(), samples[_i].name));

	for (char *line = text, *next; *line != '\0'; line = next) {
		size_t length = strcspn(line, "\n");

		next = line + length + 1;
		ck_assert_msg(line[length] == '\n', "the last line has no end");
		ck_assert_msg(
		    length + 1 <= LINE_BYTES, "%zu bytes: %.*s", length + 1, (int)length, line);
		ck_assert_msg(length == 0 || line[length - 1] != ' ', "a blank at the end: %.*s",
		    (int)length, line);
		ck_assert_msg(*line == ';' || memmem(line, length, " ;", 2) == NULL,
		    "cut at a comment: %.*s", (int)length, line);
	}
}
END_TEST

static bool
is_excused(const char *line)
{
	for (size_t i = 0; i < ARRAY_LEN(excused); i++)
		if (strstr(line, excused[i]) != NULL)
			return true;
	return false;
}

START_TEST(superd_agrees)
{
	const char *ini = joined("%s/%s.ini", here(), samples[_i].name);
	const char *argv[] = { variable("SUPERD"), "-t", "-s", variable("SERVICES"), "-c", ini,
		NULL };
	const char *out = in_tmp("out"), *err = in_tmp("err");
	int status = run("/", argv, out, err);
	char *said = slurp(err), *rest = said, *line;
	bool all_excused = true;

	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line != '\0' && !is_excused(line)) {
			all_excused = false;
			printf("%s\n", line);
		}
	ck_assert(all_excused);
	ck_assert_msg(status == 0 || status == 78, "exit status %d", status);
}
END_TEST

/* What cannot be in a source tree: files that are closed, or no files. */
START_TEST(included_files_are_only_plain_ones)
{
	const char *const arguments[] = { "xinetd.conf", NULL };
	const char *folder = in_tmp("conf"), *out = in_tmp("out"), *err = in_tmp("err");
	FILE *file;

	ck_assert(mkdir(folder, 0755) == 0);
	ck_assert(mkdir(joined("%s/%s", folder, "xinetd.d"), 0755) == 0);
	ck_assert((file = fopen(joined("%s/%s", folder, "xinetd.conf"), "w")) != NULL);
	ck_assert(fputs("includedir xinetd.d\n", file) != EOF && fclose(file) == 0);
	ck_assert(mkfifo(joined("%s/%s", folder, "xinetd.d/fifo"), 0644) == 0);
	ck_assert(
	    close(open(joined("%s/%s", folder, "xinetd.d/closed"), O_WRONLY | O_CREAT, 0)) == 0);
	ck_assert_int_eq(convert(folder, arguments, out, err), 1);
	ck_assert_str_eq(slurp(err),
	    geteuid() == 0 ? "xinetd.conf:1: includedir: xinetd.d/fifo: is not a regular file; "
			     "skipped, as by xinetd\n"
			   : "xinetd.conf:1: include: xinetd.d/closed: Permission denied\n"
			     "xinetd.conf:1: includedir: xinetd.d/fifo: is not a regular file; "
			     "skipped, as by xinetd\n");
}
END_TEST

/* Whether some line begins with the name. */
static bool
has_attribute(const char *conf, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = conf; (line = strchr(line, '\n')) != NULL;) {
		line++;
		line += strspn(line, " \t");
		if (strncmp(line, name, length) == 0 &&
		    (line[length] == ' ' || line[length] == '\t'))
			return true;
	}
	return false;
}

/* The page names each attribute, and some sample has it. */
START_TEST(attribute_is_described_and_tried)
{
	static const char *const names[] = {
#define X(id, name, values, traits) name,
		ATTRIBUTES_OF(X)
#undef X
	};
	const char *page =
	    slurp(joined("%s/%s", variable("SRCDIR"), "contrib/xinetd2superd/xinetd2superd.1"));
	bool used[ARRAY_LEN(names)] = { false };

	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		const char *file = samples[i].arguments[1] != NULL ? samples[i].arguments[1]
								   : samples[i].arguments[0];
		const char *conf = slurp(joined("%s/%s", here(), file));

		for (size_t j = 0; j < ARRAY_LEN(names); j++)
			used[j] |= has_attribute(conf, names[j]);
	}
	for (size_t j = 0; j < ARRAY_LEN(names); j++) {
		ck_assert_msg(strstr(page, names[j]) != NULL, "%s is not in the page", names[j]);
		ck_assert_msg(used[j], "%s is in no sample", names[j]);
	}
}
END_TEST

static const struct {
	const char *arguments[3];
	int status;
	const char *out, *err; /* how they begin */
} calls[] = {
	{ { "-h" }, 0, "usage: xinetd2superd", "" },
	{ { "-x" }, 64, "", "" },
	{ { "a", "b" }, 64, "", "usage: xinetd2superd" },
	{ { "there-is-no.conf" }, 2, "",
	    "xinetd2superd: there-is-no.conf: No such file or directory\n" },
	{ { "." }, 2, "", "xinetd2superd: .: Is a directory\n" },
};

START_TEST(call_is_answered)
{
	const char *out = in_tmp("out"), *err = in_tmp("err");
	char *said, *complained;

	ck_assert_int_eq(convert(here(), calls[_i].arguments, out, err), calls[_i].status);
	said = slurp(out);
	complained = slurp(err);
	ck_assert_msg(strncmp(said, calls[_i].out, strlen(calls[_i].out)) == 0, "%s", said);
	ck_assert(*calls[_i].out != '\0' || *said == '\0');
	ck_assert_msg(
	    strncmp(complained, calls[_i].err, strlen(calls[_i].err)) == 0, "%s", complained);
}
END_TEST

START_TEST(full_disk_is_told)
{
	const char *const arguments[] = { "packages.conf", NULL };
	const char *err = in_tmp("err");

	if (access("/dev/full", W_OK) != 0)
		return;
	ck_assert_int_eq(convert(here(), arguments, "/dev/full", err), 2);
	ck_assert(strstr(slurp(err), "standard output cannot be written\n") != NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("xinetd2superd");
	TCase *tcase = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, sample_is_converted, 0, ARRAY_LEN(samples));
	tcase_add_loop_test(tcase, lines_are_short_and_clean, 0, ARRAY_LEN(samples));
	tcase_add_loop_test(tcase, superd_agrees, 0, ARRAY_LEN(samples));
	tcase_add_test(tcase, included_files_are_only_plain_ones);
	tcase_add_loop_test(tcase, call_is_answered, 0, ARRAY_LEN(calls));
	tcase_add_test(tcase, full_disk_is_told);
	tcase_add_test(tcase, attribute_is_described_and_tried);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
