/*
 * newcomers.c - UDP peers for whom there is no room.  They cannot wait in the
 * socket, where those who are served write to; so some of their datagrams wait
 * here, in their order, and whose peer has been silent longest ends for them.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "superd.h"

struct newcomer {
	struct newcomer	*next;
	struct listener	*listener;
	struct peer	 peer, local;
	size_t		 len;
	bool		 first;		/* of its peer at this address of ours: it needs a process */
	unsigned char	 bytes[];
};

/* One of the same peer, for the same address. */
static bool
has_waiting(const struct newcomers *all, const struct listener *listener, const struct datagram *datagram)
{
	const struct newcomer *one = all->first;

	while (one != NULL && (one->listener != listener ||
	    !address_peers_equal(&one->peer, &datagram->peer) ||
	    !address_peers_equal(&one->local, &datagram->local)))
		one = one->next;
	return one != NULL;
}

static void	look_due(struct timer *);

/* Whoever seems silent may be in what is not read yet; a flood puts it off for so long only. */
static bool
unread(struct newcomers *all, const struct flow *flow)
{
	struct pollfd socket = { .fd = flow->listener->fd, .events = POLLIN };

	if (all->heard_out < NEWCOMERS_HEAR_OUT && poll(&socket, 1, 0) == 1) {
		all->heard_out++;
		return true;
	}
	all->heard_out = 0;
	return false;
}

/* One process for each that is waited for; who wrote a moment ago is not taken his away. */
static void
make_room(struct superd *superd, struct running *running)
{
	struct newcomers *all = running->newcomers;
	const struct listener *listener = all->first->listener;
	uint64_t now = superd->loop.now, wait;
	struct flow *flow;

	timer_stop(&superd->loop, &all->look);
	if (superd_pauses(superd))	/* its end looks at them again; nobody is to go for that */
		return;
	if (superd_room(superd, listener) == ROOM_NOT_YET) {
		wait = admission_wait_ms(listener->service, &running->tally, now);
		(void)timer_start(&superd->loop, &all->look, wait, look_due);
		return;
	}
	while (all->making_room < all->peers && (flow = running->flows.oldest) != NULL) {
		if (now - flow->last_ms < FLOW_SILENT_MS) {
			all->heard_out = 0;
			(void)timer_start(&superd->loop, &all->look,
			    FLOW_SILENT_MS - (now - flow->last_ms), look_due);
			return;
		}
		if (unread(all, flow)) {
			(void)timer_start(&superd->loop, &all->look, 0, look_due);
			return;
		}
		flow->makes_room = true;
		all->making_room++;
		superd_end_flow(flow);
	}
}

/* Behind what this turn reads from the sockets: whoever has written meanwhile is not silent. */
static void
look_due(struct timer *timer)
{
	struct superd *superd = container_of(timer, struct newcomers, look)->superd;

	superd_serve_newcomers(superd);
	for (struct running *one = superd->newcomers; one != NULL; one = one->newcomers->next)
		make_room(superd, one);
}

/* One that is due already stays: it must not move on from turn to turn. */
static void
look_soon(struct superd *superd, struct newcomers *all)
{
	if (all->look.place == 0 || all->look.when > superd->loop.now)
		(void)timer_start(&superd->loop, &all->look, 0, look_due);
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

/* NULL: no memory. */
static struct newcomers *
newcomers_of(struct superd *superd, struct running *running)
{
	if (running->newcomers == NULL && (running->newcomers = calloc(1, sizeof *running->newcomers)) != NULL)
		running->newcomers->superd = superd;
	return running->newcomers;
}

static void
append(struct superd *superd, struct running *running, struct newcomer *one)
{
	struct newcomers *all = running->newcomers;

	*(all->last != NULL ? &all->last->next : &all->first) = one;
	all->last = one;
	all->count++;
	all->peers += one->first;
	all->bytes += one->len;
	list(superd, running);
}

bool
superd_let_wait(struct superd *superd, struct listener *listener, const struct datagram *datagram)
{
	struct running *running = listener->running;
	struct newcomers *all = newcomers_of(superd, running);
	size_t len = datagram->bytes.iov_len;
	struct newcomer *one;

	if (listener->leaving || all == NULL || all->count >= NEWCOMERS || all->bytes + len > NEWCOMERS_BYTES ||
	    (one = malloc(sizeof *one + len)) == NULL)
		return false;
	*one = (struct newcomer){ .listener = listener, .peer = datagram->peer,
		.local = datagram->local, .len = len,
		.first = !has_waiting(all, listener, datagram) };
	memcpy(one->bytes, datagram->bytes.iov_base, len);
	append(superd, running, one);
	superd_tell_full(superd, running);
	look_soon(superd, all);
	return true;
}

/* The one that link leads to; before is that which stands before it, or NULL. */
static struct newcomer *
take(struct newcomers *all, struct newcomer **link, struct newcomer *before)
{
	struct newcomer *one = *link;

	*link = one->next;
	if (all->last == one)
		all->last = before;
	all->count--;
	all->peers -= one->first;
	all->bytes -= one->len;
	return one;
}

/* Whoever has a process for all of his datagrams by now needs no room. */
static bool
has_to_wait(struct superd *superd, const struct newcomer *one)
{
	if (!one->listener->service->per_datagram &&
	    flow_find(&superd->flows, one->listener, &one->peer, &one->local) != NULL)
		return false;
	return superd_pauses(superd) || superd_room(superd, one->listener) != ROOM;
}

/* As far as there is room.  Those of one peer stay in their order: his first one makes his process. */
static void
serve(struct superd *superd, struct running *running)
{
	struct newcomers *all = running->newcomers;
	struct newcomer **link = &all->first, *one, *before = NULL;

	while ((one = *link) != NULL) {
		struct datagram datagram = { .peer = one->peer, .local = one->local,
			.bytes = { one->bytes, one->len } };

		if (has_to_wait(superd, one)) {
			before = one;
			link = &one->next;
			continue;
		}
		take(all, link, before);
		superd_datagram(superd, one->listener, &datagram);
		free(one);
	}
	if (all->first == NULL)
		unlist(superd, running);
	else
		look_soon(superd, all);
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

void
superd_drop_newcomers(struct superd *superd, struct running *running, const struct listener *listener)
{
	struct newcomers *all = running->newcomers;
	struct newcomer **link, *before = NULL;

	if (all == NULL)
		return;
	link = &all->first;
	while (*link != NULL) {
		if ((*link)->listener != listener) {
			before = *link;
			link = &before->next;
			continue;
		}
		running->dropped++;
		free(take(all, link, before));
	}
	if (all->first == NULL)
		unlist(superd, running);
}

void
superd_move_newcomers(struct superd *superd, const struct listener *listener, struct running *to)
{
	struct newcomers *all = listener->running->newcomers;
	struct newcomer **link, *before = NULL, *one;

	if (listener->running == to || all == NULL)
		return;
	if (newcomers_of(superd, to) == NULL) {
		superd_drop_newcomers(superd, listener->running, listener);
		return;
	}
	link = &all->first;
	while (*link != NULL) {
		if ((*link)->listener != listener) {
			before = *link;
			link = &before->next;
			continue;
		}
		one = take(all, link, before);
		one->next = NULL;
		append(superd, to, one);
	}
	if (all->first == NULL)
		unlist(superd, listener->running);
}
