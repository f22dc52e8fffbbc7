/*
 * sendfile, its conversations: several requests on one connection, large
 * files, files that change, clients that stall, leave or misbehave.
 */
#include "filter.h"
#include "folder.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OK_TEXT "ok 17 " TIME "\n" TEXT
#define HUGE_SIZE 100000000	/* more than all buffers on the way together */

START_TEST(list_is_sorted_and_leaves_out_what_get_cannot_name)
{
	static const char body[] =
	    "17 " TIME "  x \n"
	    "17 " TIME " 2024\n"
	    "17 " TIME " a\"b\n"
	    "0 " TIME " empty\n"
	    "17 " TIME " report 2024\n"
	    "17 " TIME " text\n"
	    "17 " TIME " two words\n";
	char wanted[sizeof body + 64];

	snprintf(wanted, sizeof wanted, "ok %zu " TIME "\n%s", sizeof body - 1, body);
	filter_check(ARGS("sendfile", "-d", "."), BYTES("list\n"), 0, wanted, strlen(wanted));
}
END_TEST

START_TEST(requests_are_answered_in_turn)
{
	static const char requests[] = "get text\nnonsense\nsize none\nlist x\nget text 16\n"
	    "size text";
	static const char answers[] = OK_TEXT "error unknown request\nerror no such file\n"
	    "error unknown request\nok 1 " TIME "\n\nok 17 " TIME "\n";

	filter_check(ARGS("sendfile", "-d", "."), BYTES(requests), 0, BYTES(answers));
}
END_TEST

START_TEST(request_in_pieces)
{
	static const char requests[] = "get \"two words\" 12\r\nsize text\n";
	static const char answers[] = "ok 5 " TIME "\ncdef\nok 17 " TIME "\n";

	for (size_t cut = 1; cut < sizeof requests - 1; cut++) {
		struct filter filter = filter_start_with(PACKETS, ARGS("sendfile", "-d", "."),
		    filter_as_stream);
		struct result result;

		filter_send(&filter, requests, cut);
		filter_send(&filter, requests + cut, sizeof requests - 1 - cut);
		filter_end_input(&filter);
		result = filter_rest(&filter);
		ck_assert_str_eq(result.data, answers);
		ck_assert_int_eq(result.status, 0);
		free(result.data);
	}
}
END_TEST

START_TEST(answer_comes_before_the_next_request)
{
	struct filter filter = filter_start(TCP, ARGS("sendfile", "-d", "."));

	for (int i = 0; i < 100; i++) {
		filter_send_text(&filter, i % 2 == 0 ? "get text\n" : "size text\n");
		filter_expect_text(&filter, i % 2 == 0 ? OK_TEXT : "ok 17 " TIME "\n");
	}
	filter_end_input(&filter);
	filter_expect_end(&filter);
	ck_assert_int_eq(filter_wait(&filter), 0);
}
END_TEST

START_TEST(nul_in_a_line_cuts_no_name)
{
	filter_check(ARGS("sendfile", "-d", "."), BYTES("get text\0x\n"), 0,
	    BYTES("error unknown request\n"));
}
END_TEST

START_TEST(line_without_end_is_refused)
{
	static char line[100000];
	struct result result;

	memset(line, 'x', sizeof line);
	result = filter_run(TCP, ARGS("sendfile", "-d", "."), line, sizeof line);
	ck_assert_str_eq(result.data, "error the request is too long\n");
	ck_assert_int_eq(result.status, 1);
	free(result.data);
}
END_TEST

START_TEST(folder_that_is_not_there)
{
	filter_check(ARGS("sendfile", "-d", "none"), BYTES("list\n"), 1, "", 0);
}
END_TEST

START_TEST(big_file_is_exact)
{
	static const enum channel channels[] = { PIPES, STREAM, NARROW, TCP };
	static const struct {
		const char *request;
		size_t size, offset;
	} requests[] = {
		{ BYTES("0\0"), 0 },
		{ BYTES("2\0" "1000003\0xx"), 1000003 },
		{ BYTES("1\0" "100\0xxxxxx"), 100 },
	};
	char *data = folder_big_data();

	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		struct result result = filter_run(channels[_i], ARGS("sendfile", "sub/big"),
		    requests[i].request, requests[i].size);

		ck_assert_int_eq(result.status, 0);
		ck_assert_uint_eq(result.size, BIG_SIZE - requests[i].offset);
		ck_assert(memcmp(result.data, data + requests[i].offset, result.size) == 0);
		free(result.data);
	}
	free(data);
}
END_TEST

static int output;		/* of the program, where a test gives it one of its own */

static void
output_nonblocking(void)
{
	fcntl(1, F_SETFL, O_RDWR | O_NONBLOCK);
}

static void
output_appended(void)
{
	dup2(output, 1);
}

START_TEST(big_file_to_a_nonblocking_socket)
{
	struct filter filter = filter_start_with(NARROW, ARGS("sendfile", "-d", "."),
	    output_nonblocking);
	char *data = folder_big_data();

	filter_send_text(&filter, "get sub/big\n");
	filter_expect_text(&filter, "ok 5000000 " TIME "\n");
	filter_expect(&filter, data, BIG_SIZE);
	filter_end_input(&filter);
	filter_expect_end(&filter);
	ck_assert_int_eq(filter_wait(&filter), 0);
	free(data);
}
END_TEST

