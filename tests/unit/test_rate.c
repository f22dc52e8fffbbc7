/* Rates: what is read, and buckets that neither lose nor make a part of a token. */
#include <string.h>

#include "rate.h"
#include "unit.h"

_Static_assert(sizeof(struct bucket) <= 16, "each source has one");

#define SECOND	1000u
#define MINUTE	(60 * SECOND)
#define HOUR	(60 * MINUTE)
#define ONE_DAY	(24 * HOUR)

static const struct {
	const char	*text;
	struct rate	 rate;
	const char	*back;			/* NULL: the same text */
} rows[] = {
	{ "unlimited", { 0, 0, 0 }, NULL },
	{ "50/s", { 50, 50, SECOND }, NULL }, { "50/s:100", { 50, 100, SECOND }, NULL },
	{ "50/s:1", { 50, 1, SECOND }, NULL }, { "50/s:50", { 50, 50, SECOND }, "50/s" },
	{ "600/m", { 600, 10, MINUTE }, NULL }, { "600/m:600", { 600, 600, MINUTE }, NULL },
	{ "119/m", { 119, 1, MINUTE }, NULL }, { "120/m", { 120, 2, MINUTE }, NULL },
	{ "1/m", { 1, 1, MINUTE }, NULL }, { "10/h", { 10, 1, HOUR }, NULL }, { "10/h:10", { 10, 10, HOUR }, NULL },
	{ "7200/h", { 7200, 2, HOUR }, NULL }, { "5/d", { 5, 1, ONE_DAY }, NULL },
	{ "1000000/s:1000000", { 1000000, 1000000, SECOND }, "1000000/s" },
	{ "1000000/d:1000000", { 1000000, 1000000, ONE_DAY }, NULL }, { "007/s:08", { 7, 8, SECOND }, "7/s:8" },
};

START_TEST(a_rate_is_read_and_written_back)
{
	struct arena arena = { .used = 0 };
	struct rate rate = { 9, 9, 9 };

	ck_assert_pstr_eq(rate_parse(&arena, rows[_i].text, &rate), NULL);
	ck_assert_uint_eq(rate.count, rows[_i].rate.count);
	ck_assert_uint_eq(rate.burst, rows[_i].rate.burst);
	ck_assert_uint_eq(rate.period_ms, rows[_i].rate.period_ms);
	ck_assert_str_eq(rate_text(&rate, &arena), rows[_i].back != NULL ? rows[_i].back : rows[_i].text);
	arena_free(&arena);
}
END_TEST

#define FORM	" is not a rate (50/s, 600/m, 10/h, 5/d, with a burst 50/s:100, or 'unlimited')"
#define RANGE	" is out of range: a rate and its burst are 1 to 1000000"

static const struct {
	const char	*text, *wrong;
} mistakes[] = {
	{ "", "''" FORM }, { "50", "'50'" FORM }, { "/s", "'/s'" FORM }, { "50/", "'50/'" FORM }, { "50/x", "'50/x'" FORM },
	{ "50/S", "'50/S'" FORM }, { "50/sec", "'50/sec'" FORM }, { "50 /s", "'50 /s'" FORM }, { "-1/s", "'-1/s'" FORM },
	{ "+1/s", "'+1/s'" FORM }, { "1.5/s", "'1.5/s'" FORM }, { "50/s:", "'50/s:'" FORM }, { "50/s:x", "'50/s:x'" FORM },
	{ "50/s:5x", "'50/s:5x'" FORM }, { "50/s:-5", "'50/s:-5'" FORM }, { "50/s ", "'50/s '" FORM },
	{ "50/s:5:5", "'50/s:5:5'" FORM }, { "50:5/s", "'50:5/s'" FORM }, { "Unlimited", "'Unlimited'" FORM },
	{ "unlimited:5", "'unlimited:5'" FORM }, { "50/s,100", "'50/s,100'" FORM },
	{ "0/s", "0/s" RANGE }, { "50/s:0", "50/s:0" RANGE }, { "1000001/s", "1000001/s" RANGE },
	{ "1/s:1000001", "1/s:1000001" RANGE }, { "99999999999999999999/s", "99999999999999999999/s" RANGE },
	{ "1/s:4294967297", "1/s:4294967297" RANGE },
};

