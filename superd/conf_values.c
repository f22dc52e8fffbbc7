/*
 * conf_values.c - from the text of a value to a typed field and back; one pair
 * of functions for each kind of key.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_keys.h"
#include "words.h"

struct unit {
	const char	*name;
	int64_t		 factor;
};

/* The largest first: conf_key_text takes the first that divides. */
static const struct unit durations[] = {
	{ "d", 24 * 60 * 60 * 1000 }, { "h", 60 * 60 * 1000 }, { "m", 60 * 1000 }, { "s", 1000 },
	{ "ms", 1 }, { NULL, 1000 }
};
static const struct unit sizes[] = {
	{ "G", 1 << 30 }, { "M", 1 << 20 }, { "k", 1 << 10 }, { "g", 1 << 30 }, { "m", 1 << 20 },
	{ "K", 1 << 10 }, { NULL, 1 }
};
static const struct unit plain[] = { { NULL, 1 } };

/* Digits and a unit; the factor of the NULL unit holds where none is written. */
static bool
parse_number(const char *text, size_t len, const struct unit *units, int64_t *number)
{
	const struct unit *unit = units;
	bool minus = len > 0 && *text == '-';
	size_t at = minus, digits;
	int64_t value = 0;

	for (digits = at; at < len && isdigit((unsigned char)text[at]); at++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, text[at] - '0', &value))
			return false;
	if (at == digits)
		return false;
	while (unit->name != NULL && (strlen(unit->name) != len - at ||
	    memcmp(unit->name, text + at, len - at) != 0))
		unit++;
	if (unit->name == NULL && at != len)
		return false;
	*number = minus ? -value : value;
	return !__builtin_mul_overflow(*number, unit->factor, number);
}

static const char *
number_text(struct arena *arena, int64_t number, const struct unit *units)
{
	while (units->name != NULL && (number == 0 || number % units->factor != 0))
		units++;
	if (units->name == NULL)
		return arena_print(arena, "%" PRId64, number / units->factor);
	return arena_print(arena, "%" PRId64 "%s", number / units->factor, units->name);
}

static const char *
parse_ranged(const struct conf_key *key, struct arena *arena, const char *text,
    const struct unit *units, const char *form, int64_t *number)
{
	if (!parse_number(text, strlen(text), units, number))
		return arena_print(arena, "'%s' is not %s", text, form);
	if (*number < key->least || *number > key->most)
		return arena_print(arena, "%s is out of range: %s to %s", text,
		    number_text(arena, key->least, units), number_text(arena, key->most, units));
	return NULL;
}

static const char *
parse_bool(struct arena *arena, const char *text, bool *field)
{
	static const char *const words[] = { "no", "yes", "off", "on", "false", "true", "0", "1" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(text, words[i]) == 0) {
			*field = i % 2 == 1;
			return NULL;
		}
	return arena_print(arena, "'%s' is not yes or no (on/off, true/false, 1/0)", text);
}

static const char *
parse_choice(const struct conf_key *key, struct arena *arena, const char *text, uint8_t *field)
{
	const char *near, *all = key->words[0];

	for (uint8_t i = 0; key->words[i] != NULL; i++) {
		if (strcmp(text, key->words[i]) == 0) {
			*field = i;
			return NULL;
		}
		if (i > 0)
			all = arena_print(arena, "%s, %s", all, key->words[i]);
	}
	if ((near = mistakes_nearest(text, key->words)) != NULL)
		return arena_print(arena, "'%s' is none of %s; did you mean '%s'?", text, all, near);
	return arena_print(arena, "'%s' is none of %s", text, all);
}

static const char *
parse_mode(struct arena *arena, const char *text, mode_t most, mode_t *field)
{
	char *end;
	unsigned long mode = strtoul(text, &end, 8);

	if (!isdigit((unsigned char)*text) || *end != '\0' || mode > most)
		return arena_print(arena, "'%s' is not an octal mode up to %04o", text, most);
	*field = (mode_t)mode;
	return NULL;
}

static bool
parse_rlim(const char *text, size_t len, rlim_t *value)
{
	int64_t number;

	if (len == strlen("unlimited") && memcmp(text, "unlimited", len) == 0) {
		*value = RLIM_INFINITY;
		return true;
	}
	if (!parse_number(text, len, sizes, &number) || number < 0)
		return false;
	*value = (rlim_t)number;
	return true;
}

static const char *
parse_limit(struct arena *arena, const char *text, const struct limit **field)
{
	struct limit *limit = arena_take(arena, sizeof *limit);
	const char *colon = strchr(text, ':');
	size_t len = strcspn(text, ":");

	if (limit == NULL)
		return "out of memory";
	if (!parse_rlim(text, len, &limit->soft) ||
	    (colon != NULL && !parse_rlim(colon + 1, strlen(colon + 1), &limit->hard)))
		return arena_print(arena, "'%s' is not N or SOFT:HARD "
		    "(numbers, with k, M or G, or 'unlimited')", text);
	if (colon == NULL)
		limit->hard = limit->soft;
	if (limit->soft > limit->hard)
		return arena_print(arena, "%s: the soft limit is above the hard one", text);
	*field = limit;
	return NULL;
}

static bool
is_variable_name(const char *text, size_t len)
{
	if (len == 0 || isdigit((unsigned char)*text))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '_')
			return false;
	return true;
}

