/*
 * Over UDP: the file is opened, and then its blocks are asked for, many at a
 * time, until all are there. What is lost is asked for again; what comes out of
 * order waits in the window; a server that forgot us is asked to open again.
 */
#include "fetch.h"
#include "fetch_window.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OPEN_SIZE 128		/* a shorter question is refused */
#define OPEN_US 250000		/* before it is asked again, doubled each time */
#define OPEN_MOST_US 1000000
#define BATCH 32		/* datagrams in one system call */
#define DATAGRAM_SIZE 2048	/* more than any answer */
#define QUESTION_SIZE 128
#define TOKEN_SIZE 64
#define RECEIVE_SIZE 4194304	/* asked for; what is granted bounds the window */
#define RECEIVE_COST 2560	/* bytes of it that one answer takes */
#define FLUSH_SIZE 65536	/* bytes in order that are worth a write */
#define FLUSH_US 100000		/* how long others wait for it */

/* What becomes of a download, or of what is done for it. */
enum outcome { GOES_ON, WHOLE, FAILED, SILENT, STOPPED, CHANGED };

struct download {
	const struct fetch_job *job;
	struct fetch_file      *file;
	int     fd;
	bool    answered;		/* the file was ever open */
	bool    open;			/* it is now, as far as we know */
	char    token[TOKEN_SIZE];
	struct fetch_version version;
	int     opens;			/* questions to open, since the last answer */
	int64_t open_us;		/* when the last was sent, or answered */
	int64_t news_us;		/* when something new came last */
	int64_t flush_us;		/* when FILE was written to last */
	int64_t patience_us;
	int     error;			/* of the network, since the last answer */
	struct window window;
};

/* Sends the question to open, for the first time or again. */
static void
send_open(struct download *d, int64_t now_us)
{
	static char question[FETCH_NAME_MAX + 64];
	const char *name = d->job->name;
	int size;

	if (name != NULL)
		size = snprintf(question, sizeof question, "open \"%s\"", name);
	else
		size = snprintf(question, sizeof question, "open");
	for (; size < OPEN_SIZE; size++)
		question[size] = ' ';
	if (send(d->fd, question, (size_t)size, MSG_NOSIGNAL) == -1)
		d->error = errno;
	d->opens++;
	d->open_us = now_us;
}

/* When the question to open is to be sent again. */
static int64_t
open_deadline(const struct download *d)
{
	int64_t us = OPEN_US;

	if (d->opens == 0)
		return 0;
	for (int i = 1; i < d->opens && us < OPEN_MOST_US; i++)
		us *= 2;
	return d->open_us + us;
}

/* Sends the questions that may fly now. */
static void
send_questions(struct download *d, int64_t now_us)
{
	char texts[BATCH][QUESTION_SIZE];
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	unsigned count;
	off_t offset;

	do {
		for (count = 0; count < BATCH && window_ask(&d->window, now_us, &offset); count++) {
			int size = snprintf(texts[count], QUESTION_SIZE, "get %s %" PRId64, d->token,
			    (int64_t)offset);

			parts[count] = (struct iovec){ texts[count], (size_t)size };
			messages[count] = (struct mmsghdr){
				.msg_hdr = { .msg_iov = &parts[count], .msg_iovlen = 1 },
			};
		}
		/* What cannot be sent now counts as lost on the way, and is sent again in time. */
		if (count > 0 && sendmmsg(d->fd, messages, count, MSG_NOSIGNAL) == -1)
			d->error = errno;
	} while (count == BATCH);
}

/* Writes what is in order. Returns 0, or -1 after telling why. */
static int
flush(struct download *d, int64_t now_us)
{
	const char *data;
	size_t size;

	d->flush_us = now_us;
	while ((size = window_ready(&d->window, &data)) > 0) {
		if (fetch_file_write(d->file, data, size) == -1)
			return -1;
		window_take(&d->window, size);
	}
	fetch_progress(d->file->held);
	return 0;
}

static int
flush_in_time(struct download *d, int64_t now_us)
{
	const char *data;
	const size_t size = window_ready(&d->window, &data);
	const bool due = size >= FLUSH_SIZE || now_us >= d->flush_us + FLUSH_US ||
	    window_brims(&d->window);

	if (size == 0 || !due)
		return 0;
	return flush(d, now_us);
}

