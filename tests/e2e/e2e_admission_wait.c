/*
 * The global max_sessions, and clients that wait for one thing and then for
 * another: for a place in their service, a token of its rate, or room in superd.
 */
#include "harness_admission.h"

#include <signal.h>
#include <unistd.h>

START_TEST(global_limit_queues_or_refuses_as_each_service_says)
{
	struct daemon *d = daemon_start("[superd]\nmax_sessions = 3\n[services]\n"
	    "queue = 127.0.0.1:0 hold\nrefuse = 127.0.0.1:0 hold\n[refuse]\nwhen_full = refuse\n");
	int first = must_serve(d, "queue", "127.0.0.7"), second = must_serve(d, "refuse", "127.0.0.7");
	int third = must_serve(d, "refuse", "127.0.0.8"), waiting[3];

	for (int i = 0; i < 3; i++)
		waiting[i] = call(d, "queue", "127.0.0.9");
	await_log(d, "full", "service=queue");
	must_refuse(d, "refuse", "127.0.0.9", "global");
	must(silent(waiting[0]) && silent(waiting[1]) && silent(waiting[2]));
	hang_up_and_wait(d, second);
	must(was_served(waiting[0]));		/* who waited, not who comes now */
	must_refuse(d, "refuse", "127.0.0.9", "global");
	hang_up_and_wait(d, first);
	must(was_served(waiting[1]));
	must(silent(waiting[2]));
	hang_up_and_wait(d, waiting[0]);
	must(was_served(waiting[2]));
	hang_up_and_wait(d, third);
	must_serve(d, "refuse", "127.0.0.9");
	must(status_number(d, NULL, "live") == 3);
	daemon_stop(d);
}
END_TEST

START_TEST(global_limit_raised_by_a_reload_lets_in_who_waits)
{
	static const char text[] = "[superd]\nmax_sessions = %d\n[services]\n"
	    "a = 127.0.0.1:0 hold\nb = 127.0.0.1:0 hold\n";
	struct daemon *d = daemon_start(text, 1);
	int a, b;

	must_serve(d, "a", "127.0.0.7");
	a = call(d, "a", "127.0.0.8");
	b = call(d, "b", "127.0.0.9");
	await_log(d, "full", "service=a");
	await_log(d, "full", "service=b");
	must(silent(a) && silent(b));
	daemon_reload(d, text, 3);
	must(was_served(a) && was_served(b));
	daemon_stop(d);
}
END_TEST

/* Who waits for its service, and then for superd as a whole, is woken by whatever ends last. */
START_TEST(client_waits_for_its_service_and_then_for_all)
{
	static const char text[] = "[superd]\nmax_sessions = %d\n[services]\na = 127.0.0.1:0 hold\n"
	    "b = 127.0.0.1:0 hold\n[a]\nmax_sessions = 1\n";
	struct daemon *d = daemon_start(text, 3);
	int a = must_serve(d, "a", "127.0.0.7"), b[2], waiting;

	for (int i = 0; i < 2; i++)
		b[i] = must_serve(d, "b", "127.0.0.7");
	waiting = call(d, "a", "127.0.0.8");
	await_log(d, "full", "service=a");
	daemon_reload(d, text, 1);
	hang_up_and_wait(d, a);
	must(status_number(d, NULL, "live") == 2 && silent(waiting));
	hang_up_and_wait(d, b[0]);
	must(status_number(d, NULL, "live") == 1 && silent(waiting));
	hang_up_and_wait(d, b[1]);
	must(was_served(waiting));
	daemon_stop(d);
}
END_TEST

/* Waiting that long shows nothing by itself: the token that comes must find superd full. */
enum { TOKEN_MS = 2200 };

