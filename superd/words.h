/*
 * words.h - the quoting of exec and env: blanks separate, "...", '...' and \
 * quote as in sh(1), nothing is expanded.
 */
#ifndef WORDS_H
#define WORDS_H

#include "arena.h"

/*
 * Splits text into words.  The array ends in NULL and belongs to the arena, as
 * the words do.  NULL: *wrong says why (a quote that does not end, ...).
 */
char	**words_split(struct arena *, const char *text, const char **wrong);

/*
 * The word as words_split reads it back, quoted where it must be.  What inih
 * would take for a comment (blank, semicolon) comes out as ' '';' instead.
 */
char	*words_quote(struct arena *, const char *word);

unsigned words_count(char *const *words);

#endif
