/*
 * acl.c - see acl.h.  Blocks nest or are disjoint, so that one walk over them
 * in order, with a stack of those that are open, tells at which addresses the
 * answer turns from yes to no and back.  Only these edges are kept: the answer
 * for an address is whether the number of edges up to it is odd.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "acl.h"
#include "address.h"

#define IPV4_BITS	96		/* of a mapped address, before those of IPv4 */
#define FIRST_ROOM	8		/* entries */
#define ITEM_BYTES	64		/* more than any address with its prefix */

/* An address as a number. */
struct acl_key {
	uint64_t	high, low;
};

/* In the order in which the stronger of two equal blocks comes first. */
enum entry_verdict { ENTRY_DENY, ENTRY_ALLOW, ENTRY_OTHERWISE };

struct acl_entry {
	struct acl_key	first;		/* address of the block */
	uint8_t		bits;		/* of its prefix, of 128 */
	uint8_t		verdict;	/* enum entry_verdict */
};

struct acl {
	const struct acl_key	*edges;
	size_t			 count;
	bool			 before;	/* what addresses before the first edge get */
};

/* What acl_build walks with. */
struct sweep {
	struct acl_key	*edges;		/* NULL: they are only counted */
	size_t		 count;
	struct acl_key	 last;		/* the newest edge, where fresh */
	bool		 fresh;
	bool		 before;	/* what addresses before the first edge get ... */
	bool		 admits;	/* ... and from the newest one on */
};

static const struct acl everyone = { .before = true }, no_one = { .before = false };

/* All of IPv4. */
static const struct acl_entry ipv4 =
    { { 0, UINT64_C(0xffff00000000) }, IPV4_BITS, ENTRY_OTHERWISE };

static struct acl_key
key_of(const struct in6_addr *ip)
{
	uint64_t half[2];

	memcpy(half, ip, sizeof half);
	return (struct acl_key){ be64toh(half[0]), be64toh(half[1]) };
}

static bool
key_less(struct acl_key a, struct acl_key b)
{
	return (a.high < b.high) | ((a.high == b.high) & (a.low < b.low));
}

static bool
key_equal(struct acl_key a, struct acl_key b)
{
	return a.high == b.high && a.low == b.low;
}

/* The bits behind a prefix. */
static struct acl_key
key_rest(unsigned bits)
{
	return (struct acl_key){
		.high = bits >= 64 ? 0 : UINT64_MAX >> bits,
		.low = bits == 128 ? 0 : bits <= 64 ? UINT64_MAX : UINT64_MAX >> (bits - 64),
	};
}

static void
key_text(struct acl_key key, char text[ADDRESS_TEXT])
{
	const uint64_t half[2] = { htobe64(key.high), htobe64(key.low) };
	struct in6_addr ip;

	memcpy(&ip, half, sizeof ip);
	address_ip_text(&ip, 0, text);
}

static bool
parse_ip(const char *text, struct in6_addr *ip)
{
	*ip = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
	return inet_pton(AF_INET, text, &ip->s6_addr[12]) == 1 || inet_pton(AF_INET6, text, ip) == 1;
}

/* One to three digits and nothing else; the value, or -1. */
static int
parse_bits(const char *text)
{
	size_t len = strspn(text, "0123456789");

	return len >= 1 && len <= 3 && text[len] == '\0' ? atoi(text) : -1;
}

/* What is wrong with a text that does not even begin with an address. */
static const char *
not_an_address(struct arena *arena, const char *text)
{
	if (*text == '+')
		return arena_print(arena, "'%.100s': a '+' stands by itself before all other items, "
		    "and adds them to the list of [defaults]", text);
	if (*text == '@')
		return arena_print(arena, "'%.100s': '@' has no meaning here", text);
	if (strchr(text, ',') != NULL)
		return arena_print(arena, "'%.100s': items are separated by blanks, not by commas", text);
	if (strchr(text, '%') != NULL)
		return arena_print(arena, "'%.100s': an address of a list has no interface; "
		    "leave out what follows '%%'", text);
	return arena_print(arena, "'%.100s' is not an address, a block such as 192.0.2.0/24 or "
	    "2001:db8::/32, or 'all' (host names are not looked up)", text);
}

/* The block must begin where its prefix says, or a slip of the pen would open more than was meant. */
static const char *
check_rest(struct arena *arena, const char *text, const char *prefix, const struct acl_entry *entry)
{
	const struct acl_key rest = key_rest(entry->bits), first = entry->first;
	char block[ADDRESS_TEXT], host[ADDRESS_TEXT];

	if ((first.high & rest.high) == 0 && (first.low & rest.low) == 0)
		return NULL;
	key_text((struct acl_key){ first.high & ~rest.high, first.low & ~rest.low }, block);
	key_text(first, host);
	return arena_print(arena, "'%s' has bits set beyond its prefix: write %s/%s, or %s for "
	    "that one address", text, block, prefix, host);
}

