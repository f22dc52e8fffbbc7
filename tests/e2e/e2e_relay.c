/*
 * The bundled program relay behind superd, as xinetd's redirect: a client that
 * ends its half first, a server that is not there, one that does not answer.
 */
#include "harness.h"

#include <sys/socket.h>

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

/* A service "front" that relays to this port; one session at a time. */
static void
add_front(struct daemon *d, const char *options, int port)
{
	daemon_reload(d, "[services]\nback = 127.0.0.1:0 sh -c 'cat; echo the end'\n"
	    "hold = 127.0.0.1:0 hold\nfront = 127.0.0.1:0 relay %s 127.0.0.1 %d\n"
	    "[front]\nmax_sessions = 1\n", options, port);
}

static struct daemon *
start_back(void)
{
	return daemon_start("[services]\nback = 127.0.0.1:0 sh -c 'cat; echo the end'\n"
	    "hold = 127.0.0.1:0 hold\n");
}

/* The end, be it in good order or not; no byte comes before it. */
static void
await_end(int fd)
{
	char byte;
	ssize_t got = receive(fd, &byte, 1, 0);

	if (got == 1 || (got == -1 && errno != ECONNRESET))
		flunk("a byte or nothing at all where the end was wanted");
	close(fd);
}

START_TEST(client_that_ends_its_half_gets_the_whole_answer)
{
	struct daemon *d = start_back();
	int fd;

	add_front(d, "", port_of(address_of(d, "back", 0)));
	for (int i = 0; i < 5; i++) {
		fd = dial(d, "front");
		put(fd, "question\n");
		must(shutdown(fd, SHUT_WR) == 0);
		expect(fd, "question\nthe end\n");
		expect_end(fd);
	}
	await_count(d, 5, "exit", "service=front", "status=0");
	daemon_stop(d);
}
END_TEST

static struct sockaddr_in
name_of(int fd)
{
	struct sockaddr_in name;
	socklen_t len = sizeof name;

	must(getsockname(fd, (struct sockaddr *)&name, &len) == 0);
	return name;
}

START_TEST(dead_target_is_told_and_the_next_client_finds_it_back)
{
	struct daemon *d = start_back();
	int taken = bind_to("127.0.0.1:0"), fd;
	const int port = ntohs(name_of(taken).sin_port);

	close(taken);
	add_front(d, "", port);
	for (unsigned i = 1; i <= 3; i++) {
		await_end(dial(d, "front"));
		await_count(d, i, "exit", "service=front", "status=1");
	}
	await_log(d, "stderr", "service=front", "~refused");
	add_front(d, "", port_of(address_of(d, "back", 0)));
	fd = dial(d, "front");
	must(shutdown(fd, SHUT_WR) == 0);
	expect(fd, "the end\n");
	daemon_stop(d);
}
END_TEST

/* Nobody accepts there, and the queue is full: who connects gets no answer. */
static int
silent_port(void)
{
	const struct sockaddr_in name = name_of(bind_to("127.0.0.1:0"));

	for (int i = 0; i < 40; i++) {		/* more than the queue of that socket takes */
		int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		must(client != -1);
		must(connect(client, (const struct sockaddr *)&name, sizeof name) == 0 ||
		    errno == EINPROGRESS);
	}
	return ntohs(name.sin_port);
}

START_TEST(slow_target_holds_nobody_else_up_and_is_given_up)
{
	struct daemon *d = start_back();
	int fd;

	add_front(d, "-t 1", silent_port());
	fd = dial(d, "front");
	for (int i = 0; i < 10; i++) {
		int other = dial(d, "hold");

		expect(other, "held\n");
		close(other);
	}
	await_end(fd);
	await_log(d, "exit", "service=front", "status=1");
	await_log(d, "stderr", "service=front", "~timed out");
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_relay");

	add_case(suite, "relay", NEEDS_NOTHING,
	    TESTS(client_that_ends_its_half_gets_the_whole_answer,
	    dead_target_is_told_and_the_next_client_finds_it_back,
	    slow_target_holds_nobody_else_up_and_is_given_up));
	return run_suite(suite);
}
