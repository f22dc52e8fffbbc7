/*
 * msgclient against servers of the test's own, and calls of both clients that are wrong.
 */
#include "server.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUIET_MS 100		/* who says nothing in this time waits for something */
#define PAUSE_MS 300		/* for so long msgclient waits for the rest of a reply */

static bool
is_silent(int fd)
{
	struct pollfd said = { .fd = fd, .events = POLLIN };

	return poll(&said, 1, QUIET_MS) == 0;
}

/* A client of a new server, and its connection at the server's end. */
static struct filter
msg_start(struct filter *peer)
{
	struct server server = server_open(SERVER_V4, 5);
	struct filter client = filter_start(PIPES, ARGS("msgclient", "-t", "20", server.host,
						       server.port));

	*peer = server_accept(&server);
	close(server.listener);
	return client;
}

START_TEST(msg_line_by_line)
{
	struct filter peer, client = msg_start(&peer);

	filter_send_text(&client, "one\ntwo\n\nlast");
	filter_expect_text(&peer, "one\n");
	ck_assert(is_silent(peer.in));
	filter_send_text(&peer, "reply\n");
	filter_expect_text(&client, "reply\n");
	filter_expect_text(&peer, "two\n");
	filter_send_text(&peer, "bare text");
	filter_expect_text(&client, "bare text");
	filter_expect_text(&peer, "\n");
	filter_send_text(&peer, "2\n");
	filter_expect_text(&client, "2\n");
	filter_end_input(&client);
	filter_expect_text(&peer, "last\n");
	filter_send_text(&peer, "ok\n");
	filter_expect_end(&peer);
	filter_send_text(&peer, "the rest");
	filter_expect_text(&client, "ok\nthe rest");
	close(peer.in);
	filter_expect_end(&client);
	ck_assert_int_eq(filter_wait(&client), 0);
}
END_TEST

/* What is there of a reply is shown at once.  When the test was held up, its rest came too late. */
START_TEST(msg_reply_comes_in_parts)
{
	int64_t begun, needed;
	bool waits;

	do {
		struct filter peer, client = msg_start(&peer);

		filter_send_text(&client, "one\ntwo\n");
		filter_expect_text(&peer, "one\n");
		begun = now_ms();
		filter_send_text(&peer, "re");
		filter_expect_text(&client, "re");
		waits = is_silent(peer.in);
		filter_send_text(&peer, "ply\n");
		needed = now_ms() - begun;
		ck_assert(waits || needed >= PAUSE_MS);
		filter_expect_text(&client, "ply\n");
		filter_expect_text(&peer, "two\n");
		if (needed < PAUSE_MS) {
			filter_send_text(&peer, "2\n");
			filter_expect_text(&client, "2\n");
		}
		close(peer.in);
		(void)filter_finish(&client);
	} while (needed >= PAUSE_MS);
}
END_TEST

START_TEST(msg_greeting_is_shown_unasked)
{
	struct filter peer, client = msg_start(&peer);

	filter_send_text(&peer, "welcome\nto this\n");
	filter_expect_text(&client, "welcome\nto this\n");
	close(peer.in);
	ck_assert_int_eq(filter_wait(&client), 0);
}
END_TEST

START_TEST(msg_quit_is_the_last_line)
{
	struct filter peer, client = msg_start(&peer);

	filter_send_text(&client, _i == 0 ? "quitter\nquit\nmore\n" : "quitter\nquit");
	if (_i == 1)
		filter_end_input(&client);
	filter_expect_text(&peer, "quitter\n");
	filter_send_text(&peer, "no\n");
	filter_expect_text(&peer, "quit\n");
	filter_send_text(&peer, "goodbye\n");
	filter_expect_end(&peer);
	close(peer.in);
	filter_expect_text(&client, "no\ngoodbye\n");
	filter_expect_end(&client);
	ck_assert_int_eq(filter_wait(&client), 0);
}
END_TEST

START_TEST(msg_end_in_place_of_a_reply_fails)
{
	struct filter peer, client = msg_start(&peer);

	filter_send_text(&client, "hello\n");
	filter_expect_text(&peer, "hello\n");
	if (_i == 0)
		close(peer.in);
	else
		connection_reset(&peer);
	ck_assert_int_eq(filter_wait(&client), 1);
}
END_TEST

