/*
 * wait = yes: one process gets the listening socket and accepts for itself.  The
 * program `accepter` tells each client what it was given.
 */
#include "harness.h"

#include <sys/socket.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct daemon *
start_waiter(const char *listen, int clients)
{
	return daemon_start("[superd]\ngrace = 0\n[services]\nwaiter = %s accepter %d\n"
	    "other = 127.0.0.1:0 hold\n[waiter]\nwait = yes\n", listen, clients);
}

/* The first line that a client gets, without its newline. */
static const char *
read_line(int fd)
{
	static char lines[8][256];
	static unsigned turn;
	char *line = lines[turn++ % 8];
	size_t len = 0;
	ssize_t got;

	while ((got = receive(fd, line + len, 1, 0)) == 1 && line[len] != '\n')
		if (++len == sizeof lines[0] - 1)
			flunk("no newline in '%s'", line);
	if (got != 1)
		flunk("no line: %s", got == 0 ? "end-of-file" : strerror(errno));
	line[len] = '\0';
	return line;
}

/* The client is served; the process that does it. */
static pid_t
served_by(int fd)
{
	const char *line = read_line(fd);
	long pid;

	if (sscanf(line, "pid=%ld ", &pid) != 1)
		flunk("not from accepter: %s", line);
	return (pid_t)pid;
}

static void
must_be_given(int fd, const char *proto)
{
	const char *line = read_line(fd);
	long pid = 0, listen_pid = 0;
	char want[256];

	sscanf(line, "pid=%ld listen_pid=%ld ", &pid, &listen_pid);
	snprintf(want, sizeof want, "pid=%ld listen_pid=%ld listen_fds=1 proto=%s remote=none "
	    "listening=1 three=1 one=1 blocking=1 next=4", pid, pid, proto);
	if (strcmp(line, want) != 0)
		flunk("got    %s\nwanted %s", line, want);
}

/* --- what the process gets */

START_TEST(process_gets_the_listening_socket_itself)
{
	struct daemon *d = start_waiter("127.0.0.1:0", 10);
	int fd = dial(d, "waiter");
	const char *start;

	must_be_given(fd, "TCP");
	await_log(d, "start", "service=waiter");
	start = log_line(d, "start", "service=waiter", NULL);
	must(log_value(start, "remote")[0] == '\0');	/* superd does not see the clients */
	must(log_number(start, "pid") == child_of(d->pid));
	daemon_stop(d);
}
END_TEST

START_TEST(socket_of_the_file_system_is_given_too)
{
	struct daemon *d = daemon_new();
	char path[224];

	snprintf(path, sizeof path, "unix:%s/s.sock", d->dir);
	daemon_write(d, "[superd]\ngrace = 0\n[services]\nwaiter = %s accepter 2\n"
	    "[waiter]\nwait = yes\n", path);
	daemon_run(d, NULL);
	daemon_ready(d);
	must_be_given(dial_to(path), "UNIX");
	daemon_stop(d);
}
END_TEST

START_TEST(socket_of_the_abstract_name_space_is_given_too)
{
	char name[64];
	struct daemon *d;

	snprintf(name, sizeof name, "unix:@superd-wait-%d", (int)getpid());
	d = start_waiter(name, 2);
	must_be_given(dial_to(name), "UNIX");
	daemon_stop(d);
}
END_TEST

START_TEST(each_address_has_a_process_of_its_own)
{
	struct daemon *d = start_waiter("127.0.0.1:0,127.0.0.1:0", 10);
	int first = dial_to(address_of(d, "waiter", 0)), second = dial_to(address_of(d, "waiter", 1));

	must(served_by(first) != served_by(second));
	daemon_stop(d);
}
END_TEST

START_TEST(one_process_serves_one_client_after_the_other)
{
	struct daemon *d = start_waiter("127.0.0.1:0", 3);
	int fds[3];
	pid_t pid = 0;

	for (int i = 0; i < 3; i++)
		fds[i] = dial(d, "waiter");
	for (int i = 0; i < 3; i++) {
		pid_t by = served_by(fds[i]);

		must(pid == 0 || by == pid);
		pid = by;
		close(fds[i]);
	}
	await_log(d, "exit", "service=waiter", "status=0");
	await_count(d, 1, "start", "service=waiter");
	daemon_stop(d);
}
END_TEST

/* --- its end */

