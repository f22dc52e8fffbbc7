/*
 * What a hostile reading of superd found, and must not come back: files that
 * others put in superd's way, sockets that are passed and then shut down or that
 * mean something else, and a terminal that nobody reads.
 */
#include "harness_udp.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- the file of a Unix socket */

static char path[224];		/* of the socket */

static struct daemon *
start_unix(const char *more)
{
	struct daemon *d = daemon_new();

	snprintf(path, sizeof path, "%s/s.sock", d->dir);
	daemon_write(d, "[services]\nlocal = unix:%s hold\n%s", path, more);
	daemon_run(d, NULL);
	daemon_ready(d);
	return d;
}

static void
reload_unix(struct daemon *d, const char *more)
{
	daemon_reload(d, "[services]\nlocal = unix:%s hold\n%s", path, more);
}

static const char owned[] = "[local]\nsocket_user = 12345\nsocket_group = 12346\n"
    "socket_mode = 0640\n";

static struct stat
status_of(const char *name)
{
	struct stat st;

	if (lstat(name, &st) == -1)
		flunk("%s: %s", name, strerror(errno));
	return st;
}

/* The socket's file and all that is known of it: not even touched. */
static void
must_be_untouched(const struct stat *before)
{
	struct stat now = status_of(path);

	must(S_ISSOCK(now.st_mode) && now.st_ino == before->st_ino && now.st_dev == before->st_dev);
	must(now.st_mode == before->st_mode && now.st_uid == before->st_uid);
	must(now.st_gid == before->st_gid);
	must(now.st_ctim.tv_sec == before->st_ctim.tv_sec &&
	    now.st_ctim.tv_nsec == before->st_ctim.tv_nsec);
}

/* As the user who owns the directory: the socket away, a link to the victim in its place. */
static void
put_link(uid_t uid, const char *victim)
{
	pid_t pid = fork();
	char aside[256];
	int status;

	snprintf(aside, sizeof aside, "%s.aside", path);
	if (pid == 0)
		_exit(setgroups(0, NULL) == -1 || setresgid(uid, uid, uid) == -1 ||
		    setresuid(uid, uid, uid) == -1 || rename(path, aside) == -1 ||
		    symlink(victim, path) == -1);
	must(waitpid(pid, &status, 0) == pid && status == 0);
}

static void
attack_by_link(const char *more)
{
	const uid_t uid = unused_uid();
	struct daemon *d = daemon_new();
	char dir[200], victim[200];
	struct stat st;

	snprintf(dir, sizeof dir, "%s/theirs", d->dir);
	snprintf(victim, sizeof victim, "%s/victim", d->dir);
	snprintf(path, sizeof path, "%s/s.sock", dir);
	write_file(victim, "secret\n");
	must(chmod(victim, 0600) == 0 && mkdir(dir, 0755) == 0 && chown(dir, uid, uid) == 0);
	daemon_write(d, "[services]\nlocal = unix:%s hold\n%s", path, more);
	daemon_run(d, NULL);
	daemon_ready(d);
	put_link(uid, victim);
	log_mark(d);
	must(kill(d->pid, SIGHUP) == 0);
	await_log(d, "reload", "kept=*");
	st = status_of(victim);
	must((st.st_mode & 07777) == 0600 && st.st_uid == 0 && st.st_gid == 0);
	daemon_stop(d);
	st = status_of(victim);
	must((st.st_mode & 07777) == 0600 && st.st_uid == 0 && st.st_size == 7);
	must(S_ISLNK(status_of(path).st_mode));
}

START_TEST(link_in_place_of_the_socket_does_not_open_another_file)
{
	attack_by_link("");
}
END_TEST

START_TEST(link_in_place_of_the_socket_does_not_give_another_file_away)
{
	attack_by_link(owned);
}
END_TEST

START_TEST(unchanged_reload_leaves_the_file_alone)
{
	struct daemon *d = start_unix(owned);
	struct stat before = status_of(path);

	must(before.st_uid == 12345 && before.st_gid == 12346 && (before.st_mode & 07777) == 0640);
	reload_unix(d, owned);
	must_be_untouched(&before);
	expect(dial(d, "local"), "held\n");
	daemon_stop(d);
}
END_TEST

