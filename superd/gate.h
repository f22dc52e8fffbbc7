/*
 * gate.h - holds back log lines that a client can cause as often as it likes,
 * and counts them.  Pure: time is an argument, in ms.
 */
#ifndef GATE_H
#define GATE_H

#include <stdbool.h>
#include <stdint.h>

struct gate {			/* zeroed: open */
	uint64_t	since;		/* start of the window */
	uint64_t	held_since;	/* when the first of those was held back */
	uint32_t	passed;		/* in the window */
	uint32_t	held;		/* since the last line that told of it */
};

/* Whether a line may pass now. */
bool	gate_passes(struct gate *, uint64_t now_ms);
/*
 * How many were held back and not yet told, once that has gone on for a window;
 * else 0.  Taken once.
 */
uint32_t gate_take_held(struct gate *, uint64_t now_ms);

#endif
