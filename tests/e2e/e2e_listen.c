/*
 * Listening: every form of LISTEN for TCP, both families, ports by name, and
 * addresses that are taken or absent at first.
 */
#include "harness.h"

#include <sys/socket.h>

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

/* A daemon whose only service "where" tells the addresses of its connection. */
static struct daemon *
start_where(const char *listen)
{
	return daemon_start("[services]\nwhere = %s sh -c "
	    "'echo $PROTO $TCPLOCALIP $TCPREMOTEIP $REMOTE_ADDR $REMOTE_HOST'\n", listen);
}

static void
served_at(const char *address, const char *answer)
{
	int fd = dial_to(address);
	const char *got = drain(fd);

	if (strcmp(got, answer) != 0)
		flunk("at %s: got '%s', wanted '%s'", address, got, answer);
}

static void
refused_at(const char *address)
{
	must(try_dial(address) == -1 && errno == ECONNREFUSED);
}

static const char *
at_port(const char *host, int port)
{
	static char address[4][64];
	static unsigned turn;

	snprintf(address[++turn % 4], sizeof address[0], "%s:%d", host, port);
	return address[turn % 4];
}

static const char v4_answer[] = "TCP 127.0.0.1 127.0.0.1 127.0.0.1 127.0.0.1\n";
static const char v6_answer[] = "TCP ::1 ::1 ::1 ::1\n";

static void
expect_dual_stack(const char *listen)
{
	struct daemon *d = start_where(listen);
	int port = port_of(address_of(d, "where", 0));

	await_count(d, 1, "listen", "service=where");
	served_at(at_port("127.0.0.1", port), v4_answer);
	await_log(d, "start", "service=where", "remote=127.0.0.1:*");
	served_at(at_port("[::1]", port), v6_answer);
	await_log(d, "start", "service=where", "remote=[::1]:*");
	daemon_stop(d);
}

START_TEST(bare_port_serves_both_families)
{
	expect_dual_stack("0");
}
END_TEST

START_TEST(tcp_port_serves_both_families)
{
	expect_dual_stack("tcp:0");
}
END_TEST

START_TEST(star_serves_both_families)
{
	expect_dual_stack("*:0");
}
END_TEST

/* In a network of its own, where nobody else has that port in the other family. */
START_TEST(tcp6_serves_ipv6_alone)
{
	struct daemon *d;
	int port;

	enter_netns();
	d = start_where("tcp6:0");
	port = port_of(address_of(d, "where", 0));
	served_at(at_port("[::1]", port), v6_answer);
	refused_at(at_port("127.0.0.1", port));
	daemon_stop(d);
}
END_TEST

START_TEST(tcp4_does_not_serve_ipv6)
{
	struct daemon *d;

	enter_netns();
	d = start_where("tcp4:0");
	refused_at(at_port("[::1]", port_of(address_of(d, "where", 0))));
	daemon_stop(d);
}
END_TEST

START_TEST(bracketed_address_serves_ipv6)
{
	struct daemon *d = start_where("[::1]:0");
	const char *address = address_of(d, "where", 0);

	must(strncmp(address, "[::1]:", 6) == 0);
	served_at(address, v6_answer);
	daemon_stop(d);
}
END_TEST

START_TEST(localhost_means_both_loopbacks)
{
	struct daemon *d = start_where("tcp:localhost:0");
	const char *first = address_of(d, "where", 0), *second = address_of(d, "where", 1);
	const char *v4 = first[0] == '[' ? second : first, *v6 = first[0] == '[' ? first : second;

	served_at(v4, v4_answer);
	served_at(v6, v6_answer);
	await_count(d, 2, "listen", "service=where");
	daemon_stop(d);
}
END_TEST

START_TEST(tcp4_serves_ipv4)
{
	struct daemon *d = start_where("tcp4:0");

	served_at(at_port("127.0.0.1", port_of(address_of(d, "where", 0))), v4_answer);
	daemon_stop(d);
}
END_TEST

START_TEST(numeric_address_serves_that_address)
{
	struct daemon *d;
	const char *address;

	enter_netns();
	d = start_where("127.0.0.1:0");
	address = address_of(d, "where", 0);
	must(strncmp(address, "127.0.0.1:", 10) == 0);
	served_at(address, v4_answer);
	refused_at(at_port("127.0.0.2", port_of(address)));
	daemon_stop(d);
}
END_TEST

START_TEST(one_service_serves_several_addresses)
{
	struct daemon *d = start_where("127.0.0.1:0,127.0.0.2:0,tcp:127.0.0.3:0");

	await_count(d, 3, "listen", "service=where");
	for (unsigned i = 0; i < 3; i++) {
		char answer[64];

		snprintf(answer, sizeof answer, "TCP 127.0.0.%u 127.0.0.%u", i + 1, i + 1);
		must(strncmp(drain(dial_to(address_of(d, "where", i))), answer, 13) == 0);
	}
	daemon_stop(d);
}
END_TEST

/* --- ports by name; the network is the test's own, so that a fixed port disturbs nobody */

START_TEST(port_may_be_a_services_name)
{
	static const char *const names[] = { "postgresql", "mysql", "svn", "x11", "nfs" };
	const struct servent *entry = NULL;
	const char *name = NULL;
	struct daemon *d;

	for (size_t i = 0; entry == NULL && i < sizeof names / sizeof names[0]; i++)
		entry = getservbyname(name = names[i], "tcp");
	if (entry == NULL) {
		printf("SKIPPED: port_may_be_a_services_name: services(5) is empty\n");
		return;
	}
	enter_netns();
	d = daemon_start("[services]\nbare = tcp:%s hold bare\nhost = 127.0.0.2:0 hold\n", name);
	must(port_of(address_of(d, "bare", 0)) == ntohs((uint16_t)entry->s_port));
	expect(dial_to(at_port("127.0.0.1", ntohs((uint16_t)entry->s_port))), "bare\n");
	daemon_stop(d);
}
END_TEST

