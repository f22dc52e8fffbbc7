/* listener.c - see listener.h.  Socket options are in socket_options.c. */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "descriptor.h"
#include "listener.h"
#include "session.h"
#include "socket_options.h"

void
listeners_init(struct listeners *all, struct loop *loop)
{
	*all = (struct listeners){ .loop = loop };
	pool_init(&all->pool, loop);
}

static void
addresses_unwatch(struct listeners *all)
{
	if (all->addresses.pool == NULL)
		return;
	watch_remove(&all->addresses);
	close(all->addresses.fd);
}

void
listeners_finish(struct listeners *all)
{
	addresses_unwatch(all);
}

/* What changed does not matter: whoever waits tries. */
static void
addresses_changed(struct watch *watch)
{
	char message[8192];

	while (recv(watch->fd, message, sizeof message, MSG_DONTWAIT) > 0)
		continue;
	listeners_retry(container_of(watch, struct listeners, addresses));
}

/* rtnetlink(7) tells of addresses and interfaces.  Without it the retry timers do alone. */
static void
addresses_watch(struct listeners *all)
{
	const struct sockaddr_nl groups = { .nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR };
	int fd;

	if (all->addresses.pool != NULL)
		return;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (fd == -1)
		return;
	if (bind(fd, (const struct sockaddr *)&groups, sizeof groups) == -1 ||
	    watch_add(&all->addresses, &all->loop->pool, fd, addresses_changed) == -1)
		close(fd);
}

struct listener *
listener_new(struct listeners *all, struct running *running, const struct service *service,
    const struct address *address)
{
	struct listener *listener = calloc(1, sizeof *listener);

	if (listener == NULL)
		return NULL;
	listener->all = all;
	listener->running = running;
	listener->service = service;
	listener->address = address;
	listener->fd = -1;
	return listener;
}

static void
waiting_remove(struct listener *listener)
{
	struct listener **link = &listener->all->waiting;

	while (*link != NULL && *link != listener)
		link = &(*link)->next_waiting;
	if (*link == NULL)
		return;
	*link = listener->next_waiting;
	timer_stop(listener->all->loop, &listener->retry);
	if (listener->all->waiting == NULL)
		addresses_unwatch(listener->all);
}

static bool
has_file(const struct listener *listener)
{
	return listener->address->kind == ADDRESS_UNIX && *listener->address->path == '/';
}

void
listener_free(struct listener *listener)
{
	waiting_remove(listener);
	timer_stop(listener->all->loop, &listener->retry);
	if (listener->lent != NULL)
		listener->lent->lent = NULL;
	watch_remove(&listener->watch);
	if (listener->fd != -1) {
		if (has_file(listener))
			socket_file_remove(listener->address, &listener->file);
		close(listener->fd);
	}
	free(listener);
}

