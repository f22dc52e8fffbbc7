/*
 * stderr_lines.c - see stderr_lines.h.
 *
 * A program that floods must cost nobody else anything: a bounded number of
 * bytes is read in a round and in a tick, and then the pipe stays full, so
 * that the flood waits and not superd.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "descriptor.h"
#include "events.h"
#include "stderr_lines.h"

static char buffer[STDERR_READ];	/* one for all: it is empty again after each call */

static void
tell_held(struct stderr_lines *lines)
{
	if (lines->held > 0)
		event_stderr_held(lines->service, lines->held);
	lines->held = 0;
}

static void
log_line(struct stderr_lines *lines)
{
	if (lines->loop->now - lines->second_since >= 1000) {
		lines->second_since = lines->loop->now;
		lines->lines = 0;
		tell_held(lines);
	}
	lines->text[lines->used] = '\0';
	if (lines->used > 0 && lines->lines++ < STDERR_LINES)
		event_stderr(lines->service, lines->text);
	else if (lines->used > 0)
		lines->held++;
	lines->used = 0;
}

/* A NUL would end the text early: it is shown as a blank. */
static void
take(struct stderr_lines *lines, const char *bytes, size_t len)
{
	for (const char *end = bytes + len; bytes < end;) {
		const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
		size_t part = (size_t)((newline != NULL ? newline : end) - bytes);

		if (part > STDERR_LINE_BYTES - lines->used)
			part = STDERR_LINE_BYTES - lines->used, newline = NULL;
		memcpy(lines->text + lines->used, bytes, part);
		for (size_t i = lines->used; i < lines->used + part; i++)
			if (lines->text[i] == '\0')
				lines->text[i] = ' ';
		lines->used += (uint32_t)part;
		bytes += part;
		if (newline != NULL)
			bytes++;
		if (newline != NULL || lines->used == STDERR_LINE_BYTES)
			log_line(lines);
	}
}

static ssize_t
read_some(struct stderr_lines *lines)
{
	ssize_t len = read(lines->read_fd, buffer, sizeof buffer);

	if (len > 0)
		take(lines, buffer, (size_t)len);
	return len;
}

static void	lines_ready(struct watch *);

/* Also ends the wait of a flood, and tells what was held back once that has stopped. */
static void
tick_due(struct timer *timer)
{
	struct stderr_lines *lines = container_of(timer, struct stderr_lines, tick);

	if (lines->watch.pool == NULL)
		(void)watch_add(&lines->watch, &lines->loop->pool, lines->read_fd, lines_ready);
	if (lines->held > 0 && lines->loop->now - lines->second_since >= 1000)
		tell_held(lines);
	if (lines->held > 0)
		(void)timer_start(lines->loop, timer, 1000, tick_due);
}

static void
lines_ready(struct watch *watch)
{
	struct stderr_lines *lines = container_of(watch, struct stderr_lines, watch);
	ssize_t len;

	if (lines->loop->now - lines->tick_since >= STDERR_TICK_MS) {
		lines->tick_since = lines->loop->now;
		lines->ticked = 0;
	}
	if ((len = read_some(lines)) <= 0)
		return;
	lines->ticked += (uint32_t)len;
	if (lines->ticked >= STDERR_TICK_BYTES) {
		if (timer_start(lines->loop, &lines->tick, STDERR_TICK_MS, tick_due) == 0)
			watch_remove(watch);
	} else if (lines->held > 0 && lines->tick.place == 0) {
		(void)timer_start(lines->loop, &lines->tick, 1000, tick_due);
	}
}

struct stderr_lines *
stderr_open(struct loop *loop, const char *service)
{
	struct stderr_lines *lines = calloc(1, sizeof *lines);
	int ends[2];

	if (lines == NULL)
		return NULL;
	if (pipe2(ends, O_CLOEXEC) == -1) {
		free(lines);
		return NULL;
	}
	lines->loop = loop;
	lines->service = service;
	lines->read_fd = ends[0] = descriptor_high(ends[0]);
	lines->write_fd = ends[1];
	/* Only superd's end: a program must find the pipe blocking, as any other. */
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 &&
	    watch_add(&lines->watch, &loop->pool, ends[0], lines_ready) == 0)
		return lines;
	stderr_close(lines);
	return NULL;
}

void
stderr_rename(struct stderr_lines *lines, const char *service)
{
	if (lines != NULL)
		lines->service = service;
}

void
stderr_flush(struct stderr_lines *lines)
{
	/* A pipe holds no more than one read; a flood's rest comes by the loop. */
	(void)read_some(lines);
	if (lines->used > 0)
		log_line(lines);
}

void
stderr_close(struct stderr_lines *lines)
{
	int saved = errno;

	if (lines == NULL)
		return;
	stderr_flush(lines);
	tell_held(lines);
	watch_remove(&lines->watch);
	timer_stop(lines->loop, &lines->tick);
	close(lines->read_fd);
	close(lines->write_fd);
	free(lines);
	errno = saved;
}
