/*
 * UDP, a process for each peer: what goes there and back, exactly and to the
 * right one, by the address that was asked.
 */
#include "harness_admission.h"
#include "harness_udp.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct daemon *
start_puppets(const char *listen, const char *keys)
{
	return daemon_start("[superd]\ngrace = 1h\n[services]\nx = %s puppet\n[x]\n%s\n", listen, keys);
}

/* --- plain programs */

START_TEST(cat_answers_each_datagram)
{
	struct daemon *d = daemon_start("[services]\nx = udp:127.0.0.1:0 cat\n");
	int fd = udp_dial(d, "x");

	udp_ask(fd, "one", "one");
	udp_ask(fd, "two\n", "two\n");
	await_count(d, 1, "start", "service=x");
	daemon_stop(d);
}
END_TEST

START_TEST(bc_computes_in_a_session)
{
	struct daemon *d = daemon_start("[services]\nx = udp:127.0.0.1:0 bc\n");
	int fd = udp_dial(d, "x");

	udp_ask(fd, "a = 6\na * 7\n", "42\n");
	udp_ask(fd, "2 ^ 64\n", "18446744073709551616\n");
	udp_ask(fd, "a + 1\n", "7\n");		/* the session's memory */
	await_count(d, 1, "start", "service=x");
	daemon_stop(d);
}
END_TEST

START_TEST(shell_script_is_a_session)
{
	struct daemon *d = daemon_new();
	const char *script = put_file(d, "script", "while q=$(dd bs=65536 count=1 2>/dev/null); "
	    "[ -n \"$q\" ]; do n=$((n + 1)); echo \"$n $q\"; done\n");
	int fd;

	daemon_write(d, "[services]\nx = udp:127.0.0.1:0 sh %s\n", script);
	daemon_run(d, NULL);
	daemon_ready(d);
	fd = udp_dial(d, "x");
	udp_ask(fd, "first", "1 first\n");
	udp_ask(fd, "and second", "2 and second\n");
	daemon_stop(d);
}
END_TEST

/* --- bytes and boundaries */

static const size_t sizes[] = { 1, 2, 511, 512, 1024, 1472, 1473, 4096, 9000, 32768, 65000, 65506,
	DATAGRAM_MOST };

START_TEST(every_size_comes_back_exactly)
{
	struct daemon *d = daemon_start("[services]\nx = udp:127.0.0.1:0 cat\n");
	int fd = udp_dial(d, "x");

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		udp_put_bytes(fd, pattern(sizes[i]), sizes[i]);
		udp_expect_bytes(fd, pattern(sizes[i]), sizes[i]);
	}
	must(silent(fd));
	daemon_stop(d);
}
END_TEST

START_TEST(longest_datagram_is_a_first_one_too)
{
	struct daemon *d = daemon_start("[services]\nx = udp:127.0.0.1:0 echo\n");
	int fd = udp_dial(d, "x");

	udp_put_bytes(fd, pattern(DATAGRAM_MOST), DATAGRAM_MOST);
	udp_expect_bytes(fd, pattern(DATAGRAM_MOST), DATAGRAM_MOST);
	daemon_stop(d);
}
END_TEST

START_TEST(ten_in_a_row_stay_ten_in_their_order)
{
	struct daemon *d = daemon_start("[services]\nx = udp:127.0.0.1:0 cat\n");
	int fd = udp_dial(d, "x");
	char text[32];

	/* The first ones arrive while the process is being made. */
	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 10; i++) {
			snprintf(text, sizeof text, "%d.%d", round, i);
			udp_put(fd, text);
		}
		for (int i = 0; i < 10; i++) {
			snprintf(text, sizeof text, "%d.%d", round, i);
			udp_expect(fd, text);
		}
	}
	must(silent(fd));
	await_count(d, 1, "start");
	daemon_stop(d);
}
END_TEST