START_TEST(a_mistake_is_told)
{
	struct arena arena = { .used = 0 };
	struct rate rate = { 9, 9, 9 };

	ck_assert_pstr_eq(rate_parse(&arena, mistakes[_i].text, &rate), mistakes[_i].wrong);
	ck_assert_uint_eq(rate.count, 9);
	arena_free(&arena);
}
END_TEST

static const struct rate rates[] = {
	{ 50, 50, SECOND }, { 50, 100, SECOND }, { 7, 7, SECOND }, { 1, 1, SECOND }, { 3, 5, MINUTE }, { 10, 1, HOUR },
	{ 600, 10, MINUTE }, { 1500, 1500, SECOND }, { 999, 1, SECOND }, { 1000000, 3, SECOND }, { 1000000, 1000000, SECOND },
	{ 1000000, 1000000, ONE_DAY }, { 1, 1000000, ONE_DAY }, { 7, 1000, HOUR },
};

/* Where clocks may begin; the last ones pass the end of 64 bits during the test. */
static const uint64_t starts[] = { 0, 1, 123456789, UINT64_C(1) << 63, UINT64_MAX - 70000, UINT64_MAX };

/* The same bucket, filled by hand each millisecond. */
struct model {
	uint64_t	parts;
};

static void
model_pass(struct model *model, const struct rate *rate, uint64_t ms)
{
	const uint64_t most = (uint64_t)rate->burst * rate->period_ms;

	for (; ms > 0 && model->parts < most; ms--)
		model->parts += rate->count < most - model->parts ? rate->count : most - model->parts;
}

static uint64_t
model_until(struct model model, const struct rate *rate, uint64_t parts)
{
	uint64_t ms = 0;

	for (; model.parts < parts; ms++)
		model_pass(&model, rate, 1);
	return ms;
}

/* Takes as many as may be, and as the model has; libcheck notes each assertion, so none for each token. */
static void
take_some(const struct rate *rate, struct bucket *bucket, struct model *model, unsigned takes, uint64_t now)
{
	for (; takes > 0; takes--) {
		bool took = model->parts >= rate->period_ms;

		if (rate_ready(rate, bucket, now) != took || rate_take(rate, bucket, now) != took)
			ck_abort_msg("at %ju: %u of %u/%u", (uintmax_t)now, takes, rate->count, rate->period_ms);
		model->parts -= took ? rate->period_ms : 0;
	}
}

static void
follow_model(const struct rate *rate, uint64_t now)
{
	const uint64_t most = (uint64_t)rate->burst * rate->period_ms;
	uint32_t seed = 5 + rate->count;
	struct bucket bucket = { .missing = 0 };
	struct model model = { most };

	for (unsigned i = 0; i < 400; i++) {
		uint64_t ms = unit_random(&seed, 1u << unit_random(&seed, 12));

		take_some(rate, &bucket, &model,
		    unit_random(&seed, 1 + unit_random(&seed, rate->burst < 200 ? rate->burst + 2 : 200)), now);
		if (i % 50 == 0 && model.parts + 10000 * (uint64_t)rate->count >= most)
			ck_assert_uint_eq(rate_heal_ms(rate, &bucket, now), model_until(model, rate, most));
		if (i % 50 == 0 && 10000 * (uint64_t)rate->count >= rate->period_ms)
			ck_assert_uint_eq(rate_wait_ms(rate, &bucket, now), model_until(model, rate, rate->period_ms));
		now += ms;
		model_pass(&model, rate, ms);
	}
}

START_TEST(a_bucket_agrees_with_a_model)
{
	for (int i = 0; i < ROWS(starts); i++)
		follow_model(&rates[_i], starts[i]);
}
END_TEST

