/*
 * relay under load: bulk in odd pieces both ways, sides that do not read, and
 * sides that go away, orderly or not.
 */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BULK 10485760

/* One side of a talk: what it has to send, and what it has received so far. */
struct side {
	struct filter *filter;
	const char    *send;
	size_t         size;		/* bytes of both send and wanted */
	size_t         sent;
	size_t         got;
	const char    *wanted;
	bool           ended;		/* what it receives has ended */
};

static void
nonblocking(const struct filter *filter)
{
	fcntl(filter->in, F_SETFL, O_NONBLOCK);
	fcntl(filter->out, F_SETFL, O_NONBLOCK);
}

/* Writes the next piece, of 1 to 99,991 bytes; ends the input after the last. */
static void
side_send(struct side *side)
{
	static unsigned seed = 11;
	size_t piece = (seed = seed * 1103515245u + 12345u) % 16 < 4 ? 99990 : (seed >> 8) % 4999;
	size_t left = side->size - side->sent;
	ssize_t n = write(side->filter->in, side->send + side->sent,
	    piece + 1 < left ? piece + 1 : left);

	ck_assert_msg(n > 0 || errno == EAGAIN, "write: %s", strerror(errno));
	side->sent += n > 0 ? (size_t)n : 0;
	if (side->sent == side->size)
		filter_end_input(side->filter);
}

/* Reads a piece of an odd size and compares it. */
static void
side_receive(struct side *side)
{
	char got[77777];
	ssize_t n = read(side->filter->out, got, side->got % 5 == 0 ? 1777 : sizeof got);

	ck_assert_msg(n >= 0 || errno == EAGAIN, "read: %s", strerror(errno));
	side->ended = n == 0;
	if (n <= 0)
		return;
	ck_assert_uint_le(side->got + (size_t)n, side->size);
	ck_assert_msg(memcmp(got, side->wanted + side->got, (size_t)n) == 0, "at %zu", side->got);
	side->got += (size_t)n;
}

/* Both sides send all they have and receive all of the other's. */
static void
talk(struct side sides[2])
{
	while (!sides[0].ended || !sides[1].ended) {
		struct pollfd ends[4];

		for (int i = 0; i < 2; i++) {
			const struct side *side = &sides[i];

			ends[2 * i] = (struct pollfd){
				.fd = side->ended ? -1 : side->filter->out, .events = POLLIN };
			ends[2 * i + 1] = (struct pollfd){
				.fd = side->sent == side->size ? -1 : side->filter->in,
				.events = POLLOUT };
		}
		ck_assert_int_gt(poll(ends, 4, -1), 0);
		for (int i = 0; i < 2; i++) {
			if (ends[2 * i].revents != 0)
				side_receive(&sides[i]);
			if (ends[2 * i + 1].revents != 0)
				side_send(&sides[i]);
		}
	}
	for (int i = 0; i < 2; i++)
		ck_assert_uint_eq(sides[i].got, sides[i].size);
}

static const struct {
	enum channel channel;
	enum server_kind kind;
} ways[] = {
	{ TCP, SERVER_V4 }, { TCP, SERVER_PATH }, { STREAM, SERVER_V6 }, { STREAM, SERVER_PATH },
	{ NARROW, SERVER_V4 }, { NARROW, SERVER_ABSTRACT }, { PIPES, SERVER_V4 },
	{ PIPES, SERVER_PATH },
};

/* As on a system whose sockets cannot be spliced from. */
static void
no_splice(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_splice, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = ARRAY_LEN(rules), .filter = rules };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1)
		_exit(125);
}

static void
bulk_both_ways(struct server *server, struct filter client)
{
	struct filter peer = server_accept(server);
	char *there = noise_make(BULK, 1), *back = noise_make(BULK, 2);
	struct side sides[2] = {
		{ .filter = &client, .send = there, .size = BULK, .wanted = back },
		{ .filter = &peer, .send = back, .size = BULK, .wanted = there },
	};

	nonblocking(&client);
	nonblocking(&peer);
	talk(sides);
	ck_assert_int_eq(filter_finish(&client), 0);
	free(there);
	free(back);
}

START_TEST(bulk_both_ways_is_exact)
{
	struct server server = server_open(ways[_i].kind, 5);

	bulk_both_ways(&server, server_relay(&server, ways[_i].channel, NULL, NULL));
}
END_TEST

START_TEST(bulk_without_splice)
{
	struct server server = server_open(SERVER_V4, 5);
	const char *const argv[] = { "relay", server.host, server.port, NULL };

	bulk_both_ways(&server, filter_start_with(TCP, argv, no_splice));
}
END_TEST

static FILE *output_file;

/* A file in append mode is what splice(2) refuses to write to. */
static void
output_to_file(void)
{
	fcntl(fileno(output_file), F_SETFL, O_APPEND);
	dup2(fileno(output_file), 1);
}

