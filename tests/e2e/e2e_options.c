/*
 * The command line: what is printed, what becomes a daemon, and the exit status
 * of each way to fail.
 */
#include "harness.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static char out[1 << 16];

static int
run(const char *const *args)
{
	return superd_output(out, sizeof out, args);
}

/* A file in a fresh directory; the returned daemon only keeps its name. */
static struct daemon *
configuration(const char *text)
{
	struct daemon *d = daemon_new();

	daemon_write(d, "%s", text);
	return d;
}

START_TEST(version_and_help_are_printed)
{
	must(run(ARGS("-V")) == 0);
	must(strncmp(out, "superd", 6) == 0 && strpbrk(out, "0123456789") != NULL);
	must(run(ARGS("-h")) == 0);
	must(strstr(out, "-c FILE") != NULL && strstr(out, "-t") != NULL);
}
END_TEST

START_TEST(wrong_usage_exits_64)
{
	must(run(ARGS("-Z")) == 64);
	must(strstr(out, "Z") != NULL);
	must(run(ARGS("-c")) == 64);
	must(run(ARGS("operand")) == 64);
	must(run(ARGS("--help-me")) == 64);
}
END_TEST

START_TEST(good_file_is_told_ok)
{
	const struct daemon *d = configuration("[services]\na = 127.0.0.1:0 hello\n"
	    "b = 127.0.0.1:0 hello\n");
	char line[256];

	must(run(ARGS("-t", "-c", d->ini, "-s", services())) == 0);
	snprintf(line, sizeof line, "%s: 2 services, ok\n", d->ini);
	if (strcmp(out, line) != 0)
		flunk("got '%s', wanted '%s'", out, line);
}
END_TEST

START_TEST(bad_file_is_told_with_every_mistake)
{
	const struct daemon *d = configuration("[services]\na = 127.0.0.1:0 hello\n"
	    "b = 127.0.0.1:70000 hello\n[a]\nmax_sesions = 5\n[nobodys]\nnice = 3\n");

	must(run(ARGS("-t", "-c", d->ini, "-s", services())) == 78);
	must(strstr(out, "superd.ini:3: [services] b: ") != NULL);
	must(strstr(out, "superd.ini:5: [a] max_sesions: ") != NULL);
	must(strstr(out, "did you mean 'max_sessions'?") != NULL);
	must(strstr(out, "superd.ini:6:") != NULL || strstr(out, "superd.ini:7:") != NULL);
}
END_TEST

START_TEST(absent_file_is_a_mistake)
{
	const struct daemon *d = daemon_new();

	must(run(ARGS("-t", "-c", d->ini)) == 78);
	must(strstr(out, "No such file or directory") != NULL);
}
END_TEST

START_TEST(absent_program_is_a_mistake)
{
	const struct daemon *d = configuration("[services]\na = 127.0.0.1:0 no-such-program\n"
	    "b = 127.0.0.1:0 /etc/passwd\nc = 127.0.0.1:0 ./relative\n");

	must(run(ARGS("-t", "-c", d->ini, "-s", services())) == 78);
	must(strstr(out, "superd.ini:2: [services] a: ") != NULL);
	must(strstr(out, "superd.ini:3: [services] b: ") != NULL);
	must(strstr(out, "superd.ini:4: [services] c: ") != NULL);
}
END_TEST

START_TEST(effective_configuration_reads_back_to_itself)
{
	static char first[sizeof out];
	const struct daemon *d = configuration("[superd]\ngrace = 5m\nlog_level = debug\n"
	    "[defaults]\numask = 077\nenv = A=1 'B=two words' C=x' '';'\n"
	    "[services]\na = 127.0.0.1:0,unix:@x hello -m \"Good day; it's\" ''\n"
	    "b = tcp4:0 printf '%s \"x\" \\ ' '' a\\ b ' ';' '\n"
	    "[b]\ntimeout = 1500ms\nlimit_nofile = 10:20\nrcvbuf = 64k\nwhen_full = refuse\n"
	    "[off]\nlisten = 1\nexec = hello\nenabled = no\n");
	struct daemon *again = daemon_new();

	must(run(ARGS("-T", "-c", d->ini, "-s", services())) == 0);
	strcpy(first, out);
	must(strstr(first, "[b]") != NULL && strstr(first, "umask = 077") != NULL);
	write_file(again->ini, first);
	if (run(ARGS("-T", "-c", again->ini, "-s", services())) != 0)
		flunk("the output is not read back: %s\n--- it was:\n%s", out, first);
	if (strcmp(first, out) != 0)
		flunk("--- first:\n%s--- read back:\n%s", first, out);
	must(run(ARGS("-t", "-c", again->ini, "-s", services())) == 0);
}
END_TEST

