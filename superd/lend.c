/*
 * lend.c - wait = yes: the listening socket itself is handed to one process,
 * which accepts for itself; superd listens again when that has ended.  What
 * waits in the socket's queue meanwhile stays there.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "events.h"
#include "superd.h"

static void
set_blocking(int fd, bool blocking)
{
	int flags = fcntl(fd, F_GETFL);

	/* On a descriptor that is open this cannot fail. */
	(void)fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

static void
lend_again(struct timer *timer)
{
	struct listener *listener = container_of(timer, struct listener, retry);

	if (listener_start(listener) == -1)
		event_error("service '%s': epoll: %s", listener->service->name, strerror(errno));
}

/* The socket rests, longer each time; it is never closed, so who waits in its queue is served later. */
static void
rest(struct superd *superd, struct listener *listener)
{
	watch_remove(&listener->watch);
	listener->wait_ms = listener->wait_ms == 0 ? BIND_RETRY_MS :
	    listener->wait_ms * 2 < BIND_RETRY_MOST_MS ? listener->wait_ms * 2 : BIND_RETRY_MOST_MS;
	(void)timer_start(&superd->loop, &listener->retry, listener->wait_ms, lend_again);
}

void
superd_lend(struct superd *superd, struct listener *listener)
{
	const struct peer nobody = { .none = true, .local = true };
	struct running *running = listener->running;
	struct moment moment = superd_moment(superd, listener->service, &nobody);
	struct session *session = NULL;
	struct account *ticket;
	enum verdict verdict;

	/* A datagram with a wrong checksum has gone by now, or the socket is dead. */
	if (listener_is_udp(listener) && !datagram_first(listener->fd, &listener->first)) {
		(void)superd_accept_failed(superd, listener, EAGAIN);
		return;
	}
	if (superd_room(superd, listener) != ROOM) {
		superd_park(superd, listener);
		return;
	}
	verdict = admission_request(&superd->admission, listener->service, &running->tally, &nobody,
	    &moment, &ticket);
	if (verdict == ADMIT) {
		set_blocking(listener->fd, true);
		session = superd_start(superd, listener, listener->fd, listener->fd, &nobody,
		    &listener->bound, ticket);
	} else {
		running_refused(running, &nobody, verdict, moment.ms);
	}
	if (session == NULL) {
		set_blocking(listener->fd, false);
		rest(superd, listener);
		return;
	}
	watch_remove(&listener->watch);
	session->lent = listener;
	listener->lent = session;
}

/*
 * Of UDP many a process takes one datagram and ends, as it should: what shows
 * that one has failed is the datagram, if it is in the queue still.  Three that
 * leave the same one unread are enough: it makes room for the next.
 */
static bool
has_served(struct listener *listener)
{
	struct timespec first;

	if (!listener_is_udp(listener))
		return false;
	if (!datagram_first(listener->fd, &first) || first.tv_sec != listener->first.tv_sec ||
	    first.tv_nsec != listener->first.tv_nsec)
		return true;
	if (++listener->deaths < WAIT_DEATHS)
		return false;
	listener->deaths = 0;
	listener->running->dropped++;
	(void)recv(listener->fd, NULL, 0, MSG_DONTWAIT);
	event_warning("service '%s': %d processes have left a datagram unread; it is dropped",
	    listener->service->name, WAIT_DEATHS);
	return false;
}

/*
 * A socket that its process has connected hears nobody but that peer.  With the
 * connection goes a port that the kernel chose, so it is taken again.
 */
static void
forget_peer(const struct listener *listener)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	struct address address = *listener->address;
	struct sockaddr_storage name;
	socklen_t len = sizeof name;

	if (getpeername(listener->fd, (struct sockaddr *)&name, &len) == -1)
		return;
	address.port = listener->bound.port;
	len = address_sockaddr(&address, address_is_mapped(&listener->bound.ip) ? AF_INET : AF_INET6,
	    &name);
	if (connect(listener->fd, &nobody, sizeof nobody) == -1 ||
	    (bind(listener->fd, (const struct sockaddr *)&name, len) == -1 && errno != EINVAL))
		event_error("service '%s': its socket stays connected: %s", listener->service->name,
		    strerror(errno));
}

/* The process has ended.  One that died at once would be started again at once: it is held back. */
void
superd_returned(struct superd *superd, struct session *session)
{
	struct listener *listener = session->lent;
	uint64_t lived_ms;

	if (listener == NULL)
		return;
	listener->lent = NULL;
	set_blocking(listener->fd, false);
	if (listener_is_udp(listener))
		forget_peer(listener);
	lived_ms = (session_now_us() - session->started_us) / 1000;
	if (lived_ms < WAIT_SHORT_MS && !has_served(listener)) {
		rest(superd, listener);
		event_warning("service '%s': its process ended after %u ms; the next one has to wait for %u s",
		    listener->service->name, (unsigned)lived_ms, listener->wait_ms / 1000);
		return;
	}
	listener->wait_ms = 0;
	listener->deaths = 0;
	if (listener_start(listener) == -1)
		event_error("service '%s': epoll: %s", listener->service->name, strerror(errno));
}
