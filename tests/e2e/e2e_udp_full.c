/*
 * UDP where there is no room: who is served goes on, the one that has been
 * silent longest makes room, and who waits is bounded.
 */
#include "harness_admission.h"
#include "harness_udp.h"

#include <sys/socket.h>

#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAITING_MOST = 64, SILENT_MS = 1000, PAUSE_MS = 200 };

static struct daemon *
start_puppets(const char *keys)
{
	return daemon_start("[superd]\ngrace = 0\n[services]\nx = udp:127.0.0.1:0 puppet\n"
	    "[x]\nidle_timeout = none\n%s\n", keys);
}

/* The session of this peer is there still. */
static bool
goes_on(int fd, pid_t pid)
{
	must(udp_pid(fd) == pid);
	return true;
}

/* --- room is made */

START_TEST(silent_one_makes_room_and_the_talker_goes_on)
{
	struct daemon *d = start_puppets("max_sessions = 2\nmax_per_source = unlimited");
	int talker = udp_dial(d, "x"), quiet = udp_dial(d, "x"), fresh = udp_dial(d, "x");
	pid_t pid = udp_pid(talker);
	int64_t spoke = now_ms();

	udp_pid(quiet);
	udp_put(fresh, "say served");
	await(goes_on(talker, pid) && !silent(fresh));
	must(now_ms() - spoke >= SILENT_MS - 10);
	udp_expect(fresh, "served");
	udp_expect(quiet, "bye");
	goes_on(talker, pid);
	await_log(d, "full", "service=x", "live=2");
	await_log(d, "room", "service=x");
	must(log_find(d, "refuse", NULL) == NULL && status_number(d, "x", "dropped") == 0);
	daemon_stop(d);
}
END_TEST

START_TEST(longest_silent_is_the_first_to_make_room)
{
	enum { PEERS = 4 };
	struct daemon *d = start_puppets("max_sessions = 4\nmax_per_source = unlimited");
	int fds[PEERS], fresh;

	for (int i = 0; i < PEERS; i++)
		udp_pid(fds[i] = udp_dial(d, "x"));
	udp_pid(fds[0]);		/* now 1 is the oldest */
	for (int turn = 1; turn <= PEERS; turn++) {
		udp_ask(fresh = udp_dial(d, "x"), "say served", "served");
		for (int i = 0; i < PEERS; i++)
			if (i == turn % PEERS)
				udp_expect(fds[i], "bye");
			else if (i == 0 || i > turn)
				must(silent(fds[i]));
	}
	await_count(d, PEERS, "exit");
	daemon_stop(d);
}
END_TEST

START_TEST(datagrams_that_have_waited_come_in_their_order)
{
	struct daemon *d = start_puppets("max_sessions = 1\nmax_per_source = unlimited");
	int quiet = udp_dial(d, "x"), fresh = udp_dial(d, "x");
	char order[32], text[32];

	udp_pid(quiet);
	for (int i = 0; i < 20; i++) {
		snprintf(order, sizeof order, "say %d", i);
		udp_put(fresh, order);
	}
	for (int i = 0; i < 20; i++) {
		snprintf(text, sizeof text, "%d", i);
		udp_expect(fresh, text);
	}
	await_count(d, 2, "start");
	daemon_stop(d);
}
END_TEST

