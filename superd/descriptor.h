/*
 * descriptor.h - which numbers descriptors have.  A child copies superd's table
 * only as far up as it must, so what lives long and is not for children lies
 * above, and the low numbers are left to connections.
 */
#ifndef DESCRIPTOR_H
#define DESCRIPTOR_H

#include <stdbool.h>

/* Whether superd has so many that it pays; else all stay where they are. */
void	descriptor_spread(bool);
/*
 * Moves one that lives long out of the way.  Its number from now on; the old
 * one, -1 too, where it cannot be moved, which costs time but breaks nothing.
 */
int	descriptor_high(int fd);
/* The same for a copy, close-on-exec; -1 with errno. */
int	descriptor_copy_high(int fd);

#endif
