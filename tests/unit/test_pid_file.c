/* The pid file: its text, its lock against a second superd, and what it is never mistaken for. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pid_file.h"
#include "unit.h"

static void
must_hold(const char *path, const char *text)
{
	char *found = unit_read(path);

	ck_assert_str_eq(found, text);
	free(found);
}

/* The tests share a folder. */
static const char *
fresh_path(void)
{
	const char *path = unit_path("pid");

	(void)remove(path);
	(void)remove(unit_path("target"));
	return path;
}

static const char *
own_number(void)
{
	static char text[32];

	snprintf(text, sizeof text, "%d\n", (int)getpid());
	return text;
}

/* errno of a second superd that wants the file. */
static int
take_too(const void *path)
{
	return pid_file_take(path) == -1 ? errno : 0;
}

static const char *const before[] = { NULL, "", "1\n", "4194304 and whatever else stood here\n" };

START_TEST(the_file_holds_the_number_and_goes)
{
	const char *path = fresh_path();

	if (before[_i] != NULL)
		unit_write(path, before[_i], strlen(before[_i]));
	ck_assert_int_eq(pid_file_take(path), 0);
	must_hold(path, own_number());
	pid_file_leave(path);
	ck_assert_int_eq(access(path, F_OK), -1);
	pid_file_leave(path);		/* it has nothing to leave any more */
}
END_TEST

START_TEST(a_second_one_does_not_get_it)
{
	const char *path = fresh_path();
	char out[64];

	ck_assert_int_eq(pid_file_take(path), 0);
	ck_assert_int_eq(unit_apart(take_too, path, out, sizeof out), EWOULDBLOCK);
	must_hold(path, own_number());
	pid_file_leave(path);
	ck_assert_int_eq(unit_apart(take_too, path, out, sizeof out), 0);
}
END_TEST

static void
make_folder(const char *path)
{
	ck_assert_int_eq(mkdir(path, 0755), 0);
}

static void
make_fifo(const char *path)
{
	ck_assert_int_eq(mkfifo(path, 0644), 0);
}

static void
make_link(const char *path)
{
	unit_write(unit_path("target"), "precious", 8);
	ck_assert_int_eq(symlink(unit_path("target"), path), 0);
}

static void
make_device(const char *path)
{
	ck_assert_int_eq(symlink("/dev/null", path), 0);
}

static const struct { void (*make)(const char *path); int error; } others[] = {
	{ make_folder, EISDIR }, { make_fifo, EEXIST }, { make_link, ELOOP }, { make_device, ELOOP },
};

START_TEST(what_is_no_plain_file_is_left_alone)
{
	const char *path = fresh_path();
	struct stat status;

	others[_i].make(path);
	ck_assert_int_eq(pid_file_take(path), -1);
	ck_assert_int_eq(errno, others[_i].error);
	pid_file_leave(path);
	ck_assert_int_eq(lstat(path, &status), 0);
	if (others[_i].make == make_link)
		must_hold(unit_path("target"), "precious");
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_an_error)
{
	ck_assert_int_eq(pid_file_take(unit_path("nowhere/pid")), -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(a_file_put_in_its_place_stays)
{
	const char *path = fresh_path();

	ck_assert_int_eq(pid_file_take(path), 0);
	ck_assert_int_eq(unlink(path), 0);
	unit_write(path, "77\n", 3);
	pid_file_leave(path);
	must_hold(path, "77\n");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pid_file");
	TCase *tcase = unit_case(suite, "pid file");

	tcase_add_loop_test(tcase, the_file_holds_the_number_and_goes, 0, ROWS(before));
	tcase_add_test(tcase, a_second_one_does_not_get_it);
	tcase_add_loop_test(tcase, what_is_no_plain_file_is_left_alone, 0, ROWS(others));
	tcase_add_test(tcase, a_folder_that_is_not_there_is_an_error);
	tcase_add_test(tcase, a_file_put_in_its_place_stays);
	return unit_run(suite);
}
