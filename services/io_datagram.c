/*
 * Questions that come as datagrams, and which of them are answered. A process
 * serves one peer, so what the guards remember is a few variables.
 */
#include "io_datagram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_MS 500		/* the datagram that started a session is there by then */
#define PORT_PRIVILEGED 1024	/* below are services, which might answer an answer */

static bool begun;		/* the first datagram was asked for */
static bool over;		/* the only datagram of this process was read */
static int64_t again_ms[IO_ANSWERS];	/* when each of the answers may be used again */

/* Whether 0 keeps datagrams apart, and so brings more than one. */
static bool
keeps_apart(void)
{
	int type = 0;
	socklen_t size = sizeof type;

	return getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
	    (type == SOCK_SEQPACKET || type == SOCK_DGRAM);
}

bool
io_datagrams(void)
{
	const char *protocol = getenv("PROTO");

	return protocol != NULL ? strcmp(protocol, "UDP") == 0 : keeps_apart();
}

/* The port in an environment variable; -1: it is not said. */
static off_t
port_of(const char *name)
{
	const char *text = getenv(name);
	off_t port;

	return text != NULL && io_number(text, strlen(text), &port) ? port : -1;
}

/* Whether the peer's port is one that people use, as far as it is known. */
static bool
port_answered(void)
{
	off_t peer = port_of("UDPREMOTEPORT");

	if (peer == -1)
		peer = port_of("REMOTE_PORT");
	return peer == -1 || (peer >= PORT_PRIVILEGED && peer != port_of("UDPLOCALPORT"));
}

/* Each token comes back a second after it was spent, so no second sees more of them. */
static bool
rate_allows(void)
{
	static unsigned turn;
	const int64_t now = io_now_ms();

	if (again_ms[turn] > now)
		return false;
	again_ms[turn] = now + 1000;
	turn = (turn + 1) % IO_ANSWERS;
	return true;
}

/* Reads a pipe to its end, which is the whole of one datagram. */
static ssize_t
read_all(char *data, size_t size)
{
	size_t held = 0;
	ssize_t n = 1;

	while (held < size && (n = io_read(STDIN_FILENO, data + held, size - held)) > 0)
		held += (size_t)n;
	over = true;
	return n == -1 ? -1 : (ssize_t)held;
}

/* As io_datagram, without its guards. */
static ssize_t
next(void *data, size_t size)
{
	const bool first = !begun;
	ssize_t n;

	begun = true;
	errno = 0;
	if (over)
		return -1;
	if (!keeps_apart())
		return read_all(data, size);
	if (first) {
		n = io_read_until(STDIN_FILENO, data, size, io_now_ms() + FIRST_MS);
		if (n == -1 && errno == ETIME)
			return 0;	/* an empty datagram is not delivered, it would be the end */
	} else {
		n = io_read(STDIN_FILENO, data, size);
	}
	if (n == 0)
		errno = 0;
	return n > 0 ? n : -1;
}

ssize_t
io_datagram(void *data, size_t size, bool rated)
{
	const bool answered = port_answered();
	ssize_t n;

	/* To end instead would have a process started for each datagram that comes. */
	while ((n = next(data, size)) != -1)
		if (answered && (!rated || rate_allows()))
			break;
	return n;
}

int
io_datagrams_answer(ssize_t (*answer)(char *data, size_t size))
{
	static char data[IO_DATAGRAM_SIZE];
	ssize_t n;

	while ((n = io_datagram(data, sizeof data, true)) != -1) {
		if ((n = answer(data, (size_t)n)) == -1)
			return IO_FAILED;
		if (io_write(STDOUT_FILENO, data, (size_t)n) == -1)
			return io_status("write");
	}
	return errno == 0 ? IO_OK : io_status("read");
}
