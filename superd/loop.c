/* loop.c - see loop.h. */
#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "loop.h"

void
loop_tell_time(struct loop *loop)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	loop->now = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void
pool_init(struct pool *pool, struct loop *loop)
{
	*pool = (struct pool){ .loop = loop };
}

void
pool_pause(struct pool *pool)
{
	pool->paused = pool->loop->paused = true;
}

void
pool_resume(struct pool *pool)
{
	pool->paused = pool->loop->paused = false;
}

/* What is never paused is in both epolls, so that a turn of the loop waits for one only. */
int
watch_add(struct watch *watch, struct pool *pool, int fd, void (*ready)(struct watch *))
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = watch };
	struct loop *loop = pool->loop;

	if (epoll_ctl(loop->all, EPOLL_CTL_ADD, fd, &event) == -1)
		return -1;
	if (pool == &loop->pool && epoll_ctl(loop->steady, EPOLL_CTL_ADD, fd, &event) == -1) {
		(void)epoll_ctl(loop->all, EPOLL_CTL_DEL, fd, NULL);
		return -1;
	}
	*watch = (struct watch){ .ready = ready, .pool = pool, .fd = fd };
	return 0;
}

void
watch_remove(struct watch *watch)
{
	struct pool *pool = watch->pool;
	struct loop *loop;

	if (pool == NULL)
		return;
	loop = pool->loop;
	(void)epoll_ctl(loop->all, EPOLL_CTL_DEL, watch->fd, NULL);
	if (pool == &loop->pool)
		(void)epoll_ctl(loop->steady, EPOLL_CTL_DEL, watch->fd, NULL);
	for (int i = loop->at; i < loop->count; i++)
		if (loop->events[i].data.ptr == watch)
			loop->events[i].data.ptr = NULL;
	watch->pool = NULL;
}

/* Calls the watches that are ready.  One that is removed meanwhile is NULL in events. */
static int
loop_events(struct loop *loop, int wait_ms)
{
	struct watch *watch;

	loop->count = epoll_wait(loop->paused ? loop->steady : loop->all, loop->events,
	    EVENTS_BATCH, wait_ms);
	if (loop->count == -1) {
		loop->count = 0;
		return errno == EINTR ? 0 : -1;
	}
	loop_tell_time(loop);
	for (loop->at = 0; loop->at < loop->count; loop->at++) {
		watch = loop->events[loop->at].data.ptr;
		if (watch != NULL && !watch->pool->paused)	/* else it comes again after the pause */
			watch->ready(watch);
	}
	loop->count = 0;
	return 0;
}

/* The heap: places count from 1, and the two below place n are 2n and 2n + 1. */
static void
heap_put(struct loop *loop, size_t place, struct timer *timer)
{
	loop->heap[place - 1] = timer;
	timer->place = place;
}

static void
heap_settle(struct loop *loop, struct timer *timer)
{
	size_t place = timer->place, below;

	while (place > 1 && loop->heap[place / 2 - 1]->when > timer->when) {
		heap_put(loop, place, loop->heap[place / 2 - 1]);
		place /= 2;
	}
	while ((below = 2 * place) <= loop->timers) {
		if (below < loop->timers && loop->heap[below]->when < loop->heap[below - 1]->when)
			below++;
		if (loop->heap[below - 1]->when >= timer->when)
			break;
		heap_put(loop, place, loop->heap[below - 1]);
		place = below;
	}
	heap_put(loop, place, timer);
}

int
loop_reserve(struct loop *loop, size_t timers)
{
	struct timer **heap;

	if (timers <= loop->room)
		return 0;
	heap = reallocarray(loop->heap, timers, sizeof *heap);
	if (heap == NULL)
		return -1;
	loop->heap = heap;
	loop->room = timers;
	return 0;
}

int
timer_start(struct loop *loop, struct timer *timer, uint64_t ms, void (*due)(struct timer *))
{
	if (timer->place == 0) {
		if (loop->timers == loop->room && loop_reserve(loop, loop->room * 2 + 16) == -1)
			return -1;
		loop->timers++;
		heap_put(loop, loop->timers, timer);
	}
	timer->due = due;
	/* now is cut off to a whole ms: without one more the time would be up too early. */
	timer->when = loop->now + ms + (ms > 0);
	if (timer->when < loop->late)
		timer->when = loop->late;
	heap_settle(loop, timer);
	return 0;
}

void
timer_stop(struct loop *loop, struct timer *timer)
{
	struct timer *last;

	if (timer->place == 0)
		return;
	last = loop->heap[--loop->timers];
	if (last != timer) {
		last->place = timer->place;
		heap_settle(loop, last);
	}
	timer->place = 0;
}

/*
 * A timer that is started in here is not due before the next turn, not even
 * one of 0 ms: whoever works in batches must let the events have their turn.
 */
static void
loop_due(struct loop *loop)
{
	loop->late = loop->now + 1;
	while (loop->timers > 0 && loop->heap[0]->when <= loop->now) {
		struct timer *timer = loop->heap[0];

		timer_stop(loop, timer);
		timer->due(timer);
	}
	loop->late = 0;
}

static void
alarm_rings(struct watch *watch)
{
	struct loop *loop = container_of(watch, struct loop, alarm);
	uint64_t times;
	ssize_t len = read(watch->fd, &times, sizeof times);

	(void)len;	/* it is read to be silent again */
	loop->armed = 0;
}

/*
 * The alarm is set forward only when some timer comes before it: most are
 * stopped long before they are due, and a timeout of epoll_wait(2) would be set
 * and taken back in each turn.  So it may ring in vain, once.
 */
static int
set_alarm(struct loop *loop)
{
	uint64_t when = loop->heap[0]->when;
	const struct itimerspec alarm = { .it_value = { .tv_sec = (time_t)(when / 1000),
		.tv_nsec = (long)(when % 1000 * 1000000) } };

	if (loop->armed != 0 && loop->armed <= when)
		return 0;
	if (timerfd_settime(loop->alarm.fd, TFD_TIMER_ABSTIME, &alarm, NULL) == -1)
		return -1;
	loop->armed = when;
	return 0;
}

int
loop_init(struct loop *loop)
{
	int alarm;

	*loop = (struct loop){ .alarm = { .fd = -1 } };
	loop_tell_time(loop);
	pool_init(&loop->pool, loop);
	loop->all = epoll_create1(EPOLL_CLOEXEC);
	loop->steady = epoll_create1(EPOLL_CLOEXEC);
	alarm = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (loop->all == -1 || loop->steady == -1 || alarm == -1)
		return -1;
	return watch_add(&loop->alarm, &loop->pool, alarm, alarm_rings);
}

void
loop_finish(struct loop *loop)
{
	close(loop->alarm.fd);
	close(loop->all);
	close(loop->steady);
	free(loop->heap);
	*loop = (struct loop){ .timers = 0 };
}

int
loop_turn(struct loop *loop, int wait_ms)
{
	if (loop->timers > 0 && loop->heap[0]->when <= loop->now)
		wait_ms = 0;
	else if (loop->timers > 0 && set_alarm(loop) == -1)
		return -1;
	if (loop_events(loop, wait_ms) == -1)
		return -1;
	loop_due(loop);
	return 0;
}
