/*
 * fetch and sendfile through superd: the same file by every road, in one piece
 * and in two, and through the end of a session.
 */
#include "harness.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BIG 3000001		/* bytes: no multiple of any block */
#define WHEN 1700000000

static char bytes[BIG];

static void
write_bytes(const char *path, const char *data, size_t size, long when)
{
	const struct timespec times[] = { { when, 0 }, { when, 0 } };
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (file == -1 || write(file, data, size) != (ssize_t)size || futimens(file, times) == -1)
		flunk("write %s: %s", path, strerror(errno));
	close(file);
}

/* A daemon with the folder and with the single file; its services are "folder" and "single". */
static struct daemon *
start(void)
{
	struct daemon *d = daemon_new();
	char path[256];
	unsigned state = 5;

	for (size_t i = 0; i < BIG; i++)
		bytes[i] = (char)((state = state * 1103515245u + 12345u) >> 16);
	snprintf(path, sizeof path, "%s/pub", d->dir);
	if (mkdir(path, 0755) == -1)
		flunk("mkdir %s: %s", path, strerror(errno));
	snprintf(path, sizeof path, "%s/pub/big", d->dir);
	write_bytes(path, bytes, BIG, WHEN);
	daemon_write(d, "[services]\nfolder = 127.0.0.1:0 sendfile -d %s/pub\n"
	    "single = 127.0.0.1:0 sendfile %s/pub/big\n"
	    "[folder]\nsndbuf = 32k\n", d->dir, d->dir);
	daemon_run(d, NULL);
	daemon_ready(d);
	return d;
}

/* Starts fetch to the daemon's file "got", by a service, with an option and a name or NULL. */
static pid_t
fetch_start(struct daemon *d, const char *service, const char *option, const char *name)
{
	char program[256], got[256], port[16];
	const char *argv[] = { "fetch", option, "-o", got, "127.0.0.1", port, name, NULL };
	pid_t pid;

	snprintf(program, sizeof program, "%s/fetch", getenv("BIN"));
	snprintf(got, sizeof got, "%s/got", d->dir);
	snprintf(port, sizeof port, "%d", port_of(address_of(d, service, 0)));
	if ((pid = fork()) == -1)
		flunk("fork: %s", strerror(errno));
	if (pid == 0) {
		execv(program, (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	return pid;
}

static int
fetch_end(pid_t pid)
{
	int status;

	await(waitpid(pid, &status, WNOHANG) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* FILE is the first so many bytes. */
static void
must_have(struct daemon *d, const char *data, size_t size)
{
	static char got[BIG + 1];
	char path[256];
	size_t len;
	FILE *f;

	snprintf(path, sizeof path, "%s/got", d->dir);
	if ((f = fopen(path, "re")) == NULL)
		flunk("%s: %s", path, strerror(errno));
	len = fread(got, 1, sizeof got, f);
	fclose(f);
	if (len != size || memcmp(got, data, size) != 0)
		flunk("%s is not the file: %zu bytes, not %zu", path, len, size);
}

static void
hold(struct daemon *d, const char *data, size_t size, long when)
{
	char path[256];

	snprintf(path, sizeof path, "%s/got", d->dir);
	write_bytes(path, data, size, when);
}

static const struct {
	const char *service, *name;
} roads[] = { { "folder", "big" }, { "single", NULL } };

START_TEST(whole_file_by_every_road)
{
	struct daemon *d = start();

	for (size_t i = 0; i < 2; i++) {
		must(fetch_end(fetch_start(d, roads[i].service, "-f", roads[i].name)) == 0);
		must_have(d, bytes, BIG);
	}
	daemon_stop(d);
}
END_TEST

/* What is there has other bytes, which shows that it is not fetched again. */
START_TEST(rest_of_a_file_by_every_road)
{
	static const size_t held[] = { 1, 65536, BIG - 1, BIG };
	static char mixed[BIG];
	struct daemon *d = start();

	for (size_t i = 0; i < 2 * sizeof held / sizeof held[0]; i++) {
		memcpy(mixed, bytes, BIG);
		memset(mixed, 'x', held[i / 2]);
		hold(d, mixed, held[i / 2], WHEN);
		must(fetch_end(fetch_start(d, roads[i % 2].service, "-q", roads[i % 2].name)) == 0);
		must_have(d, mixed, BIG);
	}
	daemon_stop(d);
}
END_TEST

START_TEST(another_version_starts_over)
{
	struct daemon *d = start();
	static char other[BIG];

	hold(d, other, 65536, WHEN - 1);
	must(fetch_end(fetch_start(d, "folder", "-q", "big")) == 0);
	must_have(d, bytes, BIG);
	hold(d, other, 65536, WHEN);
	must(fetch_end(fetch_start(d, "folder", "-f", "big")) == 0);
	must_have(d, bytes, BIG);
	daemon_stop(d);
}
END_TEST

START_TEST(empty_file_by_every_road)
{
	struct daemon *d = start();
	char path[256];

	snprintf(path, sizeof path, "%s/pub/big", d->dir);
	must(truncate(path, 0) == 0);
	for (size_t i = 0; i < 2; i++) {
		must(fetch_end(fetch_start(d, roads[i].service, "-f", roads[i].name)) == 0);
		must_have(d, "", 0);
	}
	daemon_stop(d);
}
END_TEST

START_TEST(missing_file_is_no_file)
{
	struct daemon *d = start();
	char path[256];

	must(fetch_end(fetch_start(d, "folder", "-q", "none")) == 1);
	must(fetch_end(fetch_start(d, "folder", "-q", "../superd.ini")) == 1);
	snprintf(path, sizeof path, "%s/got", d->dir);
	must(access(path, F_OK) == -1);
	daemon_stop(d);
}
END_TEST

/*
 * FILE is a pipe that the test empties when it likes, so that fetch stands still
 * in the middle, and behind it the session, whose socket holds but a part.
 */
START_TEST(session_that_is_killed_is_made_again)
{
	static char got[BIG + 1];
	struct daemon *d = start();
	char path[256];
	size_t len = 0;
	ssize_t n;
	pid_t pid;
	int fifo;

	snprintf(path, sizeof path, "%s/got", d->dir);
	must(mkfifo(path, 0600) == 0);
	fifo = open(path, O_RDWR | O_CLOEXEC);
	pid = fetch_start(d, "folder", "-q", "big");
	await_log(d, "start", "service=folder");
	n = read(fifo, got, 1000);
	must(n > 0);
	len = (size_t)n;
	kill((pid_t)log_number(log_line(d, "start", NULL), "pid"), SIGKILL);
	await_log(d, "exit", "signal=*");
	while (len < BIG && (n = read(fifo, got + len, sizeof got - len)) > 0)
		len += (size_t)n;
	must(len == BIG && memcmp(got, bytes, BIG) == 0);
	must(fetch_end(pid) == 0);
	await_count(d, 2, "exit", "service=folder");
	daemon_stop(d);
}
END_TEST

static Suite *
fetch_suite(void)
{
	Suite *suite = suite_create("fetch");

	add_case(suite, "fetch", NEEDS_NOTHING,
	    TESTS(whole_file_by_every_road, rest_of_a_file_by_every_road,
	    another_version_starts_over, empty_file_by_every_road, missing_file_is_no_file,
	    session_that_is_killed_is_made_again));
	return suite;
}

int
main(void)
{
	return run_suite(fetch_suite());
}