START_TEST(peers_do_not_mix)
{
	enum { PEERS = 20 };
	struct daemon *d = daemon_start("[services]\nx = udp:127.0.0.1:0 cat\n");
	int fds[PEERS];
	char text[32];

	for (int i = 0; i < PEERS; i++)
		fds[i] = udp_dial(d, "x");
	for (int round = 0; round < 10; round++)
		for (int i = 0; i < PEERS; i++) {
			snprintf(text, sizeof text, "%d of %d", round, i);
			udp_put(fds[i], text);
		}
	for (int i = PEERS - 1; i >= 0; i--)
		for (int round = 0; round < 10; round++) {
			snprintf(text, sizeof text, "%d of %d", round, i);
			udp_expect(fds[i], text);
		}
	await_count(d, PEERS, "start", "service=x");
	daemon_stop(d);
}
END_TEST

START_TEST(answer_that_is_too_long_is_not_sent_and_told)
{
	struct daemon *d = start_puppets("udp:127.0.0.1:0", "");
	int fd = udp_dial(d, "x");

	udp_put(fd, "long 65508");
	await_log(d, "warning", "~service 'x': an answer of session 1 is longer than");
	udp_put(fd, "long 65507");
	must(receive(fd, (char[1]){ 0 }, 1, MSG_TRUNC) == DATAGRAM_MOST);
	must(status_number(d, "x", "dropped") == 1);
	daemon_stop(d);
}
END_TEST

/* --- empty datagrams */

START_TEST(empty_first_datagram_starts_the_process_and_is_not_delivered)
{
	struct daemon *d = start_puppets("udp:127.0.0.1:0", "");
	int fd = udp_dial(d, "x");

	udp_put(fd, "");
	await_log(d, "start", "service=x");
	udp_ask(fd, "say here", "here");	/* it has not read an end */
	await_count(d, 1, "start");
	daemon_stop(d);
}
END_TEST

START_TEST(empty_datagram_in_a_session_is_dropped_and_counted)
{
	struct daemon *d = start_puppets("udp:127.0.0.1:0", "");
	int fd = udp_dial(d, "x");
	pid_t pid = udp_pid(fd);

	for (int i = 0; i < 3; i++)
		udp_put(fd, "");
	must(udp_pid(fd) == pid);
	must(status_number(d, "x", "dropped") == 3);
	daemon_stop(d);
}
END_TEST

START_TEST(empty_answers_are_sent_between_others)
{
	struct daemon *d = start_puppets("udp:127.0.0.1:0", "");

	for (int count = 10; count < 60; count += 7) {
		int fd = udp_dial(d, "x");
		char order[32], text[32];

		snprintf(order, sizeof order, "many %d with", count);
		udp_put(fd, order);
		for (int i = 1; i <= count; i++) {
			snprintf(text, sizeof text, "%d", i);
			if (i % 3 != 0 || i < count)
				udp_expect(fd, i % 3 == 0 ? "" : text);
		}
		close(fd);
	}
	daemon_stop(d);
}
END_TEST

/* --- addresses */

/* Two processes for one peer's socket that asks two addresses; it sees the right one answer. */
static void
must_be_two(struct daemon *d, const char *one, const char *other)
{
	const int port = port_of(address_of(d, "x", 0));
	int a = udp_from(NULL, one, port), b = udp_from(NULL, other, port);
	pid_t first = udp_pid(a), second = udp_pid(b);

	must(first != second);
	must(udp_pid(a) == first && udp_pid(b) == second);
	close(a);
	close(b);
}

static void
send_to(int fd, const char *ip, int port, const char *text)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	inet_pton(AF_INET, ip, &to.sin_addr);
	must(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to, sizeof to) != -1);
}

static pid_t
answer_from(int fd, const char *ip, int port)
{
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	char text[64] = "", name[INET_ADDRSTRLEN];
	long pid = 0;

	must(recvfrom(fd, text, sizeof text - 1, 0, (struct sockaddr *)&from, &len) > 0);
	if (strcmp(inet_ntop(AF_INET, &from.sin_addr, name, sizeof name), ip) != 0 ||
	    ntohs(from.sin_port) != port)
		flunk("%s:%d was asked and %s:%d answered", ip, port, name, ntohs(from.sin_port));
	must(sscanf(text, "pid %ld", &pid) == 1);
	return (pid_t)pid;
}