START_TEST(client_waits_for_the_rate_and_then_for_all)
{
	struct daemon *d = daemon_start("[superd]\nmax_sessions = 2\n[services]\n"
	    "a = 127.0.0.1:0 hold\nb = 127.0.0.1:0 hold\n[a]\nrate = 30/m:1\n");
	int b[2], waiting;
	int64_t begun;

	hang_up_and_wait(d, must_serve(d, "a", "127.0.0.7"));
	begun = now_ms();
	waiting = call(d, "a", "127.0.0.7");
	await_log(d, "full", "service=a");
	for (int i = 0; i < 2; i++)
		b[i] = must_serve(d, "b", "127.0.0.8");
	await(now_ms() - begun > TOKEN_MS);
	hang_up_and_wait(d, b[0]);
	must(was_served(waiting));
	daemon_stop(d);
}
END_TEST

/* Whoever waits is woken, at whichever of the addresses, and however long those before live on. */
START_TEST(clients_of_two_addresses_wait_for_the_rate_and_then_for_all)
{
	struct daemon *d = daemon_start("[superd]\nmax_sessions = 2\n[services]\n"
	    "a = 127.0.0.1:0,127.0.0.1:0 hold\nb = 127.0.0.1:0 hold\n[a]\nrate = 30/m:1\n");
	int b[2], waiting[2];
	int64_t begun;

	hang_up_and_wait(d, must_serve(d, "a", "127.0.0.7"));
	begun = now_ms();
	for (unsigned i = 0; i < 2; i++)
		waiting[i] = dial_from("127.0.0.7", port_of(address_of(d, "a", i)));
	await_log(d, "full", "service=a");
	for (int i = 0; i < 2; i++)
		b[i] = call(d, "b", "127.0.0.8");
	await(now_ms() - begun > TOKEN_MS);
	close(b[0]);
	close(b[1]);
	must(was_served(waiting[0]) && was_served(waiting[1]));
	daemon_stop(d);
}
END_TEST

/* Whether both addresses of service "a" leave their clients in the queue. */
static bool
both_full(struct daemon *d)
{
	log_mark(d);
	for (unsigned i = 1; i <= 2; i++) {
		kill(d->pid, SIGUSR1);
		await(log_count(d, "status", "services=*", NULL) >= i);
	}
	return log_count(d, "status", "service=a", "address=*", "state=full", NULL) >= 2;
}

/* At one address a client waits that will be refused, at the other one that can be served. */
static void
must_pass_the_refused(unsigned denied)
{
	static const char text[] = "[superd]\nmax_sessions = %d\n[services]\n"
	    "a = 127.0.0.1:0,127.0.0.1:0 hold\nb = 127.0.0.1:0 hold\n"
	    "[a]\nmax_sessions = 1\ndeny = 127.0.0.66\n";
	struct daemon *d = daemon_start(text, 3);
	int a = must_serve(d, "a", "127.0.0.7"), b[2], ports[2], waiting, refused;

	for (unsigned i = 0; i < 2; i++) {
		b[i] = must_serve(d, "b", "127.0.0.7");
		ports[i] = port_of(address_of(d, "a", i));
	}
	waiting = dial_from("127.0.0.8", ports[1 - denied]);
	refused = dial_from("127.0.0.66", ports[denied]);
	await(both_full(d));
	daemon_reload(d, text, 1);
	await(both_full(d));
	hang_up_and_wait(d, a);
	for (unsigned i = 0; i < 2; i++) {
		must(silent(waiting) && silent(refused));
		hang_up_and_wait(d, b[i]);
	}
	must(was_served(waiting));	/* which of the two comes first is superd's to say */
	hang_up_and_wait(d, waiting);
	must(!was_served(refused));
	daemon_stop(d);
}

START_TEST(client_is_served_when_those_before_it_are_refused)
{
	must_pass_the_refused(0);
	must_pass_the_refused(1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_admission_wait");

	add_case(suite, "of all", NEEDS_NOTHING,
	    TESTS(global_limit_queues_or_refuses_as_each_service_says,
	    global_limit_raised_by_a_reload_lets_in_who_waits));
	add_case(suite, "one after the other", NEEDS_NOTHING,
	    TESTS(client_waits_for_its_service_and_then_for_all,
	    client_waits_for_the_rate_and_then_for_all,
	    clients_of_two_addresses_wait_for_the_rate_and_then_for_all,
	    client_is_served_when_those_before_it_are_refused));
	return run_suite(suite);
}
