/*
 * Forged datagrams that claim to come from superd itself: an answer to one would
 * be a question again, and one datagram would keep the machine busy for ever.
 */
#include "harness_admission.h"
#include "harness_udp.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

/* From an address and a port that are somebody else's.  IPv4 needs no checksum, of IPv6 the kernel makes it. */
static void
forge(int family, const char *from, int from_port, const char *to, int to_port)
{
	struct { struct udphdr head; char text[4]; } packet = { .text = { 'l', 'o', 'o', 'p' } };
	struct sockaddr_in source4 = { .sin_family = AF_INET }, target4 = source4;
	struct sockaddr_in6 source6 = { .sin6_family = AF_INET6 }, target6 = source6;
	const bool four = family == AF_INET;
	const void *source = four ? (void *)&source4 : (void *)&source6;
	const void *target = four ? (void *)&target4 : (void *)&target6;
	socklen_t len = four ? sizeof source4 : sizeof source6;
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP), checksum = 6;

	must(inet_pton(family, from, four ? (void *)&source4.sin_addr : &source6.sin6_addr) == 1);
	must(inet_pton(family, to, four ? (void *)&target4.sin_addr : &target6.sin6_addr) == 1);
	packet.head.source = htons((uint16_t)from_port);
	packet.head.dest = htons((uint16_t)to_port);
	packet.head.len = htons(sizeof packet);
	if (fd == -1 || bind(fd, source, len) == -1 || (!four &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_CHECKSUM, &checksum, sizeof checksum) == -1) ||
	    sendto(fd, &packet, sizeof packet, 0, target, len) != (ssize_t)sizeof packet)
		flunk("a raw socket: %s", strerror(errno));
	close(fd);
}

static int
port(struct daemon *d, const char *service)
{
	return port_of(address_of(d, service, 0));
}

static void
must_be_refused(struct daemon *d, unsigned count)
{
	await_count(d, count, "refuse", "reason=denied");
	settle(d);
	must(log_find(d, "start", NULL) == NULL);
}

START_TEST(own_address_is_no_sender)
{
	struct daemon *d;

	enter_netns();
	d = daemon_start("[services]\nx = udp:127.0.0.1:0 cat\ny = udp4:0 cat\n");
	forge(AF_INET, "127.0.0.1", port(d, "x"), "127.0.0.1", port(d, "x"));
	must_be_refused(d, 1);
	forge(AF_INET, "127.0.0.1", port(d, "x"), "127.0.0.1", port(d, "y"));
	must_be_refused(d, 2);
	forge(AF_INET, "127.0.0.9", port(d, "y"), "127.0.0.1", port(d, "x"));
	must_be_refused(d, 3);
	udp_ask(udp_dial(d, "x"), "served", "served");
	daemon_stop(d);
}
END_TEST

START_TEST(own_address_is_no_sender_with_ipv6)
{
	struct daemon *d;

	enter_netns();
	add_address("fd00::7/128");
	d = daemon_start("[services]\nx = udp:0 cat\n");
	forge(AF_INET6, "fd00::7", port(d, "x"), "fd00::7", port(d, "x"));
	must_be_refused(d, 1);
	forge(AF_INET6, "::1", port(d, "x"), "fd00::7", port(d, "x"));
	must_be_refused(d, 2);
	forge(AF_INET, "127.0.0.1", port(d, "x"), "127.0.0.1", port(d, "x"));
	must_be_refused(d, 3);
	daemon_stop(d);
}
END_TEST

START_TEST(own_address_is_no_sender_for_a_filter)
{
	struct daemon *d;

	enter_netns();
	d = daemon_start("[services]\nx = udp4:0 tr a-z A-Z\n[x]\nidle_timeout = 0\n");
	forge(AF_INET, "127.0.0.1", port(d, "x"), "127.0.0.1", port(d, "x"));
	must_be_refused(d, 1);
	udp_ask(udp_dial(d, "x"), "served", "SERVED");
	daemon_stop(d);
}
END_TEST

/* The same port at an address where superd does not listen may be anybody's. */
START_TEST(same_port_of_another_address_is_served)
{
	struct daemon *d;

	enter_netns();
	d = daemon_start("[services]\nx = udp:127.0.0.1:0 cat\n");
	forge(AF_INET, "127.0.0.9", port(d, "x"), "127.0.0.1", port(d, "x"));
	await_log(d, "start", "service=x", "remote=127.0.0.9:*");
	must(log_find(d, "refuse", NULL) == NULL);
	daemon_stop(d);
}
END_TEST

/* A process that was handed its socket may ask others from there. */
START_TEST(address_that_is_handed_over_is_served)
{
	struct daemon *d;

	enter_netns();
	d = daemon_start("[superd]\ngrace = 0\n[services]\nx = udp:127.0.0.1:0 sleep 60\n"
	    "y = udp:127.0.0.1:0 cat\n[x]\nwait = yes\n");
	forge(AF_INET, "127.0.0.1", port(d, "x"), "127.0.0.1", port(d, "y"));
	await_log(d, "start", "service=x");	/* by the answer */
	must(log_find(d, "refuse", NULL) == NULL);
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_udp_own");

	add_case(suite, "forged", NEEDS_NETNS, TESTS(own_address_is_no_sender,
	    own_address_is_no_sender_for_a_filter, same_port_of_another_address_is_served,
	    address_that_is_handed_over_is_served));
	add_case(suite, "forged, IPv6", NEEDS_NETNS | NEEDS_IPV6, TESTS(
	    own_address_is_no_sender_with_ipv6));
	return run_suite(suite);
}
