/*
 * Serving: a connection becomes a process, the process has the connection, and
 * when it has ended nothing of it is left in superd.
 */
#include "harness.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

START_TEST(hello_greets_every_message)
{
	struct daemon *d = daemon_start("[services]\nhello = 127.0.0.1:0 hello\n");
	int fd = dial(d, "hello");

	put(fd, "Hi there\n");
	expect(fd, "Hello, World!\n");
	put(fd, "no newline");
	expect(fd, "Hello, World!\n");
	shutdown(fd, SHUT_WR);
	expect_end(fd);
	await_log(d, "exit", "service=hello", "status=0");
	daemon_stop(d);
}
END_TEST

START_TEST(quit_without_newline_gets_goodbye_and_end)
{
	struct daemon *d = daemon_start("[services]\nhello = 127.0.0.1:0 hello\n");
	int fd = dial(d, "hello");

	put(fd, "quit");
	expect(fd, "Goodbye, 127.0.0.1\n");
	expect_end(fd);
	await_log(d, "exit", "service=hello", "status=0");
	daemon_stop(d);
}
END_TEST

static void
make_document(const char *path, char *bytes, size_t len)
{
	FILE *f = fopen(path, "we");

	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i * 31 + i / 251);
	if (f == NULL || fwrite(bytes, 1, len, f) != len || fclose(f) != 0)
		flunk("cannot write %s", path);
}

/* The worksheet's client: 2 bytes, then 10 of a buffer that it never cleared behind the NUL. */
START_TEST(download_resumes_at_byte_100)
{
	static char bytes[100000];
	struct daemon *d = daemon_new();
	char path[256];
	int fd;

	snprintf(path, sizeof path, "%s/document", d->dir);
	make_document(path, bytes, sizeof bytes);
	daemon_write(d, "[services]\nfiles = 127.0.0.1:0 sendfile %s\n", path);
	daemon_run(d, NULL);
	daemon_ready(d);
	fd = dial(d, "files");
	put_bytes(fd, "2\0", 2);
	put_bytes(fd, "100\0\xff\x7f" "9999", 10);
	expect_bytes(fd, bytes + 100, sizeof bytes - 100);
	expect_end(fd);
	fd = dial(d, "files");
	put_bytes(fd, "0\0", 2);
	expect_bytes(fd, bytes, sizeof bytes);
	expect_end(fd);
	daemon_stop(d);
}
END_TEST

START_TEST(half_closed_client_gets_the_whole_answer)
{
	struct daemon *d = daemon_start("[services]\nflip = 127.0.0.1:0 flip\n");
	int fd = dial(d, "flip");

	put(fd, "Mixed Case, no newline");
	shutdown(fd, SHUT_WR);
	expect(fd, "mIXED cASE, NO NEWLINE");
	expect_end(fd);
	daemon_stop(d);
}
END_TEST

START_TEST(start_and_exit_lines_tell_one_session)
{
	static const char *const same[] = { "session", "pid", "remote" };
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n");
	int fd = dial(d, "hold");
	struct sockaddr_in own;
	socklen_t len = sizeof own;
	char remote[64];
	const char *start, *end;

	expect(fd, "held\n");
	must(getsockname(fd, (struct sockaddr *)&own, &len) == 0);
	snprintf(remote, sizeof remote, "remote=127.0.0.1:%u", ntohs(own.sin_port));
	await_log(d, "start", "service=hold", remote);
	must(log_find(d, "exit", NULL) == NULL);
	close(fd);
	await_log(d, "exit", "service=hold", "status=0");
	start = log_line(d, "start", NULL);
	end = log_line(d, "exit", "duration=*", "cpu=*", NULL);
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
		if (strcmp(log_value(start, same[i]), log_value(end, same[i])) != 0)
			flunk("%s differs: '%s' and '%s'", same[i], start, end);
	must(strstr(end, " cause=") == NULL);
	daemon_stop(d);
}
END_TEST

START_TEST(exit_line_tells_status_or_signal)
{
	struct daemon *d = daemon_start("[services]\nthree = 127.0.0.1:0 sh -c 'exit 3'\n"
	    "killed = 127.0.0.1:0 sh -c 'kill -KILL $$'\n");

	expect_end(dial(d, "three"));
	await_log(d, "exit", "service=three", "status=3");
	expect_end(dial(d, "killed"));
	await_log(d, "exit", "service=killed", "signal=*", "~KILL");
	daemon_stop(d);
}
END_TEST

START_TEST(sessions_are_numbered_differently)
{
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n");
	char first[32];

	close(dial(d, "hold"));
	await_log(d, "exit", "service=hold");
	snprintf(first, sizeof first, "%s", log_value(log_line(d, "start", NULL), "session"));
	log_mark(d);
	close(dial(d, "hold"));
	await_log(d, "start", "service=hold");
	must(strcmp(first, log_value(log_line(d, "start", NULL), "session")) != 0);
	daemon_stop(d);
}
END_TEST

START_TEST(two_hundred_sessions_leave_nothing_behind)
{
	enum { MANY = 200 };
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n"
	    "[hold]\nmax_sessions = 300\n");
	unsigned before;
	int fds[MANY];

	close(dial(d, "hold"));		/* whatever superd opens at its first session is open now */
	await_log(d, "exit", "service=hold");
	await(children_of(d->pid, 0) == 0);
	before = open_descriptors(d->pid);
	log_mark(d);
	for (int i = 0; i < MANY; i++)
		fds[i] = dial(d, "hold");
	for (int i = 0; i < MANY; i++)
		expect(fds[i], "held\n");
	must(children_of(d->pid, 0) == MANY);
	await(open_descriptors(d->pid) == before);	/* superd keeps no client's connection */
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
	await_count(d, MANY, "exit", "service=hold", "status=0");
	await_count(d, MANY, "start", "service=hold");
	await(children_of(d->pid, 0) == 0);
	await(open_descriptors(d->pid) == before);
	daemon_stop(d);
}
END_TEST

