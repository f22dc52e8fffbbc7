/*
 * UDP with wait = yes: the socket itself goes to a program that receives and
 * answers for itself; and the lines of inetd.conf that mean it.
 */
#include "harness_admission.h"
#include "harness_udp.h"

#include <sys/socket.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct daemon *
start_waiter(const char *program)
{
	return daemon_start("[superd]\ngrace = 0\n[services]\nx = udp:127.0.0.1:0 %s\n"
	    "other = udp:127.0.0.1:0 cat\n[x]\nwait = yes\n", program);
}

/* A question is answered; by this process. */
static pid_t
answered_by(int fd, const char *question)
{
	const char *answer = udp_text(fd), *last = strrchr(answer, ' ');
	long pid;

	if (sscanf(answer, "pid=%ld ", &pid) != 1 || strcmp(last + 1, question) != 0)
		flunk("got '%s' where '%s' was asked", answer, question);
	return (pid_t)pid;
}

START_TEST(process_gets_the_socket_itself)
{
	struct daemon *d = start_waiter("udpserver 1");
	int fd = udp_dial(d, "x");
	long pid, listen_pid;
	const char *answer, *start;

	udp_put(fd, "what");
	answer = udp_text(fd);
	must(sscanf(answer, "pid=%ld listen_pid=%ld ", &pid, &listen_pid) == 2 && pid == listen_pid);
	if (strstr(answer, " listen_fds=1 proto=UDP remote=none ") == NULL ||
	    strstr(answer, " three=1 one=1 blocking=1 what") == NULL)
		flunk("not what was wanted: %s", answer);
	start = log_line(d, "start", "service=x", NULL);
	must(start != NULL && log_value(start, "remote")[0] == '\0' && log_number(start, "pid") == pid);
	await_log(d, "exit", "service=x", "status=0");
	daemon_stop(d);
}
END_TEST

START_TEST(one_process_serves_many_peers)
{
	struct daemon *d = start_waiter("udpserver 20");
	pid_t pid = 0;
	int fd;

	for (int i = 0; i < 20; i++) {
		udp_put(fd = udp_dial(d, "x"), "ask");
		if (i == 0)
			pid = answered_by(fd, "ask");
		else
			must(answered_by(fd, "ask") == pid);
	}
	await_count(d, 1, "start", "service=x");
	daemon_stop(d);
}
END_TEST

START_TEST(queue_is_kept_when_the_process_ends)
{
	struct daemon *d = start_waiter("udpserver 3");
	int fds[9];
	pid_t by[9];
	char text[32];

	for (int i = 0; i < 9; i++) {
		snprintf(text, sizeof text, "%d", i);
		udp_put(fds[i] = udp_dial(d, "x"), text);
	}
	for (int i = 0; i < 9; i++) {
		snprintf(text, sizeof text, "%d", i);
		by[i] = answered_by(fds[i], text);
		must(i % 3 == 0 ? i == 0 || by[i] != by[i - 1] : by[i] == by[i - 1]);
	}
	await_count(d, 3, "exit", "service=x", "status=0");
	daemon_stop(d);
}
END_TEST

/* As classic programs for wait do; each lives far shorter than what counts as a death of TCP's. */
START_TEST(process_that_takes_one_and_ends_is_not_held_back)
{
	enum { MANY = 100 };
	struct daemon *d = start_waiter("udpserver 1");
	int fds[MANY];
	char text[32];

	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof text, "%d", i);
		udp_put(fds[i] = udp_dial(d, "x"), text);
	}
	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof text, "%d", i);
		answered_by(fds[i], text);
	}
	await_count(d, MANY, "exit", "service=x", "status=0");
	must(log_find(d, "warning", NULL) == NULL);
	daemon_stop(d);
}
END_TEST

