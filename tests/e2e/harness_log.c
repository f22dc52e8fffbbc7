/*
 * Reading the daemon's log: lines are found by their event and their fields,
 * never by their place, so that lines of other events do not matter.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINES = 16, LINE_SIZE = 4096 };

void
log_read(struct daemon *d)
{
	char block[65536];
	ssize_t got;
	int fd = open(d->log_path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return;		/* a log file that the daemon has not made yet */
	while ((got = pread(fd, block, sizeof block, (off_t)d->log_len)) > 0) {
		char *longer = realloc(d->log, d->log_len + (size_t)got + 1);

		if (longer == NULL)
			abort();
		memcpy(longer + d->log_len, block, (size_t)got);
		d->log = longer;
		d->log_len += (size_t)got;
		d->log[d->log_len] = '\0';
	}
	close(fd);
}

void
log_mark(struct daemon *d)
{
	log_read(d);
	d->mark = d->log_len;
}

/* Fields are separated by blanks; the first three words are time, level and event. */
static bool
has_field(const char *line, const char *field)
{
	size_t len = strlen(field);
	bool prefix = len > 0 && field[len - 1] == '*';
	char want[512];

	if (field[0] == '~')
		return strstr(line, field + 1) != NULL;
	snprintf(want, sizeof want, " %.*s", (int)(prefix ? len - 1 : len), field);
	for (const char *at = line; (at = strstr(at, want)) != NULL; at++) {
		char after = at[strlen(want)];

		if (prefix || after == ' ' || after == '\0')
			return true;
	}
	return false;
}

static bool
has_event(const char *line, const char *event)
{
	const char *at = line;
	size_t len;

	if (event == NULL)
		return true;
	len = strlen(event);
	for (int word = 0; word < 2; word++) {
		if ((at = strchr(at, ' ')) == NULL)
			return false;
		at++;
	}
	return strncmp(at, event, len) == 0 && (at[len] == ' ' || at[len] == '\0');
}

static bool
line_fits(const char *line, const char *event, va_list fields)
{
	const char *field;

	if (!has_event(line, event))
		return false;
	while ((field = va_arg(fields, const char *)) != NULL)
		if (!has_field(line, field))
			return false;
	return true;
}

/* Copies the next whole line at *at into line; a line without its newline is not there yet. */
static bool
next_line(const char **at, char *line)
{
	const char *end = strchr(*at, '\n');
	size_t len;

	if (end == NULL)
		return false;
	len = (size_t)(end - *at);
	if (len >= LINE_SIZE)
		len = LINE_SIZE - 1;
	memcpy(line, *at, len);
	line[len] = '\0';
	*at = end + 1;
	return true;
}

static const char *
find(struct daemon *d, const char *event, va_list wanted)
{
	static char lines[LINES][LINE_SIZE];
	static unsigned turn;
	char *line = lines[turn % LINES];
	const char *at;
	bool fits = false;

	log_read(d);
	at = d->log + d->mark;
	while (!fits && next_line(&at, line)) {
		va_list fields;

		va_copy(fields, wanted);
		fits = line_fits(line, event, fields);
		va_end(fields);
	}
	turn += fits;	/* what was found stays valid for the next LINES - 1 finds */
	return fits ? line : NULL;
}

const char *
log_find(struct daemon *d, const char *event, ...)
{
	const char *line;
	va_list fields;

	va_start(fields, event);
	line = find(d, event, fields);
	va_end(fields);
	return line;
}

const char *
log_line(struct daemon *d, const char *event, ...)
{
	const char *line;
	va_list fields;

	va_start(fields, event);
	await((line = find(d, event, fields)) != NULL);
	va_end(fields);
	return line;
}

/* Of all that was ever said: a test may look at a part. */
static unsigned
count_status(struct daemon *d)
{
	size_t mark = d->mark;
	unsigned count;

	d->mark = 0;
	count = log_count(d, "status", "services=*", NULL);
	d->mark = mark;
	return count;
}

void
log_settle(struct daemon *d)
{
	unsigned before = count_status(d);

	if (d->pid <= 0)
		return;		/* it has ended */
	must(kill(d->pid, SIGUSR1) == 0);
	await(count_status(d) > before);
}

unsigned
log_count(struct daemon *d, const char *event, ...)
{
	static char line[LINE_SIZE];
	unsigned count = 0;
	const char *at;

	log_read(d);
	at = d->log + d->mark;
	while (next_line(&at, line)) {
		va_list fields;

		va_start(fields, event);
		count += line_fits(line, event, fields);
		va_end(fields);
	}
	return count;
}

/* The lines of an event and those that its "held=N" lines stand for. */
unsigned
log_total(struct daemon *d, const char *event, const char *field)
{
	static char line[LINE_SIZE];
	unsigned total = log_count(d, event, field, NULL);
	const char *at = d->log + d->mark, *held;

	while (next_line(&at, line))
		if (has_event(line, event) && has_field(line, field) &&
		    (held = strstr(line, " held=")) != NULL)
			total += (unsigned)strtoul(held + strlen(" held="), NULL, 10) - 1;
	return total;
}

const char *
log_value(const char *line, const char *key)
{
	static char values[LINES][512];
	static unsigned turn;
	char *value = values[turn++ % LINES], want[64];
	const char *at;
	size_t len;

	snprintf(want, sizeof want, " %s=", key);
	value[0] = '\0';
	if (line == NULL || (at = strstr(line, want)) == NULL)
		return value;
	at += strlen(want);
	len = at[0] == '"' ? strcspn(at + 1, "\"") + 2 : strcspn(at, " ");
	snprintf(value, sizeof values[0], "%.*s", (int)len, at);
	return value;
}

long
log_number(const char *line, const char *key)
{
	const char *value = log_value(line, key);

	if (value[0] == '\0')
		flunk("no %s= in: %s", key, line == NULL ? "(no such line)" : line);
	return strtol(value, NULL, 10);
}
