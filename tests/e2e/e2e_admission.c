/*
 * Who may connect: allow and deny, what a refused client gets, and what it costs
 * superd.  The lists' files and mistakes are in e2e_admission_files.c.
 */
#include "harness_admission.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* --- which entry decides */

/* A client and whether it is served. */
struct wanted {
	const char *source;
	bool served;
};

/* One service with these lists, on all addresses of both families. */
static struct daemon *
start_lists(const char *lists)
{
	return daemon_start("[services]\nhold = 0 hold\n[hold]\n%s", lists);
}

static void
must_decide(const char *lists, const struct wanted *wanted)
{
	struct daemon *d = start_lists(lists);

	for (; wanted->source != NULL; wanted++) {
		if (wanted->served)
			close(must_serve(d, "hold", wanted->source));
		else
			must_refuse(d, "hold", wanted->source, "denied");
	}
	daemon_stop(d);
}

START_TEST(longest_prefix_decides_whatever_list_it_is_in)
{
	must_decide("allow = 127.0.0.0/8 127.0.1.4/31 127.0.2.7\ndeny = 127.0.1.0/24 127.0.2.4/30\n",
	    (const struct wanted[]){
		{ "127.0.0.1", true }, { "127.0.1.3", false }, { "127.0.1.4", true },
		{ "127.0.1.5", true }, { "127.0.1.6", false }, { "127.0.2.3", true },
		{ "127.0.2.4", false }, { "127.0.2.6", false }, { "127.0.2.7", true },
		{ "127.0.2.8", true }, { "127.0.0.255", true }, { "127.0.1.255", false }, { NULL, false } });
}
END_TEST

START_TEST(order_of_the_items_does_not_matter)
{
	must_decide("deny = 127.0.1.5 127.0.0.0/8\nallow = 127.0.1.4/30 127.0.1.0/24\n",
	    (const struct wanted[]){ { "127.0.0.1", false }, { "127.0.1.1", true },
	    { "127.0.1.4", true }, { "127.0.1.5", false }, { "127.0.1.6", true }, { NULL, false } });
}
END_TEST

START_TEST(tie_is_denied)
{
	must_decide("allow = 127.0.0.7 127.0.1.0/24 127.0.0.8\ndeny = 127.0.0.7/32 127.0.1.0/24\n",
	    (const struct wanted[]){ { "127.0.0.7", false }, { "127.0.1.1", false },
	    { "127.0.0.8", true }, { NULL, false } });
}
END_TEST

START_TEST(who_matches_neither_is_denied_where_allow_is_given)
{
	must_decide("allow = 127.0.0.7\ndeny = 127.0.0.8\n", (const struct wanted[]){
	    { "127.0.0.7", true }, { "127.0.0.8", false }, { "127.0.0.9", false }, { NULL, false } });
}
END_TEST

START_TEST(who_matches_neither_is_served_without_allow)
{
	must_decide("deny = 127.0.0.8\n", (const struct wanted[]){ { "127.0.0.7", true },
	    { "127.0.0.8", false }, { "127.0.0.9", true }, { NULL, false } });
}
END_TEST

START_TEST(all_is_the_least_specific_of_all)
{
	must_decide("allow = 127.0.0.7\ndeny = all\n", (const struct wanted[]){
	    { "127.0.0.7", true }, { "127.0.0.8", false }, { NULL, false } });
	must_decide("allow = 0.0.0.0/0\ndeny = all\n", (const struct wanted[]){
	    { "127.0.0.7", true }, { NULL, false } });
	must_decide("allow = all\ndeny = 0.0.0.0/0 127.0.0.9\n", (const struct wanted[]){
	    { "127.0.0.7", false }, { "127.0.0.9", false }, { NULL, false } });
	must_decide("allow = all 127.0.0.9\ndeny = all\n", (const struct wanted[]){
	    { "127.0.0.7", false }, { "127.0.0.9", true }, { NULL, false } });
}
END_TEST

START_TEST(prefixes_0_and_32_are_all_and_one)
{
	must_decide("allow = 0.0.0.0/0\ndeny = 127.0.0.7/32\n", (const struct wanted[]){
	    { "127.0.0.6", true }, { "127.0.0.7", false }, { "127.0.0.8", true }, { NULL, false } });
	must_decide("allow = 127.0.0.7/32\n", (const struct wanted[]){
	    { "127.0.0.6", false }, { "127.0.0.7", true }, { "127.0.0.8", false }, { NULL, false } });
}
END_TEST

/* --- both families in one socket */

