/*
 * The ways of making a child: with superd's memory, with its descriptors too
 * where those are many, and by fork.  What a program gets is the same.
 */
#include "harness_faults.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <unistd.h>

#define MANY	300	/* addresses: more descriptors than superd would copy for each child */
#define SOON	8	/* seconds; before EXECUTE_MS (bounds.h), when superd sees after its children */

/* What the services are in both kinds of daemon; "lives" ends its connection and lives on. */
#define SERVICES "inspect = 127.0.0.1:0 inspect\nhold = 127.0.0.1:0 hold\n"		\
	"true = 127.0.0.1:0 true\n"							\
	"lives = 127.0.0.1:0 /bin/sh -c 'echo bye; exec sleep 600 <&- >&-'\n"		\
	"accepter = 127.0.0.1:0 accepter\n[accepter]\nwait = yes\n"			\
	"[true]\nstderr = null\n"							\
	"[inspect]\nbanner = /etc/hostname\ntraffic = yes\n"

/* Whether a child may share superd's memory here, as superd(8) says. */
static bool
can_share(void)
{
	struct utsname name;
	unsigned major = 0, minor = 0;
	const char *forked = getenv("SUPERD_FORK"), *variant = getenv("VARIANT");

	if ((forked != NULL && strcmp(forked, "0") != 0) || getenv("VALGRIND") != NULL ||
	    (variant != NULL && strcmp(variant, "asan") == 0))
		return false;
	must(uname(&name) == 0 && sscanf(name.release, "%u.%u", &major, &minor) == 2);
#if !defined(__x86_64__) && !defined(__aarch64__)
	return false;
#endif
	return (major > 5 || (major == 5 && minor >= 16)) &&
	    *read_file("/proc/sys/fs/suid_dumpable") != '1';
}

/* A counter of children that superd tells at SIGUSR1. */
static long
told(struct daemon *d, const char *field)
{
	long number;
	size_t mark = d->mark;

	log_mark(d);
	must(kill(d->pid, SIGUSR1) == 0);
	await_log(d, "status", "shared=*");
	number = log_number(log_line(d, "status", "shared=*", NULL), field);
	d->mark = mark;
	return number;
}

/* Lines of [services]: none, or of more than LOW_DESCRIPTORS (bounds.h) addresses. */
static const char *
addresses(bool many)
{
	static char text[MANY * 64];
	size_t len = 0;

	for (int i = 0; i < (many ? MANY : 0); i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "m%d = unix:@superd-%d-%d true\n",
		    i, (int)getpid(), i);
	text[len] = '\0';
	return text;
}

static struct daemon *
start(bool many)
{
	return daemon_start("[services]\n%s" SERVICES, addresses(many));
}

/* --- each with few descriptors (0) and with many (1) */

START_TEST(children_are_made_the_fast_way_where_that_is_possible)
{
	struct daemon *d = start(_i == 1);

	for (int i = 0; i < 40; i++)
		expect_end(dial(d, "true"));
	must(told(d, "shared") == (can_share() ? 40 : 0));
	must(told(d, "forked") == (can_share() ? 0 : 40));
	must((log_find(d, "status", "shared=*", "why=*", NULL) == NULL) == can_share());
	daemon_stop(d);
}
END_TEST

START_TEST(program_gets_its_connection_and_nothing_else)
{
	struct daemon *d = start(_i == 1);
	char banner[256];
	const char *slate;

	snprintf(banner, sizeof banner, "%s", read_file("/etc/hostname"));
	for (int i = 0; i < 10; i++) {
		slate = drain(dial(d, "inspect"));
		must(strncmp(slate, banner, strlen(banner)) == 0);
		slate += strlen(banner);
		must_have_descriptors(slate, "socket inet stream read write", "pipe write");
		must_be_clean(slate, d);
	}
	await_count(d, 10, "exit", "service=inspect", "status=0");
	daemon_stop(d);
}
END_TEST

START_TEST(end_of_a_connection_does_not_wait_for_the_end_of_the_program)
{
	struct daemon *d = start(_i == 1);
	int fd = dial(d, "lives");

	expect(fd, "bye\n");
	expect_end(fd);
	must(log_find(d, "exit", "service=lives", NULL) == NULL);
	must(kill(d->pid, SIGTERM) == 0);
	await_log(d, "stop");
	must(kill(d->pid, SIGTERM) == 0);		/* without the grace */
	must(daemon_exit_status(d) == 0);
}
END_TEST

/* It sleeps whenever it is looked at. */
static bool
rests(pid_t pid)
{
	for (int i = 0; i < 200; i++)
		if (state_of(pid) != 'S')
			return false;
	return true;
}

