/*
 * rehearsal.h - a configuration is loaded by a child first.  It asks for all the
 * names, and what hangs there, a directory of users or a dead file system, hangs
 * the child: superd, which serves meanwhile, gives it up in time.  Its answers
 * are for names_replay, when superd loads the same files.
 */
#ifndef REHEARSAL_H
#define REHEARSAL_H

#include "conf.h"
#include "loop.h"

struct rehearsal {
	struct loop	*loop;
	void		(*done)(struct rehearsal *, const char *trouble);
	struct watch	 watch;		/* what comes from the child */
	struct timer	 timer;		/* longest wait for it */
	pid_t		 pid;		/* of the child, until it was waited for; 0: none */
	char		*bytes;		/* owned; of the recording */
	size_t		 len, seen, room;
};

/*
 * done is told once, in a later turn of the loop: NULL, and the recording is
 * there; or why it is not.  -1 with errno: there is no child.
 */
int	rehearsal_start(struct rehearsal *, struct loop *, const struct conf_base *, uint64_t ms,
	    void (*done)(struct rehearsal *, const char *trouble));
/* It is not needed any more, and neither is the recording; also in the middle. */
void	rehearsal_end(struct rehearsal *);
/* Somebody has waited for this child, which may be that of the rehearsal. */
void	rehearsal_reaped(struct rehearsal *, pid_t);

#endif
