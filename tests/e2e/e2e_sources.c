/*
 * What superd remembers of sources: bans of a sensor, counts that survive every
 * way in which a session can end or fail to begin, and no more memory after
 * twenty thousand refusals than before.
 */
#include "harness_admission.h"

#include <sys/stat.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- sensor: in a network where 192.0.2.0/24 and 2001:db8::/32 reach superd and are not its own */

static const char sensor_ini[] = "[services]\ntrap = 0 hold\nhold = 0 hold\nmore = 0 hold\n"
    "[trap]\nsensor = %s\ndeny = 192.0.2.66\n";

static struct daemon *
start_sensor(const char *duration)
{
	enter_netns();
	route_to_lo("192.0.2.0/24");
	route_to_lo("2001:db8::/32");
	return daemon_start(sensor_ini, duration);
}

START_TEST(who_touches_the_sensor_is_refused_everywhere)
{
	struct daemon *d = start_sensor("1h");
	int before = must_serve(d, "hold", "192.0.2.7");

	must_refuse(d, "trap", "192.0.2.7", "sensor");
	must_refuse(d, "hold", "192.0.2.7", "sensor");
	must_refuse(d, "more", "192.0.2.7", "sensor");
	must_refuse(d, "trap", "192.0.2.7", "sensor");
	must_serve(d, "hold", "192.0.2.8");
	must_serve(d, "more", "127.0.0.7");
	must(silent(before));			/* what began before lives on */
	must(log_find(d, "start", "service=trap", NULL) == NULL);
	must(status_number(d, "hold", "refused_sensor") == 1);
	must(status_number(d, "trap", "refused_sensor") == 2);
	daemon_stop(d);
}
END_TEST

START_TEST(whole_source_of_ipv6_is_banned)
{
	struct daemon *d = start_sensor("1h");

	must_refuse(d, "trap", "2001:db8:1::1", "sensor");
	must_refuse(d, "hold", "2001:db8:1::ffff:2", "sensor");
	must_serve(d, "hold", "2001:db8:1:1::1");
	must_serve(d, "hold", "192.0.2.7");
	daemon_stop(d);
}
END_TEST

START_TEST(ban_heals_after_its_duration)
{
	struct daemon *d = start_sensor("1s");
	int fd;

	must_refuse(d, "trap", "192.0.2.7", "sensor");
	await(was_served(fd = call(d, "hold", "192.0.2.7")));
	hang_up_and_wait(d, fd);
	must_refuse(d, "trap", "192.0.2.7", "sensor");	/* and begins again */
	must_refuse(d, "trap", "192.0.2.8", "sensor");
	await(was_served(fd = call(d, "more", "192.0.2.8")));
	daemon_stop(d);
}
END_TEST

START_TEST(own_addresses_are_never_banned)
{
	struct daemon *d = start_sensor("1h");

	add_address("192.0.2.99/32");
	close(call(d, "trap", "127.0.0.1"));
	close(call(d, "trap", "127.9.9.9"));
	close(call(d, "trap", "::1"));
	close(call(d, "trap", "192.0.2.99"));
	must_serve(d, "hold", "127.0.0.1");
	must_serve(d, "hold", "127.9.9.9");
	must_serve(d, "hold", "::1");
	must_serve(d, "hold", "192.0.2.99");
	must(log_find(d, "refuse", "reason=sensor", NULL) == NULL);
	must_refuse(d, "trap", "192.0.2.98", "sensor");
	daemon_stop(d);
}
END_TEST

START_TEST(own_addresses_are_served_although_their_network_is_banned)
{
	struct daemon *d = start_sensor("1h");

	add_address("2001:db8:1::99/128");
	must_refuse(d, "trap", "2001:db8:1::1", "sensor");
	must_refuse(d, "hold", "2001:db8:1::2", "sensor");
	must_serve(d, "hold", "2001:db8:1::99");
	must_serve(d, "trap", "2001:db8:1::99");
	must_refuse(d, "hold", "2001:db8:1::1", "sensor");
	daemon_stop(d);
}
END_TEST

START_TEST(who_the_sensor_denies_is_not_banned)
{
	struct daemon *d = start_sensor("1h");

	must_refuse(d, "trap", "192.0.2.66", "denied");
	must_serve(d, "hold", "192.0.2.66");
	daemon_stop(d);
}
END_TEST

START_TEST(bans_survive_a_reload)
{
	struct daemon *d = start_sensor("1h");

	must_refuse(d, "trap", "192.0.2.7", "sensor");
	daemon_reload(d, sensor_ini, "1m");
	must_refuse(d, "hold", "192.0.2.7", "sensor");
	must_refuse(d, "trap", "192.0.2.7", "sensor");	/* a shorter ban does not end a longer one */
	must_serve(d, "hold", "192.0.2.8");
	daemon_stop(d);
}
END_TEST

