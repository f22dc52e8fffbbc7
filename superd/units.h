/* units.h - numbers with units: "30s", "64k". */
#ifndef UNITS_H
#define UNITS_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"

struct unit {
	const char	*name;		/* NULL ends the list: of a number without unit */
	int64_t		 factor;
};

extern const struct unit durations[];	/* in ms; a bare number is seconds */
extern const struct unit sizes[];	/* in bytes; binary */
extern const struct unit plain[];	/* no unit */

/*
 * len bytes of digits and a unit.  False: it is something else.
 * What does not fit is INT64_MAX, or as far below zero: out of any range.
 */
bool	units_parse(const char *text, size_t len, const struct unit *, int64_t *number);
/* With the largest unit that keeps it whole.  NULL: no memory. */
const char *units_text(struct arena *, int64_t number, const struct unit *);

#endif
