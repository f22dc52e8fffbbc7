/*
 * environ.h - the environment of a service's program: what conf_check made
 * for all connections alike, and what this one adds, in the UCSPI convention.
 */
#ifndef ENVIRON_H
#define ENVIRON_H

#include "bounds.h"
#include "conf.h"

struct environ {
	char	**list;			/* owned; the variables, ends in NULL */
	unsigned  room;			/* of list, for a service's own part */
	char	 *pid_digits;		/* where with wait = yes the child writes its own number; else NULL */
	char	  text[ENVIRON_BYTES];	/* the variables of the connection */
};

/* Room for the largest service of a configuration, so that environ_make cannot fail.  -1: no memory. */
int	environ_reserve(struct environ *, unsigned variables);
void	environ_free(struct environ *);

/* The list; its texts are valid until the next call. */
char	**environ_make(struct environ *, const struct service *, uint64_t session,
	    const struct peer *remote, const struct peer *local);

#endif
