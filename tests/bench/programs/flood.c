/*
 * flood.c - greets, and then writes to standard error for as long as the
 * client stays.
 */
#include <poll.h>
#include <string.h>
#include <unistd.h>

int
main(void)
{
	static const char text[] = "Hello, World!\n";
	struct pollfd client = { .fd = STDIN_FILENO, .events = POLLIN };
	char lines[4096];

	memset(lines, 'x', sizeof lines);
	for (size_t i = 79; i < sizeof lines; i += 80)
		lines[i] = '\n';
	if (write(STDOUT_FILENO, text, sizeof text - 1) != sizeof text - 1)
		return 1;
	while (poll(&client, 1, 0) == 0)
		if (write(STDERR_FILENO, lines, sizeof lines) == -1)
			return 1;
	return 0;
}