/* One socket of the peer, not connected: peer and port are the same for both. */
START_TEST(same_peer_has_a_process_for_each_address_of_ours)
{
	struct daemon *d = start_puppets("udp4:0", "");
	const struct timeval limit = { .tv_sec = DEADLINE_MS / 1000 };
	int port = port_of(address_of(d, "x", 0)), fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	pid_t one, other;

	must(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
	send_to(fd, "127.0.0.1", port, "pid");
	one = answer_from(fd, "127.0.0.1", port);
	send_to(fd, "127.0.0.9", port, "pid");
	other = answer_from(fd, "127.0.0.9", port);
	must(one != other);
	send_to(fd, "127.0.0.1", port, "pid");
	must(answer_from(fd, "127.0.0.1", port) == one);
	send_to(fd, "127.0.0.9", port, "pid");
	must(answer_from(fd, "127.0.0.9", port) == other);
	close(fd);
	daemon_stop(d);
}
END_TEST

START_TEST(wildcard_of_ipv4_answers_from_where_it_was_asked)
{
	struct daemon *d = start_puppets("udp4:0", "");

	must_be_two(d, "127.0.0.1", "127.0.0.9");
	daemon_stop(d);
}
END_TEST

START_TEST(dual_stack_answers_from_where_it_was_asked)
{
	struct daemon *d = start_puppets("udp:0", "");

	must_be_two(d, "127.0.0.1", "127.0.0.9");
	must_be_two(d, "127.0.0.9", "::1");
	daemon_stop(d);
}
END_TEST

START_TEST(wildcard_of_ipv6_answers_from_where_it_was_asked)
{
	struct daemon *d;

	enter_netns();
	add_address("fd00::7/128");
	d = start_puppets("udp6:0", "");
	must_be_two(d, "::1", "fd00::7");
	daemon_stop(d);
}
END_TEST

START_TEST(ipv6_alone_does_not_hear_ipv4)
{
	struct daemon *d = start_puppets("udp6:0", "");
	int port = port_of(address_of(d, "x", 0)), four = udp_from(NULL, "127.0.0.1", port);

	udp_put(four, "pid");
	must(receive(four, (char[8]){ 0 }, 8, 0) == -1 && errno == ECONNREFUSED);
	udp_pid(udp_from(NULL, "::1", port));
	daemon_stop(d);
}
END_TEST

/* IPv6 carries 20 bytes more than can be sent back: half a question would be a wrong one. */
START_TEST(longer_one_of_ipv6_is_dropped_and_not_cut)
{
	struct daemon *d = daemon_start("[services]\nx = udp:[::1]:0 cat\ny = udp:[::1]:0 wc -c\n"
	    "[y]\nidle_timeout = 0\n");
	int peer = udp_dial(d, "x"), filter = udp_dial(d, "y");

	udp_put_bytes(peer, pattern(DATAGRAM_MOST + 1), DATAGRAM_MOST + 1);
	must(status_number(d, "x", "dropped") == 1 && status_number(d, "x", "served") == 0);
	udp_ask(peer, "first", "first");
	udp_put_bytes(peer, pattern(DATAGRAM_MOST + 20), DATAGRAM_MOST + 20);
	udp_ask(peer, "second", "second");
	must(status_number(d, "x", "dropped") == 2);
	udp_put_bytes(filter, pattern(DATAGRAM_MOST + 20), DATAGRAM_MOST + 20);
	udp_put_bytes(filter, pattern(DATAGRAM_MOST), DATAGRAM_MOST);
	udp_expect(filter, "65507\n");
	must(status_number(d, "y", "dropped") == 1 && status_number(d, "y", "served") == 1);
	daemon_stop(d);
}
END_TEST

START_TEST(port_is_not_shared)
{
	struct daemon *d = start_puppets("udp:127.0.0.1:0", "");
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) },
		.sin_port = htons((uint16_t)port_of(address_of(d, "x", 0))) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), yes = 1;

	must(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0);
	must(bind(fd, (struct sockaddr *)&in, sizeof in) == -1 && errno == EADDRINUSE);
	daemon_stop(d);
}
END_TEST

/* --- what the process is told */