START_TEST(queue_is_kept_when_the_process_ends)
{
	struct daemon *d = start_waiter("127.0.0.1:0", 1);
	int fds[3];
	pid_t before = 0;

	for (int i = 0; i < 3; i++)
		fds[i] = dial(d, "waiter");
	for (int i = 0; i < 3; i++) {
		pid_t by = served_by(fds[i]);

		must(by != before);
		before = by;
		for (int j = i + 1; j < 3; j++)
			must(silent(fds[j]));
		close(fds[i]);
	}
	await_count(d, 3, "exit", "service=waiter", "status=0");
	daemon_stop(d);
}
END_TEST

START_TEST(process_that_dies_at_once_is_held_back)
{
	struct daemon *d = start_waiter("127.0.0.1:0", 0);
	int fd = dial(d, "waiter"), other;

	await_log(d, "warning", "~'waiter': its process ended after", "~wait for 1 s");
	for (int i = 0; i < 50; i++) {
		other = dial(d, "other");
		expect(other, "held\n");
		close(other);
	}
	await_log(d, "warning", "~'waiter': its process ended after", "~wait for 2 s");
	/* One start for each pause, not one for each turn of the loop. */
	must(log_count(d, "start", "service=waiter", NULL) <=
	    log_count(d, "warning", "~its process ended after", NULL) + 1);
	must(silent(fd));		/* still in the queue */
	daemon_stop(d);
}
END_TEST

START_TEST(process_that_is_killed_is_replaced)
{
	struct daemon *d = start_waiter("127.0.0.1:0", 9);
	int first = dial(d, "waiter"), second = dial(d, "waiter");
	pid_t pid = served_by(first);

	must(kill(pid, SIGKILL) == 0);
	expect_end(first);
	must(served_by(second) != pid);
	await_log(d, "exit", "service=waiter", "signal=KILL");
	daemon_stop(d);
}
END_TEST

/* --- reload */

START_TEST(reload_leaves_a_lent_socket_with_its_process)
{
	static const char ini[] = "[superd]\ngrace = 0\n"
	    "[services]\nwaiter = 127.0.0.1:0 accepter %d\n[waiter]\nwait = yes\n";
	struct daemon *d = daemon_new();
	int first, second, third;
	pid_t pid;

	daemon_write(d, ini, 2);
	daemon_run(d, NULL);
	daemon_ready(d);
	first = dial(d, "waiter");
	pid = served_by(first);
	daemon_reload(d, ini, 2);
	await_log(d, "reload", "kept=1", "changed=0");
	second = dial(d, "waiter");
	daemon_reload(d, ini, 3);
	await_log(d, "reload", "changed=1");
	must(silent(first) && silent(second));
	await(children_of(d->pid, 0) == 1);		/* and not one that the reload has made */
	must(log_find(d, "unlisten", NULL) == NULL);
	close(first);
	must(served_by(second) == pid);
	third = dial(d, "waiter");
	close(second);
	must(served_by(third) != pid);
	daemon_stop(d);
}
END_TEST

START_TEST(removed_service_leaves_its_socket_to_the_process)
{
	struct daemon *d = start_waiter("127.0.0.1:0", 2);
	const char *address = address_of(d, "waiter", 0);
	int first = dial_to(address), second;
	pid_t pid = served_by(first);

	daemon_reload(d, "[services]\nother = 127.0.0.1:0 hold\n");
	await_log(d, "reload", "kept=1", "removed=1");
	must(silent(first));
	second = dial_to(address);	/* it listens still, to the process */
	close(first);
	must(served_by(second) == pid);
	close(second);
	await_log(d, "exit", "service=waiter", "status=0");
	must(try_dial(address) == -1 && errno == ECONNREFUSED);
	await(children_of(d->pid, 0) == 0);
	daemon_stop(d);
}
END_TEST

START_TEST(wait_that_is_switched_off_while_lent_holds_from_the_next_client_on)
{
	struct daemon *d = daemon_start("[services]\nx = 127.0.0.1:0 accepter 1\n[x]\nwait = yes\n");
	int first = dial(d, "x"), second;

	served_by(first);
	daemon_reload(d, "[services]\nx = 127.0.0.1:0 hold\n");
	second = dial(d, "x");
	close(first);
	expect(second, "held\n");
	expect(dial(d, "x"), "held\n");
	daemon_stop(d);
}
END_TEST