/* Splits into words; each must be a variable's name, with "=value" if so said. */
static const char *
parse_words(struct arena *arena, const char *text, bool names, bool values, char ***field)
{
	const char *wrong;
	char **words = words_split(arena, text, &wrong);

	if (words == NULL)
		return wrong;
	for (char **word = words; names && *word != NULL; word++) {
		size_t len = strcspn(*word, "=");

		if (!is_variable_name(*word, len) || ((*word)[len] == '=') != values)
			return arena_print(arena, "'%s' is not %s", *word, values ?
			    "NAME=value" : "the name of an environment variable");
	}
	*field = words;
	return NULL;
}

static const char *
parse_count(const struct conf_key *key, struct arena *arena, const char *text, uint32_t *field)
{
	int64_t number;
	const char *wrong;

	if (key->most == UNLIMITED && strcmp(text, "unlimited") == 0) {
		*field = UNLIMITED;
		return NULL;
	}
	wrong = parse_ranged(key, arena, text, plain, key->most == UNLIMITED ?
	    "a number or 'unlimited'" : "a number", &number);
	if (wrong == NULL)
		*field = (uint32_t)number;
	return wrong;
}

static const char *
parse_integer(const struct conf_key *key, struct arena *arena, const char *text, int *field)
{
	bool size = key->kind == KEY_SIZE;
	int64_t number;
	const char *wrong = parse_ranged(key, arena, text, size ? sizes : plain,
	    size ? "a size (64k, 10M, 2G)" : "a whole number", &number);

	if (wrong == NULL)
		*field = (int)number;
	return wrong;
}

static const char *
parse_path(struct arena *arena, const char *text, const char **field)
{
	if (*text != '/')
		return arena_print(arena, "'%s' is not an absolute path", text);
	*field = arena_text(arena, text);
	return NULL;
}

const char *
conf_key_parse(const struct conf_key *key, struct arena *arena, const char *text, void *object)
{
	void *field = (char *)object + key->at;
	const char *wrong = NULL;
	/* Where the default is "none", a service can say so against [defaults]. */
	bool none = key->initial == NULL && strcmp(text, "none") == 0;

	if (*text == '\0' && key->kind != KEY_NAMES && key->kind != KEY_ASSIGNMENTS)
		return "has no value";
	switch (key->kind) {
	case KEY_TEXT:
		*(const char **)field = none ? NULL : arena_text(arena, text);
		return NULL;
	case KEY_PATH:
		if (!none)
			return parse_path(arena, text, field);
		*(const char **)field = NULL;
		return NULL;
	case KEY_WORDS:
		return parse_words(arena, text, false, false, field);
	case KEY_NAMES:
		return parse_words(arena, text, true, false, field);
	case KEY_ASSIGNMENTS:
		return parse_words(arena, text, true, true, field);
	case KEY_LISTEN:
		return address_parse(arena, text, field, &wrong) == -1 ? wrong : NULL;
	case KEY_BOOL:
		return parse_bool(arena, text, field);
	case KEY_CHOICE:
		return parse_choice(key, arena, text, field);
	case KEY_COUNT:
		return parse_count(key, arena, text, field);
	case KEY_INTEGER:
	case KEY_SIZE:
		return parse_integer(key, arena, text, field);
	case KEY_DURATION:
		if (!none)
			return parse_ranged(key, arena, text, durations,
			    "a duration (250ms, 30s, 5m, 2h, 1d)", field);
		*(int64_t *)field = 0;
		return NULL;
	case KEY_MODE:
		return parse_mode(arena, text, (mode_t)key->most, field);
	case KEY_LIMIT:
		return parse_limit(arena, text, field);
	}
	return "of a kind that is not known";
}

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
	return value == RLIM_INFINITY ? "unlimited" : number_text(arena, (int64_t)value, plain);
}

const char *
conf_key_text(const struct conf_key *key, struct arena *arena, const void *object)
{
	const void *field = (const char *)object + key->at;
	const struct limit *limit;
	char *const *words;

	switch (key->kind) {
	case KEY_TEXT:
	case KEY_PATH:
		return *(const char *const *)field;
	case KEY_WORDS:
	case KEY_NAMES:
	case KEY_ASSIGNMENTS:
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
		return number_text(arena, *(const uint32_t *)field, plain);
	case KEY_INTEGER:
	case KEY_SIZE:
		return number_text(arena, *(const int *)field, key->kind == KEY_SIZE ? sizes : plain);
	case KEY_DURATION:
		if (*(const int64_t *)field == 0 && key->initial == NULL)
			return NULL;
		return number_text(arena, *(const int64_t *)field, durations);
	case KEY_MODE:
		return arena_print(arena, "0%o", *(const mode_t *)field);
	case KEY_LIMIT:
		limit = *(const struct limit *const *)field;
		return limit == NULL ? NULL : arena_print(arena, "%s:%s",
		    rlim_text(arena, limit->soft), rlim_text(arena, limit->hard));
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
		return words_equal(*(char *const *const *)a, *(char *const *const *)b);
	case KEY_LISTEN:
		return addresses_equal(a, b);
	case KEY_BOOL:
		return *(const bool *)a == *(const bool *)b;
	case KEY_CHOICE:
		return *(const uint8_t *)a == *(const uint8_t *)b;
	case KEY_COUNT:
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
	}
	return false;
}
