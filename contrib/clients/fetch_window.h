/*
 * The window of a download by datagrams: which blocks to ask for, which to ask
 * for again, and the bytes that came before their turn. No system call and no
 * clock; times are microseconds and arguments.
 */
#ifndef CLIENTS_FETCH_WINDOW_H
#define CLIENTS_FETCH_WINDOW_H

#include "fetch.h"

#define WINDOW_BLOCK 1024	/* bytes of an answer */
#define WINDOW_SIZE 1024	/* blocks between the first that is missing and the last asked for */

enum window_state { WINDOW_FREE, WINDOW_FLYING, WINDOW_LOST, WINDOW_HELD };

/* Slots in a list, by number: those that fly in the order of asking, the lost by their offset. */
struct window_list {
	int first;		/* -1: empty */
	int last;
	int count;
};

struct window_slot {
	enum window_state state;
	int     next, previous;	/* in the list of its state; -1: none */
	int     asked;		/* times */
	int64_t asked_us;	/* for the last time */
};

struct window {
	off_t   base;		/* first byte not yet handed on */
	off_t   asked;		/* first byte never asked for */
	off_t   total;
	off_t   origin;		/* blocks begin here */
	int     most;		/* that may fly, whatever else */
	double  allowed;	/* that may fly now */
	double  threshold;	/* of allowed, above which it grows slowly */
	int64_t cut_us;		/* when allowed was cut last */
	int64_t newest_us;	/* when the latest of the answered questions was asked */
	int64_t smooth_us;	/* round trip; 0: unknown */
	int64_t spread_us;
	int     silences;	/* time-outs since the last answer */
	struct window_list flying, lost;
	struct window_slot slots[WINDOW_SIZE];
	char    data[WINDOW_SIZE][WINDOW_BLOCK];
};

/* Begins at a byte. At most so many questions fly at once. */
void window_init(struct window *window, off_t from, off_t total, int most);

/* A round trip that was measured. */
void window_round_trip(struct window *window, int64_t took_us);

/* Finds the block that is to be asked for now; false: none yet. */
bool window_ask(struct window *window, int64_t now_us, off_t *offset);

/* Takes an answer. False where it is none, or brings nothing new. */
bool window_answer(struct window *window, int64_t now_us, off_t offset, const void *data,
    size_t size);

/* When window_expire is to be called next; INT64_MAX: not before an answer. */
int64_t window_deadline(const struct window *window);

/* Finds what was lost by time. */
void window_expire(struct window *window, int64_t now_us);

/* All that flies is lost: the server knows nothing of it. */
void window_lose(struct window *window);

/* The bytes that are next in FILE; 0: none yet. window_take: they are there. */
size_t window_ready(const struct window *window, const char **data);
void window_take(struct window *window, size_t size);

/* Whether these bytes should be taken at once: there will be no more without that. */
bool window_brims(const struct window *window);

#endif