/* A process for each: so two make room for them. */
START_TEST(newcomer_at_two_of_our_addresses_is_served_at_both)
{
	struct daemon *d = daemon_start("[superd]\ngrace = 0\n[services]\nx = udp4:0 puppet\n"
	    "[x]\nidle_timeout = none\nmax_sessions = 2\nmax_per_source = unlimited\n");
	int quiet[] = { udp_dial(d, "x"), udp_dial(d, "x") }, port = port_of(address_of(d, "x", 0));
	int fresh = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const struct timeval limit = { .tv_sec = DEADLINE_MS / 1000 };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	must(setsockopt(fresh, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
	udp_pid(quiet[0]);
	udp_pid(quiet[1]);
	for (in_addr_t ip = INADDR_LOOPBACK; ip < INADDR_LOOPBACK + 2; ip++) {
		to.sin_addr.s_addr = htonl(ip);
		must(sendto(fresh, "say served", 10, 0, (struct sockaddr *)&to, sizeof to) == 10);
	}
	udp_expect(fresh, "served");
	udp_expect(fresh, "served");
	udp_expect(quiet[0], "bye");
	udp_expect(quiet[1], "bye");
	daemon_stop(d);
}
END_TEST

START_TEST(newcomer_is_served_when_a_process_ends_by_itself)
{
	struct daemon *d = start_puppets("max_sessions = 1\nmax_per_source = unlimited");
	int first = udp_dial(d, "x"), fresh = udp_dial(d, "x");
	pid_t pid = udp_pid(first);

	udp_ask(first, "stay", "staying");
	udp_put(fresh, "say served");
	udp_expect(first, "stays");		/* its end was read, and it goes on */
	must(silent(fresh));
	must(kill(pid, SIGTERM) == 0);
	udp_expect(first, "term");
	udp_expect(fresh, "served");
	daemon_stop(d);
}
END_TEST

START_TEST(room_in_superd_is_made_by_the_service_itself)
{
	struct daemon *d = daemon_start("[superd]\nmax_sessions = 2\ngrace = 0\n[services]\n"
	    "x = udp:127.0.0.1:0 puppet\ny = udp:127.0.0.1:0 puppet\n"
	    "[defaults]\nmax_per_source = unlimited\n");
	int x = udp_dial(d, "x"), y = udp_dial(d, "y"), more_x = udp_dial(d, "x"),
	    more_y = udp_dial(d, "y");
	pid_t pid = udp_pid(y);

	udp_pid(x);
	udp_put(more_x, "say x");
	await(goes_on(y, pid) && !silent(more_x));
	udp_expect(more_x, "x");
	udp_expect(x, "bye");
	udp_put(more_y, "say y");
	udp_expect(y, "bye");
	udp_expect(more_y, "y");
	daemon_stop(d);
}
END_TEST

START_TEST(service_without_a_session_waits_for_the_others)
{
	struct daemon *d = daemon_start("[superd]\nmax_sessions = 1\ngrace = 0\n[services]\n"
	    "x = udp:127.0.0.1:0 puppet\ny = udp:127.0.0.1:0 puppet\n");
	int x = udp_dial(d, "x"), y = udp_dial(d, "y");

	udp_pid(x);
	udp_put(y, "say at last");
	await_log(d, "full", "service=y");
	must(silent(y));
	udp_put(x, "exit");
	udp_expect(y, "at last");
	daemon_stop(d);
}
END_TEST

/* --- bounds */

START_TEST(child_that_answers_for_ever_holds_up_nobody)
{
	struct daemon *d = start_puppets("");
	int flood, other = udp_dial(d, "x");
	pid_t pid = udp_pid(other);

	for (unsigned i = 1; i <= 5; i++, close(flood)) {
		flood = udp_dial(d, "x");
		for (int j = 0; j < 8; j++)
			udp_put(flood, "flood");
		udp_expect(flood, "x");
		udp_put(flood, "exit");
		await_count(d, i, "exit", "service=x");
		goes_on(other, pid);
	}
	daemon_stop(d);
}
END_TEST

START_TEST(live_sessions_go_on_without_descriptors)
{
	struct daemon *d = start_puppets("");
	int talker = udp_dial(d, "x"), fresh = udp_dial(d, "x");
	pid_t pid = udp_pid(talker);

	limit_descriptors(d->pid, open_descriptors(d->pid));
	for (int i = 0; i < 50; i++) {
		udp_put(fresh, "say no");
		goes_on(talker, pid);
	}
	await_log(d, "failed", "service=x", "stage=descriptors");
	goes_on(talker, pid);
	limit_descriptors(d->pid, 1000);
	udp_put(fresh, "say yes");
	for (const char *text = ""; strcmp(text, "yes") != 0;)
		text = udp_text(fresh);		/* what had waited comes first */
	goes_on(talker, pid);
	daemon_stop(d);
}
END_TEST

/* There is room, but no descriptor: that nobody can be begun is no reason to end who is silent. */
START_TEST(silent_sessions_are_not_ended_for_want_of_descriptors)
{
	struct daemon *d = start_puppets("");
	int quiet = udp_dial(d, "x"), fresh = udp_dial(d, "x");
	pid_t pid = udp_pid(quiet);

	limit_descriptors(d->pid, open_descriptors(d->pid));
	for (unsigned i = 0; i < SILENT_MS / PAUSE_MS + 3; i++) {
		udp_put(fresh, "say no");	/* the first at once, each other one after a pause */
		await(log_count(d, "failed", "stage=descriptors", NULL) > i);
	}
	limit_descriptors(d->pid, 1000);
	goes_on(quiet, pid);
	daemon_stop(d);
}
END_TEST

START_TEST(no_more_than_so_many_wait)
{
	enum { MANY = 100 };
	struct daemon *d = start_puppets("max_sessions = 1\nmax_per_source = unlimited");
	int talker = udp_dial(d, "x"), fds[MANY];
	pid_t pid = udp_pid(talker);

	for (int i = 0; i < MANY; i++) {
		udp_put(fds[i] = udp_dial(d, "x"), "exit");
		goes_on(talker, pid);
	}
	must(status_number(d, "x", "refused_max_sessions") == MANY - WAITING_MOST);
	must(log_count(d, "refuse", "reason=max_sessions", NULL) <= MANY - WAITING_MOST);
	await(goes_on(talker, pid) && log_total(d, "refuse", "service=x") == MANY - WAITING_MOST);
	await(log_find(d, "refuse", "held=*", NULL) != NULL);
	udp_put(talker, "exit");
	await_count(d, WAITING_MOST + 1, "exit", "service=x", "status=0");
	daemon_stop(d);
}
END_TEST

START_TEST(no_more_than_so_many_bytes_wait)
{
	struct daemon *d = start_puppets("max_sessions = 1\nmax_per_source = unlimited");
	int talker = udp_dial(d, "x");
	pid_t pid = udp_pid(talker);

	for (int i = 0; i < 10; i++) {
		udp_put_bytes(udp_dial(d, "x"), pattern(60000), 60000);
		goes_on(talker, pid);
	}
	must(status_number(d, "x", "refused_max_sessions") == 10 - 256 * 1024 / 60000);
	udp_put(udp_dial(d, "x"), "short");	/* for which there is room */
	must(status_number(d, "x", "refused_max_sessions") == 10 - 256 * 1024 / 60000);
	daemon_stop(d);
}
END_TEST

START_TEST(hundred_forged_sources_never_cost_the_talker_his_process)
{
	enum { ROUNDS = 3, SOURCES = 100 };
	struct daemon *d = start_puppets("max_sessions = 10\nstderr = null");
	int talker = udp_dial(d, "x"), after;
	pid_t pid = udp_pid(talker);
	char source[32];

	for (int round = 0; round < ROUNDS; round++)
		for (int i = 1; i <= SOURCES; i++) {
			int fd;

			snprintf(source, sizeof source, "127.0.1.%d", i);
			udp_put(fd = udp_call(d, "x", source), "say hello");
			close(fd);
			goes_on(talker, pid);
		}
	must(status_number(d, "x", "live") == 10);
	must(log_count(d, "start", NULL) + WAITING_MOST + status_number(d, "x", "refused_max_sessions") >=
	    SOURCES);
	await(goes_on(talker, pid) && log_count(d, "exit", NULL) >= 9);
	udp_put(after = udp_call(d, "x", "127.0.2.1"), "say served");
	await(goes_on(talker, pid) && status_number(d, "x", "refused_max_sessions") > 0);
	kill_daemons();
	close(after);
}
END_TEST

/* --- who may have one */

START_TEST(when_full_refuse_refuses_and_ends_nobody)
{
	struct daemon *d = start_puppets("max_sessions = 1\nmax_per_source = unlimited\n"
	    "when_full = refuse");
	int first = udp_dial(d, "x"), second = udp_dial(d, "x");
	pid_t pid = udp_pid(first);

	udp_put(second, "pid");
	await_log(d, "refuse", "service=x", "reason=max_sessions");
	goes_on(first, pid);
	udp_put(first, "exit");
	await_log(d, "exit", "service=x");
	must(silent(second));
	must(udp_pid(second) != pid);
	daemon_stop(d);
}
END_TEST

START_TEST(one_source_has_no_more_than_its_share)
{
	struct daemon *d = start_puppets("max_sessions = 10\nmax_per_source = 2");
	int a = udp_call(d, "x", "127.0.0.2"), b = udp_call(d, "x", "127.0.0.2"),
	    c = udp_call(d, "x", "127.0.0.2");
	pid_t pid = udp_pid(a);

	udp_pid(b);
	udp_put(c, "pid");
	await_log(d, "refuse", "service=x", "reason=max_per_source");
	udp_pid(udp_call(d, "x", "127.0.0.3"));
	goes_on(a, pid);
	udp_put(b, "exit");
	await_log(d, "exit", "service=x");
	must(silent(c));
	udp_pid(c);
	daemon_stop(d);
}
END_TEST

START_TEST(who_is_denied_does_not_wait_either)
{
	struct daemon *d = start_puppets("max_sessions = 1\nallow = 127.0.0.1\n");
	int good = udp_dial(d, "x"), bad = udp_call(d, "x", "127.0.0.2");
	pid_t pid = udp_pid(good);

	for (int i = 0; i < 200; i++)
		udp_put(bad, "pid");
	goes_on(good, pid);
	must(status_number(d, "x", "refused_denied") == 200);
	must(log_count(d, "refuse", "reason=denied", NULL) < 100);
	must(log_find(d, "full", NULL) == NULL);	/* nobody waits */
	udp_put(good, "exit");
	await_log(d, "exit", "service=x");
	udp_put(bad, "pid");
	await(log_total(d, "refuse", "service=x") == 201);
	await_count(d, 1, "start");
	daemon_stop(d);
}
END_TEST

START_TEST(newcomers_wait_for_the_rate)
{
	enum { PEERS = 5 };
	struct daemon *d = start_puppets("rate = 4/s:2");
	int fds[PEERS];
	pid_t first = 0;

	for (int i = 0; i < PEERS; i++)
		udp_put(fds[i] = udp_dial(d, "x"), "pid");
	for (int i = 0; i < PEERS; i++) {
		long pid;

		must(sscanf(udp_text(fds[i]), "pid %ld", &pid) == 1);
		if (i == 0)
			first = (pid_t)pid;
		goes_on(fds[0], first);		/* a session needs no token */
	}
	must(log_find(d, "refuse", NULL) == NULL);
	await(log_find(d, "full", "service=x", NULL) != NULL);
	daemon_stop(d);
}
END_TEST

/* The token comes with time, while others write all the time. */
START_TEST(who_waits_for_the_rate_is_served_before_who_comes_later)
{
	struct daemon *d = start_puppets("rate = 2/s:1\nmax_per_source = unlimited");
	int first = udp_dial(d, "x"), second = udp_dial(d, "x");
	int64_t begun = now_ms();
	char remote[64];

	udp_pid(first);
	udp_put(second, "say served");
	await_log(d, "full", "service=x");
	while (silent(second) && now_ms() - begun < DEADLINE_MS) {
		int later = udp_dial(d, "x");

		udp_put(later, "exit");
		close(later);
	}
	udp_expect(second, "served");
	snprintf(remote, sizeof remote, "remote=%s", name_of(second));
	await(log_find(d, "start", remote, "session=2", NULL) != NULL);
	daemon_stop(d);
}
END_TEST

START_TEST(rate_of_a_source_is_its_own)
{
	struct daemon *d = start_puppets("rate_per_source = 1/m:2");
	int fd = udp_call(d, "x", "127.0.0.2");

	udp_pid(fd);
	udp_pid(udp_call(d, "x", "127.0.0.2"));
	udp_put(udp_call(d, "x", "127.0.0.2"), "pid");
	await_log(d, "refuse", "service=x", "reason=rate_per_source");
	udp_pid(udp_call(d, "x", "127.0.0.3"));
	udp_pid(fd);
	await_count(d, 1, "refuse");
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_udp_full");

	add_case(suite, "room", NEEDS_NOTHING, TESTS(silent_one_makes_room_and_the_talker_goes_on,
	    longest_silent_is_the_first_to_make_room, datagrams_that_have_waited_come_in_their_order,
	    newcomer_at_two_of_our_addresses_is_served_at_both,
	    newcomer_is_served_when_a_process_ends_by_itself,
	    room_in_superd_is_made_by_the_service_itself,
	    service_without_a_session_waits_for_the_others));
	add_case(suite, "out of bounds", NEEDS_PROC | NEEDS_NO_VALGRIND, TESTS(
	    child_that_answers_for_ever_holds_up_nobody, live_sessions_go_on_without_descriptors,
	    silent_sessions_are_not_ended_for_want_of_descriptors));
	add_case(suite, "bounds", NEEDS_NOTHING, TESTS(no_more_than_so_many_wait,
	    no_more_than_so_many_bytes_wait,
	    hundred_forged_sources_never_cost_the_talker_his_process));
	add_case(suite, "admission", NEEDS_NOTHING, TESTS(when_full_refuse_refuses_and_ends_nobody,
	    one_source_has_no_more_than_its_share, who_is_denied_does_not_wait_either,
	    newcomers_wait_for_the_rate,
	    who_waits_for_the_rate_is_served_before_who_comes_later, rate_of_a_source_is_its_own));
	return run_suite(suite);
}
