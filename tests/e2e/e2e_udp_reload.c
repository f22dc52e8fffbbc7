/*
 * UDP and reload: sessions and datagrams that wait go on while their address
 * stays, whatever becomes of the service; and end with an address that goes.
 */
#include "harness_admission.h"
#include "harness_udp.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char ini[] = "[superd]\ngrace = 0\n[services]\nx = udp:127.0.0.1:0 %s\n[x]\n%s\n";

/* --- what stays */

START_TEST(unchanged_address_loses_nothing)
{
	enum { RELOADS = 20, EACH = 30 };
	struct daemon *d = daemon_start(ini, "cat", "");
	int fd = udp_dial(d, "x");
	char text[32];

	udp_ask(fd, "hello", "hello");
	for (int i = 0; i < RELOADS; i++) {
		log_mark(d);
		must(kill(d->pid, SIGHUP) == 0);
		for (int j = 0; j < EACH; j++) {
			snprintf(text, sizeof text, "%d.%d", i, j);
			udp_put(fd, text);
		}
		for (int j = 0; j < EACH; j++) {
			snprintf(text, sizeof text, "%d.%d", i, j);
			udp_expect(fd, text);
		}
		await_log(d, "reload", "kept=1");
	}
	must(status_number(d, "x", "served") == 1 && status_number(d, "x", "dropped") == 0);
	daemon_stop(d);
}
END_TEST

START_TEST(changed_service_keeps_its_sessions)
{
	struct daemon *d = daemon_start(ini, "puppet", "");
	int fd = udp_dial(d, "x"), fresh = udp_dial(d, "x");
	pid_t pid = udp_pid(fd);

	daemon_reload(d, ini, "cat", "max_sessions = 50");
	must(udp_pid(fd) == pid);
	udp_ask(fresh, "pid", "pid");		/* it is cat by now */
	daemon_stop(d);
}
END_TEST

START_TEST(session_goes_on_in_another_service_that_takes_its_address)
{
	struct daemon *d;
	int port = udp_free_port(), fd, fresh;
	pid_t pid;

	d = daemon_start("[superd]\ngrace = 0\n[services]\nx = udp:127.0.0.1:%d puppet\n", port);
	fd = udp_from(NULL, "127.0.0.1", port);
	fresh = udp_from(NULL, "127.0.0.1", port);
	pid = udp_pid(fd);
	daemon_reload(d, "[superd]\ngrace = 0\n[services]\ny = udp:127.0.0.1:%d cat\n", port);
	must(udp_pid(fd) == pid);
	udp_ask(fresh, "pid", "pid");
	await(log_find(d, "start", "service=y", NULL) != NULL);
	udp_put(fd, "exit");
	await_log(d, "exit", "service=x", "status=0");
	udp_ask(fd, "pid", "pid");
	daemon_stop(d);
}
END_TEST

START_TEST(session_gives_way_to_a_process_for_each_datagram_and_back)
{
	struct daemon *d = daemon_start(ini, "puppet", "idle_timeout = 5s");
	int fd = udp_dial(d, "x");

	udp_pid(fd);
	daemon_reload(d, ini, "tr a-z A-Z", "idle_timeout = 0");
	udp_ask(fd, "filter", "FILTER");
	udp_expect(fd, "bye");		/* of the session, when it had been silent */
	udp_ask(fd, "again", "AGAIN");
	daemon_reload(d, ini, "puppet", "idle_timeout = 60s");
	must(udp_pid(fd) == udp_pid(fd));
	daemon_stop(d);
}
END_TEST

/* --- what goes */

