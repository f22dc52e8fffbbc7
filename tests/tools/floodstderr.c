/*
 * floodstderr LINES: writes that many lines to its standard error as fast as they
 * are taken, then "flooded" to its output, and ends with its input.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	long lines = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;
	char line[128], ignored[256];

	for (long i = 0; i < lines; i++) {
		snprintf(line, sizeof line, "flood line %ld of %ld, one of very many\n", i + 1, lines);
		if (write(STDERR_FILENO, line, strlen(line)) == -1)
			return 1;
	}
	if (write(STDOUT_FILENO, "flooded\n", 8) == -1)
		return 1;
	while (read(STDIN_FILENO, ignored, sizeof ignored) > 0)
		continue;
	return 0;
}
