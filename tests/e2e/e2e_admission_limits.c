/*
 * How many and how fast: max_per_source, rate and rate_per_source, each over
 * real clients with addresses of their own.
 */
#include "harness_admission.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* One service "hold" on 127.0.0.1 with these keys. */
static struct daemon *
start_hold(const char *keys)
{
	return daemon_start("[services]\nhold = 127.0.0.1:0 hold\n[hold]\n%s", keys);
}

/* Two sessions from 127.0.0.7, and not one more, while another source is served. */
static void
two_and_not_one_more(struct daemon *d)
{
	int first = must_serve(d, "hold", "127.0.0.7"), second = must_serve(d, "hold", "127.0.0.7");

	must_refuse(d, "hold", "127.0.0.7", "max_per_source");
	hang_up_and_wait(d, must_serve(d, "hold", "127.0.0.8"));
	must(silent(first) && silent(second));
	hang_up_and_wait(d, first);
	hang_up_and_wait(d, second);
}

/* --- max_per_source */

START_TEST(third_session_of_a_source_is_refused_while_another_is_served)
{
	struct daemon *d = start_hold("max_per_source = 2\n");

	for (int i = 0; i < 5; i++)
		two_and_not_one_more(d);
	must(status_number(d, "hold", "refused_max_per_source") == 5);
	must(status_number(d, "hold", "live") == 0);
	daemon_stop(d);
}
END_TEST

START_TEST(one_source_cannot_fill_a_service_by_default)
{
	static const struct { const char *keys; int most; bool others; } rows[] = {
		{ "max_sessions = 4\n", 3, true }, { "max_sessions = 5\n", 4, true },
		{ "max_sessions = 7\n", 6, true }, { "max_sessions = 2\n", 2, false },
		{ "max_sessions = 1\n", 1, false } };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct daemon *d = start_hold(rows[i].keys);

		for (int n = 0; n < rows[i].most; n++)
			must_serve(d, "hold", "127.0.0.7");
		if (rows[i].others) {
			must_refuse(d, "hold", "127.0.0.7", "max_per_source");
			must_serve(d, "hold", "127.0.0.8");
		}
		must(status_number(d, "hold", "live") == rows[i].most + rows[i].others);
		daemon_stop(d);
	}
}
END_TEST

START_TEST(unlimited_lets_one_source_take_all)
{
	struct daemon *d = start_hold("max_sessions = 4\nmax_per_source = unlimited\n");

	for (int i = 0; i < 4; i++)
		must_serve(d, "hold", "127.0.0.7");
	must(log_find(d, "refuse", NULL) == NULL);
	daemon_stop(d);
}
END_TEST

START_TEST(addresses_of_a_service_share_the_count_and_services_do_not)
{
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0,[::1]:0,127.0.0.1:0 hold\n"
	    "other = 127.0.0.1:0 hold\n[defaults]\nmax_per_source = 1\n");
	int fd = must_serve(d, "hold", "127.0.0.7");

	must(!was_served(dial_from("127.0.0.7", port_of(address_of(d, "hold", 2)))));
	await_log(d, "refuse", "service=hold", "remote=127.0.0.7:*", "reason=max_per_source");
	must(was_served(dial_from("::1", port_of(address_of(d, "hold", 1)))));
	must(!was_served(dial_from("::1", port_of(address_of(d, "hold", 1)))));
	must_serve(d, "other", "127.0.0.7");
	must_refuse(d, "other", "127.0.0.7", "max_per_source");
	must(silent(fd));
	daemon_stop(d);
}
END_TEST

START_TEST(mapped_client_is_the_same_source_as_one_of_ipv4)
{
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0,0 hold\n"
	    "[hold]\nmax_per_source = 1\n");
	int fd = must_serve(d, "hold", "127.0.0.7");

	must(!was_served(dial_from("127.0.0.7", port_of(address_of(d, "hold", 1)))));
	hang_up_and_wait(d, fd);
	must(was_served(dial_from("127.0.0.7", port_of(address_of(d, "hold", 1)))));
	must_refuse(d, "hold", "127.0.0.7", "max_per_source");
	daemon_stop(d);
}
END_TEST

