/*
 * hours.h - at what times of the week a service is open: the key hours of
 * superd.ini(5).  Pure: the caller says which weekday and minute it is.
 *
 * Spans are separated by commas or blanks: "08:00-18:00" on every day,
 * "Mon-Fri 08:00-18:00", "Sat,Sun 10:00-12:00", "always".  A span ends before
 * its last minute begins, "24:00" ends a day; "22:00-06:00" goes on after
 * midnight and belongs to the day on which it begins; "Fri-Mon" goes over the
 * weekend.  Once a span has named its days those behind it must too: whether
 * "Mon 08:00-12:00, 13:00-18:00" means Monday or every day is not guessed.
 *
 * Changes to and from summer time need nothing here: the caller asks with the
 * parts of local time (tm_wday, tm_hour, tm_min), so an hour that the clock
 * leaves out never comes and one that it repeats counts twice.
 */
#ifndef HOURS_H
#define HOURS_H

#include <stdbool.h>

#include "arena.h"

struct hours;

/* Sets *hours, of the arena; NULL is always.  NULL, or what is wrong and how it would be right. */
const char *hours_parse(struct arena *, const char *text, const struct hours **hours);

/* weekday as tm_wday, 0 is Sunday; minute of the day, 0 to 1439. */
bool	hours_contain(const struct hours *, int weekday, int minute);

/* As hours_parse reads it back to the same hours; equal hours give equal texts.  NULL: no memory. */
const char *hours_text(const struct hours *, struct arena *);

#endif