START_TEST(mapped_clients_match_entries_of_ipv4)
{
	const struct wanted wanted[] = { { "127.0.0.7", true }, { "127.0.0.8", false },
		{ "::1", false }, { NULL, false } };

	must_decide("allow = 127.0.0.7\n", wanted);
	must_decide("allow = ::ffff:127.0.0.7\n", wanted);
	must_decide("allow = ::ffff:127.0.0.4/126\ndeny = 127.0.0.4/31 127.0.0.6\n", wanted);
	must_decide("allow = 127.0.0.7/32 127.0.0.8\ndeny = ::ffff:127.0.0.8/128\n", wanted);
}
END_TEST

START_TEST(blocks_of_ipv6_do_not_match_ipv4)
{
	must_decide("allow = ::/0\n", (const struct wanted[]){ { "::1", true },
	    { "127.0.0.7", false }, { NULL, false } });
	must_decide("deny = ::/0\n", (const struct wanted[]){ { "::1", false },
	    { "127.0.0.7", true }, { NULL, false } });
	must_decide("allow = 0.0.0.0/0\n", (const struct wanted[]){ { "::1", false },
	    { "127.0.0.7", true }, { NULL, false } });
	must_decide("deny = ::1/128\n", (const struct wanted[]){ { "::1", false },
	    { "127.0.0.1", true }, { NULL, false } });
	must_decide("allow = localhost\n", (const struct wanted[]){ { "::1", true },
	    { "127.0.0.1", true }, { "127.0.0.2", false }, { NULL, false } });
}
END_TEST

START_TEST(ipv6_prefixes_end_where_they_say)
{
	enter_netns();
	route_to_lo("2001:db8::/32");
	must_decide("allow = 2001:db8:1::/48 2001:db8:2::7/128 2001:db8:3::8/127\n"
	    "deny = 2001:db8:1:8000::/49\n", (const struct wanted[]){
	    { "2001:db8:1::1", true }, { "2001:db8:1:7fff:ffff:ffff:ffff:ffff", true },
	    { "2001:db8:1:8000::", false }, { "2001:db8:2::", false }, { "2001:db8:2::7", true },
	    { "2001:db8:2::6", false }, { "2001:db8:3::9", true }, { "2001:db8:3::a", false },
	    { "2001:db8:0:ffff::1", false }, { NULL, false } });
}
END_TEST

/* --- [defaults] */

static const char *const inherited = "[defaults]\nallow = 127.0.0.7\ndeny = 127.0.0.8\n";

START_TEST(list_of_the_service_replaces_that_of_defaults)
{
	struct daemon *d = daemon_start("[services]\nplain = 127.0.0.1:0 hold\n"
	    "own = 127.0.0.1:0 hold\n[own]\nallow = 127.0.0.9 127.0.0.8\n%s", inherited);

	close(must_serve(d, "plain", "127.0.0.7"));
	must_refuse(d, "plain", "127.0.0.8", "denied");
	must_refuse(d, "plain", "127.0.0.9", "denied");
	must_refuse(d, "own", "127.0.0.7", "denied");
	must_refuse(d, "own", "127.0.0.8", "denied");		/* deny is inherited still */
	close(must_serve(d, "own", "127.0.0.9"));
	daemon_stop(d);
}
END_TEST

START_TEST(list_with_a_plus_adds_to_that_of_defaults)
{
	struct daemon *d = daemon_start("[services]\nmore = 127.0.0.1:0 hold\n"
	    "[more]\nallow = + 127.0.0.9 127.0.0.10\ndeny = + 127.0.0.10\n%s", inherited);

	close(must_serve(d, "more", "127.0.0.7"));
	close(must_serve(d, "more", "127.0.0.9"));
	must_refuse(d, "more", "127.0.0.8", "denied");
	must_refuse(d, "more", "127.0.0.10", "denied");
	must_refuse(d, "more", "127.0.0.11", "denied");
	daemon_stop(d);
}
END_TEST

START_TEST(allow_all_opens_a_service_that_defaults_close)
{
	struct daemon *d = daemon_start("[services]\nopen = 127.0.0.1:0 hold\n"
	    "[open]\nallow = all\n%s", inherited);

	close(must_serve(d, "open", "127.0.0.9"));
	must_refuse(d, "open", "127.0.0.8", "denied");
	daemon_stop(d);
}
END_TEST

/* --- what a denied client costs */

