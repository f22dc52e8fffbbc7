/*
 * lossy SEED PORT: a network that loses, doubles and delays a fifth of all
 * datagrams each, in both directions, between its clients and PORT of the
 * loopback. Says its own port on a line, lives until its input ends, and then
 * says "lost=N doubled=N late=N". The same seed and the same datagrams give the
 * same fate.
 *
 * A late datagram waits until some later ones have overtaken it, or for a
 * moment where none come.
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
#include <unistd.h>

#define CLIENTS 64
#define LATE 16			/* datagrams that can be late at once */
#define OVERTAKEN_MOST 8	/* by so many others */
#define MOMENT_MS 3
#define SIZE 65536

struct client {
	struct sockaddr_in address;
	int server;			/* a socket of its own */
};

struct late {
	int    after;			/* others; 0: nothing waits here */
	int    client;
	bool   up;			/* to the server */
	size_t size;
	char   data[SIZE];
};

static struct client clients[CLIENTS];
static int count;			/* of clients */
static int front;			/* the socket that clients know */
static struct late lates[LATE];
static uint64_t random_state;
static unsigned long lost, doubled, delayed;

static bool
one_in_five(void)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (random_state >> 33) % 5 == 0;
}

static void
pass(int client, bool up, const char *data, size_t size)
{
	const struct sockaddr_in *to = &clients[client].address;

	/* Nobody there is a loss like any other. */
	if (up)
		(void)!send(clients[client].server, data, size, 0);
	else
		(void)!sendto(front, data, size, 0, (const struct sockaddr *)to, sizeof *to);
}

/* One more datagram went by, or with `all` nothing comes any more. */
static void
let_late_pass(bool all)
{
	for (int i = 0; i < LATE; i++)
		if (lates[i].after > 0 && (all || --lates[i].after == 0)) {
			lates[i].after = 0;
			pass(lates[i].client, lates[i].up, lates[i].data, lates[i].size);
		}
}

static bool
delay(int client, bool up, const char *data, size_t size)
{
	for (int i = 0; i < LATE; i++)
		if (lates[i].after == 0) {
			lates[i].after = 1 + (int)(random_state >> 40) % OVERTAKEN_MOST;
			lates[i].client = client;
			lates[i].up = up;
			lates[i].size = size;
			memcpy(lates[i].data, data, size);
			delayed++;
			return true;
		}
	return false;
}

static void
treat(int client, bool up, const char *data, size_t size)
{
	const bool loses = one_in_five(), doubles = one_in_five(), delays = one_in_five();

	if (loses)
		lost++;
	else if (!delays || !delay(client, up, data, size))
		pass(client, up, data, size);
	if (doubles && !loses) {
		doubled++;
		pass(client, up, data, size);
	}
	let_late_pass(false);
}

static struct sockaddr_in
loopback(const char *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	return address;
}

static int
find_client(const struct sockaddr_in *address, const struct sockaddr_in *server)
{
	int i;

	for (i = 0; i < count; i++)
		if (clients[i].address.sin_port == address->sin_port)
			return i;
	if (count == CLIENTS)
		exit(1);
	clients[i].address = *address;
	clients[i].server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (connect(clients[i].server, (const struct sockaddr *)server, sizeof *server) == -1)
		exit(1);
	return count++;
}

/* Takes what is there, but not for ever: all are to have their turn. */
static void
take(int client, const struct sockaddr_in *server)
{
	static char data[SIZE];
	struct sockaddr_in from;
	const int fd = client == -1 ? front : clients[client].server;

	for (int i = 0; i < 64; i++) {
		socklen_t length = sizeof from;
		ssize_t n = recvfrom(fd, data, sizeof data, MSG_DONTWAIT,
		    (struct sockaddr *)&from, &length);

		if (n == -1)
			return;
		treat(client == -1 ? find_client(&from, server) : client, client == -1, data,
		    (size_t)n);
	}
}

int
main(int argc, char **argv)
{
	struct sockaddr_in server, own = loopback("0");
	socklen_t length = sizeof own;
	struct pollfd polled[2 + CLIENTS] = { { .fd = 0, .events = POLLIN } };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (argc != 3)
		return 64;
	random_state = strtoull(argv[1], NULL, 10);
	server = loopback(argv[2]);
	front = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(front, (struct sockaddr *)&own, sizeof own) == -1 ||
	    getsockname(front, (struct sockaddr *)&own, &length) == -1)
		return 1;
	printf("%u\n", (unsigned)ntohs(own.sin_port));
	fflush(stdout);
	while (polled[0].revents == 0) {
		polled[1] = (struct pollfd){ .fd = front, .events = POLLIN };
		for (int i = 0; i < count; i++)
			polled[2 + i] = (struct pollfd){ .fd = clients[i].server, .events = POLLIN };
		if (poll(polled, 2 + (nfds_t)count, MOMENT_MS) == 0)
			let_late_pass(true);
		for (int i = count - 1; i >= 0; i--)
			if (polled[2 + i].revents != 0)
				take(i, &server);
		if (polled[1].revents != 0)
			take(-1, &server);
	}
	printf("lost=%lu doubled=%lu late=%lu\n", lost, doubled, delayed);
	return 0;
}
