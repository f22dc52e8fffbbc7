/*
 * sendfile, its requests: both protocols byte by byte, and names that try to
 * get out of the folder, with the kernel's help against them and without.
 */
#include "filter.h"
#include "folder.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	const char *request;
	size_t      size;
	int         status;
	size_t      offset;	/* the answer is TEXT from here on */
} binary[] = {
	{ BYTES("0\0"), 0, 0 },
	{ BYTES("0\0more than was asked for"), 0, 0 },
	{ BYTES("1\0" "5\0garbage9"), 0, 5 },
	{ BYTES("2\0" "5\0" "12345678"), 0, 5 },
	{ BYTES("1\0" "0\0........"), 0, 0 },
	{ BYTES("1\0" "0000000007"), 0, 7 },		/* all ten digits, and no NUL */
	{ BYTES("1\0" "5\0"), 0, 5 },			/* the end of input instead of garbage */
	{ BYTES("1\0" "16\0......."), 0, 16 },		/* the last byte */
	{ BYTES("2\0" "17\0......."), 0, 17 },		/* just at the end */
	{ BYTES("2\0" "18\0......."), 0, 17 },		/* past it */
	{ BYTES("1\0" "9999999999"), 0, 17 },
	{ BYTES("1\0" "-5\0......."), 1, 17 },
	{ BYTES("1\0" " 5\0......."), 1, 17 },
	{ BYTES("1\0" "5x\0......."), 1, 17 },
	{ BYTES("1\0" "\0........."), 1, 17 },
	{ BYTES("1\0" "123"), 1, 17 },
	{ BYTES("1\0"), 1, 17 },
	{ BYTES("3\0" "5\0........"), 1, 17 },
	{ BYTES("0"), 1, 17 },
	{ BYTES("00"), 1, 17 },
	{ BYTES("0\n"), 1, 17 },
	{ BYTES("1 5\0........."), 1, 17 },
	{ BYTES("\0\0"), 1, 17 },
	{ BYTES("GET / HTTP/1.0\r\n\r\n"), 1, 17 },
	{ BYTES(""), 0, 17 },				/* no request is no failure */
};

START_TEST(binary_request)
{
	filter_check(ARGS("sendfile", "text"), binary[_i].request, binary[_i].size,
	    binary[_i].status, &TEXT[binary[_i].offset], TEXT_SIZE - binary[_i].offset);
}
END_TEST

START_TEST(binary_request_in_pieces)
{
	static const char request[] = "1\0" "11\0garbage";

	for (size_t cut = 1; cut < sizeof request; cut++) {
		struct filter filter = filter_start_with(PACKETS, ARGS("sendfile", "text"),
		    filter_as_stream);

		filter_send(&filter, request, cut);
		if (cut < sizeof request - 1)
			filter_send(&filter, request + cut, sizeof request - 1 - cut);
		filter_expect_text(&filter, &TEXT[11]);
		filter_expect_end(&filter);
		ck_assert_int_eq(filter_wait(&filter), 0);
	}
}
END_TEST

static const char *const not_files[] = { "fifo", "sub", "none", "/dev/null" };

START_TEST(binary_sends_regular_files_only)
{
	filter_check(ARGS("sendfile", not_files[_i]), BYTES("0\0"), 1, "", 0);
}
END_TEST

/* A kernel before 5.6, as far as a process can tell. */
static void
without_openat2(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = ARRAY_LEN(rules), .filter = rules };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1)
		_exit(125);
}

#define OK_TEXT "ok 17 " TIME "\n" TEXT
#define ERROR "error "		/* what is behind it is for people */

