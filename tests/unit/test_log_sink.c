/* Where lines go: files that are rotated, pipes that nobody reads, full disks, journald, syslog. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bounds.h"
#include "log_sink.h"
#include "unit.h"

static void
line(const char *text, enum log_level level)
{
	sink_line(text, strlen(text), level);
}

static void
must_hold(const char *path, const char *text)
{
	char *found = unit_read(path);

	ck_assert_str_eq(found, text);
	free(found);
}

/* --- files */

START_TEST(a_file_is_appended_to_and_opened_anew)
{
	char path[4096], old[4096];

	snprintf(path, sizeof path, "%s", unit_path("log"));
	snprintf(old, sizeof old, "%s", unit_path("log.1"));
	unit_write(path, "before\n", 7);
	ck_assert_int_eq(sink_open(path), 0);
	line("one\n", LOG_LEVEL_INFO);
	sink_flush();
	must_hold(path, "before\none\n");
	ck_assert_int_eq(rename(path, old), 0);
	line("two\n", LOG_LEVEL_INFO);
	ck_assert_int_eq(sink_open(path), 0);		/* what waits belongs to the old one */
	line("three\n", LOG_LEVEL_INFO);
	sink_close();
	must_hold(old, "before\none\ntwo\n");
	must_hold(path, "three\n");
	ck_assert_uint_eq(sink_dropped(), 0);
}
END_TEST

START_TEST(what_matters_is_written_at_once)
{
	static const struct { enum log_level level; bool at_once; } rows[] = {
		{ LOG_LEVEL_ERROR, true }, { LOG_LEVEL_WARNING, true }, { LOG_LEVEL_NOTICE, false },
		{ LOG_LEVEL_INFO, false }, { LOG_LEVEL_DEBUG, false } };
	const char *path = unit_path("levels");

	sink_started();
	for (int i = 0; i < ROWS(rows); i++) {
		(void)unlink(path);
		ck_assert_int_eq(sink_open(path), 0);
		line("x\n", rows[i].level);
		must_hold(path, rows[i].at_once ? "x\n" : "");
		sink_flush();
		must_hold(path, "x\n");
	}
}
END_TEST

static const struct { const char *path; int error; } bad[] = {
	{ "/no/such/folder/log", ENOENT }, { "/", EISDIR }, { "fifo", ENXIO },
};

START_TEST(a_bad_place_is_an_error_and_the_old_one_stays)
{
	const char *path = bad[_i].path, *good = unit_path("good");

	(void)unlink(good);
	if (*path != '/') {
		path = unit_path(bad[_i].path);
		ck_assert_int_eq(mkfifo(path, 0600), 0);	/* it has no reader */
	}
	ck_assert_int_eq(sink_open(good), 0);
	ck_assert_int_eq(sink_open(path), -1);
	ck_assert_int_eq(errno, bad[_i].error);
	line("x\n", LOG_LEVEL_INFO);
	sink_flush();
	must_hold(good, "x\n");
}
END_TEST

/* A full disk takes a part of a line: the next one begins on a line of its own. */
START_TEST(a_torn_line_is_ended)
{
	const char *path = unit_path("torn");
	struct rlimit limit, small;

	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(sink_open(path), 0);
	line("whole\n", LOG_LEVEL_INFO);
	sink_flush();
	small = (struct rlimit){ .rlim_cur = 10, .rlim_max = limit.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	line("torn line\n", LOG_LEVEL_INFO);
	sink_flush();
	line("no room\nnone\n", LOG_LEVEL_INFO);
	sink_flush();
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	line("after\n", LOG_LEVEL_INFO);
	sink_flush();
	must_hold(path, "whole\ntorn\nafter\n");
	ck_assert_uint_eq(sink_dropped(), 2);
}
END_TEST

/* --- standard error */

static int stderr_end;

/* Standard error is a pipe from here on, of one page. */
static void
pipe_stderr(void)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	(void)fcntl(ends[1], F_SETPIPE_SZ, 4096);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close(ends[1]);
	stderr_end = ends[0];
}

static const char *
on_stderr(void)
{
	static char text[1 << 17];
	ssize_t len = read(stderr_end, text, sizeof text - 1);

	text[len > 0 ? len : 0] = '\0';
	return text;
}

