/*
 * Addresses that move on a reload: from one service to another, from narrow to
 * wide, to a port that is taken.  The ports are fixed, in a network of the
 * test's own.
 */
#include "harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <string.h>
#include <unistd.h>

START_TEST(moved_address_keeps_its_queue)
{
	struct daemon *d;
	int a, b;

	enter_netns();
	d = daemon_start("[services]\nold = 127.0.0.1:4711 hold old\n[old]\nmax_sessions = 1\n");
	a = dial(d, "old");
	expect(a, "old\n");
	b = dial(d, "old");
	await_log(d, "full", "service=old");
	daemon_reload(d, "[services]\nnew = 127.0.0.1:4711 hold new\n");
	expect(b, "new\n");
	must(silent(a));
	expect(dial_to("127.0.0.1:4711"), "new\n");
	close(a);
	await_log(d, "exit", "service=old", "status=0");
	daemon_stop(d);
}
END_TEST

START_TEST(addresses_may_be_swapped)
{
	struct daemon *d;

	enter_netns();
	d = daemon_start("[services]\na = 127.0.0.1:4711 hold a\nb = 127.0.0.1:4712 hold b\n");
	daemon_reload(d, "[services]\na = 127.0.0.1:4712 hold a\nb = 127.0.0.1:4711 hold b\n");
	expect(dial_to("127.0.0.1:4711"), "b\n");
	expect(dial_to("127.0.0.1:4712"), "a\n");
	must(log_find(d, "waiting", NULL) == NULL);
	daemon_stop(d);
}
END_TEST

START_TEST(one_address_of_several_is_added_and_removed)
{
	struct daemon *d;

	enter_netns();
	d = daemon_start("[services]\na = 127.0.0.1:4711,127.0.0.1:4712 hold\n");
	address_of(d, "a", 1);		/* the lines of the start are written: they do not count */
	daemon_reload(d, "[services]\na = 127.0.0.1:4712,127.0.0.1:4713 hold\n");
	await(try_dial("127.0.0.1:4711") == -1 && errno == ECONNREFUSED);
	expect(dial_to("127.0.0.1:4712"), "held\n");
	expect(dial_to("127.0.0.1:4713"), "held\n");
	await_log(d, "unlisten", "service=a", "address=127.0.0.1:4711");
	await_log(d, "listen", "service=a", "address=127.0.0.1:4713");
	await(log_count(d, "listen", NULL) == 1 && log_count(d, "unlisten", NULL) == 1);
	daemon_stop(d);
}
END_TEST

START_TEST(narrow_address_may_become_wide_and_narrow_again)
{
	struct daemon *d;

	enter_netns();
	d = daemon_start("[services]\na = 127.0.0.1:4711 hold\n");
	daemon_reload(d, "[services]\na = 4711 hold\n");
	await_log(d, "listen", "service=a");
	expect(dial_to("127.0.0.2:4711"), "held\n");
	daemon_reload(d, "[services]\na = 127.0.0.1:4711 hold\n");
	await_log(d, "listen", "service=a", "address=127.0.0.1:4711");
	expect(dial_to("127.0.0.1:4711"), "held\n");
	must(try_dial("127.0.0.2:4711") == -1);
	daemon_stop(d);
}
END_TEST

START_TEST(new_address_that_is_taken_waits)
{
	struct daemon *d;
	int taken;

	enter_netns();
	taken = bind_to("127.0.0.1:4712");
	d = daemon_start("[services]\na = 127.0.0.1:4711 hold a\n");
	daemon_reload(d, "[services]\na = 127.0.0.1:4711 hold a\nb = 127.0.0.1:4712 hold b\n");
	await_log(d, "waiting", "service=b", "address=127.0.0.1:4712", "error=*");
	expect(dial_to("127.0.0.1:4711"), "a\n");
	close(taken);
	await_log(d, "listen", "service=b", "address=127.0.0.1:4712");
	expect(dial_to("127.0.0.1:4712"), "b\n");
	daemon_stop(d);
}
END_TEST

