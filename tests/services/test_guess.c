/*
 * guess: games that are won, lost and left, by lines, bare text and datagrams;
 * and the sums behind them.
 */
#include "filter.h"

#include "../../services/guess.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WELCOME "I think of a number from 1 to 6. You have 3 tries.\n"
#define BAD "Type a number from 1 to 6, or quit.\n"
#define GAMES 200

static const enum channel channels[] = { PIPES, STREAM, NARROW, TCP };

static const struct {
	uint64_t random, most;
	bool     taken;
	uint64_t number;
} picks[] = {
	{ 0, 6, true, 1 },
	{ 5, 6, true, 6 },
	{ 6, 6, true, 1 },
	/* 2^64 is 4 more than a multiple of 6: the last four would favour 1 to 4. */
	{ UINT64_MAX - 4, 6, true, 6 },
	{ UINT64_MAX - 3, 6, false, 0 },
	{ UINT64_MAX, 6, false, 0 },
	{ UINT64_MAX, 1, true, 1 },
	{ UINT64_MAX, 2, true, 2 },
	{ UINT64_MAX, 1024, true, 1024 },
	{ UINT64_MAX, 5, false, 0 },	/* 2^64 - 1 is a multiple of 5: one alone is too much */
	{ UINT64_MAX - 1, 5, true, 5 },
};

START_TEST(pick_is_fair)
{
	uint64_t number;

	ck_assert_int_eq(guess_pick(picks[_i].random, picks[_i].most, &number), picks[_i].taken);
	if (picks[_i].taken)
		ck_assert_uint_eq(number, picks[_i].number);
}
END_TEST

/* Halving always finds the number in the tries allowed, and needs them all for one at least. */
START_TEST(tries_are_just_enough)
{
	const uint64_t most = (uint64_t)_i;
	unsigned needed = 0;

	for (uint64_t number = 1; number <= most; number++) {
		uint64_t low = 1, high = most, middle;
		unsigned tries = 0;

		do {
			middle = (low + high) / 2;
			tries++;
			if (middle < number)
				low = middle + 1;
			else
				high = middle - 1;
		} while (middle != number);
		needed = tries > needed ? tries : needed;
	}
	ck_assert_uint_eq(guess_tries(most), needed);
}
END_TEST

/* What one read brings, as text. */
static const char *
receive(const struct filter *filter)
{
	static char text[4096];
	ssize_t n = read(filter->out, text, sizeof text - 1);

	ck_assert_msg(n >= 0, "read: %s", strerror(errno));
	text[n] = '\0';
	return text;
}

/* Plays by halving; returns the number found. */
static unsigned
play(enum channel channel, const char *line_end)
{
	struct filter filter = filter_start(channel, ARGS("guess"));
	unsigned low = 1, high = 6, tries = 0, number = 0;

	filter_expect_text(&filter, WELCOME);
	while (number == 0) {
		const unsigned middle = (low + high) / 2;
		const char *text;
		char line[32], wanted[64];

		snprintf(line, sizeof line, "%u%s", middle, line_end);
		filter_send_text(&filter, line);
		tries++;
		text = receive(&filter);
		if (strncmp(text, "You win", 7) == 0) {
			snprintf(wanted, sizeof wanted, "You win: it is %u, in %u %s.\n", middle,
			    tries, tries == 1 ? "try" : "tries");
			number = middle;
		} else {
			const bool higher = strncmp(text, "Higher", 6) == 0;

			snprintf(wanted, sizeof wanted, "%s, %u %s left.\n",
			    higher ? "Higher" : "Lower", 3 - tries, tries == 2 ? "try" : "tries");
			if (higher)
				low = middle + 1;
			else
				high = middle - 1;
		}
		ck_assert_str_eq(text, wanted);
	}
	filter_expect_end(&filter);
	ck_assert_int_eq(filter_wait(&filter), 0);
	return number;
}

static const char *const line_ends[] = { "\n", "\r\n", "" };

