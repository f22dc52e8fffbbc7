/* log.c - see log.h.  The sinks are in log_sink.c. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bounds.h"
#include "decimal.h"
#include "log.h"
#include "log_sink.h"

static const char *const level_name[] = { "error", "warning", "notice", "info", "debug" };

static struct {
	enum log_format	 format;
	enum log_level	 most;		/* lines above it are not wanted */
	enum log_level	 level;		/* of the line at hand */
	char		 line[LOG_LINE_BYTES];
	size_t		 len;
	time_t		 second;	/* that stamp tells */
	char		 stamp[24];	/* "2026-11-21T10:04:05" */
	int		 saved_errno;
} self = { .most = LOG_LEVEL_INFO };

/* The line keeps room for its end: a closing brace and a newline. */
#define ROOM	(sizeof self.line - 8)

void
log_init(void)
{
	sink_init();
}

int
log_open(const char *where, enum log_format format, enum log_level most)
{
	if (sink_open(where) == -1)
		return -1;
	self.format = format;
	self.most = most;
	return 0;
}

void
log_close(void)
{
	sink_close();
}

void
log_started(void)
{
	sink_started();
}

void
log_without_stderr(void)
{
	sink_without_stderr();
}

bool
log_wants(enum log_level level)
{
	return level <= self.most;
}

static void
put(const char *text, size_t len)
{
	if (len > ROOM - self.len)
		len = ROOM - self.len;
	memcpy(self.line + self.len, text, len);
	self.len += len;
}

static void
put_text(const char *text)
{
	put(text, strlen(text));
}

/* UTC, so that lines of different boxes compare and no time is ever there twice. */
static void
put_time(void)
{
	struct timespec now;
	struct tm parts;
	char ms[8] = ".";

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != self.second && gmtime_r(&now.tv_sec, &parts) != NULL) {
		strftime(self.stamp, sizeof self.stamp, "%Y-%m-%dT%H:%M:%S", &parts);
		self.second = now.tv_sec;
	}
	(void)stpcpy(decimal_put_padded(ms + 1, (uint64_t)now.tv_nsec / 1000000, 3), "Z");
	put_text(self.stamp);
	put_text(ms);
}

void
log_begin(enum log_level level, const char *event)
{
	self.saved_errno = errno;
	self.level = level;
	self.len = 0;
	if (self.format == LOG_FORMAT_JSON) {
		put_text("{\"time\":\"");
		put_time();
		put_text("\",\"level\":\"");
		put_text(level_name[level]);
		put_text("\",\"event\":\"");
		put_text(event);
		put_text("\"");
		return;
	}
	if (sink_wants_time()) {
		put_time();
		put_text(" ");
	}
	put_text(level_name[level]);
	put_text(" ");
	put_text(event);
}

static void
put_key(const char *key)
{
	if (self.format == LOG_FORMAT_JSON) {
		put_text(",\"");
		put_text(key);
		put_text("\":");
	} else {
		put_text(" ");
		put_text(key);
		put_text("=");
	}
}

/* The length of a well-formed UTF-8 sequence of more than one byte (RFC 3629), or 0. */
static size_t
utf8_length(const unsigned char *text)
{
	size_t len = *text >= 0xF0 && *text <= 0xF4 ? 4 : *text >= 0xE0 ? 3 : *text >= 0xC2 ? 2 : 0;

	if (len == 0 || *text > 0xF4)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((text[i] & 0xC0) != 0x80)
			return 0;
	if ((*text == 0xE0 && text[1] < 0xA0) || (*text == 0xED && text[1] > 0x9F) ||
	    (*text == 0xF0 && text[1] < 0x90) || (*text == 0xF4 && text[1] > 0x8F))
		return 0;
	if (*text == 0xC2 && text[1] < 0xA0)	/* C1 controls: a terminal may obey them */
		return 0;
	return len;
}

/* No byte gets through that could end a line, end a value or steer a terminal. */
static void
put_escaped(const char *value)
{
	const unsigned char *at = (const unsigned char *)value;
	char escape[8];
	size_t len;

	for (; *at != '\0' && self.len < ROOM - 12; at += len) {
		len = 1;
		if (*at == '"' || *at == '\\') {
			escape[0] = '\\';
			escape[1] = (char)*at;
			put(escape, 2);
		} else if (*at == '\n' || *at == '\t' || *at == '\r') {
			put_text(*at == '\n' ? "\\n" : *at == '\t' ? "\\t" : "\\r");
		} else if (*at >= ' ' && *at < 0x7f) {
			put((const char *)at, 1);
		} else if ((len = utf8_length(at)) > 0) {
			put((const char *)at, len);
		} else {
			len = 1;
			snprintf(escape, sizeof escape, self.format == LOG_FORMAT_JSON ? "\\u%04x" :
			    "\\x%02x", *at);
			put_text(escape);
		}
	}
}

void
log_text(const char *key, const char *value)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789!#$%&()*+,-./:;<>?@[]^_{|}~=";

	put_key(key);
	if (self.format == LOG_FORMAT_TEXT && *value != '\0' && strspn(value, plain) == strlen(value)) {
		put_text(value);
		return;
	}
	put_text("\"");
	put_escaped(value);
	put_text("\"");
}

void
log_number(const char *key, uint64_t value)
{
	char text[DECIMAL_TEXT];
	const char *end = decimal_put(text, value);

	put_key(key);
	put(text, (size_t)(end - text));
}

void
log_seconds(const char *key, uint64_t us)
{
	char text[DECIMAL_TEXT + 8], *at = decimal_put(text, us / 1000000);

	*at++ = '.';
	at = decimal_put_padded(at, us / 1000, 3);
	put_key(key);
	put(text, (size_t)(at - text));
	put_text(self.format == LOG_FORMAT_JSON ? "" : "s");
}

void
log_end(void)
{
	if (self.format == LOG_FORMAT_JSON)
		self.line[self.len++] = '}';
	self.line[self.len++] = '\n';
	sink_line(self.line, self.len, self.level);
	errno = self.saved_errno;
}

/* Says how many lines were lost, once there is room again; if that is lost too, they stay counted. */
static void
tell_dropped(void)
{
	uint64_t lines = sink_dropped();

	if (lines == 0 || !sink_has_room())
		return;
	sink_set_dropped(0);
	log_begin(LOG_LEVEL_WARNING, "warning");
	log_text("text", "log lines were dropped: they could not be written in time");
	log_number("dropped", lines);
	log_end();
	if (sink_dropped() > 0)
		sink_set_dropped(lines);
}

bool
log_gathers(void)
{
	return sink_gathers();
}

void
log_flush(void)
{
	int saved = errno;

	sink_flush();
	tell_dropped();
	errno = saved;
}
