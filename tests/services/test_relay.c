/*
 * relay: both directions and their ends, each kind of target, names, and
 * targets that are dead or slow.
 */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const enum channel channels[] = { TCP, STREAM, PIPES };

/* Every channel to every kind of server. */
START_TEST(half_close_of_the_client)
{
	struct server server = server_open((enum server_kind)(_i % SERVER_KINDS), 5);
	struct filter client = server_relay(&server, channels[_i / SERVER_KINDS], NULL, NULL);
	struct filter peer = server_accept(&server);

	filter_send(&client, BYTES("question\0\377\n"));
	filter_expect(&peer, BYTES("question\0\377\n"));
	filter_send_text(&peer, "hm");
	filter_expect_text(&client, "hm");
	filter_end_input(&client);
	filter_expect_end(&peer);
	filter_send_text(&peer, "answer after the end of the question");
	filter_expect_text(&client, "answer after the end of the question");
	filter_end_input(&peer);
	filter_expect_end(&client);
	ck_assert_int_eq(filter_wait(&client), 0);
	filter_expect_end(&peer);
}
END_TEST

START_TEST(half_close_of_the_server)
{
	struct server server = server_open((enum server_kind)(_i % SERVER_KINDS), 5);
	struct filter client = server_relay(&server, channels[_i / SERVER_KINDS], NULL, NULL);
	struct filter peer = server_accept(&server);

	filter_send_text(&peer, "greeting");
	filter_end_input(&peer);
	filter_expect_text(&client, "greeting");
	filter_expect_end(&client);
	for (int i = 0; i < 3; i++) {
		filter_send_text(&client, "still sending");
		filter_expect_text(&peer, "still sending");
	}
	filter_end_input(&client);
	filter_expect_end(&peer);
	ck_assert_int_eq(filter_wait(&client), 0);
}
END_TEST

/* A Unix socket tells that the other side has gone for good, so nobody is waited for. */
START_TEST(unix_side_that_closes_ends_relay)
{
	struct server server = server_open(SERVER_PATH, 5);
	struct filter client = server_relay(&server, STREAM, NULL, NULL);
	struct filter peer = server_accept(&server);
	struct filter *leaving = _i == 0 ? &client : &peer, *staying = _i == 0 ? &peer : &client;

	filter_send_text(&client, "x");
	filter_expect_text(&peer, "x");
	filter_send_text(leaving, "farewell");
	connection_close(leaving);
	filter_expect_text(staying, "farewell");
	filter_expect_end(staying);
	ck_assert_int_eq(filter_wait(&client), 0);
}
END_TEST

START_TEST(reset_of_the_client_is_passed_on)
{
	struct server server = server_open(SERVER_V4, 5);
	struct filter client = server_relay(&server, TCP, NULL, NULL);
	struct filter peer = server_accept(&server);

	filter_send_text(&client, "x");
	filter_expect_text(&peer, "x");
	if (_i == 1)
		filter_end_input(&peer);
	connection_reset(&client);
	filter_expect_reset(&peer);
	ck_assert_int_eq(filter_wait(&client), 0);
}
END_TEST

START_TEST(reset_of_the_server_is_passed_on)
{
	struct server server = server_open(SERVER_V4, 5);
	struct filter client = server_relay(&server, TCP, NULL, NULL);
	struct filter peer = server_accept(&server);

	filter_send_text(&client, "x");
	filter_expect_text(&peer, "x");
	if (_i == 1)
		filter_end_input(&client);
	connection_reset(&peer);
	filter_expect_reset(&client);
	ck_assert_int_eq(filter_wait(&client), 0);
}
END_TEST

/* An end that comes with the bytes is not lost. */
START_TEST(all_at_once)
{
	struct server server = server_open(SERVER_V4, 5);
	struct filter client = server_relay(&server, channels[_i], NULL, NULL);
	struct filter peer;

	filter_send_text(&client, "before anybody accepts");
	filter_end_input(&client);
	peer = server_accept(&server);
	filter_send_text(&peer, "so does the server");
	filter_end_input(&peer);
	filter_expect_text(&client, "so does the server");
	filter_expect_end(&client);
	filter_expect_text(&peer, "before anybody accepts");
	filter_expect_end(&peer);
	ck_assert_int_eq(filter_wait(&client), 0);
}
END_TEST

static const char *const wanted_family[] = { NULL, "-4", "-6" };

