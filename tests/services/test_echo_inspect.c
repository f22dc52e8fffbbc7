/*
 * echo: bytes come back as they are, on every kind of descriptor; inspect:
 * what it tells of a process that the test has set up.
 */
#include "filter.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define BULK 5000000

START_TEST(echo_answers_as_input_arrives)
{
	static const char input[] = "a\0b\377c\r\n\n";

	for (size_t cut = 1; cut < sizeof input; cut++) {
		struct filter filter = filter_start(PACKETS, ARGS("echo"));

		filter_send(&filter, input, cut);
		filter_expect(&filter, input, cut);
		filter_send(&filter, input + cut, sizeof input - cut);
		filter_expect(&filter, input + cut, sizeof input - cut);
		filter_end_input(&filter);
		filter_expect_end(&filter);
		ck_assert_int_eq(filter_wait(&filter), 0);
	}
}
END_TEST

static char *
noise(size_t size)
{
	char *data = malloc(size);
	unsigned seed = 7;

	ck_assert_ptr_nonnull(data);
	for (size_t i = 0; i < size; i++)
		data[i] = (char)((seed = seed * 1103515245u + 12345u) >> 16);
	return data;
}

START_TEST(echo_bulk_is_exact)
{
	static const enum channel channels[] = { PIPES, STREAM, NARROW, TCP };
	char *input = noise(BULK);
	struct result result = filter_run(channels[_i], ARGS("echo"), input, BULK);

	ck_assert_int_eq(result.status, 0);
	ck_assert_uint_eq(result.size, BULK);
	ck_assert(memcmp(result.data, input, BULK) == 0);
	free(result.data);
	free(input);
}
END_TEST

START_TEST(echo_client_that_leaves_is_no_failure)
{
	static const enum channel channels[] = { STREAM, TCP };
	struct filter filter = filter_start(channels[_i], ARGS("echo"));
	char *input = noise(200000);

	ck_assert_int_gt(write(filter.in, input, 200000), 0);
	free(input);
	ck_assert_int_eq(filter_finish(&filter), 0);
}
END_TEST

static const char *const calls[][2] = {
	{ "echo", "-n" }, { "echo", "word" }, { "inspect", "-x" },
};

START_TEST(wrong_call_is_refused)
{
	filter_check_usage(ARGS(calls[_i][0], calls[_i][1]));
}
END_TEST

START_TEST(help)
{
	filter_check_help(_i == 0 ? "echo" : "inspect");
}
END_TEST

/* Each change shows in one line of inspect's output. */
static void
set_environment(void)
{
	setenv("ZETA", "", 1);
	setenv("ALPHA", "a=b c", 1);
	setenv("ODD", "one\ntwo\t\\\177\303\244", 1);
}

static void
set_umask(void)
{
	umask(07);
}

static void
set_folder(void)
{
	if (chdir("/") == -1)
		_exit(125);
}

static void
set_nice(void)
{
	setpriority(PRIO_PROCESS, 0, 7);
}

static void
set_limits(void)
{
	const struct rlimit files = { 100, 200 }, core = { 0, 0 };

	setrlimit(RLIMIT_NOFILE, &files);
	setrlimit(RLIMIT_CORE, &core);
}