/*
 * The log is silent too, and nothing else wakes superd before it sees after a
 * child that has not executed: the child has to call.
 */
START_TEST(end_of_a_connection_does_not_wait_for_anything_else)
{
	struct daemon *d = daemon_start("[services]\n%s"
	    "lives = 127.0.0.1:0 /bin/sh -c 'echo bye; exec sleep 600 <&- >&-'\n"
	    "[lives]\nlog_sessions = none\nstderr = null\n", addresses(_i == 1));

	for (int i = 0; i < 20; i++) {
		const struct timeval limit = { .tv_sec = SOON };
		int fd = dial(d, "lives");

		expect(fd, "bye\n");
		must(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
		expect_end(fd);
	}
	await(rests(d->pid));		/* and it has heard the call */
	must(kill(d->pid, SIGTERM) == 0);
	await_log(d, "stop");
	must(kill(d->pid, SIGTERM) == 0);		/* without the grace */
	must(daemon_exit_status(d) == 0);
}
END_TEST

START_TEST(a_burst_is_served_and_its_descriptors_are_given_back)
{
	enum { BURST = 250 };
	struct daemon *d = daemon_start("[services]\n%shold = 127.0.0.1:0 hold\n"
	    "[hold]\nmax_sessions = 1000\nmax_per_source = 1000\nstderr = null\n", addresses(_i == 1));
	int fds[BURST];
	unsigned before;

	log_settle(d);			/* telling that it is ready takes a socket */
	before = open_descriptors(d->pid);
	address_of(d, "hold", 0);			/* a stopped daemon could not tell it */
	must(kill(d->pid, SIGSTOP) == 0);		/* so that all are there at once */
	await(state_of(d->pid) == 'T');
	for (int i = 0; i < BURST; i++)
		fds[i] = dial(d, "hold");
	must(kill(d->pid, SIGCONT) == 0);
	for (int i = 0; i < BURST; i++)
		expect(fds[i], "held\n");
	await(open_descriptors(d->pid) == before);
	must(told(d, "shared") + told(d, "forked") == BURST);
	daemon_stop(d);
}
END_TEST

START_TEST(listening_socket_is_lent)
{
	struct daemon *d = start(_i == 1);
	int fd = dial(d, "accepter");
	char wanted[256];
	long pid;

	await_log(d, "start", "service=accepter");
	pid = log_number(log_line(d, "start", "service=accepter", NULL), "pid");
	snprintf(wanted, sizeof wanted, "pid=%ld listen_pid=%ld listen_fds=1 proto=TCP remote=none "
	    "listening=1 three=1 one=1 blocking=1 next=4\n",
	    pid, pid);
	expect(fd, wanted);
	close(fd);
	daemon_stop(d);
}
END_TEST

START_TEST(failure_is_reported)
{
	struct daemon *d = daemon_new();
	char program[224];

	snprintf(program, sizeof program, "%s/program", d->dir);
	copy_program("/bin/true", program);
	daemon_write(d, "[services]\nx = 127.0.0.1:0 %s\ntrue = 127.0.0.1:0 true\n", program);
	daemon_run(d, NULL);
	daemon_ready(d);
	must(unlink(program) == 0);
	expect_end(dial(d, "x"));
	await_log(d, "failed", "service=x", "stage=exec", "error=\"No such file or directory\"");
	expect_end(dial(d, "true"));
	daemon_stop(d);
}
END_TEST

/* --- the switch */

static void
force_fork(void)
{
	setenv("SUPERD_FORK", "1", 1);
}

static void
lead_a_group(void)
{
	(void)setpgid(0, 0);
}

START_TEST(fork_can_be_forced)
{
	const struct start how = { .prepare = force_fork };
	struct daemon *d = daemon_new();

	daemon_write(d, "[services]\ntrue = 127.0.0.1:0 true\n");
	daemon_run(d, &how);
	daemon_ready(d);
	for (int i = 0; i < 5; i++)
		expect_end(dial(d, "true"));
	must(told(d, "forked") == 5);
	must(told(d, "shared") == 0);
	await_log(d, "status", "forked=5", "why=\"SUPERD_FORK is set\"");
	daemon_stop(d);
}
END_TEST

/* Filters of containers know no clone3, since they cannot look at its flags: it says ENOSYS there. */
START_TEST(container_without_clone3_is_no_reason_to_fork)
{
	static const long calls[] = { SYS_clone3, -1 };
	struct daemon *d = daemon_new();

	daemon_write(d, "[services]\ntrue = 127.0.0.1:0 true\n");
	faults_run(d, calls);
	faults_set(ENOSYS, 1000);
	daemon_ready(d);
	for (int i = 0; i < 5; i++)
		expect_end(dial(d, "true"));
	must(told(d, "shared") == (can_share() ? 5 : 0));
	daemon_stop(d);
}
END_TEST

START_TEST(where_sharing_is_forbidden_children_are_forked_and_it_is_told)
{
	static const long calls[] = { SYS_clone, -1 };
	struct daemon *d = daemon_new();

	if (!can_share())
		return;
	daemon_write(d, "[services]\ntrue = 127.0.0.1:0 true\n");
	faults_run(d, calls);
	daemon_ready(d);
	expect_end(dial(d, "true"));
	faults_set(EPERM, 1);
	for (int i = 0; i < 3; i++)
		expect_end(dial(d, "true"));
	must(told(d, "shared") == 1);
	must(told(d, "forked") == 3);
	await_log(d, "status", "forked=3", "why=\"sharing clone(2) is not allowed\"");
	daemon_stop(d);
}
END_TEST

/* Of signals that come while superd does not read them, all but one are lost. */
START_TEST(who_dies_together_among_many_is_missed_by_nobody)
{
	enum { LIVE = 40, DYING = 24 };		/* more than SWEEP_SMALL of bounds.h */
	struct daemon *d = start(false);
	int fds[LIVE + DYING];

	for (int i = 0; i < LIVE + DYING; i++)
		expect(fds[i] = dial(d, "hold"), "held\n");
	must(kill(d->pid, SIGSTOP) == 0);
	await(state_of(d->pid) == 'T');
	for (int i = 0; i < DYING; i++)		/* old ones and new ones */
		close(fds[i % 2 == 0 ? i : LIVE + i]);
	await(children_of(d->pid, 'Z') == DYING);
	must(kill(d->pid, SIGCONT) == 0);
	await_count(d, DYING, "exit", "service=hold");
	must(children_of(d->pid, 0) == LIVE);
	daemon_stop(d);
}
END_TEST

/* A child is in superd's process group until it has one of its own, and may get what superd is to get. */
START_TEST(signal_to_the_group_of_superd_ends_no_child)
{
	enum { ROUNDS = 20, AT_ONCE = 16 };
	const struct start how = { .prepare = lead_a_group };
	struct daemon *d = daemon_new();
	int fds[AT_ONCE];

	daemon_write(d, "[services]\ntrue = 127.0.0.1:0 true\n");
	daemon_run(d, &how);
	daemon_ready(d);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < AT_ONCE; i++) {
			fds[i] = dial(d, "true");
			must(kill(-d->pid, SIGUSR1) == 0);
		}
		for (int i = 0; i < AT_ONCE; i++)
			expect_end(fds[i]);
	}
	must(log_find(d, "failed", NULL) == NULL);
	await_count(d, ROUNDS * AT_ONCE, "exit", "service=true", "status=0");
	daemon_stop(d);
}
END_TEST

