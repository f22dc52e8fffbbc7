/*
 * fetch -u: exact through every kind of bad network, through the end of the
 * server, and in pieces.
 */
#include "fetching.h"
#include "folder.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOST "127.0.0.1"
#define TIME_S 1700000000
#define WINDOW 1048576		/* bytes that fetch asks for beyond what is in FILE */

static char *big;

static void
setup(void)
{
	big = folder_big_data();
}

static void
teardown(void)
{
	unlink("got");
	free(big);
}

START_TEST(every_size_is_exact)
{
	static const size_t sizes[] = { 0, 1, 1023, 1024, 1025, 65536, 1048576, 1049601, BIG_SIZE };
	struct tool server = sendfile_start("0", ".", NULL);
	char text[4096];

	file_make("some", big, sizes[_i], TIME_S);
	ck_assert_int_eq(fetch_run(ARGS("-u", "-o", "got", HOST, server.port, "some"), text), 0);
	ck_assert_str_eq(text, "");
	expect_file("got", big, sizes[_i]);
	unlink("some");
	free(tool_stop(&server));
}
END_TEST

START_TEST(exact_where_a_fifth_is_lost_and_doubled_and_late)
{
	static const char *const seeds[] = { "1", "2", "3", "4" };
	struct tool server = sendfile_start("0", ".", NULL);
	struct tool network = tool_start(ARGS("lossy", seeds[_i], server.port));
	unsigned lost, doubled, late;
	char *said;

	ck_assert_int_eq(fetch_run(ARGS("-uo", "got", HOST, network.port, "sub/big"), NULL), 0);
	expect_file("got", big, BIG_SIZE);
	said = tool_stop(&network);
	ck_assert_int_eq(sscanf(said, "lost=%u doubled=%u late=%u", &lost, &doubled, &late), 3);
	ck_assert_uint_gt(lost, 1000);
	ck_assert_uint_gt(doubled, 1000);
	ck_assert_uint_gt(late, 1000);
	free(said);
	free(tool_stop(&server));
}
END_TEST

START_TEST(goes_on_where_programs_end_all_the_time)
{
	char path[4096];
	struct tool server, network;

	snprintf(path, sizeof path, "%s/sendfile", getenv("SERVICES"));
	server = tool_start(ARGS("peers", "-k", "200", "0", path, "-d", "."));
	network = tool_start(ARGS("lossy", "5", server.port));
	ck_assert_int_eq(fetch_run(ARGS("-uo", "got", HOST, _i == 0 ? server.port : network.port,
	    "sub/big"), NULL), 0);
	expect_file("got", big, BIG_SIZE);
	free(tool_stop(&network));
	free(tool_stop(&server));
}
END_TEST

START_TEST(goes_on_when_the_server_is_back)
{
	struct tool server = sendfile_start("0", ".", NULL);
	struct middle middle = middle_open(server.port);
	struct fetching fetching = fetch_start(ARGS("-uo", "got", HOST, middle.port, "sub/big"));
	char question[4096], first[64], again[64];

	middle_pass_until(&middle, BIG_SIZE / 2, question);
	ck_assert_int_eq(sscanf(question, "get %60s", first), 1);
	free(tool_stop(&server));
	/* Nobody is there now, and the client finds out. */
	ck_assert_int_gt(recv(middle.front, question, sizeof question, 0), 0);
	server = sendfile_start(server.port, ".", NULL);
	middle_pass_until(&middle, BIG_SIZE - 10000, question);
	ck_assert_int_eq(sscanf(question, "get %60s", again), 1);
	ck_assert_str_ne(first, again);
	middle_pass_to_the_end(&middle, &fetching);
	ck_assert_int_eq(fetch_end(&fetching, NULL), 0);
	expect_file("got", big, BIG_SIZE);
	middle_close(&middle);
	free(tool_stop(&server));
}
END_TEST

