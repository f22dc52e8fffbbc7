/*
 * chargen: lines of 72 characters without end, each line beginning one further
 * in the ring of the 95 printing characters (RFC 864), until the client goes
 * away. What the client sends is thrown away, so that a client that first
 * sends and then reads is not stuck; the end of its sending ends nothing.
 * A datagram is answered by the beginning of a line and what follows it.
 */
#include "io_datagram.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST ' '
#define RING 95				/* printing characters of ASCII */
#define LINE 72
#define LINE_SIZE (LINE + 2)		/* with CR LF */
#define PERIOD (RING * LINE_SIZE)	/* after so many bytes all begins anew */
#define DATAGRAM_MAX 512		/* the longest answer to one, as the RFC has it */
#define PERIODS 20			/* bytes for one write: one call does much */

static const char usage[] =
    "usage: chargen\n"
    "  writes lines of rotating characters for as long as they are read\n"
    "  -h  this help\n";

static char text[PERIODS * PERIOD];
static char waste[65536];

static void
prepare_text(void)
{
	char *to = text;

	for (int line = 0; line < RING; line++) {
		for (int i = 0; i < LINE; i++)
			*to++ = (char)(FIRST + (line + i) % RING);
		*to++ = '\r';
		*to++ = '\n';
	}
	for (int i = 1; i < PERIODS; i++)
		memcpy(text + i * PERIOD, text, PERIOD);
}

/* Writes to a socket what it takes now; another channel may make it wait. */
static ssize_t
put(const char *data, size_t size)
{
	ssize_t n = send(STDOUT_FILENO, data, size, MSG_DONTWAIT);

	return n == -1 && errno == ENOTSOCK ? write(STDOUT_FILENO, data, size) : n;
}

static int
generate(void)
{
	struct pollfd ends[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = STDOUT_FILENO, .events = POLLOUT },
	};
	size_t next = 0;
	ssize_t n;

	for (;;) {
		if (poll(ends, 2, -1) == -1 && errno != EINTR)
			return io_status("poll");
		/* An error here is seen again, and judged, when it meets the output. */
		if (ends[0].revents != 0 && io_read(STDIN_FILENO, waste, sizeof waste) <= 0)
			ends[0].fd = -1;
		if (ends[1].revents == 0)
			continue;
		n = put(text + next, sizeof text - next);
		if (n == -1 && errno != EAGAIN && errno != EINTR)
			return io_status("write");
		if (n > 0)
			next = (next + (size_t)n) % PERIOD;
	}
}

/* Each answer begins a line further; none is longer than its question. */
static ssize_t
excerpt(char *data, size_t size)
{
	static size_t line;

	if (size > DATAGRAM_MAX)
		size = DATAGRAM_MAX;
	memcpy(data, text + line * LINE_SIZE, size);
	line = (line + 1) % RING;
	return (ssize_t)size;
}

int
main(int argc, char *argv[])
{
	int option;

	io_init("chargen", usage);
	opterr = 0;
	if ((option = getopt(argc, argv, "h")) != -1)
		return option == 'h' ? io_help() : io_usage("unknown option");
	if (optind < argc)
		return io_usage("no arguments are expected");
	prepare_text();
	return io_datagrams() ? io_datagrams_answer(excerpt) : generate();
}
