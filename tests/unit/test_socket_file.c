/* The file of a Unix socket: its mode, what it replaces, what it never touches. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "socket_file.h"
#include "unit.h"

static struct address address;
static struct service service;

/* Short, for sockaddr_un: the test's own folder is where it runs. */
static void
prepare(mode_t mode)
{
	static char path[64];

	snprintf(path, sizeof path, "%s", "socket");
	address = (struct address){ .path = path, .kind = ADDRESS_UNIX };
	service = (struct service){ .socket_mode = mode, .socket_uid = (uid_t)-1,
		.socket_gid = (gid_t)-1 };
	ck_assert_int_eq(chdir(unit_env("TMPDIR")), 0);
	(void)remove(path);
}

static int
new_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	return fd;
}

/* A file of this kind in the way: how binding goes. */
static int
bind_it(struct socket_file *file)
{
	int fd = new_socket();

	if (socket_file_bind(fd, &address, &service, file) == 0)
		return fd;
	close(fd);
	return -1;
}

static mode_t
mode_now(void)
{
	struct stat status;

	ck_assert_int_eq(lstat(address.path, &status), 0);
	return status.st_mode;
}

static const mode_t modes[] = { 0, 0600, 0660, 0666, 0777, 0222, 01666 };

START_TEST(the_file_has_the_mode_of_the_service)
{
	struct socket_file file = { .inode = 0 };

	prepare(modes[_i]);
	umask(077);
	ck_assert_int_ge(bind_it(&file), 0);
	ck_assert_uint_eq(mode_now(), S_IFSOCK | modes[_i]);
	ck_assert_uint_eq(umask(077), 077);	/* it is as it was */
	ck_assert(socket_file_exists(&address, &file));
	socket_file_remove(&address, &file);
	ck_assert(!socket_file_exists(&address, &file));
	socket_file_remove(&address, &file);
}
END_TEST

START_TEST(the_mode_can_change_later)
{
	struct socket_file file = { .inode = 0 };

	prepare(0600);
	ck_assert_int_ge(bind_it(&file), 0);
	for (int i = 0; i < ROWS(modes); i++) {
		service.socket_mode = modes[i];
		ck_assert_int_eq(socket_file_declare(&address, &service, &file), 0);
		ck_assert_uint_eq(mode_now(), S_IFSOCK | modes[i]);
	}
}
END_TEST

START_TEST(a_stale_file_is_replaced)
{
	struct socket_file old = { .inode = 0 }, file = { .inode = 0 };

	prepare(0666);
	close(bind_it(&old));
	ck_assert_int_ge(bind_it(&file), 0);
	ck_assert(socket_file_exists(&address, &file));
}
END_TEST

START_TEST(a_live_socket_is_not_replaced)
{
	struct socket_file old = { .inode = 0 }, file = { .inode = 0 };
	int live;

	prepare(0666);
	if (_i == 2) {			/* found by its name, which is absolute in superd */
		static char path[4096];

		snprintf(path, sizeof path, "%s", unit_path("s"));
		address.path = path;
	}
	ck_assert_int_ge(live = bind_it(&old), 0);
	if (_i < 2)
		ck_assert_int_eq(listen(live, _i), 0);
	ck_assert_int_eq(bind_it(&file), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	ck_assert(socket_file_exists(&address, &old));
	ck_assert_uint_eq(file.inode, 0);
}
END_TEST

static void
make_plain(void)
{
	unit_write(address.path, "precious", 8);
}

static void
make_folder(void)
{
	ck_assert_int_eq(mkdir(address.path, 0755), 0);
}

static void
make_fifo(void)
{
	ck_assert_int_eq(mkfifo(address.path, 0644), 0);
}

static void
make_link(void)
{
	unit_write("target", "precious", 8);
	ck_assert_int_eq(symlink("target", address.path), 0);
}

static void
make_dangling(void)
{
	ck_assert_int_eq(symlink("nowhere-at-all", address.path), 0);
}

static void (*const obstacles[])(void) = { make_plain, make_folder, make_fifo, make_link,
	make_dangling };

START_TEST(another_file_is_not_replaced)
{
	struct socket_file file = { .inode = 0 };
	mode_t before;

	prepare(0600);
	obstacles[_i]();
	before = mode_now();
	ck_assert_int_eq(bind_it(&file), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	ck_assert_uint_eq(mode_now(), before);
	ck_assert_int_eq(access("nowhere-at-all", F_OK), -1);
}
END_TEST

/* Whatever was put in its place meanwhile: it is neither changed nor removed. */
START_TEST(a_file_put_in_its_place_is_left_alone)
{
	struct socket_file file = { .inode = 0 };
	mode_t before;

	prepare(0666);
	ck_assert_int_ge(bind_it(&file), 0);
	ck_assert_int_eq(unlink(address.path), 0);
	obstacles[_i]();
	before = mode_now();
	service.socket_mode = 0600;
	ck_assert_int_eq(socket_file_declare(&address, &service, &file), -1);
	ck_assert(!socket_file_exists(&address, &file));
	socket_file_remove(&address, &file);
	ck_assert_uint_eq(mode_now(), before);
	if (obstacles[_i] == make_link) {
		struct stat status;

		ck_assert_int_eq(stat("target", &status), 0);
		ck_assert_uint_eq(status.st_mode & 0777, 0644);
	}
}
END_TEST

/* Not even another socket, or a link to superd's own. */
START_TEST(another_socket_in_its_place_is_left_alone)
{
	struct socket_file file = { .inode = 0 }, other = { .inode = 0 };
	struct stat status;

	prepare(0666);
	ck_assert_int_ge(bind_it(&file), 0);
	ck_assert_int_eq(rename(address.path, "moved"), 0);
	if (_i == 0)
		ck_assert_int_ge(bind_it(&other), 0);
	else
		ck_assert_int_eq(symlink("moved", address.path), 0);
	service.socket_mode = 0600;
	ck_assert_int_eq(socket_file_declare(&address, &service, &file), -1);
	ck_assert(!socket_file_exists(&address, &file));
	socket_file_remove(&address, &file);
	ck_assert_int_eq(lstat(address.path, &status), 0);
	ck_assert_int_eq(stat("moved", &status), 0);
	ck_assert_uint_eq(status.st_mode & 0777, 0666);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_an_error)
{
	struct socket_file file = { .inode = 0 };

	prepare(0666);
	address.path = "nowhere-at-all/socket";
	ck_assert_int_eq(bind_it(&file), -1);
	ck_assert_int_eq(errno, ENOENT);
	socket_file_remove(&address, &file);	/* there is none */
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("socket_file");
	TCase *tcase = unit_case(suite, "socket file");

	umask(022);
	tcase_add_loop_test(tcase, the_file_has_the_mode_of_the_service, 0, ROWS(modes));
	tcase_add_test(tcase, the_mode_can_change_later);
	tcase_add_test(tcase, a_stale_file_is_replaced);
	tcase_add_loop_test(tcase, a_live_socket_is_not_replaced, 0, 3);
	tcase_add_loop_test(tcase, another_file_is_not_replaced, 0, ROWS(obstacles));
	tcase_add_loop_test(tcase, a_file_put_in_its_place_is_left_alone, 0, ROWS(obstacles));
	tcase_add_loop_test(tcase, another_socket_in_its_place_is_left_alone, 0, 2);
	tcase_add_test(tcase, a_folder_that_is_not_there_is_an_error);
	return unit_run(suite);
}