/* What is there already is of another content, so that it shows whether it was fetched. */
static const struct {
	const char *option;
	size_t      held;
	long        seconds;
	bool        kept;
} resumes[] = {
	{ "-u", 1, TIME_S, true }, { "-u", 1000, TIME_S, true }, { "-u", 1024, TIME_S, true },
	{ "-u", BIG_SIZE - 1, TIME_S, true }, { "-u", BIG_SIZE, TIME_S, true },
	{ "-u", 1000, TIME_S - 1, false }, { "-u", 1000, TIME_S + 1, false },
	{ "-u", BIG_SIZE + 1, TIME_S, false }, { "-uf", 1000, TIME_S, false },
	{ "-uf", BIG_SIZE, TIME_S, false },
};

START_TEST(what_is_there_is_not_fetched_again)
{
	struct tool server = sendfile_start("0", ".", NULL);
	char *other = calloc(1, BIG_SIZE + 1);

	file_make("got", other, resumes[_i].held, resumes[_i].seconds);
	ck_assert_int_eq(fetch_run(ARGS(resumes[_i].option, "-o", "got", HOST, server.port,
	    "sub/big"), NULL), 0);
	if (resumes[_i].kept)
		memset(big, 0, resumes[_i].held);
	expect_file("got", big, BIG_SIZE);
	free(other);
	free(tool_stop(&server));
}
END_TEST

START_TEST(single_file_needs_no_name)
{
	struct tool server = sendfile_start("0", NULL, "sub/deep");

	ck_assert_int_eq(fetch_run(ARGS("-uo", "got", HOST, server.port), NULL), 0);
	expect_file("got", TEXT, TEXT_SIZE);
	unlink("got");
	ck_assert_int_eq(fetch_run(ARGS("-uo", "got", HOST, server.port, "deep"), NULL), 0);
	expect_file("got", TEXT, TEXT_SIZE);
	free(tool_stop(&server));
}
END_TEST

START_TEST(odd_names)
{
	static const char *const names[] = { " x ", "report 2024", "2024", "a\"b", "two words" };
	struct tool server = sendfile_start("0", ".", NULL);

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		ck_assert_int_eq(fetch_run(ARGS("-uo", "got", HOST, server.port, names[i]), NULL), 0);
		expect_file("got", TEXT, TEXT_SIZE);
		unlink("got");
	}
	free(tool_stop(&server));
}
END_TEST

START_TEST(refusal_is_told_and_leaves_no_file)
{
	struct tool server = sendfile_start("0", ".", NULL);
	char text[4096];

	ck_assert_int_eq(fetch_run(ARGS("-uo", "got", HOST, server.port, "none"), text), 1);
	ck_assert_str_eq(text, "fetch: the server says: no such file\n");
	ck_assert_int_eq(access("got", F_OK), -1);
	free(tool_stop(&server));
}
END_TEST

START_TEST(nobody_there)
{
	char port[16], text[4096];
	int silent = loopback_open(SOCK_DGRAM, port);

	ck_assert_int_eq(fetch_run(ARGS("-u", "-t", "1", "-o", "got", HOST, port, "x"), text), 1);
	ck_assert_msg(strstr(text, "no answer") != NULL, "'%s'", text);
	close(silent);
	ck_assert_int_eq(fetch_run(ARGS("-u", "-o", "got", HOST, port, "x"), text), 1);
	ck_assert_msg(strstr(text, "refused") != NULL, "'%s'", text);
	ck_assert_int_eq(access("got", F_OK), -1);
}
END_TEST

/* All addresses of a name are tried: this one has, as a rule, a first that nobody serves. */
START_TEST(every_address_is_tried)
{
	struct tool server = sendfile_start("0", ".", NULL);

	ck_assert_int_eq(fetch_run(ARGS("-uo", "got", "localhost", server.port, "text"), NULL), 0);
	expect_file("got", TEXT, TEXT_SIZE);
	free(tool_stop(&server));
}
END_TEST

/*
 * Ends fetch in the middle, when all before an offset came and nothing behind it
 * does; that is in FILE then, and the next fetch goes on with it.
 */
