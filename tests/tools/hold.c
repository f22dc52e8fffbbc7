/*
 * hold [TEXT]: says TEXT ("held" without it) and lives until its input ends, so
 * that a test decides when a session is over.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	const char *text = argc > 1 ? argv[1] : "held";
	char line[256], ignored[4096];
	int len = snprintf(line, sizeof line, "%s\n", text);

	if (len < 0 || write(STDOUT_FILENO, line, strlen(line)) == -1)
		return 1;
	while (read(STDIN_FILENO, ignored, sizeof ignored) > 0)
		continue;
	return 0;
}
