/* sd_notify(3) and sd_listen_fds(3): who is told, and which descriptors are taken. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "notify.h"
#include "unit.h"

/* --- telling */

/* A socket of the name, which NOTIFY_SOCKET gets; "@name" is abstract. */
static int
listen_at(const char *name)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ck_assert_uint_le(strlen(name), sizeof un.sun_path);
	memcpy(un.sun_path, name, strlen(name));
	if (*name == '@')
		un.sun_path[0] = '\0';
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, len), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

/* At a name that no other run of the tests has. */
static int
listen_at_own(void)
{
	char name[64];

	snprintf(name, sizeof name, "@superd-notify-%d", (int)getpid());
	return listen_at(name);
}

static const char *
heard(int fd)
{
	static char text[256];
	ssize_t len = recv(fd, text, sizeof text - 1, 0);

	text[len > 0 ? len : 0] = '\0';
	return text;
}

START_TEST(a_socket_of_either_kind_is_told)
{
	char name[128];
	int fd;

	if (_i == 0)
		snprintf(name, sizeof name, "@superd-notify-%d", (int)getpid());
	else if (_i == 1)
		snprintf(name, sizeof name, "%s", unit_path("n"));
	else		/* as long as an address can be: it fills all of sun_path */
		snprintf(name, sizeof name, "@%0107d", (int)getpid());
	fd = listen_at(name);
	notify_send("READY=1");
	ck_assert_str_eq(heard(fd), "READY=1");
	notify_send("STATUS=two\nlines");
	ck_assert_str_eq(heard(fd), "STATUS=two\nlines");
	ck_assert_str_eq(heard(fd), "");
	if (*name == '/')
		unlink(name);
}
END_TEST

/* 109 bytes do not fit sun_path. */
#define TOO_LONG "@34567890123456789012345678901234567890123456789012345678901234567890123456789012345678" \
	"90123456789012345678901"

static const char *const names[] = { NULL, "", "/", "@", "relative/name", "/no/such/socket",
	"@nobody-listens-there", TOO_LONG };

START_TEST(nobody_to_tell_is_no_mistake)
{
	int before = dup(0), after;

	close(before);
	if (names[_i] == NULL)
		unsetenv("NOTIFY_SOCKET");
	else
		setenv("NOTIFY_SOCKET", names[_i], 1);
	notify_send("READY=1");
	notify_reloading();
	ck_assert_int_eq(after = dup(0), before);	/* nothing was left open */
	close(after);
}
END_TEST

START_TEST(a_reader_that_stands_still_is_not_waited_for)
{
	int arrived = 0, fd = listen_at_own();
	const int sent = 5000;

	for (int i = 0; i < sent; i++)
		notify_send("STATUS=x");
	while (*heard(fd) != '\0')
		arrived++;
	ck_assert_int_gt(arrived, 0);
	ck_assert_int_lt(arrived, sent);
}
END_TEST

START_TEST(reloading_tells_the_time)
{
	int fd = listen_at_own();
	unsigned long long first, second;

	notify_reloading();
	ck_assert_int_eq(sscanf(heard(fd), "RELOADING=1\nMONOTONIC_USEC=%llu", &first), 1);
	notify_reloading();
	ck_assert_int_eq(sscanf(heard(fd), "RELOADING=1\nMONOTONIC_USEC=%llu", &second), 1);
	ck_assert_uint_gt(first, 0);
	ck_assert_uint_ge(second, first);
}
END_TEST

/* --- being given sockets */

enum { OPENED = 6 };	/* descriptors 3 to 8, each a socket */

static const struct row {
	const char *fds, *pid;		/* LISTEN_FDS and LISTEN_PID; "own": this process */
	int taken;
} rows[] = {
	{ "1", "own", 1 }, { "2", "own", 2 }, { "6", "own", 6 }, { "0", "own", 0 },
	{ NULL, "own", 0 }, { "2", NULL, 0 }, { "2", "1", 0 }, { "2", "", 0 }, { "2", "0", 0 },
	{ "-1", "own", 0 }, { "1025", "own", 0 }, { "99999999999999999999", "own", 0 },
	{ "x", "own", 0 }, { "", "own", 0 },
};

static void
set_variable(const char *name, const char *value)
{
	char own[16];

	snprintf(own, sizeof own, "%d", (int)getpid());
	if (value == NULL)
		unsetenv(name);
	else
		setenv(name, strcmp(value, "own") == 0 ? own : value, 1);
}

/* In a process of its own, which may close what it likes: 0, or the line that failed. */
static int
take(const void *arg)
{
	const struct row *row = arg;
	int at = 0, fd, count = 0;

	for (int i = 3; i < 3 + OPENED; i++) {
		if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) == -1)
			return __LINE__ % 256;
		if (fd != i && dup2(fd, i) != i)
			return __LINE__ % 256;
		if (fd >= 3 + OPENED)
			close(fd);
	}
	set_variable("LISTEN_FDS", row->fds);
	set_variable("LISTEN_PID", row->pid);
	setenv("LISTEN_FDNAMES", "a:b", 1);
	notify_take_sockets();
	if (getenv("LISTEN_FDS") != NULL || getenv("LISTEN_PID") != NULL ||
	    getenv("LISTEN_FDNAMES") != NULL)
		return 1;
	for (int i = 3; i < 3 + OPENED; i++)
		if (fcntl(i, F_GETFD) != -1)
			return 2;
	while ((fd = notify_next_socket(&at)) != -1) {
		if (fd < 16 || fcntl(fd, F_GETFD) != FD_CLOEXEC)
			return 3;
		count++;
	}
	return count == row->taken ? 0 : 4;
}

START_TEST(sockets_are_taken_by_whom_they_are_meant_for)
{
	char out[64];

	ck_assert_int_eq(unit_apart(take, &rows[_i], out, sizeof out), 0);
}
END_TEST

static int
take_one_by_one(const void *arg)
{
	int at = 0, first, second, again = 0;

	if (take(arg) != 0)
		return 1;
	first = notify_next_socket(&at);
	second = notify_next_socket(&at);
	notify_socket_taken(first);
	notify_socket_taken(-2);		/* it never was one */
	if (first == -1 || second == -1 || first == second || notify_next_socket(&at) != -1)
		return 2;
	if (notify_next_socket(&again) != second)
		return 3;
	notify_socket_taken(second);
	again = 0;
	return notify_next_socket(&again) == -1 ? 0 : 4;
}

START_TEST(who_is_taken_is_not_given_again)
{
	char out[64];

	ck_assert_int_eq(unit_apart(take_one_by_one, &rows[1], out, sizeof out), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("notify");
	TCase *tcase = unit_case(suite, "telling");

	tcase_add_loop_test(tcase, a_socket_of_either_kind_is_told, 0, 3);
	tcase_add_loop_test(tcase, nobody_to_tell_is_no_mistake, 0, ROWS(names));
	tcase_add_test(tcase, a_reader_that_stands_still_is_not_waited_for);
	tcase_add_test(tcase, reloading_tells_the_time);
	tcase = unit_case(suite, "being given");
	tcase_add_loop_test(tcase, sockets_are_taken_by_whom_they_are_meant_for, 0, ROWS(rows));
	tcase_add_test(tcase, who_is_taken_is_not_given_again);
	return unit_run(suite);
}