static void
end_and_go_on(const char *patience, int number, int status)
{
	struct tool server = sendfile_start("0", ".", NULL);
	struct middle middle = middle_open(server.port);
	struct fetching fetching = fetch_start(ARGS("-u", "-t", patience, "-o", "got", HOST,
	    middle.port, "sub/big"));
	const long long end = BIG_SIZE / 2048 * 1024;
	char question[4096];
	long long asked;
	size_t got;

	/* A crowded socket loses some: when all are there, this one is asked for in vain, again and again. */
	for (int times = 0; times < 3;) {
		const unsigned before = middle.blocks;

		middle_pass_until(&middle, end, question);
		ck_assert_int_eq(sscanf(question, "get %*s %lld", &asked), 1);
		if (middle.blocks < end / 1024 || middle.blocks != before)
			times = 0;
		else
			times += asked == end;
	}
	if (number != 0)
		kill(fetching.pid, number);
	ck_assert_int_eq(fetch_end(&fetching, question), status);
	got = expect_beginning("got", big, BIG_SIZE);
	if (number == SIGKILL)
		ck_assert_uint_ge(got, (size_t)end - WINDOW);
	else
		ck_assert_uint_eq(got, (size_t)end);
	ck_assert_int_eq(fetch_run(ARGS("-u", "-o", "got", HOST, server.port, "sub/big"), NULL), 0);
	expect_file("got", big, BIG_SIZE);
	middle_close(&middle);
	free(tool_stop(&server));
}

START_TEST(silence_in_the_middle)
{
	end_and_go_on("4", 0, 1);
}
END_TEST

START_TEST(signal_in_the_middle)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGKILL };

	end_and_go_on("30", numbers[_i], 128 + numbers[_i]);
}
END_TEST

START_TEST(file_that_changes_starts_over)
{
	struct tool server = sendfile_start("0", ".", NULL);
	struct middle middle = middle_open(server.port);
	struct fetching fetching;
	char question[4096], *other = calloc(1, BIG_SIZE);
	struct stat about;

	file_make("changes", other, BIG_SIZE, TIME_S - 5);
	fetching = fetch_start(ARGS("-uo", "got", HOST, middle.port, "changes"));
	middle_pass_until(&middle, BIG_SIZE / 2, question);
	ck_assert_int_eq(stat("got", &about), 0);
	ck_assert_int_gt(about.st_size, 0);
	if (_i == 0) {
		file_make("changes", big, BIG_SIZE, TIME_S);
	} else {
		/* A server that comes back with another file. */
		free(tool_stop(&server));
		unlink("changes");
		file_make("changes", big, BIG_SIZE - 1, TIME_S);
		server = sendfile_start(server.port, ".", NULL);
	}
	middle_pass_to_the_end(&middle, &fetching);
	ck_assert_int_eq(fetch_end(&fetching, NULL), 0);
	expect_file("got", big, BIG_SIZE - (size_t)_i);
	unlink("changes");
	middle_close(&middle);
	free(tool_stop(&server));
	free(other);
}
END_TEST

/* Sends to where the last datagram came from. */
static void
answer(int fd, const struct sockaddr_in *to, const void *data, size_t size)
{
	ck_assert_int_eq(sendto(fd, data, size, 0, (const struct sockaddr *)to, sizeof *to),
	    (ssize_t)size);
}

