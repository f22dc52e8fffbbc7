/*
 * The log: its forms, its levels, its file and what of the clients it tells.
 */
#include "harness.h"

#include <sys/stat.h>

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char log_file[192];

/* A daemon that logs into dir/log, which is then what log_find() reads. */
static struct daemon *
start_with_file(const char *more)
{
	struct daemon *d = daemon_new();

	snprintf(log_file, sizeof log_file, "%s/log", d->dir);
	daemon_write(d, "[superd]\nlog = %s\n%s", log_file, more);
	daemon_run(d, NULL);
	daemon_ready(d);
	snprintf(d->log_path, sizeof d->log_path, "%s", log_file);
	free(d->log);
	d->log = calloc(1, 1);
	d->log_len = 0;
	return d;
}

static void
one_session(struct daemon *d, const char *service)
{
	int fd = dial(d, service);

	expect(fd, "held\n");
	close(fd);
}

/* --- text */

/* 2026-11-21T10:04:05.123Z info start ...: digits stand for 0 in the picture. */
static void
must_be_text_line(const char *line)
{
	static const char picture[] = "0000-00-00T00:00:00.000Z ";
	const char *at = line;

	for (const char *p = picture; *p != '\0'; p++, at++)
		if (*p == '0' ? !isdigit((unsigned char)*at) : *at != *p)
			flunk("the time is malformed: %s", line);
	if (strncmp(at, "info ", 5) != 0 && strncmp(at, "notice ", 7) != 0 &&
	    strncmp(at, "warning ", 8) != 0 && strncmp(at, "error ", 6) != 0)
		flunk("the level is malformed: %s", line);
}