START_TEST(msg_silence_fails_in_time)
{
	struct server server = server_open(SERVER_V4, 5);
	struct filter client = filter_start(PIPES, ARGS("msgclient", "-t", "1", server.host,
						       server.port));
	struct filter peer = server_accept(&server);

	filter_send_text(&client, "hello\n");
	filter_expect_text(&peer, "hello\n");
	filter_expect_end(&client);
	ck_assert_int_eq(filter_wait(&client), 1);
}
END_TEST

START_TEST(msg_connecting_goes_on_after_a_stop)
{
	struct server server = server_open(SERVER_V4, 0);
	const int before = server_fill(&server);
	struct filter peer, client = filter_start(PIPES, ARGS("msgclient", server.host, server.port));

	process_stop_and_go_on(client.pid);
	for (int i = 0; i < before; i++)
		close(server_accept(&server).in);
	peer = server_accept(&server);
	filter_send_text(&client, "hello\n");
	filter_expect_text(&peer, "hello\n");
	close(peer.in);
	ck_assert_int_eq(filter_wait(&client), 1);	/* no answer */
}
END_TEST

START_TEST(msg_dead_server_fails)
{
	struct server server = server_open(SERVER_V4, -1);

	filter_check(ARGS("msgclient", server.host, server.port), "x\n", 2, 1, "", 0);
	filter_check(ARGS("msgclient", NO_NAME, server.port), "x\n", 2, 1, "", 0);
}
END_TEST

START_TEST(msg_every_address_is_tried)
{
	struct server server = server_open(_i == 0 ? SERVER_V4 : SERVER_V6, 5);
	struct filter client, peer;

	if (!hosts_several())
		return;
	client = filter_start_with(PIPES, ARGS("msgclient", "several.test", server.port),
	    hosts_own);
	peer = server_accept(&server);
	filter_send_text(&peer, "here\n");
	filter_expect_text(&client, "here\n");
	close(peer.in);
	ck_assert_int_eq(filter_wait(&client), 0);
}
END_TEST

START_TEST(wrong_call_is_refused)
{
	static const char *const clients[] = { "msgclient", "udpclient" };
	const char *client = clients[_i];

	filter_check_usage(ARGS(client));
	filter_check_usage(ARGS(client, "127.0.0.1"));
	filter_check_usage(ARGS(client, "127.0.0.1", "1", "2"));
	filter_check_usage(ARGS(client, "127.0.0.1", "0"));
	filter_check_usage(ARGS(client, "127.0.0.1", "65536"));
	filter_check_usage(ARGS(client, "127.0.0.1", "99999999999999999999"));
	filter_check_usage(ARGS(client, "-x", "127.0.0.1", "1"));
	filter_check_usage(ARGS(client, "-t", "0", "127.0.0.1", "1"));
	filter_check_usage(ARGS(client, "-t", "1s", "127.0.0.1", "1"));
	filter_check_usage(ARGS(client, "-t", "3601", "127.0.0.1", "1"));
	if (_i == 1)
		filter_check_usage(ARGS(client, "-r", "101", "127.0.0.1", "1"));
	filter_check_help(client);
}
END_TEST

static Suite *
clients_suite(void)
{
	Suite *suite = suite_create("clients");
	TCase *tc = filter_case("msgclient");

	tcase_add_test(tc, msg_line_by_line);
	tcase_add_test(tc, msg_reply_comes_in_parts);
	tcase_add_test(tc, msg_greeting_is_shown_unasked);
	tcase_add_loop_test(tc, msg_quit_is_the_last_line, 0, 2);
	tcase_add_loop_test(tc, msg_end_in_place_of_a_reply_fails, 0, 2);
	tcase_add_test(tc, msg_silence_fails_in_time);
	tcase_add_test(tc, msg_connecting_goes_on_after_a_stop);
	tcase_add_test(tc, msg_dead_server_fails);
	tcase_add_loop_test(tc, msg_every_address_is_tried, 0, 2);
	suite_add_tcase(suite, tc);
	tc = filter_case("both");
	tcase_add_loop_test(tc, wrong_call_is_refused, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return filter_main(clients_suite());
}