static const char *
parse_block(struct arena *arena, const char *text, struct acl_entry *entry)
{
	const char *slash = strchr(text, '/');
	size_t len = strcspn(text, "/");
	char address[INET6_ADDRSTRLEN];
	struct in6_addr ip;
	int most, least, bits;

	if (len >= sizeof address || strlen(text) >= ITEM_BYTES)
		return not_an_address(arena, text);
	memcpy(address, text, len);
	address[len] = '\0';
	if (!parse_ip(address, &ip))
		return not_an_address(arena, text);
	entry->first = key_of(&ip);
	entry->bits = 128;
	if (slash == NULL) {
		if (!key_equal(entry->first, ipv4.first) && (entry->first.high | entry->first.low) != 0)
			return NULL;
		return arena_print(arena, "'%s' is the address of no host: write %s/0, or 'all'", text, text);
	}
	most = strchr(address, ':') == NULL ? 32 : 128;
	least = most == 128 && address_is_mapped(&ip) ? IPV4_BITS : 0;
	bits = parse_bits(slash + 1);
	if (bits < least || bits > most)
		return arena_print(arena, "'%s': what follows '/' is the number of bits of the prefix, "
		    "%d to %d for this address", text, least, most);
	entry->bits = (uint8_t)(bits + 128 - most);
	return check_rest(arena, text, slash + 1, entry);
}

/* The builder's entries, grown where they are full. */
static bool
has_room(struct acl_builder *builder, struct arena *arena)
{
	size_t room = builder->room == 0 ? FIRST_ROOM : builder->room * 2;
	struct acl_entry *entries;

	if (builder->count < builder->room)
		return true;
	if ((entries = arena_take(arena, room * sizeof *entries)) == NULL)
		return false;
	if (builder->count > 0)
		memcpy(entries, builder->entries, builder->count * sizeof *entries);
	builder->entries = entries;
	builder->room = room;
	return true;
}

static const char *
add_entry(struct acl_builder *builder, struct arena *arena, const struct acl_entry *entry)
{
	if (!has_room(builder, arena))
		return "out of memory";
	/* Where IPv4 begins no block of IPv6 goes on. */
	if (builder->count == 0)
		builder->entries[builder->count++] = ipv4;
	builder->entries[builder->count++] = *entry;
	return NULL;
}

/* An address that ends in zeros as that of a network does, but has no prefix. */
static const char *
doubt_of(struct arena *arena, const char *text, const struct acl_entry *entry)
{
	const bool four = entry->first.high == 0 && entry->first.low >> 32 == 0xffff;
	const uint64_t host = entry->first.low & (four ? 0xff : UINT64_MAX);
	unsigned bits = 128, least = four ? IPV4_BITS : 0;

	if (strchr(text, '/') != NULL || host != 0)
		return NULL;
	while (bits > 64 && (entry->first.low >> (128 - bits) & 0xff) == 0)
		bits -= 8;
	while (bits <= 64 && bits > 8 && (entry->first.high >> (64 - bits) & 0xff) == 0)
		bits -= 8;
	return arena_print(arena, "'%s' is that one address: write %s/%u for the network, or %s/%u",
	    text, text, bits - least, text, 128 - least);
}

static const char *
add_block(struct acl_builder *builder, struct arena *arena, const char *text, bool allow)
{
	struct acl_entry entry = { .verdict = allow ? ENTRY_ALLOW : ENTRY_DENY };
	const char *wrong = parse_block(arena, text, &entry);

	if (wrong != NULL)
		return wrong;
	builder->doubt = doubt_of(arena, text, &entry);
	return add_entry(builder, arena, &entry);
}

const char *
acl_add(struct acl_builder *builder, struct arena *arena, const char *text, bool allow)
{
	const char *wrong = NULL;

	builder->doubt = NULL;
	if (strcmp(text, "all") == 0)
		*(allow ? &builder->allow_all : &builder->deny_all) = true;
	else if (strcmp(text, "localhost") != 0)
		wrong = add_block(builder, arena, text, allow);
	else if ((wrong = add_block(builder, arena, "127.0.0.1", allow)) == NULL)
		wrong = add_block(builder, arena, "::1", allow);
	if (wrong == NULL && allow)
		builder->allow_given = true;
	return wrong;
}

/* How many of the first len bytes are, or (not) are none, of the set. */
static size_t
span(const char *line, size_t len, const char *set, bool in)
{
	size_t n = 0;

	while (n < len && (strchr(set, line[n]) != NULL) == in)
		n++;
	return n;
}

const char *
acl_add_line(struct acl_builder *builder, struct arena *arena, const char *line, size_t len, bool allow)
{
	static const char blanks[] = " \t\r\n\v\f";
	const char *item;
	size_t begin, end, next;

	if (memchr(line, '\0', len) != NULL)
		return "a NUL byte: this is not a text file";
	len = span(line, len, "#;", false);
	while (len > 0 && memchr(blanks, line[len - 1], sizeof blanks - 1) != NULL)
		len--;
	begin = span(line, len, blanks, true);
	if (begin == len)
		return NULL;
	end = begin + span(line + begin, len - begin, blanks, false);
	if ((item = arena_text_of(arena, line + begin, end - begin)) == NULL)
		return "out of memory";
	next = end + span(line + end, len - end, blanks, true);
	if (next < len)
		return arena_print(arena, "'%.100s' is followed by '%.*s': a line holds one entry",
		    item, (int)(len - next < 100 ? len - next : 100), line + next);
	return acl_add(builder, arena, item, allow);
}

