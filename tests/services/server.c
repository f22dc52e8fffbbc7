/*
 * What relay connects to in its tests; server.h says what it promises.
 */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define QUIET_MS 200		/* who cannot write or act in this time is stuck */
#define HOSTS "hosts.test"	/* in the working folder */
#define FILL_MAX 64		/* connections; the kernel takes few more than the backlog says */

union address {
	struct sockaddr     any;
	struct sockaddr_in  v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un  local;
};

/* Fills in an address of the kind; returns its size. */
static socklen_t
address_make(union address *address, enum server_kind kind, struct server *server)
{
	const size_t path = offsetof(struct sockaddr_un, sun_path);
	char folder[64];
	size_t size;

	memset(address, 0, sizeof *address);
	if (kind == SERVER_V4) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		strcpy(server->host, "127.0.0.1");
		return sizeof address->v4;
	}
	if (kind == SERVER_V6) {
		address->v6.sin6_family = AF_INET6;
		address->v6.sin6_addr = in6addr_loopback;
		strcpy(server->host, "::1");
		return sizeof address->v6;
	}
	address->local.sun_family = AF_UNIX;
	strcpy(server->port, "");
	if (kind == SERVER_PATH)
		ck_assert_ptr_nonnull(getcwd(folder, sizeof folder));
	snprintf(server->host, sizeof server->host, kind == SERVER_PATH ? "unix:%s/relay.%d" :
	    "unix:@%s/relay.%d", kind == SERVER_PATH ? folder : "superd", (int)getpid());
	size = strlen(server->host + 5);
	memcpy(address->local.sun_path, server->host + 5, size);
	if (kind == SERVER_ABSTRACT)
		address->local.sun_path[0] = '\0';
	return (socklen_t)(path + size + (kind == SERVER_PATH));
}

struct server
server_open(enum server_kind kind, int backlog)
{
	struct server server;
	union address address;
	socklen_t size = address_make(&address, kind, &server);

	server.listener = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (kind == SERVER_PATH)
		unlink(server.host + 5);
	ck_assert_msg(bind(server.listener, &address.any, size) == 0, "%s: %s", server.host,
	    strerror(errno));
	if (backlog >= 0)
		ck_assert_int_eq(listen(server.listener, backlog), 0);
	if (kind == SERVER_V4 || kind == SERVER_V6) {
		ck_assert_int_eq(getsockname(server.listener, &address.any, &size), 0);
		snprintf(server.port, sizeof server.port, "%u", (unsigned)ntohs(
		    kind == SERVER_V4 ? address.v4.sin_port : address.v6.sin6_port));
	}
	return server;
}

struct filter
server_relay(const struct server *server, enum channel channel, const char *option,
    const char *value)
{
	const char *argv[6] = { "relay" };
	int count = 1;

	if (option != NULL)
		argv[count++] = option;
	if (value != NULL)
		argv[count++] = value;
	argv[count++] = server->host;
	if (*server->port != '\0')
		argv[count] = server->port;
	return filter_start(channel, argv);
}

struct filter
server_accept(const struct server *server)
{
	struct filter filter = { .pid = -1 };

	filter.in = filter.out = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_msg(filter.in >= 0, "accept: %s", strerror(errno));
	return filter;
}

int
server_fill(const struct server *server)
{
	union address address;
	socklen_t size = sizeof address;

	ck_assert_int_eq(getsockname(server->listener, &address.any, &size), 0);
	for (int i = 0; i < FILL_MAX; i++) {
		const struct timeval patience = { .tv_usec = 100000 };
		int failed, fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
		while ((failed = connect(fd, &address.any, size)) == -1 && errno == EINTR)
			continue;
		if (failed == -1) {
			close(fd);	/* TCP would go on trying; the test's end closes those before */
			return i;
		}
	}
	ck_abort_msg("the queue is never full");
	return 0;
}

size_t
flood(const struct filter *filter, const char *data)
{
	struct pollfd room = { .fd = filter->in, .events = POLLOUT };
	size_t sent = 0;

	while (sent < FLOOD && poll(&room, 1, QUIET_MS) == 1) {
		ssize_t n = write(filter->in, data + sent, FLOOD - sent);

		ck_assert_msg(n > 0 || errno == EAGAIN, "write: %s", strerror(errno));
		sent += n > 0 ? (size_t)n : 0;
	}
	ck_assert_msg(sent < FLOOD, "nothing holds back the sender");
	return sent;
}

void
connection_drained(const struct filter *filter)
{
	int waiting = 1;

	while (waiting > 0) {
		ck_assert_int_eq(ioctl(filter->in, SIOCOUTQ, &waiting), 0);
		sched_yield();
	}
}

void
connection_close(struct filter *filter)
{
	close(filter->in);
	if (filter->out != filter->in)
		close(filter->out);
	filter->in = filter->out = -1;
}

void
connection_reset(struct filter *filter)
{
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	ck_assert_int_eq(setsockopt(filter->in, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
	close(filter->in);
	filter->in = filter->out = -1;
}

static long
process_ticks(pid_t pid, char *state)
{
	long user, system;
	char name[32];
	FILE *file;

	snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
	file = fopen(name, "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%*d (%*[^)]) %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
	    "%ld %ld", state, &user, &system), 3);
	fclose(file);
	return user + system;
}

void
process_idle(pid_t pid)
{
	char state = 'R';

	while (state == 'R') {		/* it would do something, and has no processor */
		long before = process_ticks(pid, &state);

		poll(NULL, 0, QUIET_MS);
		ck_assert_int_le(process_ticks(pid, &state) - before, 3);
	}
}

void
process_stop_and_go_on(pid_t pid)
{
	int status;

	process_idle(pid);
	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
	ck_assert(WIFSTOPPED(status));
	ck_assert_int_eq(kill(pid, SIGCONT), 0);
}

/* 77: that is not possible here. */
void
hosts_own(void)
{
	if ((unshare(CLONE_NEWNS) == -1 && unshare(CLONE_NEWUSER | CLONE_NEWNS) == -1) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount(HOSTS, "/etc/hosts", NULL, MS_BIND, NULL) == -1)
		_exit(77);
}

bool
hosts_possible(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		hosts_own();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status == 0;
}

void
hosts_write(const char *text)
{
	FILE *file = fopen(HOSTS, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

bool
hosts_several(void)
{
	hosts_write("127.0.0.2 several.test\n127.0.0.3 several.test\n::1 several.test\n"
	    "127.0.0.1 several.test\n");
	if (!hosts_possible())
		fprintf(stderr, "skipped: names of its own hosts file\n");
	return hosts_possible();
}

char *
noise_make(size_t size, unsigned seed)
{
	char *data = malloc(size);

	ck_assert_ptr_nonnull(data);
	for (size_t i = 0; i < size; i++)
		data[i] = (char)((seed = seed * 1103515245u + 12345u) >> 16);
	return data;
}
