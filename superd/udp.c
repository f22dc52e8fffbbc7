/*
 * udp.c - the road of a datagram: to the process of its peer, or, if he has
 * none, to a new one.  superd reads the UDP socket and nobody else does, so that
 * none is lost or misdelivered while a process is being made; what is a stream
 * of datagrams to and from one peer goes to the process on a SOCK_SEQPACKET
 * pair, which keeps their boundaries.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "descriptor.h"
#include "events.h"
#include "superd.h"

static struct superd *
superd_of(const struct flow *flow)
{
	return flow->session->running->superd;
}

/* What has been read of the process goes to its peer; count items of superd->datagrams. */
static void
send_answers(struct superd *superd, struct flow *flow, unsigned count)
{
	struct running *running = flow->session->running;
	struct iovec bytes[DATAGRAMS_BATCH];
	unsigned fit = 0, sent;

	for (unsigned i = 0; i < count; i++) {
		if (superd->datagrams.item[i].bytes.iov_len > DATAGRAM_BYTES) {
			running_overlong(running, flow->session, superd->loop.now);
			superd_watch_gates(superd, running);
			continue;
		}
		bytes[fit] = superd->datagrams.item[i].bytes;
		flow->out += bytes[fit++].iov_len;
	}
	/* One that cannot be sent is lost, as UDP may lose it; the next may be for a shorter way. */
	for (unsigned i = 0; i < fit; i += sent + 1) {
		sent = datagram_send(flow->listener->fd, &flow->listener->bound, &flow->local,
		    &flow->peer, bytes + i, fit - i);
		running->dropped += i + sent < fit;
	}
}

/*
 * A length of 0 is an empty datagram or the end.  The end is read again and again, so it fills a
 * batch; then the other end is gone, and nothing comes behind it.
 */
static unsigned
without_end(const struct flow *flow, const struct datagrams *datagrams, unsigned count)
{
	struct pollfd gone = { .fd = flow->fd, .events = POLLRDHUP };
	int queued;

	if (count < DATAGRAMS_BATCH || datagrams->item[count - 1].bytes.iov_len > 0 ||
	    poll(&gone, 1, 0) != 1 || (ioctl(flow->fd, FIONREAD, &queued) == 0 && queued > 0))
		return count;
	while (count > 0 && datagrams->item[count - 1].bytes.iov_len == 0)
		count--;
	return count;
}

/* A batch.  False: there is no more. */
static bool
take_answers(struct superd *superd, struct flow *flow)
{
	int count = datagram_read(&superd->datagrams, flow->fd, DATAGRAMS_BATCH);
	unsigned whole;

	/* A process that ends with something unread gives an error first, and then its answers. */
	if (count <= 0)
		return count == -1 && (errno == EINTR || errno == ECONNRESET);
	whole = without_end(flow, &superd->datagrams, (unsigned)count);
	send_answers(superd, flow, whole);
	if (whole < (unsigned)count)
		watch_remove(&flow->watch);	/* the process has shut its half; it may still read */
	return whole == DATAGRAMS_BATCH;
}

static void
answers_ready(struct watch *watch)
{
	struct flow *flow = container_of(watch, struct flow, watch);

	(void)take_answers(superd_of(flow), flow);
}

void
superd_last_answers(struct superd *superd, struct session *session)
{
	struct flow *flow = session->flow;

	if (flow == NULL)
		return;
	if (flow->once) {
		superd_answer_once(flow);
		return;
	}
	/* A child of the process may have the other end, and write as fast as this reads. */
	(void)shutdown(flow->fd, SHUT_RD);
	while (take_answers(superd, flow))
		continue;
}

static void
linger_due(struct timer *timer)
{
	session_end(container_of(timer, struct flow, timer)->session, CAUSE_IDLE);
}

void
superd_end_flow(struct flow *flow)
{
	struct superd *superd = superd_of(flow);

	if (flow->queue == NULL)
		return;
	flow_remove(&superd->flows, flow);
	(void)shutdown(flow->fd, SHUT_WR);
	(void)timer_start(&superd->loop, &flow->timer, FLOW_LINGER_MS, linger_due);
}

void
superd_end_flows(struct superd *superd)
{
	struct session *session;
	uint32_t at = 0;

	while ((session = session_next(&superd->sessions, &at)) != NULL)
		if (session->flow != NULL)
			superd_end_flow(session->flow);
}

