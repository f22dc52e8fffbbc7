/*
 * lingers: says "ready", says "term" for each SIGTERM, and lives until its input
 * ends: a session that is told to end and takes its time.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static void
say_term(int signo)
{
	(void)signo;
	(void)!write(STDOUT_FILENO, "term\n", 5);
}

int
main(void)
{
	const struct sigaction action = { .sa_handler = say_term };
	char ignored[256];
	ssize_t got;

	if (sigaction(SIGTERM, &action, NULL) == -1 || write(STDOUT_FILENO, "ready\n", 6) != 6)
		return 1;
	do
		got = read(STDIN_FILENO, ignored, sizeof ignored);
	while (got > 0 || (got == -1 && errno == EINTR));
	return 0;
}
