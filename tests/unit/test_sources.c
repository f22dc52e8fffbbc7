/* The table of sources: who is one, what each may have, and who makes room when it is full. */
#include <arpa/inet.h>
#include <string.h>

#include "sources.h"
#include "unit.h"

#define MINUTE	60000u

static const uint64_t secret[2] = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };
static const struct source_prefix usual = { 32, 64 };
static const struct rate unlimited = { .count = 0 };
static const struct rate slow = { 1, 3, MINUTE };	/* three at once, then one a minute */
static const uint32_t any = UINT32_MAX;

/* Vectors made by `openssl mac ... SIPHASH', for the key 00 01 .. 0f and another. */
START_TEST(the_hash_is_siphash_2_4)
{
	static const uint64_t other[2] = { UINT64_MAX, UINT64_C(0x0100000000000000) };
	static const uint64_t zero[3];
	uint8_t bytes[24];
	uint64_t words[3];

	for (uint8_t i = 0; i < sizeof bytes; i++)
		bytes[i] = i;
	memcpy(words, bytes, sizeof words);
	ck_assert_uint_eq(sources_hash(secret, words), UINT64_C(0xb8ad50c6f649af94));
	ck_assert_uint_eq(sources_hash(other, zero), UINT64_C(0x6f317878e17e9b2b));
}
END_TEST

static struct peer
peer_of(const char *ip, uint32_t scope)
{
	struct peer peer = { .scope = scope, .port = 1234, .ip.s6_addr = { [10] = 0xff, [11] = 0xff } };

	if (inet_pton(AF_INET, ip, &peer.ip.s6_addr[12]) != 1)
		ck_assert_msg(inet_pton(AF_INET6, ip, &peer.ip) == 1, "%s", ip);
	return peer;
}

/* Two peers, and whether they are the same source. */
static const struct {
	struct source_prefix	 prefix;
	const char		*one, *other;
	uint32_t		 one_scope, other_scope;
	bool			 same;
} rows[] = {
	{ { 32, 64 }, "192.0.2.1", "192.0.2.1", 0, 0, true }, { { 32, 64 }, "192.0.2.1", "192.0.2.0", 0, 0, false },
	{ { 32, 64 }, "192.0.2.1", "::ffff:192.0.2.1", 0, 0, true }, { { 32, 64 }, "192.0.2.1", "::c000:201", 0, 0, false },
	{ { 32, 64 }, "2001:db8::1", "2001:db8::ffff:1:2:3", 0, 0, true },
	{ { 32, 64 }, "2001:db8::1", "2001:db8:0:1::1", 0, 0, false },
	{ { 32, 128 }, "2001:db8::1", "2001:db8::2", 0, 0, false }, { { 32, 56 }, "2001:db8:0:ff::", "2001:db8::1", 0, 0, true },
	{ { 32, 56 }, "2001:db8:0:100::", "2001:db8::1", 0, 0, false }, { { 32, 57 }, "2001:db8:0:80::", "2001:db8::", 0, 0, false },
	{ { 32, 1 }, "7fff::", "1::", 0, 0, true }, { { 32, 1 }, "8000::", "1::", 0, 0, false },
	{ { 24, 64 }, "192.0.2.1", "192.0.2.255", 0, 0, true }, { { 24, 64 }, "192.0.2.1", "192.0.3.1", 0, 0, false },
	{ { 31, 64 }, "192.0.2.0", "192.0.2.1", 0, 0, true }, { { 31, 64 }, "192.0.2.2", "192.0.2.1", 0, 0, false },
	{ { 1, 64 }, "0.0.0.1", "127.255.255.255", 0, 0, true }, { { 1, 64 }, "128.0.0.0", "127.0.0.0", 0, 0, false },
	/* link-local: every bit, and the interface */
	{ { 32, 64 }, "fe80::1", "fe80::2", 2, 2, false }, { { 32, 64 }, "fe80::1", "fe80::1", 2, 2, true },
	{ { 32, 64 }, "fe80::1", "fe80::1", 2, 3, false }, { { 32, 64 }, "febf::1", "febf::2", 2, 2, false },
	{ { 8, 64 }, "169.254.1.1", "169.254.1.2", 0, 0, false }, { { 8, 64 }, "169.253.1.1", "169.253.1.2", 0, 0, true },
	{ { 32, 64 }, "2001:db8::1", "2001:db8::2", 2, 3, true },
};

