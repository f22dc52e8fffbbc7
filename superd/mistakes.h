/*
 * mistakes.h - everything that is wrong with a configuration, each with its
 * place, so that all of it can be told at once.
 */
#ifndef MISTAKES_H
#define MISTAKES_H

#include <stdbool.h>

#include "arena.h"

/* Where a value stands.  A zero line means the file as a whole. */
struct place {
	const char	*file;
	unsigned	 line;
	unsigned	 order;		/* of the file among those read: mistakes are told in this order */
};

struct mistake {
	struct place	 at;
	const char	*text;		/* "file:line: [section] key: what is wrong" */
	struct mistake	*next;
};

struct mistakes {
	struct arena	 arena;		/* owns the texts */
	struct mistake	*first;		/* sorted by place */
	unsigned	 count;
	struct mistake	*first_warning;
	bool		 fatal;		/* superd itself took harm, and must not go on */
};

/* section and key may be NULL. */
void	mistakes_add(struct mistakes *, struct place, const char *section, const char *key,
	    const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Does not count: the configuration can be used. */
void	mistakes_warn(struct mistakes *, struct place, const char *section, const char *key,
	    const char *format, ...) __attribute__((format(printf, 5, 6)));
void	mistakes_free(struct mistakes *);

/*
 * The candidate that text was probably meant to be, or NULL: at most two
 * letters, and a third of all, are wrong, exchanged, left out or too many.
 * Candidates end in NULL.
 */
const char *mistakes_nearest(const char *text, const char *const *candidates);

#endif