START_TEST(a_pipe_that_nobody_reads_drops_and_counts)
{
	char text[1001];
	unsigned sent = 0, arrived = 0;
	const char *at;

	memset(text, 'x', sizeof text - 2);
	memcpy(text + sizeof text - 2, "\n", 2);
	pipe_stderr();
	unsetenv("JOURNAL_STREAM");
	sink_init();
	for (; sent < 100; sent++)
		line(text, LOG_LEVEL_INFO);
	sink_flush();
	ck_assert(!sink_has_room());
	for (at = on_stderr(); *at != '\0'; at += strlen(text), arrived++)
		ck_assert_int_eq(strncmp(at, text, strlen(text)), 0);	/* whole lines only */
	ck_assert_uint_gt(arrived, 0);
	ck_assert_uint_eq(sink_dropped(), sent - arrived);
	ck_assert(sink_has_room());
	sink_set_dropped(0);
	line("again\n", LOG_LEVEL_INFO);
	sink_flush();
	ck_assert_str_eq(on_stderr(), "again\n");
	ck_assert_uint_eq(sink_dropped(), 0);
}
END_TEST

START_TEST(journald_gets_priorities)
{
	static const struct { enum log_level level; const char *text; } rows[] = {
		{ LOG_LEVEL_ERROR, "<3>x\n" }, { LOG_LEVEL_WARNING, "<4>x\n" },
		{ LOG_LEVEL_NOTICE, "<5>x\n" }, { LOG_LEVEL_INFO, "<6>x\n" },
		{ LOG_LEVEL_DEBUG, "<7>x\n" } };
	struct stat status;
	char stream[64];

	pipe_stderr();
	ck_assert_int_eq(fstat(STDERR_FILENO, &status), 0);
	snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)status.st_dev,
	    (unsigned long long)status.st_ino + (unsigned)_i);
	setenv("JOURNAL_STREAM", stream, 1);
	sink_init();
	ck_assert_int_eq(sink_wants_time(), _i != 0);	/* another's stream is not ours */
	for (int i = 0; i < ROWS(rows); i++) {
		line("x\n", rows[i].level);
		sink_flush();
		ck_assert_str_eq(on_stderr(), rows[i].text + (_i == 0 ? 0 : 3));
	}
}
END_TEST

START_TEST(an_error_at_the_start_is_on_stderr_too)
{
	const char *path = unit_path("start");

	pipe_stderr();
	sink_init();
	ck_assert_int_eq(sink_open(path), 0);
	line("warning\n", LOG_LEVEL_WARNING);
	line("error\n", LOG_LEVEL_ERROR);
	ck_assert_str_eq(on_stderr(), "error\n");
	sink_started();
	line("later\n", LOG_LEVEL_ERROR);
	ck_assert_str_eq(on_stderr(), "");
	must_hold(path, "warning\nerror\nlater\n");
}
END_TEST

START_TEST(without_stderr_lines_are_dropped_and_counted)
{
	pipe_stderr();
	sink_init();
	line("kept\n", LOG_LEVEL_INFO);
	sink_without_stderr();
	ck_assert_str_eq(on_stderr(), "kept\n");
	line("lost\n", LOG_LEVEL_INFO);
	sink_flush();
	ck_assert_str_eq(on_stderr(), "");
	ck_assert_uint_eq(sink_dropped(), 1);
}
END_TEST

/* --- syslog, in a /dev of the test's own */

static bool
own_dev(void)
{
	return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("none", "/dev", "tmpfs", 0, NULL) == 0;
}

static bool
can_have_own_dev(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(!own_dev());
	return waitpid(pid, &status, 0) == pid && status == 0;
}

static int
syslog_daemon(void)
{
	const struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)unlink(name.sun_path);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&name, sizeof name), 0);
	return fd;
}

/* "<PRI>Mmm dd hh:mm:ss superd[PID]: TEXT" without the newline. */
static void
must_receive(int fd, int priority, const char *text)
{
	char got[4096], head[16], tail[64];
	ssize_t len = recv(fd, got, sizeof got - 1, 0);

	ck_assert_int_gt(len, 0);
	got[len] = '\0';
	snprintf(head, sizeof head, "<%d>", priority);
	snprintf(tail, sizeof tail, "superd[%d]: %s", (int)getpid(), text);
	ck_assert_msg(strncmp(got, head, strlen(head)) == 0, "%s", got);
	ck_assert_uint_eq(strlen(got), strlen(head) + strlen("Nov 21 10:04:05 ") + strlen(tail));
	ck_assert_str_eq(got + strlen(got) - strlen(tail), tail);
}

static const struct { const char *where; enum log_level level; int priority; } places[] = {
	{ "syslog", LOG_LEVEL_INFO, 30 }, { "syslog", LOG_LEVEL_ERROR, 27 },
	{ "syslog:local3", LOG_LEVEL_DEBUG, 159 }, { "syslog:auth", LOG_LEVEL_WARNING, 36 },
};