START_TEST(numeric_address_of_the_wanted_family)
{
	struct server server = server_open(_i < 3 ? SERVER_V4 : SERVER_V6, 5);
	const char *family = wanted_family[_i % 3];
	struct filter client = server_relay(&server, STREAM, family, NULL);

	if (family == NULL || (family[1] == '4') == (_i < 3)) {
		server_accept(&server);
		ck_assert_int_eq(filter_finish(&client), 0);
	} else {
		filter_expect_end(&client);
		ck_assert_int_eq(filter_wait(&client), 1);
	}
}
END_TEST

static void
errors_too(void)
{
	dup2(1, 2);
}

/* A static program of glibc has no names, and says so. */
static bool
names_work(void)
{
	struct filter filter = filter_start_with(PIPES, ARGS("relay", NO_NAME, "1"), errors_too);
	struct result result = filter_rest(&filter);
	const bool work = strstr(result.data, "static program") == NULL;

	ck_assert_int_eq(result.status, 1);
	free(result.data);
	return work;
}

/* The addresses of a name of which only one is served, by family or the last of three. */
static const struct {
	const char *option;
	enum server_kind kind;
	int status;			/* 0: the connection is made */
} lookups[] = {
	{ NULL, SERVER_V4, 0 },
	{ NULL, SERVER_V6, 0 },
	{ "-4", SERVER_V4, 0 },
	{ "-6", SERVER_V6, 0 },
	{ "-4", SERVER_V6, 1 },
	{ "-6", SERVER_V4, 1 },
};

START_TEST(every_address_of_a_name_is_tried)
{
	struct server server = server_open(lookups[_i].kind, 5);
	const char *argv[] = { "relay", "several.test", server.port, NULL, NULL };
	struct filter client, peer;

	hosts_write("127.0.0.2 several.test\n127.0.0.3 several.test\n::1 several.test\n"
	    "127.0.0.1 several.test\n");
	if (!hosts_possible() || !names_work()) {
		fprintf(stderr, "skipped: names of its own hosts file\n");
		return;
	}
	if (lookups[_i].option != NULL) {
		argv[1] = lookups[_i].option;
		argv[2] = "several.test";
		argv[3] = server.port;
	}
	client = filter_start_with(TCP, argv, hosts_own);
	if (lookups[_i].status != 0) {
		filter_expect_reset(&client);
		ck_assert_int_eq(filter_wait(&client), lookups[_i].status);
		return;
	}
	peer = server_accept(&server);
	filter_send_text(&peer, "here");
	filter_expect_text(&client, "here");
	close(peer.in);
	filter_end_input(&client);
	ck_assert_int_eq(filter_wait(&client), 0);
}
END_TEST

START_TEST(unknown_name_fails)
{
	struct filter client;

	hosts_write("127.0.0.1 localhost\n");
	if (!hosts_possible() || !names_work()) {
		fprintf(stderr, "skipped: names of its own hosts file\n");
		return;
	}
	client = filter_start_with(TCP, ARGS("relay", NO_NAME, "1"), hosts_own);
	filter_expect_reset(&client);
	ck_assert_int_eq(filter_wait(&client), 1);
}
END_TEST

/* A bound socket that does not listen. The reset tells the client that it was not served. */
START_TEST(dead_target_fails_at_once)
{
	struct server server = server_open((enum server_kind)_i, -1);
	struct filter client = server_relay(&server, TCP, NULL, NULL);

	filter_expect_reset(&client);
	ck_assert_int_eq(filter_wait(&client), 1);
	client = server_relay(&server, PIPES, NULL, NULL);
	filter_expect_end(&client);
	ck_assert_int_eq(filter_wait(&client), 1);
}
END_TEST

START_TEST(unix_target_that_is_missing_fails)
{
	filter_check(ARGS("relay", "unix:/no/such/socket"), "", 0, 1, "", 0);
	filter_check(ARGS("relay", "unix:@superd/no such name"), "", 0, 1, "", 0);
}
END_TEST

START_TEST(unix_target_with_the_longest_path)
{
	char path[5 + 108 + 1] = "unix:/";

	memset(path + 6, 'x', 107 - 1);
	filter_check(ARGS("relay", path), "", 0, 1, "", 0);
	path[5 + 107] = 'x';
	filter_check(ARGS("relay", path), "", 0, 64, "", 0);
}
END_TEST

/* The queue of the target is full: connecting takes until the time is over. */
START_TEST(slow_target_meets_the_connect_time_out)
{
	struct server server = server_open((enum server_kind)_i, 0);
	struct filter client;
	int64_t begun;

	server_fill(&server);
	begun = now_ms();
	client = server_relay(&server, TCP, "-t", "1");
	filter_expect_reset(&client);
	ck_assert_int_eq(filter_wait(&client), 1);
	ck_assert_int_ge(now_ms() - begun, 950);
	ck_assert_msg(now_ms() - begun < 10000, "-t is not what counted, but its default");
}
END_TEST