START_TEST(output_that_cannot_be_spliced_to)
{
	struct server server = server_open(SERVER_V4, 5);
	const char *const argv[] = { "relay", server.host, server.port, NULL };
	char *data = noise_make(BULK, 14), *got = malloc(BULK + 1);
	struct filter client, peer;

	output_file = tmpfile();
	client = filter_start_with(TCP, argv, output_to_file);
	peer = server_accept(&server);
	filter_send(&peer, data, BULK);
	close(peer.in);
	filter_end_input(&client);
	ck_assert_int_eq(filter_wait(&client), 0);
	rewind(output_file);
	ck_assert_uint_eq(fread(got, 1, BULK + 1, output_file), BULK);
	ck_assert(memcmp(got, data, BULK) == 0);
	fclose(output_file);
	free(got);
	free(data);
}
END_TEST

/* Each side fills all buffers before it reads; then every byte arrives. */
START_TEST(both_sides_flood)
{
	struct server server = server_open(ways[_i].kind, 5);
	struct filter client = server_relay(&server, ways[_i].channel, NULL, NULL);
	struct filter peer = server_accept(&server);
	char *there = noise_make(FLOOD, 3), *back = noise_make(FLOOD, 4);
	struct side sides[2] = {
		{ .filter = &client, .send = there, .size = FLOOD, .wanted = back },
		{ .filter = &peer, .send = back, .size = FLOOD, .wanted = there },
	};

	nonblocking(&client);
	nonblocking(&peer);
	sides[0].sent = flood(&client, there);
	sides[1].sent = flood(&peer, back);
	process_idle(client.pid);
	talk(sides);
	ck_assert_int_eq(filter_finish(&client), 0);
	free(there);
	free(back);
}
END_TEST

/* The one direction is stuck for good, the other is not. */
START_TEST(one_direction_never_holds_up_the_other)
{
	const int way = _i / 2;
	struct server server = server_open(ways[way].kind, 5);
	struct filter client = server_relay(&server, ways[way].channel, NULL, NULL);
	struct filter peer = server_accept(&server);
	struct filter *stuck = _i % 2 == 0 ? &client : &peer;
	struct filter *other = _i % 2 == 0 ? &peer : &client;
	char *data = noise_make(FLOOD, 5);

	fcntl(stuck->in, F_SETFL, O_NONBLOCK);
	flood(stuck, data);
	fcntl(stuck->in, F_SETFL, 0);
	for (int i = 0; i < 20; i++) {
		filter_send(other, data + i * 1000, 1000);
		filter_expect(stuck, data + i * 1000, 1000);
	}
	filter_end_input(other);
	filter_expect_end(stuck);
	process_idle(client.pid);
	close(peer.in);
	filter_finish(&client);
	free(data);
}
END_TEST

/* The server reads nothing, so that nothing but the reset tells that the client is gone. */
START_TEST(reset_is_passed_on_while_bytes_wait)
{
	struct server server = server_open(SERVER_V4, 5);
	struct filter client = server_relay(&server, TCP, NULL, NULL);
	struct filter peer = server_accept(&server);
	char *data = noise_make(FLOOD, 6);

	nonblocking(&client);
	nonblocking(&peer);
	flood(&client, data);
	if (_i == 1)
		flood(&peer, data);
	connection_reset(&client);
	ck_assert_int_eq(filter_wait(&client), 0);
	fcntl(peer.in, F_SETFL, 0);
	filter_expect_reset(&peer);
	free(data);
}
END_TEST

/* Nothing can be done for a client that is gone until the server reads. */
START_TEST(client_that_closes_while_bytes_wait)
{
	static const enum channel channels[] = { TCP, STREAM, PIPES };
	struct server server = server_open(_i % 2 == 0 ? SERVER_V4 : SERVER_PATH, 5);
	struct filter client = server_relay(&server, channels[_i / 2], NULL, NULL);
	struct filter peer = server_accept(&server);
	char *data = noise_make(FLOOD, 10);
	size_t sent;

	nonblocking(&client);
	sent = flood(&client, data);
	connection_close(&client);
	process_idle(client.pid);
	filter_expect(&peer, data, sent);
	filter_expect_end(&peer);
	close(peer.in);
	ck_assert_int_eq(filter_wait(&client), 0);
	free(data);
}
END_TEST

/* A client that closes has sent what it sent, though the server's words find nobody. */
START_TEST(client_that_closes_has_sent_all)
{
	static const enum channel channels[] = { TCP, STREAM, PIPES };
	struct server server = server_open(_i % 2 == 0 ? SERVER_V4 : SERVER_PATH, 5);
	struct filter client = server_relay(&server, channels[_i / 2], NULL, NULL);
	struct filter peer = server_accept(&server);
	char *data = noise_make(50000, 7);

	filter_send_text(&peer, "ready");
	filter_expect_text(&client, "ready");
	kill(client.pid, SIGSTOP);		/* so that relay finds all this at once */
	filter_send(&client, data, 50000);
	connection_close(&client);
	filter_send_text(&peer, "is anybody there?");
	kill(client.pid, SIGCONT);
	filter_expect(&peer, data, 50000);
	filter_expect_end(&peer);
	close(peer.in);
	ck_assert_int_eq(filter_wait(&client), 0);
	free(data);
}
END_TEST

