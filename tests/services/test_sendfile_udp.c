/*
 * sendfile's datagram protocol, question by question, as superd's socket for
 * one client brings it.
 */
#include "filter.h"
#include "folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_SIZE 128
#define BLOCK 1024

static void
over_udp(void)
{
	setenv("PROTO", "UDP", 1);
}

static struct filter
start(const char *argument, const char *value)
{
	return filter_start_with(PACKETS, ARGS("sendfile", argument, value), over_udp);
}

/* Asks one question; puts the answer, with a NUL behind it, and returns its size. */
static size_t
ask(const struct filter *filter, const void *question, size_t size, char answer[4096])
{
	ssize_t n;

	filter_send(filter, question, size);
	n = read(filter->out, answer, 4095);
	ck_assert_int_gt(n, 0);
	answer[n] = '\0';
	return (size_t)n;
}

/* Pads with blanks as the protocol wants it. */
static void
ask_open(const struct filter *filter, const char *question, char answer[4096])
{
	char padded[OPEN_SIZE + 1];

	snprintf(padded, sizeof padded, "%-128s", question);
	ck_assert_uint_le(ask(filter, padded, OPEN_SIZE, answer), OPEN_SIZE);
}

/* Opens a file that has to be there; puts its token. */
static void
open_file(const struct filter *filter, const char *question, long long total, char token[64])
{
	char answer[4096];
	long long got, changed;

	ask_open(filter, question, answer);
	ck_assert_msg(sscanf(answer, "ok %lld %60s %lld", &got, token, &changed) == 3, "'%s'", answer);
	ck_assert_int_eq(got, total);
	ck_assert_int_eq(changed, 1700000000);
	ck_assert_uint_eq(strlen(token), 16);
}

/* Gets what is at the offset and demands exactly these bytes. */
static void
expect_block(const struct filter *filter, const char *token, size_t offset, const char *bytes,
    size_t size)
{
	char question[128], head[64], answer[4096];
	size_t got, length;

	snprintf(question, sizeof question, "get %s %zu", token, offset);
	length = (size_t)snprintf(head, sizeof head, "data %zu\n", offset);
	got = ask(filter, question, strlen(question), answer);
	ck_assert_msg(memcmp(answer, head, length) == 0, "'%.30s', not '%s'", answer, head);
	ck_assert_uint_eq(got, length + size);
	ck_assert(memcmp(answer + length, bytes, size) == 0);
}

static void
expect_answer(const struct filter *filter, const char *question, const char *wanted)
{
	char answer[4096];

	ask(filter, question, strlen(question), answer);
	ck_assert_str_eq(answer, wanted);
}

static void
finish(struct filter *filter)
{
	filter_end_input(filter);
	filter_expect_end(filter);
	ck_assert_int_eq(filter_wait(filter), 0);
}

START_TEST(file_comes_in_blocks_from_any_offset)
{
	static const size_t offsets[] = { 0, 1, 1023, 1024, 1025, BIG_SIZE - 1025, BIG_SIZE - 1024,
		BIG_SIZE - 1023, BIG_SIZE - 1, BIG_SIZE, BIG_SIZE + 1, 777 };
	struct filter filter = start("-d", ".");
	char *data = folder_big_data(), token[64];

	open_file(&filter, "open sub/big", BIG_SIZE, token);
	for (size_t i = 0; i < ARRAY_LEN(offsets); i++) {
		size_t left = offsets[i] < BIG_SIZE ? BIG_SIZE - offsets[i] : 0;

		expect_block(&filter, token, offsets[i], data + offsets[i],
		    left < BLOCK ? left : BLOCK);
	}
	finish(&filter);
	free(data);
}
END_TEST

static const struct {
	const char *question;
	long long   total;		/* -1: an error */
} opens[] = {
	{ "open text", 17 }, { "open \"text\"", 17 }, { "open   text", 17 }, { "open empty", 0 },
	{ "open two words", 17 }, { "open report 2024", 17 }, { "open 2024", 17 },
	{ "open \" x \"", 17 }, { "open sub/deep", 17 }, { "open ./text", 17 },
	{ "open text\n", -1 },
	{ "open", -1 }, { "open \"\"", -1 }, { "open \"text", -1 },
	{ "open none", -1 }, { "open ../secret", -1 }, { "open out", -1 }, { "open link", -1 },
	{ "open up/secret", -1 }, { "open down/deep", -1 }, { "open /etc/passwd", -1 },
	{ "open sub", -1 }, { "open fifo", -1 }, { "open .", -1 }, { "open ..", -1 },
	{ "size text", -1 }, { "list", -1 }, { "get text", -1 }, { "get text 0", -1 }, { "", -1 },
};

