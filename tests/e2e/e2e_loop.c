/*
 * The loop gives all their turn: a long queue that is drained, listeners that
 * wait for one thing and are released by another, and a reload that replaces
 * everything at once.
 */
#include "harness.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- a removed address with a long queue */

/* The service of the next start in the log, or NULL behind the last one. */
static const char *
next_start(const char **at)
{
	static const char want[] = " start service=";
	static char name[32];

	if ((*at = strstr(*at, want)) == NULL)
		return NULL;
	*at += strlen(want);
	snprintf(name, sizeof name, "%.*s", (int)strcspn(*at, " \n"), *at);
	return name;
}

/* How often the log goes from a start of one service to a start of the other. */
static unsigned
turns(struct daemon *d)
{
	const char *at = d->log, *name;
	char before[32] = "";
	unsigned count = 0;

	while ((name = next_start(&at)) != NULL) {
		count += strcmp(name, before) != 0;
		snprintf(before, sizeof before, "%s", name);
	}
	return count;
}

/*
 * Both queues are much longer than what is taken from one of them in a turn.
 * With turns for all the services alternate; without, the removed one is drained
 * in one go, so that the log changes from one to the other twice at the most.
 */
START_TEST(long_queue_of_a_removed_service_lets_others_have_their_turn)
{
	enum { GONE = 300, STAY = 150, TURNS = 8 };
	static const char stay[] = "[defaults]\nmax_sessions = 1000\nmax_per_source = unlimited\n"
	    "[services]\nstay = 127.0.0.1:0 true\n";
	struct daemon *d = daemon_start("%sgone = 127.0.0.1:0 true\n", stay);
	const char *gone_at = address_of(d, "gone", 0), *stay_at = address_of(d, "stay", 0);
	int gone[GONE], other[STAY];

	must(kill(d->pid, SIGSTOP) == 0);
	for (int i = 0; i < GONE; i++)
		gone[i] = dial_to(gone_at);
	for (int i = 0; i < STAY; i++)
		other[i] = dial_to(stay_at);
	daemon_write(d, "%s", stay);
	must(kill(d->pid, SIGHUP) == 0 && kill(d->pid, SIGCONT) == 0);
	for (int i = 0; i < GONE; i++)
		expect_end(gone[i]);
	for (int i = 0; i < STAY; i++)
		expect_end(other[i]);
	await_count(d, GONE, "start", "service=gone");
	await_count(d, STAY, "start", "service=stay");
	if (turns(d) < TURNS)
		flunk("the services had %u turns of %d and more", turns(d), TURNS);
	daemon_stop(d);
}
END_TEST

/* --- who is parked is woken */

static const char two[] = "[superd]\nmax_sessions = %d\n[services]\na = 127.0.0.1:0 hold a\n"
    "b = 127.0.0.1:0 hold b\n[a]\nmax_sessions = 2\nmax_per_source = unlimited\n";

START_TEST(limit_of_all_lowered_while_a_client_waits_for_its_service)
{
	struct daemon *d = daemon_new();
	int a[3], b[4], last;

	daemon_write(d, two, 10);
	daemon_run(d, NULL);
	daemon_ready(d);
	for (int i = 0; i < 2; i++)
		expect(a[i] = dial(d, "a"), "a\n");
	for (int i = 0; i < 4; i++)
		expect(b[i] = dial(d, "b"), "b\n");
	a[2] = dial(d, "a");
	await_log(d, "full", "service=a");
	daemon_reload(d, two, 3);
	for (int i = 0; i < 2; i++)
		close(a[i]);
	await_count(d, 2, "exit", "service=a");
	must(silent(a[2]));			/* four are alive, three may be */
	last = dial(d, "b");
	for (int i = 0; i < 4; i++)
		close(b[i]);
	expect(a[2], "a\n");
	expect(last, "b\n");
	daemon_stop(d);
}
END_TEST

START_TEST(all_who_wait_in_many_services_are_served_in_the_end)
{
	enum { EACH = 12 };
	struct daemon *d = daemon_new();
	int fds[2 * EACH], first;

	daemon_write(d, two, 4);
	daemon_run(d, NULL);
	daemon_ready(d);
	first = dial(d, "a");
	expect(first, "a\n");
	for (int i = 0; i < EACH; i++) {
		fds[2 * i] = dial(d, "a");
		fds[2 * i + 1] = dial(d, "b");
	}
	await_log(d, "full", "service=a");
	await_log(d, "full", "service=b");
	daemon_reload(d, two, 1);
	close(first);
	for (int i = 0; i < 2 * EACH; i++)
		must(shutdown(fds[i], SHUT_WR) == 0);	/* each ends as soon as it is served */
	for (int i = 0; i < 2 * EACH; i++) {
		expect(fds[i], i % 2 == 0 ? "a\n" : "b\n");
		expect_end(fds[i]);
	}
	daemon_stop(d);
}
END_TEST

/* --- full, and room again */

static const char one[] = "[services]\nhold = 127.0.0.1:0 hold\n[hold]\nmax_sessions = %d\n"
    "max_per_source = unlimited\n";

