/*
 * Clients of the daemon under test.  Every socket has the deadline as its time
 * limit, so that no call blocks for ever, and what does not come fails the test.
 */
#include "harness.h"
#include "harness_name.h"

#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ADDRESS_SIZE = 160 };

union any_address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

/* The address of the service's nth listen line, if that is in the log by now. */
static bool
find_address(struct daemon *d, const char *service, unsigned nth, char *address)
{
	char want[64];
	const char *at;

	snprintf(want, sizeof want, " listen service=%s ", service);
	log_read(d);
	for (at = d->log; (at = strstr(at, want)) != NULL; at++) {
		const char *from = strstr(at, " address=");

		if (nth-- > 0 || from == NULL)
			continue;
		from += strlen(" address=");
		if (from[strcspn(from, " \n")] == '\0')
			return false;		/* the rest of the line is to come */
		snprintf(address, ADDRESS_SIZE, "%.*s", (int)strcspn(from, " \n"), from);
		return true;
	}
	return false;
}

const char *
address_of(struct daemon *d, const char *service, unsigned nth)
{
	static char found[8][ADDRESS_SIZE];
	static unsigned turn;
	char *address = found[turn++ % 8];

	await(find_address(d, service, nth, address));
	return address;
}

int
port_of(const char *address)
{
	const char *colon = strrchr(address, ':');
	int port = colon == NULL ? 0 : atoi(colon + 1);

	if (port <= 0)
		flunk("no port in '%s'", address);
	return port;
}

static socklen_t
unix_address(union any_address *any, const char *path)
{
	size_t len = strlen(path);

	if (len >= sizeof any->un.sun_path)
		flunk("too long for a Unix socket: %s", path);
	any->un.sun_family = AF_UNIX;
	memcpy(any->un.sun_path, path, len + 1);
	if (path[0] != '@')
		return (socklen_t)sizeof any->un;
	any->un.sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

/* What superd logs, or a test writes: a.b.c.d:P, [v6]:P, *:P, unix:/path, unix:@name. */
static socklen_t
parse_address(union any_address *any, const char *address)
{
	char host[INET6_ADDRSTRLEN + 16];
	const char *colon = strrchr(address, ':');
	uint16_t port;

	memset(any, 0, sizeof *any);
	if (strncmp(address, "unix:", 5) == 0)
		return unix_address(any, address + 5);
	port = htons((uint16_t)port_of(address));
	if (address[0] == '[') {
		snprintf(host, sizeof host, "%.*s", (int)strcspn(address + 1, "]"), address + 1);
		any->in6.sin6_family = AF_INET6;
		any->in6.sin6_port = port;
		if (inet_pton(AF_INET6, host, &any->in6.sin6_addr) != 1)
			flunk("not an address: %s", address);
		return (socklen_t)sizeof any->in6;
	}
	snprintf(host, sizeof host, "%.*s", (int)(colon - address), address);
	any->in.sin_family = AF_INET;
	any->in.sin_port = port;
	if (strcmp(host, "*") == 0)
		any->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (inet_pton(AF_INET, host, &any->in.sin_addr) != 1)
		flunk("not an address: %s", address);
	return (socklen_t)sizeof any->in;
}

ssize_t
receive(int fd, void *bytes, size_t len, int flags)
{
	size_t have = 0;
	ssize_t got;

	do {
		got = recv(fd, (char *)bytes + have, len - have, flags);
		if (got > 0)
			have += (size_t)got;
	} while ((got == -1 && errno == EINTR) || (got > 0 && (flags & MSG_WAITALL) != 0 && have < len));
	return have > 0 ? (ssize_t)have : got;
}

static int
open_socket(int family)
{
	const struct timeval limit = { .tv_sec = DEADLINE_MS / 1000 };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == -1)
		flunk("socket: %s", strerror(errno));
	return fd;
}

int
try_dial(const char *address)
{
	union any_address any;
	socklen_t len = parse_address(&any, address);
	int fd = open_socket(any.sa.sa_family), saved;

	if (connect(fd, &any.sa, len) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

int
dial_to(const char *address)
{
	int fd = try_dial(address);

	if (fd == -1)
		flunk("connect to %s: %s", address, strerror(errno));
	return fd;
}

int
dial(struct daemon *d, const char *service)
{
	return dial_to(address_of(d, service, 0));
}

int
bind_to(const char *address)
{
	union any_address any;
	bool any_port = strcmp(address + strlen(address) - 2, ":0") == 0;
	socklen_t len;
	int fd;

	len = parse_address(&any, any_port ? "127.0.0.1:1" : address);
	fd = open_socket(any.sa.sa_family);
	if (any_port)
		any.in.sin_port = 0;
	if (bind(fd, &any.sa, len) == -1 || listen(fd, 16) == -1)
		flunk("bind %s: %s", address, strerror(errno));
	return fd;
}

void
reset(int fd)
{
	const struct linger now = { .l_onoff = 1 };

	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) == -1)
		flunk("SO_LINGER: %s", strerror(errno));
	close(fd);
}

