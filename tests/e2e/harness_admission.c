/* harness_admission.c - see harness_admission.h. */
#include "harness_admission.h"
#include "harness_name.h"

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
dial_from(const char *source, int port)
{
	const struct timeval limit = { .tv_sec = DEADLINE_MS / 1000 };
	const int yes = 1;
	union name from, to;
	socklen_t len = make_name(&from, source, 0);
	bool six = from.sa.sa_family == AF_INET6;
	int fd = socket(from.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* FREEBIND: a routed address is on no interface.  NO_PORT: connect(2) finds a free port. */
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == -1 ||
	    setsockopt(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_FREEBIND : IP_FREEBIND, &yes,
	    sizeof yes) == -1 ||
	    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes) == -1)
		flunk("socket: %s", strerror(errno));
	if (bind(fd, &from.sa, len) == -1)
		flunk("bind %s: %s", source, strerror(errno));
	len = make_name(&to, six ? "::1" : "127.0.0.1", port);
	if (connect(fd, &to.sa, len) == -1)
		flunk("connect from %s to port %d: %s", source, port, strerror(errno));
	return fd;
}

int
call(struct daemon *d, const char *service, const char *source)
{
	return dial_from(source, port_of(address_of(d, service, 0)));
}

const char *
name_of(int fd)
{
	static char texts[8][INET6_ADDRSTRLEN + 16];
	static unsigned turn;
	char *text = texts[turn++ % 8], ip[INET6_ADDRSTRLEN];
	union name name;
	socklen_t len = sizeof name;

	if (getsockname(fd, &name.sa, &len) == -1)
		flunk("getsockname: %s", strerror(errno));
	if (name.sa.sa_family == AF_INET)
		snprintf(text, sizeof texts[0], "%s:%u", inet_ntop(AF_INET, &name.in.sin_addr, ip, sizeof ip),
		    ntohs(name.in.sin_port));
	else
		snprintf(text, sizeof texts[0], "[%s]:%u", inet_ntop(AF_INET6, &name.in6.sin6_addr, ip,
		    sizeof ip), ntohs(name.in6.sin6_port));
	return text;
}

bool
was_served(int fd)
{
	static const char held[] = "held\n";
	char bytes[sizeof held] = "";
	size_t len = 0;
	ssize_t got;

	while (len < sizeof held - 1 && (got = receive(fd, bytes + len, sizeof held - 1 - len, 0)) != 0) {
		if (got == -1)
			flunk("neither served nor refused: %s", errno == EAGAIN ? "nothing came" :
			    strerror(errno));
		len += (size_t)got;
	}
	if (len == 0) {
		close(fd);
		return false;
	}
	if (strcmp(bytes, held) != 0)
		flunk("got '%s' where '%s' or the end was wanted", bytes, held);
	return true;
}

int
must_serve(struct daemon *d, const char *service, const char *source)
{
	int fd = call(d, service, source);

	if (!was_served(fd))
		flunk("service '%s' refused %s", service, source);
	return fd;
}

void
must_refuse(struct daemon *d, const char *service, const char *source, const char *reason)
{
	char want_service[64], want_reason[64], want_remote[64];
	int fd = call(d, service, source);

	snprintf(want_service, sizeof want_service, "service=%s", service);
	snprintf(want_reason, sizeof want_reason, "reason=%s", reason);
	snprintf(want_remote, sizeof want_remote, "remote=%s", name_of(fd));
	if (was_served(fd))
		flunk("service '%s' served %s, and should have refused it: %s", service, source, reason);
	await_log(d, "refuse", want_service, want_remote);
	if (log_find(d, "refuse", want_service, want_remote, want_reason, NULL) == NULL)
		flunk("%s was refused by '%s' for another reason than %s", source, service, reason);
}

void
hang_up_and_wait(struct daemon *d, int fd)
{
	char remote[64];

	snprintf(remote, sizeof remote, "remote=%s", name_of(fd));
	close(fd);
	await_log(d, "exit", remote);
}

/* The first line of a second status tells that all of the first is there. */
long
status_number(struct daemon *d, const char *service, const char *key)
{
	const char *line, *value;
	char want[64];
	size_t mark = d->mark;

	log_mark(d);
	for (unsigned i = 1; i <= 2; i++) {
		kill(d->pid, SIGUSR1);
		await(log_count(d, "status", "services=*", NULL) >= i);
	}
	snprintf(want, sizeof want, "service=%s", service != NULL ? service : "");
	line = service != NULL ? log_find(d, "status", want, "served=*", NULL) :
	    log_find(d, "status", "services=*", NULL);
	value = log_value(line, key);
	d->mark = mark;
	if (line == NULL)
		flunk("the status tells nothing of %s", service != NULL ? service : "superd");
	return value[0] == '\0' ? 0 : strtol(value, NULL, 10);
}

long
writable_kb(pid_t pid)
{
	char path[64], line[512], rights[8];
	bool writable = false;
	long kb, sum = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/smaps", (int)pid);
	if ((f = fopen(path, "re")) == NULL)
		flunk("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "%*x-%*x %7s", rights) == 1)
			writable = rights[1] == 'w';
		else if (writable && sscanf(line, "Rss: %ld kB", &kb) == 1)
			sum += kb;
	fclose(f);
	if (sum == 0)
		flunk("%s tells of no memory", path);
	return sum;
}

bool
memory_is_superds_own(void)
{
	const char *variant = getenv("VARIANT"), *valgrind = getenv("VALGRIND");

	return (variant == NULL || strcmp(variant, "asan") != 0) &&
	    (valgrind == NULL || strcmp(valgrind, "1") != 0);
}

void
route_to_lo(const char *block)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		execlp("ip", "ip", strchr(block, ':') != NULL ? "-6" : "-4", "route", "add", "local", block,
		    "dev", "lo", (char *)NULL);
		_exit(127);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid || status != 0)
		flunk("ip route add local %s dev lo: wait status 0x%x", block, (unsigned)status);
}

const char *
put_file(struct daemon *d, const char *name, const char *text)
{
	static char paths[4][224];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof paths[0], "%s/%s", d->dir, name);
	write_file(path, text);
	return path;
}
