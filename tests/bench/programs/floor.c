/*
 * floor.c - the barest server that makes a process for each connection:
 * accept, vfork, dup2, execve and reaping, and nothing else.  What it reaches
 * is what all others are measured by.
 *
 * With -f its child makes the system calls that a service of another user, with
 * limits, in a session of its own and with nothing of the server's cannot do
 * without.  No check, no log, no address is in it: what it loses is the
 * kernel's price of these promises.
 *
 *	floor [-f] ADDRESS PORT PROGRAM [ARGUMENT ...]
 */
#include <arpa/inet.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY	65534

static const struct {
	int resource;
	rlim_t most;
} limits[] = {
	{ RLIMIT_CPU, 600 }, { RLIMIT_AS, 1 << 30 }, { RLIMIT_NOFILE, 256 },
	{ RLIMIT_FSIZE, 1 << 30 }, { RLIMIT_CORE, 0 },
};

extern char **environ;

static int
listener(const char *address, const char *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((in_port_t)atoi(port)),
		.sin_addr.s_addr = inet_addr(address) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == -1 ||
	    bind(fd, (const struct sockaddr *)&at, sizeof at) == -1 || listen(fd, 1024) == -1) {
		perror("floor");
		exit(71);
	}
	return fd;
}

/* By bare calls: the C library tells other threads of a new user, which takes its time. */
static void
promises(void)
{
	static const gid_t group = NOBODY;

	setsid();
	syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
	signal(SIGPIPE, SIG_DFL);
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
		setrlimit(limits[i].resource,
		    &(struct rlimit){ limits[i].most, limits[i].most });
	umask(022);
	if (syscall(SYS_setgroups, 1, &group) == -1 && getuid() == 0)
		_exit(127);
	syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY);
	if (chdir("/") == -1)
		_exit(127);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY);
}

int
main(int argc, char **argv)
{
	bool full = argc > 1 && strcmp(argv[1], "-f") == 0;
	int fd, client;

	argv += full;
	if (argc - full < 4)
		return 64;
	fd = listener(argv[1], argv[2]);
	for (;;) {
		client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (client == -1)
			continue;
		if (vfork() == 0) {
			dup2(client, STDIN_FILENO);
			dup2(client, STDOUT_FILENO);
			if (full)
				promises();
			execve(argv[3], argv + 3, environ);
			_exit(127);
		}
		close(client);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
	}
}
