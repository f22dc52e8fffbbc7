/*
 * slots.h - what each child that shares superd's memory has for itself until it
 * has executed or ended: a stack, an environment, and the descriptors that
 * superd may not close before the child has copied them.
 */
#ifndef SLOTS_H
#define SLOTS_H

#include "child.h"
#include "environ.h"

#define SLOT_CLOSES	6	/* in, out, and a low copy of each of the four */

struct slot {
	atomic_uint	 lives;		/* the kernel makes it 0 when the child leaves superd's memory */
	struct child	 child;
	struct conf	*conf;		/* held: the child reads it */
	int		 close[SLOT_CLOSES];	/* owned; closed once the child is apart */
	unsigned	 closes;
	struct slot	*next;		/* of the free, or of the busy, the newest first */
	struct environ	 environ;
	char		*variables[SLOT_VARIABLES];	/* for environ.list */
};

struct slots {
	struct slot	*free, *busy;
	void		*steps[SLOTS_MAX / SLOTS_STEP];	/* mmap, SLOTS_STEP each */
	unsigned	 made, used;	/* slots there are, and were ever used */
	atomic_bool	 awaited;	/* a child that is apart now is to call superd */
};

/* The first step.  -1: no memory. */
int	slots_init(struct slots *);
/* Leaves everything as it is where a child lives in it. */
void	slots_finish(struct slots *);

/* An empty slot, which is busy from now on.  NULL: SLOTS_MAX are, or no memory. */
struct slot *slots_take(struct slots *);
/* The end of the slot's stack, where a child begins. */
void	*slots_stack(struct slot *);
/* No child came to be. */
void	slots_give_back(struct slots *, struct slot *);
/* Closes fd, at once or as soon as no child needs it. */
void	slots_close(struct slots *, int fd);
/*
 * Closes and gives back what no child needs any more.  To be called before
 * superd waits.  True: something is left to close, and the child that still
 * needs it ends superd's sleep, by a write to CHILD_CALL or by SIGCHLD.
 */
bool	slots_settle(struct slots *);

#endif
