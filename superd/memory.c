/* memory.c - see memory.h. */
#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bounds.h"
#include "memory.h"

void
memory_init(void)
{
#ifdef __GLIBC__
	(void)mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
	(void)mallopt(M_TRIM_THRESHOLD, MAPPED_BYTES);
	(void)mallopt(M_TOP_PAD, HEAP_STEP);
#endif
}

struct ranges {
	uintptr_t	 page;		/* its size */
	unsigned	 count;
	struct { void *start; size_t size; } range[MEMORY_RANGES];
};

/* A segment that nobody can write to has in memory what it has in its file. */
static int
collect(struct dl_phdr_info *object, size_t size, void *arg)
{
	struct ranges *ranges = arg;
	const uintptr_t mask = ranges->page - 1;

	(void)size;
	for (unsigned i = 0; i < object->dlpi_phnum && ranges->count < MEMORY_RANGES; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		uintptr_t start = object->dlpi_addr + segment->p_vaddr, end = start + segment->p_memsz;

		if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0)
			continue;
		start &= ~mask;
		ranges->range[ranges->count].start = (void *)start;
		ranges->range[ranges->count++].size = ((end + mask) & ~mask) - start;
	}
	return 0;
}

/* First all are collected: what does that, and reads the objects' headers, is of no use afterwards either. */
void
memory_give_back(void)
{
	struct ranges ranges = { .page = (uintptr_t)sysconf(_SC_PAGESIZE) };

	(void)dl_iterate_phdr(collect, &ranges);
	for (unsigned i = 0; i < ranges.count; i++)
		(void)madvise(ranges.range[i].start, ranges.range[i].size, MADV_DONTNEED);
}
