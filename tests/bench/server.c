/*
 * server.c - see server.h.
 *
 * CPU time is what wait4(2) tells of a server that has ended: its own and that
 * of all children it waited for.  The benchmark is a subreaper, so what a
 * server leaves behind comes to it and is counted too.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "candidates.h"
#include "load.h"
#include "server.h"
#include "udp.h"

#define READY		60.0	/* seconds until a server must serve */
#define ANSWER		20	/* seconds for one answer */
#define STOP		15.0	/* seconds until one that was told to end is killed */
#define WORDS		48	/* of a command */
#define SPARE_FILES	1024UL	/* open files beyond one for each service and session */

static double
seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

static double
cpu_of(const struct rusage *usage)
{
	return seconds(usage->ru_utime) + seconds(usage->ru_stime);
}

/* The process's own time, to the nanosecond; its children have not ended yet. */
static double
cpu_now(pid_t pid)
{
	struct timespec spent;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &spent) == -1)
		return 0;
	return (double)spent.tv_sec + (double)spent.tv_nsec * 1e-9;
}

static _Noreturn void
become(char *command, const char *err, unsigned long nofile)
{
	struct rlimit limit = { nofile, nofile };
	char *argv[WORDS];
	size_t count = 0;
	int fd = open("/dev/null", O_RDWR), log = open(err, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	for (; count < WORDS - 1 && (argv[count] = strtok(command, " ")) != NULL; count++)
		command = NULL;
	argv[count] = NULL;
	if (fd == -1 || log == -1 || count == 0)
		_exit(126);
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
	close(log);
	setsid();
	signal(SIGPIPE, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
	setrlimit(RLIMIT_NOFILE, &limit);
	execv(argv[0], argv);
	_exit(127);
}

/* A whole exchange: 1 it is served, 0 not yet. */
static int
answers(int port, const char *say)
{
	struct timeval patience = { .tv_sec = ANSWER };
	char bytes[64];
	ssize_t len;
	int fd = load_connect(port), served = 0;

	if (fd == -1)
		return 0;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (say != NULL)
		(void)!send(fd, say, strlen(say), MSG_NOSIGNAL);
	while ((len = read(fd, bytes, sizeof bytes)) > 0)
		served = 1;
	close(fd);
	return served;
}

static void
complain(const struct candidate *candidate, const char *err, const char *what)
{
	char line[512];
	FILE *file = fopen(err, "r");

	fprintf(stderr, "\nbench: %s %s", candidate->name, what);
	if (file != NULL && fgets(line, sizeof line, file) != NULL)
		fprintf(stderr, ": %s", line);
	else
		fputc('\n', stderr);
	if (file != NULL)
		fclose(file);
}

/* What the server left alive or unreaped is a child of ours now. */
static double
orphans(void)
{
	double spent = 0;
	struct rusage usage;
	char path[64];
	FILE *file;
	int child;

	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	if ((file = fopen(path, "r")) == NULL)
		return 0;
	while (fscanf(file, "%d", &child) == 1)
		if (!child_known(child) && kill(child, SIGKILL) == 0 &&
		    wait4(child, NULL, 0, &usage) == child)
			spent += cpu_of(&usage);
	fclose(file);
	return spent;
}

double
server_stop(struct server *server)
{
	double since = now(), spent;
	struct rusage usage;
	pid_t gone;

	kill(server->pid, SIGTERM);
	while ((gone = wait4(server->pid, NULL, WNOHANG, &usage)) == 0) {
		if (now() - since > STOP)
			kill(server->pid, SIGKILL);
		doze(0.001);
	}
	child_forget(server->pid);
	spent = gone == server->pid ? cpu_of(&usage) : 0;
	spent += orphans() - server->spent;
	server->pid = 0;
	return spent;
}

static int
await(struct server *server, const struct candidate *candidate, const struct plan *plan,
    const char *err)
{
	double since = now();

	while (!(plan->udp ? udp_answers(plan->services[0].port) :
	    answers(plan->services[0].port, plan->say))) {
		if (waitpid(server->pid, NULL, WNOHANG) != 0) {
			complain(candidate, err, "ended at once");
			child_forget(server->pid);
			orphans();
			server->pid = 0;
			return -1;
		}
		if (now() - since > READY) {
			complain(candidate, err, "does not serve");
			server_stop(server);
			return -1;
		}
		doze(0.0002);
	}
	server->ready = now() - since;
	server->spent = cpu_now(server->pid);
	return 0;
}

int
server_start(struct server *server, const struct candidate *candidate, const struct plan *plan)
{
	unsigned long nofile = plan->nofile != 0 ? plan->nofile :
	    plan->count + 2UL * plan->live + SPARE_FILES;
	static unsigned number;
	char *err = staged("run", text("err.%u", number));
	char *command = candidate_command(candidate, plan, number++);

	*server = (struct server){ .pid = child_make() };
	if (server->pid == 0)
		become(command, err, nofile);
	free(command);
	if (await(server, candidate, plan, err) == -1)
		return -1;
	unlink(err);
	free(err);
	return 0;
}

static unsigned long
pss(pid_t pid)
{
	unsigned long kb = 0;
	char path[64], line[128];
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
	if ((file = fopen(path, "r")) == NULL)
		return 0;
	while (fgets(line, sizeof line, file) != NULL)
		if (sscanf(line, "Pss: %lu", &kb) == 1)
			break;
	fclose(file);
	return kb;
}

unsigned long
server_own_pss(const struct server *server)
{
	return pss(server->pid);
}

unsigned long
server_pss(const struct server *server)
{
	unsigned long kb = pss(server->pid);
	char path[64];
	FILE *file;
	int child;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)server->pid,
	    (int)server->pid);
	if ((file = fopen(path, "r")) == NULL)
		return kb;
	while (fscanf(file, "%d", &child) == 1)
		kb += pss(child);
	fclose(file);
	return kb;
}