START_TEST(game_is_won)
{
	play(channels[(size_t)_i % ARRAY_LEN(channels)],
	    line_ends[(size_t)_i / ARRAY_LEN(channels)]);
}
END_TEST

/* A number that never comes in so many fair games: once in 10^15 runs. */
START_TEST(every_number_comes)
{
	unsigned seen = 0;

	for (int i = 0; i < GAMES; i++)
		seen |= 1U << play(STREAM, "\n");
	ck_assert_uint_eq(seen, 0x7e);
}
END_TEST

/* The same try again and again: it wins at once, or loses. */
START_TEST(game_is_lost)
{
	bool lost = false;

	for (int i = 0; i < GAMES && !lost; i++) {
		struct result result = filter_run(PIPES, ARGS("guess"), BYTES("1\n1\n1\n1\n"));

		ck_assert_int_eq(result.status, 0);
		lost = strstr(result.data, "You win") == NULL;
		if (lost) {
			char *last = result.data + result.size - strlen("N.\n");

			ck_assert(*last >= '2' && *last <= '6');
			*last = '#';
			ck_assert_str_eq(result.data, WELCOME "Higher, 2 tries left.\n"
			    "Higher, 1 try left.\nHigher. You lose: it was #.\n");
		}
		free(result.data);
	}
	ck_assert(lost);
}
END_TEST

static const char *const nonsense[] = {
	"\n", "0\n", "7\n", "-1\n", "+1\n", "1.5\n", "1 2\n", "x\n", "1x\n", "0x1\n", "Quit\n",
	"quit now\n", "99999999999999999999999999\n", "\t\n", "\377\376\n",
};

/* Neither fatal nor a try. */
START_TEST(nonsense_costs_no_try)
{
	struct filter filter = filter_start(STREAM, ARGS("guess"));

	filter_expect_text(&filter, WELCOME);
	for (size_t i = 0; i < ARRAY_LEN(nonsense); i++) {
		filter_send_text(&filter, nonsense[i]);
		filter_expect_text(&filter, BAD);
	}
	filter_send(&filter, BYTES("1\0002\n"));
	filter_expect_text(&filter, BAD);
	filter_send_text(&filter, " 1 \n\t1\t\n01\n");
	filter_end_input(&filter);
	ck_assert_ptr_null(strstr(receive(&filter), "Type"));
	ck_assert_int_eq(filter_finish(&filter), 0);
}
END_TEST

START_TEST(long_nonsense_is_answered)
{
	char *line = malloc(1000000);
	struct result result;

	ck_assert_ptr_nonnull(line);
	memset(line, '1', 1000000);
	result = filter_run(STREAM, ARGS("guess"), line, 1000000);
	ck_assert_int_eq(result.status, 0);
	ck_assert_uint_gt(result.size, strlen(WELCOME BAD));
	ck_assert(memcmp(result.data, WELCOME BAD, strlen(WELCOME BAD)) == 0);
	free(result.data);
	free(line);
}
END_TEST

START_TEST(quit_ends_it)
{
	struct filter filter = filter_start(channels[_i], ARGS("guess"));
	char number;

	filter_expect_text(&filter, WELCOME);
	filter_send_text(&filter, "quit\r\n");
	filter_expect_text(&filter, "Goodbye. It was ");
	ck_assert_int_eq(read(filter.out, &number, 1), 1);
	ck_assert(number >= '1' && number <= '6');
	filter_expect_text(&filter, ".\n");
	filter_expect_end(&filter);
	ck_assert_int_eq(filter_wait(&filter), 0);
}
END_TEST

START_TEST(end_of_input_ends_it)
{
	filter_check(ARGS("guess"), "", 0, 0, BYTES(WELCOME));
	filter_check(ARGS("guess", "-n", "1000000000"), "", 0, 0,
	    BYTES("I think of a number from 1 to 1000000000. You have 30 tries.\n"));
}
END_TEST

