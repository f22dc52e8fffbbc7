/* slots.c - see slots.h. */
#include <sys/mman.h>
#include <unistd.h>

#include "slots.h"

/*
 * A slot from its lowest address: a page that nobody may touch, so that no
 * stack grows into its neighbour; the stack; and SLOT_TOP from the end the
 * struct.  That is where in a page what a child touches of both lies in one.
 */
#define SLOT_TOP	(8192 - 1536)

_Static_assert(SLOT_TOP >= sizeof(struct slot), "there is room for the struct");

static size_t
slot_bytes(size_t page)
{
	return (SLOT_BYTES + page - 1) / page * page + page;
}

static int
slots_grow(struct slots *slots)
{
	size_t guard = (size_t)sysconf(_SC_PAGESIZE), size = slot_bytes(guard);
	char *step;

	if (slots->count == SLOTS_MAX / SLOTS_STEP)
		return -1;
	step = mmap(NULL, SLOTS_STEP * size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (step == MAP_FAILED)
		return -1;
	slots->steps[slots->count++] = step;
	for (size_t i = SLOTS_STEP; i-- > 0;) {
		struct slot *slot = (struct slot *)(void *)(step + (i + 1) * size - SLOT_TOP);

		(void)mprotect(step + i * size, guard, PROT_NONE);
		slot->stack = step + i * size + guard;
		slot->environ.list = slot->variables;
		slot->environ.room = SLOT_VARIABLES - ENVIRON_VARS - 1;
		slot->next = slots->free;
		slots->free = slot;
	}
	return 0;
}

int
slots_init(struct slots *slots)
{
	*slots = (struct slots){ .count = 0 };
	return slots_grow(slots);
}

void
slots_finish(struct slots *slots)
{
	size_t size = slot_bytes((size_t)sysconf(_SC_PAGESIZE));

	(void)slots_settle(slots);
	if (slots->busy != NULL)
		return;
	while (slots->count > 0)
		munmap(slots->steps[--slots->count], SLOTS_STEP * size);
}

static bool
is_apart(struct slot *slot)
{
	return atomic_load_explicit(&slot->child.apart, memory_order_acquire) ||
	    atomic_load_explicit(&slot->lives, memory_order_acquire) == 0;
}

static void
close_all(struct slot *slot)
{
	while (slot->closes > 0)
		close(slot->close[--slot->closes]);
}

int
slots_settle(struct slots *slots)
{
	struct slot **link = &slots->busy, *slot;
	bool waits = false;

	while ((slot = *link) != NULL) {
		if (is_apart(slot))
			close_all(slot);
		waits |= slot->closes > 0;
		if (atomic_load_explicit(&slot->lives, memory_order_acquire) == 0) {
			*link = slot->next;
			conf_release(slot->conf);
			slot->conf = NULL;
			slot->next = slots->free;
			slots->free = slot;
		} else {
			link = &slot->next;
		}
	}
	if (!waits)
		return -1;
	if (slots->patience_ms < SLOTS_PATIENCE_MS)
		slots->patience_ms *= 2;
	return (int)slots->patience_ms;
}

struct slot *
slots_take(struct slots *slots)
{
	struct slot *slot;

	if (slots->free == NULL)
		(void)slots_settle(slots);
	if (slots->free == NULL && slots_grow(slots) == -1)
		return NULL;
	slot = slots->free;
	slots->free = slot->next;
	slot->next = slots->busy;
	slots->busy = slot;
	slots->patience_ms = 1;
	slot->closes = 0;
	atomic_store_explicit(&slot->child.apart, false, memory_order_relaxed);
	atomic_store_explicit(&slot->lives, 1, memory_order_relaxed);
	return slot;
}

void
slots_give_back(struct slots *slots, struct slot *slot)
{
	struct slot **link = &slots->busy;

	while (*link != slot)
		link = &(*link)->next;
	*link = slot->next;
	close_all(slot);
	slot->next = slots->free;
	slots->free = slot;
}

void
slots_close(struct slots *slots, int fd)
{
	struct slot *slot = slots->busy;

	while (slot != NULL && (is_apart(slot) || (slot->child.in != fd && slot->child.out != fd)))
		slot = slot->next;
	if (slot == NULL)
		close(fd);
	else
		slot->close[slot->closes++] = fd;
}
