/* Whole datagrams over real loopback sockets: bytes, batches, and the address that an answer leaves from. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datagram.h"
#include "unit.h"

static struct datagrams all;

static void
reserve(void)
{
	ck_assert_int_eq(datagrams_reserve(&all), 0);
	ck_assert_int_eq(datagrams_reserve(&all), 0);
}

static void
give_back(void)
{
	datagrams_free(&all);
	datagrams_free(&all);
}

/* A socket of ours, as the daemon binds one: dual is a wildcard of both families. */
static int
bound_socket(const char *ip, bool dual, struct peer *bound)
{
	struct sockaddr_storage name = { .ss_family = strchr(ip, ':') != NULL ? AF_INET6 : AF_INET };
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&name;
	struct sockaddr_in *four = (struct sockaddr_in *)&name;
	socklen_t len = sizeof name;
	int only = !dual, fd = socket(name.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (name.ss_family == AF_INET6) {
		ck_assert_int_eq(inet_pton(AF_INET6, ip, &six->sin6_addr), 1);
		ck_assert_int_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only), 0);
	} else {
		ck_assert_int_eq(inet_pton(AF_INET, ip, &four->sin_addr), 1);
	}
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&name,
	    name.ss_family == AF_INET6 ? sizeof *six : sizeof *four), 0);
	ck_assert_int_eq(datagram_options(fd, name.ss_family), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	address_of_sockaddr(&name, bound);
	bound->datagram = true;
	return fd;
}

/* A client of that address: connected, so that it hears of no other. */
static int
client_of(const char *ip, in_port_t port)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
	bool is_six = inet_pton(AF_INET6, ip, &six.sin6_addr) == 1;
	int fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert(is_six || inet_pton(AF_INET, ip, &four.sin_addr) == 1);
	ck_assert_int_eq(is_six ? connect(fd, (struct sockaddr *)&six, sizeof six) :
	    connect(fd, (struct sockaddr *)&four, sizeof four), 0);
	return fd;
}

static bool
have_ipv6(void)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool have = fd != -1 && bind(fd, (struct sockaddr *)&six, sizeof six) == 0;

	close(fd);
	return have;
}

/* --- addresses */

static const struct {
	const char	*bound;
	bool		 dual;
	const char	*asked;
	bool		 six;		/* needs IPv6 */
} trips[] = {
	{ "127.0.0.1", false, "127.0.0.1", false },
	{ "127.0.0.9", false, "127.0.0.9", false },
	{ "0.0.0.0",   false, "127.0.0.1", false },
	{ "0.0.0.0",   false, "127.0.0.9", false },
	{ "::1",       false, "::1",       true },
	{ "::",        false, "::1",       true },
	{ "::",        true,  "::1",       true },
	{ "::",        true,  "127.0.0.1", true },
	{ "::",        true,  "127.0.0.9", true },
};

START_TEST(answer_leaves_from_the_address_that_was_asked)
{
	struct peer bound;
	char text[ADDRESS_TEXT], answer[16] = "";
	int ours, client;

	if (trips[_i].six && !have_ipv6())
		return;
	ours = bound_socket(trips[_i].bound, trips[_i].dual, &bound);
	client = client_of(trips[_i].asked, bound.port);
	ck_assert_int_eq(send(client, "question", 8, 0), 8);
	ck_assert_int_eq(datagram_receive(&all, ours, &bound, DATAGRAMS_BATCH), 1);
	address_ip_text(&all.item->local.ip, all.item->local.scope, text);
	ck_assert_str_eq(text, trips[_i].asked);
	ck_assert_uint_eq(all.item->local.port, bound.port);
	ck_assert(all.item->local.datagram && all.item->peer.datagram);
	ck_assert_uint_eq(all.item->bytes.iov_len, 8);
	ck_assert_mem_eq(all.item->bytes.iov_base, "question", 8);
	ck_assert_uint_eq(datagram_send(ours, &bound, &all.item->local, &all.item->peer,
	    &(struct iovec){ answer, 3 }, 1), 1);
	ck_assert_int_eq(recv(client, answer, sizeof answer, 0), 3);
	close(ours);
	close(client);
}
END_TEST

