/*
 * conf_values.c - from the text of a value to a typed field, one function for
 * each kind of key; conf_texts.c is the way back.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_keys.h"
#include "units.h"
#include "words.h"

static const char *
parse_ranged(const struct conf_key *key, struct arena *arena, const char *text,
    const struct unit *units, const char *form, int64_t *number)
{
	if (!units_parse(text, strlen(text), units, number))
		return arena_print(arena, "'%s' is not %s", text, form);
	if (*number < key->least || *number > key->most)
		return arena_print(arena, "%s is out of range: %s to %s", text,
		    units_text(arena, key->least, units), units_text(arena, key->most, units));
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
	if (!units_parse(text, len, sizes, &number) || number < 0 || number == INT64_MAX)
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
	if (key->most == UNLIMITED && units_parse(text, strlen(text), plain, &number)) {
		if (number < key->least)
			return arena_print(arena, "%s is out of range: %s and more, or 'unlimited'",
			    text, units_text(arena, key->least, plain));
		if (number > UNLIMITED)
			return arena_print(arena, "%s is out of range: so many are 'unlimited'",
			    text);
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

/* Items have no quotes: an address, a block, a file's name without blanks. */
static const char *
parse_list(struct arena *arena, const char *text, char ***field)
{
	const char *wrong;
	char **words = words_split(arena, text, &wrong);

	if (words == NULL)
		return wrong;
	*field = words;
	return NULL;
}

static const char *
parse_load(struct arena *arena, const char *text, uint32_t *field)
{
	char *end;
	double load;

	*field = 0;
	if (strcmp(text, "unlimited") == 0)
		return NULL;
	load = strtod(text, &end);
	if (!isdigit((unsigned char)*text) || *end != '\0' || !(load >= 0.01 && load <= 100000))
		return arena_print(arena, "'%s' is not a load such as 2.5, or 'unlimited'", text);
	*field = (uint32_t)(load * 100 + 0.5);
	return NULL;
}

static const char *
parse_prefix(struct arena *arena, const char *text, struct source_prefix *field)
{
	int four, six, end = 0;

	if (sscanf(text, "%d %d%n", &four, &six, &end) != 2 || text[end] != '\0' ||
	    four < 1 || four > 32 || six < 1 || six > 128)
		return arena_print(arena, "'%s' is not two numbers of bits, "
		    "1 to 32 of IPv4 and 1 to 128 of IPv6", text);
	*field = (struct source_prefix){ (uint8_t)four, (uint8_t)six };
	return NULL;
}

/* Where the default is "none", a service can say so against [defaults]. */
static bool
set_none(const struct conf_key *key, void *field)
{
	enum key_kind kind = key->kind;

	if (kind == KEY_TEXT || kind == KEY_PATH)
		*(const char **)field = NULL;
	else if (kind == KEY_LIMIT)
		*(const struct limit **)field = NULL;
	else if (kind == KEY_DURATION)
		*(int64_t *)field = key->least == 0 ? IDLE_NONE : 0;	/* where 0 is a value itself */
	else
		return false;
	return true;
}

const char *
conf_key_parse(const struct conf_key *key, struct arena *arena, const char *text, void *object)
{
	void *field = (char *)object + key->at;
	const char *wrong = NULL;

	if (key->initial == NULL && strcmp(text, "none") == 0 && set_none(key, field))
		return NULL;
	if (*text == '\0' && key->kind != KEY_NAMES && key->kind != KEY_ASSIGNMENTS &&
	    key->kind != KEY_LIST)
		return "has no value";
	switch (key->kind) {
	case KEY_TEXT:
		*(const char **)field = arena_text(arena, text);
		return NULL;
	case KEY_PATH:
		return parse_path(arena, text, field);
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
		return parse_ranged(key, arena, text, durations,
		    "a duration (250ms, 30s, 5m, 2h, 1d)", field);
	case KEY_MODE:
		return parse_mode(arena, text, (mode_t)key->most, field);
	case KEY_LIMIT:
		return parse_limit(arena, text, field);
	case KEY_LIST:
		return parse_list(arena, text, field);
	case KEY_HOURS:
		return hours_parse(arena, text, field);
	case KEY_RATE:
		return rate_parse(arena, text, field);
	case KEY_LOAD:
		return parse_load(arena, text, field);
	case KEY_PREFIX:
		return parse_prefix(arena, text, field);
	}
	return "of a kind that is not known";
}