START_TEST(a_source_is_what_the_prefix_leaves)
{
	const struct peer one = peer_of(rows[_i].one, rows[_i].one_scope);
	const struct peer other = peer_of(rows[_i].other, rows[_i].other_scope);
	const struct holder a = holder_of(&one, 7, &rows[_i].prefix), b = holder_of(&other, 7, &rows[_i].prefix);
	const struct holder elsewhere = holder_of(&one, 8, &rows[_i].prefix);

	ck_assert_int_eq(memcmp(&a, &b, sizeof a) == 0, rows[_i].same);
	ck_assert_int_ne(memcmp(&a, &elsewhere, sizeof a), 0);
}
END_TEST

START_TEST(of_a_unix_socket_the_user_is_the_source)
{
	const struct peer root = { .local = true, .pid = 1 }, again = { .local = true, .pid = 2 };
	const struct peer user = { .local = true, .pid = 1, .uid = 1000 };
	const struct holder a = holder_of(&root, 7, &usual), b = holder_of(&again, 7, &usual);
	const struct holder c = holder_of(&user, 7, &usual);

	ck_assert_int_eq(memcmp(&a, &b, sizeof a), 0);
	ck_assert_int_ne(memcmp(&a, &c, sizeof a), 0);
}
END_TEST

static struct sources *
new_sources(uint32_t size)
{
	struct sources *sources = sources_new(size, secret);

	ck_assert_ptr_nonnull(sources);
	return sources;
}

/* Source number n of a service. */
static struct holder
numbered(uint32_t service, uint32_t n)
{
	struct holder holder = { .service = service };

	holder.ip.s6_addr[10] = holder.ip.s6_addr[11] = 0xff;
	memcpy(&holder.ip.s6_addr[12], &(uint32_t){ htonl(n) }, 4);
	return holder;
}

static struct account *
enter(struct sources *sources, uint32_t n, const struct rate *rate, uint64_t now)
{
	const struct holder holder = numbered(1, n);
	struct account *account = sources_enter(sources, &holder, rate, now);

	if (account == NULL)
		ck_abort_msg("no account for %u", n);
	return account;
}

static void
visit(struct sources *sources, uint32_t n, const struct rate *rate, uint64_t now)
{
	sources_leave(sources, enter(sources, n, rate, now), rate, now);
}

static enum source_answer
ask(const struct sources *sources, uint32_t n, uint32_t most, const struct rate *rate, uint64_t now)
{
	const struct holder holder = numbered(1, n);

	return sources_ask(sources, &holder, most, rate, now);
}

START_TEST(live_sessions_are_counted)
{
	struct sources *sources = new_sources(10);
	const struct holder one = numbered(1, 5), elsewhere = numbered(2, 5);
	struct account *accounts[3];

	for (uint32_t i = 0; i < 3; i++) {
		ck_assert_int_eq(ask(sources, 5, 3, &unlimited, 0), SOURCE_ADMIT);
		accounts[i] = enter(sources, 5, &unlimited, 0);
		ck_assert_uint_eq(sources_live(sources, &one), i + 1);
	}
	ck_assert_int_eq(ask(sources, 5, 3, &unlimited, 0), SOURCE_AT_LIMIT);
	ck_assert_int_eq(ask(sources, 5, 2, &unlimited, 0), SOURCE_AT_LIMIT);	/* lowered by a reload */
	ck_assert_int_eq(ask(sources, 5, any, &unlimited, 0), SOURCE_ADMIT);
	ck_assert_int_eq(ask(sources, 6, 3, &unlimited, 0), SOURCE_ADMIT);
	ck_assert_int_eq(sources_ask(sources, &elsewhere, 3, &unlimited, 0), SOURCE_ADMIT);
	ck_assert_uint_eq(sources_count(sources), 1);
	for (uint32_t i = 0; i < 3; i++)
		sources_leave(sources, accounts[i], &unlimited, 0);
	ck_assert_uint_eq(sources_live(sources, &one), 0);
	ck_assert_uint_eq(sources_count(sources), 0);
	sources_free(sources);
}
END_TEST