START_TEST(ten_thousand_banned_sources_cost_no_more_than_their_table)
{
	enum { MANY = 10000, TABLE_KB = 4096 };
	struct daemon *d;
	char source[64];
	long before;
	unsigned fds;

	enter_netns();
	route_to_lo("10.0.0.0/8");
	d = daemon_start(sensor_ini, "1h");
	must_refuse(d, "trap", "10.9.9.9", "sensor");
	before = writable_kb(d->pid);
	fds = open_descriptors(d->pid);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(source, sizeof source, "10.1.%u.%u", i >> 8, i & 255);
		expect_end(call(d, "trap", source));
	}
	must(status_number(d, "trap", "refused_sensor") == MANY + 1);
	must(!was_served(call(d, "hold", "10.1.0.0")));
	must(!was_served(call(d, "hold", source)));
	must(!memory_is_superds_own() || writable_kb(d->pid) - before < TABLE_KB);
	must(open_descriptors(d->pid) == fds && children_of(d->pid, 0) == 0);
	must_serve(d, "hold", "10.2.0.1");
	daemon_stop(d);
}
END_TEST

/* --- no way to end, or not to begin, costs a source its place */

/* Two sessions from 127.0.0.7 are served, the third is not: no place is lost, and none too many. */
static void
must_have_two_places(struct daemon *d)
{
	int first = must_serve(d, "hold", "127.0.0.7"), second = must_serve(d, "hold", "127.0.0.7");

	must_refuse(d, "hold", "127.0.0.7", "max_per_source");
	hang_up_and_wait(d, first);
	hang_up_and_wait(d, second);
	must(status_number(d, "hold", "live") == 0);
}

START_TEST(killed_sessions_give_the_places_of_their_source_back)
{
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n"
	    "[hold]\nmax_per_source = 2\nmax_sessions = 3\n");

	for (int round = 0; round < 3; round++) {
		int fds[2] = { must_serve(d, "hold", "127.0.0.7"), must_serve(d, "hold", "127.0.0.7") };
		char remote[2][64];

		for (int i = 0; i < 2; i++) {
			snprintf(remote[i], sizeof remote[i], "remote=%s", name_of(fds[i]));
			await_log(d, "start", remote[i]);
			must(kill((pid_t)log_number(log_line(d, "start", remote[i], NULL), "pid"), SIGKILL) == 0);
		}
		await_log(d, "exit", remote[0], "~KILL");
		await_log(d, "exit", remote[1], "~KILL");
		close(fds[0]);
		close(fds[1]);
		must_have_two_places(d);
	}
	daemon_stop(d);
}
END_TEST

START_TEST(sessions_that_are_ended_by_superd_give_their_places_back)
{
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n"
	    "[hold]\nmax_per_source = 2\ntimeout = 3s\n");
	int first = must_serve(d, "hold", "127.0.0.7"), second = must_serve(d, "hold", "127.0.0.7");

	expect_end(first);
	expect_end(second);
	await_count(d, 2, "exit", "cause=timeout");
	daemon_reload(d, "[services]\nhold = 127.0.0.1:0 hold\n[hold]\nmax_per_source = 2\n");
	must_have_two_places(d);
	daemon_stop(d);
}
END_TEST

START_TEST(program_that_cannot_be_executed_gives_the_place_back)
{
	struct daemon *d = daemon_new();
	char hold[256], program[256];

	snprintf(hold, sizeof hold, "%s/hold", tools());
	snprintf(program, sizeof program, "%s/program", d->dir);
	copy_program(hold, program);
	daemon_write(d, "[services]\nhold = 127.0.0.1:0 %s\n[hold]\nmax_per_source = 2\n"
	    "max_sessions = 3\n", program);
	daemon_run(d, NULL);
	daemon_ready(d);
	must(unlink(program) == 0);
	for (unsigned i = 1; i <= 5; i++) {		/* more than there are places */
		expect_end(call(d, "hold", "127.0.0.7"));
		await_count(d, i, "failed", "service=hold", "stage=exec");
	}
	must(log_find(d, "refuse", NULL) == NULL);
	copy_program(hold, program);
	must_have_two_places(d);
	daemon_stop(d);
}
END_TEST

START_TEST(failed_fork_gives_the_place_back)
{
	const struct start how = { .uid = geteuid() == 0 ? unused_uid() : 0 };
	struct daemon *d = daemon_new();

	daemon_write(d, "[services]\nhold = 127.0.0.1:0 hold\n[hold]\nmax_per_source = 2\n"
	    "max_sessions = 3\n");
	daemon_run(d, &how);
	daemon_ready(d);
	limit_processes(d->pid, 1);
	for (unsigned i = 1; i <= 5; i++) {
		expect_end(call(d, "hold", "127.0.0.7"));
		await_count(d, i, "failed", "service=hold", "stage=fork");
	}
	must(log_find(d, "refuse", NULL) == NULL);
	limit_processes(d->pid, UINT64_MAX);
	must_have_two_places(d);
	daemon_stop(d);
}
END_TEST

