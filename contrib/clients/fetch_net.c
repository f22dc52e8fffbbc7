/*
 * The network as fetch needs it: addresses, connections, and waiting that ends
 * in time or by a signal.
 */
#include "fetch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static sigset_t held_signals;
static int signals_fd = -1;	/* readable, and never read, when one of them is pending */

int64_t
fetch_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void
fetch_signals_hold(void)
{
	static const int ending[] = { SIGHUP, SIGINT, SIGTERM };
	struct sigaction now;

	sigemptyset(&held_signals);
	for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++)
		if (sigaction(ending[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			sigaddset(&held_signals, ending[i]);
	sigprocmask(SIG_BLOCK, &held_signals, NULL);
	signals_fd = signalfd(-1, &held_signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* One that came meanwhile ends the process here, and the shell sees by which it ended. */
void
fetch_signals_release(void)
{
	if (signals_fd == -1)
		return;
	close(signals_fd);
	signals_fd = -1;
	sigprocmask(SIG_UNBLOCK, &held_signals, NULL);
}

int
fetch_wait(int fd, short events, int64_t deadline_us)
{
	struct pollfd both[] = {
		{ .fd = fd, .events = events }, { .fd = signals_fd, .events = POLLIN },
	};
	int64_t left;
	int n;

	do {
		left = deadline_us - fetch_now_us();
		left = left < 0 ? 0 : left > 3600000000 ? 3600000000 : left;
		n = poll(both, 2, (int)((left + 999) / 1000));
	} while ((n == -1 && errno == EINTR) || (n == 0 && fetch_now_us() < deadline_us));
	if (n > 0 && both[1].revents == 0)
		return 0;
	if (n >= 0)
		errno = n == 0 ? ETIME : EINTR;
	return -1;
}

struct addrinfo *
fetch_resolve(const struct fetch_job *job, int type)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = type };
	struct addrinfo *list;
	int error = getaddrinfo(job->host, job->port, &hints, &list);

	if (error == 0)
		return list;
	fetch_say("%s %s: %s", job->host, job->port,
	    error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
	return NULL;
}

int
fetch_connect(const struct addrinfo *address, int64_t deadline_us)
{
	int failure = 0, fd = socket(address->ai_family,
	    address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->ai_protocol);
	socklen_t size = sizeof failure;

	if (fd == -1)
		return -1;
	if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
		return fd;
	if (errno != EINPROGRESS || fetch_wait(fd, POLLOUT, deadline_us) == -1)
		failure = errno == ETIME ? ETIMEDOUT : errno;
	else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 && failure == 0)
		return fd;
	close(fd);
	errno = failure;
	return -1;
}

bool
fetch_number(const char *text, const char *end, bool sign, int64_t *value)
{
	const bool minus = sign && text < end && *text == '-';
	int64_t result = 0;

	text += minus;
	if (text == end || end - text > 18)	/* so many digits always fit */
		return false;
	for (; text < end; text++) {
		if (*text < '0' || *text > '9')
			return false;
		result = result * 10 + (*text - '0');
	}
	*value = minus ? -result : result;
	return true;
}
