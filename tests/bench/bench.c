/*
 * bench.c - how superd compares: with the floor (the barest server there can
 * be), with its peers, and with itself under worse conditions.  Everything is
 * a ratio of two things measured in turn; nothing here is a verdict.
 *
 *	bench [-q] [-r ROUNDS] [-t SECONDS] [-n NICE] [-p FOLDERS] -o OUT -s STAGE [SCENARIO ...]
 */
#include <errno.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "candidates.h"
#include "report.h"

#define CHILDREN	16

/* Short and often: the nearer two loads are in time, the more alike is the machine to them. */
struct bench bench = { .rounds = 15, .seconds = 0.2 };

static const struct scenario scenarios[] = {
	{ "throughput", "connections, against the floor and beside the peers",
	    scenario_throughput },
	{ "ports", "many idle ports, against its own rate with one", scenario_ports },
	{ "live", "many living sessions, against its own rate with none", scenario_live },
	{ "refuse", "a client that is denied, against one that is served", scenario_refuse },
	{ "reload", "SIGHUP with nothing changed, under load", scenario_reload },
	{ "start", "until a server serves", scenario_start },
	{ "memory", "a server that has nothing to do", scenario_memory },
	{ "slow", "one service whose execve is slow, beside a fast one", scenario_slow },
	{ "flood", "one service that floods standard error, beside a quiet one", scenario_flood },
	{ "bulk", "gigabytes a second, against cat, socat and the kernel's own loops",
	    scenario_bulk },
	{ "udp", "datagrams through a process for each peer, against a bare relay", scenario_udp },
};

static pid_t children[CHILDREN];

double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

void
doze(double seconds)
{
	struct timespec time = { .tv_sec = (time_t)seconds };

	time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
	nanosleep(&time, NULL);
}

_Noreturn void
fail(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(71);
}

char *
text(const char *format, ...)
{
	va_list args;
	char *made;

	va_start(args, format);
	if (vasprintf(&made, format, args) == -1)
		fail("memory");
	va_end(args);
	return made;
}

char *
staged(const char *dir, const char *name)
{
	return text("%s/%s/%s", bench.stage, dir, name);
}

void
turns(unsigned long ns)
{
	struct sched_attr attr = { .size = sizeof attr };

	if (syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0) == -1)
		return;
	attr.sched_runtime = ns;
	(void)syscall(SYS_sched_setattr, 0, &attr, 0);
}

pid_t
child_make(void)
{
	pid_t pid = fork();

	if (pid == -1)
		fail("fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		turns(0);
		return 0;
	}
	for (size_t i = 0; i < CHILDREN; i++)
		if (children[i] == 0) {
			children[i] = pid;
			return pid;
		}
	errno = ECHILD;
	fail("so many children");
}

bool
child_known(pid_t pid)
{
	for (size_t i = 0; i < CHILDREN; i++)
		if (children[i] == pid)
			return true;
	return false;
}

void
child_forget(pid_t pid)
{
	for (size_t i = 0; i < CHILDREN; i++)
		if (children[i] == pid)
			children[i] = 0;
}

void
child_end(pid_t pid, int signal)
{
	kill(pid, signal);
	waitpid(pid, NULL, 0);
	child_forget(pid);
}

unsigned long
nofile_raise(unsigned long wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		fail("getrlimit");
	if (limit.rlim_cur < wanted) {
		struct rlimit more = { wanted, limit.rlim_max < wanted ? wanted : limit.rlim_max };

		if (setrlimit(RLIMIT_NOFILE, &more) == -1) {	/* not root, or above fs.nr_open */
			more = (struct rlimit){ limit.rlim_max, limit.rlim_max };
			(void)setrlimit(RLIMIT_NOFILE, &more);
		}
		getrlimit(RLIMIT_NOFILE, &limit);
	}
	return limit.rlim_cur;
}

static _Noreturn void
usage(void)
{
	fprintf(stderr, "usage: bench [-q] [-r ROUNDS] [-t SECONDS] [-n NICE] [-p FOLDERS] -o OUT "
	    "-s STAGE [SCENARIO ...]\n");
	for (size_t i = 0; i < LENGTH(scenarios); i++)
		fprintf(stderr, "%12s  %s\n", scenarios[i].name, scenarios[i].what);
	exit(64);
}

