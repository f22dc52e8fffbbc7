/*
 * msgclient: sends lines to a TCP server, and waits for the reply to each before
 * it sends the next. What the server says unasked is shown when it comes.
 */
#include "client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/time.h>

#define PATIENCE_S 10		/* default of -t */
#define PAUSE_MS 300		/* a reply without a newline is whole after so long a silence */

static const char usage[] =
    "usage: msgclient [-t SECONDS] HOST PORT\n"
    "  sends each line to a TCP server and shows the reply; quit ends it\n"
    "  -t SECONDS  how long connecting, and each reply, may take (10)\n"
    "  -h          this help\n";

enum state {
	OPEN,			/* the server may say more */
	ENDED,			/* it ended in good order */
	BROKEN			/* we told why */
};

static int patience_s = PATIENCE_S;
static char *const *target;	/* host and port */
static int server = -1;

static enum state
broken(const char *why)
{
	fprintf(stderr, "msgclient: %s %s: %s\n", target[0], target[1], why);
	return BROKEN;
}

/* Connects to the first address that answers. Returns 0, or -1 after telling why none did. */
static int
connect_any(void)
{
	const struct timeval patience = { .tv_sec = patience_s };
	struct addrinfo *list = client_addresses("msgclient", target, SOCK_STREAM);
	const int on = 1;
	int reason = 0;

	if (list == NULL)
		return -1;
	for (const struct addrinfo *one = list; one != NULL && server == -1; one = one->ai_next) {
		const int fd = socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		int failed = -1;

		if (fd != -1) {
			/* The time-out of sending is that of connecting too, and then even a suspend interrupts that. */
			setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
			while ((failed = connect(fd, one->ai_addr, one->ai_addrlen)) == -1 && errno == EINTR)
				continue;
		}
		if (failed == 0) {
			server = fd;
			break;
		}
		reason = errno == EINPROGRESS || errno == EALREADY ? ETIMEDOUT : errno;
		if (fd != -1)
			close(fd);
	}
	freeaddrinfo(list);
	return server != -1 ? 0 : (broken(strerror(reason)), -1);
}

/* Shows what one read brings; *last is its last byte, as it was where there is none. */
static enum state
show(char *last)
{
	char data[65536];
	ssize_t n;

	while ((n = read(server, data, sizeof data)) == -1 && errno == EINTR)
		continue;
	if (n == -1)
		return broken(strerror(errno));
	if (n == 0)
		return ENDED;
	*last = data[n - 1];
	if (!client_show(data, (size_t)n))
		return broken("the reply cannot be shown");
	return OPEN;
}

/* Shows the reply to what was sent: it ends with a line, or with silence after something. */
static enum state
show_reply(void)
{
	const int64_t deadline = client_now_ms() + patience_s * 1000;
	struct pollfd reply = { .fd = server, .events = POLLIN };
	enum state state = OPEN;
	char last = '\0';
	bool some = false;

	while (state == OPEN && last != '\n') {
		const int left = client_left_ms(deadline);
		const int n = poll(&reply, 1, some && left > PAUSE_MS ? PAUSE_MS : left);

		if (n == 0 && some)
			return OPEN;
		if (n == 0)
			return broken("no reply");
		if (n == 1) {
			state = show(&last);
			some = some || state == OPEN;
		}
	}
	if (state == ENDED && !some)
		return broken("ended without a reply");
	return state;
}

/* Waits until a line can be read, and shows meanwhile what the server says. */
static enum state
await_line(void)
{
	struct pollfd both[] = {
		{ .fd = server, .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
	};
	char last;

	for (;;) {
		if (poll(both, 2, -1) == -1)
			continue;
		if (both[0].revents != 0) {
			enum state state = show(&last);

			if (state != OPEN)
				return state;
		} else if (both[1].revents != 0) {
			return OPEN;
		}
	}
}

static enum state
send_all(const char *data, size_t size)
{
	while (size > 0) {
		const ssize_t n = write(server, data, size);

		if (n == -1 && errno != EINTR)
			return broken(errno == EAGAIN ? "takes nothing more" : strerror(errno));
		if (n > 0) {
			data += n;
			size -= (size_t)n;
		}
	}
	return OPEN;
}

/* Says that no more lines come, and shows the rest. A server that goes on is left. */
static enum state
finish(void)
{
	struct pollfd rest = { .fd = server, .events = POLLIN };
	enum state state = OPEN;
	char last;

	shutdown(server, SHUT_WR);
	while (state == OPEN && poll(&rest, 1, patience_s * 1000) == 1)
		state = show(&last);
	return state == BROKEN ? BROKEN : ENDED;
}

static enum state
talk(void)
{
	enum state state;
	char *line = NULL;
	size_t room = 0;
	ssize_t size;
	bool quits = false;

	/* Unbuffered, so that poll knows of every line that is left. */
	setvbuf(stdin, NULL, _IONBF, 0);
	while ((state = await_line()) == OPEN && !quits) {
		if ((size = getline(&line, &room, stdin)) == -1)
			break;
		quits = client_quits(line, (size_t)size);
		if ((state = send_all(line, (size_t)size)) == OPEN &&
		    line[size - 1] != '\n')
			state = send_all("\n", 1);
		if (state == OPEN)
			state = show_reply();
		if (state != OPEN || quits)
			break;
	}
	free(line);
	return state == OPEN ? finish() : state;
}

int
main(int argc, char *argv[])
{
	int option;

	opterr = 0;
	while ((option = getopt(argc, argv, "t:h")) != -1)
		if (option == 'h') {
			fputs(usage, stdout);
			return CLIENT_OK;
		} else if (option != 't' ||
		    (patience_s = client_number(optarg, CLIENT_SECONDS_MAX)) == -1) {
			fprintf(stderr, "msgclient: unknown option, or -t without 1 to 3600\n%s", usage);
			return CLIENT_USAGE;
		}
	if (argc - optind != 2) {
		fprintf(stderr, "msgclient: HOST and PORT are expected\n%s", usage);
		return CLIENT_USAGE;
	}
	target = argv + optind;
	if (client_no_port(target[1])) {
		fprintf(stderr, "msgclient: PORT is 1 to 65535, or a name\n%s", usage);
		return CLIENT_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	return connect_any() == 0 && talk() != BROKEN ? CLIENT_OK : CLIENT_FAILED;
}
