/* The loop: real pipes, removal at every moment, and pools. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "loop.h"
#include "unit.h"

/* A pipe in the loop that writes down when it was called. */
struct pipe_source {
	struct watch	 watch;
	int		 ends[2];
	unsigned	 calls;
	void		(*then)(struct pipe_source *);
};

static struct loop loop;
static struct pool pool;
static struct pipe_source pipes[3 * EVENTS_BATCH];

static void
ready(struct watch *source)
{
	struct pipe_source *one = container_of(source, struct pipe_source, watch);

	one->calls++;
	if (one->then != NULL)
		one->then(one);
}

static void
pipe_add(struct pipe_source *one, struct pool *to)
{
	ck_assert_int_eq(pipe(one->ends), 0);
	ck_assert_int_eq(watch_add(&one->watch, to, one->ends[0], ready), 0);
}

static void
pipe_write(struct pipe_source *one)
{
	ck_assert_int_eq(write(one->ends[1], "x", 1), 1);
}

static void
drain(struct pipe_source *one)
{
	char byte;

	ck_assert_int_eq(read(one->ends[0], &byte, 1), 1);
}

static void
turn(void)
{
	ck_assert_int_eq(loop_turn(&loop, 0), 0);
}

static void
setup(void)
{
	ck_assert_int_eq(loop_init(&loop), 0);
	pool_init(&pool, &loop);
	memset(pipes, 0, sizeof pipes);
}

static void
teardown(void)
{
	loop_finish(&loop);
}

START_TEST(only_what_can_be_read_is_called)
{
	pipe_add(&pipes[0], &loop.pool);
	pipe_add(&pipes[1], &loop.pool);
	turn();
	ck_assert_uint_eq(pipes[0].calls, 0);
	pipe_write(&pipes[0]);
	turn();
	turn();				/* it is not read: it stays ready */
	ck_assert_uint_eq(pipes[0].calls, 2);
	pipes[0].then = drain;
	turn();
	turn();
	ck_assert_uint_eq(pipes[0].calls, 3);
	ck_assert_uint_eq(pipes[1].calls, 0);
	close(pipes[1].ends[1]);	/* end-of-file is something to read */
	turn();
	ck_assert_uint_eq(pipes[1].calls, 1);
}
END_TEST

static void
remove_itself(struct pipe_source *one)
{
	watch_remove(&one->watch);
}

START_TEST(a_source_may_remove_itself)
{
	struct pool *pools[] = { &loop.pool, &pool };

	pipe_add(&pipes[0], pools[_i]);
	pipes[0].then = remove_itself;
	pipe_write(&pipes[0]);
	turn();
	turn();
	ck_assert_uint_eq(pipes[0].calls, 1);
	ck_assert_ptr_null(pipes[0].watch.pool);
	watch_remove(&pipes[0].watch);	/* allowed: it is not there */
	ck_assert_int_eq(watch_add(&pipes[0].watch, pools[_i], pipes[0].ends[0], ready), 0);
	turn();
	ck_assert_uint_eq(pipes[0].calls, 2);
}
END_TEST

static void
remove_all(struct pipe_source *one)
{
	(void)one;
	for (int i = 0; i < EVENTS_BATCH; i++)
		watch_remove(&pipes[i].watch);
}

/* All are ready in the same batch; the first that is called removes them all. */
START_TEST(who_is_removed_is_not_called_from_the_same_batch)
{
	struct pool *pools[] = { &loop.pool, &pool };
	unsigned calls = 0;

	for (int i = 0; i < EVENTS_BATCH; i++) {
		pipe_add(&pipes[i], pools[_i]);
		pipes[i].then = remove_all;
		pipe_write(&pipes[i]);
	}
	turn();
	turn();
	for (int i = 0; i < EVENTS_BATCH; i++)
		calls += pipes[i].calls;
	ck_assert_uint_eq(calls, 1);
}
END_TEST

/* Closed and freed at once: nothing may touch the memory afterwards (asan would tell). */
static void
remove_the_other(struct pipe_source *one)
{
	struct pipe_source *gone = &pipes[one == &pipes[0]];

	watch_remove(&gone->watch);
	close(gone->ends[0]);
	close(gone->ends[1]);
	memset(gone, 0xff, sizeof *gone);
}

START_TEST(one_source_may_end_another)
{
	for (int i = 0; i < 2; i++) {
		pipe_add(&pipes[i], &loop.pool);
		pipes[i].then = remove_the_other;
		pipe_write(&pipes[i]);
	}
	turn();
	ck_assert_int_eq(pipes[0].calls == 1, pipes[1].calls != 1);
}
END_TEST

