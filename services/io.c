/*
 * Shared helpers of the service programs; io.h says what each promises.
 * Everything works on sockets, pipes, files and terminals alike, blocking or
 * not: a program may be run by superd or typed into a shell.
 */
#include "io.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define LINGER_MS 2000		/* how long the end waits for a client that goes on sending */

#define STEP_SIZE 16777216	/* bytes asked of one sendfile(2) */
#define COPY_SIZE 65536		/* bytes of one step where sendfile(2) does not serve */

static const char *program_name;
static const char *program_usage;
static volatile sig_atomic_t quiet_s;	/* seconds in which the client took nothing, see io_send */

void
io_init(const char *name, const char *usage)
{
	program_name = name;
	program_usage = usage;
	signal(SIGPIPE, SIG_IGN);
}

int
io_help(void)
{
	if (io_write(STDOUT_FILENO, program_usage, strlen(program_usage)) == -1)
		return io_status("write");
	return IO_OK;
}

/* Takes a text for writev(2), which promises not to change it. */
static struct iovec
piece(const char *text)
{
	union { const char *text; void *base; } shared = { .text = text };

	return (struct iovec){ .iov_base = shared.base, .iov_len = strlen(text) };
}

int
io_usage(const char *message)
{
	const struct iovec line[] = {
		piece(program_name), piece(": "), piece(message), piece("\n"), piece(program_usage),
	};

	/* There is nobody to tell where standard error itself fails. */
	(void)!writev(STDERR_FILENO, line, (int)(sizeof line / sizeof line[0]));
	return IO_USAGE;
}

/* The words of errno; two of its values mean something of their own here. */
static const char *
reason(void)
{
	switch (errno) {
	case ETIME:
		return "the client stalled";
	case ENODATA:
		return "the file became shorter";
	default:
		return strerror(errno);
	}
}

void
io_say(const char *what, const char *why)
{
	const struct iovec line[] = {
		piece(program_name), piece(": "), piece(what), piece(": "), piece(why), piece("\n"),
	};

	(void)!writev(STDERR_FILENO, line, (int)(sizeof line / sizeof line[0]));
}

void
io_complain(const char *what)
{
	io_say(what, reason());
}

int
io_status(const char *what)
{
	switch (errno) {
	case EPIPE:
	case ECONNRESET:
	case ETIMEDOUT:
	case EHOSTUNREACH:
	case ENETUNREACH:
		return IO_OK;
	default:
		io_complain(what);
		return IO_FAILED;
	}
}

bool
io_number(const char *text, size_t size, off_t *value)
{
	const off_t largest = (off_t)INT64_MAX;
	off_t result = 0;

	for (size_t i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		result = result > (largest - 9) / 10 ? largest : result * 10 + (text[i] - '0');
	}
	*value = result;
	return size > 0;
}

int64_t
io_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits until fd is ready. Returns 0, or -1 with ETIME where the time (-1: none) is over first. */
static int
await(int fd, short events, int64_t deadline)
{
	struct pollfd ready = { .fd = fd, .events = events };
	int64_t left = -1;
	int n;

	do {
		if (deadline != -1) {
			left = deadline - io_now_ms();
			left = left < 0 ? 0 : left > 86400000 ? 86400000 : left;
		}
		n = poll(&ready, 1, (int)left);
	} while ((n == -1 && errno == EINTR) || (n == 0 && left > 0));
	if (n == 0)
		errno = ETIME;
	return n > 0 ? 0 : -1;
}

ssize_t
io_read(int fd, void *data, size_t size)
{
	ssize_t n;

	while ((n = read(fd, data, size)) == -1)
		if (errno == EAGAIN) {
			if (await(fd, POLLIN, -1) == -1)
				return -1;
		} else if (errno != EINTR)
			return -1;
	return n;
}

ssize_t
io_read_until(int fd, void *data, size_t size, int64_t deadline)
{
	ssize_t n;

	do {
		if (await(fd, POLLIN, deadline) == -1)
			return -1;
		n = read(fd, data, size);
	} while (n == -1 && (errno == EAGAIN || errno == EINTR));
	return n;
}

char *
io_line(struct io_lines *lines, size_t *size, int64_t deadline)
{
	char *newline;
	ssize_t n;

	lines->held -= lines->used;
	memmove(lines->data, lines->data + lines->used, lines->held);
	lines->used = 0;
	while ((newline = memchr(lines->data, '\n', lines->held)) == NULL) {
		errno = EMSGSIZE;
		if (lines->held == sizeof lines->data)
			return NULL;
		n = io_read_until(STDIN_FILENO, lines->data + lines->held,
		    sizeof lines->data - lines->held, deadline);
		errno = n == 0 ? 0 : errno;
		if (n == -1 || (n == 0 && lines->held == 0))
			return NULL;
		if (n == 0)
			lines->data[lines->held++] = '\n';
		else
			lines->held += (size_t)n;
	}
	*newline = '\0';
	*size = (size_t)(newline - lines->data);
	lines->used = *size + 1;
	return lines->data;
}

int
io_write(int fd, const void *data, size_t size)
{
	const char *from = data;
	ssize_t n;

	while (size > 0) {
		n = write(fd, from, size);
		if (n >= 0) {
			from += n;
			size -= (size_t)n;
		} else if (errno == EAGAIN) {
			if (await(fd, POLLOUT, -1) == -1)
				return -1;
		} else if (errno != EINTR)
			return -1;
	}
	return 0;
}

static void
tick(int number)
{
	(void)number;
	quiet_s++;
}

