/*
 * turns.h - how superd shares the processors with its children.  It has little
 * to do at a time, and all wait for it: so it asks the scheduler for short turns,
 * which come sooner (sched_setattr(2), since Linux 6.12).  It gets no more time.
 */
#ifndef TURNS_H
#define TURNS_H

/*
 * For the calling process; a child has the usual turns again.  Where that is
 * impossible, or where the policy or a negative nice value that superd was
 * started with would not come to the children, nothing changes.
 */
void	turns_shorten(void);

#endif