START_TEST(file_comes_back_to_superd_without_socket_user)
{
	struct daemon *d = start_unix(owned);
	struct stat before = status_of(path), now;

	reload_unix(d, "");
	now = status_of(path);
	must(now.st_ino == before.st_ino);
	must(now.st_uid == geteuid() && now.st_gid == getegid() && (now.st_mode & 07777) == 0666);
	daemon_stop(d);
}
END_TEST

START_TEST(deleted_file_is_made_again_by_a_reload)
{
	struct daemon *d = start_unix("");
	int before = dial(d, "local");

	expect(before, "held\n");
	must(unlink(path) == 0);
	reload_unix(d, "");
	must(S_ISSOCK(status_of(path).st_mode));
	expect(dial(d, "local"), "held\n");
	must(silent(before));
	daemon_stop(d);
}
END_TEST

START_TEST(device_among_the_defaults_is_nothing_to_a_unix_socket)
{
	struct daemon *d = start_unix("");
	struct stat before = status_of(path);

	address_of(d, "local", 0);	/* the line of the start is written: it does not count */
	reload_unix(d, "[defaults]\ndevice = lo\n");
	must(log_find(d, "unlisten", NULL) == NULL && log_find(d, "listen", NULL) == NULL);
	must_be_untouched(&before);
	expect(dial(d, "local"), "held\n");
	daemon_stop(d);
}
END_TEST

/* --- a terminal that nobody reads */

START_TEST(terminal_that_nobody_reads_holds_nothing_up)
{
	enum { SESSIONS = 300 };	/* many times what a terminal takes in */
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;
	struct daemon *d = daemon_new();
	char busy[64], other[64];

	must(master != -1 && grantpt(master) == 0 && unlockpt(master) == 0);
	must((slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC)) != -1);
	snprintf(busy, sizeof busy, "unix:@superd-busy-%d", (int)getpid());
	snprintf(other, sizeof other, "unix:@superd-other-%d", (int)getpid());
	daemon_write(d, "[services]\nbusy = %s true\nother = %s hold\n", busy, other);
	daemon_run(d, &(struct start){ .stderr_fd = slave });
	daemon_ready(d);
	for (int i = 0; i < SESSIONS; i++)
		expect_end(dial_to(busy));
	expect(dial_to(other), "held\n");
	daemon_stop(d);
}
END_TEST

/* --- sockets that were passed */

static int passed;		/* the daemon gets it as 3 */

static void
pass_socket(void)
{
	char pid[16];

	snprintf(pid, sizeof pid, "%d", (int)getpid());
	if (dup2(passed, 3) == -1 || setenv("LISTEN_FDS", "1", 1) == -1 ||
	    setenv("LISTEN_PID", pid, 1) == -1)
		_exit(125);
}

static void
run_with_socket(struct daemon *d)
{
	daemon_run(d, &(struct start){ .prepare = pass_socket });
	daemon_ready(d);
}

static int
port_of_passed(void)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof name;

	must(getsockname(passed, (struct sockaddr *)&name, &len) == 0);
	return ntohs(name.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&name)->sin6_port :
	    ((struct sockaddr_in *)&name)->sin_port);
}

START_TEST(socket_that_its_giver_shuts_down_starves_nobody)
{
	struct daemon *d = daemon_new();

	passed = bind_to("127.0.0.1:0");
	daemon_write(d, "[services]\nshut = 127.0.0.1:%d hold\nother = 127.0.0.1:0 true\n",
	    port_of_passed());
	run_with_socket(d);
	log_mark(d);
	must(shutdown(passed, SHUT_RDWR) == 0);
	await_log(d, "error", "~'shut': its socket is dead");
	for (int i = 0; i < 20; i++)
		expect_end(dial(d, "other"));
	must(log_find(d, "error", "~no connections are taken", NULL) == NULL);
	close(passed);
	await_log(d, "listen", "service=shut");		/* bound anew, by superd itself */
	expect(dial(d, "shut"), "held\n");
	daemon_stop(d);
}
END_TEST

