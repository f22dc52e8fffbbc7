/*
 * The window; fetch_window.h says what it promises.
 *
 * What is lost is known by two signs: questions that were asked well after it
 * are answered already, or its time is over. Both times follow the round trip
 * as it is measured (RFC 6298, and the idea of RFC 8985). How many questions
 * may fly grows while all goes well, and is cut where something was lost, once
 * a round trip; but it never falls so low that a network which loses much and
 * is not full stands nearly still.
 */
#include "fetch_window.h"

#include <string.h>

#define ALLOWED_LEAST 16	/* questions */
#define ALLOWED_FIRST 32
#define CUT 0.7
#define TIMEOUT_FIRST_US 300000	/* before any round trip was measured */
#define TIMEOUT_LEAST_US 10000
#define TIMEOUT_MOST_US 1000000
#define REORDER_US 2000		/* what is later by so little is only out of order */

void
window_init(struct window *w, off_t from, off_t total, int most)
{
	memset(w->slots, 0, sizeof w->slots);
	w->base = w->asked = w->origin = from;
	w->total = total;
	w->most = most < ALLOWED_LEAST ? ALLOWED_LEAST : most < WINDOW_SIZE ? most : WINDOW_SIZE;
	w->allowed = ALLOWED_FIRST < w->most ? ALLOWED_FIRST : w->most;
	w->threshold = w->most;
	w->cut_us = w->newest_us = w->smooth_us = w->spread_us = 0;
	w->silences = 0;
	w->flying = w->lost = (struct window_list){ .first = -1, .last = -1 };
}

static int
slot_of(const struct window *w, off_t offset)
{
	return (int)((offset - w->origin) / WINDOW_BLOCK % WINDOW_SIZE);
}

/* Puts a slot behind another one of the list, or first where that is -1. */
static void
list_add(struct window *w, struct window_list *list, int slot, int previous)
{
	const int next = previous != -1 ? w->slots[previous].next : list->first;

	w->slots[slot].previous = previous;
	w->slots[slot].next = next;
	if (previous != -1)
		w->slots[previous].next = slot;
	else
		list->first = slot;
	if (next != -1)
		w->slots[next].previous = slot;
	else
		list->last = slot;
	list->count++;
}

static void
list_remove(struct window *w, struct window_list *list, int slot)
{
	const struct window_slot *s = &w->slots[slot];

	if (s->previous != -1)
		w->slots[s->previous].next = s->next;
	else
		list->first = s->next;
	if (s->next != -1)
		w->slots[s->next].previous = s->previous;
	else
		list->last = s->previous;
	list->count--;
}

void
window_round_trip(struct window *w, int64_t took_us)
{
	int64_t off_us = took_us > w->smooth_us ? took_us - w->smooth_us : w->smooth_us - took_us;

	if (w->smooth_us == 0) {
		w->smooth_us = took_us > 0 ? took_us : 1;
		w->spread_us = took_us / 2;
		return;
	}
	w->spread_us += (off_us - w->spread_us) / 4;
	w->smooth_us += (took_us - w->smooth_us) / 8;
	if (w->smooth_us < 1)
		w->smooth_us = 1;
}

static int64_t
timeout_us(const struct window *w)
{
	int64_t us = w->smooth_us == 0 ? TIMEOUT_FIRST_US : w->smooth_us + 4 * w->spread_us;

	us = us < TIMEOUT_LEAST_US ? TIMEOUT_LEAST_US : us;
	for (int i = 0; i < w->silences && us < TIMEOUT_MOST_US; i++)
		us *= 2;
	return us < TIMEOUT_MOST_US ? us : TIMEOUT_MOST_US;
}

/* The offset of the block in a slot between base and asked. */
static off_t
offset_of(const struct window *w, int slot)
{
	const int after = (slot - slot_of(w, w->base) + WINDOW_SIZE) % WINDOW_SIZE;

	return w->base + (off_t)after * WINDOW_BLOCK;
}

bool
window_ask(struct window *w, int64_t now_us, off_t *offset)
{
	int slot;

	if (w->flying.count >= (int)w->allowed)
		return false;
	if ((slot = w->lost.first) != -1) {
		list_remove(w, &w->lost, slot);
		*offset = offset_of(w, slot);
	} else {
		if (w->asked >= w->total || w->asked - w->base >= WINDOW_SIZE * WINDOW_BLOCK)
			return false;
		slot = slot_of(w, w->asked);
		w->slots[slot].asked = 0;
		*offset = w->asked;
		w->asked += WINDOW_BLOCK;
	}
	w->slots[slot].state = WINDOW_FLYING;
	w->slots[slot].asked++;
	w->slots[slot].asked_us = now_us;
	list_add(w, &w->flying, slot, w->flying.last);
	return true;
}

