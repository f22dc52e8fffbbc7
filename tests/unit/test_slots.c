/* Places for children that share superd's memory: given back whole, whenever the child goes. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "slots.h"
#include "unit.h"

#define LOOKS	200
#define TIMES	300000
#define SECONDS	2

static struct slots slots;
static _Atomic(struct slot *) started;		/* whose child is to go its way */
static atomic_bool over;
static atomic_bool called;			/* as by CHILD_CALL */

/* Both look all the time, so that they meet; on one processor the other must come to it, too. */
static void
give_way(void)
{
	static _Thread_local unsigned looks;

	if (++looks % LOOKS == 0)
		sched_yield();
}

/* So many times, or what the time is enough for where others have the processors. */
static bool
once_more(int i)
{
	static struct timespec begun;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (i == 0)
		begun = now;
	return i < TIMES && now.tv_sec - begun.tv_sec < SECONDS;
}

/* What a child does as superd sees it: it has its own descriptors, and then its own memory. */
static void *
children(void *nothing)
{
	struct slot *slot;

	while (!atomic_load(&over)) {
		if ((slot = atomic_exchange(&started, NULL)) == NULL) {
			give_way();
			continue;
		}
		if (child_is_apart(&slot->child))
			atomic_store(&called, true);
		atomic_store_explicit(&slot->lives, 0, memory_order_release);
	}
	return nothing;
}

static struct slot *
take(int fd)
{
	struct slot *slot = slots_take(&slots);

	ck_assert_ptr_nonnull(slot);
	slot->child.in = slot->child.out = fd;
	slot->child.awaited = &slots.awaited;
	return slot;
}

START_TEST(connection_is_open_until_the_child_is_apart)
{
	int fd = open("/dev/null", O_RDONLY);
	struct slot *slot;

	ck_assert_int_eq(slots_init(&slots), 0);
	slot = take(fd);
	slots_close(&slots, fd);
	ck_assert(slots_settle(&slots));
	ck_assert(atomic_load(&slots.awaited));		/* whoever is apart from now on calls */
	ck_assert_int_ne(fcntl(fd, F_GETFD), -1);
	atomic_store(&slot->child.apart, true);
	ck_assert(!slots_settle(&slots));
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	ck_assert_ptr_eq(slots.busy, slot);		/* it has its stack there still */
	atomic_store(&slot->lives, 0);
	ck_assert(!slots_settle(&slots));
	ck_assert_ptr_eq(slots.free, slot);
	ck_assert_ptr_eq(take(fd), slot);
	ck_assert(!atomic_load(&slots.awaited));	/* superd is awake, and looks before it sleeps */
	slots_give_back(&slots, slot);
	slots_finish(&slots);
}
END_TEST

/* A client waits for the end of a connection that is forgotten here. */
START_TEST(child_may_go_while_it_is_looked_at)
{
	int null = open("/dev/null", O_RDONLY), fd = 100;
	pthread_t thread;
	struct slot *slot;

	ck_assert_int_eq(slots_init(&slots), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, children, NULL), 0);
	for (int i = 0; once_more(i); i++) {
		ck_assert_int_eq(dup2(null, fd), fd);
		slot = take(fd);
		slots_close(&slots, fd);
		atomic_store(&started, slot);
		while (slots.busy != NULL) {
			(void)slots_settle(&slots);
			give_way();
		}
		ck_assert_msg(fcntl(fd, F_GETFD) == -1, "forgotten after %d children", i);
	}
	atomic_store(&over, true);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	slots_finish(&slots);
}
END_TEST

/* Who sleeps although the child has gone by would sleep for ever. */
START_TEST(child_that_is_awaited_calls)
{
	int null = open("/dev/null", O_RDONLY), fd = 100;
	pthread_t thread;

	ck_assert_int_eq(slots_init(&slots), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, children, NULL), 0);
	for (int i = 0; once_more(i); i++) {
		ck_assert_int_eq(dup2(null, fd), fd);
		atomic_store(&called, false);
		atomic_store(&started, take(fd));
		slots_close(&slots, fd);
		while (slots_settle(&slots))
			while (!atomic_exchange(&called, false))	/* the sleep, until the time of the test is up */
				give_way();
	}
	atomic_store(&over, true);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	while (slots.busy != NULL)
		(void)slots_settle(&slots);
	slots_finish(&slots);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("slots");
	TCase *tcase = unit_case(suite, "slots");

	tcase_add_test(tcase, connection_is_open_until_the_child_is_apart);
	tcase_add_test(tcase, child_may_go_while_it_is_looked_at);
	tcase_add_test(tcase, child_that_is_awaited_calls);
	return unit_run(suite);
}