START_TEST(removed_address_is_free_when_its_last_session_ends)
{
	struct daemon *d;
	int port = udp_free_port(), fd, fresh, taken;
	pid_t pid;

	d = daemon_start("[superd]\ngrace = 0\n[services]\nx = udp:127.0.0.1:%d puppet\n", port);
	fd = udp_from(NULL, "127.0.0.1", port);
	fresh = udp_from(NULL, "127.0.0.1", port);
	pid = udp_pid(fd);
	daemon_reload(d, "[services]\n");
	must(udp_pid(fd) == pid && udp_bind(port) == -1);
	udp_put(fresh, "say no");
	must(udp_pid(fd) == pid);
	must(silent(fresh));
	await(children_of(d->pid, 0) == 1);		/* and not one that the reload has made */
	udp_put(fd, "many 3");
	udp_expect(fd, "1");
	udp_expect(fd, "2");
	udp_expect(fd, "3");
	await_log(d, "exit", "service=x", "status=0");
	await((taken = udp_bind(port)) != -1);
	close(taken);
	daemon_stop(d);
}
END_TEST

START_TEST(removed_address_without_a_session_is_free_at_once)
{
	struct daemon *d;
	int port = udp_free_port(), taken;

	d = daemon_start("[services]\nx = udp:127.0.0.1:%d puppet\n", port);
	must(udp_bind(port) == -1);
	daemon_reload(d, "[services]\n");
	await((taken = udp_bind(port)) != -1);
	close(taken);
	daemon_stop(d);
}
END_TEST

START_TEST(removed_filter_answers_what_it_has_and_nobody_new)
{
	struct daemon *d = daemon_new();
	int port = udp_free_port(), fd = udp_from(NULL, "127.0.0.1", port), go, taken;
	char fifo[224];

	snprintf(fifo, sizeof fifo, "%s/go", d->dir);
	must(mkfifo(fifo, 0666) == 0 && chmod(fifo, 0666) == 0);
	must((go = open(fifo, O_RDWR | O_CLOEXEC)) != -1);
	daemon_write(d, "[superd]\ngrace = 0\n[services]\nx = udp:127.0.0.1:%d sh -c 'read go <%s; cat'\n"
	    "other = udp:127.0.0.1:0 cat\n[x]\nidle_timeout = 0\n", port, fifo);
	daemon_run(d, NULL);
	daemon_ready(d);
	udp_put(fd, "before");
	await_log(d, "start", "service=x");
	daemon_reload(d, "[superd]\ngrace = 0\n[services]\nother = udp:127.0.0.1:0 cat\n");
	for (int i = 0; i < 3; i++) {
		udp_put(fd, "after");
		settle(d);
	}
	must(log_count(d, "start", NULL) == 0);
	await(children_of(d->pid, 0) == 1);		/* and not one that the reload has made */
	must(write(go, "\n", 1) == 1);
	udp_expect(fd, "before");
	await((taken = udp_bind(port)) != -1);
	must(log_count(d, "start", NULL) == 0);
	close(taken);
	close(go);
	daemon_stop(d);
}
END_TEST

/* --- who waits for room meanwhile */

START_TEST(newcomers_wait_on_over_a_reload)
{
	struct daemon *d = daemon_start(ini, "puppet", "max_sessions = 1\nmax_per_source = unlimited\n"
	    "idle_timeout = none");
	int fd = udp_dial(d, "x"), fresh = udp_dial(d, "x");

	udp_ask(fd, "stay", "staying");
	udp_put(fresh, "say served");
	await_log(d, "full", "service=x");
	daemon_reload(d, ini, "puppet", "max_sessions = 2\nmax_per_source = unlimited\n"
	    "idle_timeout = none");
	udp_expect(fresh, "served");
	must(status_number(d, "x", "dropped") == 0);
	daemon_stop(d);
}
END_TEST

START_TEST(newcomers_go_with_their_address_to_another_service)
{
	struct daemon *d;
	int port = udp_free_port(), fd, fresh;

	d = daemon_start("[superd]\ngrace = 0\n[services]\nx = udp:127.0.0.1:%d puppet\n"
	    "[x]\nrate = 1/h:1\n", port);
	fd = udp_from(NULL, "127.0.0.1", port);
	fresh = udp_from(NULL, "127.0.0.1", port);
	udp_put(fd, "exit");
	await_log(d, "exit", "service=x");
	udp_put(fresh, "say served");
	await_log(d, "full", "service=x");
	/* Nothing else holds x, which is freed; who waits must not be with it. */
	daemon_reload(d, "[superd]\ngrace = 0\n[services]\ny = udp:127.0.0.1:%d puppet\n"
	    "z = udp:127.0.0.1:0 cat\n", port);
	udp_ask(udp_dial(d, "z"), "well", "well");
	udp_expect(fresh, "served");
	await(log_find(d, "start", "service=y", NULL) != NULL);
	daemon_stop(d);
}
END_TEST

