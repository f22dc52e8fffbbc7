/* unit.c - see unit.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

TCase *
unit_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	suite_add_tcase(suite, tcase);
	return tcase;
}

int
unit_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Marsaglia's xorshift: short, and the same everywhere. */
uint32_t
unit_random(uint32_t *state, uint32_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state % below;
}

const char *
unit_env(const char *name)
{
	const char *value = getenv(name);

	ck_assert_msg(value != NULL, "%s is not set: tests/run does that", name);
	return value;
}

const char *
unit_path(const char *name)
{
	static char paths[4][4096];
	static unsigned at;
	const char *folder = getenv("TMPDIR");
	char *path = paths[at++ % 4];

	snprintf(path, sizeof *paths, "%s/%s", folder != NULL ? folder : "/tmp", name);
	return path;
}

void
unit_write(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "w");

	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	ck_assert_uint_eq(fwrite(data, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
}

char *
unit_read(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;
	FILE *copy = open_memstream(&text, &size);
	int byte;

	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	ck_assert_ptr_nonnull(copy);
	while ((byte = getc(file)) != EOF)
		putc(byte, copy);
	ck_assert_int_eq(ferror(file), 0);
	fclose(file);
	ck_assert_int_eq(fclose(copy), 0);
	return text;
}

int
unit_apart(int (*run)(const void *), const void *arg, char *text, size_t size)
{
	size_t used = 0;
	ssize_t len;
	int ends[2], status;
	pid_t pid;

	fflush(NULL);
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_ne(pid = fork(), -1);
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		status = run(arg);
		fflush(stdout);
		_exit(status);
	}
	close(ends[1]);
	while (used < size - 1 && (len = read(ends[0], text + used, size - 1 - used)) > 0)
		used += (size_t)len;
	text[used] = '\0';
	close(ends[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
