/*
 * inetd_conf: the lines of a classic inetd.conf are services like others.
 */
#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char conf[224];		/* the inetd.conf of this test */

static void
__attribute__((format(printf, 1, 2))) write_lines(const char *format, ...)
{
	char text[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	write_file(conf, text);
}

static struct daemon *
prepared(void)
{
	struct daemon *d = daemon_new();

	snprintf(conf, sizeof conf, "%s/inetd.conf", d->dir);
	daemon_write(d, "[superd]\ninetd_conf = %s\ngrace = 0\n"
	    "[services]\nhold = 127.0.0.1:0 %s/hold\n", conf, tools());
	return d;
}

static void
run(struct daemon *d)
{
	daemon_run(d, NULL);
	daemon_ready(d);
}

/* superd -t or -T with the lines; its output. */
static const char *
checked(const struct daemon *d, const char *option, int status)
{
	static char out[16384];
	const char *const args[] = { option, "-c", d->ini, "-s", services(), NULL };

	if (superd_output(out, sizeof out, args) != status)
		flunk("wanted status %d, got: %s", status, out);
	return out;
}

static void
must_tell(const char *out, unsigned line, const char *what)
{
	char want[256];
	const char *at;

	snprintf(want, sizeof want, "%s:%u:", conf, line);
	if ((at = strstr(out, want)) == NULL ||
	    memmem(at, strcspn(at, "\n"), what, strlen(what)) == NULL)
		flunk("no '%s ... %s' in: %s", want, what, out);
}

/* A user and a group that the tester may be: root's service runs as somebody. */
static unsigned
some_user(void)
{
	return geteuid() == 0 ? 23456 : (unsigned)geteuid();
}

static unsigned
some_group(void)
{
	return geteuid() == 0 ? 23457 : (unsigned)getegid();
}

/* "UID.GID", of them: numbers need no entry in passwd(5). */
static const char *
who(void)
{
	static char text[32];

	snprintf(text, sizeof text, "%u.%u", some_user(), some_group());
	return text;
}

/* --- serving */

static void
must_run_as(const char *slate, unsigned user, unsigned group)
{
	char number[16];

	snprintf(number, sizeof number, "%u", user);
	must_be(slate, "uid", number);
	must_be(slate, "euid", number);
	snprintf(number, sizeof number, "%u", group);
	must_be(slate, "gid", number);
}

static void
serve_inspect(char separator)
{
	struct daemon *d = prepared();
	const char *slate;

	write_lines("# a comment\n\n127.0.0.1:0\tstream  tcp nowait %u%c%u %s/inspect in.daemon a b\n",
	    some_user(), separator, some_group(), services());
	run(d);
	slate = drain(dial(d, "0"));
	must_run_as(slate, some_user(), some_group());
	must_be(slate, "argv.0", "in.daemon");
	must_be(slate, "argv.1", "a");
	must_be(slate, "argv.2", "b");
	must_be(slate, "no_new_privs", "0");
	must_have_descriptors(slate, "socket inet stream read write", "pipe write");
	must(log_find(d, "warning", NULL) == NULL);
	expect(dial(d, "hold"), "held\n");
	daemon_stop(d);
}

START_TEST(line_is_served_as_user_and_group_with_a_dot)
{
	serve_inspect('.');
}
END_TEST

START_TEST(line_is_served_as_user_and_group_with_a_colon)
{
	serve_inspect(':');
}
END_TEST

START_TEST(line_without_arguments_is_served)
{
	struct daemon *d = prepared();

	write_lines("127.0.0.1:0 stream tcp nowait %s %s/hold\n", who(), tools());
	run(d);
	expect(dial(d, "0"), "held\n");
	daemon_stop(d);
}
END_TEST

START_TEST(lines_of_one_port_get_names_of_their_own)
{
	struct daemon *d = prepared();

	write_lines("127.0.0.1:0 stream tcp nowait %s %s/hold hold one\n"
	    "127.0.0.1:0 stream tcp4 nowait %s %s/hold hold two\n"
	    "127.0.0.1:0 stream tcp4 nowait %s %s/hold hold three\n", who(), tools(),
	    who(), tools(), who(), tools());
	run(d);
	expect(dial(d, "0"), "one\n");
	expect(dial(d, "0-tcp4"), "two\n");
	expect(dial(d, "0-tcp4-3"), "three\n");
	daemon_stop(d);
}
END_TEST

START_TEST(wait_gives_the_listening_socket)
{
	struct daemon *d = prepared();
	char pid[32];
	int fd;

	write_lines("127.0.0.1:0 stream tcp wait %s %s/accepter accepter 5\n", who(), tools());
	run(d);
	fd = dial(d, "0");
	await_log(d, "start", "service=0");
	snprintf(pid, sizeof pid, "pid=%ld ", log_number(log_line(d, "start", "service=0", NULL), "pid"));
	expect(fd, pid);
	daemon_stop(d);
}
END_TEST

START_TEST(number_behind_nowait_is_a_rate)
{
	struct daemon *d = prepared();
	int third;

	write_lines("127.0.0.1:0 stream tcp nowait.2 %s %s/hold hold\n", who(), tools());
	run(d);
	expect(dial(d, "0"), "held\n");
	expect(dial(d, "0"), "held\n");
	third = dial(d, "0");
	await_log(d, "full", "service=0", "live=2");
	must(silent(third));
	daemon_stop(d);
	write_lines("127.0.0.1:0 stream tcp nowait.40 %s %s/hold hold\n"
	    "127.0.0.1:0 stream tcp wait/7 %s %s/hold hold\n", who(), tools(), who(), tools());
	must(strstr(checked(d, "-T", 0), "rate = 40/m:40\n") != NULL);
	must(strstr(checked(d, "-T", 0), "rate = 7/m:7\n") != NULL);
}
END_TEST

/* --- ports and families, in a network of the test's own */

static bool
answers(const char *address, const char *text)
{
	int fd = try_dial(address);

	if (fd == -1)
		return false;
	expect(fd, text);
	close(fd);
	return true;
}

START_TEST(tcp_is_both_families)
{
	struct daemon *d = prepared();

	enter_netns();
	write_lines("7001 stream tcp nowait %s %s/hold hold\n"
	    "*:7002 stream tcp46 nowait %s %s/hold hold\n", who(), tools(), who(), tools());
	run(d);
	must(answers("127.0.0.1:7001", "held\n") && answers("[::1]:7001", "held\n"));
	must(answers("127.0.0.1:7002", "held\n") && answers("[::1]:7002", "held\n"));
	daemon_stop(d);
}
END_TEST

START_TEST(tcp4_and_tcp6_are_one_family_each)
{
	struct daemon *d = prepared();

	enter_netns();
	write_lines("7001 stream tcp4 nowait %s %s/hold hold\n"
	    "7002 stream tcp6 nowait %s %s/hold hold\n", who(), tools(), who(), tools());
	run(d);
	must(answers("127.0.0.1:7001", "held\n") && !answers("[::1]:7001", ""));
	must(!answers("127.0.0.1:7002", "") && answers("[::1]:7002", "held\n"));
	daemon_stop(d);
}
END_TEST

START_TEST(tcp_beside_tcp6_of_the_same_port_is_ipv4)
{
	struct daemon *d = prepared();

	enter_netns();
	write_lines("7001 stream tcp nowait %s %s/hold hold four\n"
	    "7001 stream tcp6 nowait %s %s/hold hold six\n", who(), tools(), who(), tools());
	run(d);
	must(answers("127.0.0.1:7001", "four\n") && answers("[::1]:7001", "six\n"));
	daemon_stop(d);
}
END_TEST

START_TEST(internal_is_the_bundled_program)
{
	struct daemon *d = prepared();
	int fd;

	enter_netns();
	write_lines("echo stream tcp nowait root internal\n"
	    "127.0.0.1:echo stream tcp4 nowait nobody internal\n");
	must(strstr(checked(d, "-t", 78), "cannot be had beside") != NULL);
	write_lines("127.0.0.1:echo stream tcp nowait nobody internal\n");
	run(d);
	fd = dial(d, "echo");
	must(port_of(address_of(d, "echo", 0)) == 7);
	put(fd, "again\n");
	expect(fd, "again\n");
	daemon_stop(d);
}
END_TEST

/* --- lines that are left out */

START_TEST(line_that_is_switched_off_is_nothing)
{
	struct daemon *d = prepared();

	write_lines("#<off># 127.0.0.1:0 stream tcp nowait %s %s/hold hold\n"
	    "#<off># nonsense\n# udp too\n", who(), tools());
	run(d);
	await(log_count(d, "listen", NULL) == 1 && log_find(d, "warning", NULL) == NULL);
	daemon_stop(d);
}
END_TEST

static void
write_unservable(void)
{
	write_lines("# line 1\n"
	    "rstatd/1-3 stream rpc/tcp nowait %s %s/hold hold\n"
	    "tcpmux stream tcp nowait %s internal\n"
	    "tcpmux/date stream tcp nowait %s %s/hold hold\n"
	    "daytime dgram tcp wait %s internal\n"
	    "127.0.0.1:0 stream sctp nowait %s %s/hold hold\n"
	    "127.0.0.1:0 stream tcp nowait %s /no/such/program program\n"
	    "127.0.0.1:0 seqpacket tcp nowait %s %s/hold hold\n"
	    "127.0.0.1:0 stream tcp\n"
	    "127.0.0.1:0 stream tcp nowait %s %s/hold hold served\n", who(), tools(),
	    who(), who(), tools(), who(), who(), tools(), who(),
	    who(), tools(), who(), tools());
}

START_TEST(line_that_cannot_be_served_is_a_warning_with_its_number)
{
	static const char *const why[] = { "Sun RPC", "tcpmux", "tcpmux", "none of udp", "protocol",
		"no such program", "only stream", "is not SERVICE" };
	struct daemon *d = prepared();
	const char *out;

	write_unservable();
	out = checked(d, "-t", 0);
	for (unsigned i = 0; i < sizeof why / sizeof *why; i++)
		must_tell(out, i + 2, why[i]);
	run(d);
	expect(dial(d, "0"), "served\n");
	await_count(d, sizeof why / sizeof *why, "warning", "~the line is left out");
	await_count(d, 2, "listen");
	daemon_stop(d);
}
END_TEST

START_TEST(mistake_in_a_line_is_told_with_its_number)
{
	struct daemon *d = prepared();
	const char *out;

	write_lines("# line 1\n127.0.0.1:0 stream tcp never %s %s/hold hold\n"
	    "127.0.0.1:0 stream tcp nowait.x %s %s/hold hold\n"
	    "127.0.0.1:0 stream tcp nowait no-such-user %s/hold hold\n"
	    "127.0.0.1:99999 stream tcp nowait %s %s/hold hold\n", who(), tools(), who(),
	    tools(), tools(), who(), tools());
	out = checked(d, "-t", 78);
	must_tell(out, 2, "never");
	must_tell(out, 3, "nowait.x");
	must_tell(out, 4, "no-such-user");
	must_tell(out, 5, "99999");
}
END_TEST

START_TEST(file_that_is_not_there_is_a_mistake)
{
	struct daemon *d = prepared();
	const char *out = checked(d, "-t", 78);

	must(strstr(out, "superd.ini:2:") != NULL && strstr(out, "No such file") != NULL);
}
END_TEST

/* --- reload */

START_TEST(added_line_is_served_after_a_reload)
{
	static const char line[] = "127.0.0.1:0 stream tcp nowait %s %s/hold hold %s\n";
	struct daemon *d = prepared();
	char both[1024];
	int old, len;

	write_lines(line, who(), tools(), "one");
	run(d);
	expect(old = dial(d, "0"), "one\n");
	len = snprintf(both, sizeof both, line, who(), tools(), "one");
	snprintf(both + len, sizeof both - (size_t)len, line, who(), tools(), "two");
	write_file(conf, both);
	must(kill(d->pid, SIGHUP) == 0);
	await_log(d, "reload", "kept=2", "changed=0", "added=1", "removed=0");
	expect(dial(d, "0-tcp"), "two\n");
	expect(dial(d, "0"), "one\n");
	must(silent(old));
	log_mark(d);
	write_lines("127.0.0.1:0 stream tcp nowait no-such-user %s/hold hold\n", tools());
	must(kill(d->pid, SIGHUP) == 0);
	await_log(d, "error", "~inetd.conf:1:");
	await_log(d, "error", "~the old one stays in force");
	d->mark = 0;
	expect(dial(d, "0-tcp"), "two\n");
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_inetd");

	add_case(suite, "serving", NEEDS_NOTHING, TESTS(line_is_served_as_user_and_group_with_a_dot,
	    line_is_served_as_user_and_group_with_a_colon, line_without_arguments_is_served,
	    lines_of_one_port_get_names_of_their_own, wait_gives_the_listening_socket,
	    number_behind_nowait_is_a_rate));
	add_case(suite, "families", NEEDS_NETNS | NEEDS_IPV6, TESTS(tcp_is_both_families,
	    tcp4_and_tcp6_are_one_family_each, tcp_beside_tcp6_of_the_same_port_is_ipv4));
	add_case(suite, "internal", NEEDS_ROOT | NEEDS_NETNS, TESTS(internal_is_the_bundled_program));
	add_case(suite, "left out", NEEDS_NOTHING, TESTS(line_that_is_switched_off_is_nothing,
	    line_that_cannot_be_served_is_a_warning_with_its_number,
	    mistake_in_a_line_is_told_with_its_number, file_that_is_not_there_is_a_mistake));
	add_case(suite, "reload", NEEDS_NOTHING, TESTS(added_line_is_served_after_a_reload));
	return run_suite(suite);
}