START_TEST(name_of_a_folder)
{
	struct filter filter = start("-d", ".");
	char answer[4096];

	if (opens[_i].total >= 0) {
		open_file(&filter, opens[_i].question, opens[_i].total, answer);
	} else {
		ask_open(&filter, opens[_i].question, answer);
		ck_assert_msg(strncmp(answer, "error ", 6) == 0, "'%s'", answer);
	}
	finish(&filter);
}
END_TEST

START_TEST(end_of_line_behind_the_padding_is_harmless)
{
	struct filter filter = start("-d", ".");
	char question[OPEN_SIZE + 2], answer[4096];

	snprintf(question, sizeof question, "%-128s\n", "open text");
	ask(&filter, question, strlen(question), answer);
	ck_assert_msg(strncmp(answer, "ok 17 ", 6) == 0, "'%s'", answer);
	finish(&filter);
}
END_TEST

/* A long name needs no padding; what is more than a line is never cut and then looked for. */
START_TEST(long_questions)
{
	static char question[65000], answer[4096];
	struct filter filter = start("-d", ".");

	memset(question, '/', sizeof question);
	memcpy(question, "open .", 6);
	memcpy(question + 4000, "text", 5);
	ask(&filter, question, 4004, answer);
	ck_assert_msg(strncmp(answer, "ok 17 ", 6) == 0, "'%s'", answer);
	memset(question + 4000, ' ', sizeof question - 4000);
	memcpy(question, "open text ", 10);
	ask(&filter, question, sizeof question, answer);
	ck_assert_msg(strncmp(answer, "error ", 6) == 0, "'%s'", answer);
	finish(&filter);
}
END_TEST

START_TEST(single_file_goes_by_its_name_or_by_none)
{
	static const struct {
		const char *question;
		bool        found;
	} cases[] = {
		{ "open", true }, { "open deep", true }, { "open \"deep\"", true },
		{ "open sub/deep", false }, { "open text", false }, { "open /deep", false },
	};
	struct filter filter = start("sub/deep", NULL);
	char answer[4096], token[64];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (cases[i].found) {
			open_file(&filter, cases[i].question, TEXT_SIZE, token);
			expect_block(&filter, token, 3, &TEXT[3], TEXT_SIZE - 3);
		} else {
			ask_open(&filter, cases[i].question, answer);
			ck_assert_str_eq(answer, "error no such file");
		}
	finish(&filter);
}
END_TEST

/* Whoever forges a sender's address must not make the answer longer than the question. */
START_TEST(no_answer_is_longer_than_its_question)
{
	struct filter filter = start("-d", ".");
	char question[OPEN_SIZE + 1], answer[4096];
	ssize_t n;

	for (size_t size = 1; size <= OPEN_SIZE; size++) {
		snprintf(question, sizeof question, "%-128s", size % 2 == 0 ? "open text" : "open no");
		filter_send(&filter, question, size);
		/* The question behind it tells when the first was dealt with. */
		filter_send_text(&filter, "get 0123456789abcdef 0");
		n = read(filter.out, answer, sizeof answer);
		ck_assert_int_gt(n, 0);
		if (n == 11 && memcmp(answer, "error token", 11) == 0)
			continue;
		ck_assert_int_eq(strncmp(answer, size == OPEN_SIZE ? "ok 17" : "error", 5), 0);
		ck_assert_uint_le((size_t)n, size);
		ck_assert_int_eq(read(filter.out, answer, sizeof answer), 11);
	}
	finish(&filter);
}
END_TEST

START_TEST(token_is_needed)
{
	struct filter filter = start("-d", ".");
	char token[64], question[128];

	expect_answer(&filter, "get 0123456789abcdef 0", "error token");
	expect_answer(&filter, "get  0000000000000000", "error unknown request");
	open_file(&filter, "open text", TEXT_SIZE, token);
	expect_answer(&filter, "get 0123456789abcdef 0", "error token");
	snprintf(question, sizeof question, "get %s -1 ...........", token);
	expect_answer(&filter, question, "error unknown request");
	snprintf(question, sizeof question, "get %.15s 0", token);
	expect_answer(&filter, question, "error token");
	expect_block(&filter, token, 0, TEXT, TEXT_SIZE);
	finish(&filter);
}
END_TEST