START_TEST(newcomers_are_forgotten_with_their_address_wherever_it_went)
{
	static const char two[] = "[superd]\ngrace = 0\nmax_sessions = 1\n[services]\n"
	    "busy = udp:127.0.0.1:0 puppet\nx = udp:127.0.0.1:%d puppet\n";
	struct daemon *d;
	int port = udp_free_port(), other = udp_free_port(), busy, fresh;

	d = daemon_start("%s", "");
	daemon_reload(d, "[superd]\ngrace = 0\nmax_sessions = 1\n[services]\n"
	    "busy = udp:127.0.0.1:0 puppet\nx = udp:127.0.0.1:%d,udp:127.0.0.1:%d puppet\n", port, other);
	udp_pid(busy = udp_dial(d, "busy"));
	fresh = udp_from(NULL, "127.0.0.1", port);
	udp_put(fresh, "say served");
	await_log(d, "full", "service=x");
	daemon_reload(d, "[superd]\ngrace = 0\nmax_sessions = 1\n[services]\n"
	    "busy = udp:127.0.0.1:0 puppet\nx = udp:127.0.0.1:%d puppet\n"
	    "y = udp:127.0.0.1:%d puppet\n", other, port);
	daemon_reload(d, two, other);
	udp_put(busy, "exit");
	await_log(d, "exit", "service=busy");
	udp_pid(udp_from(NULL, "127.0.0.1", other));
	must(receive(fresh, (char[1]){ 0 }, 1, MSG_DONTWAIT) == -1);
	daemon_stop(d);
}
END_TEST

START_TEST(newcomers_are_served_as_the_service_is_by_then)
{
	struct daemon *d = daemon_start(ini, "puppet", "rate = 1/h:1");
	int fd = udp_dial(d, "x"), fresh = udp_dial(d, "x");

	udp_pid(fd);
	udp_put(fresh, "letters");
	await_log(d, "full", "service=x");
	daemon_reload(d, ini, "tr a-z A-Z", "idle_timeout = 0");
	udp_expect(fresh, "LETTERS");	/* a filter answers only at the end of its input */
	daemon_stop(d);
}
END_TEST

START_TEST(newcomers_are_dropped_where_the_socket_is_handed_over)
{
	struct daemon *d = daemon_start(ini, "puppet", "rate = 1/h:1");
	int fd = udp_dial(d, "x"), fresh = udp_dial(d, "x");

	udp_put(fd, "exit");
	await_log(d, "exit", "service=x");
	udp_put(fresh, "lost");
	await_log(d, "full", "service=x");
	daemon_reload(d, ini, "udpserver 1", "wait = yes");
	must(status_number(d, "x", "dropped") == 1 && status_number(d, "x", "live") == 0);
	udp_put(fresh, "taken");
	must(strstr(udp_text(fresh), " taken") != NULL);
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_udp_reload");

	add_case(suite, "stays", NEEDS_NOTHING, TESTS(unchanged_address_loses_nothing,
	    changed_service_keeps_its_sessions,
	    session_goes_on_in_another_service_that_takes_its_address,
	    session_gives_way_to_a_process_for_each_datagram_and_back));
	add_case(suite, "goes", NEEDS_PROC, TESTS(removed_address_is_free_when_its_last_session_ends,
	    removed_address_without_a_session_is_free_at_once,
	    removed_filter_answers_what_it_has_and_nobody_new));
	add_case(suite, "waits", NEEDS_NOTHING, TESTS(newcomers_wait_on_over_a_reload,
	    newcomers_go_with_their_address_to_another_service,
	    newcomers_are_forgotten_with_their_address_wherever_it_went,
	    newcomers_are_served_as_the_service_is_by_then,
	    newcomers_are_dropped_where_the_socket_is_handed_over));
	return run_suite(suite);
}