START_TEST(peer_is_who_sent_it)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof name;
	struct peer bound, peer;
	int ours = bound_socket("0.0.0.0", false, &bound);

	for (int i = 0; i < 3; i++) {
		int client = client_of("127.0.0.1", bound.port);

		ck_assert_int_eq(send(client, "?", 1, 0), 1);
		ck_assert_int_eq(getsockname(client, (struct sockaddr *)&name, &len), 0);
		address_of_sockaddr(&name, &peer);
		ck_assert_int_eq(datagram_receive(&all, ours, &bound, DATAGRAMS_BATCH), 1);
		ck_assert_uint_eq(all.item->peer.port, peer.port);
		ck_assert_mem_eq(&all.item->peer.ip, &peer.ip, sizeof peer.ip);
		close(client);
	}
	close(ours);
}
END_TEST

/* --- batches */

START_TEST(batch_is_all_there_is_and_no_more_than_asked_for)
{
	enum { MANY = DATAGRAMS_BATCH + 5 };
	struct peer bound;
	int ours = bound_socket("127.0.0.1", false, &bound), client = client_of("127.0.0.1", bound.port);
	unsigned char byte;

	for (byte = 0; byte < MANY; byte++)
		ck_assert_int_eq(send(client, &byte, 1, 0), 1);
	ck_assert_int_eq(datagram_receive(&all, ours, &bound, 1), 1);
	ck_assert_int_eq(datagram_receive(&all, ours, &bound, DATAGRAMS_BATCH), DATAGRAMS_BATCH);
	for (int i = 0; i < DATAGRAMS_BATCH; i++)
		ck_assert_int_eq(*(unsigned char *)all.item[i].bytes.iov_base, i + 1);
	ck_assert_int_eq(datagram_receive(&all, ours, &bound, DATAGRAMS_BATCH), 4);
	ck_assert_int_eq(datagram_receive(&all, ours, &bound, DATAGRAMS_BATCH), -1);
	ck_assert_int_eq(errno, EAGAIN);
	close(ours);
	close(client);
}
END_TEST

START_TEST(empty_datagram_is_one)
{
	struct peer bound;
	int ours = bound_socket("127.0.0.1", false, &bound), client = client_of("127.0.0.1", bound.port);
	char byte;

	ck_assert_int_eq(send(client, "", 0, 0), 0);
	ck_assert_int_eq(datagram_receive(&all, ours, &bound, DATAGRAMS_BATCH), 1);
	ck_assert_uint_eq(all.item->bytes.iov_len, 0);
	ck_assert_uint_eq(datagram_send(ours, &bound, &all.item->local, &all.item->peer,
	    &all.item->bytes, 1), 1);
	ck_assert_int_eq(recv(client, &byte, 1, 0), 0);
	close(ours);
	close(client);
}
END_TEST

/* --- lengths, on a pair as a process has it */

static void
make_pair(int ends[2])
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
}

static const struct {
	size_t	 written, told;
} lengths[] = {
	{ 1, 1 }, { 65506, 65506 }, { DATAGRAM_BYTES, DATAGRAM_BYTES },
	{ DATAGRAM_BYTES + 1, DATAGRAM_BYTES + 1 }, { 65536, DATAGRAM_BYTES + 1 },
	{ 65537, DATAGRAM_BYTES + 1 }, { 100000, DATAGRAM_BYTES + 1 },
};