START_TEST(sessions_that_end_all_at_once_are_all_reaped)
{
	enum { MANY = 700 };
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n"
	    "[hold]\nmax_sessions = 1000\n");
	static int fds[MANY];

	for (int i = 0; i < MANY; i++)
		fds[i] = dial(d, "hold");
	for (int i = 0; i < MANY; i++)
		expect(fds[i], "held\n");
	must(kill(d->pid, SIGSTOP) == 0);	/* so that all their SIGCHLD become one */
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
	await(children_of(d->pid, 'Z') == MANY);
	must(kill(d->pid, SIGCONT) == 0);
	await(children_of(d->pid, 0) == 0);
	await_count(d, MANY, "exit", "service=hold", "status=0");
	daemon_stop(d);
}
END_TEST

START_TEST(short_sessions_by_the_hundred_leave_no_zombie)
{
	enum { ROUNDS = 20, EACH = 20 };
	struct daemon *d = daemon_start("[services]\ntrue = 127.0.0.1:0 true\n");
	int fds[EACH];

	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < EACH; i++)
			fds[i] = dial(d, "true");
		for (int i = 0; i < EACH; i++)
			expect_end(fds[i]);
	}
	await(children_of(d->pid, 0) == 0);
	must(log_count(d, "failed", NULL) == 0);
	daemon_stop(d);
}
END_TEST

START_TEST(exec_is_quoted_as_in_sh_without_a_shell)
{
	struct daemon *d = daemon_start("[services]\n"
	    "args = 127.0.0.1:0 printf '%%s|' \"a b\" 'c\"$HOME' e\\ f '' *\n"
	    "semi = 127.0.0.1:0 printf %%s 'x '';'' y'\n");

	must(strcmp(drain(dial(d, "args")), "a b|c\"$HOME|e f||*|") == 0);
	must(strcmp(drain(dial(d, "semi")), "x ; y") == 0);
	daemon_stop(d);
}
END_TEST

START_TEST(service_may_be_declared_in_its_section_alone)
{
	struct daemon *d = daemon_start("[defaults]\nenv = FROM=defaults\n"
	    "[one]\nlisten = 127.0.0.1:0\nexec = sh -c 'echo $FROM'\n"
	    "[two]\nlisten = 127.0.0.1:0\nexec = sh -c 'echo $FROM'\nenv = FROM=two\n");

	must(strcmp(drain(dial(d, "one")), "defaults\n") == 0);
	must(strcmp(drain(dial(d, "two")), "two\n") == 0);
	daemon_stop(d);
}
END_TEST

START_TEST(disabled_service_does_not_listen)
{
	struct daemon *d = daemon_start("[services]\non = 127.0.0.1:0 hold\noff = 127.0.0.1:0 hold\n"
	    "[off]\nenabled = no\n");

	expect(dial(d, "on"), "held\n");
	must(log_find(d, "listen", "service=off", NULL) == NULL);
	daemon_stop(d);
}
END_TEST

START_TEST(included_files_bring_services)
{
	struct daemon *d = daemon_new();
	char path[256];

	snprintf(path, sizeof path, "%s/superd.d", d->dir);
	must(mkdir(path, 0755) == 0);
	snprintf(path, sizeof path, "%s/superd.d/20-b.ini", d->dir);
	write_file(path, "[b]\nlisten = 127.0.0.1:0\nexec = hold b\n");
	snprintf(path, sizeof path, "%s/superd.d/10-a.ini", d->dir);
	write_file(path, "[services]\na = 127.0.0.1:0\n\thold\n\ta\n");	/* continued lines */
	snprintf(path, sizeof path, "%s/superd.d/30-c.ini~", d->dir);
	write_file(path, "this is no configuration\n");
	daemon_write(d, "[superd]\ninclude = superd.d/*.ini\n"
	    "[services]\nmain = 127.0.0.1:0 hold main\n");
	daemon_run(d, NULL);
	daemon_ready(d);
	expect(dial(d, "a"), "a\n");
	expect(dial(d, "b"), "b\n");
	expect(dial(d, "main"), "main\n");
	daemon_stop(d);
}
END_TEST

START_TEST(no_services_at_all_is_a_warning)
{
	struct daemon *d = daemon_start("; nothing\n");

	await_log(d, "warning", "text=*");
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_serve");

	add_case(suite, "serving", NEEDS_NOTHING, TESTS(hello_greets_every_message,
	    quit_without_newline_gets_goodbye_and_end, download_resumes_at_byte_100,
	    half_closed_client_gets_the_whole_answer, start_and_exit_lines_tell_one_session,
	    exit_line_tells_status_or_signal, sessions_are_numbered_differently));
	add_case(suite, "nothing is left", NEEDS_PROC,
	    TESTS(two_hundred_sessions_leave_nothing_behind,
	    sessions_that_end_all_at_once_are_all_reaped,
	    short_sessions_by_the_hundred_leave_no_zombie));
	add_case(suite, "declaring", NEEDS_NOTHING, TESTS(exec_is_quoted_as_in_sh_without_a_shell,
	    service_may_be_declared_in_its_section_alone, disabled_service_does_not_listen,
	    included_files_bring_services, no_services_at_all_is_a_warning));
	return run_suite(suite);
}