START_TEST(full_disk_behind_standard_output_is_told_and_exits_71)
{
	static const char *const options[] = { "-t", "-T", "-h", "-V" };
	const struct daemon *d = configuration("[services]\na = 127.0.0.1:0 hello\n");
	char command[512];

	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		FILE *told;
		size_t len;
		int status;

		snprintf(command, sizeof command, "exec '%s' %s -c '%s' -s '%s' 2>&1 >/dev/full",
		    getenv("SUPERD"), options[i], d->ini, services());
		told = popen(command, "r");
		must(told != NULL);
		len = fread(out, 1, sizeof out - 1, told);
		out[len] = '\0';
		status = pclose(told);
		if (WEXITSTATUS(status) != 71)
			flunk("%s: exit status %d", options[i], WEXITSTATUS(status));
		if (i < 2 && strstr(out, "standard output cannot be written\n") == NULL)
			flunk("%s told: '%s'", options[i], out);
	}
}
END_TEST

START_TEST(closed_folder_on_the_way_to_a_program_is_named)
{
	struct daemon *d = daemon_new();
	char folder[200], program[256], hello[256];

	snprintf(folder, sizeof folder, "%s/closed", d->dir);
	snprintf(program, sizeof program, "%s/program", folder);
	snprintf(hello, sizeof hello, "%s/hello", services());
	must(mkdir(folder, 0755) == 0);
	copy_program(hello, program);
	daemon_write(d, "[services]\na = 127.0.0.1:0 %s\n", program);
	must(run(ARGS("-t", "-c", d->ini)) == 0);
	must(chmod(folder, 0700) == 0);		/* of root: nobody cannot pass */
	must(run(ARGS("-t", "-c", d->ini)) == 78);
	must(strstr(out, folder) != NULL && strstr(out, "superd.ini:2: [services] a: ") != NULL);
	daemon_write(d, "[services]\na = 127.0.0.1:0 %s\n[a]\nuser = root\n", program);
	must(run(ARGS("-t", "-c", d->ini)) == 0);
}
END_TEST

/* --- daemon */

static pid_t
pid_in(const char *path)
{
	return (pid_t)strtol(read_file(path), NULL, 10);
}

START_TEST(pid_file_is_written_and_removed)
{
	struct daemon *d = daemon_new();
	char path[200];
	const char *const args[] = { "-p", path, NULL };
	const struct start how = { .args = args };

	snprintf(path, sizeof path, "%s/superd.pid", d->dir);
	daemon_write(d, "[services]\nhold = 127.0.0.1:0 hold\n");
	daemon_run(d, &how);
	daemon_ready(d);
	await(pid_in(path) == d->pid);
	must(strchr(read_file(path), '\n') != NULL);
	daemon_stop(d);
	must(access(path, F_OK) == -1);
}
END_TEST

START_TEST(pid_file_key_is_obeyed)
{
	struct daemon *d = daemon_new();
	char path[200];

	snprintf(path, sizeof path, "%s/key.pid", d->dir);
	daemon_write(d, "[superd]\npid_file = %s\n[services]\nhold = 127.0.0.1:0 hold\n", path);
	daemon_run(d, NULL);
	daemon_ready(d);
	await(pid_in(path) == d->pid);
	daemon_stop(d);
	must(access(path, F_OK) == -1);
}
END_TEST

START_TEST(pid_file_outlives_the_configuration_that_named_it)
{
	struct daemon *d = daemon_new();
	char path[200], other[200];

	snprintf(path, sizeof path, "%s/key.pid", d->dir);
	snprintf(other, sizeof other, "%s/other.pid", d->dir);
	daemon_write(d, "[superd]\npid_file = %s\n[services]\nhold = 127.0.0.1:0 hold\n", path);
	daemon_run(d, NULL);
	daemon_ready(d);
	daemon_reload(d, "[superd]\npid_file = %s\n[services]\nhold = 127.0.0.1:0 hold\n", path);
	must(log_find(d, "warning", NULL) == NULL);
	daemon_reload(d, "[superd]\npid_file = %s\n[services]\nhold = 127.0.0.1:0 hold\n", other);
	await_log(d, "warning", "~pid_file", "~takes a restart", "~key.pid");
	log_mark(d);
	daemon_reload(d, "[services]\nhold = 127.0.0.1:0 hold\n");
	await_log(d, "warning", "~pid_file", "~takes a restart", "~key.pid");
	must(pid_in(path) == d->pid);
	must(access(other, F_OK) == -1);
	daemon_stop(d);
	must(access(path, F_OK) == -1);
}
END_TEST

