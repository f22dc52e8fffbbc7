/*
 * leave.c - addresses and services that are gone from the configuration.
 *
 * A removed address takes nobody new, but who is in its queue already is
 * served, under the settings under which he connected.  A removed service is
 * freed with its last session.
 */
#include <stdlib.h>

#include "events.h"
#include "superd.h"

static void	drain_due(struct timer *);

static struct listener **
link_of(struct listener **link, const struct listener *listener)
{
	while (*link != listener)
		link = &(*link)->next;
	return link;
}

static void
keep_left(struct superd *superd, struct listener *listener)
{
	watch_remove(&listener->watch);
	listener->conf = conf_hold(listener->running->conf);
	listener_leave(listener);
	listener->next = superd->leaving;
	superd->leaving = listener;
}

struct conf *
superd_take_back(struct superd *superd, struct listener *listener)
{
	struct conf *conf = listener->conf;

	if (!listener->leaving)
		return NULL;
	*link_of(&superd->leaving, listener) = listener->next;
	listener->conf = NULL;
	listener->leaving = listener->drained = false;
	return conf;
}

/* The listener is out of its service's list already. */
void
superd_leave(struct superd *superd, struct listener *listener)
{
	if (listener->fd != -1)
		event_unlisten(listener);
	superd_unpark(superd, listener);
	superd_drop_newcomers(superd, listener->running, listener);
	listener->to_drain = listener->service->backlog + 1;
	keep_left(superd, listener);
	superd_drain_start(superd);
}

void
superd_drain_start(struct superd *superd)
{
	if (superd->leaving != NULL && superd->drain.place == 0)
		(void)timer_start(&superd->loop, &superd->drain, 0, drain_due);
}

/* UDP: whoever is being served goes on, and nobody else is. */
static bool
stays_for_flows(struct listener *listener)
{
	if (listener->flows == 0)
		return false;
	listener->drained = true;
	return true;
}

static void
close_leaving(struct superd *superd, struct listener *listener)
{
	struct running *running = listener->running;
	struct conf *conf = listener->conf;

	*link_of(&superd->leaving, listener) = listener->next;
	superd_drop_newcomers(superd, running, listener);
	listener_free(listener);
	conf_release(conf);
	if (running->leaving)
		superd_forget(superd, running);
}

/*
 * A batch from each in a turn of the loop, so that a long queue holds up nobody
 * else.  A queue of length 0 still takes one client at a time, so what may be in
 * it was settled when the address left.
 */
static void
drain_due(struct timer *timer)
{
	struct superd *superd = container_of(timer, struct superd, drain);
	struct listener *listener, *next;
	enum accept_step step;
	bool more = false;

	for (listener = superd->leaving; listener != NULL; listener = next) {
		next = listener->next;
		if (listener->drained)
			continue;
		step = listener->fd == -1 ? ACCEPT_DEAD : superd_accept_batch(superd, listener);
		listener->to_drain -= ACCEPT_BATCH;
		if (step == ACCEPT_PAUSED || (step == ACCEPT_TAKEN && listener->to_drain > 0))
			more = true;
		else if (!stays_for_flows(listener))
			close_leaving(superd, listener);
		else if (!listener->service->per_datagram && !listener->service->wait)
			(void)listener_start(listener);	/* its peers go on writing to their processes */
	}
	if (more) {
		(void)timer_start(&superd->loop, timer, superd->pause.place != 0 ? ACCEPT_PAUSE_MS : 0,
		    drain_due);
		return;
	}
	/* What could not be bound beside them can be now. */
	listeners_retry(&superd->listeners);
	superd_tell_waiting(superd);
}

void
superd_drain(struct superd *superd)
{
	if (superd->drain.place == 0)
		return;
	timer_stop(&superd->loop, &superd->drain);
	drain_due(&superd->drain);
}

void
superd_close_left(struct superd *superd, struct listener *listener)
{
	close_leaving(superd, listener);
	listeners_retry(&superd->listeners);
}

/* Frees a service that left, once no session and no listener points to it. */
void
superd_forget(struct superd *superd, struct running *running)
{
	struct running **held = &superd->held;

	for (const struct listener *l = superd->leaving; l != NULL; l = l->next)
		if (l->running == running)
			return;
	if (running->tally.live > 0)
		return;
	for (unsigned i = 0; i < superd->gone_count; i++)
		if (superd->gone[i] == running)
			superd->gone[i] = superd->gone[--superd->gone_count];
	while (*held != NULL && *held != running)
		held = &(*held)->next_held;
	if (*held != NULL)
		*held = running->next_held;
	running_free(running);
}

void
superd_tell_waiting(struct superd *superd)
{
	for (struct listener *l = superd->listeners.waiting; l != NULL; l = l->next_waiting) {
		if (!l->told)
			event_waiting(l, l->error);
		l->told = true;
	}
}

void
superd_close_listeners(struct superd *superd)
{
	for (unsigned i = 0; i < superd->count; i++) {
		struct running *running = superd->running[i];
		struct listener *listener;

		while ((listener = running->listeners) != NULL) {
			if (listener->fd != -1)
				event_unlisten(listener);
			superd_unpark(superd, listener);
			superd_drop_newcomers(superd, running, listener);
			running->listeners = listener->next;
			if (stays_for_flows(listener))
				keep_left(superd, listener);
			else
				listener_free(listener);
		}
	}
	for (struct listener *l = superd->leaving, *next; l != NULL; l = next) {
		next = l->next;
		if (!stays_for_flows(l))
			close_leaving(superd, l);
	}
}
