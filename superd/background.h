/*
 * background.h - option -D: the starter waits until the daemon is ready and
 * exits with its status.
 */
#ifndef BACKGROUND_H
#define BACKGROUND_H

/*
 * Goes on in a child, in a session of its own.  In the starter it returns the
 * status to exit with; in the child -1.  *ready is for background_ready.
 */
int	background_start(int *ready);
/* The starter may go; standard input, output and error are /dev/null from now on. */
void	background_ready(int ready);

#endif
