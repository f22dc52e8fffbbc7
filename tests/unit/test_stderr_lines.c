/* What programs write to standard error becomes log lines: ends, pieces, floods, renaming. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stderr_lines.h"
#include "unit.h"

static struct loop loop;

static struct stderr_lines *
open_lines(void)
{
	struct stderr_lines *lines;

	unit_log_start();
	ck_assert_int_eq(loop_init(&loop), 0);
	loop_tell_time(&loop);
	ck_assert_ptr_nonnull(lines = stderr_open(&loop, "name"));
	return lines;
}

static void
say(struct stderr_lines *lines, const char *bytes, size_t size)
{
	ck_assert_int_eq(write(lines->write_fd, bytes, size), (ssize_t)size);
}

/* All that is ready now is dealt with. */
static void
turn(void)
{
	ck_assert_int_eq(loop_turn(&loop, 0), 0);
}

static const struct { const char *bytes; size_t size; const char *now, *at_the_end; } rows[] = {
	{ BYTES("one\n"), "notice stderr service=name text=one\n", "" },
	{ BYTES("one\ntwo\n"),
	    "notice stderr service=name text=one\nnotice stderr service=name text=two\n", "" },
	{ BYTES("no end"), "", "notice stderr service=name text=\"no end\"\n" },
	{ BYTES("one\nno end"), "notice stderr service=name text=one\n",
	    "notice stderr service=name text=\"no end\"\n" },
	{ BYTES("\n\n\n"), "", "" },
	{ BYTES("a\n\nb\n"), "notice stderr service=name text=a\nnotice stderr service=name text=b\n",
	    "" },
	{ BYTES("a\0b\n"), "notice stderr service=name text=\"a b\"\n", "" },
	{ BYTES("a\rb\tc\n"), "notice stderr service=name text=\"a\\rb\\tc\"\n", "" },
	{ BYTES("2026-11-21T10:04:05.123Z error forged\n"),
	    "notice stderr service=name text=\"2026-11-21T10:04:05.123Z error forged\"\n", "" },
};

START_TEST(bytes_become_lines)
{
	struct stderr_lines *lines = open_lines();

	say(lines, rows[_i].bytes, rows[_i].size);
	turn();
	ck_assert_str_eq(unit_logged(), rows[_i].now);
	stderr_close(lines);
	ck_assert_str_eq(unit_logged(), rows[_i].at_the_end);
	loop_finish(&loop);
}
END_TEST

/* Byte by byte it is the same as at once. */
START_TEST(bytes_may_come_one_by_one)
{
	struct stderr_lines *lines = open_lines();
	char logged[512] = "";

	for (size_t i = 0; i < rows[_i].size; i++) {
		say(lines, rows[_i].bytes + i, 1);
		turn();
		strcat(logged, unit_logged());
	}
	ck_assert_str_eq(logged, rows[_i].now);
	stderr_flush(lines);
	ck_assert_str_eq(unit_logged(), rows[_i].at_the_end);
	stderr_flush(lines);
	ck_assert_str_eq(unit_logged(), "");
	stderr_close(lines);
	loop_finish(&loop);
}
END_TEST

/* How long a line is, and the lengths of the pieces that are logged. */
static const struct { size_t length, first, second, third; } lengths[] = {
	{ STDERR_LINE_BYTES - 1, STDERR_LINE_BYTES - 1, 0, 0 },
	{ STDERR_LINE_BYTES, STDERR_LINE_BYTES, 0, 0 },
	{ STDERR_LINE_BYTES + 1, STDERR_LINE_BYTES, 1, 0 },
	{ 2 * STDERR_LINE_BYTES, STDERR_LINE_BYTES, STDERR_LINE_BYTES, 0 },
	{ 2 * STDERR_LINE_BYTES + 5, STDERR_LINE_BYTES, STDERR_LINE_BYTES, 5 },
};

static const char *
must_have_piece(const char *logged, size_t length)
{
	static const char head[] = "notice stderr service=name text=";

	if (length == 0)
		return logged;
	ck_assert_int_eq(strncmp(logged, head, strlen(head)), 0);
	logged += strlen(head);
	ck_assert_uint_eq(strspn(logged, "x"), length);
	ck_assert_int_eq(logged[length], '\n');
	return logged + length + 1;
}