START_TEST(only_number_is_found)
{
	filter_check(ARGS("guess", "-n", "1"), BYTES("2\n1\n"), 0,
	    BYTES("I think of a number from 1 to 1. You have 1 try.\n"
		  "Type a number from 1 to 1, or quit.\nYou win: it is 1, in 1 try.\n"));
}
END_TEST

static void
from_peer(void)
{
	struct pollfd input = { .fd = 0, .events = POLLIN };

	setenv("PROTO", "UDP", 1);
	setenv("UDPREMOTEPORT", "50000", 1);
	poll(&input, 1, -1);
}

static const struct {
	const char *first, *answer;
} beginnings[] = {
	{ "\n", WELCOME },
	{ "hello?\n", WELCOME BAD },
	{ "7", WELCOME BAD },
};

/* One datagram for each; nothing is said before somebody asks. */
START_TEST(game_by_datagrams)
{
	struct filter filter = filter_start_with(PACKETS, ARGS("guess"), from_peer);
	const char *text;

	filter_send_text(&filter, beginnings[_i].first);
	ck_assert_str_eq(receive(&filter), beginnings[_i].answer);
	filter_send_text(&filter, "x\ny");
	ck_assert_str_eq(receive(&filter), BAD);
	filter_send_text(&filter, "1\n");
	text = receive(&filter);
	if (strcmp(text, "Higher, 2 tries left.\n") == 0) {
		filter_send_text(&filter, "quit");
		ck_assert(strncmp(receive(&filter), "Goodbye. It was ", 16) == 0);
	} else
		ck_assert_str_eq(text, "You win: it is 1, in 1 try.\n");
	filter_expect_end(&filter);
	ck_assert_int_eq(filter_wait(&filter), 0);
}
END_TEST

START_TEST(first_datagram_may_be_a_guess)
{
	struct filter filter = filter_start_with(PACKETS, ARGS("guess", "-n", "1"), from_peer);

	filter_send_text(&filter, "1");
	ck_assert_str_eq(receive(&filter), "I think of a number from 1 to 1. You have 1 try.\n"
	    "You win: it is 1, in 1 try.\n");
	filter_expect_end(&filter);
	ck_assert_int_eq(filter_wait(&filter), 0);
}
END_TEST

START_TEST(wrong_call_is_refused)
{
	filter_check_usage(ARGS("guess", "-x"));
	filter_check_usage(ARGS("guess", "6"));
	filter_check_usage(ARGS("guess", "-n"));
	filter_check_usage(ARGS("guess", "-n", "0"));
	filter_check_usage(ARGS("guess", "-n", "1000000001"));
	filter_check_usage(ARGS("guess", "-n", "six"));
	filter_check_help("guess");
}
END_TEST

static Suite *
guess_suite(void)
{
	Suite *suite = suite_create("guess");
	TCase *tc = filter_case("sums");

	tcase_add_loop_test(tc, pick_is_fair, 0, ARRAY_LEN(picks));
	tcase_add_loop_test(tc, tries_are_just_enough, 1, 40);
	suite_add_tcase(suite, tc);
	tc = filter_case("games");
	tcase_add_loop_test(tc, game_is_won, 0, ARRAY_LEN(channels) * ARRAY_LEN(line_ends));
	tcase_add_test(tc, every_number_comes);
	tcase_add_test(tc, game_is_lost);
	tcase_add_test(tc, nonsense_costs_no_try);
	tcase_add_test(tc, long_nonsense_is_answered);
	tcase_add_loop_test(tc, quit_ends_it, 0, ARRAY_LEN(channels));
	tcase_add_test(tc, end_of_input_ends_it);
	tcase_add_test(tc, only_number_is_found);
	tcase_add_loop_test(tc, game_by_datagrams, 0, ARRAY_LEN(beginnings));
	tcase_add_test(tc, first_datagram_may_be_a_guess);
	tcase_add_test(tc, wrong_call_is_refused);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return filter_main(guess_suite());
}