START_TEST(fixed_port_is_bound_again_at_once_after_a_restart)
{
	struct daemon *d;

	enter_netns();
	for (int round = 0; round < 3; round++) {
		int fd;

		d = daemon_start("[services]\nhold = 4711 sh -c 'exit 0'\n");
		must(log_find(d, "waiting", NULL) == NULL);
		fd = dial_to("127.0.0.1:4711");
		expect_end(fd);		/* the server's side closed first: TIME_WAIT is there */
		daemon_stop(d);
	}
}
END_TEST

/* --- addresses that cannot be bound yet */

START_TEST(taken_port_waits_and_is_served_once_free)
{
	struct daemon *d;
	int taken;

	enter_netns();
	taken = bind_to("127.0.0.1:4711");
	d = daemon_start("[services]\nlate = 127.0.0.1:4711 hold late\nother = 127.0.0.1:0 hold\n");
	await_log(d, "waiting", "service=late", "address=127.0.0.1:4711", "error=*");
	expect(dial(d, "other"), "held\n");		/* it stops nothing else */
	must(log_find(d, "listen", "service=late", NULL) == NULL);
	close(taken);
	await_log(d, "listen", "service=late", "address=127.0.0.1:4711");
	expect(dial(d, "late"), "late\n");
	daemon_stop(d);
}
END_TEST

START_TEST(absent_address_is_served_when_it_appears)
{
	struct daemon *d;

	enter_netns();
	d = daemon_start("[services]\nlate = 192.0.2.77:4711 hold late\n");
	await_log(d, "waiting", "service=late", "address=192.0.2.77:4711", "error=*");
	add_address("192.0.2.77/32");
	await_log(d, "listen", "service=late", "address=192.0.2.77:4711");
	expect(dial(d, "late"), "late\n");
	daemon_stop(d);
}
END_TEST

START_TEST(absent_ipv6_address_is_served_when_it_appears)
{
	struct daemon *d;

	enter_netns();
	d = daemon_start("[services]\nlate = [2001:db8::77]:4711 hold late\n");
	await_log(d, "waiting", "service=late", "address=[2001:db8::77]:4711");
	add_address("2001:db8::77/128");
	await_log(d, "listen", "service=late");
	expect(dial(d, "late"), "late\n");
	daemon_stop(d);
}
END_TEST

START_TEST(absent_device_waits)
{
	struct daemon *d;

	enter_netns();
	d = daemon_start("[services]\nlate = 4711 hold\n[late]\ndevice = nosuch0\n");
	await_log(d, "waiting", "service=late", "error=*");
	daemon_stop(d);
}
END_TEST

START_TEST(device_confines_a_service)
{
	struct daemon *d;

	enter_netns();
	d = daemon_start("[services]\nlo = 4711 hold\n[lo]\ndevice = lo\n");
	expect(dial_to("127.0.0.1:4711"), "held\n");
	daemon_stop(d);
}
END_TEST

/* --- what may not be */

START_TEST(address_given_twice_is_an_error)
{
	struct daemon *d = daemon_new();

	daemon_write(d, "[services]\na = 127.0.0.1:4711 hold\nb = 127.0.0.1:4711 hold\n");
	daemon_run(d, NULL);
	must(daemon_exit_status(d) == 78);
	await_log(d, NULL, "~superd.ini:3: [services] b: ");
}
END_TEST

START_TEST(address_beside_its_wildcard_is_an_error)
{
	struct daemon *d = daemon_new();

	daemon_write(d, "[services]\na = 4711 hold\nb = 127.0.0.1:4711 hold\n");
	daemon_run(d, NULL);
	must(daemon_exit_status(d) == 78);
	await_log(d, NULL, "~superd.ini:3:");
}
END_TEST

START_TEST(port_0_twice_is_no_repetition)
{
	struct daemon *d = daemon_start("[services]\na = 127.0.0.1:0 hold a\nb = 127.0.0.1:0 hold b\n");

	expect(dial(d, "a"), "a\n");
	expect(dial(d, "b"), "b\n");
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_listen");

	add_case(suite, "both families", NEEDS_IPV6, TESTS(bare_port_serves_both_families,
	    tcp_port_serves_both_families, star_serves_both_families,
	    bracketed_address_serves_ipv6, localhost_means_both_loopbacks));
	add_case(suite, "one family alone", NEEDS_IPV6 | NEEDS_NETNS,
	    TESTS(tcp6_serves_ipv6_alone, tcp4_does_not_serve_ipv6));
	add_case(suite, "IPv4", NEEDS_NOTHING, TESTS(tcp4_serves_ipv4,
	    one_service_serves_several_addresses));
	add_case(suite, "own network", NEEDS_NETNS, TESTS(numeric_address_serves_that_address,
	    port_may_be_a_services_name,
	    fixed_port_is_bound_again_at_once_after_a_restart,
	    taken_port_waits_and_is_served_once_free));
	add_case(suite, "own network, root", NEEDS_NETNS | NEEDS_ROOT,
	    TESTS(absent_address_is_served_when_it_appears, absent_device_waits,
	    device_confines_a_service));
	add_case(suite, "own network, root, IPv6", NEEDS_NETNS | NEEDS_ROOT | NEEDS_IPV6,
	    TESTS(absent_ipv6_address_is_served_when_it_appears));
	add_case(suite, "refused addresses", NEEDS_NOTHING, TESTS(address_given_twice_is_an_error,
	    address_beside_its_wildcard_is_an_error, port_0_twice_is_no_repetition));
	return run_suite(suite);
}