START_TEST(a_long_line_is_logged_in_pieces)
{
	static char bytes[3 * STDERR_LINE_BYTES];
	struct stderr_lines *lines = open_lines();
	const char *logged;

	memset(bytes, 'x', lengths[_i].length);
	bytes[lengths[_i].length] = '\n';
	say(lines, bytes, lengths[_i].length + 1);
	turn();
	logged = must_have_piece(unit_logged(), lengths[_i].first);
	logged = must_have_piece(logged, lengths[_i].second);
	logged = must_have_piece(logged, lengths[_i].third);
	ck_assert_str_eq(logged, "");
	stderr_close(lines);
	loop_finish(&loop);
}
END_TEST

static unsigned
count(const char *text, const char *what)
{
	unsigned found = 0;

	while ((text = strstr(text, what)) != NULL) {
		text += strlen(what);
		found++;
	}
	return found;
}

/* So many lines of one second are logged; the others are counted and told of at the end. */
START_TEST(a_flood_is_counted)
{
	enum { HELD = 123 };
	struct stderr_lines *lines = open_lines();
	const char *logged;

	for (int i = 0; i < STDERR_LINES + HELD; i++)
		say(lines, "x\n", 2);
	lines->second_since = loop.now;		/* the second begins here */
	stderr_flush(lines);
	ck_assert_uint_eq(count(unit_logged(), "text=x"), STDERR_LINES);
	stderr_close(lines);
	logged = unit_logged();
	ck_assert_uint_eq(count(logged, "text=x"), 0);
	ck_assert_msg(strstr(logged, "stderr service=name held=123\n") != NULL, "%s", logged);
	loop_finish(&loop);
}
END_TEST

/* Without an end: one service gets so many bytes in a tick, and then its pipe stays full. */
START_TEST(a_flood_without_end_has_to_wait)
{
	static const char block[4096];
	struct stderr_lines *lines = open_lines();
	size_t taken = 0;
	ssize_t more;

	ck_assert_int_eq(fcntl(lines->write_fd, F_SETFL, O_NONBLOCK), 0);
	lines->tick_since = loop.now;
	for (int i = 0; i < 1000; i++) {
		while ((more = write(lines->write_fd, block, sizeof block)) > 0)
			taken += (size_t)more;
		lines->tick_since = loop.now;	/* however long this takes, it is one tick */
		turn();
		if (lines->watch.pool == NULL)
			break;
	}
	ck_assert_ptr_null(lines->watch.pool);
	ck_assert_uint_ge(taken, STDERR_TICK_BYTES);
	ck_assert_uint_le(taken, STDERR_TICK_BYTES + 3 * STDERR_READ);
	while (lines->watch.pool == NULL)		/* the next tick */
		ck_assert_int_eq(loop_turn(&loop, -1), 0);
	stderr_close(lines);
	loop_finish(&loop);
}
END_TEST

START_TEST(a_new_name_holds_from_then_on)
{
	struct stderr_lines *lines = open_lines();

	say(lines, "one\ntw", 6);
	turn();
	stderr_rename(lines, "other");
	say(lines, "o\n", 2);
	turn();
	ck_assert_str_eq(unit_logged(),
	    "notice stderr service=name text=one\nnotice stderr service=other text=two\n");
	stderr_close(lines);
	loop_finish(&loop);
}
END_TEST

/* A program finds a pipe like any other: its end blocks; and superd's never does. */
START_TEST(only_superds_end_does_not_block)
{
	struct stderr_lines *lines = open_lines();

	ck_assert_int_ne(fcntl(lines->read_fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(fcntl(lines->write_fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_ne(fcntl(lines->read_fd, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_int_ne(fcntl(lines->write_fd, F_GETFD) & FD_CLOEXEC, 0);
	stderr_close(lines);
	stderr_close(NULL);
	stderr_rename(NULL, "nobody");
	loop_finish(&loop);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("stderr_lines");
	TCase *tcase = unit_case(suite, "stderr lines");

	tcase_add_loop_test(tcase, bytes_become_lines, 0, ROWS(rows));
	tcase_add_loop_test(tcase, bytes_may_come_one_by_one, 0, ROWS(rows));
	tcase_add_loop_test(tcase, a_long_line_is_logged_in_pieces, 0, ROWS(lengths));
	tcase_add_test(tcase, a_flood_is_counted);
	tcase_add_test(tcase, a_flood_without_end_has_to_wait);
	tcase_add_test(tcase, a_new_name_holds_from_then_on);
	tcase_add_test(tcase, only_superds_end_does_not_block);
	return unit_run(suite);
}
