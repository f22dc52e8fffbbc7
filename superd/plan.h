/*
 * plan.h - what a new configuration would change, worked out and made ready
 * while the old one is still in force.
 */
#ifndef PLAN_H
#define PLAN_H

#include "superd.h"

/* An address of the new configuration, and who will serve it. */
struct item {
	const struct service	*service;
	const struct address	*address;
	struct listener		*listener;	/* kept or new */
};

struct plan {
	struct conf	*conf;
	struct item	*items;			/* by service in the order of services[] */
	unsigned	 count;
	struct listener	**old;			/* sorted by address */
	unsigned	 old_count;
	struct running	**running;		/* in the order of services[]; old ones where the name stays */
	unsigned	 changed, added;
};

/*
 * Everything that can fail: memory is taken, new addresses are bound beside
 * the old ones (one that is taken will wait).  -1: it did fail, which is
 * logged, and only plan_free remains to be done.
 */
int	plan_prepare(struct superd *, struct plan *);
/* done: the plan was carried out, what it made belongs to superd now. */
void	plan_free(struct superd *, struct plan *, bool done);

/* How superd->running is sorted. */
int	plan_compare_running(const void *, const void *);

#endif
