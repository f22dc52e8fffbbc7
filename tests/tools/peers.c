/*
 * peers PORT PROGRAM [ARGUMENT...]: a UDP server on PORT (0: any) of the
 * loopback that runs a PROGRAM for each client, with the client's datagrams on
 * a SEQPACKET socket and PROTO=UDP. Says its port on a line, and lives until
 * its input ends; the programs then get end-of-file.
 *
 * With -k N each program is killed when it has answered N times, and the next
 * datagram of its client starts another one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PEERS 64
#define SIZE 65536
#define BATCH 64		/* datagrams of one side before the others have their turn */

struct peer {
	struct sockaddr_in address;
	int   fd;			/* -1: no program */
	pid_t pid;
	int   answers;
};

static struct peer peers[PEERS];
static int count;
static int front;
static int kill_after;			/* answers; 0: never */
static char **program;

static void
start(struct peer *peer)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1)
		exit(1);
	peer->answers = 0;
	peer->pid = fork();
	if (peer->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ends[1], 0);
		dup2(ends[1], 1);
		setenv("PROTO", "UDP", 1);
		execv(program[0], program);
		_exit(127);
	}
	close(ends[1]);
	peer->fd = ends[0];
}

static void
stop(struct peer *peer)
{
	close(peer->fd);
	peer->fd = -1;
	waitpid(peer->pid, NULL, 0);
}

static struct peer *
find(const struct sockaddr_in *address)
{
	int i;

	for (i = 0; i < count && peers[i].address.sin_port != address->sin_port; i++)
		continue;
	if (i == PEERS)
		exit(1);
	if (i == count) {
		count++;
		peers[i].address = *address;
		peers[i].fd = -1;
	}
	if (peers[i].fd == -1)
		start(&peers[i]);
	return &peers[i];
}

static void
to_programs(void)
{
	static char data[SIZE];
	struct sockaddr_in from;

	for (int i = 0; i < BATCH; i++) {
		socklen_t length = sizeof from;
		ssize_t n = recvfrom(front, data, sizeof data, MSG_DONTWAIT,
		    (struct sockaddr *)&from, &length);

		/* A program whose queue is full loses it, as with superd. */
		if (n > 0)
			(void)!send(find(&from)->fd, data, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == -1)
			return;
	}
}

static void
to_client(struct peer *peer)
{
	static char data[SIZE];

	for (int i = 0; i < BATCH; i++) {
		ssize_t n = recv(peer->fd, data, sizeof data, MSG_DONTWAIT);

		if (n == -1 && errno == EAGAIN)
			return;
		if (n > 0)
			(void)!sendto(front, data, (size_t)n, 0,
			    (struct sockaddr *)&peer->address, sizeof peer->address);
		if (n > 0 && ++peer->answers != kill_after)
			continue;
		if (n > 0)
			kill(peer->pid, SIGKILL);
		stop(peer);
		return;
	}
}

static void
serve(void)
{
	struct pollfd polled[2 + PEERS] = { { .fd = 0, .events = POLLIN } };

	while (polled[0].revents == 0) {
		const int known = count;

		polled[1] = (struct pollfd){ .fd = front, .events = POLLIN };
		for (int i = 0; i < known; i++)
			polled[2 + i] = (struct pollfd){ .fd = peers[i].fd, .events = POLLIN };
		if (poll(polled, 2 + (nfds_t)known, -1) == -1)
			exit(1);
		for (int i = 0; i < known; i++)
			if (polled[2 + i].revents != 0)
				to_client(&peers[i]);
		if (polled[1].revents != 0)
			to_programs();
	}
	for (int i = 0; i < count; i++)
		if (peers[i].fd != -1)
			stop(&peers[i]);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in own = { .sin_family = AF_INET };
	socklen_t length = sizeof own;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (argc > 4 && strcmp(argv[1], "-k") == 0) {
		kill_after = (int)strtol(argv[2], NULL, 10);
		argc -= 2;
		argv += 2;
	}
	if (argc < 3)
		return 64;
	program = argv + 2;
	own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	own.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	front = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(front, (struct sockaddr *)&own, sizeof own) == -1 ||
	    getsockname(front, (struct sockaddr *)&own, &length) == -1)
		return 1;
	printf("%u\n", (unsigned)ntohs(own.sin_port));
	fflush(stdout);
	serve();
	return 0;
}