START_TEST(places_are_counted_right_across_reloads)
{
	static const char text[] = "[services]\nhold = 127.0.0.1:0 hold\n[hold]\nmax_per_source = %s\n";
	struct daemon *d = daemon_start(text, "3");
	int fds[3];

	for (int i = 0; i < 3; i++)
		fds[i] = must_serve(d, "hold", "127.0.0.7");
	daemon_reload(d, text, "2");
	must_refuse(d, "hold", "127.0.0.7", "max_per_source");
	hang_up_and_wait(d, fds[0]);
	must_refuse(d, "hold", "127.0.0.7", "max_per_source");
	hang_up_and_wait(d, fds[1]);
	fds[0] = must_serve(d, "hold", "127.0.0.7");
	must_refuse(d, "hold", "127.0.0.7", "max_per_source");
	daemon_reload(d, text, "3");
	fds[1] = must_serve(d, "hold", "127.0.0.7");
	must_refuse(d, "hold", "127.0.0.7", "max_per_source");
	daemon_stop(d);
}
END_TEST

/* --- stamina */

enum { WARM_UP = 2000, REFUSALS = 20000, GROWTH_KB = 512 };

/* So many refusals, of as many sources or of the one that has the session. */
static void
refuse_many(struct daemon *d, bool same_source, unsigned from, unsigned count)
{
	const int port = port_of(address_of(d, "hold", 0));
	char source[32];

	for (unsigned i = from; i < from + count; i++) {
		snprintf(source, sizeof source, "127.1.%u.%u", i >> 8, i & 255);
		expect_end(dial_from(same_source ? "127.0.0.7" : source, port));
	}
}

/* Twenty thousand of them, while one session lives, leave nothing behind. */
static void
must_leave_nothing(const char *keys, bool same_source, const char *counter)
{
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n[hold]\n%s", keys);
	int fd = must_serve(d, "hold", "127.0.0.7");
	unsigned descriptors;
	long writable;

	refuse_many(d, same_source, 0, WARM_UP);
	descriptors = open_descriptors(d->pid);
	writable = writable_kb(d->pid);
	refuse_many(d, same_source, WARM_UP, REFUSALS);
	must(status_number(d, "hold", counter) == WARM_UP + REFUSALS);
	must(open_descriptors(d->pid) == descriptors);
	must(!memory_is_superds_own() || writable_kb(d->pid) - writable < GROWTH_KB);
	must(children_of(d->pid, 0) == 1 && silent(fd));
	await_count(d, 1, "start");
	must(log_count(d, "refuse", NULL) < REFUSALS / 4);
	hang_up_and_wait(d, fd);
	must(status_number(d, NULL, "live") == 0);
	hang_up_and_wait(d, must_serve(d, "hold", "127.0.0.7"));
	daemon_stop(d);
}

START_TEST(twenty_thousand_denied_leave_nothing)
{
	must_leave_nothing("allow = 127.0.0.7\n", false, "refused_denied");
}
END_TEST

START_TEST(twenty_thousand_too_many_leave_nothing)
{
	must_leave_nothing("max_sessions = 1\nwhen_full = refuse\n", false, "refused_max_sessions");
}
END_TEST

START_TEST(twenty_thousand_of_a_source_that_has_its_share_leave_nothing)
{
	must_leave_nothing("max_per_source = 1\n", true, "refused_max_per_source");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_sources");

	add_case(suite, "sensor", NEEDS_NETNS | NEEDS_ROOT | NEEDS_IPV6,
	    TESTS(who_touches_the_sensor_is_refused_everywhere, whole_source_of_ipv6_is_banned,
	    ban_heals_after_its_duration, own_addresses_are_never_banned,
	    own_addresses_are_served_although_their_network_is_banned,
	    who_the_sensor_denies_is_not_banned, bans_survive_a_reload));
	add_case(suite, "sensor and memory", NEEDS_NETNS | NEEDS_ROOT | NEEDS_PROC | NEEDS_IPV6,
	    TESTS(ten_thousand_banned_sources_cost_no_more_than_their_table));
	add_case(suite, "places", NEEDS_NOTHING,
	    TESTS(killed_sessions_give_the_places_of_their_source_back,
	    sessions_that_are_ended_by_superd_give_their_places_back,
	    program_that_cannot_be_executed_gives_the_place_back,
	    places_are_counted_right_across_reloads));
	add_case(suite, "places without a process", NEEDS_PROC | NEEDS_NO_VALGRIND,
	    TESTS(failed_fork_gives_the_place_back));
	add_case(suite, "stamina", NEEDS_PROC, TESTS(twenty_thousand_denied_leave_nothing,
	    twenty_thousand_too_many_leave_nothing,
	    twenty_thousand_of_a_source_that_has_its_share_leave_nothing));
	return run_suite(suite);
}
