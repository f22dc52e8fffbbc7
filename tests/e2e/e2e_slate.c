/*
 * The clean slate: what a program is given, compared exactly, and the same
 * whatever state superd itself was started in.
 */
#include "harness.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VARIABLES = 32 };

struct expected {
	const char *list[VARIABLES + 1];
	char text[VARIABLES][512];
	unsigned count;
};

static void __attribute__((format(printf, 2, 3)))
want(struct expected *e, const char *format, ...)
{
	va_list args;

	must(e->count < VARIABLES);
	va_start(args, format);
	vsnprintf(e->text[e->count], sizeof e->text[0], format, args);
	va_end(args);
	e->list[e->count] = e->text[e->count];
	e->count++;
}

/* What every program gets: user, service, session and the three variables passed on. */
static void
want_common(struct expected *e, struct daemon *d)
{
	const struct passwd *user = geteuid() == 0 ? getpwnam("nobody") : getpwuid(geteuid());

	if (user == NULL)
		flunk("the user of the services is not in passwd(5)");
	want(e, "HOME=%s", user->pw_dir);
	want(e, "USER=%s", user->pw_name);
	want(e, "LOGNAME=%s", user->pw_name);
	want(e, "SHELL=%s", user->pw_shell[0] != '\0' ? user->pw_shell : "/bin/sh");
	want(e, "PATH=%s:/usr/local/bin:/usr/bin:/bin", tools());
	want(e, "TZ=UTC");
	want(e, "LANG=C");
	want(e, "SUPERD_SERVICE=inspect");
	want(e, "SUPERD_SESSION=%s", log_value(log_line(d, "start", NULL), "session"));
}

static void
want_tcp(struct expected *e, const char *ip, int local, int remote)
{
	want(e, "PROTO=TCP");
	want(e, "TCPREMOTEIP=%s", ip);
	want(e, "TCPREMOTEPORT=%d", remote);
	want(e, "TCPLOCALIP=%s", ip);
	want(e, "TCPLOCALPORT=%d", local);
	want(e, "REMOTE_ADDR=%s", ip);
	want(e, "REMOTE_PORT=%d", remote);
	want(e, "REMOTE_HOST=%s", ip);
}

static int
own_port(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;

	must(getsockname(fd, (struct sockaddr *)&ss, &len) == 0);
	return ntohs(ss.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&ss)->sin6_port :
	    ((struct sockaddr_in *)&ss)->sin_port);
}

/* One connection to `address`, which the program must see as `ip` in a socket of that family. */
static void
compare_tcp(struct daemon *d, const char *address, const char *ip, const char *socket)
{
	struct expected e = { .count = 0 };
	int fd, remote;
	const char *slate;

	log_mark(d);
	fd = dial_to(address);
	remote = own_port(fd);
	slate = drain(fd);
	await_log(d, "start", "service=inspect");
	want_common(&e, d);
	want_tcp(&e, ip, port_of(address), remote);
	must_have_environment(slate, e.list);
	must_have_descriptors(slate, socket, "pipe write");
	must_be_clean(slate, d);
}

START_TEST(tcp4_program_gets_exactly_this)
{
	struct daemon *d = daemon_start("[services]\ninspect = 127.0.0.1:0 inspect\n");

	compare_tcp(d, address_of(d, "inspect", 0), "127.0.0.1", "socket inet stream read write");
	daemon_stop(d);
}
END_TEST

START_TEST(tcp6_program_gets_exactly_this)
{
	struct daemon *d = daemon_start("[services]\ninspect = [::1]:0 inspect\n");

	compare_tcp(d, address_of(d, "inspect", 0), "::1", "socket inet6 stream read write");
	daemon_stop(d);
}
END_TEST

START_TEST(ipv4_client_of_a_dual_stack_socket_is_ipv4)
{
	struct daemon *d = daemon_start("[services]\ninspect = 0 inspect\n");
	char address[64];

	snprintf(address, sizeof address, "127.0.0.1:%d", port_of(address_of(d, "inspect", 0)));
	compare_tcp(d, address, "127.0.0.1", "socket inet6 stream read write");
	must(log_find(d, NULL, "~ffff", NULL) == NULL);
	daemon_stop(d);
}
END_TEST

static void
compare_unix(struct daemon *d, const char *address)
{
	struct expected e = { .count = 0 };
	const char *slate = drain(dial_to(address));

	await_log(d, "start", "service=inspect");
	want_common(&e, d);
	want(&e, "PROTO=UNIX");
	want(&e, "UNIXREMOTEPID=%d", (int)getpid());
	want(&e, "UNIXREMOTEUID=%u", (unsigned)geteuid());
	want(&e, "UNIXREMOTEGID=%u", (unsigned)getegid());
	must_have_environment(slate, e.list);
	must_have_descriptors(slate, "socket unix stream read write", "pipe write");
	must_be_clean(slate, d);
}

START_TEST(unix_program_gets_exactly_this)
{
	struct daemon *d = daemon_new();
	char address[256];

	snprintf(address, sizeof address, "unix:%s/s", d->dir);
	daemon_write(d, "[services]\ninspect = %s inspect\n", address);
	daemon_run(d, NULL);
	daemon_ready(d);
	compare_unix(d, address);
	daemon_stop(d);
}
END_TEST

