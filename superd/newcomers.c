/*
 * newcomers.c - UDP peers for whom there is no room.  They cannot wait in the
 * socket, where those who are served write to; so some of their datagrams wait
 * here, in their order, and whose peer has been silent longest ends for them.
 */
#include <stdlib.h>
#include <string.h>

#include "superd.h"

struct newcomer {
	struct newcomer	*next;
	struct listener	*listener;
	struct peer	 peer, local;
	size_t		 len;
	bool		 first;		/* of its peer */
	unsigned char	 bytes[];
};

static bool
has_waiting(const struct newcomers *all, const struct listener *listener, const struct peer *peer)
{
	const struct newcomer *one = all->first;

	while (one != NULL && (one->listener != listener || one->peer.port != peer->port ||
	    !IN6_ARE_ADDR_EQUAL(&one->peer.ip, &peer->ip)))
		one = one->next;
	return one != NULL;
}

static void
look_due(struct timer *timer)
{
	superd_serve_newcomers(container_of(timer, struct newcomers, look)->superd);
}

/* One process for each peer that waits; who wrote a moment ago is not taken his away. */
static void
make_room(struct superd *superd, struct running *running, const struct listener *listener)
{
	struct newcomers *all = running->newcomers;
	uint64_t now = superd->loop.now, wait;
	struct flow *flow;

	if (superd_room(superd, listener) == ROOM_NOT_YET) {
		wait = admission_wait_ms(listener->service, &running->tally, now);
		(void)timer_start(&superd->loop, &all->look, wait, look_due);
		return;
	}
	while (all->making_room < all->peers && (flow = running->flows.oldest) != NULL) {
		if (now - flow->last_ms < FLOW_SILENT_MS) {
			(void)timer_start(&superd->loop, &all->look,
			    FLOW_SILENT_MS - (now - flow->last_ms), look_due);
			return;
		}
		flow->makes_room = true;
		all->making_room++;
		superd_end_flow(flow);
	}
}

static void
list(struct superd *superd, struct running *running)
{
	if (running->newcomers->listed)
		return;
	running->newcomers->listed = true;
	running->newcomers->next = superd->newcomers;
	superd->newcomers = running;
}

static void
unlist(struct superd *superd, struct running *running)
{
	struct running **link = &superd->newcomers;

	if (!running->newcomers->listed)
		return;
	while (*link != running)
		link = &(*link)->newcomers->next;
	*link = running->newcomers->next;
	running->newcomers->listed = false;
	timer_stop(&superd->loop, &running->newcomers->look);
	superd_tell_room(running);
}

static void
append(struct newcomers *all, struct newcomer *one)
{
	*(all->last != NULL ? &all->last->next : &all->first) = one;
	all->last = one;
	all->count++;
	all->peers += one->first;
	all->bytes += one->len;
}

/* NULL: no memory. */
static struct newcomers *
newcomers_of(struct superd *superd, struct running *running)
{
	if (running->newcomers == NULL && (running->newcomers = calloc(1, sizeof *running->newcomers)) != NULL)
		running->newcomers->superd = superd;
	return running->newcomers;
}

bool
superd_let_wait(struct superd *superd, struct listener *listener, const struct datagram *datagram)
{
	struct running *running = listener->running;
	struct newcomers *all = newcomers_of(superd, running);
	size_t len = datagram->bytes.iov_len;
	struct newcomer *one;

	if (listener->leaving || all == NULL || all->count == NEWCOMERS || all->bytes + len > NEWCOMERS_BYTES ||
	    (one = malloc(sizeof *one + len)) == NULL)
		return false;
	*one = (struct newcomer){ .listener = listener, .peer = datagram->peer,
		.local = datagram->local, .len = len,
		.first = !has_waiting(all, listener, &datagram->peer) };
	memcpy(one->bytes, datagram->bytes.iov_base, len);
	append(all, one);
	list(superd, running);
	superd_tell_full(superd, running);
	make_room(superd, running, listener);
	return true;
}

static struct newcomer *
take_first(struct newcomers *all)
{
	struct newcomer *one = all->first;

	all->first = one->next;
	if (all->first == NULL)
		all->last = NULL;
	all->count--;
	all->peers -= one->first;
	all->bytes -= one->len;
	return one;
}

/* As far as there is room.  What belongs to a process by now finds it like any other. */
static void
serve(struct superd *superd, struct running *running)
{
	struct newcomers *all = running->newcomers;
	struct newcomer *one;

	while ((one = all->first) != NULL && !superd_pauses(superd)) {
		struct datagram datagram = { .peer = one->peer, .local = one->local,
			.bytes = { one->bytes, one->len } };

		if (superd_room(superd, one->listener) != ROOM) {
			make_room(superd, running, one->listener);
			return;
		}
		(void)take_first(all);
		superd_datagram(superd, one->listener, &datagram);
		free(one);
	}
	if (all->first == NULL)
		unlist(superd, running);
}

void
superd_serve_newcomers(struct superd *superd)
{
	struct running *running, *next;

	for (running = superd->newcomers; running != NULL; running = next) {
		next = running->newcomers->next;
		serve(superd, running);
	}
}

/* Those of one listener leave the queue; the list of them is the caller's. */
static struct newcomer *
take_those_of(struct superd *superd, struct running *running, const struct listener *listener)
{
	struct newcomers *all = running->newcomers;
	struct newcomer *taken = NULL, **end = &taken, *one;

	if (all == NULL)
		return NULL;
	for (unsigned left = all->count; left > 0; left--) {
		one = take_first(all);
		one->next = NULL;
		if (one->listener != listener) {
			append(all, one);
			continue;
		}
		*end = one;
		end = &one->next;
	}
	if (all->first == NULL)
		unlist(superd, running);
	return taken;
}

void
superd_drop_newcomers(struct superd *superd, struct running *running, const struct listener *listener)
{
	struct newcomer *one, *next;

	for (one = take_those_of(superd, running, listener); one != NULL; one = next) {
		next = one->next;
		running->dropped++;
		free(one);
	}
}

void
superd_move_newcomers(struct superd *superd, struct running *from, struct running *to,
    const struct listener *listener)
{
	struct newcomer *one, *next;

	for (one = take_those_of(superd, from, listener); one != NULL; one = next) {
		next = one->next;
		one->next = NULL;
		if (newcomers_of(superd, to) == NULL) {
			free(one);
			continue;
		}
		append(to->newcomers, one);
		list(superd, to);
	}
}