static void
must_be_bound_anew(const char *keys)
{
	const struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct daemon *d = daemon_new();

	passed = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	must(bind(passed, (const struct sockaddr *)&any, sizeof any) == 0);
	daemon_write(d, "[services]\nshut = udp:127.0.0.1:%d cat\n[shut]\n%s\n", port_of_passed(), keys);
	run_with_socket(d);
	udp_ask(udp_dial(d, "shut"), "before", "before");
	(void)shutdown(passed, SHUT_RDWR);	/* an error, since it is not connected; but done */
	await_log(d, "error", "~'shut': its socket is dead");
	log_mark(d);
	close(passed);
	await_log(d, "listen", "service=shut");
	udp_ask(udp_dial(d, "shut"), "after", "after");
	daemon_stop(d);
}

START_TEST(socket_of_udp_that_its_giver_shuts_down_is_bound_anew)
{
	must_be_bound_anew("idle_timeout = none");
}
END_TEST

START_TEST(socket_of_a_filter_that_its_giver_shuts_down_is_bound_anew)
{
	must_be_bound_anew("idle_timeout = 0");
}
END_TEST

/* Passes a socket of all IPv6 addresses for what means other families; superd binds its own. */
static struct daemon *
start_beside(int only_six, const char *family)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	struct daemon *d = daemon_new();

	enter_netns();
	passed = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(passed != -1 && setsockopt(passed, IPPROTO_IPV6, IPV6_V6ONLY, &only_six,
	    sizeof only_six) == 0);
	must(bind(passed, (struct sockaddr *)&any, sizeof any) == 0 && listen(passed, 16) == 0);
	daemon_write(d, "[services]\nflip = %s%d flip\n", family, port_of_passed());
	run_with_socket(d);
	await_log(d, "warning", "~belongs to no service");
	return d;
}

static int
dial_port(const char *host, int port)
{
	char address[64];

	snprintf(address, sizeof address, "%s:%d", host, port);
	return try_dial(address);
}

START_TEST(passed_socket_of_ipv6_alone_is_not_taken_for_both_families)
{
	struct daemon *d = start_beside(1, "");
	int port = port_of_passed(), fd;

	close(passed);
	await_log(d, "listen", "service=flip");
	must((fd = dial_port("127.0.0.1", port)) != -1);
	put(fd, "a");
	expect(fd, "A");
	daemon_stop(d);
}
END_TEST

START_TEST(passed_socket_of_both_families_is_not_taken_for_ipv6_alone)
{
	struct daemon *d = start_beside(0, "tcp6:");
	int port = port_of_passed(), fd;

	close(passed);
	await_log(d, "listen", "service=flip");
	must(dial_port("127.0.0.1", port) == -1 && errno == ECONNREFUSED);
	must((fd = dial_port("[::1]", port)) != -1);
	put(fd, "a");
	expect(fd, "A");
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_hostile");

	add_case(suite, "links", NEEDS_ROOT, TESTS(
	    link_in_place_of_the_socket_does_not_open_another_file,
	    link_in_place_of_the_socket_does_not_give_another_file_away,
	    unchanged_reload_leaves_the_file_alone, file_comes_back_to_superd_without_socket_user));
	add_case(suite, "socket file", NEEDS_NOTHING, TESTS(deleted_file_is_made_again_by_a_reload,
	    device_among_the_defaults_is_nothing_to_a_unix_socket));
	add_case(suite, "terminal", NEEDS_NOTHING, TESTS(terminal_that_nobody_reads_holds_nothing_up));
	add_case(suite, "dead socket", NEEDS_NOTHING,
	    TESTS(socket_that_its_giver_shuts_down_starves_nobody,
	    socket_of_udp_that_its_giver_shuts_down_is_bound_anew,
	    socket_of_a_filter_that_its_giver_shuts_down_is_bound_anew));
	add_case(suite, "families", NEEDS_NETNS | NEEDS_IPV6, TESTS(
	    passed_socket_of_ipv6_alone_is_not_taken_for_both_families,
	    passed_socket_of_both_families_is_not_taken_for_ipv6_alone));
	return run_suite(suite);
}
