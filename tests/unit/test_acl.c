/* Address lists: who is admitted. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acl.h"
#include "unit.h"

static struct in6_addr
ip_of(const char *text)
{
	struct in6_addr ip = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	if (inet_pton(AF_INET, text, &ip.s6_addr[12]) != 1)
		ck_assert_msg(inet_pton(AF_INET6, text, &ip) == 1, "%s", text);
	return ip;
}

/* Adds the words of a list; "-" is an empty list, NULL none. */
static void
add_words(struct acl_builder *builder, struct arena *arena, const char *list, bool allow)
{
	char *copy, *rest, *word;

	if (list == NULL)
		return;
	if (strcmp(list, "-") == 0) {
		builder->allow_given |= allow;
		return;
	}
	ck_assert_ptr_nonnull(copy = rest = strdup(list));
	while ((word = strtok_r(rest, " ", &rest)) != NULL)
		ck_assert_pstr_eq(acl_add(builder, arena, word, allow), NULL);
	free(copy);
}

static const struct acl *
acl_of(struct arena *arena, const char *allow, const char *deny)
{
	struct acl_builder builder = { .count = 0 };
	const struct acl *acl;

	add_words(&builder, arena, deny, false);
	add_words(&builder, arena, allow, true);
	ck_assert_ptr_nonnull(acl = acl_build(&builder, arena));
	return acl;
}