START_TEST(process_that_reads_nothing_is_held_back_and_loses_the_datagram)
{
	struct daemon *d = start_waiter("false");
	int fd = udp_dial(d, "x"), other = udp_dial(d, "other");

	udp_put(fd, "?");
	await_log(d, "warning", "~'x': its process ended after", "~wait for 1 s");
	udp_ask(other, "others", "others");
	await_log(d, "warning", "~'x': 3 processes have left a datagram unread; it is dropped");
	log_settle(d);
	must(log_count(d, "start", "service=x", NULL) >= 3);	/* one that lived long does not count */
	must(status_number(d, "x", "dropped") == 1);
	udp_ask(other, "others", "others");
	daemon_stop(d);
}
END_TEST

START_TEST(process_that_is_killed_is_replaced)
{
	struct daemon *d = start_waiter("udpserver 9");
	int fd = udp_dial(d, "x");
	pid_t pid;

	udp_put(fd, "first");
	pid = answered_by(fd, "first");
	must(kill(pid, SIGKILL) == 0);
	await_log(d, "exit", "service=x", "signal=KILL");
	udp_put(fd, "second");
	must(answered_by(fd, "second") != pid);
	daemon_stop(d);
}
END_TEST

/* A connected socket hears its peer alone. */
static void
must_hear_all(const char *address)
{
	struct daemon *d = daemon_start("[services]\nx = %s udpserver connect\n[x]\nwait = yes\n", address);

	for (unsigned i = 1; i <= 3; i++) {
		int fd = udp_dial(d, "x");

		udp_put(fd, "each");
		answered_by(fd, "each");
		await_count(d, i, "exit", "service=x", "status=0");
		settle(d);
	}
	daemon_stop(d);
}

START_TEST(socket_that_its_process_connects_hears_others_again)
{
	must_hear_all("udp:127.0.0.1:0");
	must_hear_all("udp4:0");
}
END_TEST

START_TEST(dual_stack_that_its_process_connects_hears_others_again)
{
	must_hear_all("udp:0");
	must_hear_all("udp:[::1]:0");
}
END_TEST

/* Nothing comes from such a socket, and yet it is always ready. */
START_TEST(socket_that_its_process_shuts_down_is_bound_anew)
{
	struct daemon *d = start_waiter("udpserver shut");
	int fd = udp_dial(d, "x");

	log_mark(d);			/* behind its first "listen" */
	udp_put(fd, "first");
	answered_by(fd, "first");
	await_log(d, "error", "~'x': its socket is dead");
	await_count(d, 1, "start", "service=x");
	await_log(d, "listen", "service=x");
	fd = udp_from(NULL, "127.0.0.1", port_of(log_value(log_line(d, "listen", "service=x", NULL), "address")));
	udp_put(fd, "second");
	answered_by(fd, "second");
	daemon_stop(d);
}
END_TEST

START_TEST(sigterm_ends_a_process_that_has_the_socket)
{
	struct daemon *d = start_waiter("udpserver deaf");
	int fd = udp_dial(d, "x");

	udp_put(fd, "?");
	await_log(d, "start", "service=x");
	must(kill(d->pid, SIGTERM) == 0);
	must(daemon_exit_status(d) == 0);
	await(log_find(d, "exit", "service=x", "cause=stop", NULL) != NULL);
}
END_TEST

/* --- reload */

START_TEST(sessions_give_way_to_a_process_with_the_socket)
{
	static const char ini[] = "[superd]\ngrace = 0\n[services]\nx = udp:127.0.0.1:0 %s\n[x]\n%s\n";
	struct daemon *d = daemon_start(ini, "puppet", "idle_timeout = 2s");
	int fd = udp_dial(d, "x"), other = udp_dial(d, "x");

	udp_pid(fd);
	daemon_reload(d, ini, "udpserver 1", "wait = yes");
	udp_put(other, "after");
	answered_by(other, "after");
	udp_expect(fd, "bye");		/* its silence has run out, and its answer still arrives */
	udp_put(fd, "too");
	answered_by(fd, "too");
	daemon_reload(d, ini, "puppet", "");
	must(udp_pid(fd) > 0 && udp_pid(other) > 0);
	daemon_stop(d);
}
END_TEST

