/*
 * UDP where there is no room: the one that has been silent longest makes room,
 * who talks goes on, and who waits is bounded.
 */
#include "harness_admission.h"
#include "harness_udp.h"

#include <sys/socket.h>

#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <unistd.h>

enum { WAITING_MOST = 64, SILENT_MS = 1000 };

static struct daemon *
start_puppets(const char *keys)
{
	return daemon_start("[superd]\ngrace = 0\n[services]\nx = udp:127.0.0.1:0 puppet\n"
	    "[x]\nidle_timeout = none\n%s\n", keys);
}

/*
 * A talker who is silent for SILENT_MS may lose his process to another.  So a
 * test that was held up itself cannot judge, and begins again.
 */
static jmp_buf held_up;
static int64_t heard_ms;

#define BEGIN_AGAIN_WHEN_HELD_UP()	do { if (setjmp(held_up) != 0) kill_daemons(); } while (0)

static pid_t
first_word(int fd)
{
	heard_ms = now_ms();
	return udp_pid(fd);
}

/* The session of this peer is there still. */
static bool
goes_on(int fd, pid_t pid)
{
	const int64_t before = now_ms();
	char text[64] = "";
	long got = 0;
	bool late;

	udp_put(fd, "pid");
	late = now_ms() - heard_ms > SILENT_MS / 2;
	(void)!receive(fd, text, sizeof text - 1, 0);
	(void)sscanf(text, "pid %ld", &got);
	if (got != pid && late)
		longjmp(held_up, 1);
	if (got != pid)
		flunk("the talker got '%s', not an answer of %d", text, (int)pid);
	heard_ms = before;
	return true;
}

/* --- room is made */

START_TEST(silent_one_makes_room_and_the_talker_goes_on)
{
	BEGIN_AGAIN_WHEN_HELD_UP();
	struct daemon *d = start_puppets("max_sessions = 2\nmax_per_source = unlimited");
	int talker = udp_dial(d, "x"), quiet = udp_dial(d, "x"), fresh = udp_dial(d, "x");
	pid_t pid = first_word(talker);
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
	BEGIN_AGAIN_WHEN_HELD_UP();
	struct daemon *d = daemon_start("[superd]\nmax_sessions = 2\ngrace = 0\n[services]\n"
	    "x = udp:127.0.0.1:0 puppet\ny = udp:127.0.0.1:0 puppet\n"
	    "[defaults]\nmax_per_source = unlimited\n");
	int x = udp_dial(d, "x"), y = udp_dial(d, "y"), more_x = udp_dial(d, "x"),
	    more_y = udp_dial(d, "y");
	pid_t pid = first_word(y);

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

/* superd stands still for so long that the talker seems silent, but his datagram lies in the socket. */
START_TEST(who_has_written_is_heard_before_room_is_made)
{
	struct daemon *d = start_puppets("max_sessions = 1\nmax_per_source = unlimited");
	int talker = udp_dial(d, "x"), fresh = udp_dial(d, "x");
	pid_t pid = udp_pid(talker);
	int64_t begun;
	long answer;

	if (_i == 0) {
		udp_put(fresh, "say served");
		settle(d);		/* it waits already */
	}
	must(kill(d->pid, SIGSTOP) == 0);
	await(state_of(d->pid) == 'T');
	begun = now_ms();
	await(now_ms() - begun > SILENT_MS + 100);
	if (_i > 0)
		udp_put(fresh, "say served");
	for (int i = 0; _i == 2 && i < 40; i++)		/* more than superd takes in a turn */
		udp_put(udp_dial(d, "x"), "say other");
	udp_put(talker, "pid");
	must(kill(d->pid, SIGCONT) == 0);
	must(sscanf(udp_text(talker), "pid %ld", &answer) == 1 && answer == pid);
	udp_expect(fresh, "served");
	udp_expect(talker, "bye");	/* it is silent by now */
	daemon_stop(d);
}
END_TEST

/* --- bounds */

START_TEST(no_more_than_so_many_wait)
{
	BEGIN_AGAIN_WHEN_HELD_UP();
	enum { MANY = 100 };
	struct daemon *d = start_puppets("max_sessions = 1\nmax_per_source = unlimited");
	int talker = udp_dial(d, "x"), fds[MANY];
	pid_t pid = first_word(talker);

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
	BEGIN_AGAIN_WHEN_HELD_UP();
	struct daemon *d = start_puppets("max_sessions = 1\nmax_per_source = unlimited");
	int talker = udp_dial(d, "x");
	pid_t pid = first_word(talker);

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
	BEGIN_AGAIN_WHEN_HELD_UP();
	enum { ROUNDS = 3, SOURCES = 100 };
	struct daemon *d = start_puppets("max_sessions = 10\nstderr = null");
	int talker = udp_dial(d, "x"), after;
	pid_t pid = first_word(talker);
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

int
main(void)
{
	Suite *suite = suite_create("e2e_udp_room");

	add_case(suite, "room", NEEDS_NOTHING, TESTS(silent_one_makes_room_and_the_talker_goes_on,
	    longest_silent_is_the_first_to_make_room, datagrams_that_have_waited_come_in_their_order,
	    newcomer_at_two_of_our_addresses_is_served_at_both,
	    newcomer_is_served_when_a_process_ends_by_itself,
	    room_in_superd_is_made_by_the_service_itself,
	    service_without_a_session_waits_for_the_others));
	add_loop(suite, "heard first", NEEDS_PROC, who_has_written_is_heard_before_room_is_made, 3);
	add_case(suite, "bounds", NEEDS_NOTHING, TESTS(no_more_than_so_many_wait,
	    no_more_than_so_many_bytes_wait,
	    hundred_forged_sources_never_cost_the_talker_his_process));
	return run_suite(suite);
}