/* A signal each second interrupts whatever waits for the client; 0 seconds: no more. */
static void
tick_every(time_t seconds)
{
	const struct itimerval timer = { { seconds, 0 }, { seconds, 0 } };
	const struct sigaction interrupt = { .sa_handler = tick };	/* no SA_RESTART */

	quiet_s = 0;
	sigaction(SIGALRM, &interrupt, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* Bytes that the client has yet to take from a socket, terminal or pipe; -1: unknown. */
static int
queued(void)
{
	int size;

	if (ioctl(STDOUT_FILENO, TIOCOUTQ, &size) == 0 ||
	    ioctl(STDOUT_FILENO, FIONREAD, &size) == 0)
		return size;
	return -1;
}

static ssize_t
send_memory(const struct io_load *load, size_t size)
{
	ssize_t n = send(STDOUT_FILENO, load->memory + load->next, size, load->more ? MSG_MORE : 0);

	if (n == -1 && errno == ENOTSOCK)
		n = write(STDOUT_FILENO, load->memory + load->next, size);
	return n;
}

static ssize_t
send_file(struct io_load *load, size_t size)
{
	static char buffer[COPY_SIZE];
	off_t next = load->next;
	ssize_t n;

	if (!load->copied) {
		n = sendfile(STDOUT_FILENO, load->file, &next, size);
		if (n != -1 || (errno != EINVAL && errno != ENOSYS))
			return n;
		load->copied = true;
	}
	n = pread(load->file, buffer, size < sizeof buffer ? size : sizeof buffer, next);
	return n > 0 ? write(STDOUT_FILENO, buffer, (size_t)n) : n;
}

/* Sends what one call takes. Returns as write(2) does; 0: the file is at its end. */
static ssize_t
send_some(struct io_load *load)
{
	off_t left = load->end - load->next;
	size_t size = left < STEP_SIZE ? (size_t)left : STEP_SIZE;
	ssize_t n = load->memory != NULL ? send_memory(load, size) : send_file(load, size);

	if (n > 0)
		load->next += n;
	return n;
}

/*
 * The client's quiet seconds are counted by the signal, as no time limit of a
 * call is common to sockets, pipes and terminals. A client is not quiet while
 * it empties a full queue too slowly for new bytes to find room there.
 */
int
io_send(struct io_load *load, int stall_s)
{
	struct pollfd room = { .fd = STDOUT_FILENO, .events = POLLOUT };
	int before = queued(), now, failure;
	ssize_t n = 1;

	tick_every(1);
	while (load->next < load->end && (n = send_some(load)) != 0) {
		if (n > 0) {
			quiet_s = 0;
			before = queued();
			continue;
		}
		if (errno == EAGAIN && poll(&room, 1, -1) == 1)
			continue;
		if (errno != EINTR)
			break;
		now = queued();
		if (now != before)
			quiet_s = 0;
		before = now;
		if (quiet_s >= stall_s) {
			errno = ETIME;
			break;
		}
	}
	failure = n == 0 ? ENODATA : errno;
	tick_every(0);
	errno = failure;
	return load->next < load->end ? -1 : 0;
}

void
io_linger_on(void)
{
	const int64_t end = io_now_ms() + LINGER_MS;
	char waste[4096];

	shutdown(STDOUT_FILENO, SHUT_WR);
	/* The deadline alone would not end it: a client that never pauses is always ready. */
	while (io_now_ms() < end && io_read_until(STDIN_FILENO, waste, sizeof waste, end) > 0)
		continue;
}

void
io_linger(void)
{
	char waste[4096];

	if (io_datagrams())
		/* No end overtakes a datagram, but unread ones would be told as a reset. */
		while (recv(STDIN_FILENO, waste, sizeof waste, MSG_DONTWAIT) > 0)
			continue;
	else if (recv(STDIN_FILENO, waste, sizeof waste, MSG_DONTWAIT) > 0)
		io_linger_on();
}

void
io_reset_later(int fd)
{
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

int
io_connect(const struct sockaddr *address, socklen_t size, int patience_s)
{
	const struct timeval patience = { .tv_sec = patience_s };
	const int on = 1;
	int failed, reason, fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	/* The time-out of sending is that of connecting, for the queue of a Unix socket too. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	/* With a time-out even a stop interrupts it, as when a machine is suspended: the time begins anew. */
	while ((failed = connect(fd, address, size)) == -1 && errno == EINTR)
		continue;
	if (failed == 0)
		return fd;
	reason = errno == EINPROGRESS || errno == EALREADY || errno == EAGAIN ? ETIMEDOUT : errno;
	close(fd);
	errno = reason;
	return -1;
}

static void
out_write(struct io_out *out, const void *data, size_t size)
{
	if (out->error == 0 && io_write(STDOUT_FILENO, data, size) == -1)
		out->error = errno;
}

void
io_put(struct io_out *out, const void *data, size_t size)
{
	if (size > sizeof out->data - out->used) {
		out_write(out, out->data, out->used);
		out->used = 0;
	}
	if (size > sizeof out->data) {
		out_write(out, data, size);
		return;
	}
	memcpy(out->data + out->used, data, size);
	out->used += size;
}

void
io_put_text(struct io_out *out, const char *text)
{
	io_put(out, text, strlen(text));
}

void
io_put_number(struct io_out *out, uint64_t number, unsigned base)
{
	char digits[64], *first = digits + sizeof digits;

	do
		*--first = "0123456789abcdef"[number % base];
	while ((number /= base) > 0);
	io_put(out, first, (size_t)(digits + sizeof digits - first));
}

int
io_flush(struct io_out *out)
{
	out_write(out, out->data, out->used);
	out->used = 0;
	errno = out->error;
	return out->error == 0 ? 0 : -1;
}
