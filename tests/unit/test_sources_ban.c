/* The table of sources as sensor uses it: bans that end by themselves. */
#include <arpa/inet.h>
#include <string.h>

#include "sources.h"
#include "unit.h"

enum { PEERS = 60, ROUNDS = 20000 };

static struct sources *
new_sources(uint32_t size)
{
	static const uint64_t secret[2] = { 12345, 67890 };
	struct sources *sources = sources_new(size, secret);

	ck_assert_ptr_nonnull(sources);
	return sources;
}

/* Source number n of a service. */
static struct holder
numbered(uint32_t service, uint32_t n)
{
	struct holder holder = { .service = service };

	memcpy(&holder.ip.s6_addr[12], &(uint32_t){ htonl(n) }, 4);
	return holder;
}

START_TEST(a_ban_ends_by_itself)
{
	struct sources *bans = new_sources(10);
	const struct holder one = numbered(0, 1), other = numbered(0, 2);
	const uint64_t now = UINT64_MAX - 500;

	ck_assert(!sources_banned(bans, &one, now));
	sources_ban(bans, &one, 1000, now);
	ck_assert(sources_banned(bans, &one, now));
	ck_assert(!sources_banned(bans, &other, now));
	ck_assert(sources_banned(bans, &one, now + 999));
	ck_assert(!sources_banned(bans, &one, now + 1000));
	sources_ban(bans, &one, 1000, now + 2000);
	sources_ban(bans, &one, 100, now + 2100);		/* a shorter one changes nothing */
	ck_assert(sources_banned(bans, &one, now + 2999));
	sources_ban(bans, &one, 1000, now + 2500);		/* a longer one does */
	ck_assert(sources_banned(bans, &one, now + 3499));
	ck_assert(!sources_banned(bans, &one, now + 3500));
	ck_assert_uint_eq(sources_count(bans), 1);
	sources_free(bans);
}
END_TEST

START_TEST(a_full_table_ends_the_shortest_ban)
{
	struct sources *bans = new_sources(100);

	for (uint32_t n = 0; n < 100; n++) {
		const struct holder holder = numbered(0, n);

		sources_ban(bans, &holder, n == 57 ? 1 << 20 : 1 << 22, 0);
	}
	/* The shorter one goes first, then the others from the oldest on. */
	for (uint32_t i = 0; i < 57; i++) {
		const struct holder next = numbered(0, 100 + i), gone = numbered(0, i == 0 ? 57 : i - 1);
		const struct holder kept = numbered(0, i);

		ck_assert(sources_banned(bans, &gone, 10));
		sources_ban(bans, &next, 1 << 22, 10);
		ck_assert(sources_banned(bans, &next, 10));
		ck_assert(!sources_banned(bans, &gone, 10));
		ck_assert(sources_banned(bans, &kept, 10));
	}
	ck_assert_uint_eq(sources_count(bans), 100);
	sources_free(bans);
}
END_TEST

/* A long ban that is nearly over ends before a short one that has just begun. */
START_TEST(what_counts_is_the_time_left)
{
	struct sources *bans = new_sources(2);
	const struct holder old = numbered(0, 1), fresh = numbered(0, 2), next = numbered(0, 3);

	sources_ban(bans, &old, 1 << 20, 0);
	sources_ban(bans, &fresh, 1000, (1 << 20) - 100);
	sources_ban(bans, &next, 1000, (1 << 20) - 100);
	ck_assert(!sources_banned(bans, &old, (1 << 20) - 100));
	ck_assert(sources_banned(bans, &fresh, (1 << 20) - 100));
	ck_assert(sources_banned(bans, &next, (1 << 20) - 100));
	sources_free(bans);
}
END_TEST

START_TEST(random_bans_agree_with_a_model)
{
	struct sources *bans = new_sources(PEERS);
	uint64_t until[PEERS] = { 0 }, now = 1;
	uint32_t seed = 3 + (uint32_t)_i;

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint32_t n = unit_random(&seed, PEERS);
		const struct holder holder = numbered(0, n);
		uint64_t ms = 1 + unit_random(&seed, 1u << unit_random(&seed, 20));

		now += unit_random(&seed, 300);
		if (sources_banned(bans, &holder, now) != (until[n] > now))
			ck_abort_msg("round %u", i);
		if (unit_random(&seed, 4) != 0)
			continue;
		sources_ban(bans, &holder, ms, now);
		if (now + ms > until[n])
			until[n] = now + ms;
	}
	sources_free(bans);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sources_ban");
	TCase *tcase = unit_case(suite, "sources_ban");

	tcase_add_test(tcase, a_ban_ends_by_itself);
	tcase_add_test(tcase, a_full_table_ends_the_shortest_ban);
	tcase_add_test(tcase, what_counts_is_the_time_left);
	tcase_add_loop_test(tcase, random_bans_agree_with_a_model, 0, 5);
	return unit_run(suite);
}