START_TEST(big_file_where_sendfile_does_not_serve)
{
	char *data = folder_big_data(), *got = malloc(BIG_SIZE + 1);
	struct filter filter;

	output = open("copy", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	filter = filter_start_with(PIPES, ARGS("sendfile", "sub/big"), output_appended);
	filter_send(&filter, "0", 2);
	ck_assert_int_eq(filter_wait(&filter), 0);
	ck_assert_int_eq(pread(output, got, BIG_SIZE + 1, 0), BIG_SIZE);
	ck_assert(memcmp(got, data, BIG_SIZE) == 0);
	unlink("copy");
	free(got);
	free(data);
}
END_TEST

/* The program starts, and its time runs, when the request is there. */
static void
wait_for_input(void)
{
	struct pollfd input = { .fd = 0, .events = POLLIN };

	poll(&input, 1, -1);
}

/* A file of zeros that takes no room. */
static void
huge_make(const char *name)
{
	int file = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	ck_assert_int_eq(ftruncate(file, HUGE_SIZE), 0);
	close(file);
}

START_TEST(file_that_shrinks_ends_in_a_reset)
{
	struct filter filter;
	char first[1000] = "";

	huge_make("shrinks");
	filter = filter_start(TCP, ARGS("sendfile", "shrinks"));
	filter_send(&filter, "0", 2);
	filter_expect(&filter, first, sizeof first);
	ck_assert_int_eq(truncate("shrinks", 1000), 0);
	filter_expect_reset(&filter);
	unlink("shrinks");
	ck_assert_int_eq(filter_wait(&filter), 1);
}
END_TEST

START_TEST(client_that_takes_nothing_is_cut_off)
{
	static const enum channel channels[] = { PIPES, NARROW, TCP };
	static const char *const folder[] = { "sendfile", "-t", "1", "-d", ".", NULL };
	static const char *const single[] = { "sendfile", "-t", "1", "stalls", NULL };
	struct filter filter;

	huge_make("stalls");
	filter = filter_start_with(channels[_i % 3], _i < 3 ? single : folder, wait_for_input);
	if (_i < 3)
		filter_send(&filter, "0", 2);
	else
		filter_send_text(&filter, "get stalls\n");
	ck_assert_int_eq(filter_wait(&filter), 1);
	unlink("stalls");
}
END_TEST

START_TEST(client_that_sends_no_request_is_cut_off)
{
	static const char *const folder[] = { "sendfile", "-t", "1", "-d", ".", NULL };
	static const char *const single[] = { "sendfile", "-t", "1", "text", NULL };
	static const struct {
		const char *const *argv;
		const char *part;
	} parts[] = {
		{ single, "" }, { single, "1" }, { folder, "" }, { folder, "get tex" },
	};
	struct filter filter = filter_start_with(STREAM, parts[_i].argv,
	    parts[_i].part[0] != '\0' ? wait_for_input : NULL);

	filter_send_text(&filter, parts[_i].part);
	filter_expect_end(&filter);
	ck_assert_int_eq(filter_wait(&filter), 1);
}
END_TEST

START_TEST(client_that_leaves_is_no_failure)
{
	static const enum channel channels[] = { PIPES, STREAM, TCP };
	struct filter filter;
	char first[1000] = "";

	huge_make("left");
	filter = filter_start(channels[_i], ARGS("sendfile", "left"));
	filter_send(&filter, "0", 2);
	filter_expect(&filter, first, sizeof first);
	ck_assert_int_eq(filter_finish(&filter), 0);
	unlink("left");
}
END_TEST

START_TEST(file_is_not_lost_behind_unread_input)
{
	struct filter filter = filter_start(TCP, ARGS("sendfile", "sub/big"));
	static char much[200000] = "0";
	char *data = folder_big_data();

	filter_send(&filter, much, sizeof much);
	filter_expect(&filter, data, BIG_SIZE);
	filter_expect_end(&filter);
	ck_assert_int_eq(filter_finish(&filter), 0);
	free(data);
}
END_TEST

static Suite *
sendfile_flow_suite(void)
{
	Suite *suite = suite_create("sendfile, conversations");
	TCase *tc = filter_case("sendfile");

	tcase_add_unchecked_fixture(tc, folder_make, folder_remove);
	tcase_add_test(tc, list_is_sorted_and_leaves_out_what_get_cannot_name);
	tcase_add_test(tc, requests_are_answered_in_turn);
	tcase_add_test(tc, request_in_pieces);
	tcase_add_test(tc, answer_comes_before_the_next_request);
	tcase_add_test(tc, nul_in_a_line_cuts_no_name);
	tcase_add_test(tc, line_without_end_is_refused);
	tcase_add_test(tc, folder_that_is_not_there);
	tcase_add_loop_test(tc, big_file_is_exact, 0, 4);
	tcase_add_test(tc, big_file_to_a_nonblocking_socket);
	tcase_add_test(tc, big_file_where_sendfile_does_not_serve);
	tcase_add_test(tc, file_that_shrinks_ends_in_a_reset);
	tcase_add_loop_test(tc, client_that_takes_nothing_is_cut_off, 0, 6);
	tcase_add_loop_test(tc, client_that_sends_no_request_is_cut_off, 0, 4);
	tcase_add_loop_test(tc, client_that_leaves_is_no_failure, 0, 3);
	tcase_add_test(tc, file_is_not_lost_behind_unread_input);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return filter_main(sendfile_flow_suite());
}
