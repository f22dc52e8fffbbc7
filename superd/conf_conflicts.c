/* conf_conflicts.c - addresses that exclude each other, told before bind(2) would. */
#include <stdlib.h>
#include <string.h>

#include "conf_draft.h"

/* An address, and whose. */
struct claim {
	const struct address	*address;
	struct section		*section;
};

static int
compare_claims(const void *a, const void *b)
{
	const struct claim *one = a, *other = b;

	return address_compare(one->address, other->address);
}

static bool
claims_conflict(const struct claim *a, const struct claim *b)
{
	const char *one = a->section->service->device, *other = b->section->service->device;

	if (a->address->kind != ADDRESS_UNIX && one != NULL && other != NULL && strcmp(one, other) != 0)
		return false;
	return address_conflicts(a->address, b->address);
}

static void
tell_conflict(struct draft *draft, const struct claim *claim, const struct claim *earlier)
{
	char text[ADDRESS_TEXT], other[ADDRESS_TEXT];
	struct place there = draft_origin(draft, earlier->section, "listen").at;

	address_text(claim->address, text);
	address_text(earlier->address, other);
	if (address_equal(claim->address, earlier->address))
		draft_mistake(draft, claim->section, "listen", "%s is taken by service '%s' (%s:%u)",
		    text, earlier->section->name, there.file, there.line);
	else
		draft_mistake(draft, claim->section, "listen",
		    "%s cannot be had beside %s of service '%s' (%s:%u)", text, other,
		    earlier->section->name, there.file, there.line);
}

/* Sorted, conflicts stand near: with a wildcard of the port, which come first, or with an equal. */
static void
check_conflicts(struct draft *draft, struct claim *claims, size_t count)
{
	size_t group = 0;

	qsort(claims, count, sizeof *claims, compare_claims);
	for (size_t i = 0; i < count; i++) {
		const struct claim *claim = &claims[i], *with = NULL;

		if (i > 0 && (claim->address->kind != claims[i - 1].address->kind ||
		    claim->address->port != claims[i - 1].address->port))
			group = i;
		for (size_t j = group; with == NULL && j < i && address_is_wildcard(claims[j].address); j++)
			if (claims_conflict(claim, &claims[j]))
				with = &claims[j];
		for (size_t j = i; with == NULL && j > group &&
		    address_equal(claims[j - 1].address, claim->address); j--)
			if (claims_conflict(claim, &claims[j - 1]))
				with = &claims[j - 1];
		if (with != NULL && claim->section->at.order == with->section->at.order &&
		    draft_origin(draft, claim->section, "listen").at.line <
		    draft_origin(draft, with->section, "listen").at.line)
			tell_conflict(draft, with, claim);	/* the later line is the mistake */
		else if (with != NULL)
			tell_conflict(draft, claim, with);
	}
}

void
conf_check_addresses(struct draft *draft)
{
	struct claim *claims;
	size_t count = 0;
	struct section *section;

	for (section = draft->first; section != NULL; section = section->next)
		if (section->service != NULL && section->service->enabled)
			count += section->service->listen.count;
	if ((claims = arena_take(&draft->arena, (count + 1) * sizeof *claims)) == NULL)
		return;
	count = 0;
	for (section = draft->first; section != NULL; section = section->next)
		for (unsigned i = 0; section->service != NULL && section->service->enabled &&
		    i < section->service->listen.count; i++)
			if (section->service->listen.item[i].kind == ADDRESS_UNIX ||
			    section->service->listen.item[i].port != 0)
				claims[count++] = (struct claim){ &section->service->listen.item[i], section };
	check_conflicts(draft, claims, count);
}