const char *
acl_add_list(struct acl_builder *builder, struct arena *arena, const struct acl_builder *from, bool allow)
{
	const uint8_t verdict = allow ? ENTRY_ALLOW : ENTRY_DENY;
	const char *wrong = NULL;

	for (size_t i = 0; i < from->count && wrong == NULL; i++)
		if (from->entries[i].verdict == verdict)
			wrong = add_entry(builder, arena, &from->entries[i]);
	if (allow) {
		builder->allow_given |= from->allow_given;
		builder->allow_all |= from->allow_all;
	} else {
		builder->deny_all |= from->deny_all;
	}
	return wrong;
}

/* By place, the wider before what lies in it, the stronger of equal blocks first. */
static int
entry_compare(const void *one, const void *other)
{
	const struct acl_entry *a = one, *b = other;

	if (!key_equal(a->first, b->first))
		return key_less(a->first, b->first) ? -1 : 1;
	if (a->bits != b->bits)
		return a->bits - b->bits;
	return a->verdict - b->verdict;
}

/* From this address on the answer is so; a later word on the same address takes the earlier back. */
static void
sweep_turn(struct sweep *sweep, struct acl_key at, bool admits)
{
	if ((at.high | at.low) == 0)		/* nothing is before it */
		sweep->before = sweep->admits = admits;
	if (admits == sweep->admits)
		return;
	sweep->admits = admits;
	if (sweep->fresh && key_equal(sweep->last, at)) {
		sweep->count--;
		sweep->fresh = false;
		return;
	}
	if (sweep->edges != NULL)
		sweep->edges[sweep->count] = at;
	sweep->count++;
	sweep->last = at;
	sweep->fresh = true;
}

/* Behind the end of a block it is as around it; nothing is behind the last address. */
static void
sweep_close(struct sweep *sweep, struct acl_key last, bool admits)
{
	last.low++;
	last.high += last.low == 0;
	if ((last.high | last.low) != 0)
		sweep_turn(sweep, last, admits);
}

static struct sweep
sweep_entries(const struct acl_builder *builder, bool otherwise, struct acl_key *edges)
{
	struct sweep sweep = { .edges = edges, .before = otherwise, .admits = otherwise };
	struct acl_key last[130];		/* of the blocks around the current address ... */
	bool admits[130] = { otherwise };	/* ... from 1 on, and what they say */
	unsigned depth = 0;

	for (size_t i = 0; i < builder->count; i++) {
		const struct acl_entry *entry = &builder->entries[i];
		const struct acl_key rest = key_rest(entry->bits);

		if (i > 0 && entry->bits == entry[-1].bits && key_equal(entry->first, entry[-1].first))
			continue;
		for (; depth > 0 && key_less(last[depth], entry->first); depth--)
			sweep_close(&sweep, last[depth], admits[depth - 1]);
		depth++;
		last[depth] = (struct acl_key){ entry->first.high | rest.high, entry->first.low | rest.low };
		admits[depth] = entry->verdict == ENTRY_OTHERWISE ? otherwise :
		    entry->verdict == ENTRY_ALLOW;
		sweep_turn(&sweep, entry->first, admits[depth]);
	}
	for (; depth > 0; depth--)
		sweep_close(&sweep, last[depth], admits[depth - 1]);
	return sweep;
}

const struct acl *
acl_build(struct acl_builder *builder, struct arena *arena)
{
	bool otherwise = !builder->deny_all && (builder->allow_all || !builder->allow_given);
	struct sweep sweep;
	struct acl_key *edges;
	struct acl *acl;

	if (builder->count > 0)
		qsort(builder->entries, builder->count, sizeof *builder->entries, entry_compare);
	sweep = sweep_entries(builder, otherwise, NULL);
	if (sweep.count == 0)
		return sweep.before ? &everyone : &no_one;
	acl = arena_take(arena, sizeof *acl);
	edges = arena_take(arena, sweep.count * sizeof *edges);
	if (acl == NULL || edges == NULL)
		return NULL;
	sweep_entries(builder, otherwise, edges);
	*acl = (struct acl){ .edges = edges, .count = sweep.count, .before = sweep.before };
	return acl;
}

bool
acl_admits(const struct acl *acl, const struct in6_addr *ip)
{
	const struct acl_key key = key_of(ip);
	const struct acl_key *edge = acl->edges;
	size_t left = acl->count;

	while (left > 0) {
		size_t half = left / 2;
		bool behind = !key_less(key, edge[half]);

		edge += behind ? half + 1 : 0;
		left = behind ? left - half - 1 : half;
	}
	return acl->before ^ ((edge - acl->edges) % 2 != 0);
}

bool
acl_equal(const struct acl *a, const struct acl *b)
{
	return a->before == b->before && a->count == b->count &&
	    (a->count == 0 || memcmp(a->edges, b->edges, a->count * sizeof *a->edges) == 0);
}