/* The answer "ok TOTAL TOKEN MTIME", of which text has a NUL behind it. */
static bool
read_open(const char *text, const char *end, struct fetch_version *version, char *token)
{
	const char *second, *third;
	int64_t total;

	while (end > text && (end[-1] == '\n' || end[-1] == '\r'))
		end--;
	if ((second = strchr(text, ' ')) == NULL || (third = strchr(second + 1, ' ')) == NULL)
		return false;
	if (third - second - 1 < 1 || third - second - 1 >= TOKEN_SIZE ||
	    !fetch_number(text, second, false, &total) ||
	    !fetch_number(third + 1, end, true, &version->changed))
		return false;
	version->total = (off_t)total;
	memcpy(token, second + 1, (size_t)(third - second - 1));
	token[third - second - 1] = '\0';
	return true;
}

/* Questions that may fly without their answers overflowing the socket. */
static int
most_flying(int fd)
{
	int granted = 0;
	socklen_t size = sizeof granted;

	getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &granted, &size);
	return granted / RECEIVE_COST;
}

/* The file is open: for the first time, again, or as another one. */
static enum outcome
take_open(struct download *d, const char *text, const char *end, int64_t now_us)
{
	struct fetch_version version;

	if (d->open || !read_open(text, end, &version, d->token))
		return GOES_ON;		/* an answer that came twice, or is none */
	if (d->answered && (version.total != d->version.total ||
	    version.changed != d->version.changed))
		return CHANGED;
	d->open = true;
	if (d->answered) {
		window_lose(&d->window);
	} else {
		if (fetch_file_begin(d->file, &version) == -1)
			return FAILED;
		fetch_progress_begin(d->job, d->file->held, version.total);
		window_init(&d->window, d->file->held, version.total, most_flying(d->fd));
		if (d->opens == 1)
			window_round_trip(&d->window, now_us - d->open_us);
		d->answered = true;
		d->version = version;
		d->news_us = d->flush_us = now_us;
	}
	d->opens = 0;
	d->open_us = now_us;
	return GOES_ON;
}

/* Refused: the file cannot be opened, or our token is not known any more. */
static enum outcome
take_error(struct download *d, const char *text, size_t size, int64_t now_us)
{
	const bool token = size >= 5 && memcmp(text, "token", 5) == 0;

	if (!token && !d->open) {
		fetch_say_server(text, size);
		return FAILED;
	}
	/* Those to the questions before the last opening may still be on their way. */
	if (token && d->open && now_us - d->open_us > 2 * d->window.smooth_us)
		d->open = false;
	return GOES_ON;
}

static enum outcome
take_answer(struct download *d, char *text, size_t size, int64_t now_us)
{
	char *end;
	int64_t offset;

	text[size] = '\0';
	d->error = 0;
	if (size >= 3 && memcmp(text, "ok ", 3) == 0)
		return take_open(d, text + 3, text + size, now_us);
	if (size >= 6 && memcmp(text, "error ", 6) == 0)
		return take_error(d, text + 6, size - 6, now_us);
	if (!d->answered || size < 5 || memcmp(text, "data ", 5) != 0 ||
	    (end = memchr(text, '\n', size)) == NULL ||
	    !fetch_number(text + 5, end, false, &offset))
		return GOES_ON;
	end++;
	if (window_answer(&d->window, now_us, (off_t)offset, end, size - (size_t)(end - text)))
		d->news_us = now_us;
	return flush_in_time(d, now_us) == -1 ? FAILED : GOES_ON;
}

/* Takes all answers that are there. */
static enum outcome
receive(struct download *d)
{
	static char texts[BATCH][DATAGRAM_SIZE + 1];
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	enum outcome outcome = GOES_ON;
	int count;

	do {
		for (int i = 0; i < BATCH; i++) {
			parts[i] = (struct iovec){ texts[i], DATAGRAM_SIZE };
			messages[i] = (struct mmsghdr){
				.msg_hdr = { .msg_iov = &parts[i], .msg_iovlen = 1 },
			};
		}
		count = recvmmsg(d->fd, messages, BATCH, MSG_DONTWAIT, NULL);
		if (count == -1 && errno != EAGAIN && errno != EINTR)
			d->error = errno;
		for (int i = 0; i < count && outcome == GOES_ON; i++)
			outcome = take_answer(d, texts[i], messages[i].msg_len, fetch_now_us());
		if (d->open)
			send_questions(d, fetch_now_us());
	} while (count == BATCH && outcome == GOES_ON);
	return outcome;
}