static void
must_have(const char *slate, const char *name, const char *value)
{
	char line[256];

	snprintf(line, sizeof line, "%s=%s\n", name, value);
	if (strstr(slate, line) == NULL)
		flunk("no '%s' in:\n%s", line, slate);
}

static void
must_know(const char *slate, const char *remote, const char *remote_ip, const char *local_ip, int port)
{
	char text[32];

	must_have(slate, "PROTO", "UDP");
	must_have(slate, "UDPREMOTEIP", remote_ip);
	must_have(slate, "UDPREMOTEPORT", strrchr(remote, ':') + 1);
	must_have(slate, "UDPLOCALIP", local_ip);
	snprintf(text, sizeof text, "%d", port);
	must_have(slate, "UDPLOCALPORT", text);
	must_have(slate, "REMOTE_ADDR", remote_ip);
	must_have(slate, "REMOTE_HOST", remote_ip);
	must_have(slate, "REMOTE_PORT", strrchr(remote, ':') + 1);
	must_have(slate, "SUPERD_SERVICE", "x");
	must(strstr(slate, "TCP") == NULL && strstr(slate, "LISTEN_") == NULL);
}

static void
must_be_told(const char *idle_timeout, const char *in, const char *out)
{
	struct daemon *d = daemon_start("[services]\nx = udp:0 inspect\n[x]\nidle_timeout = %s\n",
	    idle_timeout);
	int port = port_of(address_of(d, "x", 0));
	int four = udp_from("127.0.0.5", "127.0.0.9", port), six = udp_from(NULL, "::1", port);
	const char *slate;

	udp_put(four, "?");
	slate = udp_text(four);
	must_know(slate, name_of(four), "127.0.0.5", "127.0.0.9", port);
	must_be_clean(slate, d);
	must_be(slate, "fd.0", in);
	must_be(slate, "fd.1", out);
	must(strstr(slate, "\nfd.3=") == NULL);
	udp_put(six, "?");
	must_know(udp_text(six), name_of(six), "::1", "::1", port);
	daemon_stop(d);
}

START_TEST(environment_of_a_session_names_both_ends)
{
	must_be_told("60s", "socket unix seqpacket read write", "socket unix seqpacket read write");
}
END_TEST

START_TEST(environment_of_a_filter_names_both_ends)
{
	must_be_told("0", "pipe read", "pipe write");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_udp");

	add_case(suite, "programs", NEEDS_NOTHING, TESTS(cat_answers_each_datagram,
	    shell_script_is_a_session));
	if (access("/usr/bin/bc", X_OK) == 0)
		add_case(suite, "bc", NEEDS_NOTHING, TESTS(bc_computes_in_a_session));
	else
		printf("SKIPPED: case 'bc', 1 tests: needs bc\n");
	add_case(suite, "bytes", NEEDS_NOTHING, TESTS(every_size_comes_back_exactly,
	    longest_datagram_is_a_first_one_too, ten_in_a_row_stay_ten_in_their_order,
	    peers_do_not_mix, answer_that_is_too_long_is_not_sent_and_told));
	add_case(suite, "empty", NEEDS_NOTHING, TESTS(
	    empty_first_datagram_starts_the_process_and_is_not_delivered,
	    empty_datagram_in_a_session_is_dropped_and_counted, empty_answers_are_sent_between_others));
	add_case(suite, "addresses", NEEDS_NOTHING, TESTS(
	    same_peer_has_a_process_for_each_address_of_ours,
	    wildcard_of_ipv4_answers_from_where_it_was_asked, port_is_not_shared));
	add_case(suite, "IPv6", NEEDS_IPV6, TESTS(dual_stack_answers_from_where_it_was_asked,
	    ipv6_alone_does_not_hear_ipv4, longer_one_of_ipv6_is_dropped_and_not_cut,
	    environment_of_a_session_names_both_ends, environment_of_a_filter_names_both_ends));
	add_case(suite, "several of IPv6", NEEDS_IPV6 | NEEDS_NETNS, TESTS(
	    wildcard_of_ipv6_answers_from_where_it_was_asked));
	return run_suite(suite);
}