static void
set_privileges(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void
set_signals(void)
{
	sigset_t set;

	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

static void
clear_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	for (int number = 1; number < 32; number++)
		signal(number, SIG_DFL);
}

static void
set_session(void)
{
	setsid();
}

static void
set_descriptors(void)
{
	dup2(open("/dev/null", O_RDONLY), 5);
	dup2(open("/", O_RDONLY | O_DIRECTORY), 6);
	fcntl(6, F_SETFL, O_NONBLOCK);
	close(2);
}

static const struct {
	void (*prepare)(void);
	const char *wanted;		/* whole lines */
} facts[] = {
	{ set_environment,
	    "ALPHA=a=b c\nODD=one\\ntwo\\x09\\\\\\x7f\303\244\nZETA=\nenvironment=3\nfd.0=" },
	{ NULL, "environment=0\nfd.0=pipe read\nfd.1=pipe write\nfd.2=character write\nuid=" },
	{ set_descriptors, "\nfd.5=character read\nfd.6=directory read nonblocking\n" },
	{ set_umask, "\numask=007\n" },
	{ set_folder, "\ncwd=/\n" },
	{ set_nice, "\nnice=7\n" },
	{ set_limits, "\nlimit_nofile=100:200\n" },
	{ set_limits, "\nlimit_core=0:0\n" },
	{ set_privileges, "\nno_new_privs=1\n" },
	{ set_signals, "\nsignals_ignored=HUP PIPE\nsignals_blocked=USR1 TERM\n" },
	{ clear_signals, "\nsignals_ignored=\nsignals_blocked=\n" },
	{ NULL, "\nargv.0=inspect\nargv.1=one\\ntwo\nargv.2=\n" },
};

START_TEST(inspect_tells)
{
	struct filter filter = filter_start_with(PIPES, ARGS("inspect", "one\ntwo", ""),
	    facts[_i].prepare);
	struct result result = filter_rest(&filter);

	ck_assert_int_eq(result.status, 0);
	ck_assert_msg(strstr(result.data, facts[_i].wanted) != NULL, "no '%s' in:\n%s",
	    facts[_i].wanted, result.data);
	free(result.data);
}
END_TEST

START_TEST(inspect_names_processes)
{
	struct filter filter = filter_start_with(PIPES, ARGS("inspect"), set_session);
	struct result result = filter_rest(&filter);
	char wanted[200];
	int pid = (int)filter.pid;

	snprintf(wanted, sizeof wanted, "\npid=%d\nppid=%d\nsid=%d\npgid=%d\n", pid, (int)getpid(),
	    pid, pid);
	ck_assert_msg(strstr(result.data, wanted) != NULL, "no '%s' in:\n%s", wanted, result.data);
	snprintf(wanted, sizeof wanted, "\nuid=%u\neuid=%u\n", (unsigned)getuid(),
	    (unsigned)geteuid());
	ck_assert_msg(strstr(result.data, wanted) != NULL, "no '%s' in:\n%s", wanted, result.data);
	free(result.data);
}
END_TEST

START_TEST(inspect_names_sockets)
{
	static const struct {
		enum channel channel;
		const char *wanted;
	} sockets[] = {
		{ STREAM, "fd.0=socket unix stream read write\n"
		    "fd.1=socket unix stream read write\n" },
		{ PACKETS, "fd.0=socket unix seqpacket read write\n" },
		{ TCP, "fd.0=socket inet stream read write\n" },
	};
	struct filter filter = filter_start(sockets[_i].channel, ARGS("inspect"));
	struct result result = filter_rest(&filter);

	ck_assert_msg(strstr(result.data, sockets[_i].wanted) != NULL, "%s", result.data);
	free(result.data);
}
END_TEST

static Suite *
echo_inspect_suite(void)
{
	Suite *suite = suite_create("echo and inspect");
	TCase *tc = filter_case("echo");

	tcase_add_test(tc, echo_answers_as_input_arrives);
	tcase_add_loop_test(tc, echo_bulk_is_exact, 0, 4);
	tcase_add_loop_test(tc, echo_client_that_leaves_is_no_failure, 0, 2);
	tcase_add_loop_test(tc, wrong_call_is_refused, 0, ARRAY_LEN(calls));
	tcase_add_loop_test(tc, help, 0, 2);
	suite_add_tcase(suite, tc);
	tc = filter_case("inspect");
	tcase_add_loop_test(tc, inspect_tells, 0, ARRAY_LEN(facts));
	tcase_add_test(tc, inspect_names_processes);
	tcase_add_loop_test(tc, inspect_names_sockets, 0, 3);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return filter_main(echo_inspect_suite());
}