/* Whoever asks all the time gets the burst and then exactly the rate. */
START_TEST(exactly_so_many_in_a_long_time)
{
	const struct rate *rate = &rates[_i];
	const uint64_t start = UINT64_MAX - 100000, ms = rate->count > rate->period_ms ? 300 : 400000;
	const bool all_in_a_ms = rate->count >= (uint64_t)rate->burst * rate->period_ms;
	struct bucket bucket = { .missing = 0 };
	uint64_t taken = 0, expected = ms * rate->count / rate->period_ms;

	for (uint64_t now = start; now - start <= ms; now++)
		while (rate_take(rate, &bucket, now))
			taken++;
	if (all_in_a_ms)
		expected = ms * rate->burst;
	else if (rate->burst == 1)	/* a bucket of one token holds nothing of the next */
		expected = ms / ((rate->period_ms + rate->count - 1) / rate->count);
	ck_assert_uint_eq(taken, rate->burst + expected);
}
END_TEST

static void
expect_wait(const struct rate *rate, uint64_t now)
{
	struct bucket bucket = { .missing = 0 };
	uint64_t wait, heal;

	ck_assert_uint_eq(rate_wait_ms(rate, &bucket, now), 0);
	ck_assert_uint_eq(rate_heal_ms(rate, &bucket, now), 0);
	for (uint32_t i = 0; i < rate->burst; i++)
		if (!rate_take(rate, &bucket, now))
			ck_abort_msg("token %u", i);
	ck_assert(!rate_take(rate, &bucket, now));
	wait = rate_wait_ms(rate, &bucket, now);
	ck_assert_uint_eq(wait, (rate->period_ms + rate->count - 1) / rate->count);
	ck_assert(!rate_ready(rate, &bucket, now + wait - 1));
	ck_assert_uint_eq(rate_wait_ms(rate, &bucket, now + wait - 1), 1);
	ck_assert(rate_ready(rate, &bucket, now + wait));
	heal = rate_heal_ms(rate, &bucket, now);
	ck_assert_uint_eq(heal, ((uint64_t)rate->period_ms * rate->burst + rate->count - 1) / rate->count);
	ck_assert_uint_eq(rate_heal_ms(rate, &bucket, now + heal - 1), 1);
	ck_assert_uint_eq(rate_heal_ms(rate, &bucket, now + heal), 0);
}

START_TEST(the_wait_is_over_when_it_says)
{
	for (int i = 0; i < ROWS(starts); i++)
		expect_wait(&rates[_i], starts[i]);
}
END_TEST

static const uint64_t idle[] = { 0, 1, UINT32_MAX, UINT64_C(1) << 40, UINT64_MAX / 1000000, INT64_MAX - 1, INT64_MAX };

/* However long a bucket was left alone, it is full and not fuller. */
START_TEST(long_idleness_fills_and_no_more)
{
	const struct rate *rate = &rates[_i];
	const uint64_t most = (uint64_t)rate->burst * rate->period_ms;

	for (int i = 0; i < ROWS(idle) * ROWS(starts); i++) {
		/* 0: so long that the parts that come would just pass the end of 64 bits. */
		uint64_t ms = idle[i / ROWS(starts)] != 0 || rate->count == 1 ? idle[i / ROWS(starts)] :
		    UINT64_MAX / rate->count + 1;
		uint64_t now = starts[i % ROWS(starts)];
		struct bucket bucket = { most, now };
		uint64_t heal = rate_heal_ms(rate, &bucket, now);

		ck_assert(!rate_ready(rate, &bucket, now));
		now += heal > ms ? heal : ms;
		ck_assert_uint_eq(rate_heal_ms(rate, &bucket, now), 0);
		ck_assert(rate_take(rate, &bucket, now));
		ck_assert_uint_eq(bucket.missing, rate->period_ms);
	}
}
END_TEST