START_TEST(removed_address_stays_with_its_process)
{
	struct daemon *d = start_waiter("udpserver 2");
	int fd = udp_dial(d, "x");
	pid_t pid;

	udp_put(fd, "one");
	pid = answered_by(fd, "one");
	daemon_reload(d, "[services]\nother = udp:127.0.0.1:0 cat\n");
	udp_put(fd, "two");
	must(answered_by(fd, "two") == pid);
	await_log(d, "exit", "service=x", "status=0");
	udp_put(fd, "three");
	must(receive(fd, (char[1]){ 0 }, 1, 0) == -1);
	daemon_stop(d);
}
END_TEST

/* --- inetd.conf */

static struct daemon *
start_lines(const char *lines)
{
	struct daemon *d = daemon_new();
	char path[224];

	snprintf(path, sizeof path, "%s/inetd.conf", d->dir);
	write_file(path, lines);
	daemon_write(d, "[superd]\ninetd_conf = %s\ngrace = 0\n", path);
	daemon_run(d, NULL);
	daemon_ready(d);
	return d;
}

static const char *
user(void)
{
	static char id[16];

	snprintf(id, sizeof id, "%u", (unsigned)geteuid());
	return geteuid() == 0 ? "nobody" : id;
}

static void
must_serve_line(const char *type, const char *program)
{
	char lines[512], name[32];
	int port = udp_free_port(), fd;
	struct daemon *d;

	snprintf(name, sizeof name, "%d", port);
	snprintf(lines, sizeof lines, "127.0.0.1:%d dgram udp %s %s %s/%s %s 1\n", port, type, user(),
	    tools(), program, program);
	d = start_lines(lines);
	fd = udp_from(NULL, "127.0.0.1", port);
	for (int i = 0; i < 3; i++) {
		udp_put(fd, "line");
		answered_by(fd, "line");
	}
	must((log_find(d, "warning", "~it is served as wait", NULL) != NULL) ==
	    (strcmp(type, "nowait") == 0));
	await(log_find(d, "exit", NULL) != NULL);
	daemon_stop(d);
}

START_TEST(line_with_wait_gives_the_socket)
{
	must_serve_line("wait", "udpserver");
}
END_TEST

START_TEST(line_with_nowait_gives_it_too_and_warns)
{
	must_serve_line("nowait", "udpserver");
}
END_TEST

START_TEST(internal_line_has_a_process_for_each_peer)
{
	struct daemon *d;
	int a, b;

	enter_netns();
	d = start_lines("echo dgram udp wait nobody internal\n");
	a = udp_from(NULL, "127.0.0.1", 7);
	b = udp_from(NULL, "127.0.0.1", 7);
	udp_ask(a, "one", "one");
	udp_ask(b, "two", "two");
	udp_ask(a, "three", "three");
	await_count(d, 2, "start", "service=echo");
	must(log_find(d, "warning", NULL) == NULL);
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_udp_wait");

	add_case(suite, "given", NEEDS_NOTHING, TESTS(process_gets_the_socket_itself,
	    one_process_serves_many_peers));
	add_case(suite, "its end", NEEDS_NOTHING, TESTS(queue_is_kept_when_the_process_ends,
	    process_that_takes_one_and_ends_is_not_held_back,
	    process_that_reads_nothing_is_held_back_and_loses_the_datagram,
	    process_that_is_killed_is_replaced, socket_that_its_process_shuts_down_is_bound_anew,
	    socket_that_its_process_connects_hears_others_again, sigterm_ends_a_process_that_has_the_socket));
	add_case(suite, "its end, IPv6", NEEDS_IPV6, TESTS(
	    dual_stack_that_its_process_connects_hears_others_again));
	add_case(suite, "reload", NEEDS_NOTHING, TESTS(sessions_give_way_to_a_process_with_the_socket,
	    removed_address_stays_with_its_process));
	add_case(suite, "inetd.conf", NEEDS_NOTHING, TESTS(line_with_wait_gives_the_socket,
	    line_with_nowait_gives_it_too_and_warns));
	add_case(suite, "internal", NEEDS_ROOT | NEEDS_NETNS, TESTS(
	    internal_line_has_a_process_for_each_peer));
	return run_suite(suite);
}
