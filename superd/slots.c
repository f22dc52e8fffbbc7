/* slots.c - see slots.h. */
#include <sys/mman.h>
#include <unistd.h>

#include "slots.h"

/*
 * A slot from its lowest address: a page that nobody may touch, so that no
 * stack grows into its neighbour; the stack; and SLOT_TOP from the end the
 * struct.  What a child touches of both lies in one page of 4 kB.
 */
#define SLOT_TOP	(4096 - 1280)

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

	if (slots->made == SLOTS_MAX)
		return -1;
	step = mmap(NULL, SLOTS_STEP * size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (step == MAP_FAILED)
		return -1;
	for (size_t i = 0; i < SLOTS_STEP; i++)
		(void)mprotect(step + i * size, guard, PROT_NONE);
	slots->steps[slots->made / SLOTS_STEP] = step;
	slots->made += SLOTS_STEP;
	return 0;
}

/* One that was never used: until now it was address space only. */
static struct slot *
slots_next(struct slots *slots)
{
	size_t guard = (size_t)sysconf(_SC_PAGESIZE), size = slot_bytes(guard);
	struct slot *slot;
	char *start;

	if (slots->used == slots->made && slots_grow(slots) == -1)
		return NULL;
	start = (char *)slots->steps[slots->used / SLOTS_STEP] + slots->used % SLOTS_STEP * size;
	slots->used++;
	slot = (struct slot *)(void *)(start + size - SLOT_TOP);
	slot->environ.list = slot->variables;
	slot->environ.room = SLOT_VARIABLES - ENVIRON_VARS - 1;
	return slot;
}

int
slots_init(struct slots *slots)
{
	*slots = (struct slots){ .made = 0 };
	return slots_grow(slots);
}

void
slots_finish(struct slots *slots)
{
	size_t size = slot_bytes((size_t)sysconf(_SC_PAGESIZE));

	(void)slots_settle(slots);
	if (slots->busy != NULL)
		return;
	for (; slots->made > 0; slots->made -= SLOTS_STEP)
		munmap(slots->steps[slots->made / SLOTS_STEP - 1], SLOTS_STEP * size);
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

/* Whether something is left to close. */
static bool
settle(struct slots *slots)
{
	struct slot **link = &slots->busy, *slot;
	bool left = false;

	while ((slot = *link) != NULL) {
		/* Looked at once: a child that goes meanwhile must not take its slot without the close. */
		bool gone = atomic_load_explicit(&slot->lives, memory_order_acquire) == 0;

		if (gone || is_apart(slot))
			close_all(slot);
		left |= slot->closes > 0;
		if (gone) {
			*link = slot->next;
			conf_release(slot->conf);
			slot->conf = NULL;
			slot->next = slots->free;
			slots->free = slot;
		} else {
			link = &slot->next;
		}
	}
	return left;
}

/*
 * The second look is for the child that was apart before it could see that it is
 * awaited: of the two stores, here and in child_is_apart, at least one is seen by
 * the other side.
 */
bool
slots_settle(struct slots *slots)
{
	if (!settle(slots))
		return false;
	atomic_store(&slots->awaited, true);
	atomic_thread_fence(memory_order_seq_cst);
	return settle(slots);
}

struct slot *
slots_take(struct slots *slots)
{
	struct slot *slot;

	if (slots->free == NULL)
		(void)settle(slots);
	slot = slots->free;
	if (slot != NULL)
		slots->free = slot->next;
	else if ((slot = slots_next(slots)) == NULL)
		return NULL;
	slot->next = slots->busy;
	slots->busy = slot;
	slot->closes = 0;
	atomic_store_explicit(&slots->awaited, false, memory_order_relaxed);	/* superd is awake */
	atomic_store_explicit(&slot->child.apart, false, memory_order_relaxed);
	atomic_store_explicit(&slot->lives, 1, memory_order_relaxed);
	return slot;
}

/* It ends where the struct begins, at an address as the calling conventions want it. */
void *
slots_stack(struct slot *slot)
{
	char *end = (char *)slot;

	return end - ((uintptr_t)end & 15);
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
