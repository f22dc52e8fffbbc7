/*
 * unit.h - what the unit tests share: the way a suite is run, numbers that are
 * random and the same each time, files of a test's own, and the log as a text.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many rows a table has, as tcase_add_loop_test wants it. */
#define ROWS(table)	((int)(sizeof(table) / sizeof *(table)))

/* A string literal with its inner NULs, as (data, size). */
#define BYTES(text)	(text), sizeof(text) - 1

/* A test case of the suite. */
TCase	*unit_case(Suite *, const char *name);
/* Runs the suite as libcheck's environment variables say; what main returns. */
int	unit_run(Suite *);

/* A number from 0 to below, not included.  The state is the seed; never 0. */
uint32_t unit_random(uint32_t *state, uint32_t below);

/* "TMPDIR/name", in a buffer that the fourth call from now uses again. */
const char *unit_path(const char *name);
void	unit_write(const char *path, const void *data, size_t size);
/* The whole file, with a NUL behind it; free() it. */
char	*unit_read(const char *path);
/* The environment variable; fails the test where it is not set. */
const char *unit_env(const char *name);

/*
 * Runs the function in a process of its own, which may close, change and ruin
 * what it likes.  Gives its exit status, or 128 + N for signal N; text gets
 * what it wrote to standard output.
 */
int	unit_apart(int (*run)(const void *), const void *arg, char *text, size_t size);

/* From here on the log goes to a pipe (unit_log.c); level debug, no line lost up to 64 kB. */
void	unit_log_start(void);
/* What was logged since the last call; text lines without their time.  Valid until the next call. */
const char *unit_logged(void);

#endif