void
put_bytes(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);

		if (sent == -1)
			flunk("send: %s", strerror(errno));
		at += sent;
		len -= (size_t)sent;
	}
}

void
put(int fd, const char *text)
{
	put_bytes(fd, text, strlen(text));
}

size_t
must_receive(int fd, void *bytes, size_t len)
{
	ssize_t got = receive(fd, bytes, len, 0);

	if (got == -1)
		flunk("receive: %s", errno == EAGAIN ? "nothing came" : strerror(errno));
	return (size_t)got;
}

void
expect_bytes(int fd, const void *bytes, size_t len)
{
	const char *want = bytes;
	char block[4096];
	size_t done = 0;

	while (done < len) {
		size_t ask = len - done < sizeof block ? len - done : sizeof block;
		size_t got = must_receive(fd, block, ask);

		if (got == 0)
			flunk("end-of-file after %zu of %zu bytes, wanted '%.200s'", done, len, want);
		if (memcmp(block, want + done, got) != 0)
			flunk("got '%.*s', wanted '%.200s'", (int)got, block, want + done);
		done += got;
	}
}

void
expect(int fd, const char *text)
{
	expect_bytes(fd, text, strlen(text));
}

void
expect_end(int fd)
{
	char byte;

	if (must_receive(fd, &byte, 1) != 0)
		flunk("a byte (0x%02x) where the end was wanted", (unsigned char)byte);
	close(fd);
}

char *
drain(int fd)
{
	static char all[1 << 16];
	size_t len = 0, got;

	while ((got = must_receive(fd, all + len, sizeof all - 1 - len)) > 0)
		if ((len += got) == sizeof all - 1)
			flunk("more than the harness can hold");
	all[len] = '\0';
	close(fd);
	return all;
}

bool
silent(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 0;
}

/* --- networks */

static void
tell_kernel(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	if (fd == -1 || write(fd, text, strlen(text)) == -1)
		flunk("%s: %s", file, strerror(errno));
	close(fd);
}

static void
map_to_itself(const char *file, unsigned id)
{
	char line[64];

	snprintf(line, sizeof line, "%u %u 1\n", id, id);
	tell_kernel(file, line);
}

void
enter_netns(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	const unsigned uid = geteuid(), gid = getegid();
	int fd;

	if (unshare(uid == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) == -1)
		flunk("unshare: %s", strerror(errno));
	if (uid != 0) {
		tell_kernel("/proc/self/setgroups", "deny");
		map_to_itself("/proc/self/uid_map", uid);
		map_to_itself("/proc/self/gid_map", gid);
	}
	fd = open_socket(AF_INET);
	if (ioctl(fd, SIOCSIFFLAGS, &lo) == -1)
		flunk("bring lo up: %s", strerror(errno));
	close(fd);
}

bool
have_ipv6(void)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool have = fd != -1 && bind(fd, (struct sockaddr *)&in6, sizeof in6) == 0;

	if (fd != -1)
		close(fd);
	return have;
}

/* The rights that an ordinary user has in a network of his own end with execve, unless they are ambient. */
static void
keep_net_admin(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2];

	if (syscall(SYS_capget, &header, sets) == -1)
		return;
	sets[0].inheritable |= 1U << CAP_NET_ADMIN;
	if (syscall(SYS_capset, &header, sets) == 0)
		(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0);
}

/* A new IPv6 address is tentative, on lo too, until the kernel comes round to it, and has no route before that. */
static bool
is_local(const char *ip)
{
	union name name;
	const socklen_t len = make_name(&name, ip, 0);
	int fd = socket(name.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool local = false;

	if (fd == -1)
		flunk("socket: %s", strerror(errno));
	if (bind(fd, &name.sa, len) == 0) {
		make_name(&name, ip, 9);
		local = connect(fd, &name.sa, len) == 0;
	}
	close(fd);
	return local;
}

void
add_address(const char *address)
{
	char ip[INET6_ADDRSTRLEN + 1];
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		keep_net_admin();
		execlp("ip", "ip", "address", "add", address, "dev", "lo", (char *)NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid || status != 0)
		flunk("ip address add %s dev lo: wait status 0x%x", address, (unsigned)status);
	snprintf(ip, sizeof ip, "%.*s", (int)strcspn(address, "/"), address);
	await(is_local(ip));
}