START_TEST(only_the_fast_one_waits)
{
	struct sources *sources = new_sources(10);
	const struct holder one = numbered(1, 5), other = numbered(1, 6);
	const uint64_t now = UINT64_MAX - MINUTE;

	for (unsigned i = 0; i < 3; i++)
		visit(sources, 5, &slow, now);
	ck_assert_int_eq(ask(sources, 5, any, &slow, now), SOURCE_TOO_FAST);
	ck_assert_int_eq(ask(sources, 6, any, &slow, now), SOURCE_ADMIT);
	ck_assert_uint_eq(sources_wait_ms(sources, &one, &slow, now), MINUTE);
	ck_assert_uint_eq(sources_wait_ms(sources, &other, &slow, now), 0);
	ck_assert_int_eq(ask(sources, 5, any, &slow, now + MINUTE - 1), SOURCE_TOO_FAST);
	ck_assert_int_eq(ask(sources, 5, any, &slow, now + MINUTE), SOURCE_ADMIT);
	ck_assert_uint_eq(sources_count(sources), 1);
	/* A session that ends when the bucket is full again leaves nothing. */
	sources_leave(sources, enter(sources, 5, &slow, now + 2 * MINUTE), &slow, now + 4 * MINUTE);
	ck_assert_uint_eq(sources_count(sources), 0);
	sources_free(sources);
}
END_TEST

START_TEST(asking_leaves_no_trace)
{
	struct sources *sources = new_sources(10);

	for (uint32_t i = 0; i < 1000; i++)
		ck_assert_int_eq(ask(sources, i, 1, &slow, i), SOURCE_ADMIT);
	ck_assert_uint_eq(sources_count(sources), 0);
	sources_free(sources);
}
END_TEST

START_TEST(the_busiest_is_found)
{
	struct sources *sources = new_sources(100);
	const struct holder elsewhere = numbered(2, 1), three = numbered(1, 3);
	struct account *gone;
	struct holder who = { .service = 0 };

	ck_assert_uint_eq(sources_busiest(sources, 1, &who), 0);
	ck_assert_uint_eq(who.service, 0);
	gone = enter(sources, 9, &slow, 0);
	for (uint32_t n = 1; n <= 3; n++)
		for (uint32_t i = 0; i < n * 2; i++)
			enter(sources, n, &unlimited, 0);
	for (uint32_t i = 0; i < 50; i++)
		ck_assert_ptr_nonnull(sources_enter(sources, &elsewhere, &unlimited, 0));
	sources_leave(sources, gone, &slow, 0);
	ck_assert_uint_eq(sources_busiest(sources, 1, &who), 6);
	ck_assert_int_eq(memcmp(&who, &three, sizeof who), 0);
	ck_assert_uint_eq(sources_busiest(sources, 2, &who), 50);
	ck_assert_int_eq(memcmp(&who, &elsewhere, sizeof who), 0);
	sources_free(sources);
}
END_TEST

START_TEST(full_of_live_ones_there_is_no_room)
{
	struct sources *sources = new_sources(3);
	const struct holder late = numbered(1, 4);
	struct account *first = enter(sources, 1, &slow, 0);

	enter(sources, 2, &slow, 0);
	ck_assert_int_eq(ask(sources, 4, any, &slow, 0), SOURCE_ADMIT);
	enter(sources, 3, &slow, 0);
	ck_assert_int_eq(ask(sources, 4, any, &slow, 0), SOURCES_FULL);
	ck_assert_ptr_null(sources_enter(sources, &late, &slow, 0));
	ck_assert_int_eq(ask(sources, 2, any, &slow, 0), SOURCE_ADMIT);
	ck_assert_ptr_eq(enter(sources, 1, &slow, 0), first);
	sources_leave(sources, first, &slow, 0);
	sources_leave(sources, first, &slow, 0);
	ck_assert_int_eq(ask(sources, 4, any, &slow, 0), SOURCE_ADMIT);
	enter(sources, 4, &slow, 0);
	ck_assert_int_eq(ask(sources, 1, any, &slow, 0), SOURCES_FULL);
	ck_assert_uint_eq(sources_count(sources), 3);
	sources_free(sources);
}
END_TEST

