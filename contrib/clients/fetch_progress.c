/*
 * What a person sees: messages, and on a terminal one line that tells how far
 * the download is.
 */
#include "fetch.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define STEP_US 200000		/* between two looks of the line */
#define BAR_MAX 40
#define LINE_SIZE 512

static struct {
	bool    shown;		/* there is a line */
	char    label[64];
	off_t   begun;		/* bytes that were there before */
	off_t   held;
	off_t   total;		/* -1: unknown */
	int64_t begun_us;
	int64_t drawn_us;
} progress;

void
fetch_say(const char *format, ...)
{
	va_list args;

	if (progress.shown)
		fputc('\n', stderr);
	progress.drawn_us = 0;
	fputs("fetch: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

/* Copies text for a terminal, which control characters could steer. */
static void
clean(char *to, size_t room, const char *text, size_t size)
{
	size_t n = size < room - 1 ? size : room - 1;

	for (size_t i = 0; i < n; i++)
		to[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i];
	to[n] = '\0';
}

void
fetch_say_server(const char *text, size_t size)
{
	char line[200];

	clean(line, sizeof line, text, size);
	fetch_say("the server says: %s", line);
}

static const char *
amount(char text[16], double bytes)
{
	static const char units[] = " kMGTPE";
	size_t unit = 0;

	for (; bytes >= 999.5 && units[unit + 1] != '\0'; bytes /= 1024)
		unit++;
	snprintf(text, 16, bytes < 9.95 && unit > 0 ? "%.1f%c" : "%.0f%c", bytes, units[unit]);
	if (unit == 0)
		text[strlen(text) - 1] = '\0';
	return text;
}

static size_t
columns(void)
{
	struct winsize size;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

/* How much there is, at what rate, and how long the rest will take. */
static void
figures(char text[128], int64_t now_us)
{
	const double seconds = (double)(now_us - progress.begun_us + 1) / 1e6;
	const double rate = (double)(progress.held - progress.begun) / seconds;
	char held[16], total[16], speed[16], left[32] = "";
	int64_t rest;

	amount(held, (double)progress.held);
	amount(total, (double)progress.total);
	amount(speed, rate);
	if (progress.total < 0) {
		snprintf(text, 128, "%s  %s/s", held, speed);
		return;
	}
	rest = rate >= 1 ? (int64_t)((double)(progress.total - progress.held) / rate + 0.5) : -1;
	if (progress.held == progress.total)
		snprintf(left, sizeof left, "in %.1f s", seconds);
	else if (rest >= 0 && rest < 360000)
		snprintf(left, sizeof left, "%d:%02d:%02d left", (int)(rest / 3600),
		    (int)(rest / 60 % 60), (int)(rest % 60));
	snprintf(text, 128, "%s/%s  %s/s  %s", held, total, speed, left);
}

static void
draw(int64_t now_us)
{
	char line[LINE_SIZE], text[128], bar[BAR_MAX + 1];
	const size_t width = columns();
	const double part = progress.total > 0 ? (double)progress.held / (double)progress.total : 1;
	size_t used, size;

	progress.drawn_us = now_us;
	figures(text, now_us);
	used = strlen(progress.label) + strlen(text) + 12;
	if (progress.total < 0) {
		snprintf(line, sizeof line, "%s  %s", progress.label, text);
	} else if (used + 10 > width) {
		snprintf(line, sizeof line, "%s  %3d%%  %s", progress.label, (int)(part * 100), text);
	} else {
		size = width - used < BAR_MAX ? width - used : BAR_MAX;
		memset(bar, ' ', size);
		memset(bar, '=', (size_t)(part * (double)size));
		bar[size] = '\0';
		snprintf(line, sizeof line, "%s  %3d%% [%s]  %s", progress.label,
		    (int)(part * 100), bar, text);
	}
	/* A line as long as the terminal is wide would wrap; what is behind it is erased. */
	fprintf(stderr, "\r%.*s\033[K", (int)(width - 1), line);
}

void
fetch_progress_begin(const struct fetch_job *job, off_t held, off_t total)
{
	const char *base = strrchr(job->path, '/');

	base = base != NULL ? base + 1 : job->path;
	progress.shown = !job->quiet && isatty(STDERR_FILENO);
	clean(progress.label, sizeof progress.label, base, strlen(base));
	progress.begun = progress.held = held;
	progress.total = total;
	progress.begun_us = fetch_now_us();
	if (progress.shown)
		draw(progress.begun_us);
}

void
fetch_progress(off_t held)
{
	int64_t now_us;

	progress.held = held;
	if (!progress.shown)
		return;
	now_us = fetch_now_us();
	if (now_us - progress.drawn_us >= STEP_US)
		draw(now_us);
}

void
fetch_progress_end(void)
{
	if (!progress.shown)
		return;
	draw(fetch_now_us());
	fputc('\n', stderr);
	progress.shown = false;
}
