/*
 * tostderr: copies its input to its standard error, so that a test writes there
 * whatever it likes; says "copied" when its input has ended.
 */
#include <unistd.h>

int
main(void)
{
	char block[4096];
	ssize_t got;

	while ((got = read(STDIN_FILENO, block, sizeof block)) > 0)
		if (write(STDERR_FILENO, block, (size_t)got) != got)
			return 1;
	return write(STDOUT_FILENO, "copied\n", 7) == 7 ? 0 : 1;
}