START_TEST(answers_that_are_none_do_no_harm)
{
	static const struct {
		const char *data;
		size_t      size;
	} odd[] = {
		{ BYTES("data") }, { BYTES("data ") }, { BYTES("data 0") }, { BYTES("data 0\nshort") },
		{ BYTES("data 0\nmuch too long for it") }, { BYTES("data -8\n12345678") },
		{ BYTES("data 1024\n12345678") }, { BYTES("data 4\n12345678") },
		{ BYTES("data 99999999999999999999\n12345678") }, { BYTES("ok") },
		{ BYTES("ok 5 x 1") }, { BYTES("error unknown") }, { BYTES("\0\0\0") }, { BYTES("") },
		{ BYTES("data 0\0" "12345678") }, { BYTES("DATA 0\n12345678") },
	};
	struct sockaddr_in from;
	socklen_t size = sizeof from;
	char port[16], question[4096];
	int fd = loopback_open(SOCK_DGRAM, port);
	struct fetching fetching = fetch_start(ARGS("-uo", "got", HOST, port, "x"));

	ck_assert_int_eq(recvfrom(fd, question, sizeof question, 0, (struct sockaddr *)&from, &size),
	    128);
	answer(fd, &from, BYTES("ok"));
	answer(fd, &from, BYTES("ok 8 token"));
	answer(fd, &from, BYTES("ok x token 1"));
	answer(fd, &from, BYTES("data 0\n12345678"));
	answer(fd, &from, BYTES("ok 8 token " TIME));
	do
		recv(fd, question, sizeof question, 0);
	while (strncmp(question, "get token 0", 11) != 0);
	for (size_t i = 0; i < ARRAY_LEN(odd); i++)
		answer(fd, &from, odd[i].data, odd[i].size);
	answer(fd, &from, BYTES("data 0\nabcdefgh"));
	ck_assert_int_eq(fetch_end(&fetching, NULL), 0);
	expect_file("got", "abcdefgh", 8);
	close(fd);
}
END_TEST

/* Takes questions until one begins so; puts where it came from, and returns its first letter. */
static char
take(int fd, const char *beginning, struct sockaddr_in *from)
{
	socklen_t size = sizeof *from;
	char question[4096];
	ssize_t n;

	do {
		n = recvfrom(fd, question, sizeof question - 1, 0, (struct sockaddr *)from, &size);
		ck_assert_int_ge(n, 0);
		question[n] = '\0';
	} while (strncmp(question, beginning, strlen(beginning)) != 0);
	return *question;
}

/* Blocks tell no version: those of the old one may be on their way when the file is another. */
START_TEST(old_answers_do_not_reach_a_new_version)
{
	struct sockaddr_in old, new;
	char port[16];
	int fd = loopback_open(SOCK_DGRAM, port);
	struct fetching fetching = fetch_start(ARGS("-uo", "got", HOST, port, "x"));

	take(fd, "open ", &old);
	answer(fd, &old, BYTES("ok 2048 first 1600000000"));
	while (take(fd, "", &old) != 'o')
		answer(fd, &old, BYTES("error token"));
	answer(fd, &old, BYTES("ok 8 second " TIME));
	take(fd, "open ", &new);
	answer(fd, &new, BYTES("ok 8 third " TIME));
	take(fd, "get third 0", &new);
	answer(fd, &old, BYTES("data 0\n12345678"));
	answer(fd, &new, BYTES("data 0\nabcdefgh"));
	ck_assert_int_eq(fetch_end(&fetching, NULL), 0);
	expect_file("got", "abcdefgh", 8);
	close(fd);
}
END_TEST

static Suite *
fetch_udp_suite(void)
{
	Suite *suite = suite_create("fetch, datagrams");
	TCase *tc = filter_case("fetch -u");

	tcase_add_unchecked_fixture(tc, folder_make, folder_remove);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, every_size_is_exact, 0, 9);
	tcase_add_loop_test(tc, exact_where_a_fifth_is_lost_and_doubled_and_late, 0, 4);
	tcase_add_loop_test(tc, goes_on_where_programs_end_all_the_time, 0, 2);
	tcase_add_test(tc, goes_on_when_the_server_is_back);
	tcase_add_loop_test(tc, what_is_there_is_not_fetched_again, 0, ARRAY_LEN(resumes));
	tcase_add_test(tc, single_file_needs_no_name);
	tcase_add_test(tc, odd_names);
	tcase_add_test(tc, refusal_is_told_and_leaves_no_file);
	tcase_add_test(tc, nobody_there);
	tcase_add_test(tc, every_address_is_tried);
	tcase_add_test(tc, silence_in_the_middle);
	tcase_add_loop_test(tc, signal_in_the_middle, 0, 4);
	tcase_add_loop_test(tc, file_that_changes_starts_over, 0, 2);
	tcase_add_test(tc, answers_that_are_none_do_no_harm);
	tcase_add_test(tc, old_answers_do_not_reach_a_new_version);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return filter_main(fetch_udp_suite());
}
