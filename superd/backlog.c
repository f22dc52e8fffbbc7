/*
 * backlog.c - listeners whose service is full: their clients wait in the
 * kernel's queues, and are taken from there when there is room again.
 */
#include <errno.h>
#include <string.h>

#include "events.h"
#include "superd.h"

void
superd_tell_full(struct superd *superd, struct running *running)
{
	struct peer busiest = { .port = 0 };
	struct holder holder;
	uint32_t count;

	if (running->room_due || (running->full_told != 0 &&
	    superd->loop.now - running->full_told < FULL_MS))
		return;
	count = sources_busiest(superd->admission.sources, running->tally.number, &holder);
	busiest.ip = holder.ip;
	busiest.scope = holder.scope;
	event_full(running, count > 0 && !IN6_IS_ADDR_UNSPECIFIED(&holder.ip) ? &busiest : NULL, count);
	running->full_told = superd->loop.now;
	running->room_due = true;
}

static void
rate_due(struct timer *timer)
{
	struct running *running = container_of(timer, struct running, rate_timer);

	superd_resume(running->superd, running);
}

/* A listener that waits for rate is woken by time, not by the end of a session. */
static void
wait_for_rate(struct superd *superd, struct listener *listener)
{
	struct running *running = listener->running;
	uint64_t ms;

	if (superd_room(superd, listener) != ROOM_NOT_YET || running->rate_timer.place != 0)
		return;
	ms = admission_wait_ms(listener->service, &running->tally, superd->loop.now);
	(void)timer_start(&superd->loop, &running->rate_timer, ms, rate_due);
}

static void
park_global(struct superd *superd, struct listener *listener)
{
	listener->parked = PARKED_GLOBAL;
	listener->next_parked = NULL;
	*superd->parked_last = listener;
	superd->parked_last = &listener->next_parked;
}

static void
link_parked(struct superd *superd, struct listener *listener)
{
	struct running *running = listener->running;
	enum room room = superd_room(superd, listener);

	if (room == ROOM_NOT_AT_ALL || room == ROOM) {
		park_global(superd, listener);
	} else {
		listener->parked = PARKED_SERVICE;
		listener->next_parked = running->parked;
		running->parked = listener;
		wait_for_rate(superd, listener);
	}
}

/* Somebody waits and there is no room: the kernel's queue is the waiting room. */
void
superd_park(struct superd *superd, struct listener *listener)
{
	watch_remove(&listener->watch);
	link_parked(superd, listener);
	superd_tell_full(superd, listener->running);
}

static void
unlink_parked(struct superd *superd, struct listener *listener)
{
	struct listener **link = listener->parked == PARKED_GLOBAL ? &superd->parked :
	    &listener->running->parked;

	if (listener->parked == PARKED_NOT)
		return;
	while (*link != listener)
		link = &(*link)->next_parked;
	*link = listener->next_parked;
	if (listener->parked == PARKED_GLOBAL && superd->parked_last == &listener->next_parked)
		superd->parked_last = link;
	listener->parked = PARKED_NOT;
}

void
superd_tell_room(struct running *running)
{
	if (!running->room_due || running->parked != NULL || running_has_newcomers(running))
		return;
	running->room_due = false;
	event_room(running);
}

void
superd_unpark(struct superd *superd, struct listener *listener)
{
	struct running *running = listener->running;

	if (listener->parked == PARKED_NOT)
		return;
	unlink_parked(superd, listener);
	superd_tell_room(running);
}

/* What there is no room in may be another than before for all of them: superd itself, or the rate. */
static void
sort_parked(struct superd *superd, struct running *running)
{
	struct listener *listener = running->parked, *next;

	running->parked = NULL;
	for (; listener != NULL; listener = next) {
		next = listener->next_parked;
		link_parked(superd, listener);
	}
}

static void
unpark_and_listen(struct superd *superd, struct listener *listener)
{
	superd_unpark(superd, listener);
	if (listener_start(listener) == -1)
		event_error("epoll: %s; service '%s' rests until the next reload", strerror(errno),
		    listener->service->name);
}

/* Takes who waits.  Where many do, the listener is back in the loop, where all have their turn. */
void
superd_resume(struct superd *superd, struct running *running)
{
	struct listener *listener;
	enum accept_step step;

	while ((listener = running->parked) != NULL) {
		step = superd_accept_batch(superd, listener);
		if (step == ACCEPT_PAUSED || step == ACCEPT_DEAD)
			return;
		if (step == ACCEPT_FULL) {
			sort_parked(superd, running);
			return;
		}
		unpark_and_listen(superd, listener);
	}
}

static void
room_due(struct timer *timer)
{
	superd_resume_global(container_of(timer, struct superd, room));
}

/* In turn, so that no service takes all the room that becomes free. */
void
superd_resume_global(struct superd *superd)
{
	struct listener *listener;
	enum accept_step step;

	for (int i = 0; i < EVENTS_BATCH && (listener = superd->parked) != NULL &&
	    superd->admission.live < superd->admission.max_sessions; i++) {
		step = superd_accept(superd, listener);
		if (step == ACCEPT_PAUSED || step == ACCEPT_DEAD)
			return;
		if (step == ACCEPT_DRAINED) {
			unpark_and_listen(superd, listener);
			continue;
		}
		unlink_parked(superd, listener);
		link_parked(superd, listener);	/* behind the others; or with its service, if that is full */
	}
	/* Room is left after so many (they were refused): the rest is taken in the next turns. */
	if (superd->parked != NULL && superd->admission.live < superd->admission.max_sessions &&
	    superd->room.place == 0)
		(void)timer_start(&superd->loop, &superd->room, 0, room_due);
}

void
superd_resume_all(struct superd *superd)
{
	for (unsigned i = 0; i < superd->count; i++)
		superd_resume(superd, superd->running[i]);
	superd_resume_global(superd);
	superd_serve_newcomers(superd);
}