static int
try_family(struct listener *listener, int family)
{
	const struct address *address = listener->address;
	struct sockaddr_storage storage;
	socklen_t len = address_sockaddr(address, family, &storage);
	int type = address->kind == ADDRESS_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int saved;

	if (fd == -1)
		return -1;
	if (socket_options_before_bind(fd, family, listener->service, address) == 0 &&
	    (has_file(listener) ? socket_file_bind(fd, address, listener->service, &listener->file) :
	    bind(fd, (const struct sockaddr *)&storage, len)) == 0 &&
	    socket_options(fd, family, address->kind, listener->service) == 0 &&
	    (type == SOCK_DGRAM || listen(fd, listener->service->backlog) == 0))
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* The local address: what a client of a specific address sees as its peer needs no call then. */
static int
learn_address(struct listener *listener)
{
	struct sockaddr_storage storage;
	socklen_t len = sizeof storage;

	if (getsockname(listener->fd, (struct sockaddr *)&storage, &len) == -1)
		return -1;
	address_of_sockaddr(&storage, &listener->bound);
	listener->bound.datagram = listener_is_udp(listener);
	if (listener->bound.datagram)
		listener->all->udp_ports[listener->bound.port / 8] |=
		    (unsigned char)(1u << listener->bound.port % 8);
	return 0;
}

bool
listeners_may_have_port(const struct listeners *all, in_port_t port)
{
	return (all->udp_ports[port / 8] >> port % 8 & 1) != 0;
}

/* A kernel without IPv6: the dual-stack wildcard is IPv4 alone. */
static bool
is_without_ipv6(const struct address *address, int error)
{
	return address->kind != ADDRESS_UNIX && address->family == FAMILY_DUAL &&
	    (error == EAFNOSUPPORT || error == EADDRNOTAVAIL);
}

int
listener_bind(struct listener *listener)
{
	int fd = try_family(listener, address_af(listener->address));

	if (fd == -1 && is_without_ipv6(listener->address, errno))
		fd = try_family(listener, AF_INET);
	if (fd == -1)
		return -1;
	listener->fd = descriptor_high(fd);
	return learn_address(listener);
}

int
listener_adopt(struct listener *listener, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	listener->fd = fd;
	/* Whoever passed it may have left it blocking: one accept without a client would be the end. */
	if (flags != -1 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
	    learn_address(listener) == 0 && listener_redeclare(listener, listener->running,
	    listener->service, listener->address) == 0)
		return 0;
	listener->fd = -1;
	return -1;
}

bool
listener_can_wait(int error)
{
	return error == EADDRINUSE || error == EADDRNOTAVAIL || error == ENODEV ||
	    error == EAFNOSUPPORT;
}

static void
try_again(struct listener *listener)
{
	if (listener_bind(listener) == -1 || listener_start(listener) == -1) {
		listener->error = errno;
		if (listener->fd != -1)
			close(listener->fd);
		listener->fd = -1;
		return;
	}
	waiting_remove(listener);
	listener->wait_ms = 0;
	listener->error = 0;
	listener->all->bound(listener);
}

static void
retry_due(struct timer *timer)
{
	struct listener *listener = container_of(timer, struct listener, retry);

	try_again(listener);
	if (listener->fd != -1)
		return;
	listener->wait_ms = listener->wait_ms * 2 < BIND_RETRY_MOST_MS ? listener->wait_ms * 2 :
	    BIND_RETRY_MOST_MS;
	(void)timer_start(listener->all->loop, timer, listener->wait_ms, retry_due);
}

void
listener_wait(struct listener *listener, int error)
{
	listener->error = error;
	listener->wait_ms = BIND_RETRY_MS;
	listener->next_waiting = listener->all->waiting;
	listener->all->waiting = listener;
	(void)timer_start(listener->all->loop, &listener->retry, listener->wait_ms, retry_due);
	addresses_watch(listener->all);
}

void
listeners_retry(struct listeners *all)
{
	struct listener *listener, *next;

	for (listener = all->waiting; listener != NULL; listener = next) {
		next = listener->next_waiting;
		try_again(listener);
	}
}

static void
watch_ready(struct watch *watch)
{
	struct listener *listener = container_of(watch, struct listener, watch);

	listener->all->ready(listener);
}

bool
listener_is_udp(const struct listener *listener)
{
	return listener->address->kind == ADDRESS_UDP;
}

bool
listener_is_shut(const struct listener *listener)
{
	struct pollfd one = { .fd = listener->fd, .events = POLLRDHUP };

	return listener_is_udp(listener) && poll(&one, 1, 0) == 1 && (one.revents & POLLRDHUP) != 0;
}

/* When new clients have to pause, the datagrams of those who are served still come. */
static struct pool *
pool_of(const struct listener *listener)
{
	const struct service *service = listener->service;

	return listener_is_udp(listener) && !service->per_datagram && !service->wait ?
	    &listener->all->loop->pool : &listener->all->pool;
}

int
listener_start(struct listener *listener)
{
	return watch_add(&listener->watch, pool_of(listener), listener->fd, watch_ready);
}

int
listener_redeclare(struct listener *listener, struct running *running,
    const struct service *service, const struct address *address)
{
	const struct service *before = listener->service;
	int family = listener->bound.local ? AF_UNIX : address_af(address);

	listener->running = running;
	listener->service = service;
	listener->address = address;
	if (listener->fd == -1)
		return 0;
	if (has_file(listener) && listener->file.inode != 0 &&
	    socket_file_declare(address, service, &listener->file) == -1)
		return -1;
	if (listener->watch.pool != NULL && listener->watch.pool != pool_of(listener)) {
		watch_remove(&listener->watch);
		if (listener_start(listener) == -1)
			return -1;
	}
	if (before != service && socket_options_equal(before, service))
		return 0;	/* nothing to set: a reload of ten thousand is to be short */
	if (socket_options(listener->fd, family, address->kind, service) == -1)
		return -1;
	socket_options_reset(listener->fd, family, before, service);
	return listener_is_udp(listener) ? 0 : listen(listener->fd, service->backlog);
}

bool
listener_has_file(const struct listener *listener)
{
	return listener->fd == -1 || !has_file(listener) || listener->file.inode == 0 ||
	    socket_file_exists(listener->address, &listener->file);
}

void
listener_leave(struct listener *listener)
{
	listener->leaving = true;
	if (listener->fd != -1 && !listener_is_udp(listener))
		(void)listen(listener->fd, 0);
}

void
listener_text(const struct listener *listener, char text[ADDRESS_TEXT])
{
	struct address address = *listener->address;

	if (listener->fd != -1 && address.kind != ADDRESS_UNIX)
		address.port = listener->bound.port;
	address_text(&address, text);
}