START_TEST(denied_client_costs_neither_process_nor_session)
{
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n"
	    "[hold]\ndeny = 127.0.0.8\nmax_sessions = 3\nmax_per_source = 2\nrate = 2/d:3\n");
	int first = must_serve(d, "hold", "127.0.0.7");
	long session;

	await_log(d, "start", "service=hold");
	session = log_number(log_line(d, "start", "service=hold", NULL), "session");
	for (int i = 0; i < 10; i++)
		must_refuse(d, "hold", "127.0.0.8", "denied");
	must(children_of(d->pid, 0) == 1);
	await(log_count(d, "start", NULL) == 1 && log_find(d, "exit", NULL) == NULL);
	log_mark(d);
	close(must_serve(d, "hold", "127.0.0.7"));	/* rate has lost nothing to them */
	close(must_serve(d, "hold", "127.0.0.9"));
	await_count(d, 2, "start");
	must(log_number(log_line(d, "start", "remote=127.0.0.7:*", NULL), "session") == session + 1);
	must(log_number(log_line(d, "start", "remote=127.0.0.9:*", NULL), "session") == session + 2);
	must(status_number(d, "hold", "refused_denied") == 10);
	must(silent(first));
	daemon_stop(d);
}
END_TEST

START_TEST(denied_clients_pass_the_gate_of_the_log)
{
	enum { MANY = 120 };
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n"
	    "[hold]\ndeny = 127.0.0.8\n");
	int fds[MANY];

	address_of(d, "hold", 0);			/* a stopped daemon could not tell it */
	must(kill(d->pid, SIGSTOP) == 0);		/* so that all are there at once */
	await(state_of(d->pid) == 'T');
	for (int i = 0; i < MANY; i++)
		fds[i] = call(d, "hold", "127.0.0.8");
	must(kill(d->pid, SIGCONT) == 0);
	for (int i = 0; i < MANY; i++)
		expect_end(fds[i]);
	await(log_total(d, "refuse", "service=hold") == MANY);
	must(log_count(d, "refuse", "reason=denied", NULL) >= 20);
	must(log_count(d, "refuse", "service=hold", NULL) < MANY / 2);
	must(strstr(log_line(d, "refuse", "held=*", NULL), "remote=") == NULL);
	must(status_number(d, "hold", "refused_denied") == MANY);
	daemon_stop(d);
}
END_TEST

START_TEST(denied_client_does_not_wait_in_the_queue_of_a_service_over_its_rate)
{
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n"
	    "[hold]\ndeny = 127.0.0.8\nrate = 1/d:2\n");

	close(must_serve(d, "hold", "127.0.0.7"));
	for (int i = 0; i < 5; i++)
		must_refuse(d, "hold", "127.0.0.8", "denied");
	close(must_serve(d, "hold", "127.0.0.7"));
	daemon_stop(d);
}
END_TEST

START_TEST(log_remote_hides_a_denied_client_too)
{
	struct daemon *d = daemon_start("[services]\nprefix = 127.0.0.1:0 hold\n"
	    "none = 127.0.0.1:0 hold\n[defaults]\ndeny = all\n"
	    "[prefix]\nlog_remote = prefix\n[none]\nlog_remote = none\n");

	expect_end(call(d, "prefix", "127.1.2.3"));
	await_log(d, "refuse", "service=prefix", "remote=127.1.2.0/24", "reason=denied");
	expect_end(call(d, "none", "127.1.2.3"));
	await_log(d, "refuse", "service=none", "reason=denied");
	must(log_find(d, NULL, "~127.1.2.3", NULL) == NULL);
	must(log_find(d, "refuse", "service=none", "remote=*", NULL) == NULL);
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_admission");

	add_case(suite, "which entry decides", NEEDS_NOTHING,
	    TESTS(longest_prefix_decides_whatever_list_it_is_in, order_of_the_items_does_not_matter,
	    tie_is_denied, who_matches_neither_is_denied_where_allow_is_given,
	    who_matches_neither_is_served_without_allow, all_is_the_least_specific_of_all,
	    prefixes_0_and_32_are_all_and_one));
	add_case(suite, "both families", NEEDS_IPV6,
	    TESTS(mapped_clients_match_entries_of_ipv4, blocks_of_ipv6_do_not_match_ipv4));
	add_case(suite, "both families, own network", NEEDS_IPV6 | NEEDS_NETNS | NEEDS_ROOT,
	    TESTS(ipv6_prefixes_end_where_they_say));
	add_case(suite, "defaults", NEEDS_NOTHING,
	    TESTS(list_of_the_service_replaces_that_of_defaults,
	    list_with_a_plus_adds_to_that_of_defaults, allow_all_opens_a_service_that_defaults_close));
	add_case(suite, "costs", NEEDS_NOTHING, TESTS(denied_clients_pass_the_gate_of_the_log,
	    denied_client_does_not_wait_in_the_queue_of_a_service_over_its_rate,
	    log_remote_hides_a_denied_client_too));
	add_case(suite, "costs in processes", NEEDS_PROC,
	    TESTS(denied_client_costs_neither_process_nor_session));
	return run_suite(suite);
}