/* Who fell idle with one, two and three tokens missing, in every order: the least missing goes first. */
START_TEST(who_heals_soonest_makes_room)
{
	static const uint32_t orders[][3] = { { 1, 2, 3 }, { 1, 3, 2 }, { 2, 1, 3 }, { 2, 3, 1 }, { 3, 1, 2 }, { 3, 2, 1 } };
	static const struct rate steep = { 1, 12, MINUTE };
	struct sources *sources = new_sources(3);

	for (uint32_t i = 0; i < 3; i++)	/* source n has 4^(n-1) tokens missing: classes of their own */
		for (uint32_t n = orders[_i][i], times = n == 1 ? 1 : n == 2 ? 4 : 12; times > 0; times--)
			visit(sources, n, &steep, 10 * i);
	for (uint32_t gone = 1; gone <= 3; gone++) {
		const struct holder holder = numbered(1, gone), next = numbered(1, gone + 1);

		ck_assert_uint_gt(sources_wait_ms(sources, &holder, &(struct rate){ 1, 1, MINUTE }, 100), 0);
		enter(sources, 100 + gone, &steep, 100);
		ck_assert_uint_eq(sources_wait_ms(sources, &holder, &(struct rate){ 1, 1, MINUTE }, 100), 0);
		if (gone < 3)
			ck_assert_uint_gt(sources_wait_ms(sources, &next, &(struct rate){ 1, 1, MINUTE }, 100), 0);
	}
	sources_free(sources);
}
END_TEST

START_TEST(of_equals_the_longest_idle_makes_room)
{
	struct sources *sources = new_sources(50);

	for (uint32_t n = 0; n < 50; n++)
		visit(sources, n, &slow, n);
	visit(sources, 0, &slow, 50);		/* is the last now, and misses two */
	for (uint32_t n = 1; n < 50; n++) {
		const struct holder holder = numbered(1, n);

		ck_assert_uint_gt(sources_wait_ms(sources, &holder, &(struct rate){ 1, 1, MINUTE }, 60), 0);
		enter(sources, 100 + n, &slow, 60);
		ck_assert_uint_eq(sources_wait_ms(sources, &holder, &(struct rate){ 1, 1, MINUTE }, 60), 0);
	}
	ck_assert_uint_eq(sources_count(sources), 50);
	sources_free(sources);
}
END_TEST

/* Healed accounts are used again before untouched memory is. */
START_TEST(a_healed_account_is_no_account)
{
	struct sources *sources = new_sources(1000);

	for (uint32_t n = 0; n < 1000; n++)
		visit(sources, n, &slow, n * 3 * MINUTE);
	ck_assert_uint_eq(sources_count(sources), 1);
	sources_free(sources);
}
END_TEST

/*
 * One who is waiting, some who have sessions, and then strangers without end:
 * the table does not grow, sessions keep their accounts, and the wait stays.
 */
START_TEST(a_flood_of_addresses_changes_nothing)
{
	enum { SIZE = 1000, LIVE = 300, FLOOD = 200000 };
	struct sources *sources = new_sources(SIZE);
	struct account *live[LIVE];

	for (uint32_t i = 0; i < LIVE; i++)
		live[i] = enter(sources, i, &slow, 0);
	for (unsigned i = 0; i < 3; i++)
		visit(sources, 999, &slow, 0);
	for (uint32_t i = 0; i < FLOOD; i++) {
		visit(sources, 5000 + i, &slow, i / 10);
		if (sources_count(sources) > SIZE || ask(sources, 999, any, &slow, i / 10) != SOURCE_TOO_FAST)
			ck_abort_msg("visitor %u", i);
	}
	for (uint32_t i = 0; i < LIVE; i++) {
		const struct holder holder = numbered(1, i);

		ck_assert_uint_eq(sources_live(sources, &holder), 1);
		ck_assert_ptr_eq(enter(sources, i, &slow, 0), live[i]);
	}
	sources_free(sources);
}
END_TEST

/* --- A naive model: accounts without number, forgotten by nobody --------------------------- */