START_TEST(every_line_has_time_level_and_event)
{
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n");
	char *line, *rest;

	one_session(d, "hold");
	await_log(d, "exit", "service=hold");
	kill(d->pid, SIGHUP);
	await_log(d, "reload", "kept=1");
	daemon_stop(d);
	log_read(d);
	for (line = strtok_r(d->log, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
		must_be_text_line(line);
}
END_TEST

/* --- JSON: a checker of one flat object, which is all that a line may be */

static const char *
json_string(const char *at)
{
	if (*at++ != '"')
		return NULL;
	while (*at != '"') {
		if ((unsigned char)*at < ' ')
			return NULL;		/* the end of the line too */
		if (*at == '\\' && strchr("\"\\/bfnrtu", *++at) == NULL)
			return NULL;
		if (*at == 'u' && at[-1] == '\\')
			for (int i = 1; i <= 4; i++)
				if (!isxdigit((unsigned char)at[i]))
					return NULL;
		at++;
	}
	return at + 1;
}

static const char *
json_value(const char *at)
{
	char *end;

	if (*at == '"')
		return json_string(at);
	if (strncmp(at, "true", 4) == 0 || strncmp(at, "null", 4) == 0)
		return at + 4;
	if (strncmp(at, "false", 5) == 0)
		return at + 5;
	if (*at != '-' && !isdigit((unsigned char)*at))
		return NULL;
	strtod(at, &end);
	return end;
}

static bool
is_json_object(const char *at)
{
	if (*at++ != '{')
		return false;
	do {
		if ((at = json_string(at)) == NULL || *at++ != ':')
			return false;
		if ((at = json_value(at)) == NULL)
			return false;
	} while (*at++ == ',');
	return at[-1] == '}' && *at == '\0';
}

START_TEST(json_checker_knows_json)
{
	must(is_json_object("{\"a\":\"x \\u00e9 \\\"\",\"b\":-1.5,\"c\":true}"));
	must(!is_json_object("{\"a\":\"x}") && !is_json_object("{\"a\":1,}"));
	must(!is_json_object("{\"a\":\"\\x1b\"}") && !is_json_object("{a:1}"));
	must(!is_json_object("{\"a\":1} x") && !is_json_object("{\"a\":\"\t\"}"));
}
END_TEST

START_TEST(every_json_line_is_an_object)
{
	static const char *const wanted[] = { "\"event\":\"start\"", "\"event\":\"exit\"",
		"\"service\":\"tell\"", "\"level\":\"info\"", "\"event\":\"stderr\"", "\"time\":\"20" };
	struct daemon *d;
	char *line, *rest, address[64], more[256];
	int fd;

	snprintf(address, sizeof address, "unix:@json-%d", (int)getpid());
	snprintf(more, sizeof more, "log_format = json\n[services]\ntell = %s tostderr\n", address);
	d = start_with_file(more);
	fd = dial_to(address);

	put_bytes(fd, "quotes \" and \\ and \t and \x01\x7f and \xff\xc3\xa9\n", 37);
	close(fd);
	await(strstr(read_file(log_file), "\"event\":\"exit\"") != NULL);
	daemon_stop(d);
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
		if (strstr(read_file(log_file), wanted[i]) == NULL)
			flunk("no %s in the log:\n%s", wanted[i], read_file(log_file));
	for (line = strtok_r(read_file(log_file), "\n", &rest); line != NULL;
	    line = strtok_r(NULL, "\n", &rest))
		if (!is_json_object(line))
			flunk("not a JSON object: %s", line);
}
END_TEST

/* --- the file */

START_TEST(renamed_log_file_is_left_at_a_reload)
{
	struct daemon *d = start_with_file("[services]\nhold = 127.0.0.1:0 hold\n");
	char old[256];
	const char *address = address_of(d, "hold", 0);

	snprintf(old, sizeof old, "%s.1", log_file);
	one_session(d, "hold");
	await_log(d, "exit", "service=hold");
	must(rename(log_file, old) == 0);
	kill(d->pid, SIGHUP);
	await(access(log_file, F_OK) == 0);
	close(dial_to(address));
	await(strstr(read_file(log_file), " exit service=hold ") != NULL);
	must(strstr(read_file(old), " exit service=hold ") != NULL);
	daemon_stop(d);
}
END_TEST

START_TEST(log_file_is_reopened_even_when_the_configuration_is_broken)
{
	struct daemon *d = start_with_file("[services]\nhold = 127.0.0.1:0 hold\n");
	char old[256];

	snprintf(old, sizeof old, "%s.1", log_file);
	must(rename(log_file, old) == 0);
	daemon_write(d, "[nonsense\n");
	kill(d->pid, SIGHUP);
	await(strstr(read_file(log_file), "superd.ini:1:") != NULL);
	daemon_stop(d);
}
END_TEST

START_TEST(log_file_is_appended_to)
{
	struct daemon *d = daemon_new();
	char path[200];

	snprintf(path, sizeof path, "%s/log", d->dir);
	write_file(path, "what was there\n");
	daemon_write(d, "[superd]\nlog = %s\n[services]\nhold = 127.0.0.1:0 hold\n", path);
	daemon_run(d, NULL);
	daemon_ready(d);
	daemon_stop(d);
	must(strncmp(read_file(path), "what was there\n", 15) == 0);
	must(strstr(read_file(path), " listen service=hold ") != NULL);
}
END_TEST

START_TEST(log_moves_to_another_file_at_a_reload)
{
	struct daemon *d = start_with_file("[services]\nhold = 127.0.0.1:0 hold\n");
	const char *address = address_of(d, "hold", 0);
	char path[256];

	snprintf(path, sizeof path, "%s/other", d->dir);
	daemon_write(d, "[superd]\nlog = %s\n[services]\nhold = 127.0.0.1:0 hold\n", path);
	kill(d->pid, SIGHUP);
	await(access(path, F_OK) == 0);
	await(strstr(read_file(log_file), " reload ") != NULL ||
	    strstr(read_file(path), " reload ") != NULL);
	close(dial_to(address));
	await(strstr(read_file(path), " exit service=hold ") != NULL);
	must(strstr(read_file(log_file), " exit service=hold ") == NULL);
	daemon_stop(d);
}
END_TEST

/* --- what is told */

START_TEST(level_warning_tells_no_sessions_but_failures)
{
	struct daemon *d = daemon_new();
	char program[200], address[64];

	snprintf(program, sizeof program, "%s/program", d->dir);
	write_file(program, "garbage\n");
	must(chmod(program, 0755) == 0);
	snprintf(address, sizeof address, "unix:@level-%d", (int)getpid());
	daemon_write(d, "[superd]\nlog_level = warning\n"
	    "[services]\nfine = %s hold\nbroken = %s-b %s\n", address, address, program);
	daemon_run(d, NULL);
	daemon_ready(d);
	close(dial_to(address));
	strcat(address, "-b");
	expect_end(dial_to(address));
	await_log(d, "failed", "service=broken");
	must(log_count(d, "start", NULL) == 0 && log_count(d, "listen", NULL) == 0);
	daemon_stop(d);
}
END_TEST

START_TEST(option_v_tells_more)
{
	static const char *const args[] = { "-v", NULL };
	const struct start how = { .args = args };
	struct daemon *d = daemon_new();

	daemon_write(d, "[services]\nhold = 127.0.0.1:0 hold\n");
	daemon_run(d, &how);
	daemon_ready(d);
	kill(d->pid, SIGHUP);
	one_session(d, "hold");
	daemon_stop(d);
	await_log(d, NULL, "~Z debug ");
}
END_TEST

START_TEST(log_sessions_none_tells_refusals_and_failures_only)
{
	struct daemon *d = daemon_start("[services]\nquiet = 127.0.0.1:0 hold\n"
	    "loud = 127.0.0.1:0 hold\n[quiet]\nlog_sessions = none\nmax_sessions = 1\n"
	    "when_full = refuse\n");
	int fd = dial(d, "quiet");

	expect(fd, "held\n");
	expect_end(dial(d, "quiet"));
	await_log(d, "refuse", "service=quiet", "reason=max_sessions");
	close(fd);
	one_session(d, "loud");
	await_log(d, "exit", "service=loud");
	daemon_stop(d);
	must(log_find(d, "start", "service=quiet", NULL) == NULL);
	must(log_find(d, "exit", "service=quiet", NULL) == NULL);
}
END_TEST

START_TEST(log_remote_prefix_hides_the_host)
{
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n"
	    "[hold]\nlog_remote = prefix\n");
	const char *line;

	one_session(d, "hold");
	await_log(d, "exit", "service=hold");
	line = log_line(d, "start", "service=hold", NULL);
	must(strncmp(log_value(line, "remote"), "127.0.0.0", 9) == 0);
	must(strstr(line, "127.0.0.1") == NULL);
	must(strstr(log_line(d, "exit", NULL), "127.0.0.1") == NULL);
	daemon_stop(d);
}
END_TEST

START_TEST(log_remote_none_hides_the_client)
{
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n"
	    "[hold]\nlog_remote = none\nmax_sessions = 1\nwhen_full = refuse\n");
	int fd = dial(d, "hold");

	expect(fd, "held\n");
	expect_end(dial(d, "hold"));
	await_log(d, "refuse", "service=hold");
	close(fd);
	await_log(d, "exit", "service=hold");
	must(strstr(log_line(d, "start", NULL), "127.0.0") == NULL);
	must(strstr(log_line(d, "exit", NULL), "127.0.0") == NULL);
	must(strstr(log_line(d, "refuse", NULL), "127.0.0") == NULL);
	daemon_stop(d);
}
END_TEST