START_TEST(wait_that_is_switched_on_holds_from_the_next_client_on)
{
	struct daemon *d = daemon_start("[services]\nx = 127.0.0.1:0 hold\n");
	int first = dial(d, "x");

	expect(first, "held\n");
	daemon_reload(d, "[superd]\ngrace = 0\n[services]\nx = 127.0.0.1:0 accepter 9\n"
	    "[x]\nwait = yes\n");
	must_be_given(dial(d, "x"), "TCP");
	must(silent(first));
	daemon_stop(d);
}
END_TEST

/* --- keys that need a peer */

static const char *
checked(int status, const char *format, const char *text)
{
	static char out[8192];
	struct daemon *d = daemon_new();
	const char *const args[] = { "-t", "-c", d->ini, "-s", services(), NULL };
	char program[256];

	snprintf(program, sizeof program, "%s/accepter", tools());
	if (strcmp(format, "inherited") == 0)
		daemon_write(d, "[defaults]\n%s\n[services]\nx = 127.0.0.1:0 %s\n[x]\nwait = yes\n",
		    text, program);
	else
		daemon_write(d, "[services]\nx = 127.0.0.1:0 %s\n[x]\nwait = yes\n%s\n", program, text);
	if (superd_output(out, sizeof out, args) != status)
		flunk("wanted status %d with '%s' %s, got: %s", status, text, format, out);
	return out;
}

static const char *const peer_keys[][2] = {
	{ "allow", "allow = 127.0.0.1" }, { "allow", "allow =" }, { "deny", "deny = 127.0.0.1" },
	{ "max_per_source", "max_per_source = 3" }, { "rate_per_source", "rate_per_source = 3/s" },
	{ "sensor", "sensor = 1h" }, { "banner", "banner = /etc/passwd" },
	{ "banner_refused", "banner_refused = /etc/passwd" },
	{ "idle_timeout", "idle_timeout = 3s" }, { "traffic", "traffic = yes" },
};

static void
must_be_refused(const char *where)
{
	for (size_t i = 0; i < sizeof peer_keys / sizeof *peer_keys; i++) {
		const char *out = checked(78, where, peer_keys[i][1]);
		char want[64];

		snprintf(want, sizeof want, "%s: cannot be kept for service 'x'", peer_keys[i][0]);
		if (strstr(out, want) == NULL)
			flunk("no '%s' in: %s", want, out);
	}
}

START_TEST(key_that_needs_a_peer_is_a_mistake)
{
	must_be_refused("of its own");
}
END_TEST

START_TEST(inherited_key_that_needs_a_peer_is_a_mistake)
{
	must_be_refused("inherited");
}
END_TEST

START_TEST(value_that_takes_a_key_back_is_no_mistake)
{
	static const char all[] = "allow = all\ndeny =\nmax_per_source = unlimited\n"
	    "rate_per_source = unlimited\nsensor = none\nbanner = none\nbanner_refused = none\n"
	    "idle_timeout = none\ntraffic = no";

	checked(0, "of its own", all);
	checked(0, "inherited", all);
	checked(0, "of its own", "hours = always\nmax_load = 100\nrate = 10/s\nmax_sessions = 1");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_wait");

	add_case(suite, "given", NEEDS_PROC, TESTS(process_gets_the_listening_socket_itself,
	    socket_of_the_file_system_is_given_too, socket_of_the_abstract_name_space_is_given_too,
	    each_address_has_a_process_of_its_own, one_process_serves_one_client_after_the_other));
	add_case(suite, "its end", NEEDS_NOTHING, TESTS(queue_is_kept_when_the_process_ends,
	    process_that_dies_at_once_is_held_back, process_that_is_killed_is_replaced));
	add_case(suite, "reload", NEEDS_PROC, TESTS(reload_leaves_a_lent_socket_with_its_process,
	    removed_service_leaves_its_socket_to_the_process,
	    wait_that_is_switched_off_while_lent_holds_from_the_next_client_on,
	    wait_that_is_switched_on_holds_from_the_next_client_on));
	add_case(suite, "mistakes", NEEDS_NOTHING, TESTS(key_that_needs_a_peer_is_a_mistake,
	    inherited_key_that_needs_a_peer_is_a_mistake,
	    value_that_takes_a_key_back_is_no_mistake));
	return run_suite(suite);
}
