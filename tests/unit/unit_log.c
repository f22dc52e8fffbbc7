/* unit_log.c - the log as a text; see unit.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "unit.h"

static int log_end_read = -1;
static char logged[1 << 17];

/* Standard error is this process's own: libcheck forks for each test. */
void
unit_log_start(void)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close(ends[1]);
	log_end_read = ends[0];
	unsetenv("JOURNAL_STREAM");
	log_init();
	ck_assert_int_eq(log_open(NULL, LOG_FORMAT_TEXT, LOG_LEVEL_DEBUG), 0);
	log_started();
}

/* Takes "2026-11-21T10:04:05.123Z " from the beginning of each line. */
static void
cut_times(char *text)
{
	char *to = text;

	while (*text != '\0') {
		size_t len = strcspn(text, "\n"), time = strcspn(text, " \n");

		len += text[len] == '\n';
		if (*text >= '0' && *text <= '9' && text[time] == ' ') {
			text += time + 1;
			len -= time + 1;
		}
		memmove(to, text, len);
		to += len;
		text += len;
	}
	*to = '\0';
}

const char *
unit_logged(void)
{
	size_t used = 0;
	ssize_t len;

	log_flush();
	while ((len = read(log_end_read, logged + used, sizeof logged - 1 - used)) > 0)
		used += (size_t)len;
	logged[used] = '\0';
	cut_times(logged);
	return logged;
}
