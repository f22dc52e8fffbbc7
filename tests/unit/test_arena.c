/* Memory taken piece by piece: every piece aligned, zeroed and its own. */
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "unit.h"

static const size_t sizes[] = { 1, 2, 7, 8, 15, 16, 17, 31, 33, 255, 4096, 16000, 16319, 16320,
	16321, 20000, 1 << 20 };

static bool
all_zero(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

START_TEST(a_piece_of_any_size_is_aligned_and_zero)
{
	struct arena arena = { .blocks = NULL };

	for (int before = 0; before < 3; before++) {
		char *piece = arena_take(&arena, sizes[_i]);

		ck_assert_ptr_nonnull(piece);
		ck_assert_uint_eq((uintptr_t)piece % _Alignof(max_align_t), 0);
		ck_assert(all_zero(piece, sizes[_i]));
		memset(piece, 0xff, sizes[_i]);
		ck_assert_ptr_nonnull(arena_take(&arena, 1));
	}
	arena_free(&arena);
}
END_TEST

/* Texts are taken from the other end of a block than pieces. */
START_TEST(texts_and_pieces_do_not_share_a_byte)
{
	enum { ROUNDS = 3000 };
	static char *texts[ROUNDS], *pieces[ROUNDS];
	struct arena arena = { .blocks = NULL };
	uint32_t seed = 815;
	char text[300];

	for (int i = 0; i < ROUNDS; i++) {
		size_t len = unit_random(&seed, sizeof text);

		memset(text, 'a' + i % 26, len);
		ck_assert_ptr_nonnull(texts[i] = arena_text_of(&arena, text, len));
		pieces[i] = arena_take(&arena, 24);
		ck_assert_ptr_nonnull(pieces[i]);
		ck_assert_uint_eq((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		ck_assert(all_zero(pieces[i], 24));
		memset(pieces[i], 0xff, 24);
	}
	for (int i = 0; i < ROUNDS; i++) {
		ck_assert_uint_eq(strspn(texts[i], (char[]){ (char)('a' + i % 26), '\0' }),
		    strlen(texts[i]));
		for (int j = 0; j < 24; j++)
			ck_assert_int_eq(pieces[i][j], (char)0xff);
	}
	ck_assert(!arena.failed);
	arena_free(&arena);
}
END_TEST

START_TEST(pieces_do_not_share_a_byte)
{
	enum { PIECES = 3000 };
	static struct piece {
		unsigned char	*at;
		size_t		 size;
	} pieces[PIECES];
	struct arena arena = { .blocks = NULL };
	uint32_t seed = 4711;

	for (int i = 0; i < PIECES; i++) {
		bool large = unit_random(&seed, 100) == 0;

		pieces[i].size = unit_random(&seed, large ? 40000 : 300);
		ck_assert_ptr_nonnull(pieces[i].at = arena_take(&arena, pieces[i].size));
		memset(pieces[i].at, i % 251, pieces[i].size);
	}
	for (int i = 0; i < PIECES; i++)
		for (size_t j = 0; j < pieces[i].size; j++)
			ck_assert_uint_eq(pieces[i].at[j], (unsigned)i % 251);
	ck_assert(!arena.failed);
	arena_free(&arena);
}
END_TEST

START_TEST(texts_are_copies)
{
	struct arena arena = { .blocks = NULL };
	char text[] = "a text";
	const char *copy = arena_text(&arena, text), *part = arena_text_of(&arena, text, 3);
	const char *empty = arena_text(&arena, "");

	memset(text, 'x', sizeof text - 1);
	ck_assert_str_eq(copy, "a text");
	ck_assert_str_eq(part, "a t");
	ck_assert_str_eq(empty, "");
	arena_free(&arena);
}
END_TEST

START_TEST(a_printed_text_is_never_cut)
{
	struct arena arena = { .blocks = NULL };
	char *text = arena_print(&arena, "%s %0*d.", "number", 50000, 7);

	ck_assert_str_eq(arena_print(&arena, "%s-%u", "a", 1u), "a-1");
	ck_assert_uint_eq(strlen(text), strlen("number .") + 50000);
	ck_assert_str_eq(text + strlen(text) - 3, "07.");
	arena_free(&arena);
}
END_TEST

START_TEST(an_arena_can_be_freed_twice_and_used_again)
{
	struct arena arena = { .blocks = NULL };

	arena_free(&arena);
	for (int i = 0; i < 3; i++) {
		ck_assert_str_eq(arena_text(&arena, "again"), "again");
		arena_free(&arena);
		ck_assert_ptr_null(arena.blocks);
		arena_free(&arena);
	}
}
END_TEST

#ifndef __SANITIZE_ADDRESS__	/* which ends the program at such a request */
START_TEST(a_request_that_fails_is_remembered)
{
	struct arena arena = { .blocks = NULL };

	ck_assert_ptr_null(arena_take(&arena, SIZE_MAX / 4));
	ck_assert(arena.failed);
	ck_assert_str_eq(arena_text(&arena, "goes on"), "goes on");
	ck_assert(arena.failed);
	arena_free(&arena);
	ck_assert(!arena.failed);
}
END_TEST
#endif

int
main(void)
{
	Suite *suite = suite_create("arena");
	TCase *tcase = unit_case(suite, "arena");

	tcase_add_loop_test(tcase, a_piece_of_any_size_is_aligned_and_zero, 0, ROWS(sizes));
	tcase_add_test(tcase, pieces_do_not_share_a_byte);
	tcase_add_test(tcase, texts_and_pieces_do_not_share_a_byte);
	tcase_add_test(tcase, texts_are_copies);
	tcase_add_test(tcase, a_printed_text_is_never_cut);
	tcase_add_test(tcase, an_arena_can_be_freed_twice_and_used_again);
#ifndef __SANITIZE_ADDRESS__
	tcase_add_test(tcase, a_request_that_fails_is_remembered);
#endif
	return unit_run(suite);
}