void
superd_flow_over(struct superd *superd, struct flow *flow)
{
	struct listener *listener = flow->listener;

	flow_remove(&superd->flows, flow);
	if (flow->makes_room)
		flow->session->running->newcomers->making_room--;
	flow->session->flow = NULL;
	watch_remove(&flow->watch);
	timer_stop(&superd->loop, &flow->timer);
	if (flow->fd != -1)
		close(flow->fd);
	free(flow->answer);
	free(flow);
	if (--listener->flows == 0 && listener->drained)
		superd_close_left(superd, listener);
}

/* superd ends, and leaves sessions behind. */
void
superd_free_flows(struct superd *superd)
{
	struct session *session;
	uint32_t at = 0;

	while ((session = session_next(&superd->sessions, &at)) != NULL)
		if (session->flow != NULL)
			superd_flow_over(superd, session->flow);
}

static void
idle_due(struct timer *timer)
{
	struct flow *flow = container_of(timer, struct flow, timer);
	struct superd *superd = superd_of(flow);
	uint64_t most = flow->idle_ms, silent = superd->loop.now - flow->last_ms;

	if (silent >= most)
		superd_end_flow(flow);
	else
		(void)timer_start(&superd->loop, timer, most - silent, idle_due);
}

/* The first datagram waits in the pair when the process is made.  An empty one would read as the end. */
static struct flow *
open_flow(struct superd *superd, struct listener *listener, const struct datagram *first, int *other)
{
	struct flow *flow = calloc(1, sizeof *flow);
	int ends[2], error;

	if (flow == NULL)
		return NULL;
	*flow = (struct flow){ .listener = listener, .peer = first->peer, .local = first->local,
		.idle_ms = (uint64_t)listener->service->flow_idle_ms, .in = first->bytes.iov_len };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0) {
		flow->fd = ends[0] = descriptor_high(ends[0]);
		*other = ends[1];
		if (watch_add(&flow->watch, &superd->loop.pool, flow->fd, answers_ready) == 0) {
			if (first->bytes.iov_len > 0 && datagram_write(flow->fd, &first->bytes, 1) == 0)
				listener->running->dropped++;
			return flow;
		}
		error = errno;
		close(ends[0]);
		close(ends[1]);
		errno = error;
	}
	free(flow);
	return NULL;
}

/* From the first datagram of a peer to his process. */
static void
start_flow(struct superd *superd, struct listener *listener, const struct datagram *first,
    struct account *ticket)
{
	int other;
	struct flow *flow = open_flow(superd, listener, first, &other);
	struct session *session;

	if (flow == NULL) {
		superd_not_started(superd, listener, session_next_id(&superd->sessions), &first->peer,
		    STAGE_DESCRIPTORS, ticket);
		return;
	}
	session = superd_start(superd, listener, other, other, &first->peer, &first->local, ticket);
	launch_close(&superd->launcher, other);
	if (session == NULL) {
		watch_remove(&flow->watch);
		close(flow->fd);
		free(flow);
		return;
	}
	session->flow = flow;
	flow->session = session;
	listener->flows++;
	flow_add(&superd->flows, flow, &listener->running->flows, superd->loop.now);
	if (flow->idle_ms > 0)
		(void)timer_start(&superd->loop, &flow->timer, flow->idle_ms, idle_due);
}

/* A process with wait = yes may ask others from the address that it was handed. */
static bool
answers_from(struct superd *superd, const struct listener *listener, const struct peer *peer)
{
	const struct address *address = listener->address;

	if (!listener_is_udp(listener) || listener->fd == -1 || listener->service->wait ||
	    listener->bound.port != peer->port)
		return false;
	if (!address_is_wildcard(address))
		return address_peers_equal(&listener->bound, peer);
	return (address->family == FAMILY_DUAL ||
	    (address->family == FAMILY_4) == address_is_mapped(&peer->ip)) &&
	    host_has_address(&superd->own, &peer->ip, superd->loop.now);
}

bool
superd_is_own(struct superd *superd, const struct peer *peer)
{
	bool own = false;

	if (!listeners_may_have_port(&superd->listeners, peer->port))
		return false;
	for (unsigned i = 0; i < superd->count && !own; i++)
		for (const struct listener *l = superd->running[i]->listeners; l != NULL && !own; l = l->next)
			own = answers_from(superd, l, peer);
	return own;
}

