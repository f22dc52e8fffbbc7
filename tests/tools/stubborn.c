/*
 * stubborn [-c]: a session with a child of its own.  Says "pids PARENT CHILD";
 * both ignore SIGTERM (with -c only the child does) and live until their input
 * ends.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
wait_for_end(void)
{
	char ignored[4096];

	while (read(STDIN_FILENO, ignored, sizeof ignored) > 0)
		continue;
}

int
main(int argc, char **argv)
{
	char line[64];
	pid_t child;

	signal(SIGTERM, SIG_IGN);
	if ((child = fork()) == -1)
		return 1;
	if (child == 0) {
		wait_for_end();
		return 0;
	}
	if (argc > 1 && strcmp(argv[1], "-c") == 0)
		signal(SIGTERM, SIG_DFL);
	snprintf(line, sizeof line, "pids %ld %ld\n", (long)getpid(), (long)child);
	if (write(STDOUT_FILENO, line, strlen(line)) == -1)
		return 1;
	wait_for_end();
	return 0;
}
