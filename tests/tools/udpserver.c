/*
 * udpserver COUNT: a server for wait = yes on UDP.  Takes COUNT datagrams from
 * the socket that it was given, and answers each with what it was given and the
 * datagram; then it ends.  With "deaf" in place of COUNT it takes none and stays;
 * with "shut" it takes one and shuts the socket down, with "connect" it takes one
 * and connects the socket to its sender.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

int
main(int argc, char **argv)
{
	bool shuts = argc > 1 && strcmp(argv[1], "shut") == 0;
	bool connects = argc > 1 && strcmp(argv[1], "connect") == 0;
	long count = argc > 1 && !shuts && !connects ? strtol(argv[1], NULL, 10) : 1;
	static char text[66000], answer[66000];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (argc > 1 && strcmp(argv[1], "deaf") == 0)
		pause();
	for (; count > 0; count--) {
		struct sockaddr_storage peer;
		socklen_t size = sizeof peer;
		ssize_t len = recvfrom(0, text, sizeof text - 1, 0, (struct sockaddr *)&peer, &size);

		if (len == -1 || (connects && connect(0, (struct sockaddr *)&peer, size) == -1))
			return 1;
		text[len] = '\0';
		len = snprintf(answer, sizeof answer, "pid=%d listen_pid=%s listen_fds=%s proto=%s remote=%s "
		    "local=%s three=%d one=%d blocking=%d %.1000s", (int)getpid(), variable("LISTEN_PID"),
		    variable("LISTEN_FDS"), variable("PROTO"), variable("REMOTE_ADDR"),
		    variable("UDPLOCALIP"), same_socket(0, 3), same_socket(0, 1),
		    (fcntl(0, F_GETFL) & O_NONBLOCK) == 0, text);
		if (sendto(0, answer, (size_t)len, 0, (struct sockaddr *)&peer, size) == -1)
			return 1;
	}
	if (shuts)
		(void)shutdown(0, SHUT_RDWR);
	return 0;
}
