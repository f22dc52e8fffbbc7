/* units.c - see units.h. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "units.h"

/* The largest first: units_text takes the first that divides. */
const struct unit durations[] = {
	{ "d", 24 * 60 * 60 * 1000 }, { "h", 60 * 60 * 1000 }, { "m", 60 * 1000 }, { "s", 1000 },
	{ "ms", 1 }, { NULL, 1000 }
};
const struct unit sizes[] = {
	{ "G", 1 << 30 }, { "M", 1 << 20 }, { "k", 1 << 10 }, { "g", 1 << 30 }, { "m", 1 << 20 },
	{ "K", 1 << 10 }, { NULL, 1 }
};
const struct unit plain[] = { { NULL, 1 } };

bool
units_parse(const char *text, size_t len, const struct unit *units, int64_t *number)
{
	const struct unit *unit = units;
	bool minus = len > 0 && *text == '-';
	size_t at = minus, digits;
	int64_t value = 0;

	for (digits = at; at < len && isdigit((unsigned char)text[at]); at++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, text[at] - '0', &value))
			value = INT64_MAX;
	if (at == digits)
		return false;
	while (unit->name != NULL && (strlen(unit->name) != len - at ||
	    memcmp(unit->name, text + at, len - at) != 0))
		unit++;
	if (unit->name == NULL && at != len)
		return false;
	if (__builtin_mul_overflow(value, unit->factor, &value))
		value = INT64_MAX;
	*number = minus ? -value : value;
	return true;
}

const char *
units_text(struct arena *arena, int64_t number, const struct unit *units)
{
	while (units->name != NULL && (number == 0 || number % units->factor != 0))
		units++;
	if (units->name == NULL)
		return arena_print(arena, "%" PRId64, number / units->factor);
	return arena_print(arena, "%" PRId64 "%s", number / units->factor, units->name);
}
