/*
 * udpclient: sends lines to a UDP server as datagrams, each again and again until
 * a reply comes. Datagrams have no numbers, so a line that was sent twice may be
 * served twice; a late second reply is thrown away where it comes before the
 * next line is sent.
 */
#include "client.h"

#include <poll.h>
#include <signal.h>

#define WAIT_S 1		/* default of -t */
#define TRIES 4			/* default of -r */
#define TRIES_MAX 100
#define DATAGRAM_MAX 65507

static const char usage[] =
    "usage: udpclient [-t SECONDS] [-r TRIES] HOST PORT\n"
    "  sends each line as a datagram and shows the reply; quit ends it\n"
    "  -t SECONDS  how long to wait for a reply before sending again (1)\n"
    "  -r TRIES    how often to send (4)\n"
    "  -h          this help\n";

static int wait_s = WAIT_S;
static int tries = TRIES;
static char *const *target;	/* host and port */
static char reply[DATAGRAM_MAX + 1];
static int server = -1;
static int reason;		/* errno that the last address gave, 0: silence */

static int
complain(const char *why)
{
	fprintf(stderr, "udpclient: %s %s: %s\n", target[0], target[1], why);
	return CLIENT_FAILED;
}

/* A socket that takes datagrams of this address alone; -1: there is no way to it. */
static int
connected(const struct addrinfo *one)
{
	const int fd = socket(one->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd != -1 && connect(fd, one->ai_addr, one->ai_addrlen) == 0)
		return fd;
	reason = errno;
	if (fd != -1)
		close(fd);
	return -1;
}

/* Waits for a reply. Returns its size; -1 with errno, 0 where none came in time. */
static ssize_t
receive(int fd, int64_t deadline)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	if (poll(&ready, 1, client_left_ms(deadline)) == 1)
		return recv(fd, reply, DATAGRAM_MAX, MSG_DONTWAIT);
	errno = 0;
	return -1;
}

/*
 * Sends a line until it is answered. Nobody being there, which a host may tell, is
 * an answer of an address that was never heard of; a server that we know may be
 * starting again. Returns the size of the reply, or -1.
 */
static ssize_t
ask(int fd, const char *line, size_t size, bool known)
{
	while (recv(fd, reply, DATAGRAM_MAX, MSG_DONTWAIT) >= 0)
		continue;
	for (int i = 0; i < tries; i++) {
		const int64_t deadline = client_now_ms() + wait_s * 1000;

		reason = send(fd, line, size, 0) == -1 ? errno : 0;
		if (reason == EMSGSIZE || (reason != 0 && !known))
			return -1;
		do {
			const ssize_t n = receive(fd, deadline);

			if (n >= 0)
				return n;
			reason = errno == EINTR || errno == EAGAIN ? 0 : errno;
			if (reason != 0 && !known)
				return -1;
		} while (client_now_ms() < deadline);
	}
	return -1;
}

/* As ask; the first line finds the address that answers. */
static ssize_t
ask_any(const struct addrinfo *list, const char *line, size_t size)
{
	ssize_t n = -1;
	int fd;

	if (server != -1)
		return ask(server, line, size, true);
	for (; list != NULL && server == -1; list = list->ai_next) {
		if ((fd = connected(list)) == -1)
			continue;
		if ((n = ask(fd, line, size, false)) != -1)
			server = fd;
		else
			close(fd);
	}
	return n;
}

static int
talk(const struct addrinfo *list)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t size, n;
	int status = CLIENT_OK;

	while (status == CLIENT_OK && (size = getline(&line, &room, stdin)) != -1) {
		n = ask_any(list, line, (size_t)size);
		if (n == -1) {
			status = complain(reason == 0 ? "no reply" : strerror(reason));
			break;
		}
		if (n > 0 && reply[n - 1] != '\n')
			reply[n++] = '\n';
		if (!client_show(reply, (size_t)n))
			status = complain("the reply cannot be shown");
		if (client_quits(line, (size_t)size))
			break;
	}
	free(line);
	return status;
}

int
main(int argc, char *argv[])
{
	struct addrinfo *list;
	int option, status;

	opterr = 0;
	while ((option = getopt(argc, argv, "t:r:h")) != -1)
		if (option == 'h') {
			fputs(usage, stdout);
			return CLIENT_OK;
		} else if ((option != 't' ||
			(wait_s = client_number(optarg, CLIENT_SECONDS_MAX)) == -1) &&
		    (option != 'r' || (tries = client_number(optarg, TRIES_MAX)) == -1)) {
			fprintf(stderr, "udpclient: unknown option, -t without 1 to 3600, or"
			    " -r without 1 to 100\n%s", usage);
			return CLIENT_USAGE;
		}
	if (argc - optind != 2) {
		fprintf(stderr, "udpclient: HOST and PORT are expected\n%s", usage);
		return CLIENT_USAGE;
	}
	target = argv + optind;
	if (client_no_port(target[1])) {
		fprintf(stderr, "udpclient: PORT is 1 to 65535, or a name\n%s", usage);
		return CLIENT_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	if ((list = client_addresses("udpclient", target, SOCK_DGRAM)) == NULL)
		return CLIENT_FAILED;
	status = talk(list);
	freeaddrinfo(list);
	return status;
}
