/*
 * bulk.c - see bulk.h.
 *
 * The pattern is 61 letters and digits over and over: a prime, so that no
 * block that was lost, doubled or moved goes unnoticed.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "bulk.h"
#include "load.h"

#define PERIOD		61
#define BLOCK		(PERIOD * 4297)		/* 256 kB */
#define STALL_MS	10000

static char pattern[2][BLOCK + PERIOD];
static char received[BLOCK];

static void
prepare(void)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ012345678";

	for (size_t i = 0; i < sizeof pattern[0]; i++) {
		int c = letters[i % PERIOD];

		pattern[BULK_SAME][i] = (char)c;
		pattern[BULK_FLIPPED][i] = (char)(islower(c) ? toupper(c) : tolower(c));
	}
}

int
bulk_file(const char *path, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	prepare();
	for (size_t at = 0; fd != -1 && at < len;) {
		size_t want = len - at < BLOCK ? len - at : BLOCK;
		ssize_t wrote = write(fd, pattern[BULK_SAME] + at % PERIOD, want);

		if (wrote == -1) {
			close(fd);
			return -1;
		}
		at += (size_t)wrote;
	}
	return fd == -1 ? -1 : close(fd);
}

struct progress {
	size_t sent, got;
	bool over;
};

/* As much as goes without waiting; false on an error. */
static bool
push(const struct bulk_transfer *transfer, int fd, struct progress *progress)
{
	while (progress->sent < transfer->send) {
		size_t left = transfer->send - progress->sent;
		ssize_t len = send(fd, pattern[BULK_SAME] + progress->sent % PERIOD,
		    left < BLOCK ? left : BLOCK, MSG_NOSIGNAL);

		if (len == -1)
			return errno == EAGAIN;
		progress->sent += (size_t)len;
	}
	shutdown(fd, SHUT_WR);
	return true;
}

static bool
pull(const struct bulk_transfer *transfer, int fd, struct progress *progress)
{
	ssize_t len = read(fd, received, sizeof received);

	if (len == -1)
		return errno == EAGAIN;
	if (len == 0) {
		progress->over = true;
		return progress->got == transfer->expect;
	}
	if ((size_t)len > transfer->expect - progress->got || memcmp(received,
	    pattern[transfer->what] + progress->got % PERIOD, (size_t)len) != 0)
		return false;
	progress->got += (size_t)len;
	return true;
}

static bool
pass(const struct bulk_transfer *transfer, int fd)
{
	struct progress progress = { 0 };

	if (transfer->request != NULL &&
	    send(fd, transfer->request, transfer->request_len, MSG_NOSIGNAL) == -1)
		return false;
	if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
		return false;
	while (!progress.over) {
		bool sending = progress.sent < transfer->send;
		struct pollfd wait = { .fd = fd,
			.events = (short)(sending ? POLLIN | POLLOUT : POLLIN) };

		if (poll(&wait, 1, STALL_MS) <= 0)
			return false;
		if ((wait.revents & POLLOUT) != 0 && sending && !push(transfer, fd, &progress))
			return false;
		if ((wait.revents & ~POLLOUT) != 0 && !pull(transfer, fd, &progress))
			return false;
	}
	return true;
}

double
bulk_run(const struct bulk_transfer *transfer)
{
	double since = now();
	int fd = load_connect(transfer->port);
	bool good;

	if (fd == -1)
		return -1;
	prepare();
	good = pass(transfer, fd);
	close(fd);
	return good ? (double)transfer->expect / 1e9 / (now() - since) : -1;
}
