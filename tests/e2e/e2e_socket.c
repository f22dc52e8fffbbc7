/*
 * The keys that set socket options, each seen in the connection that a program
 * was given.
 */
#include "harness.h"

#include <sys/resource.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK	72
#endif

static const char *
told(const char *listen, const char *keys)
{
	struct daemon *d = daemon_start("[services]\nopts = %s sockopts\n[opts]\n%s", listen, keys);
	const char *address = address_of(d, "opts", 0), *text = drain(dial_to(address));

	daemon_stop(d);
	return text;
}

static void
must_tell(const char *listen, const char *keys, const char *line)
{
	const char *text = told(listen, keys), *at = strstr(text, line);

	if (at == NULL || (at != text && at[-1] != '\n') || at[strlen(line)] != '\n')
		flunk("with '%s': got\n%swanted %s", keys, text, line);
}

START_TEST(keepalive_and_nodelay_are_the_default)
{
	must_tell("127.0.0.1:0", "", "keepalive=1");
	must_tell("127.0.0.1:0", "", "nodelay=1");
	must_tell("127.0.0.1:0", "", "user_timeout=0");
}
END_TEST

START_TEST(keepalive_and_nodelay_may_be_off)
{
	must_tell("127.0.0.1:0", "keepalive = no\n", "keepalive=0");
	must_tell("127.0.0.1:0", "nodelay = no\n", "nodelay=0");
}
END_TEST

START_TEST(buffers_are_obeyed)
{
	must_tell("127.0.0.1:0", "rcvbuf = 32k\n", "rcvbuf=65536");	/* the kernel doubles it */
	must_tell("127.0.0.1:0", "sndbuf = 16k\n", "sndbuf=32768");
}
END_TEST

START_TEST(user_timeout_is_obeyed)
{
	must_tell("127.0.0.1:0", "user_timeout = 7s\n", "user_timeout=7000");
}
END_TEST

START_TEST(dscp_is_obeyed)
{
	must_tell("127.0.0.1:0", "dscp = 46\n", "tos=184");
}
END_TEST

START_TEST(dscp_is_obeyed_in_ipv6)
{
	must_tell("[::1]:0", "dscp = 46\n", "tclass=184");
}
END_TEST

START_TEST(unix_socket_has_no_tcp_options)
{
	char listen[64];

	snprintf(listen, sizeof listen, "unix:@sockopts-%d", (int)getpid());
	must(strstr(told(listen, ""), "nodelay=") == NULL);
}
END_TEST

START_TEST(deferred_client_is_served_when_it_speaks)
{
	struct daemon *d = daemon_start("[services]\nlate = 127.0.0.1:0 flip\n"
	    "other = 127.0.0.1:0 hold\n[late]\ndefer_accept = 10s\n");
	int fd = dial(d, "late"), other = dial(d, "other");

	expect(other, "held\n");		/* came later, and is served */
	must(log_find(d, "start", "service=late", NULL) == NULL);
	put(fd, "x");
	expect(fd, "X");
	daemon_stop(d);
}
END_TEST

START_TEST(options_of_a_kept_listener_change_with_a_reload)
{
	struct daemon *d = daemon_start("[services]\nopts = 127.0.0.1:0 sockopts\n");

	must(strstr(drain(dial(d, "opts")), "nodelay=1\n") != NULL);
	daemon_reload(d, "[services]\nopts = 127.0.0.1:0 sockopts\n"
	    "[opts]\nnodelay = no\nkeepalive = no\nuser_timeout = 3s\n");
	must(strstr(drain(dial(d, "opts")), "nodelay=0\n") != NULL);
	must(strstr(drain(dial(d, "opts")), "keepalive=0\n") != NULL);
	must(strstr(drain(dial(d, "opts")), "user_timeout=3000\n") != NULL);
	daemon_stop(d);
}
END_TEST

/* A number that sockopts told. */
static long
option(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	must(at != NULL && at[strlen(name)] == '=');
	return strtol(at + strlen(name) + 1, NULL, 10);
}

/* Whether the kernel can be told to choose a size again, Linux 5.14. */
static bool
sizes_can_be_unlocked(void)
{
	const int none = 0;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool can = setsockopt(fd, SOL_SOCKET, SO_BUF_LOCK, &none, sizeof none) == 0;

	close(fd);
	return can;
}

