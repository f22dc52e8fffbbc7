/*
 * halfclose early|late: says "sent" and half-closes its connection, with early
 * before its input has ended, with late behind it; lives until it gets SIGTERM.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
read_all(void)
{
	char ignored[4096];

	while (read(STDIN_FILENO, ignored, sizeof ignored) > 0)
		continue;
}

int
main(int argc, char **argv)
{
	int late = argc > 1 && strcmp(argv[1], "late") == 0;

	if (late)
		read_all();
	if (write(STDOUT_FILENO, "sent\n", 5) != 5 || shutdown(STDOUT_FILENO, SHUT_WR) == -1)
		return 1;
	if (!late)
		read_all();
	for (;;)
		pause();
}
