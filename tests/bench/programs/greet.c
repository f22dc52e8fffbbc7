/*
 * greet.c - the smallest service: 14 bytes, and the end.  It is built twice,
 * statically where that can be done, and dynamically.
 */
#include <unistd.h>

int
main(void)
{
	static const char text[] = "Hello, World!\n";

	return write(STDOUT_FILENO, text, sizeof text - 1) != sizeof text - 1;
}
