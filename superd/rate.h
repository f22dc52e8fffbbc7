/*
 * rate.h - how often something may happen: the values of rate and
 * rate_per_source of superd.ini(5), and the token bucket that keeps to them.
 * Pure and exact: whole numbers only, and time is an argument.
 *
 * now_ms is any clock that never goes back and may pass its largest value to 0;
 * a bucket does not mind how long it was left alone.
 */
#ifndef RATE_H
#define RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"

#define RATE_MOST	1000000		/* of both numbers of a rate */

struct rate {			/* zeroed: unlimited */
	uint32_t	count;		/* tokens that come in a period; 0: unlimited */
	uint32_t	burst;		/* tokens that a full bucket holds */
	uint32_t	period_ms;
};

struct bucket {			/* zeroed: full */
	uint64_t	missing;	/* at that time, in parts of a token: period_ms parts are one */
	uint64_t	since_ms;
};

/* "50/s", "600/m", "10/h", "5/d", with a burst "50/s:100"; "unlimited".  NULL, or what is wrong. */
const char *rate_parse(struct arena *, const char *text, struct rate *);
/* As rate_parse reads it back.  NULL: no memory. */
const char *rate_text(const struct rate *, struct arena *);

/*
 * A bucket belongs to one rate.  Used with another (after a reload) it is
 * neither emptier than empty nor longer in healing than one of that rate can be.
 */
bool	 rate_take(const struct rate *, struct bucket *, uint64_t now_ms);
/* The token that was taken is not wanted; a bucket that is full by now stays so. */
void	 rate_return(const struct rate *, struct bucket *, uint64_t now_ms);
/* Whether rate_take would take: for those who ask several and take only where all agree. */
bool	 rate_ready(const struct rate *, const struct bucket *, uint64_t now_ms);
/* ms until there is a token, 0 for now; and until the bucket is full. */
uint64_t rate_wait_ms(const struct rate *, const struct bucket *, uint64_t now_ms);
uint64_t rate_heal_ms(const struct rate *, const struct bucket *, uint64_t now_ms);

#endif