START_TEST(buffers_that_a_reload_takes_out_are_the_kernels_again)
{
	static const char plain[] = "[services]\nopts = 127.0.0.1:0 sockopts\n";
	struct daemon *d;
	const char *text;
	long receive, send;

	enter_netns();		/* where no other connection teaches the kernel what suits this pair of addresses */
	d = daemon_start(plain);
	text = drain(dial(d, "opts"));
	receive = option(text, "rcvbuf");
	send = option(text, "sndbuf");
	daemon_reload(d, "%s[opts]\nrcvbuf = 8k\nsndbuf = 8k\n", plain);
	text = drain(dial(d, "opts"));
	must(option(text, "rcvbuf") == 16384 && option(text, "sndbuf") == 16384);
	daemon_reload(d, "%s[opts]\nsndbuf = 8k\n", plain);
	text = drain(dial(d, "opts"));
	must(option(text, "rcvbuf") == receive && option(text, "sndbuf") == 16384);
	daemon_reload(d, plain);
	text = drain(dial(d, "opts"));
	must(option(text, "rcvbuf") == receive);
	if (sizes_can_be_unlocked())
		must(option(text, "sndbuf") == send);
	else
		must(option(text, "sndbuf") != 16384);
	daemon_stop(d);
}
END_TEST

START_TEST(backlog_above_the_kernels_is_a_warning)
{
	struct daemon *d;

	if (strtol(read_file("/proc/sys/net/core/somaxconn"), NULL, 10) >= 65000) {
		printf("SKIPPED: backlog_above_the_kernels_is_a_warning: somaxconn is too high\n");
		return;
	}
	d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n[hold]\nbacklog = 65000\n");
	await_log(d, NULL, "~somaxconn");
	expect(dial(d, "hold"), "held\n");
	daemon_stop(d);
}
END_TEST

START_TEST(clients_beyond_max_sessions_find_room_in_the_backlog)
{
	enum { MANY = 500 };
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n"
	    "[hold]\nmax_sessions = 1\n");
	int fds[MANY];

	for (int i = 0; i < MANY; i++)
		fds[i] = dial(d, "hold");
	for (int i = 0; i < MANY; i++) {
		expect(fds[i], "held\n");
		close(fds[i]);
	}
	daemon_stop(d);
}
END_TEST

/* --- many listeners */

static void
few_soft_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		_exit(125);
	limit.rlim_cur = 64;
	setrlimit(RLIMIT_NOFILE, &limit);
}

START_TEST(superd_raises_its_own_soft_limit_and_not_the_programs)
{
	enum { SERVICES = 300 };
	static char text[16384] = "[services]\n";
	const struct start how = { .prepare = few_soft_descriptors };
	struct daemon *d = daemon_new();

	for (int i = 0; i < SERVICES; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text),
		    "s%d = 127.0.0.1:0 inspect\n", i);
	daemon_write(d, "%s", text);
	daemon_run(d, &how);
	daemon_ready(d);
	await_count(d, SERVICES, "listen");
	for (int i = 0; i < SERVICES; i += 23) {
		char name[16];

		snprintf(name, sizeof name, "s%d", i);
		must(strncmp(fact(drain(dial(d, name)), "limit_nofile"), "64:", 3) == 0);
	}
	daemon_stop(d);
}
END_TEST

static void
huge_descriptor_limit(void)
{
	rlim_t most = (rlim_t)strtoull(read_file("/proc/sys/fs/nr_open"), NULL, 10);
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		_exit(125);
	/* As high as root may, who may not everywhere. */
	if (setrlimit(RLIMIT_NOFILE, &(struct rlimit){ .rlim_cur = most, .rlim_max = most }) == 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		_exit(125);
}

START_TEST(huge_descriptor_limit_costs_nothing)
{
	enum { SESSIONS = 100, TICKS = 200 };
	const struct start how = { .prepare = huge_descriptor_limit };
	struct daemon *d = daemon_new();

	daemon_write(d, "[services]\ntrue = 127.0.0.1:0 true\n");
	daemon_run(d, &how);
	daemon_ready(d);
	for (int i = 0; i < SESSIONS; i++)
		expect_end(dial(d, "true"));
	await(children_of(d->pid, 0) == 0);
	/* One close(2) for each descriptor that there might be would take minutes of this time. */
	must(cpu_ticks(d->pid) < TICKS);
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_socket");

	add_case(suite, "options", NEEDS_NOTHING, TESTS(keepalive_and_nodelay_are_the_default,
	    keepalive_and_nodelay_may_be_off, buffers_are_obeyed, user_timeout_is_obeyed,
	    dscp_is_obeyed, unix_socket_has_no_tcp_options,
	    deferred_client_is_served_when_it_speaks,
	    options_of_a_kept_listener_change_with_a_reload));
	add_case(suite, "buffers", NEEDS_NETNS,
	    TESTS(buffers_that_a_reload_takes_out_are_the_kernels_again));
	add_case(suite, "IPv6", NEEDS_IPV6, TESTS(dscp_is_obeyed_in_ipv6));
	add_case(suite, "backlog", NEEDS_NOTHING, TESTS(backlog_above_the_kernels_is_a_warning,
	    clients_beyond_max_sessions_find_room_in_the_backlog));
	add_case(suite, "many listeners", NEEDS_NO_VALGRIND,
	    TESTS(superd_raises_its_own_soft_limit_and_not_the_programs));
	add_case(suite, "descriptor limit", NEEDS_PROC, TESTS(huge_descriptor_limit_costs_nothing));
	return run_suite(suite);
}
