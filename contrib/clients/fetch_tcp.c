/*
 * Over TCP: by lines from a server with a folder, and by the 2-byte request
 * from one with a single file. A connection that is lost is made again and goes
 * on where it was, where the protocol tells that the file is the same.
 */
#include "fetch.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE 262144
#define PAUSE_US 100000		/* before a lost connection is made again, doubled each time */
#define PAUSE_MAX_US 2000000
#define OFFSET_MAX INT64_C(9999999999)	/* in the ten bytes of the 2-byte request */

enum outcome {
	WHOLE,
	FAILED,			/* told why */
	LOST,			/* the connection, with errno: 0 where the server ended it */
	CHANGED			/* the file */
};

struct connection {
	int     fd;
	int64_t patience_us;
	int64_t news_us;	/* when the server was heard last */
	bool    answered;	/* it has ever been */
	size_t  used;		/* bytes of data that were dealt with */
	size_t  held;		/* bytes of data */
	char    data[BUFFER_SIZE];
};

static struct connection connection = { .fd = -1 };

static int64_t
deadline(const struct connection *c)
{
	return c->news_us + c->patience_us;
}

/* Connects to the first address that answers. Returns 0, or -1 with errno and nothing told. */
static int
dial(struct connection *c, const struct addrinfo *list)
{
	int64_t share_us = c->patience_us, count = 0;

	for (const struct addrinfo *a = list; a != NULL; a = a->ai_next)
		count++;
	share_us /= count;
	c->used = c->held = 0;
	for (const struct addrinfo *a = list; a != NULL && c->fd == -1; a = a->ai_next)
		if ((c->fd = fetch_connect(a, fetch_now_us() + share_us)) == -1 && errno == EINTR)
			break;
	return c->fd == -1 ? -1 : 0;
}

static void
hang_up(struct connection *c)
{
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
}

static int
put(struct connection *c, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t n = send(c->fd, text, size, MSG_NOSIGNAL);

		if (n >= 0) {
			text += n;
			size -= (size_t)n;
		} else if (errno != EAGAIN && errno != EINTR) {
			return -1;
		} else if (fetch_wait(c->fd, POLLOUT, deadline(c)) == -1) {
			return -1;
		}
	}
	return 0;
}

/* Reads more behind what is held. Returns 1; 0 at the end; -1 with errno. */
static int
more(struct connection *c)
{
	ssize_t n;

	if (c->used == c->held)
		c->used = c->held = 0;
	while ((n = recv(c->fd, c->data + c->held, sizeof c->data - c->held, 0)) == -1) {
		if (errno != EAGAIN && errno != EINTR)
			return -1;
		if (fetch_wait(c->fd, POLLIN, deadline(c)) == -1)
			return -1;
	}
	if (n == 0)
		return errno = 0;
	c->held += (size_t)n;
	c->news_us = fetch_now_us();
	return 1;
}

/* Reads an answer's line, "ok N MTIME"; of any other answer the server's words are told. */
static enum outcome
read_answer(struct connection *c, struct fetch_version *answer)
{
	char *line, *end, *second;
	int64_t total;

	while ((end = memchr(c->data + c->used, '\n', c->held - c->used)) == NULL)
		if (c->held - c->used > 4096 || more(c) != 1)
			break;
	if (end == NULL && c->held - c->used <= 4096)
		return LOST;
	c->answered = true;
	line = c->data + c->used;
	if (end == NULL) {
		fetch_say("the answer is no line: this is no sendfile -d");
		return FAILED;
	}
	c->used = (size_t)(end + 1 - c->data);
	if (end - line >= 6 && memcmp(line, "error ", 6) == 0) {
		fetch_say_server(line + 6, (size_t)(end - line) - 6);
		return FAILED;
	}
	second = end - line > 3 ? memchr(line + 3, ' ', (size_t)(end - line) - 3) : NULL;
	if (second == NULL || memcmp(line, "ok ", 3) != 0 ||
	    !fetch_number(line + 3, second, false, &total) ||
	    !fetch_number(second + 1, end, true, &answer->changed)) {
		fetch_say("the answer is not understood: this is no sendfile -d");
		return FAILED;
	}
	answer->total = (off_t)total;
	return WHOLE;
}

/* Takes so many bytes of the body into FILE; without a number all until the end. */
static enum outcome
read_body(struct connection *c, struct fetch_file *file, off_t rest)
{
	while (rest != 0) {
		size_t size = c->held - c->used;
		int got = 1;

		if (size == 0 && (got = more(c)) == -1)
			return LOST;
		if (got == 0)
			return rest > 0 ? LOST : WHOLE;
		size = c->held - c->used;
		if (rest > 0 && (off_t)size > rest)
			size = (size_t)rest;
		if (fetch_file_write(file, c->data + c->used, size) == -1)
			return FAILED;
		c->used += size;
		rest -= rest > 0 ? (off_t)size : 0;
		fetch_progress(file->held);
	}
	return WHOLE;
}

static bool
same(const struct fetch_version *a, const struct fetch_version *b)
{
	return a->total == b->total && a->changed == b->changed;
}

/*
 * One connection by lines. The size is asked for before the body and after it:
 * a file that was written to meanwhile may have come as a mixture.
 */
