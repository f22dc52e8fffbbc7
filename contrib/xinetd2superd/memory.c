/* memory.c: see xinetd2superd.h. */
#include "xinetd2superd.h"

#include <stdarg.h>
#include <stdlib.h>

#include "../../superd/words.h"

static struct arena arena;

static void *
or_end(void *memory)
{
	if (memory == NULL) {
		fputs("xinetd2superd: out of memory\n", stderr);
		exit(2);
	}
	return memory;
}

void *
take(size_t size)
{
	return or_end(arena_take(&arena, size));
}

const char *
text(const char *format, ...)
{
	char *result = NULL;
	const char *kept;
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&result, format, args);
	va_end(args);
	if (length < 0)
		or_end(NULL);
	kept = or_end(arena_text(&arena, result));
	free(result);
	return kept;
}

const char *
quoted(const char *word)
{
	return or_end(words_quote(&arena, word));
}

void
give_all_back(void)
{
	arena_free(&arena);
}
