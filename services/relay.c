/*
 * relay: connects to another server and passes bytes both ways until both
 * directions have ended, each for itself. Nothing here waits but poll(2) and
 * connect(2): one side that does not read never holds up the other direction.
 * Bulk between sockets goes by splice(2), which hands pages on instead of
 * copying bytes; where a socket cannot be spliced from, read and write serve.
 *
 * A direction ends when its source has; it is lost when its destination takes
 * no more, and its bytes are then thrown away, so that the other direction can
 * still end in good order. A reset on one side becomes one on the other.
 */
#include "io.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECT_S 10		/* default of -t */
#define CONNECT_S_MAX 86400
#define BUFFER_SIZE 262144	/* of a direction; only pages that bytes reach become resident */
#define BULK_SIZE 65536		/* a read as long as this is worth a pipe */

/*
 * A static program cannot look up names with glibc, which loads libraries for
 * it and whose linker warns. As weak symbols the functions are simply not there
 * in such a program, and numeric addresses still are.
 */
#ifdef __GLIBC__
#pragma weak getaddrinfo
#pragma weak freeaddrinfo
#endif

static const char usage[] =
    "usage: relay [-4 | -6] [-t SECONDS] HOST PORT\n"
    "       relay [-t SECONDS] unix:PATH\n"
    "  connects to another server and passes bytes both ways\n"
    "  -4, -6      only IPv4, only IPv6\n"
    "  -t SECONDS  how long connecting to an address may take (10)\n"
    "  -h          this help\n";

/* What is connected to. */
struct target {
	const char *host;
	const char *port;		/* NULL: host is unix:PATH */
	int         family;		/* AF_UNSPEC, AF_INET or AF_INET6 */
	int         patience_s;		/* for each address */
	char        name[300];		/* for people */
};

/* A descriptor that bytes come from or go to. */
struct end {
	int   fd;			/* -1: closed */
	bool  socket;			/* non-blocking, then */
	bool  hung;			/* nobody is at its other side; poll tells that for ever */
	short wanted;			/* what this round of poll asked for */
	short seen;			/* and what it answered */
};

/* One direction. Its bytes wait in data, or in the pipe where it has one. */
struct flow {
	struct end *from;
	struct end *to;
	int    pipe[2];
	bool   spliced;			/* there is the pipe */
	bool   copies;			/* splice(2) does not serve here */
	bool   over;			/* from has ended, and all was passed, the end too */
	bool   lost;			/* to takes nothing more */
	size_t next;			/* first byte of data not yet passed */
	size_t held;			/* bytes not yet passed */
	char   data[BUFFER_SIZE];
};

static struct target target = { .patience_s = CONNECT_S };
static struct end ends[3];		/* input, output, the target */
static struct flow flows[2];		/* to the target, and from it */

static int
number_option(const char *text, off_t most)
{
	off_t value;

	if (!io_number(text, strlen(text), &value) || value < 1 || value > most)
		return -1;
	return (int)value;
}

static int
connect_unix(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const size_t size = strlen(path);

	/* Of an abstract name exactly these bytes count, of a path those up to its NUL. */
	memcpy(address.sun_path, path, size);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	return io_connect((const struct sockaddr *)&address,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + (path[0] != '@')),
	    target.patience_s);
}

/* Reads host and port as numbers. Returns the size of the address, 0 where they are not. */
static socklen_t
numeric_address(struct sockaddr_storage *address)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	const int port = number_option(target.port, 65535);

	v4.sin_port = v6.sin6_port = htons((uint16_t)port);
	if (port == -1)
		return 0;
	if (target.family != AF_INET6 && inet_pton(AF_INET, target.host, &v4.sin_addr) == 1)
		return memcpy(address, &v4, sizeof v4), (socklen_t)sizeof v4;
	if (target.family != AF_INET && inet_pton(AF_INET6, target.host, &v6.sin6_addr) == 1)
		return memcpy(address, &v6, sizeof v6), (socklen_t)sizeof v6;
	return 0;
}

