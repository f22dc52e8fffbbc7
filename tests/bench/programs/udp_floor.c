/*
 * udp_floor.c - the barest relay of datagrams: a process for each peer, behind
 * a pair of SOCK_SEQPACKET sockets, and nothing else; no session ever ends.
 *
 *	udp_floor ADDRESS PORT PROGRAM [ARGUMENT ...]
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEERS	4096		/* a power of two; at most half are taken */
#define EVENTS	64

struct peer {
	struct sockaddr_in address;
	int fd;			/* 0: nobody */
};

static struct peer peers[PEERS];
static unsigned count;

static struct peer *
find(const struct sockaddr_in *address)
{
	unsigned at =
	    (ntohl(address->sin_addr.s_addr) * 31 + address->sin_port) * 2654435761u >> 20;

	while (peers[at % PEERS].fd != 0 &&
	    (peers[at % PEERS].address.sin_port != address->sin_port ||
	    peers[at % PEERS].address.sin_addr.s_addr != address->sin_addr.s_addr))
		at++;
	return &peers[at % PEERS];
}

static void
begin(struct peer *peer, const struct sockaddr_in *address, int loop, char **argv)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = peer };
	int ends[2];

	if (++count > PEERS / 2 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1)
		exit(71);
	if (fork() == 0) {
		dup2(ends[1], STDIN_FILENO);
		dup2(ends[1], STDOUT_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	close(ends[1]);
	peer->address = *address;
	peer->fd = ends[0];
	if (epoll_ctl(loop, EPOLL_CTL_ADD, peer->fd, &event) == -1)
		exit(71);
}

static int
listener(const char *address, const char *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((in_port_t)atoi(port)),
		.sin_addr.s_addr = inet_addr(address) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || bind(fd, (const struct sockaddr *)&at, sizeof at) == -1) {
		perror("udp_floor");
		exit(71);
	}
	return fd;
}

static void
relay(int fd, int loop, struct peer *peer, char **argv)
{
	static char bytes[65536];
	struct sockaddr_in from = { 0 };
	socklen_t size = sizeof from;
	ssize_t len;

	if (peer != NULL) {
		len = recv(peer->fd, bytes, sizeof bytes, 0);
		if (len > 0)
			(void)!sendto(fd, bytes, (size_t)len, 0,
			    (const struct sockaddr *)&peer->address, sizeof peer->address);
		return;
	}
	len = recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &size);
	if (len <= 0)
		return;
	peer = find(&from);
	if (peer->fd == 0)
		begin(peer, &from, loop, argv);
	(void)!send(peer->fd, bytes, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

int
main(int argc, char **argv)
{
	struct epoll_event events[EVENTS], event = { .events = EPOLLIN };
	int fd, loop = epoll_create1(EPOLL_CLOEXEC), got;

	if (argc < 4)
		return 64;
	fd = listener(argv[1], argv[2]);
	if (loop == -1 || epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event) == -1)
		return 71;
	for (;;) {
		got = epoll_wait(loop, events, EVENTS, -1);
		for (int i = 0; i < got; i++)
			relay(fd, loop, events[i].data.ptr, argv + 3);
	}
}