START_TEST(tokens_of_two_processes_differ)
{
	struct filter one = start("-d", "."), other = start("-d", ".");
	char token[64], another[64], question[128];

	open_file(&one, "open text", TEXT_SIZE, token);
	open_file(&other, "open text", TEXT_SIZE, another);
	ck_assert_str_ne(token, another);
	snprintf(question, sizeof question, "get %s 0", token);
	expect_answer(&other, question, "error token");
	finish(&one);
	finish(&other);
}
END_TEST

START_TEST(question_that_came_twice_keeps_the_token)
{
	struct filter filter = start("-d", ".");
	char first[64], second[64], question[128];

	open_file(&filter, "open text", TEXT_SIZE, first);
	open_file(&filter, "open text", TEXT_SIZE, second);
	ck_assert_str_eq(first, second);
	open_file(&filter, "open sub/deep", TEXT_SIZE, second);
	ck_assert_str_ne(first, second);
	expect_block(&filter, second, 0, TEXT, TEXT_SIZE);
	snprintf(question, sizeof question, "get %s 0", first);
	expect_answer(&filter, question, "error token");
	finish(&filter);
}
END_TEST

static void
file_write(const char *name, const char *text, long seconds)
{
	const struct timespec times[] = { { seconds, 0 }, { seconds, 0 } };
	int file = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	ck_assert_int_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(futimens(file, times), 0);
	close(file);
}

START_TEST(file_that_is_replaced_is_served_to_its_end)
{
	struct filter filter = start("-d", ".");
	char token[64], answer[4096];

	file_write("old", "first version\n", 1700000000);
	open_file(&filter, "open old", 14, token);
	file_write("new", "second, longer version\n", 1700000001);
	ck_assert_int_eq(rename("new", "old"), 0);
	expect_block(&filter, token, 6, "version\n", 8);
	ask_open(&filter, "open old", answer);
	ck_assert_msg(strncmp(answer, "ok 23 ", 6) == 0, "'%s'", answer);
	ck_assert_msg(strstr(answer, token) == NULL, "'%s'", answer);
	unlink("old");
	finish(&filter);
}
END_TEST

START_TEST(file_that_is_changed_in_place_loses_its_token)
{
	static const struct {
		const char *text;
		long        seconds;
	} changes[] = { { "FIRST", 1700000001 }, { "first version, longer\n", 1700000000 } };
	struct filter filter = start("-d", ".");
	char token[64], question[128];

	file_write("changes", "first version\n", 1700000000);
	open_file(&filter, "open changes", 14, token);
	expect_block(&filter, token, 0, "first version\n", 14);
	file_write("changes", changes[_i].text, changes[_i].seconds);
	snprintf(question, sizeof question, "get %s 0", token);
	expect_answer(&filter, question, "error token");
	unlink("changes");
	finish(&filter);
}
END_TEST

START_TEST(nul_cuts_no_name)
{
	struct filter filter = start("-d", ".");
	char question[OPEN_SIZE] = "open text", answer[4096];

	memset(question + 10, ' ', OPEN_SIZE - 10);
	ask(&filter, question, OPEN_SIZE, answer);
	ck_assert_str_eq(answer, "error unknown request");
	finish(&filter);
}
END_TEST

START_TEST(udp_without_a_session_is_refused)
{
	static const enum channel channels[] = { PIPES, STREAM };
	struct filter filter = filter_start_with(channels[_i], ARGS("sendfile", "text"), over_udp);

	filter_expect_end(&filter);
	ck_assert_int_eq(filter_wait(&filter), 64);
}
END_TEST

static Suite *
sendfile_udp_suite(void)
{
	Suite *suite = suite_create("sendfile, datagrams");
	TCase *tc = filter_case("sendfile");

	tcase_add_unchecked_fixture(tc, folder_make, folder_remove);
	tcase_add_test(tc, file_comes_in_blocks_from_any_offset);
	tcase_add_loop_test(tc, name_of_a_folder, 0, ARRAY_LEN(opens));
	tcase_add_test(tc, end_of_line_behind_the_padding_is_harmless);
	tcase_add_test(tc, long_questions);
	tcase_add_test(tc, single_file_goes_by_its_name_or_by_none);
	tcase_add_test(tc, no_answer_is_longer_than_its_question);
	tcase_add_test(tc, token_is_needed);
	tcase_add_test(tc, tokens_of_two_processes_differ);
	tcase_add_test(tc, question_that_came_twice_keeps_the_token);
	tcase_add_test(tc, file_that_is_replaced_is_served_to_its_end);
	tcase_add_loop_test(tc, file_that_is_changed_in_place_loses_its_token, 0, 2);
	tcase_add_test(tc, nul_cuts_no_name);
	tcase_add_loop_test(tc, udp_without_a_session_is_refused, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return filter_main(sendfile_udp_suite());
}
