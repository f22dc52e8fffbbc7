/*
 * ask.c - greets once it has read a byte: a client that says nothing keeps its
 * session alive, and leaves at the end of file.
 */
#include <unistd.h>

int
main(void)
{
	static const char text[] = "Hello, World!\n";
	char byte;

	if (read(STDIN_FILENO, &byte, 1) != 1)
		return 0;
	return write(STDOUT_FILENO, text, sizeof text - 1) != sizeof text - 1;
}
