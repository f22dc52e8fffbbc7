/*
 * flip: every byte value, every direction, any split of the input, and clients
 * that leave or do not read.
 */
#include "filter.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BULK 3000000

static const struct {
	const char *option;		/* NULL: none */
	const char *input;
	const char *output;
} texts[] = {
	{ NULL, "Abc", "aBC" },
	{ NULL, "@AZ[`az{", "@az[`AZ{" },		/* the neighbours of the letters */
	{ NULL, "Gr\303\234\303\237e 1-9!", "gR\303\234\303\237E 1-9!" },
	{ "-u", "@AZ[`az{", "@AZ[`AZ{" },
	{ "-l", "@AZ[`az{", "@az[`az{" },
	{ NULL, "", "" },
};

START_TEST(text_is_flipped)
{
	filter_check(ARGS("flip", texts[_i].option), texts[_i].input, strlen(texts[_i].input), 0,
	    texts[_i].output, strlen(texts[_i].output));
}
END_TEST

static unsigned char
flipped(unsigned char c, char direction)
{
	if (c >= 'a' && c <= 'z' && direction != 'l')
		return (unsigned char)(c - 'a' + 'A');
	if (c >= 'A' && c <= 'Z' && direction != 'u')
		return (unsigned char)(c - 'A' + 'a');
	return c;
}

START_TEST(every_byte_value)
{
	static const char *const options[] = { NULL, "-u", "-l" };
	const char *option = options[_i];
	unsigned char all[256], wanted[256];

	for (unsigned i = 0; i < 256; i++) {
		all[i] = (unsigned char)i;
		wanted[i] = flipped((unsigned char)i, option != NULL ? option[1] : 's');
	}
	filter_check(ARGS("flip", option), all, sizeof all, 0, wanted, sizeof wanted);
}
END_TEST

START_TEST(answers_as_input_arrives)
{
	static const char input[] = "aB\377\0cD-and some more than a vector holds, Zz";
	char output[sizeof input];

	for (size_t i = 0; i < sizeof input; i++)
		output[i] = (char)flipped((unsigned char)input[i], 's');
	for (size_t cut = 1; cut < sizeof input; cut++) {
		struct filter filter = filter_start(cut % 2 == 0 ? PIPES : STREAM, ARGS("flip"));

		filter_send(&filter, input, cut);
		filter_expect(&filter, output, cut);
		filter_send(&filter, input + cut, sizeof input - cut);
		filter_expect(&filter, output + cut, sizeof input - cut);
		filter_end_input(&filter);
		filter_expect_end(&filter);
		ck_assert_int_eq(filter_finish(&filter), 0);
	}
}
END_TEST

START_TEST(bulk_is_exact)
{
	static const enum channel channels[] = { PIPES, STREAM, NARROW, TCP };
	unsigned char *input = malloc(BULK);
	struct result result;
	unsigned seed = 1;

	for (size_t i = 0; i < BULK; i++)
		input[i] = (unsigned char)((seed = seed * 1103515245u + 12345u) >> 16);
	result = filter_run(channels[_i], ARGS("flip"), input, BULK);
	ck_assert_int_eq(result.status, 0);
	ck_assert_uint_eq(result.size, BULK);
	for (size_t i = 0; i < BULK; i++)
		if ((unsigned char)result.data[i] != flipped(input[i], 's'))
			ck_abort_msg("byte %zu: %#x of %#x", i, result.data[i], input[i]);
	free(result.data);
	free(input);
}
END_TEST

START_TEST(client_that_leaves_is_no_failure)
{
	static const enum channel channels[] = { PIPES, STREAM, TCP };
	struct filter filter = filter_start(channels[_i], ARGS("flip"));
	static char much[200000];

	/* The output end goes first, so that the answer meets a closed channel. */
	if (channels[_i] == PIPES)
		close(filter.out);
	if (write(filter.in, much, channels[_i] == PIPES ? 4096 : sizeof much) == -1)
		ck_abort_msg("write");
	if (channels[_i] == PIPES)
		filter.out = -1;
	ck_assert_int_eq(filter_finish(&filter), 0);
}
END_TEST

static const char *const wrong_calls[] = {
	"-x", "file", "-ul",
};

START_TEST(wrong_call_is_refused)
{
	filter_check_usage(ARGS("flip", wrong_calls[_i]));
}
END_TEST

START_TEST(help)
{
	filter_check_help("flip");
}
END_TEST

static Suite *
flip_suite(void)
{
	Suite *suite = suite_create("flip");
	TCase *tc = filter_case("flip");

	tcase_add_loop_test(tc, text_is_flipped, 0, ARRAY_LEN(texts));
	tcase_add_loop_test(tc, every_byte_value, 0, 3);
	tcase_add_test(tc, answers_as_input_arrives);
	tcase_add_loop_test(tc, bulk_is_exact, 0, 4);
	tcase_add_loop_test(tc, client_that_leaves_is_no_failure, 0, 3);
	tcase_add_loop_test(tc, wrong_call_is_refused, 0, ARRAY_LEN(wrong_calls));
	tcase_add_test(tc, help);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return filter_main(flip_suite());
}