enum { PEERS = 60, ROUNDS = 20000 };

struct model {
	uint32_t	 live;
	struct bucket	 bucket;
	struct account	*account;
};

/*
 * Sessions come and go at random.  In a table that is large enough everything is
 * as in the model.  In a small one a waiting source may have been forgiven, and
 * nothing else may differ.
 */
START_TEST(a_random_day_agrees_with_a_model)
{
	static const struct rate rates[] = { { 2, 3, 1000 }, { 10, 1, 60000 }, { 0, 0, 0 }, { 1, 5, 60000 } };
	static const uint32_t sizes[] = { PEERS, 20, 7, 1 };
	const uint32_t size = sizes[_i % ROWS(sizes)], most = 1 + (uint32_t)_i % 3;
	struct sources *sources = new_sources(size);
	struct model models[PEERS] = { { .live = 0 } };
	uint32_t seed = 31 + (uint32_t)_i, in_use = 0, admitted = 0;
	uint64_t now = UINT64_MAX - 3 * MINUTE;

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint32_t n = unit_random(&seed, PEERS);
		struct model *model = &models[n];
		const struct rate *rate = &rates[n % 4];
		const struct holder holder = numbered(n % 4, n);
		enum source_answer answer;
		bool ready;

		now += unit_random(&seed, 3) == 0 ? unit_random(&seed, 400) : 0;
		if (unit_random(&seed, 5) < 2) {
			if (model->live > 0) {
				in_use -= --model->live == 0;
				sources_leave(sources, model->account, rate, now);
			}
			continue;
		}
		answer = sources_ask(sources, &holder, most, rate, now);
		ready = rate_ready(rate, &model->bucket, now);
		if (sources_live(sources, &holder) != model->live ||
		    (answer == SOURCES_FULL) != (model->live == 0 && in_use == size) ||
		    (answer == SOURCE_AT_LIMIT) != (model->live >= most) ||
		    (answer == SOURCE_TOO_FAST && ready) || (answer == SOURCE_ADMIT && size == PEERS && !ready))
			ck_abort_msg("round %u: answer %d, %u live, %sready", i, (int)answer, model->live,
			    ready ? "" : "not ");
		if (answer != SOURCE_ADMIT)
			continue;
		model->account = sources_enter(sources, &holder, rate, now);
		ck_assert_ptr_nonnull(model->account);
		if (!ready)		/* forgiven: it has had a token at least */
			model->bucket = (struct bucket){ (rate->burst - 1) * (uint64_t)rate->period_ms, now };
		rate_take(rate, &model->bucket, now);
		in_use += model->live++ == 0;
		admitted++;
		ck_assert_uint_le(sources_count(sources), size);
		ck_assert_uint_ge(sources_count(sources), in_use);
	}
	ck_assert_uint_gt(admitted, 100);
	sources_free(sources);
}
END_TEST

START_TEST(nothing_is_freed_as_well)
{
	sources_free(NULL);
	sources_free(new_sources(1));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sources");
	TCase *who = unit_case(suite, "source"), *accounts = unit_case(suite, "accounts");

	tcase_add_test(who, the_hash_is_siphash_2_4);
	tcase_add_loop_test(who, a_source_is_what_the_prefix_leaves, 0, ROWS(rows));
	tcase_add_test(who, of_a_unix_socket_the_user_is_the_source);
	tcase_add_test(accounts, live_sessions_are_counted);
	tcase_add_test(accounts, only_the_fast_one_waits);
	tcase_add_test(accounts, asking_leaves_no_trace);
	tcase_add_test(accounts, the_busiest_is_found);
	tcase_add_test(accounts, full_of_live_ones_there_is_no_room);
	tcase_add_loop_test(accounts, who_heals_soonest_makes_room, 0, 6);
	tcase_add_test(accounts, of_equals_the_longest_idle_makes_room);
	tcase_add_test(accounts, a_healed_account_is_no_account);
	tcase_add_test(accounts, a_flood_of_addresses_changes_nothing);
	tcase_add_loop_test(accounts, a_random_day_agrees_with_a_model, 0, 24);
	tcase_add_test(accounts, nothing_is_freed_as_well);
	return unit_run(suite);
}