START_TEST(a_returned_token_can_be_taken_again)
{
	const struct rate *rate = &rates[_i];
	struct bucket bucket = { .missing = 0 }, full = { .missing = 0 };
	const uint64_t now = 123456789;

	for (uint32_t i = 0; i < rate->burst; i++)
		ck_assert(rate_take(rate, &bucket, now));
	for (int i = 0; i < 3; i++) {
		ck_assert(!rate_take(rate, &bucket, now));
		rate_return(rate, &bucket, now);
		ck_assert(rate_take(rate, &bucket, now));
	}
	rate_return(rate, &full, now);		/* a full bucket takes no more */
	ck_assert_uint_eq(rate_heal_ms(rate, &full, now), 0);
	for (uint32_t i = 0; i < rate->burst; i++)
		ck_assert(rate_take(rate, &full, now));
	ck_assert(!rate_take(rate, &full, now));
}
END_TEST

START_TEST(unlimited_never_refuses)
{
	const struct rate unlimited = { .count = 0 };
	struct bucket bucket = { .missing = 12345, .since_ms = 99 };

	for (unsigned i = 0; i < 1000; i++) {
		ck_assert(rate_ready(&unlimited, &bucket, i));
		ck_assert(rate_take(&unlimited, &bucket, i));
		ck_assert_uint_eq(rate_wait_ms(&unlimited, &bucket, i), 0);
		ck_assert_uint_eq(rate_heal_ms(&unlimited, &bucket, i), 0);
	}
	ck_assert_uint_eq(bucket.missing, 12345);
}
END_TEST

/* After a reload: a bucket of another rate is at worst an empty one. */
START_TEST(a_bucket_of_another_rate_heals)
{
	for (int i = 0; i < ROWS(rates); i++) {
		const struct rate *rate = &rates[i], *other = &rates[_i];
		const struct bucket empty = { (uint64_t)other->burst * other->period_ms, 1000 };
		struct bucket bucket = { (uint64_t)rate->burst * rate->period_ms, 1000 };

		ck_assert_uint_le(rate_heal_ms(other, &bucket, 1000), rate_heal_ms(other, &empty, 1000));
		ck_assert_uint_le(rate_wait_ms(other, &bucket, 1000), rate_wait_ms(other, &empty, 1000));
		ck_assert(rate_take(other, &bucket, 1000 + rate_wait_ms(other, &bucket, 1000)));
		ck_assert_uint_le(bucket.missing, empty.missing);
	}
}
END_TEST

/* Events of one round of the loop may carry times that are not in order. */
START_TEST(a_time_before_the_last_gives_nothing)
{
	const struct rate rate = { 50, 2, SECOND };
	struct bucket bucket = { .missing = 0 };

	ck_assert(rate_take(&rate, &bucket, 5000));
	ck_assert(rate_take(&rate, &bucket, 5000));
	ck_assert(!rate_ready(&rate, &bucket, 4999));
	ck_assert(!rate_ready(&rate, &bucket, 1));
	ck_assert(rate_ready(&rate, &bucket, 5020));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rate");
	TCase *tcase = unit_case(suite, "rate");

	tcase_add_loop_test(tcase, a_rate_is_read_and_written_back, 0, ROWS(rows));
	tcase_add_loop_test(tcase, a_mistake_is_told, 0, ROWS(mistakes));
	tcase_add_loop_test(tcase, a_bucket_agrees_with_a_model, 0, ROWS(rates));
	tcase_add_loop_test(tcase, exactly_so_many_in_a_long_time, 0, ROWS(rates));
	tcase_add_loop_test(tcase, the_wait_is_over_when_it_says, 0, ROWS(rates));
	tcase_add_loop_test(tcase, long_idleness_fills_and_no_more, 0, ROWS(rates));
	tcase_add_loop_test(tcase, a_returned_token_can_be_taken_again, 0, ROWS(rates));
	tcase_add_test(tcase, unlimited_never_refuses);
	tcase_add_loop_test(tcase, a_bucket_of_another_rate_heals, 0, ROWS(rates));
	tcase_add_test(tcase, a_time_before_the_last_gives_nothing);
	return unit_run(suite);
}
