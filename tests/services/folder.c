/*
 * The folder that sendfile's tests are about: made anew for each program, with
 * every kind of name and type, and a secret beside it.
 */
#include "folder.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/test_sendfile.XXXXXX";

static void
file_make(const char *name, const void *data, size_t size)
{
	const struct timespec times[] = { { 1700000000, 0 }, { 1700000000, 0 } };
	int file = openat(AT_FDCWD, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_msg(file >= 0, "%s: %s", name, strerror(errno));
	ck_assert_int_eq(write(file, data, size), (ssize_t)size);
	ck_assert_int_eq(futimens(file, times), 0);
	close(file);
}

char *
folder_big_data(void)
{
	char *data = malloc(BIG_SIZE);
	unsigned seed = 3;

	ck_assert_ptr_nonnull(data);
	for (size_t i = 0; i < BIG_SIZE; i++)
		data[i] = (char)((seed = seed * 1103515245u + 12345u) >> 16);
	return data;
}

void
folder_make(void)
{
	const struct timespec times[] = { { 1700000000, 0 }, { 1700000000, 0 } };
	char *data = folder_big_data();

	ck_assert_ptr_nonnull(mkdtemp(root));
	ck_assert_int_eq(chdir(root), 0);
	file_make("secret", "secret\n", 7);
	ck_assert_int_eq(mkdir("pub", 0755), 0);
	ck_assert_int_eq(chdir("pub"), 0);
	file_make("text", TEXT, TEXT_SIZE);
	file_make("two words", TEXT, TEXT_SIZE);
	file_make("report 2024", TEXT, TEXT_SIZE);
	file_make("2024", TEXT, TEXT_SIZE);
	file_make("a\"b", TEXT, TEXT_SIZE);
	file_make(" x ", TEXT, TEXT_SIZE);
	file_make("..dots", TEXT, TEXT_SIZE);
	file_make("empty", "", 0);
	file_make("new\nline", TEXT, TEXT_SIZE);
	ck_assert_int_eq(mkdir("sub", 0755), 0);
	file_make("sub/deep", TEXT, TEXT_SIZE);
	ck_assert_int_eq(symlink("text", "link"), 0);
	ck_assert_int_eq(symlink("../secret", "out"), 0);
	ck_assert_int_eq(symlink("..", "up"), 0);
	ck_assert_int_eq(symlink("sub", "down"), 0);
	ck_assert_int_eq(mkfifo("fifo", 0644), 0);
	file_make("../big", data, BIG_SIZE);
	ck_assert_int_eq(link("../big", "sub/big"), 0);
	ck_assert_int_eq(utimensat(AT_FDCWD, ".", times, 0), 0);
	free(data);
}

void
folder_remove(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf '%s'", root);
	if (chdir("/") == -1 || system(command) != 0)
		fprintf(stderr, "%s is left over\n", root);
}
