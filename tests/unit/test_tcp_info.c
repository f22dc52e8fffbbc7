/* What the kernel knows of a connection: bytes each way, ends that are no bytes, idleness. */
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tcp_info.h"
#include "unit.h"

static int client, server;

static void
make_pair(void)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof name;
	int listening = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(listening, (struct sockaddr *)&name, sizeof name), 0);
	ck_assert_int_eq(listen(listening, 1), 0);
	ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&name, &len), 0);
	ck_assert_int_ge(client = socket(AF_INET, SOCK_STREAM, 0), 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&name, len), 0);
	ck_assert_int_ge(server = accept(listening, NULL, NULL), 0);
	close(listening);
}

static void
send_all(int fd, size_t size)
{
	static const char block[65536];

	for (size_t part; size > 0; size -= part) {
		part = size < sizeof block ? size : sizeof block;
		ck_assert_int_eq(send(fd, block, part, MSG_NOSIGNAL), (ssize_t)part);
	}
}

/* Reads so many, so that it is certain that they have come. */
static void
take_all(int fd, size_t size)
{
	static char block[65536];

	while (size > 0) {
		ssize_t got = recv(fd, block, size < sizeof block ? size : sizeof block, 0);

		ck_assert_int_gt(got, 0);
		size -= (size_t)got;
	}
}

static void
await_end(int fd)
{
	char byte;

	ck_assert_int_eq(recv(fd, &byte, 1, 0), 0);
}

static const struct row {
	size_t in, out;
	bool client_ends, server_ends, client_first;
} rows[] = {
	{ 0, 0, false, false, false }, { 1, 0, false, false, false }, { 0, 1, false, false, false },
	{ 5, 7, false, false, false }, { 5, 7, true, false, false }, { 5, 7, false, true, false },
	{ 5, 7, true, true, false }, { 5, 7, true, true, true }, { 0, 0, true, false, false },
	{ 0, 0, false, true, false }, { 0, 0, true, true, true }, { 0, 0, true, true, false },
	{ 100000, 3, true, true, true }, { 3, 100000, true, true, false },
};

static void
end(int from, int to)
{
	ck_assert_int_eq(shutdown(from, SHUT_WR), 0);
	await_end(to);
}

START_TEST(bytes_are_counted_and_ends_are_not)
{
	const struct row *row = &rows[_i];
	uint64_t in = 99, out = 99;

	make_pair();
	send_all(client, row->in);
	take_all(server, row->in);
	send_all(server, row->out);
	take_all(client, row->out);
	if (row->client_ends && row->client_first)
		end(client, server);
	if (row->server_ends)
		end(server, client);
	if (row->client_ends && !row->client_first)
		end(client, server);
	ck_assert(tcp_traffic(server, &in, &out));
	ck_assert_uint_eq(in, row->in);
	ck_assert_uint_eq(out, row->out);
}
END_TEST

START_TEST(what_waits_to_be_sent_counts)
{
	const int small = 4096;
	uint64_t in, out;
	ssize_t sent = 0, more;
	char block[1024] = "";

	make_pair();
	ck_assert_int_eq(setsockopt(client, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
	while ((more = send(server, block, sizeof block, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
		sent += more;
	ck_assert(tcp_traffic(server, &in, &out));
	ck_assert_uint_eq(in, 0);
	ck_assert_uint_eq(out, (uint64_t)sent);
}
END_TEST

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t
idle(void)
{
	uint64_t ms = UINT64_MAX;

	ck_assert(tcp_idle_ms(server, &ms));
	return ms;
}

/* Until the kernel says that it has been idle for so long; how long that takes is no matter. */
static void
await_idle(uint64_t ms)
{
	while (idle() < ms)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

START_TEST(a_byte_in_either_direction_ends_idleness)
{
	const bool from_client = _i == 0;
	uint64_t begun, since;

	make_pair();
	await_idle(300);
	begun = now_ms();
	send_all(from_client ? client : server, 1);
	take_all(from_client ? server : client, 1);
	since = idle();
	/* However long that took; the kernel counts in ticks of up to 10 ms. */
	ck_assert_uint_le(since, now_ms() - begun + 20);
}
END_TEST

START_TEST(what_is_no_connection_has_nothing_to_tell)
{
	uint64_t ms, in, out;
	int ends[2];

	if (_i == 0)
		ck_assert_int_eq(pipe(ends), 0);
	else if (_i == 1)
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	else if (_i == 2)
		ends[0] = socket(AF_INET, SOCK_DGRAM, 0);
	else
		ends[0] = -1;
	ck_assert(!tcp_idle_ms(ends[0], &ms));
	ck_assert(!tcp_traffic(ends[0], &in, &out));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tcp_info");
	TCase *tcase = unit_case(suite, "tcp_info");

	tcase_add_loop_test(tcase, bytes_are_counted_and_ends_are_not, 0, ROWS(rows));
	tcase_add_test(tcase, what_waits_to_be_sent_counts);
	tcase_add_loop_test(tcase, a_byte_in_either_direction_ends_idleness, 0, 2);
	tcase_add_loop_test(tcase, what_is_no_connection_has_nothing_to_tell, 0, 4);
	return unit_run(suite);
}