START_TEST(source_prefix_says_what_one_source_is)
{
	struct daemon *d;

	enter_netns();
	route_to_lo("2001:db8::/32");
	d = daemon_start("[superd]\nsource_prefix = 24 56\n[services]\nhold = 0 hold\n"
	    "[hold]\nmax_per_source = 1\n");
	must_serve(d, "hold", "127.0.0.7");
	must_refuse(d, "hold", "127.0.0.200", "max_per_source");
	must_serve(d, "hold", "127.0.1.7");
	must_serve(d, "hold", "2001:db8:0:100::1");
	must_refuse(d, "hold", "2001:db8:0:1ff::2", "max_per_source");
	must_serve(d, "hold", "2001:db8:0:200::1");
	daemon_stop(d);
}
END_TEST

START_TEST(whole_64_of_ipv6_is_one_source_by_default)
{
	struct daemon *d;

	enter_netns();
	route_to_lo("2001:db8::/32");
	d = daemon_start("[services]\nhold = 0 hold\n[hold]\nmax_per_source = 1\n");
	must_serve(d, "hold", "2001:db8::1");
	must_refuse(d, "hold", "2001:db8::ffff:ffff:ffff:ffff", "max_per_source");
	must_serve(d, "hold", "2001:db8:0:1::1");
	must_serve(d, "hold", "127.0.0.1");
	must_serve(d, "hold", "127.0.0.2");		/* of IPv4 each address */
	daemon_stop(d);
}
END_TEST

/* --- rate */

START_TEST(burst_is_served_and_the_next_refused)
{
	struct daemon *d = start_hold("rate = 1/d:3\nwhen_full = refuse\n");

	for (int i = 0; i < 3; i++)
		close(must_serve(d, "hold", "127.0.0.7"));
	must_refuse(d, "hold", "127.0.0.7", "rate");
	must_refuse(d, "hold", "127.0.0.8", "rate");	/* it is the service's rate, not a source's */
	must(status_number(d, "hold", "refused_rate") == 2);
	daemon_stop(d);
}
END_TEST

static bool
served_now(struct daemon *d)
{
	int fd = call(d, "hold", "127.0.0.7");
	bool served = was_served(fd);

	if (served)
		close(fd);
	return served;
}

static void
must_refuse_and_heal(struct daemon *d, const char *reason)
{
	char want[64];

	snprintf(want, sizeof want, "reason=%s", reason);
	await(!served_now(d));
	await_log(d, "refuse", "service=hold", want);
	await(served_now(d));
}

START_TEST(rate_heals_by_itself)
{
	struct daemon *d = start_hold("rate = 2/s:4\nwhen_full = refuse\n");

	must_refuse_and_heal(d, "rate");
	daemon_stop(d);
}
END_TEST

START_TEST(queue_over_the_rate_is_served_in_order_and_nobody_is_lost)
{
	enum { MANY = 8 };
	struct daemon *d = start_hold("rate = 5/s:1\n");
	long last = 0, session;
	char remote[64];
	int fds[MANY];

	must(kill(d->pid, SIGSTOP) == 0);
	for (int i = 0; i < MANY; i++)
		fds[i] = call(d, "hold", i % 2 == 0 ? "127.0.0.7" : "127.0.0.8");
	must(kill(d->pid, SIGCONT) == 0);
	await_log(d, "full", "service=hold");
	for (int i = 0; i < MANY; i++) {
		must(was_served(fds[i]));
		snprintf(remote, sizeof remote, "remote=%s", name_of(fds[i]));
		await_log(d, "start", remote);
		session = log_number(log_line(d, "start", remote, NULL), "session");
		must(session > last);
		last = session;
	}
	must(log_find(d, "refuse", NULL) == NULL);
	await_log(d, "room", "service=hold");
	await_count(d, 1, "full");
	daemon_stop(d);
}
END_TEST

START_TEST(queue_over_the_rate_waits_until_a_reload_lets_it_in)
{
	struct daemon *d = start_hold("rate = 1/d:1\n");
	int first = must_serve(d, "hold", "127.0.0.7"), second, third;

	second = call(d, "hold", "127.0.0.7");
	await_log(d, "full", "service=hold");
	third = call(d, "hold", "127.0.0.8");
	hang_up_and_wait(d, first);		/* the end of a session brings no token */
	must(status_number(d, "hold", "live") == 0);
	must(silent(second) && silent(third));
	daemon_reload(d, "[services]\nhold = 127.0.0.1:0 hold\n[hold]\nrate = unlimited\n");
	must(was_served(second) && was_served(third));
	daemon_stop(d);
}
END_TEST