/* When something is to be done that no answer asks for. */
static int64_t
next_deadline(const struct download *d)
{
	int64_t us = d->news_us + d->patience_us, other;
	const char *data;

	other = d->open ? window_deadline(&d->window) : open_deadline(d);
	us = other < us ? other : us;
	if (d->answered && window_ready(&d->window, &data) > 0 && d->flush_us + FLUSH_US < us)
		us = d->flush_us + FLUSH_US;
	return us;
}

/* One round: what is due is sent, and what comes is taken. */
static enum outcome
step(struct download *d)
{
	const int64_t now_us = fetch_now_us();
	enum outcome outcome;

	if (d->answered && flush_in_time(d, now_us) == -1)
		return FAILED;
	if (d->answered && d->window.base == d->window.total)
		return WHOLE;
	if (now_us >= d->news_us + d->patience_us)
		return SILENT;
	if (d->open) {
		window_expire(&d->window, now_us);
		send_questions(d, now_us);
	} else if (now_us >= open_deadline(d)) {
		send_open(d, now_us);
	}
	if (fetch_wait(d->fd, POLLIN, next_deadline(d)) == -1)
		return errno == ETIME ? GOES_ON : STOPPED;
	outcome = receive(d);
	/* Before there was any answer, nobody there is an answer too. */
	return outcome == GOES_ON && d->error != 0 && !d->answered ? SILENT : outcome;
}

/*
 * Opens a socket and begins; not more than patience_us may pass without news. A
 * file that changed gets a new one, which old answers do not reach.
 */
static enum outcome
download(struct download *d, const struct addrinfo *address, int64_t patience_us)
{
	const int wanted = RECEIVE_SIZE;
	enum outcome outcome;

	d->fd = fetch_connect(address, INT64_MAX);
	d->answered = d->open = false;
	d->opens = d->error = 0;
	if (d->fd == -1) {
		d->error = errno;
		return SILENT;
	}
	setsockopt(d->fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
	d->news_us = fetch_now_us();
	d->patience_us = patience_us;
	do {
		outcome = step(d);
		if (d->answered)
			d->patience_us = d->job->patience_s * INT64_C(1000000);
	} while (outcome == GOES_ON);
	if (d->answered && (outcome == SILENT || outcome == STOPPED) &&
	    flush(d, fetch_now_us()) == -1)
		outcome = FAILED;
	close(d->fd);
	return outcome;
}

/* Downloads from one address, as often as the file changes. */
static enum outcome
download_from(struct download *d, const struct addrinfo *address, int64_t patience_us)
{
	enum outcome outcome;
	int changes = 0;

	while ((outcome = download(d, address, patience_us)) == CHANGED) {
		d->file->anew = true;
		if (++changes == FETCH_CHANGES_MAX) {
			fetch_say("%s: the file changes again and again", d->job->path);
			return FAILED;
		}
	}
	return outcome;
}

int
fetch_by_datagrams(const struct fetch_job *job, struct fetch_file *file)
{
	static struct download d;
	struct addrinfo *list = fetch_resolve(job, SOCK_DGRAM);
	int64_t patience_us = job->patience_s * INT64_C(1000000), count = 0;
	enum outcome outcome = SILENT;

	if (list == NULL)
		return FETCH_FAILED;
	fetch_signals_hold();
	d.job = job;
	d.file = file;
	for (const struct addrinfo *a = list; a != NULL; a = a->ai_next)
		count++;
	for (const struct addrinfo *a = list; a != NULL && outcome == SILENT && !d.answered;
	    a = a->ai_next)
		outcome = download_from(&d, a, patience_us / count);
	freeaddrinfo(list);
	if (outcome == SILENT)
		fetch_say("%s %s: %s", job->host, job->port,
		    d.error != 0 ? strerror(d.error) : "no answer");
	else if (outcome == STOPPED)
		fetch_say("%s %s: interrupted", job->host, job->port);
	return outcome == WHOLE ? FETCH_WHOLE : FETCH_FAILED;
}
