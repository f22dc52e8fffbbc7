/*
 * stderr_lines.h - what the programs of a service write to standard error
 * becomes log lines.  One pipe a service, which its sessions share; opened for
 * the first session, kept or closed when there is none.
 */
#ifndef STDERR_LINES_H
#define STDERR_LINES_H

#include "loop.h"

struct stderr_lines {
	struct watch	 watch;	/* the end that superd reads */
	struct timer	 tick;		/* a flood waits for it */
	struct loop	*loop;
	const char	*service;	/* name; the owner's */
	int		 read_fd, write_fd;
	uint32_t	 ticked;	/* bytes read in this tick */
	uint64_t	 tick_since, second_since;	/* ms */
	uint32_t	 lines, held;	/* logged and not logged in this second */
	uint32_t	 used;		/* of text */
	char		 text[STDERR_LINE_BYTES + 1];	/* a line that has no end yet */
};

/* NULL with errno: no descriptors or no memory. */
struct stderr_lines *stderr_open(struct loop *, const char *service);
/* The last session has ended: what it wrote is logged, also a line without an end. */
void	stderr_flush(struct stderr_lines *);
/* Reads what is there, logs it, closes, frees.  NULL is allowed. */
void	stderr_close(struct stderr_lines *);
/* The service's name lies elsewhere from now on (a reload). */
void	stderr_rename(struct stderr_lines *, const char *service);

#endif
