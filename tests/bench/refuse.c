/*
 * refuse.c - what a refused connection costs beside a served one: the CPU time
 * of superd and its programs for as many of each, in turn, so that a machine
 * whose speed drifts is unfair to neither.  Prints the ratio of each round, and
 * their median.
 *
 *	refuse SUPERD SERVICES [CONNECTIONS [ROUNDS]]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONNECTIONS	4000
#define ROUNDS		5
#define ROUNDS_MOST	99

static _Noreturn void
fail(const char *what)
{
	fprintf(stderr, "refuse: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Ticks of the process and of those children that it has waited for, proc_pid_stat(5). */
static unsigned long long
cpu_ticks(pid_t pid)
{
	unsigned long long user, system, children_user, children_system;
	char path[64], text[1024], *end;
	FILE *file;
	size_t len;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if ((file = fopen(path, "r")) == NULL)
		fail(path);
	len = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[len] = '\0';
	if ((end = strrchr(text, ')')) == NULL || sscanf(end + 2, "%*c %*d %*d %*d %*d %*d %*u %*u "
	    "%*u %*u %*u %llu %llu %llu %llu", &user, &system, &children_user, &children_system) != 4)
		fail("cannot read the CPU time");
	return user + system + children_user + children_system;
}

/* Connects from 127.0.0.LAST and reads to the end. */
static void
visit(int port, int last)
{
	struct sockaddr_in from = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(0x7f000000u + (unsigned)last) };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((in_port_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	char bytes[256];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd == -1)
		fail("socket");
	(void)setsockopt(fd, IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, &one, sizeof one);
	if (bind(fd, (const struct sockaddr *)&from, sizeof from) == -1 ||
	    connect(fd, (const struct sockaddr *)&to, sizeof to) == -1)
		fail("connect");
	while (read(fd, bytes, sizeof bytes) > 0)
		continue;
	close(fd);
}

/* Starts superd and learns its port from the log. */
static pid_t
start(const char *superd, const char *services, const char *ini, FILE **log, int *port)
{
	char line[512], *colon;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) == -1 || (pid = fork()) == -1)
		fail("fork");
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		execl(superd, superd, "-c", ini, "-s", services, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	if ((*log = fdopen(ends[0], "r")) == NULL || fgets(line, sizeof line, *log) == NULL ||
	    (colon = strrchr(line, ':')) == NULL || strstr(line, " listen ") == NULL)
		fail("superd does not listen");
	*port = atoi(colon + 1);
	return pid;
}

static int
compare(const void *a, const void *b)
{
	return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static unsigned long long
cost(pid_t pid, int port, int last, int connections)
{
	unsigned long long before = cpu_ticks(pid);

	for (int i = 0; i < connections; i++)
		visit(port, last);
	return cpu_ticks(pid) - before;
}

int
main(int argc, char **argv)
{
	static const char text[] = "[services]\ngreet = 127.0.0.1:0 hello -1\n[greet]\ndeny = 127.0.0.9\n"
	    "log_sessions = none\nmax_sessions = 1000\n";
	int connections = argc > 3 ? atoi(argv[3]) : CONNECTIONS;
	int rounds = argc > 4 ? atoi(argv[4]) : ROUNDS, port, fd;
	char ini[] = "/tmp/superd-bench.XXXXXX";
	double ratio[ROUNDS_MOST];
	FILE *log;
	pid_t pid;

	if (argc < 3 || rounds < 1 || rounds > ROUNDS_MOST || connections < 1) {
		fprintf(stderr, "usage: refuse SUPERD SERVICES [CONNECTIONS [ROUNDS]]\n");
		return 64;
	}
	if ((fd = mkstemp(ini)) == -1 || write(fd, text, sizeof text - 1) != (ssize_t)sizeof text - 1)
		fail(ini);
	close(fd);
	pid = start(argv[1], argv[2], ini, &log, &port);
	printf("%d connections each, CPU time of superd and its programs\n", connections);
	printf("round  served  refused  refused/served\n");
	for (int i = 0; i < rounds; i++) {
		unsigned long long served = cost(pid, port, 1, connections);
		unsigned long long refused = cost(pid, port, 9, connections);

		ratio[i] = served == 0 ? 0 : (double)refused / (double)served;
		printf("%5d  %5llu0 ms  %5llu0 ms  %.3f\n", i + 1, served, refused, ratio[i]);
	}
	qsort(ratio, (size_t)rounds, sizeof *ratio, compare);
	printf("median %.3f (least %.3f, most %.3f)\n", ratio[rounds / 2], ratio[0], ratio[rounds - 1]);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	fclose(log);
	unlink(ini);
	return 0;
}