/* Removed and added again in one callback: it comes again, but not from the old batch twice. */
static void
add_again(struct pipe_source *one)
{
	watch_remove(&one->watch);
	ck_assert_int_eq(watch_add(&one->watch, &loop.pool, one->ends[0], ready), 0);
}

START_TEST(a_source_may_be_added_anew_while_it_is_called)
{
	pipe_add(&pipes[0], &loop.pool);
	pipes[0].then = add_again;
	pipe_write(&pipes[0]);
	for (unsigned i = 1; i <= 5; i++) {
		turn();
		ck_assert_uint_eq(pipes[0].calls, i);
	}
}
END_TEST

START_TEST(more_than_a_batch_is_all_served)
{
	for (int i = 0; i < ROWS(pipes); i++) {
		pipe_add(&pipes[i], &pool);
		pipes[i].then = drain;
		pipe_write(&pipes[i]);
	}
	for (int i = 0; i < 3; i++)
		turn();
	for (int i = 0; i < ROWS(pipes); i++)
		ck_assert_uint_eq(pipes[i].calls, 1);
}
END_TEST

START_TEST(a_paused_pool_keeps_what_is_ready)
{
	pipe_add(&pipes[0], &pool);
	pipe_add(&pipes[1], &loop.pool);
	pipe_write(&pipes[0]);
	pipe_write(&pipes[1]);
	pool_pause(&pool);
	pool_pause(&pool);
	turn();
	ck_assert_uint_eq(pipes[0].calls, 0);
	ck_assert_uint_eq(pipes[1].calls, 1);
	pipe_add(&pipes[2], &pool);	/* also one that comes during the pause */
	pipe_write(&pipes[2]);
	pool_resume(&pool);
	pool_resume(&pool);
	turn();
	ck_assert_uint_eq(pipes[0].calls, 1);
	ck_assert_uint_eq(pipes[2].calls, 1);
}
END_TEST

static void
pause_pool(struct pipe_source *one)
{
	drain(one);
	pool_pause(&pool);
}

/* "Out of descriptors" is found out within a batch: its other events must wait, and come later. */
START_TEST(a_pause_ends_the_batch_at_hand)
{
	unsigned calls = 0;

	for (int i = 0; i < 10; i++) {
		pipe_add(&pipes[i], &pool);
		pipes[i].then = pause_pool;
		pipe_write(&pipes[i]);
	}
	for (unsigned i = 1; i <= 10; i++) {
		turn();
		turn();
		calls = 0;
		for (int j = 0; j < 10; j++)
			calls += pipes[j].calls;
		ck_assert_uint_eq(calls, i);
		pool_resume(&pool);
	}
	turn();
	ck_assert_uint_eq(calls, 10);
}
END_TEST

static void
pause_and_resume(struct pipe_source *one)
{
	pause_pool(one);
	pool_resume(&pool);
}

START_TEST(a_pause_may_end_in_the_callback_that_began_it)
{
	for (int i = 0; i < 10; i++) {
		pipe_add(&pipes[i], &pool);
		pipes[i].then = pause_and_resume;
		pipe_write(&pipes[i]);
	}
	for (int i = 0; i < 10; i++)
		turn();
	for (int i = 0; i < 10; i++)
		ck_assert_uint_eq(pipes[i].calls, 1);
}
END_TEST

START_TEST(descriptors_that_cannot_be_waited_for_are_refused)
{
	int fd = open("/dev/null", O_RDONLY);

	ck_assert_int_eq(watch_add(&pipes[0].watch, &loop.pool, -1, ready), -1);
	ck_assert_int_eq(watch_add(&pipes[0].watch, &loop.pool, fd, ready), -1);
	ck_assert_ptr_null(pipes[0].watch.pool);
	turn();
	close(fd);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("loop");
	TCase *sources = unit_case(suite, "sources");

	tcase_add_checked_fixture(sources, setup, teardown);
	tcase_add_test(sources, only_what_can_be_read_is_called);
	tcase_add_loop_test(sources, a_source_may_remove_itself, 0, 2);
	tcase_add_loop_test(sources, who_is_removed_is_not_called_from_the_same_batch, 0, 2);
	tcase_add_test(sources, one_source_may_end_another);
	tcase_add_test(sources, a_source_may_be_added_anew_while_it_is_called);
	tcase_add_test(sources, more_than_a_batch_is_all_served);
	tcase_add_test(sources, a_paused_pool_keeps_what_is_ready);
	tcase_add_test(sources, a_pause_ends_the_batch_at_hand);
	tcase_add_test(sources, a_pause_may_end_in_the_callback_that_began_it);
	tcase_add_test(sources, descriptors_that_cannot_be_waited_for_are_refused);
	return unit_run(suite);
}
