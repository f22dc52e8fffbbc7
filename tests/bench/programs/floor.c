/*
 * floor.c - the barest server that makes a process for each connection:
 * accept, vfork, dup2, execve and reaping, and nothing else.  What it reaches
 * is what all others are measured by.
 *
 *	floor ADDRESS PORT PROGRAM [ARGUMENT ...]
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

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

int
main(int argc, char **argv)
{
	int fd, client;

	if (argc < 4)
		return 64;
	fd = listener(argv[1], argv[2]);
	for (;;) {
		client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (client == -1)
			continue;
		if (vfork() == 0) {
			dup2(client, STDIN_FILENO);
			dup2(client, STDOUT_FILENO);
			execve(argv[3], argv + 3, environ);
			_exit(127);
		}
		close(client);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
	}
}
