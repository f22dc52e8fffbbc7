/*
 * fetch over TCP, against a server that the test plays itself, so that it can
 * do what sendfile never does; and what it shows on a terminal. With sendfile
 * it is tested through superd, in tests/e2e.
 */
#include "fetching.h"
#include "folder.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST "127.0.0.1"
#define TIME_S 1700000000

static int listener;
static char port[16];

static void
setup(void)
{
	listener = loopback_open(SOCK_STREAM, port);
}

static void
teardown(void)
{
	close(listener);
	unlink("got");
}

static int
take(void)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void
expect(int fd, const char *text, size_t size)
{
	char got[4096];

	ck_assert_int_eq(recv(fd, got, size, MSG_WAITALL), (ssize_t)size);
	ck_assert_msg(memcmp(got, text, size) == 0, "'%.*s', not '%s'", (int)size, got, text);
}

static void
put(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void
reset(int fd)
{
	const struct linger linger = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	close(fd);
}

/* Plays a server that has said the size of file x and was asked for the bytes from an offset. */
static int
play(const char *size_answer, const char *offset)
{
	int fd = take();
	char wanted[64];

	expect(fd, BYTES("size \"x\"\n"));
	put(fd, size_answer);
	snprintf(wanted, sizeof wanted, "get \"x\" %s\nsize \"x\"\n", offset);
	expect(fd, wanted, strlen(wanted));
	return fd;
}

START_TEST(lost_connection_is_made_again)
{
	struct fetching fetching = fetch_start(ARGS("-o", "got", HOST, port, "x"));
	int fd = play("ok 10 " TIME "\n", "0");

	put(fd, "ok 10 " TIME "\n0123");
	if (_i == 0)
		close(fd);
	else
		reset(fd);
	/* A reset may overtake the bytes. */
	fd = take();
	expect(fd, BYTES("size \"x\"\n"));
	put(fd, "ok 10 " TIME "\n");
	if (_i == 0) {
		expect(fd, BYTES("get \"x\" 4\nsize \"x\"\n"));
		put(fd, "ok 6 " TIME "\n456789ok 10 " TIME "\n");
	} else {
		char asked[64];
		int from;

		ck_assert_int_gt(recv(fd, asked, sizeof asked, MSG_PEEK), 0);
		ck_assert_int_eq(sscanf(asked, "get \"x\" %d", &from), 1);
		snprintf(asked, sizeof asked, "ok %d " TIME "\n%sok 10 " TIME "\n", 10 - from,
		    &"0123456789"[from]);
		put(fd, asked);
	}
	ck_assert_int_eq(fetch_end(&fetching, NULL), 0);
	expect_file("got", "0123456789", 10);
	close(fd);
}
END_TEST

START_TEST(file_that_changes_starts_over)
{
	struct fetching fetching = fetch_start(ARGS("-o", "got", HOST, port, "x"));
	int fd = play("ok 10 1600000000\n", "0");

	if (_i == 0)			/* seen before the body */
		put(fd, "ok 8 " TIME "\nabcdefghok 8 " TIME "\n");
	else				/* seen behind it: what came is a mixture */
		put(fd, "ok 10 1600000000\nabcd456789ok 8 " TIME "\n");
	fd = play("ok 8 " TIME "\n", "0");
	put(fd, "ok 8 " TIME "\nabcdefghok 8 " TIME "\n");
	ck_assert_int_eq(fetch_end(&fetching, NULL), 0);
	expect_file("got", "abcdefgh", 8);
	close(fd);
}
END_TEST

START_TEST(file_that_always_changes_is_given_up)
{
	struct fetching fetching = fetch_start(ARGS("-o", "got", HOST, port, "x"));
	char text[4096];

	for (int i = 0; i < 8; i++) {
		int fd = play("ok 10 1600000000\n", "0");

		put(fd, "ok 8 " TIME "\n");
		close(fd);
	}
	ck_assert_int_eq(fetch_end(&fetching, text), 1);
	ck_assert_msg(strstr(text, "again and again") != NULL, "'%s'", text);
}
END_TEST

static const struct {
	const char *answer;
	const char *message;
} refusals[] = {
	{ "error no such file\n", "fetch: the server says: no such file\n" },
	{ "error \033[2J\n", "fetch: the server says: ?[2J\n" },
	{ "ok\n", "not understood" }, { "ok 5\n", "not understood" },
	{ "ok x 5\n", "not understood" }, { "ok 5 x\n", "not understood" },
	{ "ok -5 5\n", "not understood" }, { "ok 99999999999999999999 1\n", "not understood" },
	{ "ok 5 5 5\n", "not understood" }, { "HTTP/1.0 400 Bad Request\r\n", "not understood" },
	{ "\n", "not understood" }, { "", "ended the connection" }, { "ok 5", "ended the connection" },
};

START_TEST(refusal_is_told_and_leaves_no_file)
{
	struct fetching fetching = fetch_start(ARGS("-o", "got", HOST, port, "x"));
	int fd = take();
	char text[4096];

	expect(fd, BYTES("size \"x\"\n"));
	put(fd, refusals[_i].answer);
	close(fd);
	ck_assert_int_eq(fetch_end(&fetching, text), 1);
	ck_assert_msg(strstr(text, refusals[_i].message) != NULL, "'%s'", text);
	ck_assert_int_eq(access("got", F_OK), -1);
}
END_TEST

START_TEST(answer_without_a_line_end)
{
	static char much[100000];
	struct fetching fetching = fetch_start(ARGS("-o", "got", HOST, port, "x"));
	int fd = take();
	char text[4096];

	memset(much, 'x', sizeof much);
	(void)!send(fd, much, sizeof much, MSG_NOSIGNAL);
	ck_assert_int_eq(fetch_end(&fetching, text), 1);
	ck_assert_msg(strstr(text, "no line") != NULL, "'%s'", text);
	close(fd);
}
END_TEST

/* By lines and by bytes: silent from the beginning, and in the middle. */
START_TEST(silence_is_given_up)
{
	struct fetching fetching = fetch_start(ARGS("-t", _i == 1 ? "5" : "1", "-o", "got", HOST, port,
	    _i < 2 ? "x" : NULL));
	char text[4096];
	int fd;

	if (_i == 1) {
		fd = play("ok 10 " TIME "\n", "0");
		put(fd, "ok 10 " TIME "\n0123");
	} else {
		fd = take();
		if (_i == 3)
			put(fd, "0123");
	}
	ck_assert_int_eq(fetch_end(&fetching, text), 1);
	ck_assert_msg(strstr(text, "no answer") != NULL, "'%s'", text);
	if (_i == 1)
		ck_assert_uint_eq(expect_beginning("got", "0123456789", 10), 4);
	close(fd);
}
END_TEST

START_TEST(request_of_two_bytes)
{
	static const struct {
		size_t      held;
		const char *request;
		size_t      size;
	} cases[] = {
		{ 0, BYTES("0\0") }, { 4, BYTES("2\0" "4\0\0\0\0\0\0\0\0\0") },
		{ 10, BYTES("2\0" "10\0\0\0\0\0\0\0\0") },
	};
	struct fetching fetching;
	char got[16];
	int fd;

	if (cases[_i].held > 0)
		file_make("got", "0123456789", cases[_i].held, TIME_S);
	fetching = fetch_start(ARGS("-o", "got", HOST, port));
	fd = take();
	expect(fd, cases[_i].request, cases[_i].size);
	put(fd, &"0123456789"[cases[_i].held]);
	close(fd);
	ck_assert_int_eq(fetch_end(&fetching, NULL), 0);
	fd = open("got", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(read(fd, got, sizeof got), 10);
	ck_assert(memcmp(got, "0123456789", 10) == 0);
	close(fd);
}
END_TEST

START_TEST(reset_is_no_end_by_bytes)
{
	struct fetching fetching = fetch_start(ARGS("-o", "got", HOST, port));
	char text[4096];
	int fd = take();

	expect(fd, BYTES("0\0"));
	put(fd, "0123");
	reset(fd);
	ck_assert_int_eq(fetch_end(&fetching, text), 1);
	ck_assert_msg(strstr(text, "reset") != NULL, "'%s'", text);
}
END_TEST

START_TEST(nobody_there)
{
	char text[4096];

	close(listener);
	listener = -1;
	ck_assert_int_eq(fetch_run(ARGS("-o", "got", HOST, port, "x"), text), 1);
	ck_assert_msg(strstr(text, "refused") != NULL, "'%s'", text);
	ck_assert_int_eq(access("got", F_OK), -1);
}
END_TEST

START_TEST(signal_ends_it_when_all_is_written)
{
	struct fetching fetching = fetch_start(ARGS("-o", "got", HOST, port, "x"));
	int fd = play("ok 10 " TIME "\n", "0");

	put(fd, "ok 10 " TIME "\n");
	kill(fetching.pid, SIGINT);
	ck_assert_int_eq(fetch_end(&fetching, NULL), 128 + SIGINT);
	expect_beginning("got", "0123456789", 10);
	close(fd);
}
END_TEST

START_TEST(two_at_one_file)
{
	struct fetching first = fetch_start(ARGS("-o", "got", HOST, port, "x"));
	int fd = play("ok 10 " TIME "\n", "0");
	char text[4096];

	ck_assert_int_eq(fetch_run(ARGS("-o", "got", HOST, port, "x"), text), 1);
	ck_assert_msg(strstr(text, "another fetch") != NULL, "'%s'", text);
	put(fd, "ok 10 " TIME "\n0123456789ok 10 " TIME "\n");
	ck_assert_int_eq(fetch_end(&first, NULL), 0);
	expect_file("got", "0123456789", 10);
	close(fd);
}
END_TEST

START_TEST(disk_is_full)
{
	struct fetching fetching = fetch_start(ARGS("-o", "/dev/full", HOST, port, "x"));
	int fd = play("ok 10 " TIME "\n", "0");
	char text[4096];

	put(fd, "ok 10 " TIME "\n0123456789ok 10 " TIME "\n");
	ck_assert_int_eq(fetch_end(&fetching, text), 1);
	ck_assert_str_eq(text, "fetch: /dev/full: No space left on device\n");
	close(fd);
}
END_TEST

/* A terminal for standard error; returns what is to be read of it. */
static int
terminal_open(void)
{
	int ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	ck_assert_int_ge(ours, 0);
	ck_assert_int_eq(grantpt(ours), 0);
	ck_assert_int_eq(unlockpt(ours), 0);
	return ours;
}

START_TEST(progress_is_for_terminals)
{
	const int terminal = terminal_open();
	int fd, theirs;
	const char *const *args = _i == 0 ? ARGS("-o", "got", HOST, port, "x") :
	    ARGS("-qo", "got", HOST, port, "x");
	struct pollfd some = { .fd = terminal, .events = POLLIN };
	struct fetching fetching;
	char text[4096] = "";
	size_t size = 0;

	theirs = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(theirs, 0);
	fetching = fetch_start_on(args, theirs);
	fd = play("ok 10 " TIME "\n", "0");
	put(fd, "ok 10 " TIME "\n0123456789ok 10 " TIME "\n");
	ck_assert_int_eq(fetch_end(&fetching, NULL), 0);
	while (poll(&some, 1, 0) == 1 && size < sizeof text - 1)
		size += (size_t)read(terminal, text + size, sizeof text - 1 - size);
	ck_assert_int_eq(size > 0, _i == 0);
	if (_i == 0)
		ck_assert_msg(strstr(text, "got    0% [") != NULL &&
		    strstr(text, "10/10") != NULL && strstr(text, "100% [====") != NULL &&
		    strcmp(text + size - 2, "\r\n") == 0, "'%s'", text);
	close(theirs);
	close(terminal);
	close(fd);
}
END_TEST

START_TEST(wrong_call_is_refused)
{
	static const char *const calls[][6] = {
		{ NULL }, { HOST }, { HOST, "1", "x", "y" }, { "-x", HOST, "1", "x" },
		{ HOST, "1" }, { HOST, "1", "" }, { HOST, "1", "sub/" }, { HOST, "1", ".." },
		{ HOST, "1", "a\nb" }, { "-o", "", HOST, "1", "x" }, { "-t", "0", HOST, "1", "x" },
		{ "-t", "1x", HOST, "1", "x" }, { "-t", "86401", HOST, "1", "x" }, { "-o" },
		{ HOST, "0", "x" }, { HOST, "65536", "x" }, { HOST, "99999999999999999999", "x" },
	};
	char text[4096];

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		ck_assert_int_eq(fetch_run(calls[i], text), 64);
		ck_assert_msg(strstr(text, "usage: fetch") != NULL, "'%s'", text);
	}
	ck_assert_int_eq(fetch_run(ARGS("-o", "got", HOST, "no such port", "x"), text), 1);
	ck_assert_msg(strncmp(text, "fetch: " HOST " no such port: ", 31) == 0, "'%s'", text);
}
END_TEST

static Suite *
fetch_suite(void)
{
	Suite *suite = suite_create("fetch");
	TCase *tc = filter_case("fetch");

	tcase_add_unchecked_fixture(tc, folder_make, folder_remove);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, lost_connection_is_made_again, 0, 2);
	tcase_add_loop_test(tc, file_that_changes_starts_over, 0, 2);
	tcase_add_test(tc, file_that_always_changes_is_given_up);
	tcase_add_loop_test(tc, refusal_is_told_and_leaves_no_file, 0, ARRAY_LEN(refusals));
	tcase_add_test(tc, answer_without_a_line_end);
	tcase_add_loop_test(tc, silence_is_given_up, 0, 4);
	tcase_add_loop_test(tc, request_of_two_bytes, 0, 3);
	tcase_add_test(tc, reset_is_no_end_by_bytes);
	tcase_add_test(tc, nobody_there);
	tcase_add_test(tc, signal_ends_it_when_all_is_written);
	tcase_add_test(tc, two_at_one_file);
	tcase_add_test(tc, disk_is_full);
	tcase_add_loop_test(tc, progress_is_for_terminals, 0, 2);
	tcase_add_test(tc, wrong_call_is_refused);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return filter_main(fetch_suite());
}
