/*
 * limits.c: how many, how often, and what a client is sent first. The same
 * functions write their part of the section [defaults].
 */
#include "xinetd2superd.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define RATE_MOST 1000000 /* of superd; what is above is no limit */
#define UDP_SESSIONS 100  /* superd's own default */

/* N or UNLIMITED, which is 0 here; false: neither, and turned off. 0 itself admits nobody. */
static bool
parse_limit(struct section *section, enum attribute id, unsigned long *number)
{
	const char *word = one(section, id);

	*number = 0;
	if (word == NULL || strcasecmp(word, "UNLIMITED") == 0)
		return true;
	if (!parse_count(word, 2147483647, number)) {
		turn_off(section, id, "'%s' is no number and not UNLIMITED", word);
		return false;
	}
	if (*number == 0)
		turn_off(section, id, "0 admits nobody");
	return *number > 0;
}

static void
put_limit(
    struct section *section, enum attribute id, const char *key, unsigned long number)
{
	if (number == 0)
		put(section, id, key, "unlimited");
	else
		put(section, id, key, "%lu", number);
}

/* xinetd's instances are unlimited unless it says otherwise, and so is what one source may take. */
static void
put_instances(struct section *section)
{
	bool defaults = section->entry == section->defaults;
	unsigned long all, each;

	if (section->waits && (own(section, A_INSTANCES) || own(section, A_PER_SOURCE)))
		remark(section, own(section, A_INSTANCES) ? A_INSTANCES : A_PER_SOURCE,
		    "means nothing with wait = yes, where one program serves all clients");
	if (section->sensor || section->waits || !parse_limit(section, A_INSTANCES, &all))
		return;
	if (defaults) { /* where max_per_source would be an error for services that wait */
		if (own(section, A_INSTANCES))
			put_limit(section, A_INSTANCES, "max_sessions", all);
		return;
	}
	if (!parse_limit(section, A_PER_SOURCE, &each))
		return;
	if (section->udp && (all == 0 || all > UDP_SESSIONS)) {
		remark(section, A_INSTANCES, "a process for each client, so there is a limit");
		put_limit(section, A_INSTANCES, "max_sessions", UDP_SESSIONS);
		return;
	}
	if (own(section, A_INSTANCES))
		put_limit(section, A_INSTANCES, "max_sessions", all);
	if (each > 0 && (all == 0 || each < all))
		put_limit(section, A_PER_SOURCE, "max_per_source", each);
	else if (all > 0)
		put_limit(section, A_PER_SOURCE, "max_per_source", 0);
}

/* "N W": the W seconds of pause are not needed, and not kept. */
static void
put_cps(struct section *section)
{
	const struct values *cps = held(section, A_CPS);
	unsigned long rate, pause;

	if (!parse_count(cps->item[0], 2147483647, &rate) ||
	    !parse_count(cps->item[1], 2147483647, &pause))
		turn_off(section, A_CPS, "'%s %s' are not two numbers", cps->item[0], cps->item[1]);
	else if (rate == 0 || rate > RATE_MOST)
		put(section, A_CPS, "rate", "unlimited");
	else {
		put(section, A_CPS, "rate", "%lu/s", rate);
		if (pause > 0)
			lose(section, A_CPS, "the second number: no service is closed, for %lu s "
			    "or at all; only what is too much is refused", pause);
	}
}

static unsigned long
in_range(uint64_t number)
{
	return number < 1 ? 1 : number > RATE_MOST ? RATE_MOST : (unsigned long)number;
}

/* "N SECONDS HISTORY W": N in each SECONDS, and HISTORY seconds' worth of them in a burst. */
static void
put_leaky_bucket(struct section *section)
{
	static const struct {
		unsigned long seconds;
		char unit;
	} units[] = { { 1, 's' }, { 60, 'm' }, { 3600, 'h' }, { 86400, 'd' } };
	const struct values *bucket = held(section, A_LEAKY_BUCKET);
	unsigned long number[4];
	uint64_t rate, burst;
	size_t unit = 0;

	for (size_t i = 0; i < 4; i++)
		if (!parse_count(bucket->item[i], RATE_MOST, &number[i])) {
			turn_off(section, A_LEAKY_BUCKET, "'%s' is no number", bucket->item[i]);
			return;
		}
	if (number[0] == 0 || number[1] == 0) {
		turn_off(section, A_LEAKY_BUCKET, "'%s %s' is no rate", bucket->item[0],
		    bucket->item[1]);
		return;
	}
	while (unit + 1 < ARRAY_LEN(units) &&
	    (uint64_t)number[0] * units[unit].seconds % number[1] != 0)
		unit++;
	rate = (uint64_t)number[0] * units[unit].seconds / number[1];
	burst = rate * number[2] / units[unit].seconds;
	put(section, A_LEAKY_BUCKET, "rate", "%lu/%c:%lu", in_range(rate), units[unit].unit,
	    in_range(burst));
}

static void
put_rate(struct section *section)
{
	if (own(section, A_LEAKY_BUCKET) && own(section, A_CPS))
		turn_off(section, A_LEAKY_BUCKET, "excludes cps");
	else if (own(section, A_LEAKY_BUCKET))
		put_leaky_bucket(section);
	else if (own(section, A_CPS))
		put_cps(section);
}

static void
put_load(struct section *section)
{
	const char *load = one(section, A_MAX_LOAD);
	char *end;
	double number = strtod(load, &end);

	if (*end != '\0' || !(number > 0) || number > 1e6)
		turn_off(section, A_MAX_LOAD, "'%s' is no load", load);
	else
		put(section, A_MAX_LOAD, "max_load", "%g", number);
}

void
put_umask(struct section *section)
{
	const char *mask = one(section, A_UMASK);
	unsigned long number = strtoul(mask, NULL, 8);

	if (strspn(mask, "01234567") != strlen(mask) || number > 0777)
		turn_off(section, A_UMASK, "'%s' is no octal mask", mask);
	else
		put(section, A_UMASK, "umask", "%03lo", number);
}

void
put_limits(struct section *section)
{
	put_instances(section);
	if (!section->sensor)
		put_rate(section);
	if (own(section, A_MAX_LOAD))
		put_load(section);
}

static void
put_banner(struct section *section, enum attribute id, const char *key)
{
	const char *path = one(section, id);

	if (*path != '/')
		lose(section, id, "'%s' is not an absolute path", path);
	else
		put(section, id, key, "%s", path);
}

/* xinetd sends banner to everybody and then one of the others; superd sends one file. */
void
put_banners(struct section *section)
{
	bool always = one(section, A_BANNER) != NULL;
	bool success = one(section, A_BANNER_SUCCESS) != NULL,
	     fail = one(section, A_BANNER_FAIL) != NULL;

	if (section->waits || section->udp) {
		if (own(section, A_BANNER) || own(section, A_BANNER_SUCCESS) ||
		    own(section, A_BANNER_FAIL))
			lose(section,
			    own(section, A_BANNER)		 ? A_BANNER
				: own(section, A_BANNER_SUCCESS) ? A_BANNER_SUCCESS
								 : A_BANNER_FAIL,
			    "superd has no connection here to send a banner to");
		return;
	}
	if (always && (success || fail))
		lose(section, A_BANNER,
		    "superd sends one file, so not this one where banner_success or banner_fail is "
		    "sent");
	if (!section->sensor && (always || success))
		put_banner(section, success ? A_BANNER_SUCCESS : A_BANNER, "banner");
	if (always || fail)
		put_banner(section, fail ? A_BANNER_FAIL : A_BANNER, "banner_refused");
}
