/*
 * The standard error of services, and a log that nobody reads: neither may
 * stall superd, and nothing from outside may forge a line.
 */
#include "harness.h"

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct daemon *
start_copying(const char *keys)
{
	return daemon_start("[services]\ntell = 127.0.0.1:0 tostderr\nhold = 127.0.0.1:0 hold\n"
	    "[tell]\n%s", keys);
}

/* What the client sends arrives on the service's standard error. */
static void
tell(struct daemon *d, const char *text, size_t len)
{
	int fd = dial(d, "tell");

	put_bytes(fd, text, len);
	shutdown(fd, SHUT_WR);
	expect(fd, "copied\n");
	expect_end(fd);
}

START_TEST(each_line_goes_to_the_log_tagged)
{
	static const char text[] = "first line\nsecond line\n";
	struct daemon *d = start_copying("");

	tell(d, text, sizeof text - 1);
	await_log(d, "stderr", "service=tell", "text=\"first line\"");
	await_log(d, "stderr", "service=tell", "text=\"second line\"");
	await_count(d, 2, "stderr");
	daemon_stop(d);
}
END_TEST

START_TEST(last_line_without_newline_is_not_lost)
{
	struct daemon *d = start_copying("");

	tell(d, "unfinished business", 19);
	await_log(d, "stderr", "service=tell", "text=\"unfinished business\"");
	daemon_stop(d);
}
END_TEST

START_TEST(stderr_cannot_forge_a_line)
{
	static const char text[] = "x\r2026-01-01T00:00:00.000Z info start service=forged\n"
	    "say \"quoted\" \\ text=y\x1b[2J\0 z\n";
	struct daemon *d = start_copying("");

	tell(d, text, sizeof text - 1);
	await(log_count(d, "stderr", "service=tell", NULL) >= 2);
	must(log_find(d, "start", "service=forged", NULL) == NULL);
	must(strchr(d->log, '\r') == NULL && strchr(d->log, '\x1b') == NULL);
	must(strlen(d->log) == d->log_len);		/* no NUL */
	await(log_find(d, "stderr", "~\\\"quoted\\\"", NULL) != NULL);
	daemon_stop(d);
}
END_TEST

START_TEST(endless_line_is_logged_in_pieces)
{
	static char text[100000];
	struct daemon *d = start_copying("");
	unsigned whole = 0;

	memset(text, 'x', sizeof text);
	tell(d, text, sizeof text);
	await_log(d, "stderr", "service=tell");
	log_read(d);
	for (const char *at = d->log; *at != '\0'; at += strcspn(at, "\n") + (*at != '\0'))
		whole += strcspn(at, "\n") > 4096;
	must(whole == 0);
	expect(dial(d, "hold"), "held\n");
	daemon_stop(d);
}
END_TEST

START_TEST(stderr_to_the_socket_reaches_the_client)
{
	struct daemon *d = start_copying("stderr = socket\n");
	int fd = dial(d, "tell");

	put(fd, "complaint\n");
	expect(fd, "complaint\n");
	shutdown(fd, SHUT_WR);
	expect(fd, "copied\n");
	expect_end(fd);
	must(log_find(d, "stderr", NULL) == NULL);
	daemon_stop(d);
}
END_TEST

START_TEST(stderr_to_null_reaches_nobody)
{
	struct daemon *d = start_copying("stderr = null\n");

	tell(d, "complaint\n", 10);
	await_log(d, "exit", "service=tell", "status=0");
	must(log_find(d, NULL, "~complaint", NULL) == NULL);
	daemon_stop(d);
}
END_TEST

START_TEST(flood_is_counted_and_stalls_nobody)
{
	enum { LINES = 20000 };
	struct daemon *d = daemon_start("[services]\nflood = 127.0.0.1:0 floodstderr %d\n"
	    "hold = 127.0.0.1:0 hold\n", LINES);
	int flood = dial(d, "flood");

	for (int i = 0; i < 50; i++) {
		int fd = dial(d, "hold");

		expect(fd, "held\n");
		close(fd);
	}
	expect(flood, "flooded\n");	/* it was read to its end */
	close(flood);
	await_log(d, "exit", "service=flood", "status=0");
	await_log(d, "stderr", "service=flood", "held=*");
	must(log_count(d, "stderr", "service=flood", NULL) < LINES / 2);
	daemon_stop(d);
}
END_TEST