static const struct {
	const char	*allow, *deny;
	const char	*in, *out;		/* addresses admitted, and not */
} rows[] = {
	{ NULL, NULL, "0.0.0.0 192.0.2.1 255.255.255.255 :: ::1 fe80::1 ffff::", "" },
	{ "-", NULL, "", "0.0.0.0 192.0.2.1 255.255.255.255 :: ::1 fe80::1 ffff::" },
	{ NULL, "-", "192.0.2.1 ::1", "" },
	{ "all", NULL, "192.0.2.1 ::1 0.0.0.0 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "" },
	{ NULL, "all", "", "192.0.2.1 ::1 0.0.0.0 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	{ "all", "all", "", "192.0.2.1 ::1" },			/* a tie is denied */
	{ "-", "all", "", "192.0.2.1 ::1" },
	{ "192.0.2.7", NULL, "192.0.2.7 ::ffff:192.0.2.7",
	    "192.0.2.6 192.0.2.8 ::1 ::192.0.2.7 64:ff9b::192.0.2.7 0.0.0.0 255.255.255.255" },
	{ NULL, "192.0.2.7", "192.0.2.6 192.0.2.8 ::1 ::192.0.2.7", "192.0.2.7 ::ffff:192.0.2.7" },
	{ "192.0.2.7/32", NULL, "192.0.2.7", "192.0.2.6 192.0.2.8" },
	{ "10.0.0.0/8 192.168.0.0/16", NULL, "10.0.0.0 10.255.255.255 192.168.0.0 192.168.255.255",
	    "9.255.255.255 11.0.0.0 192.167.255.255 192.169.0.0 ::a00:0 ::1" },
	/* the most specific one decides, whichever list it stands in */
	{ "10.0.0.0/8", "10.1.0.0/16", "10.0.255.255 10.2.0.0", "10.1.0.0 10.1.255.255 11.0.0.0" },
	{ "10.1.0.0/16", "10.0.0.0/8", "10.1.0.0 10.1.255.255", "10.0.255.255 10.2.0.0 11.0.0.0" },
	{ "10.0.0.0/8 10.1.2.0/24", "10.1.0.0/16 10.1.2.128/25 10.1.2.200", "10.0.0.0 10.1.2.0 10.1.2.127",
	    "10.1.1.255 10.1.2.128 10.1.2.200 10.1.2.255 10.1.3.0" },
	{ "10.1.2.200 10.1.2.202", "10.1.2.0/24", "10.1.2.200 10.1.2.202", "10.1.2.201 10.1.2.0 10.2.0.0" },
	{ "10.0.0.0/8", "10.0.0.0/8", "", "10.0.0.0 10.1.1.1 10.255.255.255" },
	{ "127.0.0.1", "127.0.0.1", "", "127.0.0.1 ::1" },
	{ "10.0.0.0/8", "10.0.0.0/9 10.128.0.0/9 10.4.0.0/16", "", "10.0.0.1 10.4.0.1 10.200.0.1" },
	{ "all", "10.0.0.0/8", "9.0.0.1 11.0.0.1 ::1", "10.0.0.0 10.255.255.255" },
	{ "10.0.0.0/8", "all", "10.0.0.0 10.255.255.255", "9.0.0.1 11.0.0.1 ::1" },
	{ NULL, "10.0.0.0/8 2001:db8::/32", "9.0.0.1 2001:db7:ffff:: 2001:db9:: ::1",
	    "10.3.0.0 2001:db8:: 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff" },
	/* the widest and the narrowest */
	{ "0.0.0.0/0", NULL, "0.0.0.0 255.255.255.255 ::ffff:1.2.3.4", ":: ::1 ::fffe:ffff:ffff ::1:0:0:0" },
	{ "::/0", NULL, ":: ::1 ::fffe:ffff:ffff ::1:0:0:0 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	    "0.0.0.0 192.0.2.1 255.255.255.255" },
	{ NULL, "::/0", "0.0.0.0 192.0.2.1 255.255.255.255", ":: ::1 fe80::1 ::1:0:0:0" },
	{ NULL, "0.0.0.0/0", ":: ::1 fe80::1 ::fffe:ffff:ffff ::1:0:0:0", "0.0.0.0 192.0.2.1 255.255.255.255" },
	{ NULL, "::/80", "192.0.2.1 ::1:0:0:0", ":: ::1 ::fffe:ffff:ffff" },
	{ "0.0.0.0/0", "all", "192.0.2.1", "::1" },
	{ "all", "::/0", "192.0.2.1", "::1" },
	{ "::/0 0.0.0.0/0", NULL, "192.0.2.1 ::1 ffff:: ::", "" },
	{ "::/0", "192.0.2.0/24", "::1", "192.0.2.1 192.0.3.1" },
	{ "::1/128", NULL, "::1", ":: ::2 127.0.0.1" },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 255.255.255.255", NULL,
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 255.255.255.255",
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe 255.255.255.254 ::1:0:0:0 ::" },
	{ "0.0.0.0/32 ::/128", NULL, "0.0.0.0 ::", "0.0.0.1 ::1" },
	{ NULL, "8000::/1", "7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 192.0.2.1", "8000:: ffff::" },
	{ "fe80::/10", NULL, "fe80::1 febf:ffff::", "fe7f:ffff:: fec0::" },
	{ "2001:db8:0:1::/64", "2001:db8:0:1:8000::/65", "2001:db8:0:1:7fff:ffff:ffff:ffff",
	    "2001:db8:0:1:8000:: 2001:db8:0:0:ffff:ffff:ffff:ffff 2001:db8:0:2::" },
	/* IPv4 in the notation of IPv6 is IPv4 */
	{ "::ffff:192.0.2.7", NULL, "192.0.2.7", "192.0.2.6 ::1" },
	{ "::ffff:10.0.0.0/104", NULL, "10.0.0.0 10.255.255.255", "11.0.0.0 9.255.255.255" },
	{ "::ffff:0:0/96", NULL, "0.0.0.0 255.255.255.255", "::1 ::1:0:0:0" },
	{ "10.0.0.0/8", "::ffff:10.0.0.0/104", "", "10.0.0.1" },
	/* neighbours, repetitions and names */
	{ "10.0.0.0/9 10.128.0.0/9 11.0.0.0/8 10.0.0.0/8 10.0.0.0/9", NULL, "10.0.0.0 11.255.255.255",
	    "9.255.255.255 12.0.0.0" },
	{ "localhost", NULL, "127.0.0.1 ::1", "127.0.0.2 ::2" },
	{ NULL, "localhost", "127.0.0.2 ::2", "127.0.0.1 ::1" },
	{ "2001:DB8::/32", NULL, "2001:db8::1", "2001:db9::" },
};

static void
expect_all(const struct acl *acl, const char *addresses, bool admitted)
{
	char *copy, *rest, *word;

	ck_assert_ptr_nonnull(copy = rest = strdup(addresses));
	while ((word = strtok_r(rest, " ", &rest)) != NULL) {
		const struct in6_addr ip = ip_of(word);

		ck_assert_msg(acl_admits(acl, &ip) == admitted, "%s", word);
	}
	free(copy);
}

START_TEST(the_most_specific_match_decides)
{
	struct arena arena = { .used = 0 };
	const struct acl *acl = acl_of(&arena, rows[_i].allow, rows[_i].deny);

	expect_all(acl, rows[_i].in, true);
	expect_all(acl, rows[_i].out, false);
	ck_assert(acl_equal(acl, acl_of(&arena, rows[_i].allow, rows[_i].deny)));
	arena_free(&arena);
}
END_TEST

START_TEST(who_has_no_list_costs_nothing)
{
	struct arena arena = { .used = 0 };

	ck_assert_ptr_eq(acl_of(&arena, NULL, NULL), acl_of(&arena, NULL, "-"));
	ck_assert_ptr_eq(acl_of(&arena, NULL, NULL), acl_of(&arena, "all", NULL));
	ck_assert_ptr_eq(acl_of(&arena, "-", NULL), acl_of(&arena, NULL, "all"));
	ck_assert_ptr_null(arena.blocks);
	ck_assert_ptr_eq(acl_of(&arena, NULL, NULL), acl_of(&arena, "0.0.0.0/0 ::/0", NULL));
	ck_assert_ptr_eq(acl_of(&arena, "-", NULL), acl_of(&arena, NULL, "::/0 0.0.0.0/0"));
	arena_free(&arena);
}
END_TEST

START_TEST(equal_is_who_admits_the_same)
{
	struct arena arena = { .used = 0 };
	const struct acl *ten = acl_of(&arena, "10.0.0.0/8", NULL);

	ck_assert(acl_equal(ten, acl_of(&arena, "10.128.0.0/9 10.0.0.0/9", NULL)));
	ck_assert(acl_equal(ten, acl_of(&arena, "10.1.0.0/16 10.0.0.0/8 10.1.2.3", "all")));
	ck_assert(!acl_equal(ten, acl_of(&arena, NULL, "10.0.0.0/8")));
	ck_assert(!acl_equal(ten, acl_of(&arena, "10.0.0.0/8 ::1", NULL)));
	ck_assert(!acl_equal(ten, acl_of(&arena, "11.0.0.0/8", NULL)));
	ck_assert(acl_equal(acl_of(&arena, "0.0.0.0/0 ::/0", NULL), acl_of(&arena, "all", NULL)));
	ck_assert(acl_equal(acl_of(&arena, "0.0.0.0/0 ::/0", NULL), acl_of(&arena, NULL, NULL)));
	arena_free(&arena);
}
END_TEST

/* "+": the inherited list and one's own, the other list as it is. */
START_TEST(one_list_can_be_added_to_another)
{
	struct arena arena = { .used = 0 };
	struct acl_builder inherited = { .count = 0 }, own = { .count = 0 }, empty = { .allow_given = true };

	add_words(&inherited, &arena, "10.0.0.0/8", true);
	add_words(&inherited, &arena, "10.1.0.0/16 all", false);
	add_words(&own, &arena, "192.0.2.0/24", true);
	ck_assert_pstr_eq(acl_add_list(&own, &arena, &inherited, true), NULL);
	expect_all(acl_build(&own, &arena), "10.0.0.1 10.1.0.1 192.0.2.1", true);
	expect_all(acl_build(&own, &arena), "11.0.0.1", false);
	ck_assert_pstr_eq(acl_add_list(&own, &arena, &inherited, false), NULL);
	expect_all(acl_build(&own, &arena), "10.0.0.1 192.0.2.1", true);
	expect_all(acl_build(&own, &arena), "10.1.0.1 11.0.0.1", false);
	own = (struct acl_builder){ .count = 0 };
	ck_assert_pstr_eq(acl_add_list(&own, &arena, &empty, false), NULL);
	expect_all(acl_build(&own, &arena), "10.0.0.1", true);
	ck_assert_pstr_eq(acl_add_list(&own, &arena, &empty, true), NULL);
	expect_all(acl_build(&own, &arena), "10.0.0.1", false);
	arena_free(&arena);
}
END_TEST

/* --- A naive model: every block is looked at for every address -------------------- */

struct block {
	struct in6_addr	ip;
	unsigned	bits;
	bool		allow;
};

static bool
bit(const struct in6_addr *ip, unsigned n)
{
	return (ip->s6_addr[n / 8] >> (7 - n % 8) & 1) != 0;
}

static void
flip_bit(struct in6_addr *ip, unsigned n)
{
	ip->s6_addr[n / 8] ^= (uint8_t)(0x80 >> n % 8);
}

static bool
matches(const struct block *block, const struct in6_addr *ip)
{
	for (unsigned n = 0; n < block->bits; n++)
		if (bit(&block->ip, n) != bit(ip, n))
			return false;
	return IN6_IS_ADDR_V4MAPPED(&block->ip) == IN6_IS_ADDR_V4MAPPED(ip);
}

static bool
model_admits(const struct block *blocks, unsigned count, bool otherwise, const struct in6_addr *ip)
{
	int best = -1;
	bool admits = otherwise;

	for (unsigned i = 0; i < count; i++)
		if ((int)blocks[i].bits >= best && matches(&blocks[i], ip)) {
			admits = blocks[i].allow && ((int)blocks[i].bits > best || admits);
			best = (int)blocks[i].bits;
		}
	return admits;
}

/* A block in a narrow place, so that many overlap; IPv4, low and high IPv6. */
static struct block
random_block(uint32_t *seed)
{
	struct block block = { .allow = unit_random(seed, 2) };
	unsigned kind = unit_random(seed, 3), least = kind == 0 ? 96 : 0;

	block.bits = unit_random(seed, 4) == 0 ? least + unit_random(seed, 129 - least) :
	    118 + unit_random(seed, 11);
	if (kind == 0)
		block.ip = ip_of("10.255.252.0");
	else if (kind == 1)
		memset(&block.ip, 0xff, sizeof block.ip);
	for (unsigned n = kind == 1 ? 0 : 118; n < 128; n++)
		if (unit_random(seed, 2) == 1)
			flip_bit(&block.ip, n);
	for (unsigned n = block.bits; n < 128; n++)
		if (bit(&block.ip, n))
			flip_bit(&block.ip, n);
	return block;
}

static void
add_block(struct acl_builder *builder, struct arena *arena, const struct block *block)
{
	char ip[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 4];

	inet_ntop(AF_INET6, &block->ip, ip, sizeof ip);
	snprintf(text, sizeof text, "%s/%u", ip, block->bits);
	ck_assert_pstr_eq(acl_add(builder, arena, text, block->allow), NULL);
}

/* An address in, at the edge of, just outside of, or near a block. */
static struct in6_addr
random_probe(uint32_t *seed, const struct block *block)
{
	struct in6_addr ip = block->ip;
	unsigned way = unit_random(seed, 5);
	uint8_t step = way == 3 ? 0xff : 1;

	for (unsigned n = block->bits; n < 128 && way != 0; n++)
		if (way != 1 || unit_random(seed, 2) == 1)
			flip_bit(&ip, n);
	/* 2: the last one; 3: the one before the first; 4: the one behind the last */
	if (way == 3)
		ip = block->ip;
	for (int i = 15; i >= 0 && way >= 3; i--) {
		ip.s6_addr[i] = (uint8_t)(ip.s6_addr[i] + step);
		if (ip.s6_addr[i] != (way == 3 ? 0xff : 0))
			break;
	}
	return ip;
}

START_TEST(random_lists_agree_with_a_model)
{
	uint32_t seed = 1000 + (uint32_t)_i;

	for (unsigned round = 0; round < 60; round++) {
		struct arena arena = { .used = 0 };
		struct acl_builder builder = { .count = 0 };
		struct block blocks[80];
		unsigned count = 1 + unit_random(&seed, 80);
		bool deny_all = unit_random(&seed, 4) == 0, allow_all = unit_random(&seed, 4) == 0;
		const struct acl *acl;

		for (unsigned i = 0; i < count; i++) {
			blocks[i] = random_block(&seed);
			add_block(&builder, &arena, &blocks[i]);
		}
		if (deny_all)
			ck_assert_pstr_eq(acl_add(&builder, &arena, "all", false), NULL);
		if (allow_all)
			ck_assert_pstr_eq(acl_add(&builder, &arena, "all", true), NULL);
		acl = acl_build(&builder, &arena);
		for (unsigned i = 0; i < count * 10; i++) {
			struct in6_addr ip = random_probe(&seed, &blocks[unit_random(&seed, count)]);
			char text[INET6_ADDRSTRLEN];

			if (acl_admits(acl, &ip) != model_admits(blocks, count, !deny_all &&
			    (allow_all || !builder.allow_given), &ip))
				ck_abort_msg("round %u: %s", round, inet_ntop(AF_INET6, &ip, text, sizeof text));
		}
		arena_free(&arena);
	}
}
END_TEST

/* Every second address of a network, then the network itself in the other list. */
START_TEST(a_hundred_thousand_entries)
{
	struct arena scratch = { .used = 0 }, arena = { .used = 0 };
	struct acl_builder builder = { .count = 0 };
	const struct acl *acl;
	char text[32];

	for (uint32_t i = 0; i < 100000; i++) {
		uint32_t at = i * 7919u % 100000u * 2;		/* each once, in no order */

		snprintf(text, sizeof text, "10.%u.%u.%u", at >> 16, at >> 8 & 255, at & 255);
		if (at != 0 && acl_add(&builder, &scratch, text, true) != NULL)
			ck_abort_msg("%s", text);
	}
	ck_assert_pstr_eq(acl_add(&builder, &scratch, "10.0.0.0/8", false), NULL);
	acl = acl_build(&builder, &arena);
	arena_free(&scratch);
	for (uint32_t at = 0; at < 300000; at++) {
		struct in6_addr ip = { .s6_addr = { [10] = 0xff, [11] = 0xff, 10, (uint8_t)(at >> 16),
			(uint8_t)(at >> 8), (uint8_t)at } };

		if (acl_admits(acl, &ip) != (at != 0 && at < 200000 && at % 2 == 0))
			ck_abort_msg("%u", at);
	}
	arena_free(&arena);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("acl");
	TCase *tcase = unit_case(suite, "acl");

	tcase_add_loop_test(tcase, the_most_specific_match_decides, 0, ROWS(rows));
	tcase_add_test(tcase, who_has_no_list_costs_nothing);
	tcase_add_test(tcase, equal_is_who_admits_the_same);
	tcase_add_test(tcase, one_list_can_be_added_to_another);
	tcase_add_loop_test(tcase, random_lists_agree_with_a_model, 0, 10);
	tcase_add_test(tcase, a_hundred_thousand_entries);
	return unit_run(suite);
}