static const struct {
	const char *request;
	const char *answer;
} lines[] = {
	{ "get text", OK_TEXT },
	{ "get text\r", OK_TEXT },
	{ "  get   text  ", OK_TEXT },
	{ "get \"text\"", OK_TEXT },
	{ "get text 10", "ok 7 " TIME "\nabcdef\n" },
	{ "get \"text\" 10", "ok 7 " TIME "\nabcdef\n" },
	{ "get text 0", OK_TEXT },
	{ "get text 17", "ok 0 " TIME "\n" },
	{ "get text 18", "ok 0 " TIME "\n" },
	{ "get text 99999999999999999999999999", "ok 0 " TIME "\n" },
	{ "get two words", OK_TEXT },
	{ "get two words 16", "ok 1 " TIME "\n\n" },
	{ "get \"two words\" 16", "ok 1 " TIME "\n\n" },
	{ "get \"report 2024\"", OK_TEXT },
	{ "get \"report 2024\" 16", "ok 1 " TIME "\n\n" },
	{ "get report 2024", ERROR },
	{ "get report 2024 16", "ok 1 " TIME "\n\n" },
	{ "get 2024", OK_TEXT },
	{ "get 2024 16", "ok 1 " TIME "\n\n" },
	{ "get a\"b", OK_TEXT },
	{ "get \"a\"b\"", OK_TEXT },
	{ "get \" x \"", OK_TEXT },
	{ "get sub/deep", OK_TEXT },
	{ "get ./sub//./deep", OK_TEXT },
	{ "get ..dots", OK_TEXT },
	{ "get empty", "ok 0 " TIME "\n" },
	{ "size text", "ok 17 " TIME "\n" },
	{ "size report 2024", "ok 17 " TIME "\n" },
	{ "size \"two words\"", "ok 17 " TIME "\n" },
	{ "size empty", "ok 0 " TIME "\n" },
	{ "size none", ERROR },
	{ "get none", ERROR },
	{ "get ../secret", ERROR },
	{ "get sub/../../secret", ERROR },
	{ "get sub/../text", ERROR },
	{ "get sub/..", ERROR },
	{ "get ..", ERROR },
	{ "get .", ERROR },
	{ "get /etc/passwd", ERROR },
	{ "get //etc/passwd", ERROR },
	{ "get \"/etc/passwd\"", ERROR },
	{ "get \"../secret\"", ERROR },
	{ "size ../secret", ERROR },
	{ "get link", ERROR },
	{ "get out", ERROR },
	{ "get up/secret", ERROR },
	{ "get down/deep", ERROR },
	{ "get fifo", ERROR },
	{ "get sub", ERROR },
	{ "get sub/", ERROR },
	{ "get text/", ERROR },
	{ "get text/deep", ERROR },
	{ "get", ERROR },
	{ "get ", ERROR },
	{ "get \"\"", ERROR },
	{ "get \"", ERROR },
	{ "get \"text", ERROR },
	{ "get \"text\" x", ERROR },
	{ "get \"text\"5", ERROR },
	{ "size", ERROR },
	{ "list sub", ERROR },
	{ "GET text", ERROR },
	{ "gettext", ERROR },
	{ "", ERROR },
	{ "0", ERROR },
};

static void
line_check(size_t i, void (*prepare)(void))
{
	struct filter filter = filter_start_with(STREAM, ARGS("sendfile", "-d", "."), prepare);
	struct result result;
	size_t wanted = strlen(lines[i].answer);

	filter_send_text(&filter, lines[i].request);
	filter_send_text(&filter, "\n");
	filter_end_input(&filter);
	result = filter_rest(&filter);
	if (strcmp(lines[i].answer, ERROR) == 0)
		ck_assert_msg(result.size > wanted && memcmp(result.data, ERROR, wanted) == 0 &&
		    strchr(result.data, '\n') == result.data + result.size - 1,
		    "'%s' gave '%s'", lines[i].request, result.data);
	else
		ck_assert_msg(strcmp(result.data, lines[i].answer) == 0, "'%s' gave '%s'",
		    lines[i].request, result.data);
	ck_assert_int_eq(result.status, 0);
	free(result.data);
}

START_TEST(line_request)
{
	line_check((size_t)_i, NULL);
}
END_TEST

START_TEST(line_request_on_an_old_kernel)
{
	line_check((size_t)_i, without_openat2);
}
END_TEST

START_TEST(wrong_call_is_refused)
{
	static const char *const calls[][3] = {
		{ NULL }, { "-x" }, { "a", "b" }, { "-d", ".", "file" }, { "-d" },
		{ "-t", "0", "file" }, { "-t", "1x", "file" }, { "-t", "86401", "file" },
	};

	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		filter_check_usage(ARGS("sendfile", calls[i][0], calls[i][1], calls[i][2]));
}
END_TEST

START_TEST(help)
{
	filter_check_help("sendfile");
}
END_TEST

static Suite *
sendfile_suite(void)
{
	Suite *suite = suite_create("sendfile, requests");
	TCase *tc = filter_case("sendfile");

	tcase_add_unchecked_fixture(tc, folder_make, folder_remove);
	tcase_add_loop_test(tc, binary_request, 0, ARRAY_LEN(binary));
	tcase_add_test(tc, binary_request_in_pieces);
	tcase_add_loop_test(tc, binary_sends_regular_files_only, 0, ARRAY_LEN(not_files));
	tcase_add_loop_test(tc, line_request, 0, ARRAY_LEN(lines));
	tcase_add_loop_test(tc, line_request_on_an_old_kernel, 0, ARRAY_LEN(lines));
	tcase_add_test(tc, wrong_call_is_refused);
	tcase_add_test(tc, help);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return filter_main(sendfile_suite());
}
