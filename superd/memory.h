/*
 * memory.h - superd runs for years between two moments in which it reads a
 * configuration: what only those need goes back to the system.
 */
#ifndef MEMORY_H
#define MEMORY_H

/* Before anything is allocated: freed memory is not kept, which the C library is by itself not keen on. */
void	memory_init(void);
/*
 * Code and constants are unmapped; what is needed comes back from the page cache,
 * at a fault each.  After a start half of them are never needed again.  (What was
 * written into them is lost: set a debugger's breakpoints later.)
 */
void	memory_give_back(void);

#endif