START_TEST(too_long_and_cut_off_are_told_alike)
{
	static unsigned char bytes[100000];
	int ends[2];

	make_pair(ends);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(i % 251);
	ck_assert_int_eq(write(ends[1], bytes, lengths[_i].written), (ssize_t)lengths[_i].written);
	ck_assert_int_eq(write(ends[1], "next", 4), 4);
	ck_assert_int_eq(datagram_read(&all, ends[0], DATAGRAMS_BATCH), 2);
	ck_assert_uint_eq(all.item[0].bytes.iov_len, lengths[_i].told);
	ck_assert_mem_eq(all.item[0].bytes.iov_base, bytes, lengths[_i].told);
	ck_assert_uint_eq(all.item[1].bytes.iov_len, 4);
	ck_assert_mem_eq(all.item[1].bytes.iov_base, "next", 4);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(what_does_not_fit_the_queue_is_not_written)
{
	static char bytes[60000];
	struct iovec pieces[DATAGRAMS_BATCH];
	unsigned written;
	int ends[2];

	make_pair(ends);
	for (int i = 0; i < DATAGRAMS_BATCH; i++)
		pieces[i] = (struct iovec){ bytes, sizeof bytes };
	do
		written = datagram_write(ends[0], pieces, DATAGRAMS_BATCH);
	while (written == DATAGRAMS_BATCH);
	ck_assert_uint_eq(datagram_write(ends[0], pieces, 1), 0);
	ck_assert_int_eq(errno, EAGAIN);
	close(ends[1]);
	ck_assert_uint_eq(datagram_write(ends[0], pieces, 1), 0);
	ck_assert_int_ne(errno, EAGAIN);
	close(ends[0]);
}
END_TEST

START_TEST(one_that_cannot_be_sent_stops_a_batch_there)
{
	static char bytes[DATAGRAM_BYTES + 1];
	struct iovec pieces[3] = { { bytes, 1 }, { bytes, sizeof bytes }, { bytes, 2 } };
	struct peer bound;
	int ours = bound_socket("127.0.0.1", false, &bound), client = client_of("127.0.0.1", bound.port);

	ck_assert_int_eq(send(client, "?", 1, 0), 1);
	ck_assert_int_eq(datagram_receive(&all, ours, &bound, 1), 1);
	ck_assert_uint_eq(datagram_send(ours, &bound, &all.item->local, &all.item->peer, pieces, 3), 1);
	ck_assert_uint_eq(datagram_send(ours, &bound, &all.item->local, &all.item->peer, pieces + 2, 1), 1);
	ck_assert_int_eq(recv(client, bytes, sizeof bytes, 0), 1);
	ck_assert_int_eq(recv(client, bytes, sizeof bytes, 0), 2);
	close(ours);
	close(client);
}
END_TEST

/* --- which is the first */

START_TEST(first_in_the_queue_keeps_its_stamp)
{
	struct timespec one, again, next;
	struct peer bound;
	int ours = bound_socket("127.0.0.1", false, &bound), client = client_of("127.0.0.1", bound.port);
	char byte;

	ck_assert(!datagram_first(ours, &one));
	ck_assert_int_eq(send(client, "1", 1, 0), 1);
	ck_assert(datagram_first(ours, &one));
	ck_assert_int_eq(send(client, "2", 1, 0), 1);
	ck_assert(datagram_first(ours, &again));
	ck_assert(one.tv_sec == again.tv_sec && one.tv_nsec == again.tv_nsec);
	ck_assert_int_ne(one.tv_sec, 0);
	ck_assert_int_eq(recv(ours, &byte, 1, 0), 1);
	ck_assert_int_eq(byte, '1');
	ck_assert(datagram_first(ours, &next));
	ck_assert(one.tv_sec != next.tv_sec || one.tv_nsec != next.tv_nsec);
	ck_assert_int_eq(recv(ours, &byte, 1, 0), 1);
	ck_assert_int_eq(byte, '2');
	ck_assert(!datagram_first(ours, &next));
	close(ours);
	close(client);
}
END_TEST

static TCase *
with_room(Suite *suite, const char *name)
{
	TCase *tcase = unit_case(suite, name);

	tcase_add_checked_fixture(tcase, reserve, give_back);
	return tcase;
}

int
main(void)
{
	Suite *suite = suite_create("datagram");
	TCase *addresses = with_room(suite, "addresses"), *batches = with_room(suite, "batches"),
	    *long_ones = with_room(suite, "lengths"), *first = with_room(suite, "first");

	tcase_add_loop_test(addresses, answer_leaves_from_the_address_that_was_asked, 0, ROWS(trips));
	tcase_add_test(addresses, peer_is_who_sent_it);
	tcase_add_test(batches, batch_is_all_there_is_and_no_more_than_asked_for);
	tcase_add_test(batches, empty_datagram_is_one);
	tcase_add_loop_test(long_ones, too_long_and_cut_off_are_told_alike, 0, ROWS(lengths));
	tcase_add_test(long_ones, what_does_not_fit_the_queue_is_not_written);
	tcase_add_test(long_ones, one_that_cannot_be_sent_stops_a_batch_there);
	tcase_add_test(first, first_in_the_queue_keeps_its_stamp);
	return unit_run(suite);
}
