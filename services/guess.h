/*
 * The sums behind guess, as functions of a random number, so that the tests can
 * ask about any.
 */
#ifndef SERVICES_GUESS_H
#define SERVICES_GUESS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Makes a number from 1 to most of a random one. Returns false where that lies
 * in the incomplete last round, which would favour the low numbers: take another.
 */
static inline bool guess_pick(uint64_t random, uint64_t most, uint64_t *number)
{
	*number = random % most + 1;
	return random - random % most <= UINT64_MAX - (most - 1);
}

/* Tries enough for whoever halves the range each time, and not one more. */
static inline unsigned guess_tries(uint64_t most)
{
	unsigned tries = 0;

	for (; most > 0; most /= 2)
		tries++;
	return tries;
}

#endif
