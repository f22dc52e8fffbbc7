/*
 * rate.c - see rate.h.  A token is divided into as many parts as its period has
 * milliseconds, so that each millisecond brings `count' parts and nothing is
 * ever rounded.  The largest bucket has RATE_MOST * 86,400,000 parts, under 2^47.
 */
#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "rate.h"

static const struct unit {
	char		name;
	uint32_t	ms;
} units[] = { { 's', 1000 }, { 'm', 60 * 1000 }, { 'h', 60 * 60 * 1000 }, { 'd', 24 * 60 * 60 * 1000 } };

/* Digits; the number, RATE_MOST + 1 where it is larger, and what follows them, or NULL. */
static const char *
parse_number(const char *text, uint32_t *number)
{
	const char *at = text;

	for (*number = 0; isdigit((unsigned char)*at); at++)
		if ((*number = *number * 10 + (uint32_t)(*at - '0')) > RATE_MOST)
			*number = RATE_MOST + 1;
	return at == text ? NULL : at;
}

static const struct unit *
find_unit(char name)
{
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (units[i].name == name)
			return &units[i];
	return NULL;
}

/* What one second allows, at least 1. */
static uint32_t
usual_burst(const struct rate *rate)
{
	uint32_t burst = (uint32_t)((uint64_t)rate->count * 1000 / rate->period_ms);

	return burst == 0 ? 1 : burst;
}

const char *
rate_parse(struct arena *arena, const char *text, struct rate *rate)
{
	struct rate parsed = { .count = 0 };
	const struct unit *unit;
	const char *at = text;

	if (strcmp(text, "unlimited") == 0) {
		*rate = parsed;
		return NULL;
	}
	if ((at = parse_number(text, &parsed.count)) == NULL || *at++ != '/' ||
	    (unit = find_unit(*at++)) == NULL || (*at != '\0' && *at != ':') ||
	    (*at == ':' && ((at = parse_number(at + 1, &parsed.burst)) == NULL || *at != '\0')))
		return arena_print(arena, "'%s' is not a rate (50/s, 600/m, 10/h, 5/d, with a burst "
		    "50/s:100, or 'unlimited')", text);
	parsed.period_ms = unit->ms;
	if (strchr(text, ':') == NULL)
		parsed.burst = usual_burst(&parsed);
	if (parsed.count < 1 || parsed.count > RATE_MOST || parsed.burst < 1 || parsed.burst > RATE_MOST)
		return arena_print(arena, "%s is out of range: a rate and its burst are 1 to %d",
		    text, RATE_MOST);
	*rate = parsed;
	return NULL;
}

const char *
rate_text(const struct rate *rate, struct arena *arena)
{
	char name = '?';

	if (rate->count == 0)
		return "unlimited";
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (units[i].ms == rate->period_ms)
			name = units[i].name;
	if (rate->burst == usual_burst(rate))
		return arena_print(arena, "%u/%c", rate->count, name);
	return arena_print(arena, "%u/%c:%u", rate->count, name, rate->burst);
}

/* The parts that are missing now. */
static uint64_t
missing_at(const struct rate *rate, const struct bucket *bucket, uint64_t now_ms)
{
	const uint64_t most = (uint64_t)rate->burst * rate->period_ms;
	const uint64_t missing = bucket->missing < most ? bucket->missing : most;
	uint64_t gone = now_ms - bucket->since_ms;

	if (gone > INT64_MAX)		/* a time before the last one: nothing has come since */
		gone = 0;
	/* Whether gone * count >= missing, which might not fit. */
	if (rate->count == 0 || gone >= missing / rate->count + (missing % rate->count != 0))
		return 0;
	return missing - gone * rate->count;
}

/* How long `parts' take to come. */
static uint64_t
coming_ms(const struct rate *rate, uint64_t parts)
{
	return rate->count == 0 ? 0 : parts / rate->count + (parts % rate->count != 0);
}

uint64_t
rate_wait_ms(const struct rate *rate, const struct bucket *bucket, uint64_t now_ms)
{
	const uint64_t missing = missing_at(rate, bucket, now_ms);
	const uint64_t spare = (uint64_t)(rate->burst - (rate->count != 0)) * rate->period_ms;

	return missing <= spare ? 0 : coming_ms(rate, missing - spare);
}

uint64_t
rate_heal_ms(const struct rate *rate, const struct bucket *bucket, uint64_t now_ms)
{
	return coming_ms(rate, missing_at(rate, bucket, now_ms));
}

bool
rate_ready(const struct rate *rate, const struct bucket *bucket, uint64_t now_ms)
{
	return rate_wait_ms(rate, bucket, now_ms) == 0;
}

bool
rate_take(const struct rate *rate, struct bucket *bucket, uint64_t now_ms)
{
	if (!rate_ready(rate, bucket, now_ms))
		return false;
	if (rate->count == 0)
		return true;
	bucket->missing = missing_at(rate, bucket, now_ms) + rate->period_ms;
	bucket->since_ms = now_ms;
	return true;
}

void
rate_return(const struct rate *rate, struct bucket *bucket, uint64_t now_ms)
{
	const uint64_t missing = missing_at(rate, bucket, now_ms);

	bucket->missing = missing > rate->period_ms ? missing - rate->period_ms : 0;
	bucket->since_ms = now_ms;
}
