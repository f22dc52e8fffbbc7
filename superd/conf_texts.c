/*
 * conf_texts.c - from a typed field to the text that conf_values.c reads back,
 * and whether two fields are the same; one case for each kind of key.
 */
#include <string.h>

#include "conf_keys.h"
#include "units.h"
#include "words.h"

static const char *
join_words(struct arena *arena, char *const *words)
{
	const char *all = NULL, *quoted;

	for (; *words != NULL; words++) {
		if ((quoted = words_quote(arena, *words)) == NULL)
			return NULL;
		all = all == NULL ? quoted : arena_print(arena, "%s %s", all, quoted);
	}
	return all == NULL ? "" : all;
}

static const char *
join_addresses(struct arena *arena, const struct addresses *addresses)
{
	const char *all = NULL;
	char one[ADDRESS_TEXT];

	for (unsigned i = 0; i < addresses->count; i++) {
		address_text(&addresses->item[i], one);
		all = all == NULL ? arena_text(arena, one) : arena_print(arena, "%s %s", all, one);
	}
	return all;
}

static const char *
rlim_text(struct arena *arena, rlim_t value)
{
	return value == RLIM_INFINITY ? "unlimited" : units_text(arena, (int64_t)value, plain);
}

const char *
conf_key_text(const struct conf_key *key, struct arena *arena, const void *object)
{
	const void *field = (const char *)object + key->at;
	const struct source_prefix *prefix;
	const struct limit *limit;
	char *const *words;
	uint32_t load;

	switch (key->kind) {
	case KEY_TEXT:
	case KEY_PATH:
		return *(const char *const *)field;
	case KEY_WORDS:
	case KEY_NAMES:
	case KEY_ASSIGNMENTS:
	case KEY_LIST:
		words = *(char *const *const *)field;
		return words == NULL ? NULL : join_words(arena, words);
	case KEY_LISTEN:
		return join_addresses(arena, field);
	case KEY_BOOL:
		return *(const bool *)field ? "yes" : "no";
	case KEY_CHOICE:
		return key->words[*(const uint8_t *)field];
	case KEY_COUNT:
		if (*(const uint32_t *)field == UNLIMITED)
			return "unlimited";
		return units_text(arena, *(const uint32_t *)field, plain);
	case KEY_INTEGER:
	case KEY_SIZE:
		return units_text(arena, *(const int *)field, key->kind == KEY_SIZE ? sizes : plain);
	case KEY_DURATION:
		if (*(const int64_t *)field == IDLE_NONE && key->least == 0)
			return "none";
		if (*(const int64_t *)field <= 0 && key->initial == NULL && key->least > 0)
			return NULL;
		return units_text(arena, *(const int64_t *)field, durations);
	case KEY_MODE:
		return arena_print(arena, "0%o", *(const mode_t *)field);
	case KEY_LIMIT:
		limit = *(const struct limit *const *)field;
		return limit == NULL ? NULL : arena_print(arena, "%s:%s",
		    rlim_text(arena, limit->soft), rlim_text(arena, limit->hard));
	case KEY_HOURS:
		return hours_text(*(const struct hours *const *)field, arena);
	case KEY_RATE:
		return rate_text(field, arena);
	case KEY_LOAD:
		load = *(const uint32_t *)field;
		return load == 0 ? "unlimited" : arena_print(arena, "%u.%02u", load / 100, load % 100);
	case KEY_PREFIX:
		prefix = field;
		return arena_print(arena, "%u %u", prefix->four, prefix->six);
	}
	return NULL;
}

static bool
texts_equal(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
words_equal(char *const *a, char *const *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	for (; *a != NULL && *b != NULL; a++, b++)
		if (strcmp(*a, *b) != 0)
			return false;
	return *a == *b;
}

static bool
addresses_equal(const struct addresses *a, const struct addresses *b)
{
	for (unsigned i = 0; i < a->count && a->count == b->count; i++)
		if (!address_equal(&a->item[i], &b->item[i]))
			return false;
	return a->count == b->count;
}

static bool
limits_equal(const struct limit *a, const struct limit *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a->soft == b->soft && a->hard == b->hard;
}

static bool
rates_equal(const struct rate *a, const struct rate *b)
{
	return a->count == b->count && a->burst == b->burst && a->period_ms == b->period_ms;
}

/* Equal hours give equal texts. */
static bool
hours_equal(const struct hours *a, const struct hours *b)
{
	struct arena scratch = { .blocks = NULL };
	bool equal = a == b || (a != NULL && b != NULL &&
	    texts_equal(hours_text(a, &scratch), hours_text(b, &scratch)));

	arena_free(&scratch);
	return equal;
}

bool
conf_key_equal(const struct conf_key *key, const void *one, const void *other)
{
	const void *a = (const char *)one + key->at, *b = (const char *)other + key->at;

	switch (key->kind) {
	case KEY_TEXT:
	case KEY_PATH:
		return texts_equal(*(const char *const *)a, *(const char *const *)b);
	case KEY_WORDS:
	case KEY_NAMES:
	case KEY_ASSIGNMENTS:
	case KEY_LIST:
		return words_equal(*(char *const *const *)a, *(char *const *const *)b);
	case KEY_LISTEN:
		return addresses_equal(a, b);
	case KEY_BOOL:
		return *(const bool *)a == *(const bool *)b;
	case KEY_CHOICE:
		return *(const uint8_t *)a == *(const uint8_t *)b;
	case KEY_COUNT:
	case KEY_LOAD:
		return *(const uint32_t *)a == *(const uint32_t *)b;
	case KEY_INTEGER:
	case KEY_SIZE:
		return *(const int *)a == *(const int *)b;
	case KEY_DURATION:
		return *(const int64_t *)a == *(const int64_t *)b;
	case KEY_MODE:
		return *(const mode_t *)a == *(const mode_t *)b;
	case KEY_LIMIT:
		return limits_equal(*(const struct limit *const *)a, *(const struct limit *const *)b);
	case KEY_HOURS:
		return hours_equal(*(const struct hours *const *)a, *(const struct hours *const *)b);
	case KEY_RATE:
		return rates_equal(a, b);
	case KEY_PREFIX:
		return ((const struct source_prefix *)a)->four == ((const struct source_prefix *)b)->four &&
		    ((const struct source_prefix *)a)->six == ((const struct source_prefix *)b)->six;
	}
	return false;
}
