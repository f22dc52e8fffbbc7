/*
 * accepter COUNT: a server for wait = yes.  Accepts COUNT clients, one after the
 * other, from the socket that it was given; tells each what it was given, holds
 * the client until that one's input ends, and ends with the last one or with
 * superd itself, so that a test that failed leaves nobody behind.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
same_socket(int a, int b)
{
	struct stat one, other;

	return fstat(a, &one) == 0 && fstat(b, &other) == 0 && S_ISSOCK(one.st_mode) &&
	    one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static const char *
variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL ? value : "none";
}

static int
tell(int client)
{
	int listening = 0, flags = fcntl(0, F_GETFL);
	socklen_t size = sizeof listening;

	getsockopt(0, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size);
	return dprintf(client, "pid=%d listen_pid=%s listen_fds=%s proto=%s remote=%s listening=%d "
	    "three=%d one=%d blocking=%d next=%d\n", (int)getpid(), variable("LISTEN_PID"),
	    variable("LISTEN_FDS"), variable("PROTO"), variable("REMOTE_ADDR"), listening,
	    same_socket(0, 3), same_socket(0, 1), (flags & O_NONBLOCK) == 0, client);
}

int
main(int argc, char **argv)
{
	long count = argc > 1 ? strtol(argv[1], NULL, 10) : 1;
	char ignored[4096];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (; count > 0; count--) {
		int client = accept(0, NULL, NULL);

		if (client == -1 || tell(client) < 0)
			return 1;
		while (read(client, ignored, sizeof ignored) > 0)
			continue;
		close(client);
	}
	return 0;
}