START_TEST(two_floods_together_stall_nobody)
{
	struct daemon *d = daemon_start("[services]\none = 127.0.0.1:0 floodstderr 5000\n"
	    "two = 127.0.0.1:0 floodstderr 5000\nhold = 127.0.0.1:0 hold\n");
	int fds[8];

	for (int i = 0; i < 8; i++)
		fds[i] = dial(d, i % 2 == 0 ? "one" : "two");
	expect(dial(d, "hold"), "held\n");
	for (int i = 0; i < 8; i++)
		expect(fds[i], "flooded\n");
	daemon_stop(d);
}
END_TEST

/* --- a log that nobody reads */

/* A pipe that is full already; its ends are left in fds. */
static void
full_pipe(int fds[2])
{
	static const char block[4096];
	int flags;

	must(pipe2(fds, O_CLOEXEC) == 0);
	flags = fcntl(fds[1], F_GETFL);
	must(fcntl(fds[1], F_SETFL, flags | O_NONBLOCK) == 0);
	while (write(fds[1], block, sizeof block) > 0)
		continue;
	while (write(fds[1], block, 1) > 0)
		continue;
	must(fcntl(fds[1], F_SETFL, flags) == 0);
}

/* Reads on until the text appears; the pipe's first bytes are this test's own filling. */
static void
read_until(int fd, const char *text)
{
	static char seen[1 << 20];
	size_t len = 0;
	ssize_t got;

	must(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	for (;;) {
		await((got = read(fd, seen + len, sizeof seen - 1 - len)) > 0 || errno != EAGAIN);
		must(got > 0);
		for (ssize_t i = 0; i < got; i++)
			if (seen[len + (size_t)i] == '\0')
				seen[len + (size_t)i] = '\n';
		len += (size_t)got;
		seen[len] = '\0';
		if (strstr(seen, text) != NULL)
			return;
	}
}

START_TEST(unread_log_stalls_nobody_and_tells_how_much_it_dropped)
{
	struct daemon *d = daemon_new();
	struct start how = { .uid = 0 };
	char address[64];
	int fds[2];

	full_pipe(fds);
	how.stderr_fd = fds[1];
	snprintf(address, sizeof address, "unix:@unread-%d", (int)getpid());
	daemon_write(d, "[services]\nhold = %s hold\nflood = %s-flood floodstderr 500\n", address,
	    address);
	daemon_run(d, &how);
	close(fds[1]);
	daemon_ready(d);
	for (int i = 0; i < 200; i++) {
		int fd = dial_to(address);

		expect(fd, "held\n");
		close(fd);
	}
	strcat(address, "-flood");
	expect(dial_to(address), "flooded\n");
	read_until(fds[0], "dropped");
	daemon_stop(d);
}
END_TEST

START_TEST(closed_log_ends_nobody)
{
	struct daemon *d = daemon_new();
	struct start how = { .uid = 0 };
	char address[64];
	int fds[2];

	must(pipe2(fds, O_CLOEXEC) == 0);
	how.stderr_fd = fds[1];
	snprintf(address, sizeof address, "unix:@closed-%d", (int)getpid());
	daemon_write(d, "[services]\nhold = %s hold\n", address);
	daemon_run(d, &how);
	close(fds[1]);
	daemon_ready(d);
	close(fds[0]);		/* from now on every write is EPIPE */
	for (int i = 0; i < 20; i++) {
		int fd = dial_to(address);

		expect(fd, "held\n");
		close(fd);
	}
	daemon_stop(d);
}
END_TEST

START_TEST(full_disk_stalls_nobody)
{
	struct daemon *d;
	char address[64];

	if (access("/dev/full", W_OK) == -1) {
		printf("SKIPPED: full_disk_stalls_nobody: no /dev/full\n");
		return;
	}
	snprintf(address, sizeof address, "unix:@full-%d", (int)getpid());
	d = daemon_start("[superd]\nlog = /dev/full\n[services]\nhold = %s hold\n", address);
	for (int i = 0; i < 20; i++) {
		int fd = dial_to(address);

		expect(fd, "held\n");
		close(fd);
	}
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_stderr");

	add_case(suite, "destinations", NEEDS_NOTHING, TESTS(each_line_goes_to_the_log_tagged,
	    last_line_without_newline_is_not_lost, stderr_cannot_forge_a_line,
	    endless_line_is_logged_in_pieces, stderr_to_the_socket_reaches_the_client,
	    stderr_to_null_reaches_nobody));
	add_case(suite, "floods", NEEDS_NOTHING, TESTS(flood_is_counted_and_stalls_nobody,
	    two_floods_together_stall_nobody));
	add_case(suite, "unread log", NEEDS_NOTHING,
	    TESTS(unread_log_stalls_nobody_and_tells_how_much_it_dropped, closed_log_ends_nobody,
	    full_disk_stalls_nobody));
	return run_suite(suite);
}
