/* background.c - see background.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "background.h"

/* Ready, or dead: then its own exit status is the starter's. */
static int
starter(int ready, pid_t pid)
{
	char byte;
	ssize_t len;
	int status;

	do
		len = read(ready, &byte, 1);
	while (len == -1 && errno == EINTR);
	if (len == 1)
		return 0;
	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status))
		return WEXITSTATUS(status);
	return EX_OSERR;
}

int
background_start(int *ready)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) == -1 || (pid = fork()) == -1) {
		fprintf(stderr, "superd: cannot become a daemon: %s\n", strerror(errno));
		return EX_OSERR;
	}
	if (pid > 0) {
		close(ends[1]);
		return starter(ends[0], pid);
	}
	close(ends[0]);
	*ready = ends[1];
	(void)setsid();
	return -1;
}

void
background_ready(int ready)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = STDIN_FILENO; null != -1 && fd <= STDERR_FILENO; fd++)
		(void)dup2(null, fd);
	if (null > STDERR_FILENO)
		close(null);
	(void)!write(ready, "", 1);
	close(ready);
}
