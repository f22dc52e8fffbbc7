/* The loop's timers, in their order, moved, stopped, and against a model. */
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "loop.h"
#include "unit.h"

static struct loop loop;

static void
turn(void)
{
	ck_assert_int_eq(loop_turn(&loop, 0), 0);
}

static void
setup(void)
{
	ck_assert_int_eq(loop_init(&loop), 0);
}

static void
teardown(void)
{
	loop_finish(&loop);
}

/* Their time is loop.now, which the tests move; loop_turn sets it to the clock's. */

struct ticket {
	struct timer	timer;
	uint64_t	when;		/* as the model has it */
	bool		set;
};

static struct ticket tickets[2000];
static struct ticket *order[4 * 2000];
static unsigned fired;
static void (*on_due)(struct ticket *);

static void
due(struct timer *timer)
{
	struct ticket *ticket = container_of(timer, struct ticket, timer);

	ck_assert_uint_eq(timer->place, 0);	/* it can be set anew from here */
	ck_assert(ticket->set);
	ticket->set = false;
	order[fired++] = ticket;
	if (on_due != NULL)
		on_due(ticket);
}

static void
set(struct ticket *ticket, uint64_t ms)
{
	ck_assert_int_eq(timer_start(&loop, &ticket->timer, ms, due), 0);
	ticket->when = loop.now + ms + (ms > 0);
	ticket->set = true;
}

static void
unset(struct ticket *ticket)
{
	timer_stop(&loop, &ticket->timer);
	ck_assert_uint_eq(ticket->timer.place, 0);
	ticket->set = false;
}

/* As if ms had gone by: deadlines of the past are due at once, without any waiting. */
static void
let_pass(uint64_t ms)
{
	loop_tell_time(&loop);
	loop.now -= ms;
}

/* Whole milliseconds hide up to one: 500 ms must not be over after 499.2. */
START_TEST(no_timer_comes_early)
{
	struct timespec began, ended;

	for (long ns = 0; ns < 1000000; ns += 50000) {
		do
			clock_gettime(CLOCK_MONOTONIC, &began);
		while (began.tv_nsec % 1000000 < ns);
		loop_tell_time(&loop);
		fired = 0;
		set(&tickets[0], 2);
		while (fired == 0)
			ck_assert_int_eq(loop_turn(&loop, 0), 0);
		clock_gettime(CLOCK_MONOTONIC, &ended);
		ck_assert_int_ge((ended.tv_sec - began.tv_sec) * 1000000000L + ended.tv_nsec -
		    began.tv_nsec, 2000000);
	}
}
END_TEST

START_TEST(timers_come_in_their_order)
{
	static const uint64_t ms[] = { 50, 10, 30, 20, 40, 11, 10000000 };

	let_pass(1000);
	for (int i = 0; i < ROWS(ms); i++)
		set(&tickets[i], ms[i]);
	turn();
	ck_assert_uint_eq(fired, 6);
	for (unsigned i = 1; i < fired; i++)
		ck_assert_uint_le(order[i - 1]->when, order[i]->when);
	ck_assert(tickets[6].set);
	turn();
	ck_assert_uint_eq(fired, 6);
}
END_TEST

START_TEST(a_timer_is_never_early)
{
	set(&tickets[0], 3600 * 1000);
	turn();
	ck_assert_uint_eq(fired, 0);
	set(&tickets[0], 1);
	ck_assert_int_eq(loop_turn(&loop, -1), 0);	/* waits for it, and for nothing else */
	while (fired == 0)
		ck_assert_int_eq(loop_turn(&loop, -1), 0);
	ck_assert_uint_ge(loop.now, tickets[0].when);
}
END_TEST

START_TEST(alarm_of_a_stopped_timer_is_heard_once)
{
	struct pollfd alarm = { .events = POLLIN };

	do {
		fired = 0;
		set(&tickets[0], 20);
		turn();			/* the alarm is for it, if the machine was not too slow ... */
	} while (fired > 0);
	timer_stop(&loop, &tickets[0].timer);
	tickets[0].set = false;
	set(&tickets[1], 40);		/* ... and then for this one */
	while (fired == 0)
		ck_assert_int_eq(loop_turn(&loop, -1), 0);
	ck_assert_ptr_eq(order[0], &tickets[1]);
	ck_assert_uint_ge(loop.now, tickets[1].when);
	alarm.fd = loop.alarm.fd;
	ck_assert_int_eq(poll(&alarm, 1, 0), 0);
	ck_assert_uint_eq(loop.armed, 0);
}
END_TEST

START_TEST(a_timer_can_be_moved_and_stopped)
{
	let_pass(1000);
	set(&tickets[0], 10);
	set(&tickets[1], 20);
	set(&tickets[2], 30);
	set(&tickets[3], 40);
	set(&tickets[0], 35);		/* behind */
	set(&tickets[3], 5);		/* before */
	unset(&tickets[1]);
	unset(&tickets[1]);		/* allowed: it is not set */
	turn();
	ck_assert_uint_eq(fired, 3);
	ck_assert_ptr_eq(order[0], &tickets[3]);
	ck_assert_ptr_eq(order[1], &tickets[2]);
	ck_assert_ptr_eq(order[2], &tickets[0]);
}
END_TEST