/* Connects to the first address of a name that answers; tells why none did. */
static int
connect_name(void)
{
	const struct addrinfo hints = { .ai_family = target.family, .ai_socktype = SOCK_STREAM };
	struct addrinfo *list, *next;
	int error, fd = -1;

#ifdef __GLIBC__
	if (getaddrinfo == NULL) {
		io_say(target.name, "no names in a static program, only numbers");
		return -1;
	}
#endif
	if ((error = getaddrinfo(target.host, target.port, &hints, &list)) != 0) {
		io_say(target.name, error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
		return -1;
	}
	for (next = list; next != NULL && fd == -1; next = next->ai_next)
		fd = io_connect(next->ai_addr, next->ai_addrlen, target.patience_s);
	if (fd == -1)
		io_complain(target.name);
	freeaddrinfo(list);
	return fd;
}

/* Connects to the target. Returns the socket, or -1 after telling why. */
static int
connect_target(void)
{
	struct sockaddr_storage address;
	socklen_t size = 0;
	int fd;

	if (target.port != NULL && (size = numeric_address(&address)) == 0)
		return connect_name();
	fd = size == 0 ? connect_unix(target.host + strlen("unix:"))
	    : io_connect((const struct sockaddr *)&address, size, target.patience_s);
	if (fd == -1)
		io_complain(target.name);
	return fd;
}

static void
pipe_close(struct flow *flow)
{
	close(flow->pipe[0]);
	close(flow->pipe[1]);
	flow->spliced = false;
	flow->copies = true;
}

/* From now on by splice, where it can be: called when nothing is held. */
static void
pipe_open(struct flow *flow)
{
	if (flow->copies || !flow->from->socket || !flow->to->socket ||
	    pipe2(flow->pipe, O_CLOEXEC | O_NONBLOCK) == -1) {
		flow->copies = true;
		return;
	}
	flow->spliced = true;
	fcntl(flow->pipe[1], F_SETPIPE_SZ, BUFFER_SIZE);	/* a smaller pipe is only slower */
}

/* The destination takes no more: what still comes is thrown away. */
static void
give_up(struct flow *flow)
{
	if (flow->over)
		return;
	flow->lost = true;
	flow->held = 0;
	if (flow->spliced)
		pipe_close(flow);
}

/* The source has ended, and all before was passed: so is the end. */
static void
finish(struct flow *flow)
{
	flow->over = true;
	if (flow->to->socket) {
		shutdown(flow->to->fd, SHUT_WR);
	} else if (!flow->lost) {
		close(flow->to->fd);
		flow->to->fd = -1;
	}
}

/* Reads once. Returns 0, or -1 with errno. */
static int
fill(struct flow *flow)
{
	ssize_t n = flow->spliced
	    ? splice(flow->from->fd, NULL, flow->pipe[1], NULL, BUFFER_SIZE, SPLICE_F_NONBLOCK)
	    : read(flow->from->fd, flow->data, sizeof flow->data);

	if (n == -1 && flow->spliced && (errno == EINVAL || errno == ENOSYS)) {
		pipe_close(flow);
		return 0;
	}
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	flow->next = 0;
	flow->held = (size_t)n;
	if (n == 0)
		finish(flow);
	return 0;
}

/* Writes once. Returns 0, or -1 with errno. */
static int
drain(struct flow *flow)
{
	/* A pipe or terminal that is ready takes so much without making us wait. */
	const size_t size = flow->to->socket || flow->held < PIPE_BUF ? flow->held : PIPE_BUF;
	/* Every socket can be spliced to, so there is no way back from here. */
	ssize_t n = flow->spliced
	    ? splice(flow->pipe[0], NULL, flow->to->fd, NULL, size, SPLICE_F_NONBLOCK)
	    : write(flow->to->fd, flow->data + flow->next, size);

	if (n == -1 && errno == EPIPE) {
		give_up(flow);
		return 0;
	}
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	flow->next += (size_t)n;
	flow->held -= (size_t)n;
	if (flow->held == 0 && !flow->spliced && flow->next >= BULK_SIZE)
		pipe_open(flow);
	return 0;
}

/* Does what poll says can be done. Returns 0, or -1 with errno: all is to end. */
static int
pass(struct flow *flow)
{
	const short readable = POLLIN | POLLHUP | POLLERR | POLLNVAL;

	if (flow->over)
		return 0;
	if (flow->held == 0 && (flow->from->seen & readable) != 0 && fill(flow) == -1)
		return -1;
	/* What was just read is tried at once where the attempt cannot make us wait. */
	if (flow->held > 0 && (flow->to->socket || flow->to->seen != 0) && drain(flow) == -1)
		return -1;
	return 0;
}

/*
 * What poll told unasked, of an end where no read or write would find it.
 * Returns 0, or -1 with errno: a reset, which is passed on even while the
 * other side is not ready for anything.
 */
static int
notice(struct end *end)
{
	int error = 0;
	socklen_t size = sizeof error;

	if ((end->seen & POLLERR) != 0 && end->socket && end->wanted == 0 &&
	    getsockopt(end->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error != 0 &&
	    error != EPIPE) {
		errno = error;
		return -1;
	}
	if ((end->seen & (POLLHUP | POLLERR)) != 0) {
		end->hung = true;
		for (int i = 0; i < 2; i++)
			if (flows[i].to == end)
				give_up(&flows[i]);
	}
	return 0;
}

/* Waits until something can be done. Returns 0, or -1 with errno. */
static int
wait_ends(void)
{
	struct pollfd polled[3];

	for (int i = 0; i < 3; i++)
		ends[i].wanted = 0;
	for (const struct flow *flow = flows; flow < flows + 2; flow++)
		if (flow->held > 0)
			flow->to->wanted |= POLLOUT;
		else if (!flow->over)
			flow->from->wanted |= POLLIN;
	for (int i = 0; i < 3; i++)
		polled[i] = (struct pollfd){
			.fd = ends[i].hung && ends[i].wanted == 0 ? -1 : ends[i].fd,
			.events = ends[i].wanted,
		};
	if (poll(polled, 3, -1) == -1 && errno != EINTR)
		return -1;
	for (int i = 0; i < 3; i++)
		ends[i].seen = polled[i].revents;
	return 0;
}

/* Passes until each direction is over, or lost. Returns 0, or -1 with errno. */
static int
pass_all(void)
{
	while ((!flows[0].over && !flows[0].lost) || (!flows[1].over && !flows[1].lost)) {
		if (wait_ends() == -1 || pass(&flows[0]) == -1 || pass(&flows[1]) == -1)
			return -1;
		for (int i = 0; i < 3; i++)
			if (notice(&ends[i]) == -1)
				return -1;
	}
	return 0;
}

static struct end
end_open(int fd)
{
	struct end end = { .fd = fd };
	struct stat about;

	end.socket = fstat(fd, &about) == 0 && S_ISSOCK(about.st_mode);
	/* Anything else may be shared with a shell, which would not expect this. */
	if (end.socket)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return end;
}

static int
relay(void)
{
	const int fd = connect_target();
	int status;

	if (fd == -1) {
		io_reset_later(STDOUT_FILENO);
		return IO_FAILED;
	}
	ends[0] = end_open(STDIN_FILENO);
	ends[1] = end_open(STDOUT_FILENO);
	ends[2] = end_open(fd);
	flows[0].from = &ends[0];
	flows[0].to = flows[1].from = &ends[2];
	flows[1].to = &ends[1];
	if (pass_all() == 0) {
		if (ends[0].socket && !flows[0].over)
			io_linger_on();
		else
			io_linger();
		return IO_OK;
	}
	status = io_status(target.name);
	io_reset_later(STDOUT_FILENO);
	io_reset_later(fd);
	return status;
}

/* Reads the arguments after the options. Returns NULL, or what is wrong with them. */
static const char *
read_target(int count, char *const words[])
{
	off_t port;

	target.host = count > 0 ? words[0] : "";
	target.port = count > 1 ? words[1] : NULL;
	snprintf(target.name, sizeof target.name, "%s%s%s", target.host, count > 1 ? " " : "",
	    count > 1 ? words[1] : "");
	if (strncmp(target.host, "unix:", 5) == 0) {
		const char *path = target.host + 5;

		return count != 1 ? "unix:PATH stands alone" :
		    target.family != AF_UNSPEC ? "-4 and -6 do not go with unix:PATH" :
		    strlen(path) < 2 || strchr("/@", *path) == NULL
		    ? "not unix:/PATH or unix:@NAME" :
		    strlen(path) > 107 ? "the path is longer than 107 bytes" : NULL;
	}
	if (count != 2 || *target.host == '\0' || *target.port == '\0')
		return "HOST PORT or unix:PATH is expected";
	if (io_number(target.port, strlen(target.port), &port) && (port < 1 || port > 65535))
		return "PORT is 1 to 65535, or a name";
	return NULL;
}

int
main(int argc, char *argv[])
{
	const char *wrong;
	int option;

	io_init("relay", usage);
	opterr = 0;
	while ((option = getopt(argc, argv, "46t:h")) != -1)
		switch (option) {
		case '4':
		case '6':
			if (target.family != AF_UNSPEC)
				return io_usage("-4 and -6 exclude each other");
			target.family = option == '4' ? AF_INET : AF_INET6;
			break;
		case 't':
			if ((target.patience_s = number_option(optarg, CONNECT_S_MAX)) == -1)
				return io_usage("-t is 1 to 86400 seconds");
			break;
		case 'h':
			return io_help();
		default:
			return io_usage("unknown option, or -t without SECONDS");
		}
	if ((wrong = read_target(argc - optind, argv + optind)) != NULL)
		return io_usage(wrong);
	if (io_datagrams())
		return io_usage("only streams are served");
	return relay();
}
