/* socket_options.c - see socket_options.h; tcp(7), ip(7), ipv6(7), socket(7). */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "socket_options.h"

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
	if (set(fd, SOL_SOCKET, SO_REUSEADDR, 1) == -1)
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

int
socket_options(int fd, int family, const struct service *service)
{
	if (service->rcvbuf > 0 && set(fd, SOL_SOCKET, SO_RCVBUF, service->rcvbuf) == -1)
		return -1;
	if (service->sndbuf > 0 && set(fd, SOL_SOCKET, SO_SNDBUF, service->sndbuf) == -1)
		return -1;
	if (family == AF_UNIX)
		return 0;
	if (set(fd, SOL_SOCKET, SO_KEEPALIVE, service->keepalive) == -1 ||
	    set(fd, IPPROTO_TCP, TCP_NODELAY, service->nodelay) == -1 ||
	    set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, (int)((service->defer_accept_ms + 999) / 1000)) == -1 ||
	    set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)service->user_timeout_ms) == -1)
		return -1;
	return set_dscp(fd, family, service->dscp);
}