START_TEST(pid_file_of_the_command_line_hides_the_key_from_a_reload)
{
	struct daemon *d = daemon_new();
	char path[200];
	const char *const args[] = { "-p", path, NULL };
	const struct start how = { .args = args };

	snprintf(path, sizeof path, "%s/superd.pid", d->dir);
	daemon_write(d, "[services]\nhold = 127.0.0.1:0 hold\n");
	daemon_run(d, &how);
	daemon_ready(d);
	daemon_reload(d, "[superd]\npid_file = %s/other\n[services]\nhold = 127.0.0.1:0 hold\n", d->dir);
	must(log_find(d, "warning", NULL) == NULL);
	must(pid_in(path) == d->pid);
	daemon_stop(d);
	must(access(path, F_OK) == -1);
}
END_TEST

START_TEST(option_d_makes_a_daemon)
{
	struct daemon *d = daemon_new();
	char path[200];
	const char *const args[] = { "-D", "-p", path, NULL };
	const struct start how = { .args = args };
	pid_t starter;

	snprintf(path, sizeof path, "%s/superd.pid", d->dir);
	snprintf(d->log_path, sizeof d->log_path, "%s/stderr", d->dir);
	daemon_write(d, "[superd]\nlog = %s/log\n[services]\nhold = 127.0.0.1:0 hold\n", d->dir);
	daemon_run(d, &how);
	starter = d->pid;
	must(daemon_exit_status(d) == 0);
	d->pid = pid_in(path);		/* ready: everything is there at once */
	must(d->pid > 0 && d->pid != starter);
	snprintf(d->log_path, sizeof d->log_path, "%s/log", d->dir);
	must(getsid(d->pid) != getsid(0) && getpgid(d->pid) != getpgid(0));
	expect(dial(d, "hold"), "held\n");
	daemon_stop(d);		/* the orphan is this test's child, see adopt_orphans() */
	must(access(path, F_OK) == -1);
}
END_TEST

START_TEST(starter_exits_78_when_the_configuration_is_wrong)
{
	struct daemon *d = configuration("[superd]\nlog = /dev/null\n[x]\nlisten = 1\n");

	must(run(ARGS("-D", "-c", d->ini, "-s", services())) == 78);
	must(strstr(out, "superd.ini:") != NULL);
}
END_TEST

START_TEST(daemon_holds_nothing_of_its_starter)
{
	struct daemon *d = daemon_new();
	char path[200], where[64], seen[64];
	ssize_t len;

	snprintf(path, sizeof path, "%s/superd.pid", d->dir);
	daemon_write(d, "[superd]\nlog = %s/log\n[services]\nhold = 127.0.0.1:0 hello\n", d->dir);
	/* The output comes to its end: the daemon does not keep it open. */
	must(run(ARGS("-D", "-p", path, "-c", d->ini, "-s", services())) == 0);
	must(out[0] == '\0');
	d->pid = pid_in(path);
	must(d->pid > 0);
	snprintf(where, sizeof where, "/proc/%d/cwd", (int)d->pid);
	len = readlink(where, seen, sizeof seen);
	must(len == 1 && seen[0] == '/');
	daemon_stop(d);
}
END_TEST

START_TEST(daemon_must_not_log_to_stderr)
{
	struct daemon *d = configuration("[superd]\nlog = stderr\n"
	    "[services]\nhold = 127.0.0.1:0 hello\n");

	must(run(ARGS("-D", "-c", d->ini, "-s", services())) == 78);
	must(strstr(out, "superd.ini:2: [superd] log: ") != NULL);
}
END_TEST

/* --- what the system refuses */

static int
status_as_user(const char *text, void (*prepare)(void), struct daemon **kept)
{
	const struct start how = { .uid = geteuid() == 0 ? unused_uid() : 0, .prepare = prepare };
	struct daemon *d = daemon_new();

	daemon_write(d, "%s", text);
	daemon_run(d, &how);
	*kept = d;
	return daemon_exit_status(d);
}

