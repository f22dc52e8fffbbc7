/* harness_udp.c - see harness_udp.h. */
#include "harness_udp.h"
#include "harness_admission.h"
#include "harness_name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
udp_from(const char *source, const char *ip, int port)
{
	const struct timeval limit = { .tv_sec = DEADLINE_MS / 1000 };
	const int much = 1 << 20;
	union name from, to;
	socklen_t len = make_name(&to, ip, port);
	int fd = socket(to.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &much, sizeof much) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &much, sizeof much) == -1)
		flunk("socket: %s", strerror(errno));
	if (source != NULL && bind(fd, &from.sa, make_name(&from, source, 0)) == -1)
		flunk("bind %s: %s", source, strerror(errno));
	if (connect(fd, &to.sa, len) == -1)
		flunk("connect to %s: %s", ip, strerror(errno));
	return fd;
}

int
udp_call(struct daemon *d, const char *service, const char *source)
{
	const char *address = address_of(d, service, 0), *at = strchr(address, ':') + 1;
	char ip[INET6_ADDRSTRLEN + 16] = "127.0.0.1";

	if (*at == '[')
		snprintf(ip, sizeof ip, "%.*s", (int)strcspn(at + 1, "]"), at + 1);
	else if (*at != '*')
		snprintf(ip, sizeof ip, "%.*s", (int)strcspn(at, ":"), at);
	return udp_from(source, strcmp(ip, "0.0.0.0") == 0 ? "127.0.0.1" : ip, port_of(address));
}

int
udp_dial(struct daemon *d, const char *service)
{
	return udp_call(d, service, NULL);
}

void
udp_put_bytes(int fd, const void *bytes, size_t len)
{
	if (send(fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
		flunk("send %zu bytes: %s", len, strerror(errno));
}

int
udp_bind(int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) },
		.sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&in, sizeof in) == 0)
		return fd;
	close(fd);
	return -1;
}

int
udp_free_port(void)
{
	enum { FIRST = 10000, PORTS = 20000 };		/* 32768 and more are the kernel's, as a rule */
	static int turn;
	int port, fd;

	if (turn == 0)
		turn = getpid() * 7;
	do {
		port = FIRST + turn++ % PORTS;
	} while ((fd = udp_bind(port)) == -1);
	close(fd);
	return port;
}

void
udp_put(int fd, const char *text)
{
	udp_put_bytes(fd, text, strlen(text));
}

void
udp_expect_bytes(int fd, const void *bytes, size_t len)
{
	static char got[DATAGRAM_MOST + 1];
	size_t is = must_receive(fd, got, sizeof got);

	if (is != len || memcmp(got, bytes, len) != 0)
		flunk("got %zu bytes, '%.*s', wanted %zu, '%.200s'", is, is < 200 ? (int)is : 200, got, len,
		    (const char *)bytes);
}

void
udp_expect(int fd, const char *text)
{
	udp_expect_bytes(fd, text, strlen(text));
}

void
udp_ask(int fd, const char *question, const char *answer)
{
	udp_put(fd, question);
	udp_expect(fd, answer);
}

const char *
udp_text(int fd)
{
	static char texts[8][16384];
	static unsigned turn;
	char *text = texts[turn++ % 8];

	text[must_receive(fd, text, sizeof texts[0] - 1)] = '\0';
	return text;
}

pid_t
udp_pid(int fd)
{
	long pid;

	udp_put(fd, "pid");
	if (sscanf(udp_text(fd), "pid %ld", &pid) != 1)
		flunk("this is no puppet");
	return (pid_t)pid;
}

const char *
pattern(size_t len)
{
	static char bytes[256 * 1024 + 1];

	must(len < sizeof bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = "0123456789abcdefghijklmnopqrstuv"[i % 29 ^ (i / 29 % 7 & 3)];
	bytes[len] = '\0';
	return bytes;
}

/* The loop takes what is ready in turn: a second status comes after a look at every socket. */
void
settle(struct daemon *d)
{
	(void)status_number(d, NULL, "live");
}