START_TEST(queue_over_the_rate_goes_on_at_the_new_rate_after_a_reload)
{
	struct daemon *d = start_hold("rate = 1/d:1\n");
	int second, third;

	must_serve(d, "hold", "127.0.0.7");
	second = call(d, "hold", "127.0.0.7");
	third = call(d, "hold", "127.0.0.7");
	await_log(d, "full", "service=hold");
	daemon_reload(d, "[services]\nhold = 127.0.0.1:0 hold\n[hold]\nrate = 5/s:1\n");
	must(was_served(second) && was_served(third));
	daemon_stop(d);
}
END_TEST

/* --- rate_per_source */

START_TEST(only_the_source_that_is_too_fast_is_refused)
{
	struct daemon *d = start_hold("rate_per_source = 1/d:2\n");

	for (int i = 0; i < 2; i++)
		hang_up_and_wait(d, must_serve(d, "hold", "127.0.0.7"));
	for (int i = 0; i < 5; i++)
		must_refuse(d, "hold", "127.0.0.7", "rate_per_source");
	for (int i = 0; i < 2; i++)
		hang_up_and_wait(d, must_serve(d, "hold", "127.0.0.8"));
	must_refuse(d, "hold", "127.0.0.8", "rate_per_source");
	must(log_find(d, "full", NULL) == NULL);
	daemon_stop(d);
}
END_TEST

START_TEST(rate_per_source_heals_by_itself)
{
	struct daemon *d = start_hold("rate_per_source = 2/s:3\n");

	must_refuse_and_heal(d, "rate_per_source");
	daemon_stop(d);
}
END_TEST

START_TEST(refused_connections_take_nothing_from_the_rate)
{
	struct daemon *d = start_hold("rate = 1/d:4\nwhen_full = refuse\nrate_per_source = 1/d:2\n"
	    "max_per_source = 1\ndeny = 127.0.0.66\n");
	int fd = must_serve(d, "hold", "127.0.0.7");

	for (int i = 0; i < 4; i++) {
		must_refuse(d, "hold", "127.0.0.66", "denied");
		must_refuse(d, "hold", "127.0.0.7", "max_per_source");
	}
	hang_up_and_wait(d, fd);
	hang_up_and_wait(d, must_serve(d, "hold", "127.0.0.7"));	/* its second token is there */
	for (int i = 0; i < 4; i++)
		must_refuse(d, "hold", "127.0.0.7", "rate_per_source");
	close(must_serve(d, "hold", "127.0.0.8"));
	close(must_serve(d, "hold", "127.0.0.9"));
	must_refuse(d, "hold", "127.0.0.10", "rate");
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_admission_limits");

	add_case(suite, "of a source", NEEDS_NOTHING,
	    TESTS(third_session_of_a_source_is_refused_while_another_is_served,
	    one_source_cannot_fill_a_service_by_default, unlimited_lets_one_source_take_all));
	add_case(suite, "of a source, IPv6", NEEDS_IPV6,
	    TESTS(addresses_of_a_service_share_the_count_and_services_do_not,
	    mapped_client_is_the_same_source_as_one_of_ipv4));
	add_case(suite, "of a source, own network", NEEDS_IPV6 | NEEDS_NETNS | NEEDS_ROOT,
	    TESTS(source_prefix_says_what_one_source_is, whole_64_of_ipv6_is_one_source_by_default));
	add_case(suite, "rate", NEEDS_NOTHING, TESTS(burst_is_served_and_the_next_refused,
	    rate_heals_by_itself, queue_over_the_rate_is_served_in_order_and_nobody_is_lost,
	    queue_over_the_rate_waits_until_a_reload_lets_it_in,
	    queue_over_the_rate_goes_on_at_the_new_rate_after_a_reload));
	add_case(suite, "rate of a source", NEEDS_NOTHING,
	    TESTS(only_the_source_that_is_too_fast_is_refused, rate_per_source_heals_by_itself,
	    refused_connections_take_nothing_from_the_rate));
	return run_suite(suite);
}