START_TEST(privileged_port_of_an_ordinary_user_exits_71)
{
	struct daemon *d;

	if (geteuid() == 0)
		enter_netns();		/* where the limit is the kernel's own, 1024 */
	else if (strtol(read_file("/proc/sys/net/ipv4/ip_unprivileged_port_start"), NULL, 10) <= 7) {
		printf("SKIPPED: privileged_port_of_an_ordinary_user_exits_71: none is privileged\n");
		return;
	}
	must(status_as_user("[services]\nlow = 127.0.0.1:7 hello\n", NULL, &d) == 71);
	await_log(d, NULL, "~127.0.0.1:7", "~ermission denied");
}
END_TEST

START_TEST(starter_exits_71_when_the_system_refuses)
{
	static const char *const args[] = { "-D", NULL };
	struct start how = { .uid = unused_uid(), .args = args };
	struct daemon *d = daemon_new();

	enter_netns();
	daemon_write(d, "[superd]\nlog = %s/log\n[services]\nlow = 127.0.0.1:7 hello\n", d->dir);
	daemon_run(d, &how);
	must(daemon_exit_status(d) == 71);
	snprintf(d->log_path, sizeof d->log_path, "%s/log", d->dir);
	await_log(d, "error", "~127.0.0.1:7", "~ermission denied");
}
END_TEST

static void
few_descriptors(void)
{
	const struct rlimit few = { .rlim_cur = 64, .rlim_max = 64 };

	setrlimit(RLIMIT_NOFILE, &few);
}

START_TEST(more_addresses_than_descriptors_is_an_error)
{
	static char text[8192] = "[services]\n";
	struct daemon *d;

	for (int i = 0; i < 100; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text),
		    "s%d = 127.0.0.1:0 hello\n", i);
	must(status_as_user(text, few_descriptors, &d) == 78);
	await_log(d, NULL, "~64", "~descriptor");
}
END_TEST

START_TEST(ordinary_user_cannot_promise_what_is_roots)
{
	static const char *const keys[] = { "user = root", "nice = -5", "group = 0",
		"limit_nofile = 64:128", "chroot = /" };
	struct daemon *d;

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		char text[256], key[32];

		snprintf(text, sizeof text, "[services]\na = 127.0.0.1:0 hello\n[a]\n%s\n", keys[i]);
		snprintf(key, sizeof key, "~[a] %.*s: ", (int)strcspn(keys[i], " "), keys[i]);
		if (status_as_user(text, few_descriptors, &d) != 78)
			flunk("'%s' of an ordinary user is no error", keys[i]);
		await_log(d, NULL, "~superd.ini:4:", key);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_options");

	add_case(suite, "printed", NEEDS_NOTHING, TESTS(version_and_help_are_printed,
	    wrong_usage_exits_64, good_file_is_told_ok, bad_file_is_told_with_every_mistake,
	    absent_file_is_a_mistake, absent_program_is_a_mistake,
	    effective_configuration_reads_back_to_itself,
	    full_disk_behind_standard_output_is_told_and_exits_71));
	add_case(suite, "checked for another user", NEEDS_ROOT,
	    TESTS(closed_folder_on_the_way_to_a_program_is_named));
	add_case(suite, "daemon", NEEDS_NOTHING, TESTS(pid_file_is_written_and_removed,
	    pid_file_key_is_obeyed, pid_file_outlives_the_configuration_that_named_it,
	    pid_file_of_the_command_line_hides_the_key_from_a_reload, option_d_makes_a_daemon,
	    starter_exits_78_when_the_configuration_is_wrong, daemon_must_not_log_to_stderr));
	add_case(suite, "daemon and /proc", NEEDS_PROC | NEEDS_NO_VALGRIND,
	    TESTS(daemon_holds_nothing_of_its_starter));
	add_case(suite, "refused to a daemon", NEEDS_ROOT | NEEDS_NETNS | NEEDS_NO_VALGRIND,
	    TESTS(starter_exits_71_when_the_system_refuses));
	add_case(suite, "refused by the system", NEEDS_PROC | NEEDS_NO_VALGRIND,
	    TESTS(privileged_port_of_an_ordinary_user_exits_71,
	    more_addresses_than_descriptors_is_an_error,
	    ordinary_user_cannot_promise_what_is_roots));
	return run_suite(suite);
}