/* --- journald: standard error is the stream that JOURNAL_STREAM names */

static void
name_journal_stream(void)
{
	char stream[64];
	struct stat st;

	if (fstat(STDERR_FILENO, &st) == -1)
		_exit(125);
	snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
	    (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
}

START_TEST(journald_gets_priorities_instead_of_times)
{
	const struct start how = { .prepare = name_journal_stream };
	struct daemon *d = daemon_new();

	daemon_write(d, "[services]\nhold = 127.0.0.1:0 hold\n");
	daemon_run(d, &how);
	daemon_ready(d);
	await(strstr(read_file(d->log_path), "<6>") != NULL);
	log_read(d);
	for (const char *at = d->log; *at != '\0'; at += strcspn(at, "\n") + 1)
		must(at[0] == '<' && isdigit((unsigned char)at[1]) && at[2] == '>');
	must(strstr(d->log, "listen service=hold address=127.0.0.1:") != NULL);
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_log");

	add_case(suite, "forms", NEEDS_NOTHING, TESTS(every_line_has_time_level_and_event,
	    json_checker_knows_json, every_json_line_is_an_object,
	    journald_gets_priorities_instead_of_times));
	add_case(suite, "file", NEEDS_NOTHING, TESTS(renamed_log_file_is_left_at_a_reload,
	    log_file_is_reopened_even_when_the_configuration_is_broken, log_file_is_appended_to,
	    log_moves_to_another_file_at_a_reload));
	add_case(suite, "what is told", NEEDS_NOTHING,
	    TESTS(level_warning_tells_no_sessions_but_failures, option_v_tells_more,
	    log_sessions_none_tells_refusals_and_failures_only, log_remote_prefix_hides_the_host,
	    log_remote_none_hides_the_client));
	return run_suite(suite);
}
