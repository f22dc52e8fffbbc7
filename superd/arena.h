/*
 * arena.h - memory that is taken piece by piece and given back as a whole.
 *
 * A configuration is read into one arena: nothing in it has to be freed by
 * itself, and nothing can be forgotten.
 */
#ifndef ARENA_H
#define ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena {
	struct arena_block *blocks;	/* owned, newest first */
	size_t		    used;	/* bytes taken of the newest block, from its start */
	size_t		    next_size;	/* of a block, if no request needs more */
	bool		    failed;	/* some request got NULL: the result is not to be used */
};

/* An arena that is all zero is empty and ready. */
void	 arena_free(struct arena *);

/* Zeroed, aligned for any type; valid until arena_free.  NULL: out of memory, and failed is set. */
void	*arena_take(struct arena *, size_t bytes);
/* Texts lie side by side, aligned for nothing else. */
char	*arena_text(struct arena *, const char *text);
char	*arena_text_of(struct arena *, const char *text, size_t len);
char	*arena_print(struct arena *, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