static void
options(int argc, char **argv, const char **folders)
{
	int option;

	while ((option = getopt(argc, argv, "qr:t:n:p:o:s:")) != -1)
		switch (option) {
		case 'q':
			bench.quick = true;
			bench.rounds = 3;
			break;
		case 'r': bench.rounds = (unsigned)atoi(optarg); break;
		case 't': bench.seconds = atof(optarg); break;
		case 'n':
			if (setpriority(PRIO_PROCESS, 0, atoi(optarg)) == -1)
				fail("setpriority");
			break;
		case 'p': *folders = optarg; break;
		case 'o': bench.out = optarg; break;
		case 's': bench.stage = optarg; break;
		default: usage();
		}
	if (bench.out == NULL || bench.stage == NULL || bench.rounds < 1 ||
	    bench.rounds > ROUNDS_MOST || bench.seconds <= 0)
		usage();
}

/* Is it one of those that were named, by a part of its name, or were none named? */
static bool
chosen(const char *name, int argc, char **argv)
{
	for (int i = optind; i < argc; i++)
		if (strstr(name, argv[i]) != NULL)
			return true;
	return optind >= argc;
}

/* With it each setsid(2) makes a scheduling group, that shares a processor as a whole. */
static bool
autogroup(void)
{
	FILE *file = fopen("/proc/sys/kernel/sched_autogroup_enabled", "r");
	bool on = file != NULL && fgetc(file) == '1';

	if (file != NULL)
		fclose(file);
	return on;
}

static void
heading(void)
{
	struct utsname machine;

	uname(&machine);
	say("%u pairs of %.1f s each; %ld processors, Linux %s; %s\n", bench.rounds, bench.seconds,
	    sysconf(_SC_NPROCESSORS_ONLN), machine.release,
	    getuid() == 0 ? "as root" : "not as root");
	if (autogroup())
		say("kernel.sched_autogroup_enabled is on: on a busy machine servers whose children\n"
		    "are sessions get more than their share, and -n does not help.\n");
	say("A figure is the median of the pairs' ratios, with the least and the most.\n");
}

/* Seconds that the processors were busy since the machine started, for whomever. */
static double
busy(void)
{
	unsigned long long user, low, system, idle, wait, hard, soft;
	FILE *file = fopen("/proc/stat", "r");
	double ticks = 0;

	if (file != NULL && fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu", &user, &low,
	    &system, &idle, &wait, &hard, &soft) == 7)
		ticks = (double)(user + low + system + hard + soft);
	if (file != NULL)
		fclose(file);
	return ticks / (double)sysconf(_SC_CLK_TCK);
}

static double
ours(int who)
{
	struct rusage usage;

	getrusage(who, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

/* Who shares the processors shifts all figures, and not evenly: tell it. */
static void
neighbours(double since, double busy_before)
{
	double took = now() - since;
	double others = busy() - busy_before - ours(RUSAGE_SELF) - ours(RUSAGE_CHILDREN);
	double share = others / (took * (double)sysconf(_SC_NPROCESSORS_ONLN));

	say("\n%.0f s; other programs took %.0f %% of the processors meanwhile%s\n", took,
	    share > 0 ? share * 100 : 0, share > 0.05 ? ": the figures are ROUGH" : "");
}

int
main(int argc, char **argv)
{
	const char *folders = "";
	double since = now(), busy_before = busy();

	options(argc, argv, &folders);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);	/* socat's orphans send it to their parent */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) == -1)
		fail("prctl");
	if (mkdir(staged("run", ""), 0755) == -1 && errno != EEXIST)
		fail("run");
	nofile_raise(20000);
	candidates_find(folders);
	report_open();
	heading();
	for (size_t i = 0; i < LENGTH(scenarios); i++)
		if (chosen(scenarios[i].name, argc, argv)) {
			say("\n%s: %s\n", scenarios[i].name, scenarios[i].what);
			scenarios[i].run();
		}
	neighbours(since, busy_before);
	report_close();
	return 0;
}
