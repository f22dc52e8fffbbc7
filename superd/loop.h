/*
 * loop.h - waits for descriptors and deadlines and calls back; it knows
 * nothing of services.  Linux: epoll(7), timerfd_create(2), and the monotonic
 * clock only.
 *
 * A callback may remove any watch or timer, its own too: nothing that was
 * removed is called afterwards, even if its event was already at hand.
 */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "bounds.h"

/* A descriptor that is waited for.  Embedded in its owner; zeroed means not added. */
struct watch {
	void		(*ready)(struct watch *);
	struct pool	*pool;		/* NULL: not waited for */
	int		 fd;
};

/* Watches that are paused together, by no system call at all, however many they are. */
struct pool {
	struct loop	*loop;
	bool		 paused;
};

/* A deadline.  Embedded in its owner; zeroed means not set. */
struct timer {
	void		(*due)(struct timer *);
	uint64_t	 when;		/* ms of loop->now */
	size_t		 place;		/* in the heap, from 1; 0: not set */
};

struct loop {
	struct pool	 pool;		/* of all that is never paused; there is one more at the most */
	int		 all;		/* epoll of all watches ... */
	int		 steady;	/* ... and of those of pool alone: waited for during a pause */
	bool		 paused;	/* the other pool is */
	int		 count;		/* events at hand ... */
	int		 at;		/* ... and the one being dealt with */
	struct epoll_event events[EVENTS_BATCH];
	struct watch	 alarm;		/* rings for the first timer, or for one that was first and is gone */
	uint64_t	 armed;		/* ms; when it rings; 0: not set */
	uint64_t	 late;		/* while timers are called: the earliest time of a new one */
	uint64_t	 now;		/* ms since some point in the past; set before callbacks */
	struct timer	**heap;		/* owned, ordered by when */
	size_t		 timers, room;
};

int	loop_init(struct loop *);
void	loop_finish(struct loop *);
/* Sets loop->now; for those who act outside of a callback. */
void	loop_tell_time(struct loop *);
/* Waits for events and deadlines, at most wait_ms if that is not -1, and calls back.  -1 with errno: the kernel refuses. */
int	loop_turn(struct loop *, int wait_ms);

void	pool_init(struct pool *, struct loop *);
void	pool_pause(struct pool *);
void	pool_resume(struct pool *);

/* Waits until fd can be read.  The watch must stay where it is until removed. */
int	watch_add(struct watch *, struct pool *, int fd, void (*ready)(struct watch *));
void	watch_remove(struct watch *);

/* Room for so many timers, so that timer_start cannot fail. */
int	loop_reserve(struct loop *, size_t timers);
/* In ms from loop->now; a timer that is set is moved.  -1: no memory. */
int	timer_start(struct loop *, struct timer *, uint64_t ms, void (*due)(struct timer *));
void	timer_stop(struct loop *, struct timer *);

/* The structure that member, at ptr, is embedded in. */
#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#endif