/* The same where the rest waits in relay's own queue when the reset comes. */
START_TEST(words_to_a_client_that_closed_cost_nothing)
{
	struct server server = server_open(SERVER_PATH, 5);
	struct filter client = server_relay(&server, TCP, NULL, NULL);
	struct filter peer = server_accept(&server);
	char *data = noise_make(480000, 13);

	filter_send(&client, data, 480000);
	connection_close(&client);
	process_idle(client.pid);
	filter_send_text(&peer, "is anybody there?");
	process_idle(client.pid);
	filter_expect(&peer, data, 480000);
	filter_expect_end(&peer);
	close(peer.in);
	ck_assert_int_eq(filter_wait(&client), 0);
	free(data);
}
END_TEST

/* The other way round: a server that answers without reading, and closes. */
START_TEST(answer_of_a_server_that_does_not_listen)
{
	struct server server = server_open(SERVER_PATH, 5);
	struct filter client = server_relay(&server, _i == 0 ? TCP : STREAM, NULL, NULL);
	struct filter peer = server_accept(&server);
	char *data = noise_make(100000, 8);

	shutdown(peer.in, SHUT_RD);
	filter_send_text(&client, "request");
	process_idle(client.pid);
	filter_send(&peer, data, 100000);
	for (int i = 0; i < 50; i++)
		filter_send(&client, data, 10000);
	close(peer.in);
	filter_expect(&client, data, 100000);
	filter_expect_end(&client);
	ck_assert_int_eq(filter_finish(&client), 0);
	free(data);
}
END_TEST

/* The answer is not overtaken by the reset that the unread rest would cause. */
START_TEST(answer_reaches_a_client_that_goes_on_sending)
{
	struct server server = server_open(SERVER_PATH, 5);
	struct filter client = server_relay(&server, TCP, NULL, NULL);
	struct filter peer = server_accept(&server);
	char *data = noise_make(1000000, 12);
	pid_t sender;

	shutdown(peer.in, SHUT_RD);
	if ((sender = fork()) == 0) {
		close(peer.in);
		while (write(client.in, data, 10000) > 0)
			continue;
		_exit(0);
	}
	filter_send(&peer, data, 1000000);
	connection_drained(&peer);	/* relay has all, and the client not yet */
	close(peer.in);
	filter_expect(&client, data, 1000000);
	filter_expect_end(&client);
	kill(sender, SIGKILL);
	filter_end_input(&client);
	ck_assert_int_eq(filter_wait(&client), 0);
	free(data);
}
END_TEST

/* Nobody takes what the server sends without end: relay ends, and so does the server. */
START_TEST(client_that_vanishes_ends_it)
{
	static const enum channel channels[] = { TCP, STREAM, PIPES };
	struct server server = server_open(_i % 2 == 0 ? SERVER_V4 : SERVER_PATH, 5);
	struct filter client = server_relay(&server, channels[_i / 2], NULL, NULL);
	struct filter peer = server_accept(&server);
	char *data = noise_make(BULK, 9);
	ssize_t n;

	filter_send(&peer, data, 1000);
	filter_expect(&client, data, 1000);
	connection_close(&client);
	while ((n = write(peer.in, data, BULK)) > 0)
		continue;
	ck_assert(errno == EPIPE || errno == ECONNRESET);
	ck_assert_int_eq(filter_wait(&client), 0);
	free(data);
}
END_TEST

static Suite *
flow_suite(void)
{
	Suite *suite = suite_create("flow of relay");
	TCase *tc = filter_case("bulk");

	tcase_add_loop_test(tc, bulk_both_ways_is_exact, 0, ARRAY_LEN(ways));
	tcase_add_test(tc, bulk_without_splice);
	tcase_add_test(tc, output_that_cannot_be_spliced_to);
	tcase_add_loop_test(tc, both_sides_flood, 0, ARRAY_LEN(ways));
	tcase_add_loop_test(tc, one_direction_never_holds_up_the_other, 0,
	    2 * ARRAY_LEN(ways));
	suite_add_tcase(suite, tc);
	tc = filter_case("ends");
	tcase_add_loop_test(tc, reset_is_passed_on_while_bytes_wait, 0, 2);
	tcase_add_loop_test(tc, client_that_closes_while_bytes_wait, 0, 6);
	tcase_add_loop_test(tc, client_that_closes_has_sent_all, 0, 6);
	tcase_add_test(tc, words_to_a_client_that_closed_cost_nothing);
	tcase_add_loop_test(tc, answer_of_a_server_that_does_not_listen, 0, 2);
	tcase_add_test(tc, answer_reaches_a_client_that_goes_on_sending);
	tcase_add_loop_test(tc, client_that_vanishes_ends_it, 0, 6);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return filter_main(flow_suite());
}