/* A child looks up the users, so that nothing of that stays in superd. */
START_TEST(no_name_service_stays_in_memory)
{
	struct daemon *d = start(false);
	char path[64];

	expect_end(dial(d, "true"));
	snprintf(path, sizeof path, "/proc/%d/maps", (int)d->pid);
	must(strstr(read_file(path), "superd") != NULL);
	must(strstr(read_file(path), "libnss_") == NULL);
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_launch");
	TCase *ways = tcase_create("ways");

	tcase_add_checked_fixture(ways, adopt_orphans, kill_daemons);
	tcase_add_loop_test(ways, children_are_made_the_fast_way_where_that_is_possible, 0, 2);
	tcase_add_loop_test(ways, program_gets_its_connection_and_nothing_else, 0, 2);
	tcase_add_loop_test(ways, end_of_a_connection_does_not_wait_for_the_end_of_the_program, 0, 2);
	tcase_add_loop_test(ways, end_of_a_connection_does_not_wait_for_anything_else, 0, 2);
	tcase_add_loop_test(ways, a_burst_is_served_and_its_descriptors_are_given_back, 0, 2);
	tcase_add_loop_test(ways, listening_socket_is_lent, 0, 2);
	suite_add_tcase(suite, ways);
	add_case(suite, "switch", NEEDS_NOTHING, TESTS(failure_is_reported, fork_can_be_forced,
	    who_dies_together_among_many_is_missed_by_nobody, no_name_service_stays_in_memory,
	    signal_to_the_group_of_superd_ends_no_child));
	add_case(suite, "filters", NEEDS_FAULTS | NEEDS_NO_VALGRIND,
	    TESTS(container_without_clone3_is_no_reason_to_fork,
	    where_sharing_is_forbidden_children_are_forked_and_it_is_told));
	return run_suite(suite);
}
