/*
 * Sockets that a service manager passes by LISTEN_FDS.
 */
#include "harness.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int passed[4];		/* sockets for the daemon, which gets them as 3, 4, ... */
static int passed_count;
static pid_t claimed_pid;	/* LISTEN_PID; 0: the daemon's own */

static void
pass_sockets(void)
{
	enum { ASIDE = 100 };	/* a number that is out of the way of 3, 4, ... */
	char text[16];

	for (int i = 0; i < passed_count; i++)
		dup2(passed[i], ASIDE + i);
	for (int i = 0; i < passed_count; i++) {
		dup2(ASIDE + i, 3 + i);
		close(ASIDE + i);
	}
	snprintf(text, sizeof text, "%d", passed_count);
	setenv("LISTEN_FDS", text, 1);
	snprintf(text, sizeof text, "%d", (int)(claimed_pid != 0 ? claimed_pid : getpid()));
	setenv("LISTEN_PID", text, 1);
}

static int
bound_port(int fd)
{
	struct sockaddr_in in;
	socklen_t len = sizeof in;

	must(getsockname(fd, (struct sockaddr *)&in, &len) == 0);
	return ntohs(in.sin_port);
}

static void
run_with_sockets(struct daemon *d)
{
	const struct start how = { .prepare = pass_sockets };

	daemon_run(d, &how);
	daemon_ready(d);
	for (int i = 0; i < passed_count; i++)
		close(passed[i]);
}

START_TEST(passed_socket_serves_the_service_of_its_address)
{
	struct daemon *d = daemon_new();
	char address[64];
	int queued;

	passed[0] = bind_to("127.0.0.1:0");
	passed_count = 1;
	snprintf(address, sizeof address, "127.0.0.1:%d", bound_port(passed[0]));
	queued = dial_to(address);		/* before superd is there at all */
	daemon_write(d, "[services]\nhold = %s hold\n", address);
	run_with_sockets(d);
	expect(queued, "held\n");
	must(strcmp(address_of(d, "hold", 0), address) == 0);
	must(log_find(d, "waiting", NULL) == NULL && log_find(d, "warning", NULL) == NULL);
	expect(dial_to(address), "held\n");
	daemon_stop(d);
	must(try_dial(address) == -1);
}
END_TEST

START_TEST(socket_of_no_service_is_closed_with_a_warning)
{
	struct daemon *d = daemon_new();
	char used[64], unused[64], told[80];

	passed[0] = bind_to("127.0.0.1:0");
	passed[1] = bind_to("127.0.0.1:0");
	passed_count = 2;
	snprintf(unused, sizeof unused, "127.0.0.1:%d", bound_port(passed[0]));
	snprintf(used, sizeof used, "127.0.0.1:%d", bound_port(passed[1]));
	snprintf(told, sizeof told, "~%s", unused);
	daemon_write(d, "[services]\nhold = %s hold\n", used);
	run_with_sockets(d);
	await_log(d, "warning", told);
	must(try_dial(unused) == -1 && errno == ECONNREFUSED);
	expect(dial_to(used), "held\n");
	daemon_stop(d);
}
END_TEST

START_TEST(sockets_for_another_process_are_not_taken)
{
	struct daemon *d = daemon_new();
	char address[64];

	passed[0] = bind_to("127.0.0.1:0");
	passed_count = 1;
	claimed_pid = getpid();
	snprintf(address, sizeof address, "127.0.0.1:%d", bound_port(passed[0]));
	daemon_write(d, "[services]\nhold = %s hold\n", address);
	daemon_run(d, &(struct start){ .prepare = pass_sockets });
	daemon_ready(d);
	await_log(d, "waiting", "service=hold");	/* this test still has it */
	close(passed[0]);
	await_log(d, "listen", "service=hold");
	daemon_stop(d);
}
END_TEST

START_TEST(passed_unix_socket_is_served)
{
	struct daemon *d = daemon_new();
	char address[256];

	snprintf(address, sizeof address, "unix:%s/s", d->dir);
	passed[0] = bind_to(address);
	passed_count = 1;
	daemon_write(d, "[services]\nhold = %s hold\n", address);
	run_with_sockets(d);
	must(log_find(d, "waiting", NULL) == NULL);
	expect(dial_to(address), "held\n");
	daemon_stop(d);
}
END_TEST

START_TEST(program_sees_nothing_of_the_passing)
{
	struct daemon *d = daemon_new();
	const char *slate;

	passed[0] = bind_to("127.0.0.1:0");
	passed_count = 1;
	daemon_write(d, "[services]\ninspect = 127.0.0.1:%d inspect\n", bound_port(passed[0]));
	run_with_sockets(d);
	slate = drain(dial(d, "inspect"));
	must_have_descriptors(slate, "socket inet stream read write", "pipe write");
	must(strstr(slate, "LISTEN_") == NULL);
	daemon_stop(d);
}
END_TEST

START_TEST(passed_socket_survives_a_reload)
{
	struct daemon *d = daemon_new();
	char address[64];

	passed[0] = bind_to("127.0.0.1:0");
	passed_count = 1;
	snprintf(address, sizeof address, "127.0.0.1:%d", bound_port(passed[0]));
	daemon_write(d, "[services]\nhold = %s hold\n", address);
	run_with_sockets(d);
	daemon_reload(d, "[services]\nhold = %s hold\n", address);
	await_log(d, "reload", "kept=1", "removed=0");
	expect(dial_to(address), "held\n");
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_intake");

	add_case(suite, "LISTEN_FDS", NEEDS_NOTHING,
	    TESTS(passed_socket_serves_the_service_of_its_address,
	    socket_of_no_service_is_closed_with_a_warning, sockets_for_another_process_are_not_taken,
	    passed_unix_socket_is_served, program_sees_nothing_of_the_passing,
	    passed_socket_survives_a_reload));
	return run_suite(suite);
}