START_TEST(waiting_address_is_forgotten_when_it_is_removed)
{
	struct daemon *d;
	int taken;

	enter_netns();
	taken = bind_to("127.0.0.1:4712");
	d = daemon_start("[services]\na = 127.0.0.1:4711 hold a\nb = 127.0.0.1:4712 hold b\n");
	await_log(d, "waiting", "service=b");
	daemon_reload(d, "[services]\na = 127.0.0.1:4711 hold a\nc = 127.0.0.1:4713 hold c\n");
	close(taken);
	daemon_reload(d, "[services]\na = 127.0.0.1:4711 hold a\nd = 127.0.0.1:4712 hold d\n");
	await_log(d, "listen", "service=d", "address=127.0.0.1:4712");
	expect(dial_to("127.0.0.1:4712"), "d\n");
	must(log_find(d, "listen", "service=b", NULL) == NULL);
	daemon_stop(d);
}
END_TEST

START_TEST(queue_of_a_removed_full_service_is_served_as_far_as_there_is_room)
{
	struct daemon *d;
	int a, b;

	enter_netns();
	d = daemon_start("[services]\nstay = 127.0.0.1:4712 hold\n"
	    "gone = 127.0.0.1:4711 hold gone\n[gone]\nmax_sessions = 1\n");
	a = dial(d, "gone");
	expect(a, "gone\n");
	b = dial(d, "gone");
	await_log(d, "full", "service=gone");
	daemon_reload(d, "[services]\nstay = 127.0.0.1:4712 hold\n");
	await(!silent(b));		/* there is no room: it is let go */
	must(silent(a));
	expect(dial_to("127.0.0.1:4712"), "held\n");
	daemon_stop(d);
}
END_TEST

/* --- of UDP an address that was removed lives on with its sessions */

static int
datagrams_to(int port)
{
	const struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct timeval limit = { .tv_sec = DEADLINE_MS / 1000 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	must(fd != -1 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
	must(connect(fd, (const struct sockaddr *)&to, sizeof to) == 0);
	return fd;
}

static void
ask(int fd, const char *question)
{
	char answer[64];

	must(send(fd, question, strlen(question), MSG_NOSIGNAL) == (ssize_t)strlen(question));
	must(receive(fd, answer, sizeof answer, 0) == (ssize_t)strlen(question));
	must(memcmp(answer, question, strlen(question)) == 0);
}

static const char none[] = "[superd]\ngrace = 0\n[services]\n";

START_TEST(udp_address_that_comes_back_is_served_at_once)
{
	static const char ini[] = "[superd]\ngrace = 0\n[services]\n%s = udp:127.0.0.1:4711 cat\n";
	struct daemon *d;
	int old, fresh;

	enter_netns();
	d = daemon_start(ini, "x");
	ask(old = datagrams_to(4711), "before");
	daemon_reload(d, none);
	await_log(d, "unlisten", "service=x");
	ask(old, "between");
	daemon_reload(d, ini, "x");
	ask(fresh = datagrams_to(4711), "new");
	ask(old, "after");
	await_count(d, 1, "start");
	daemon_reload(d, none);
	daemon_reload(d, ini, "y");
	await_log(d, "listen", "service=y");
	ask(datagrams_to(4711), "other");
	ask(old, "still");
	ask(fresh, "too");
	await_count(d, 1, "start");
	daemon_stop(d);
}
END_TEST

START_TEST(new_address_that_is_taken_is_told_beside_one_that_lives_on)
{
	struct daemon *d;
	int fd, taken;

	enter_netns();
	d = daemon_start("%sx = udp:127.0.0.1:4711 cat\n", none);
	ask(fd = datagrams_to(4711), "before");
	daemon_reload(d, none);
	await_log(d, "unlisten", "service=x");
	taken = bind_to("127.0.0.1:4712");
	daemon_reload(d, "%sa = 127.0.0.1:4712 hold\n", none);
	await_log(d, "waiting", "service=a");
	ask(fd, "after");
	close(taken);
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_move");

	add_case(suite, "own network", NEEDS_NETNS, TESTS(moved_address_keeps_its_queue,
	    addresses_may_be_swapped, one_address_of_several_is_added_and_removed,
	    narrow_address_may_become_wide_and_narrow_again, new_address_that_is_taken_waits,
	    waiting_address_is_forgotten_when_it_is_removed,
	    queue_of_a_removed_full_service_is_served_as_far_as_there_is_room,
	    udp_address_that_comes_back_is_served_at_once,
	    new_address_that_is_taken_is_told_beside_one_that_lives_on));
	return run_suite(suite);
}