static enum outcome
converse(const struct fetch_job *job, struct connection *c, struct fetch_file *file)
{
	static char text[2 * FETCH_NAME_MAX + 64];
	struct fetch_version version, answer;
	enum outcome outcome;
	int size = snprintf(text, sizeof text, "size \"%s\"\n", job->name);

	if (put(c, text, (size_t)size) == -1)
		return LOST;
	if ((outcome = read_answer(c, &version)) != WHOLE)
		return outcome;
	if (fetch_file_begin(file, &version) == -1)
		return FAILED;
	fetch_progress_begin(job, file->held, version.total);
	if (file->held == version.total)
		return WHOLE;
	size = snprintf(text, sizeof text, "get \"%s\" %" PRId64 "\nsize \"%s\"\n", job->name,
	    (int64_t)file->held, job->name);
	if (put(c, text, (size_t)size) == -1)
		return LOST;
	if ((outcome = read_answer(c, &answer)) != WHOLE)
		return outcome;
	answer.total += file->held;
	if (!same(&answer, &version))
		return CHANGED;
	if ((outcome = read_body(c, file, version.total - file->held)) != WHOLE ||
	    (outcome = read_answer(c, &answer)) != WHOLE)
		return outcome;
	return same(&answer, &version) ? WHOLE : CHANGED;
}

/* Tells why there is no connection, or no longer one, of errno. */
static void
tell_lost(const struct fetch_job *job)
{
	const char *reason = errno == 0 ? "the server ended the connection" :
	    errno == ETIME ? "no answer" : errno == EINTR ? "interrupted" : strerror(errno);

	fetch_say("%s %s: %s", job->host, job->port, reason);
}

/*
 * Makes a lost connection again. Returns 0; -1 with errno, the last reason,
 * where the server was silent for too long or a signal came.
 */
static int
dial_again(struct connection *c, const struct addrinfo *list)
{
	int64_t pause_us = PAUSE_US, until_us;
	int reason = errno;

	while (reason != EINTR && reason != ETIME && fetch_now_us() < deadline(c)) {
		until_us = fetch_now_us() + pause_us;
		fetch_wait(-1, 0, until_us < deadline(c) ? until_us : deadline(c));
		if (errno == EINTR || dial(c, list) == 0)
			return errno == EINTR && c->fd == -1 ? -1 : 0;
		reason = errno;
		pause_us = pause_us * 2 < PAUSE_MAX_US ? pause_us * 2 : PAUSE_MAX_US;
	}
	errno = reason;
	return -1;
}

/* All connections by lines that it takes. */
static enum outcome
converse_all(const struct fetch_job *job, struct connection *c, struct fetch_file *file,
    const struct addrinfo *list)
{
	int changes = 0;

	for (;;) {
		enum outcome outcome = converse(job, c, file);
		int reason = errno;

		hang_up(c);
		errno = reason;
		if (outcome == WHOLE || outcome == FAILED)
			return outcome;
		if (outcome == CHANGED) {
			file->anew = true;
			if (++changes == FETCH_CHANGES_MAX) {
				fetch_say("%s: the file changes again and again", job->name);
				return FAILED;
			}
			errno = 0;
		} else if (!c->answered) {
			return LOST;
		}
		if (dial_again(c, list) == -1)
			return LOST;
	}
}

/* Connects for the first time. Returns the server's addresses, NULL after telling why not. */
static struct addrinfo *
first_dial(const struct fetch_job *job, struct connection *c)
{
	struct addrinfo *list = fetch_resolve(job, SOCK_STREAM);

	if (list == NULL)
		return NULL;
	fetch_signals_hold();
	c->patience_us = job->patience_s * INT64_C(1000000);
	if (dial(c, list) == 0) {
		c->news_us = fetch_now_us();
		return list;
	}
	tell_lost(job);
	freeaddrinfo(list);
	return NULL;
}

int
fetch_by_lines(const struct fetch_job *job, struct fetch_file *file)
{
	struct connection *c = &connection;
	struct addrinfo *list = first_dial(job, c);
	enum outcome outcome;

	if (list == NULL)
		return FETCH_FAILED;
	outcome = converse_all(job, c, file, list);
	if (outcome == LOST)
		tell_lost(job);
	freeaddrinfo(list);
	return outcome == WHOLE ? FETCH_WHOLE : FETCH_FAILED;
}

/* The 2-byte request, 12 bytes of it with an offset; returns its size. */
static size_t
write_request(char request[16], off_t held)
{
	memset(request, 0, 16);
	request[0] = held == 0 ? '0' : '2';
	if (held == 0)
		return 2;
	snprintf(request + 2, 14, "%" PRId64, (int64_t)held);
	return 12;
}

int
fetch_by_bytes(const struct fetch_job *job, struct fetch_file *file)
{
	struct connection *c = &connection;
	struct addrinfo *list;
	enum outcome outcome;
	char request[16];

	if (!file->anew && file->held > OFFSET_MAX) {
		fetch_say("%s: too much is there to go on by this protocol", job->path);
		return FETCH_FAILED;
	}
	if ((list = first_dial(job, c)) == NULL)
		return FETCH_FAILED;
	freeaddrinfo(list);
	if (fetch_file_begin(file, NULL) == -1) {
		hang_up(c);
		return FETCH_FAILED;
	}
	fetch_progress_begin(job, file->held, -1);
	outcome = put(c, request, write_request(request, file->held)) == -1 ? LOST :
	    read_body(c, file, -1);
	if (outcome == LOST)
		tell_lost(job);
	hang_up(c);
	return outcome == WHOLE ? FETCH_WHOLE : FETCH_FAILED;
}