/* Why a datagram cannot even wait. */
static enum verdict
verdict_of(enum room room)
{
	return room == ROOM_NOT_IN_SERVICE ? REFUSE_MAX_SESSIONS : room == ROOM_NOT_YET ? REFUSE_RATE :
	    REFUSE_GLOBAL;
}

static void
newcomer(struct superd *superd, struct listener *listener, const struct datagram *one)
{
	const struct service *service = listener->service;
	struct running *running = listener->running;
	struct moment moment = superd_moment(superd, service, &one->peer);
	enum room room = superd_room(superd, listener);
	struct account *ticket;
	enum verdict verdict;

	if (room == ROOM && superd_pauses(superd))
		room = ROOM_NOT_AT_ALL;
	if (superd_is_own(superd, &one->peer)) {
		verdict = REFUSE_DENIED;
	} else if (room == ROOM) {
		verdict = admission_request(&superd->admission, service, &running->tally, &one->peer,
		    &moment, &ticket);
		if (verdict == ADMIT)
			start_flow(superd, listener, one, ticket);
	} else {
		verdict = admission_ask(&superd->admission, service, &running->tally, &one->peer, &moment);
		if (verdict == ADMIT && !superd_let_wait(superd, listener, one))
			verdict = verdict_of(room);
	}
	if (verdict != ADMIT)
		running_refused(running, &one->peer, verdict, moment.ms);
	superd_watch_gates(superd, running);
}

/* To a process that is there; what does not fit its queue is dropped.  False: it has closed its end. */
static bool
deliver(struct superd *superd, struct flow *flow, const struct datagram *items, unsigned count)
{
	struct running *running = flow->session->running;
	struct iovec bytes[DATAGRAMS_BATCH];
	unsigned fit = 0, written = 0;

	for (unsigned i = 0; i < count; i++) {
		/* It would read as the end; or it is cut off. */
		if (items[i].bytes.iov_len == 0 || items[i].bytes.iov_len > DATAGRAM_BYTES)
			running->dropped++;
		else
			bytes[fit++] = items[i].bytes;
		flow->in += items[i].bytes.iov_len;
	}
	if (fit > 0)
		written = datagram_write(flow->fd, bytes, fit);
	if (fit > 0 && written == 0 && (errno == EPIPE || errno == ECONNRESET))
		return false;
	running->dropped += fit - written;
	flow_touch(flow, superd->loop.now);
	return true;
}

/* How many at the beginning are of the same peer and for the same address. */
static unsigned
run_of(const struct flow *flow, const struct datagram *items, unsigned count)
{
	unsigned run = 1;

	while (run < count && flow_is_of(flow, &items[run].peer, &items[run].local))
		run++;
	return run;
}

/* The next ones of one peer, of which there is at least one.  How many that were. */
static unsigned
dispatch(struct superd *superd, struct listener *listener, const struct datagram *items, unsigned count)
{
	struct flow *flow = flow_find(&superd->flows, listener, &items->peer, &items->local);
	unsigned run = flow != NULL ? run_of(flow, items, count) : 1;

	if (flow != NULL && deliver(superd, flow, items, run))
		return run;
	if (flow != NULL)
		superd_end_flow(flow);	/* who writes next gets a new process */
	if (listener->drained || superd->state != STATE_SERVING || items->bytes.iov_len > DATAGRAM_BYTES)
		listener->running->dropped++;
	else
		newcomer(superd, listener, items);
	return 1;
}

void
superd_datagram(struct superd *superd, struct listener *listener, const struct datagram *one)
{
	/* A reload may have made it a service of filters while the datagram waited. */
	if (listener->service->per_datagram)
		superd_filter(superd, listener, one);
	else
		(void)dispatch(superd, listener, one, 1);
}

enum accept_step
superd_take_datagrams(struct superd *superd, struct listener *listener)
{
	int count;

	/* A token that time has brought belongs to those who wait for it. */
	if (superd->newcomers != NULL)
		superd_serve_newcomers(superd);
	count = datagram_receive(&superd->datagrams, listener->fd, &listener->bound, DATAGRAMS_BATCH);
	if (count == -1)
		return superd_accept_failed(superd, listener, errno);
	for (int i = 0; i < count;)
		i += (int)dispatch(superd, listener, &superd->datagrams.item[i], (unsigned)(count - i));
	return count == DATAGRAMS_BATCH ? ACCEPT_TAKEN : ACCEPT_DRAINED;
}