START_TEST(syslog_gets_facility_and_priority)
{
	int fd;

	ck_assert(own_dev());
	fd = syslog_daemon();
	ck_assert_int_eq(sink_open(places[_i].where), 0);
	sink_started();
	ck_assert(!sink_wants_time());
	line("text\n", places[_i].level);
	must_receive(fd, places[_i].priority, "text");
}
END_TEST

START_TEST(a_syslog_daemon_that_was_restarted_gets_the_next_line)
{
	int fd;

	ck_assert(own_dev());
	fd = syslog_daemon();
	ck_assert_int_eq(sink_open("syslog"), 0);
	line("one\n", LOG_LEVEL_INFO);
	must_receive(fd, 30, "one");
	close(fd);
	fd = syslog_daemon();
	line("two\n", LOG_LEVEL_INFO);
	must_receive(fd, 30, "two");
}
END_TEST

START_TEST(without_a_syslog_daemon_lines_go_to_stderr)
{
	ck_assert(own_dev());
	pipe_stderr();
	unsetenv("JOURNAL_STREAM");
	sink_init();
	ck_assert_int_eq(sink_open("syslog"), 0);
	line("text\n", LOG_LEVEL_INFO);
	sink_flush();
	ck_assert_str_eq(on_stderr(), "text\n");
}
END_TEST

START_TEST(an_error_of_the_start_is_on_stderr_once)
{
	int fd;

	ck_assert(own_dev());
	pipe_stderr();
	unsetenv("JOURNAL_STREAM");
	sink_init();
	ck_assert_int_eq(sink_open("syslog"), 0);
	line("no daemon\n", LOG_LEVEL_ERROR);
	sink_flush();
	ck_assert_str_eq(on_stderr(), "no daemon\n");
	fd = syslog_daemon();
	ck_assert_int_eq(sink_open("syslog"), 0);
	line("both\n", LOG_LEVEL_ERROR);
	sink_flush();
	must_receive(fd, 27, "both");
	ck_assert_str_eq(on_stderr(), "both\n");
}
END_TEST

/* Its queue is full: nothing waits for it, and what is lost is counted. */
START_TEST(a_syslog_daemon_that_stands_still_holds_nothing_up)
{
	int fd, sent = 2000, arrived = 0;
	char byte;

	ck_assert(own_dev());
	fd = syslog_daemon();
	ck_assert_int_eq(sink_open("syslog"), 0);
	for (int i = 0; i < sent; i++)
		line("text\n", LOG_LEVEL_INFO);
	while (recv(fd, &byte, 1, 0) != -1)
		arrived++;
	ck_assert_int_gt(arrived, 0);
	ck_assert_int_lt(arrived, sent);
	ck_assert_uint_eq(sink_dropped(), (uint64_t)(sent - arrived));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("log_sink");
	TCase *tcase = unit_case(suite, "files");

	tcase_add_test(tcase, a_file_is_appended_to_and_opened_anew);
	tcase_add_test(tcase, what_matters_is_written_at_once);
	tcase_add_loop_test(tcase, a_bad_place_is_an_error_and_the_old_one_stays, 0, ROWS(bad));
	tcase_add_test(tcase, a_torn_line_is_ended);
	tcase = unit_case(suite, "standard error");
	tcase_add_test(tcase, a_pipe_that_nobody_reads_drops_and_counts);
	tcase_add_loop_test(tcase, journald_gets_priorities, 0, 2);
	tcase_add_test(tcase, an_error_at_the_start_is_on_stderr_too);
	tcase_add_test(tcase, without_stderr_lines_are_dropped_and_counted);
	if (!can_have_own_dev()) {
		puts("SKIPPED: case 'syslog', 8 tests: needs the right to mount");
		fflush(stdout);
		return unit_run(suite);
	}
	tcase = unit_case(suite, "syslog");
	tcase_add_loop_test(tcase, syslog_gets_facility_and_priority, 0, ROWS(places));
	tcase_add_test(tcase, a_syslog_daemon_that_was_restarted_gets_the_next_line);
	tcase_add_test(tcase, without_a_syslog_daemon_lines_go_to_stderr);
	tcase_add_test(tcase, an_error_of_the_start_is_on_stderr_once);
	tcase_add_test(tcase, a_syslog_daemon_that_stands_still_holds_nothing_up);
	return unit_run(suite);
}