START_TEST(service_that_was_full_has_room_after_its_limit_was_raised)
{
	struct daemon *d = daemon_new();
	int fds[3];

	daemon_write(d, one, 1);
	daemon_run(d, NULL);
	daemon_ready(d);
	expect(fds[0] = dial(d, "hold"), "held\n");
	fds[1] = dial(d, "hold");
	await_log(d, "full", "service=hold", "live=1");
	daemon_reload(d, one, 10);
	await_log(d, "room", "service=hold");
	expect(fds[1], "held\n");
	log_mark(d);
	must(kill(d->pid, SIGUSR1) == 0);
	await_log(d, "status", "service=hold", "live=2", "state=serving");
	await_log(d, "status", "service=hold", "address=*", "state=listening");
	d->mark = 0;
	expect(fds[2] = dial(d, "hold"), "held\n");
	await(log_count(d, "full", NULL) == 1 && log_count(d, "room", NULL) == 1);
	daemon_stop(d);
}
END_TEST

/* What is told once a minute is the event; the status says what is. */
START_TEST(service_that_is_full_twice_in_a_minute_says_so_in_its_status)
{
	struct daemon *d = daemon_start(one, 1);
	int first, second;

	for (int round = 0; round < 2; round++) {
		expect(first = dial(d, "hold"), "held\n");
		second = dial(d, "hold");
		log_mark(d);
		await((kill(d->pid, SIGUSR1), log_find(d, "status", "service=hold", "address=*",
		    "state=full", NULL)) != NULL);
		await_log(d, "status", "service=hold", "live=1", "state=full");
		close(first);
		expect(second, "held\n");
		close(second);
		await((kill(d->pid, SIGUSR1), log_find(d, "status", "service=hold", "live=0",
		    "state=serving", NULL)) != NULL);
	}
	d->mark = 0;
	await(log_count(d, "full", NULL) == 1 && log_count(d, "room", NULL) == 1);
	daemon_stop(d);
}
END_TEST

/* --- everything is replaced */

static void
tight_descriptors(void)
{
	/* Programs and log have few; superd raises its own as far as it is allowed. */
	const struct rlimit limit = { .rlim_cur = 64, .rlim_max = 1000 };

	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		_exit(125);
}

static void
hundred_services(char *text, size_t size, char prefix)
{
	size_t len = (size_t)snprintf(text, size, "[superd]\nmax_sessions = 100\n"
	    "[defaults]\nstderr = null\n[services]\n");

	for (int i = 0; i < 100; i++)
		len += (size_t)snprintf(text + len, size - len, "%c%d = 127.0.0.1:0 hold\n", prefix, i);
}

START_TEST(hundred_addresses_are_replaced_within_a_tight_limit)
{
	struct daemon *d = daemon_new();
	char text[8192];
	int old;

	hundred_services(text, sizeof text, 'a');
	daemon_write(d, "%s", text);
	daemon_run(d, &(struct start){ .prepare = tight_descriptors });
	daemon_ready(d);
	expect(old = dial(d, "a50"), "held\n");
	hundred_services(text, sizeof text, 'b');
	daemon_reload(d, "%s", text);
	await_log(d, "reload", "kept=0", "added=100", "removed=100");
	must(log_find(d, "error", NULL) == NULL);
	for (int i = 0; i < 100; i += 9) {
		char name[16];

		snprintf(name, sizeof name, "b%d", i);
		expect(dial(d, name), "held\n");
	}
	must(silent(old));
	daemon_stop(d);
}
END_TEST

/* While another superd has a session that lasts for a second; one ring of an old alarm may be heard. */
START_TEST(idle_superd_is_not_woken)
{
	enum { FEW = 5 };
	struct daemon *d = daemon_start("[services]\na = 127.0.0.1:0 true\n");
	struct daemon *other = daemon_start("[services]\nb = 127.0.0.1:0 sleep 60\n[b]\ntimeout = 1s\n");
	long before;

	for (int i = 0; i < 3; i++)
		expect_end(dial(d, "a"));
	await_count(d, 3, "exit", "service=a");
	before = context_switches(d->pid);
	expect_end(dial(other, "b"));
	must(context_switches(d->pid) - before <= FEW);
	daemon_stop(other);
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_loop");

	add_case(suite, "turns", NEEDS_NOTHING,
	    TESTS(long_queue_of_a_removed_service_lets_others_have_their_turn));
	add_case(suite, "idle", NEEDS_PROC | NEEDS_NO_VALGRIND, TESTS(idle_superd_is_not_woken));
	add_case(suite, "parked", NEEDS_NOTHING,
	    TESTS(limit_of_all_lowered_while_a_client_waits_for_its_service,
	    all_who_wait_in_many_services_are_served_in_the_end));
	add_case(suite, "room", NEEDS_NOTHING,
	    TESTS(service_that_was_full_has_room_after_its_limit_was_raised,
	    service_that_is_full_twice_in_a_minute_says_so_in_its_status));
	add_case(suite, "replaced", NEEDS_NO_VALGRIND,
	    TESTS(hundred_addresses_are_replaced_within_a_tight_limit));
	return run_suite(suite);
}
