/*
 * Unix sockets: the file's mode and owner, what may stand in its place, and its
 * end; abstract names.
 */
#include "harness.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

static char path[224];		/* of the socket: in the daemon's directory */

static struct daemon *
prepared(const char *more)
{
	struct daemon *d = daemon_new();

	snprintf(path, sizeof path, "%s/s.sock", d->dir);
	daemon_write(d, "[services]\nlocal = unix:%s hold\n[local]\n%s", path, more);
	return d;
}

static struct daemon *
started(const char *more)
{
	struct daemon *d = prepared(more);

	daemon_run(d, NULL);
	daemon_ready(d);
	return d;
}

static struct stat
socket_status(void)
{
	struct stat st;

	if (lstat(path, &st) == -1)
		flunk("%s: %s", path, strerror(errno));
	must(S_ISSOCK(st.st_mode));
	return st;
}

START_TEST(client_is_served_and_named_by_uid_and_pid)
{
	struct daemon *d = started("");
	char remote[64];
	int fd = dial(d, "local");

	expect(fd, "held\n");
	snprintf(remote, sizeof remote, "remote=unix:uid=%u,pid=%d", (unsigned)getuid(), (int)getpid());
	await_log(d, "start", "service=local", remote);
	await_log(d, "listen", "service=local", "address=unix:/*");
	close(fd);
	await_log(d, "exit", "service=local", remote, "status=0");
	daemon_stop(d);
}
END_TEST

START_TEST(socket_is_open_to_all_by_default)
{
	struct daemon *d = started("");
	struct stat st = socket_status();

	must((st.st_mode & 07777) == 0666);
	must(st.st_uid == geteuid());
	daemon_stop(d);
}
END_TEST

START_TEST(socket_mode_is_obeyed)
{
	struct daemon *d = started("socket_mode = 0600\n");

	must((socket_status().st_mode & 07777) == 0600);
	daemon_stop(d);
}
END_TEST

START_TEST(socket_is_removed_at_the_end)
{
	struct daemon *d = started("");
	struct stat st;

	socket_status();
	daemon_stop(d);
	must(lstat(path, &st) == -1 && errno == ENOENT);
}
END_TEST

START_TEST(stale_socket_is_replaced)
{
	struct daemon *d = prepared("");
	char address[240];
	int fd;

	snprintf(address, sizeof address, "unix:%s", path);
	fd = bind_to(address);
	close(fd);		/* the file stays, nobody listens */
	daemon_run(d, NULL);
	daemon_ready(d);
	expect(dial(d, "local"), "held\n");
	daemon_stop(d);
}
END_TEST

START_TEST(live_socket_is_never_replaced)
{
	struct daemon *d = prepared("");
	char address[240];
	struct stat before, after;
	int fd;

	snprintf(address, sizeof address, "unix:%s", path);
	fd = bind_to(address);
	before = socket_status();
	daemon_run(d, NULL);
	await_log(d, "waiting", "service=local", "error=*");
	after = socket_status();
	must(before.st_ino == after.st_ino);
	close(dial_to(address));	/* it is still the test that listens */
	close(fd);
	await_log(d, "listen", "service=local");	/* stale now */
	expect(dial(d, "local"), "held\n");
	daemon_stop(d);
}
END_TEST

START_TEST(regular_file_is_never_replaced)
{
	struct daemon *d = prepared("");
	struct stat st;

	write_file(path, "precious\n");
	daemon_run(d, NULL);
	await(log_find(d, NULL, "~s.sock", NULL) != NULL);
	must(lstat(path, &st) == 0 && S_ISREG(st.st_mode));
	must(strcmp(read_file(path), "precious\n") == 0);
	must(log_find(d, "listen", "service=local", NULL) == NULL);
}
END_TEST

START_TEST(file_put_in_place_of_the_socket_survives_the_end)
{
	struct daemon *d = started("");

	must(unlink(path) == 0);
	write_file(path, "precious\n");
	daemon_stop(d);
	must(strcmp(read_file(path), "precious\n") == 0);
}
END_TEST

START_TEST(abstract_name_is_served)
{
	struct daemon *d = daemon_start("[services]\nlocal = unix:@superd-e2e-%d hold\n", (int)getpid());
	char address[64];

	snprintf(address, sizeof address, "unix:@superd-e2e-%d", (int)getpid());
	must(strcmp(address_of(d, "local", 0), address) == 0);
	expect(dial_to(address), "held\n");
	daemon_stop(d);
	must(try_dial(address) == -1);
}
END_TEST

static void
refuse_configuration(const char *ini, const char *told)
{
	struct daemon *d = daemon_new();

	daemon_write(d, "%s", ini);
	daemon_run(d, NULL);
	must(daemon_exit_status(d) == 78);
	await_log(d, NULL, told);
}

START_TEST(abstract_name_has_no_mode)
{
	refuse_configuration("[services]\nx = unix:@x hold\n[x]\nsocket_mode = 0600\n",
	    "~socket_mode");
}
END_TEST

START_TEST(path_of_108_bytes_is_an_error)
{
	char ini[256];

	snprintf(ini, sizeof ini, "[services]\nx = unix:/%0107d hold\n", 0);
	refuse_configuration(ini, "~superd.ini:2:");
}
END_TEST

START_TEST(socket_owner_is_obeyed)
{
	const struct passwd *nobody = getpwnam("nobody");
	struct daemon *d;
	struct stat st;

	if (nobody == NULL)
		flunk("there is no user nobody");
	d = started("socket_user = nobody\nsocket_group = 64321\nsocket_mode = 0620\n");
	st = socket_status();
	must(st.st_uid == nobody->pw_uid);
	must(st.st_gid == 64321);
	must((st.st_mode & 07777) == 0620);
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_unix");

	add_case(suite, "serving", NEEDS_NOTHING, TESTS(client_is_served_and_named_by_uid_and_pid,
	    abstract_name_is_served));
	add_case(suite, "the file", NEEDS_NOTHING, TESTS(socket_is_open_to_all_by_default,
	    socket_mode_is_obeyed, socket_is_removed_at_the_end, stale_socket_is_replaced,
	    live_socket_is_never_replaced, regular_file_is_never_replaced,
	    file_put_in_place_of_the_socket_survives_the_end));
	add_case(suite, "errors", NEEDS_NOTHING, TESTS(abstract_name_has_no_mode,
	    path_of_108_bytes_is_an_error));
	add_case(suite, "root", NEEDS_ROOT, TESTS(socket_owner_is_obeyed));
	return run_suite(suite);
}
