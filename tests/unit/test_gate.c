/* Log lines that a client can cause: so many pass, the rest is counted. */
#include "bounds.h"
#include "gate.h"
#include "unit.h"

static unsigned
pass(struct gate *gate, uint64_t now_ms, unsigned lines)
{
	unsigned passed = 0;

	while (lines-- > 0)
		passed += gate_passes(gate, now_ms);
	return passed;
}

static const uint64_t starts[] = { 0, 1, 999, 1000, 123456789, UINT64_MAX - GATE_MS - 1,
	UINT64_MAX - GATE_MS / 2, UINT64_MAX };

START_TEST(a_burst_passes_and_the_rest_is_held)
{
	struct gate gate = { .since = 0 };
	uint64_t now = starts[_i];

	ck_assert_uint_eq(pass(&gate, now, GATE_BURST + 7), GATE_BURST);
	ck_assert_uint_eq(gate.held, 7);
	ck_assert_uint_eq(pass(&gate, now + GATE_MS - 1, 3), 0);
	ck_assert_uint_eq(gate_take_held(&gate, now + GATE_MS - 1), 0);
	ck_assert_uint_eq(gate_take_held(&gate, now + GATE_MS), 10);
	ck_assert_uint_eq(gate_take_held(&gate, now + GATE_MS), 0);
	ck_assert_uint_eq(pass(&gate, now + GATE_MS, GATE_BURST + 1), GATE_BURST);
}
END_TEST

START_TEST(the_window_begins_with_its_first_line)
{
	struct gate gate = { .since = 0 };

	ck_assert_uint_eq(pass(&gate, 5000, GATE_BURST), GATE_BURST);
	ck_assert_uint_eq(pass(&gate, 5000 + GATE_MS - 1, 1), 0);
	ck_assert_uint_eq(pass(&gate, 5000 + GATE_MS, GATE_BURST), GATE_BURST);
	ck_assert_uint_eq(pass(&gate, 5000 + 2 * GATE_MS - 1, 1), 0);
}
END_TEST

START_TEST(nothing_held_is_nothing_told)
{
	struct gate gate = { .since = 0 };

	ck_assert_uint_eq(gate_take_held(&gate, 0), 0);
	ck_assert_uint_eq(gate_take_held(&gate, 100000), 0);
	ck_assert_uint_eq(pass(&gate, 100000, GATE_BURST), GATE_BURST);
	ck_assert_uint_eq(gate_take_held(&gate, 200000), 0);
}
END_TEST

START_TEST(the_count_stays_at_its_end)
{
	struct gate gate = { .since = 10, .passed = GATE_BURST, .held = UINT32_MAX - 1 };

	ck_assert_uint_eq(pass(&gate, 10, 3), 0);
	ck_assert_uint_eq(gate_take_held(&gate, 10 + GATE_MS), UINT32_MAX);
}
END_TEST

/* Each line either passes or is told as held, whatever the times. */
START_TEST(no_line_is_lost)
{
	struct gate gate = { .since = 0 };
	uint32_t seed = 99 + (uint32_t)_i;
	uint64_t now = seed, passed = 0, told = 0;
	unsigned lines = 20000;

	for (unsigned i = 0; i < lines; i++) {
		now += unit_random(&seed, 1u << unit_random(&seed, 9));
		passed += gate_passes(&gate, now);
		if (unit_random(&seed, 50) == 0)
			told += gate_take_held(&gate, now);
	}
	told += gate_take_held(&gate, now + GATE_MS);
	ck_assert_uint_gt(told, 0);
	ck_assert_uint_eq(passed + told, lines);
}
END_TEST

/*
 * As superd does it: lines come without end, and once in a window it is asked
 * what was held.  The flood must be told while it lasts.
 */
START_TEST(a_flood_without_end_is_told_meanwhile)
{
	struct gate gate = { .since = 0 };
	uint64_t told = 0;

	for (uint64_t now = 7; now < 20 * GATE_MS; now++) {
		(void)pass(&gate, now, 2);
		if (now % GATE_MS == 7)		/* after the lines of its time: sources come before timers */
			told += gate_take_held(&gate, now);
	}
	ck_assert_uint_gt(told, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("gate");
	TCase *tcase = unit_case(suite, "gate");

	tcase_add_loop_test(tcase, a_burst_passes_and_the_rest_is_held, 0, ROWS(starts));
	tcase_add_test(tcase, the_window_begins_with_its_first_line);
	tcase_add_test(tcase, nothing_held_is_nothing_told);
	tcase_add_test(tcase, the_count_stays_at_its_end);
	tcase_add_loop_test(tcase, no_line_is_lost, 0, 5);
	tcase_add_test(tcase, a_flood_without_end_is_told_meanwhile);
	return unit_run(suite);
}
