/* Numbers as text are what printf(3) makes of them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "decimal.h"
#include "unit.h"

static const uint64_t numbers[] = { 0, 1, 9, 10, 255, 65535, UINT32_MAX, UINT64_MAX };

START_TEST(a_number_is_what_printf_makes_of_it)
{
	char text[DECIMAL_TEXT], expected[32], *end;

	snprintf(expected, sizeof expected, "%" PRIu64, numbers[_i]);
	end = decimal_put(text, numbers[_i]);
	ck_assert_str_eq(text, expected);
	ck_assert_ptr_eq(end, text + strlen(expected));
}
END_TEST

START_TEST(a_padded_number_has_its_digits)
{
	char text[8] = "xxxxxxx";

	ck_assert_ptr_eq(decimal_put_padded(text, 7, 3), text + 3);
	ck_assert_str_eq(text, "007");
	decimal_put_padded(text, 1234, 3);
	ck_assert_str_eq(text, "234");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("decimal");
	TCase *tcase = unit_case(suite, "decimal");

	tcase_add_loop_test(tcase, a_number_is_what_printf_makes_of_it, 0, ROWS(numbers));
	tcase_add_test(tcase, a_padded_number_has_its_digits);
	return unit_run(suite);
}
