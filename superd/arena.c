/*
 * arena.c - see arena.h.  Blocks grow from 4 kB to 256 kB, so that a small
 * configuration stays small, and a large one goes back to the system when it is
 * freed (malloc(3) maps such blocks by themselves).  Structs are taken from a
 * block's start; texts, which need no alignment, from its end.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"

#define BLOCK_LEAST	(4 * 1024 - 64)
#define BLOCK_MOST	(256 * 1024 - 64)

struct arena_block {
	struct arena_block	*next;
	size_t			 size;		/* what texts have taken is off */
	max_align_t		 bytes[];
};

static bool
arena_grow(struct arena *arena, size_t bytes)
{
	size_t size = arena->next_size < BLOCK_LEAST ? BLOCK_LEAST : arena->next_size;
	struct arena_block *block;

	arena->next_size = size * 4 < BLOCK_MOST ? size * 4 : BLOCK_MOST;
	if (size < bytes)
		size = bytes;
	block = calloc(1, sizeof *block + size);
	if (block == NULL) {
		arena->failed = true;
		return false;
	}
	block->size = size;
	block->next = arena->blocks;
	arena->blocks = block;
	arena->used = 0;
	return true;
}

static bool
arena_has(struct arena *arena, size_t bytes)
{
	return (arena->blocks != NULL && arena->blocks->size - arena->used >= bytes) ||
	    arena_grow(arena, bytes);
}

void *
arena_take(struct arena *arena, size_t bytes)
{
	const size_t align = _Alignof(max_align_t);
	void *taken;

	bytes = (bytes + align - 1) / align * align;
	if (!arena_has(arena, bytes))
		return NULL;
	taken = (char *)arena->blocks->bytes + arena->used;
	arena->used += bytes;
	return taken;
}

static char *
take_text(struct arena *arena, size_t bytes)
{
	if (!arena_has(arena, bytes))
		return NULL;
	arena->blocks->size -= bytes;
	return (char *)arena->blocks->bytes + arena->blocks->size;
}

char *
arena_text_of(struct arena *arena, const char *text, size_t len)
{
	char *copy = take_text(arena, len + 1);

	if (copy != NULL)
		memcpy(copy, text, len);
	return copy;
}

char *
arena_text(struct arena *arena, const char *text)
{
	return arena_text_of(arena, text, strlen(text));
}

char *
arena_print(struct arena *arena, const char *format, ...)
{
	va_list args, again;
	char *text;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	text = len < 0 ? NULL : take_text(arena, (size_t)len + 1);
	if (text != NULL)
		vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	va_end(args);
	return text;
}

void
arena_free(struct arena *arena)
{
	struct arena_block *block, *next;

	for (block = arena->blocks; block != NULL; block = next) {
		next = block->next;
		free(block);
	}
	*arena = (struct arena){ .blocks = NULL };
}