START_TEST(abstract_unix_program_gets_exactly_this)
{
	struct daemon *d = daemon_start("[services]\ninspect = unix:@slate-%d inspect\n",
	    (int)getpid());

	compare_unix(d, address_of(d, "inspect", 0));
	daemon_stop(d);
}
END_TEST

START_TEST(limits_are_those_superd_was_started_with)
{
	struct daemon *d = daemon_start("[services]\ninspect = 127.0.0.1:0 inspect\n");
	const char *slate = drain(dial(d, "inspect"));
	char limit[64];
	struct rlimit own;

	must(getrlimit(RLIMIT_NOFILE, &own) == 0);
	snprintf(limit, sizeof limit, "%llu:%llu", (unsigned long long)own.rlim_cur,
	    (unsigned long long)own.rlim_max);
	must_be(slate, "limit_nofile", limit);
	must(getrlimit(RLIMIT_CORE, &own) == 0);
	if (own.rlim_cur == 0 && own.rlim_max == RLIM_INFINITY)
		must_be(slate, "limit_core", "0:unlimited");
	daemon_stop(d);
}
END_TEST

START_TEST(hundredth_session_has_as_few_descriptors_as_the_first)
{
	struct daemon *d = daemon_start("[services]\ninspect = 127.0.0.1:0,127.0.0.1:0 inspect\n"
	    "hold = 127.0.0.1:0 hold\n[hold]\nmax_sessions = 200\n");

	for (int i = 0; i < 100; i++)
		expect(dial(d, "hold"), "held\n");	/* left open */
	must_have_descriptors(drain(dial(d, "inspect")), "socket inet stream read write",
	    "pipe write");
	daemon_stop(d);
}
END_TEST

/* --- superd itself is started in a strange state */

static void
signals_ignored_and_blocked(void)
{
	sigset_t all;

	for (int signo = 1; signo < NSIG; signo++)
		signal(signo, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

static void
everything_strange(void)
{
	signals_ignored_and_blocked();
	umask(0);
	setenv("LISTEN_FDNAMES", "left:over", 1);
	setenv("STRANGE", "must not be passed on", 1);
	if (chdir("/tmp") == -1)
		_exit(125);
	for (int fd = 3; fd < 40; fd++)
		if (fcntl(fd, F_GETFD) == -1)
			dup2(STDERR_FILENO, fd);	/* stays open through the exec */
	close(0);
	close(1);
	close(2);
}

static struct daemon *
start_strange(void (*prepare)(void))
{
	const struct start how = { .prepare = prepare };
	struct daemon *d = daemon_new();

	snprintf(d->log_path, sizeof d->log_path, "%s/log", d->dir);
	daemon_write(d, "[superd]\nlog = %s\n[services]\ninspect = 127.0.0.1:0 inspect\n"
	    "hold = 127.0.0.1:0 hold\n", d->log_path);
	snprintf(d->log_path, sizeof d->log_path, "%s/stderr", d->dir);
	daemon_run(d, &how);
	snprintf(d->log_path, sizeof d->log_path, "%s/log", d->dir);
	daemon_ready(d);
	return d;
}

START_TEST(strange_start_gives_the_same_slate)
{
	struct daemon *d = start_strange(everything_strange);
	struct stat st;

	compare_tcp(d, address_of(d, "inspect", 0), "127.0.0.1", "socket inet stream read write");
	must(stat(d->log_path, &st) == 0 && (st.st_mode & 022) == 0);
	daemon_stop(d);
}
END_TEST

START_TEST(inherited_signals_do_not_matter_to_superd)
{
	struct daemon *d = start_strange(signals_ignored_and_blocked);
	int fd = dial(d, "hold");

	expect(fd, "held\n");
	close(fd);
	await_log(d, "exit", "service=hold", "status=0");	/* SIGCHLD was ignored */
	kill(d->pid, SIGHUP);
	await_log(d, "reload", "kept=*");
	daemon_stop(d);
}
END_TEST

START_TEST(inherited_descriptors_are_not_kept_open)
{
	struct daemon *d = start_strange(everything_strange);
	struct daemon *plain = start_strange(NULL);

	must(open_descriptors(d->pid) <= open_descriptors(plain->pid));
	daemon_stop(d);
	daemon_stop(plain);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_slate");

	add_case(suite, "IPv4 and Unix", NEEDS_NOTHING, TESTS(tcp4_program_gets_exactly_this,
	    unix_program_gets_exactly_this, abstract_unix_program_gets_exactly_this,
	    limits_are_those_superd_was_started_with,
	    hundredth_session_has_as_few_descriptors_as_the_first));
	add_case(suite, "IPv6", NEEDS_IPV6, TESTS(tcp6_program_gets_exactly_this,
	    ipv4_client_of_a_dual_stack_socket_is_ipv4));
	add_case(suite, "strange start", NEEDS_NO_VALGRIND, TESTS(strange_start_gives_the_same_slate,
	    inherited_signals_do_not_matter_to_superd));
	add_case(suite, "strange start and /proc", NEEDS_PROC | NEEDS_NO_VALGRIND,
	    TESTS(inherited_descriptors_are_not_kept_open));
	return run_suite(suite);
}
