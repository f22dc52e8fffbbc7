/* values.c: what the entries hold, and the simplest kinds of values. */
#include "xinetd2superd.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const char *const attribute_names[ATTRIBUTES] = {
#define X(id, name, values, traits) [id] = (name),
	ATTRIBUTES_OF(X)
#undef X
};

static const int attribute_traits[ATTRIBUTES] = {
#define X(id, name, values, traits) [id] = (traits),
	ATTRIBUTES_OF(X)
#undef X
};

/* The array doubles whenever count reaches a power of two. */
void
add_value(struct values *values, const char *word)
{
	unsigned count = values->count;

	if ((count & (count - 1)) == 0) {
		const char **more = take((count == 0 ? 1 : count * 2) * sizeof *more);

		if (count > 0)
			memcpy(more, values->item, count * sizeof *more);
		values->item = more;
	}
	values->item[values->count++] = word;
}

void
add_note(struct entry *entry, const char *attribute, struct place at, bool fatal,
    const char *format, ...)
{
	struct note *note = take(sizeof *note);
	char what[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	*note = (struct note){ attribute, text("%s", what), at, fatal, NULL };
	if (entry->last_note == NULL)
		entry->last_note = &entry->notes;
	*entry->last_note = note;
	entry->last_note = &note->next;
}

bool
has_word(const struct values *values, const char *word)
{
	for (unsigned i = 0; values != NULL && i < values->count; i++)
		if (strcasecmp(values->item[i], word) == 0)
			return true;
	return false;
}

bool
own(const struct section *section, enum attribute id)
{
	return section->entry->attribute[id].given;
}

const struct values *
held(const struct section *section, enum attribute id)
{
	const struct values *values = &section->entry->attribute[id];

	if (values->given || values->copied)
		return values;
	values = &section->defaults->attribute[id];
	return (attribute_traits[id] & LATE) != 0 && values->given ? values : NULL;
}

const char *
one(const struct section *section, enum attribute id)
{
	const struct values *values = held(section, id);

	return values != NULL && values->count > 0 ? values->item[0] : NULL;
}

bool
parse_count(const char *digits, unsigned long most, unsigned long *number)
{
	size_t length = strspn(digits, "0123456789");

	if (length == 0 || length > 18 || digits[length] != '\0')
		return false;
	*number = strtoul(digits, NULL, 10);
	return *number <= most;
}

bool
parse_yes_no(struct section *section, enum attribute id, bool otherwise)
{
	const char *word = one(section, id);

	if (word == NULL || strcasecmp(word, "yes") == 0 || strcasecmp(word, "no") == 0)
		return word == NULL ? otherwise : strcasecmp(word, "yes") == 0;
	turn_off(section, id, "'%s' is neither yes nor no", word);
	return otherwise;
}
