/* notify.c - see notify.h. */
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "notify.h"

#define PASSED_FIRST	3	/* SD_LISTEN_FDS_START */
#define PASSED_MAX	1024
#define PASSED_FROM	16	/* where they are moved: 0 to 5 are a child's own */

static int passed[PASSED_MAX];
static int passed_count;

void
notify_send(const char *state)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path != NULL ? strlen(path) : 0;
	int fd;

	if (len < 2 || len > sizeof to.sun_path || (*path != '/' && *path != '@'))
		return;
	memcpy(to.sun_path, path, len);
	if (*path == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

void
notify_reloading(void)
{
	char state[64];
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
	    (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	notify_send(state);
}

void
notify_take_sockets(void)
{
	const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	long n = count != NULL ? strtol(count, NULL, 10) : 0;

	/* LISTEN_PID says whom they are meant for: an ancestor may have left its own variables. */
	if (pid == NULL || strtol(pid, NULL, 10) != getpid() || n < 0 || n > PASSED_MAX)
		n = 0;
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDNAMES");
	(void)syscall(SYS_close_range, (unsigned)(PASSED_FIRST + n), ~0U, 0);
	for (int i = 0; i < n; i++) {
		int fd = fcntl(PASSED_FIRST + i, F_DUPFD_CLOEXEC, PASSED_FROM + (int)n);

		if (fd != -1)
			passed[passed_count++] = fd;
		close(PASSED_FIRST + i);
	}
}

int
notify_next_socket(int *at)
{
	while (*at < passed_count)
		if (passed[(*at)++] != -1)
			return passed[*at - 1];
	return -1;
}

void
notify_socket_taken(int fd)
{
	for (int i = 0; i < passed_count; i++)
		if (passed[i] == fd)
			passed[i] = -1;
}
