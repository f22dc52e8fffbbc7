/* mistakes.c - see mistakes.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bounds.h"
#include "mistakes.h"

#define MISTAKE_BYTES	1024

/* Behind those of the same place.  What has been told of it already is not told again. */
static void
mistakes_insert(struct mistakes *all, struct mistake **list, struct place at, const char *text)
{
	struct mistake *new;

	while (*list != NULL && ((*list)->at.order < at.order ||
	    ((*list)->at.order == at.order && (*list)->at.line <= at.line))) {
		if (strcmp((*list)->text, text) == 0)
			return;
		list = &(*list)->next;
	}
	if ((new = arena_take(&all->arena, sizeof *new)) == NULL)
		return;
	*new = (struct mistake){ .at = at, .text = arena_text(&all->arena, text), .next = *list };
	if (new->text == NULL)
		new->text = "out of memory";
	*list = new;
}

static void __attribute__((format(printf, 5, 0)))
mistakes_format(char *text, struct place at, const char *section, const char *key,
    const char *format, va_list args)
{
	size_t len = 0;

	/* No source has more than MISTAKE_BYTES to tell; a longer path is cut, not overrun. */
#define ADD(...) do {								\
	if (len < MISTAKE_BYTES) {						\
		int n = snprintf(text + len, MISTAKE_BYTES - len, __VA_ARGS__);	\
		len += n > 0 ? (size_t)n : 0;					\
	}									\
} while (0)
	if (at.line > 0)
		ADD("%s:%u: ", at.file, at.line);
	else if (at.file != NULL)
		ADD("%s: ", at.file);
	if (section != NULL && *section != '\0')
		ADD(key != NULL ? "[%s] " : "[%s]: ", section);
	if (key != NULL)
		ADD("%s: ", key);
#undef ADD
	if (len < MISTAKE_BYTES)
		vsnprintf(text + len, MISTAKE_BYTES - len, format, args);
}

void
mistakes_add(struct mistakes *all, struct place at, const char *section, const char *key,
    const char *format, ...)
{
	char text[MISTAKE_BYTES];
	va_list args;

	va_start(args, format);
	mistakes_format(text, at, section, key, format, args);
	va_end(args);
	all->count++;
	mistakes_insert(all, &all->first, at, text);
}

void
mistakes_warn(struct mistakes *all, struct place at, const char *section, const char *key,
    const char *format, ...)
{
	char text[MISTAKE_BYTES];
	va_list args;

	va_start(args, format);
	mistakes_format(text, at, section, key, format, args);
	va_end(args);
	mistakes_insert(all, &all->first_warning, at, text);
}

void
mistakes_free(struct mistakes *all)
{
	arena_free(&all->arena);
	*all = (struct mistakes){ .count = 0 };
}

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Damerau's distance with adjacent exchanges, over texts of at most NAME_BYTES. */
static unsigned
distance(const char *a, size_t alen, const char *b, size_t blen)
{
	unsigned rows[3][NAME_BYTES + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2], *spare;

	for (size_t j = 0; j <= blen; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= alen; i++) {
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= blen; j++) {
			row[j] = least(least(last[j], row[j - 1]) + 1,
			    last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		spare = before, before = last, last = row, row = spare;
	}
	return last[blen];
}

const char *
mistakes_nearest(const char *text, const char *const *candidates)
{
	size_t len = strlen(text);
	unsigned best = 3;
	const char *nearest = NULL;

	if (len > NAME_BYTES)
		return NULL;
	for (; *candidates != NULL; candidates++) {
		size_t other = strlen(*candidates);
		unsigned wrong;

		if (other > NAME_BYTES)
			continue;
		wrong = distance(text, len, *candidates, other);
		/* A short word is near to everything. */
		if (wrong < best && wrong <= (len > other ? len : other) / 3) {
			best = wrong;
			nearest = *candidates;
		}
	}
	return nearest;
}
