/* socket_options.c - see socket_options.h; tcp(7), ip(7), ipv6(7), socket(7). */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datagram.h"
#include "socket_options.h"

/* Of socket(7), since Linux 5.14; the C library's headers may be older. */
#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK	72
#endif
#define SEND_LOCKED	1
#define RECEIVE_LOCKED	2

static int
set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value);
}

int
socket_options_before_bind(int fd, int family, const struct service *service,
    const struct address *address)
{
	const char *device = service->device;

	if (family == AF_UNIX)
		return 0;
	/* With UDP it would let any other program share the port, and take the datagrams. */
	if (address->kind == ADDRESS_TCP && set(fd, SOL_SOCKET, SO_REUSEADDR, 1) == -1)
		return -1;
	if (family == AF_INET6 && set(fd, IPPROTO_IPV6, IPV6_V6ONLY, address->family != FAMILY_DUAL) == -1)
		return -1;
	if (device != NULL && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device,
	    (socklen_t)strlen(device) + 1) == -1)
		return -1;
	return 0;
}

/* The DSCP is the upper six bits of the traffic class (RFC 2474); a dual-stack socket has both. */
static int
set_dscp(int fd, int family, int dscp)
{
	if (family == AF_INET6 && set(fd, IPPROTO_IPV6, IPV6_TCLASS, dscp << 2) == -1)
		return -1;
	return set(fd, IPPROTO_IP, IP_TOS, dscp << 2);
}

bool
socket_options_equal(const struct service *a, const struct service *b)
{
	return a->rcvbuf == b->rcvbuf && a->sndbuf == b->sndbuf && a->dscp == b->dscp &&
	    a->keepalive == b->keepalive && a->nodelay == b->nodelay && a->wait == b->wait &&
	    a->defer_accept_ms == b->defer_accept_ms && a->user_timeout_ms == b->user_timeout_ms &&
	    a->backlog == b->backlog;
}

int
socket_options(int fd, int family, int kind, const struct service *service)
{
	if (service->rcvbuf > 0 && set(fd, SOL_SOCKET, SO_RCVBUF, service->rcvbuf) == -1)
		return -1;
	if (service->sndbuf > 0 && set(fd, SOL_SOCKET, SO_SNDBUF, service->sndbuf) == -1)
		return -1;
	if (family == AF_UNIX)
		return 0;
	if (kind == ADDRESS_UDP)
		return service->wait || datagram_options(fd, family) == 0 ?
		    set_dscp(fd, family, service->dscp) : -1;
	if (set(fd, SOL_SOCKET, SO_KEEPALIVE, service->keepalive) == -1 ||
	    set(fd, IPPROTO_TCP, TCP_NODELAY, service->nodelay) == -1 ||
	    set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, (int)((service->defer_accept_ms + 999) / 1000)) == -1 ||
	    set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)service->user_timeout_ms) == -1)
		return -1;
	return set_dscp(fd, family, service->dscp);
}

/* As a new socket of the kind has it; the kernel doubles what it is given. */
static void
set_default_size(int fd, int family, int option)
{
	socklen_t len = sizeof(int);
	int type, size, fresh = -1;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0)
		fresh = socket(family, type | SOCK_CLOEXEC, 0);
	if (fresh == -1)
		return;
	if (getsockopt(fresh, SOL_SOCKET, option, &size, &len) == 0)
		(void)set(fd, SOL_SOCKET, option, size / 2);
	close(fresh);
}

void
socket_options_reset(int fd, int family, const struct service *before,
    const struct service *service)
{
	bool receive = before->rcvbuf > 0 && service->rcvbuf == 0;
	bool send = before->sndbuf > 0 && service->sndbuf == 0;

	if (receive)
		set_default_size(fd, family, SO_RCVBUF);
	if (send)
		set_default_size(fd, family, SO_SNDBUF);
	/* What was set does not grow as needed until it is unlocked; an older kernel cannot. */
	if (receive || send)
		(void)set(fd, SOL_SOCKET, SO_BUF_LOCK, (service->sndbuf > 0 ? SEND_LOCKED : 0) |
		    (service->rcvbuf > 0 ? RECEIVE_LOCKED : 0));
}
