/* The table of flows, against a model that looks at each: found by both addresses, the silent ones in their order. */
#include <string.h>

#include "flow.h"
#include "unit.h"

#define FLOWS	512
#define STEPS	200000

static const uint64_t secret[2] = { 5, 6 };

/* flow.c looks at the addresses of listeners only, never into them. */
static struct listener *
listener(unsigned number)
{
	static char places[4][64];

	return (struct listener *)(void *)places[number];
}

static struct peer
peer_of(unsigned host, unsigned port, unsigned scope)
{
	struct peer peer = { .port = (in_port_t)port, .scope = scope,
		.ip.s6_addr = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = (uint8_t)host } };

	return peer;
}

static struct flows
new_flows(void)
{
	struct flows flows;

	flows_init(&flows, secret);
	ck_assert_int_eq(flows_reserve(&flows), 0);
	ck_assert_int_eq(flows_reserve(&flows), 0);
	return flows;
}

/* --- one at a time */

static const struct {
	unsigned	 listener, host, port, scope, local;
	bool		 found;
} others[] = {
	{ 0, 1, 1000, 0, 9, true },
	{ 1, 1, 1000, 0, 9, false },	/* another socket */
	{ 0, 2, 1000, 0, 9, false },	/* another peer */
	{ 0, 1, 1001, 0, 9, false },	/* his other port */
	{ 0, 1, 1000, 3, 9, false },	/* the same link-local address on another link */
	{ 0, 1, 1000, 0, 8, false },	/* another address of ours */
};

START_TEST(all_of_both_addresses_and_the_socket_count)
{
	struct flows flows = new_flows();
	struct flow_queue queue = { .oldest = NULL };
	struct flow flow = { .listener = listener(0), .peer = peer_of(1, 1000, 0),
		.local = peer_of(9, 7, 0) };
	const struct peer peer = peer_of(others[_i].host, others[_i].port, others[_i].scope);
	const struct peer local = peer_of(others[_i].local, 7, 0);

	flow_add(&flows, &flow, &queue, 1);
	ck_assert_ptr_eq(flow_find(&flows, listener(others[_i].listener), &peer, &local),
	    others[_i].found ? &flow : NULL);
	ck_assert_int_eq(flow_is_of(&flow, &peer, &local), others[_i].found || others[_i].listener != 0);
	flow_remove(&flows, &flow);
	ck_assert_ptr_null(flow_find(&flows, listener(0), &flow.peer, &flow.local));
	flows_finish(&flows);
}
END_TEST

START_TEST(what_is_not_in_the_table_can_be_removed_and_touched)
{
	struct flows flows = new_flows();
	struct flow_queue queue = { .oldest = NULL };
	struct flow flow = { .listener = listener(0) };

	flow_remove(&flows, &flow);
	flow_add(&flows, &flow, &queue, 1);
	flow_remove(&flows, &flow);
	flow_remove(&flows, &flow);
	ck_assert_ptr_null(queue.oldest);
	ck_assert_ptr_null(queue.newest);
	flows_finish(&flows);
}
END_TEST

START_TEST(touched_one_is_the_newest)
{
	struct flows flows = new_flows();
	struct flow_queue queue = { .oldest = NULL };
	struct flow flow[3];

	for (unsigned i = 0; i < 3; i++) {
		flow[i] = (struct flow){ .listener = listener(0), .peer = peer_of(1, 1000 + i, 0) };
		flow_add(&flows, &flow[i], &queue, i);
	}
	flow_touch(&flow[1], 10);	/* 0 2 1 */
	flow_touch(&flow[1], 11);
	ck_assert_uint_eq(flow[1].last_ms, 11);
	flow_touch(&flow[0], 12);	/* 2 1 0 */
	ck_assert_ptr_eq(queue.oldest, &flow[2]);
	ck_assert_ptr_eq(queue.newest, &flow[0]);
	ck_assert_ptr_eq(flow[2].newer, &flow[1]);
	ck_assert_ptr_eq(flow[0].older, &flow[1]);
	flow_remove(&flows, &flow[2]);
	ck_assert_ptr_eq(queue.oldest, &flow[1]);
	flow_remove(&flows, &flow[0]);
	ck_assert_ptr_eq(queue.newest, &flow[1]);
	flows_finish(&flows);
}
END_TEST

/* --- many, against a model */

struct model {
	struct flow	 flow[FLOWS];
	bool		 there[FLOWS];
	uint64_t	 touched[FLOWS];
	struct flow_queue queue[2];
};

/* Few hosts and ports, so that most addresses differ in one thing only. */
static struct flow
nth(unsigned i)
{
	return (struct flow){ .listener = listener(i % 4), .peer = peer_of(i / 4 % 4, 1000 + i / 16 % 8, 0),
		.local = peer_of(100 + i / 128 % 4, 7, 0) };
}

static void
step(struct flows *flows, struct model *model, unsigned i, unsigned what, uint64_t now)
{
	if (!model->there[i]) {
		model->flow[i] = nth(i);
		flow_add(flows, &model->flow[i], &model->queue[i % 2], now);
		model->there[i] = true;
		model->touched[i] = now;
	} else if (what == 0) {
		flow_remove(flows, &model->flow[i]);
		model->there[i] = false;
	} else {
		flow_touch(&model->flow[i], now);
		model->touched[i] = now;
	}
}

static void
must_agree(const struct flows *flows, struct model *model)
{
	unsigned there = 0, queued = 0;

	for (unsigned i = 0; i < FLOWS; i++) {
		const struct flow key = nth(i);

		ck_assert_ptr_eq(flow_find(flows, key.listener, &key.peer, &key.local),
		    model->there[i] ? &model->flow[i] : NULL);
		there += model->there[i];
	}
	for (unsigned q = 0; q < 2; q++) {
		const struct flow *before = NULL;

		for (const struct flow *f = model->queue[q].oldest; f != NULL; before = f, f = f->newer) {
			ck_assert_ptr_eq(f->older, before);
			ck_assert_uint_eq(f->last_ms, model->touched[f - model->flow]);
			ck_assert(before == NULL || before->last_ms < f->last_ms);
			queued++;
		}
		ck_assert_ptr_eq(model->queue[q].newest, before);
	}
	ck_assert_uint_eq(queued, there);
}

START_TEST(table_agrees_with_a_model)
{
	static struct model model;
	struct flows flows = new_flows();
	uint32_t random = 4711;

	for (unsigned i = 0; i < STEPS; i++) {
		step(&flows, &model, unit_random(&random, FLOWS), unit_random(&random, 3), i + 1);
		if (i % 1000 == 0)
			must_agree(&flows, &model);
	}
	must_agree(&flows, &model);
	flows_finish(&flows);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("flow");
	TCase *one = unit_case(suite, "one"), *many = unit_case(suite, "many");

	tcase_add_loop_test(one, all_of_both_addresses_and_the_socket_count, 0, ROWS(others));
	tcase_add_test(one, what_is_not_in_the_table_can_be_removed_and_touched);
	tcase_add_test(one, touched_one_is_the_newest);
	tcase_add_test(many, table_agrees_with_a_model);
	return unit_run(suite);
}