/* There is room again before the time is over, and nothing of what the client sent is lost. */
static void
get_through(struct server *server, int before, struct filter *client)
{
	struct filter peer;

	filter_send_text(client, "patience");
	filter_end_input(client);
	for (int i = 0; i < before; i++)
		close(server_accept(server).in);
	peer = server_accept(server);
	filter_expect_text(&peer, "patience");
	close(peer.in);
	ck_assert_int_eq(filter_wait(client), 0);
}

START_TEST(slow_target_is_waited_for)
{
	struct server server = server_open(SERVER_PATH, 0);
	const int before = server_fill(&server);
	struct filter client = server_relay(&server, TCP, "-t", "20");

	get_through(&server, before, &client);
}
END_TEST

/* As all programs are when a machine is suspended, in the middle of connecting. */
START_TEST(connecting_goes_on_after_a_stop)
{
	struct server server = server_open(_i == 0 ? SERVER_V4 : SERVER_PATH, 0);
	const int before = server_fill(&server);
	struct filter client = server_relay(&server, TCP, "-t", "20");

	process_stop_and_go_on(client.pid);
	get_through(&server, before, &client);
}
END_TEST

static const char *const wrong_calls[][4] = {
	{ NULL }, { "host" }, { "host", "1", "2" }, { "", "1" }, { "host", "" },
	{ "host", "0" }, { "host", "65536" }, { "host", "99999999999999999999" },
	{ "-x" }, { "-t" }, { "-t", "0", "host", "1" }, { "-t", "86401", "host", "1" },
	{ "-t", "1s", "host", "1" }, { "-4", "-6", "host", "1" }, { "-4", "unix:/x" },
	{ "unix:/x", "1" }, { "unix:x" }, { "unix:" }, { "unix:/" }, { "unix:@" },
};

START_TEST(wrong_call_is_refused)
{
	const char *const *words = wrong_calls[_i];

	filter_check_usage(ARGS("relay", words[0], words[1], words[2], words[3]));
}
END_TEST

static void
udp_environment(void)
{
	setenv("PROTO", "UDP", 1);
}

START_TEST(datagrams_are_refused)
{
	struct filter client = filter_start_with(PACKETS, ARGS("relay", "127.0.0.1", "1"),
	    udp_environment);

	filter_expect_end(&client);
	ck_assert_int_eq(filter_wait(&client), 64);
}
END_TEST

START_TEST(help)
{
	filter_check_help("relay");
}
END_TEST

static Suite *
relay_suite(void)
{
	Suite *suite = suite_create("relay");
	TCase *tc = filter_case("both ways");

	tcase_add_loop_test(tc, half_close_of_the_client, 0, SERVER_KINDS * 3);
	tcase_add_loop_test(tc, half_close_of_the_server, 0, SERVER_KINDS * 3);
	tcase_add_loop_test(tc, unix_side_that_closes_ends_relay, 0, 2);
	tcase_add_loop_test(tc, reset_of_the_client_is_passed_on, 0, 2);
	tcase_add_loop_test(tc, reset_of_the_server_is_passed_on, 0, 2);
	tcase_add_loop_test(tc, all_at_once, 0, ARRAY_LEN(channels));
	suite_add_tcase(suite, tc);
	tc = filter_case("connecting");
	tcase_add_loop_test(tc, numeric_address_of_the_wanted_family, 0, 6);
	tcase_add_loop_test(tc, every_address_of_a_name_is_tried, 0, ARRAY_LEN(lookups));
	tcase_add_test(tc, unknown_name_fails);
	tcase_add_loop_test(tc, dead_target_fails_at_once, 0, SERVER_KINDS);
	tcase_add_test(tc, unix_target_that_is_missing_fails);
	tcase_add_test(tc, unix_target_with_the_longest_path);
	tcase_add_loop_test(tc, slow_target_meets_the_connect_time_out, 0, SERVER_KINDS);
	tcase_add_test(tc, slow_target_is_waited_for);
	tcase_add_loop_test(tc, connecting_goes_on_after_a_stop, 0, 2);
	suite_add_tcase(suite, tc);
	tc = filter_case("calls");
	tcase_add_loop_test(tc, wrong_call_is_refused, 0, ARRAY_LEN(wrong_calls));
	tcase_add_test(tc, datagrams_are_refused);
	tcase_add_test(tc, help);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return filter_main(relay_suite());
}