/* The one that flies for the longest is lost. What FILE needs first will be asked for first. */
static int
lose_first(struct window *w)
{
	const int slot = w->flying.first;
	int previous = w->lost.last;

	list_remove(w, &w->flying, slot);
	while (previous != -1 && offset_of(w, previous) > offset_of(w, slot))
		previous = w->slots[previous].previous;
	list_add(w, &w->lost, slot, previous);
	w->slots[slot].state = WINDOW_LOST;
	return slot;
}

/* The same, as a sign that the network has too much to do. */
static void
lose_and_slow(struct window *w, int64_t now_us)
{
	const int slot = lose_first(w);

	if (w->slots[slot].asked_us < w->cut_us)
		return;			/* one cut for all that was lost together */
	w->cut_us = now_us;
	w->allowed *= CUT;
	if (w->allowed < ALLOWED_LEAST)
		w->allowed = ALLOWED_LEAST;
	w->threshold = w->allowed;
}

/* Finds what was lost by order: questions asked well after it were answered. */
static void
lose_overtaken(struct window *w, int64_t now_us)
{
	const int64_t late_us = w->smooth_us / 2 + REORDER_US;

	while (w->flying.first != -1 &&
	    w->slots[w->flying.first].asked_us + late_us < w->newest_us)
		lose_and_slow(w, now_us);
}

/* What an answer to a question that was asked once tells of the network. */
static void
learn(struct window *w, const struct window_slot *slot, int64_t now_us)
{
	w->silences = 0;
	w->allowed += w->allowed < w->threshold ? 1 : 1 / w->allowed;
	if (w->allowed > w->most)
		w->allowed = w->most;
	if (slot->asked != 1)
		return;			/* which of the questions it answers is not known */
	window_round_trip(w, now_us - slot->asked_us);
	if (slot->asked_us > w->newest_us)
		w->newest_us = slot->asked_us;
	lose_overtaken(w, now_us);
}

bool
window_answer(struct window *w, int64_t now_us, off_t offset, const void *data, size_t size)
{
	const off_t left = w->total - offset;
	int slot;

	if (offset < w->base || offset >= w->asked || (offset - w->origin) % WINDOW_BLOCK != 0 ||
	    (off_t)size != (left < WINDOW_BLOCK ? left : WINDOW_BLOCK))
		return false;
	slot = slot_of(w, offset);
	if (w->slots[slot].state == WINDOW_HELD)
		return false;
	list_remove(w, w->slots[slot].state == WINDOW_FLYING ? &w->flying : &w->lost, slot);
	w->slots[slot].state = WINDOW_HELD;
	memcpy(w->data[slot], data, size);
	learn(w, &w->slots[slot], now_us);
	return true;
}

int64_t
window_deadline(const struct window *w)
{
	if (w->flying.first == -1)
		return INT64_MAX;
	return w->slots[w->flying.first].asked_us + timeout_us(w);
}

void
window_expire(struct window *w, int64_t now_us)
{
	if (window_deadline(w) > now_us)
		return;
	/* All at once: the time-out is another one as soon as it is doubled. */
	for (const int64_t asked_us = now_us - timeout_us(w); w->flying.first != -1 &&
	    w->slots[w->flying.first].asked_us <= asked_us;)
		lose_and_slow(w, now_us);
	if (w->silences++ > 0)
		w->allowed = ALLOWED_LEAST;
}

void
window_lose(struct window *w)
{
	while (w->flying.first != -1)
		lose_first(w);
}

size_t
window_ready(const struct window *w, const char **data)
{
	const int first = slot_of(w, w->base);
	size_t size = 0;
	int slot = first;

	while (slot < WINDOW_SIZE && w->slots[slot].state == WINDOW_HELD)
		slot++;
	size = (size_t)(slot - first) * WINDOW_BLOCK;
	*data = w->data[first];
	return (off_t)size < w->total - w->base ? size : (size_t)(w->total - w->base);
}

bool
window_brims(const struct window *w)
{
	const char *data, *end = w->data[WINDOW_SIZE - 1] + WINDOW_BLOCK;
	const size_t size = window_ready(w, &data);

	return data + size == end || w->base + (off_t)size == w->total;
}

void
window_take(struct window *w, size_t size)
{
	for (size_t taken = 0; taken < size; taken += WINDOW_BLOCK)
		w->slots[slot_of(w, w->base + (off_t)taken)].state = WINDOW_FREE;
	w->base += (off_t)size;
}