static void
stop_the_next(struct ticket *ticket)
{
	if (ticket == &tickets[0])
		unset(&tickets[1]);
}

START_TEST(a_timer_that_is_stopped_by_another_does_not_come)
{
	on_due = stop_the_next;
	let_pass(1000);
	for (int i = 0; i < 3; i++)
		set(&tickets[i], (uint64_t)i + 1);
	turn();
	ck_assert_uint_eq(fired, 2);
	ck_assert_ptr_eq(order[1], &tickets[2]);
}
END_TEST

static void
start_again(struct ticket *ticket)
{
	if (fired < 5)
		set(ticket, 60 * 1000);
}

START_TEST(a_timer_may_set_itself_anew)
{
	on_due = start_again;
	let_pass(1000);
	set(&tickets[0], 10);
	turn();
	ck_assert_uint_eq(fired, 1);
	ck_assert(tickets[0].set);
	ck_assert_uint_ne(tickets[0].timer.place, 0);
	turn();
	ck_assert_uint_eq(fired, 1);
}
END_TEST

static void
stop_first_timer(struct watch *watch)
{
	char byte;

	ck_assert_int_eq(read(watch->fd, &byte, 1), 1);
	unset(&tickets[0]);
}

/* Sources come first: a session that ends is not ended by its deadline as well. */
START_TEST(a_source_may_stop_a_timer_that_is_due)
{
	struct watch watch = { .pool = NULL };
	int ends[2];

	let_pass(1000);
	set(&tickets[0], 10);
	set(&tickets[1], 20);
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(watch_add(&watch, &loop.pool, ends[0], stop_first_timer), 0);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	turn();
	ck_assert_uint_eq(fired, 1);
	ck_assert_ptr_eq(order[0], &tickets[1]);
}
END_TEST

static void
set_at_once(struct ticket *ticket)
{
	set(ticket, 0);
}

/* Whoever works in batches by timers of 0 ms must let the descriptors have their turn between two. */
START_TEST(a_timer_of_no_time_waits_for_the_next_turn)
{
	on_due = set_at_once;
	set(&tickets[0], 0);
	turn();
	ck_assert_uint_eq(fired, 1);
	let_pass(0);
	ck_assert_int_eq(loop_turn(&loop, 1000), 0);
	ck_assert_uint_eq(fired, 2);
}
END_TEST

START_TEST(reserved_timers_need_no_memory)
{
	struct timer **heap;

	ck_assert_int_eq(loop_reserve(&loop, 500), 0);
	heap = loop.heap;
	for (int i = 0; i < 500; i++)
		set(&tickets[i], 1000000);
	ck_assert_ptr_eq(loop.heap, heap);
	ck_assert_int_eq(loop_reserve(&loop, 10), 0);	/* never less */
	ck_assert_uint_eq(loop.room, 500);
}
END_TEST

/* What the model says must have come by now, in its order; and nothing else has. */
static void
check_model(uint64_t now)
{
	unsigned set_count = 0;

	for (unsigned i = 0; i < fired; i++) {
		ck_assert_uint_le(order[i]->when, now);
		ck_assert(i == 0 || order[i - 1]->when <= order[i]->when);
	}
	for (int i = 0; i < ROWS(tickets); i++) {
		set_count += tickets[i].set;
		ck_assert_msg(!tickets[i].set || tickets[i].when > now, "timer %d did not come", i);
		ck_assert_int_eq(tickets[i].set, tickets[i].timer.place != 0);
		if (tickets[i].set)
			ck_assert_uint_eq(tickets[i].timer.when, tickets[i].when);
	}
	ck_assert_uint_eq(loop.timers, set_count);
}

START_TEST(many_timers_agree_with_a_model)
{
	uint32_t seed = 77 + (uint32_t)_i;

	for (int round = 0; round < 200; round++) {
		let_pass(1000000);
		fired = 0;
		for (int step = 0; step < 300; step++) {
			struct ticket *ticket = &tickets[unit_random(&seed, ROWS(tickets))];

			if (unit_random(&seed, 3) == 0)
				unset(ticket);
			else	/* half of them in the past; the others in more than an hour */
				set(ticket, unit_random(&seed, 2) == 0 ? unit_random(&seed, 500000) :
				    5000000 + unit_random(&seed, 500000));
		}
		turn();
		check_model(loop.now);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("loop_timers");
	TCase *tcase = unit_case(suite, "timers");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, no_timer_comes_early);
	tcase_add_test(tcase, timers_come_in_their_order);
	tcase_add_test(tcase, a_timer_is_never_early);
	tcase_add_test(tcase, alarm_of_a_stopped_timer_is_heard_once);
	tcase_add_test(tcase, a_timer_can_be_moved_and_stopped);
	tcase_add_test(tcase, a_timer_that_is_stopped_by_another_does_not_come);
	tcase_add_test(tcase, a_timer_may_set_itself_anew);
	tcase_add_test(tcase, a_source_may_stop_a_timer_that_is_due);
	tcase_add_test(tcase, a_timer_of_no_time_waits_for_the_next_turn);
	tcase_add_test(tcase, reserved_timers_need_no_memory);
	tcase_add_loop_test(tcase, many_timers_agree_with_a_model, 0, 3);
	return unit_run(suite);
}
