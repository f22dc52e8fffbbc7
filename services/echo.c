/*
 * echo: standard input back to standard output (RFC 862) until its end, as it
 * arrives; datagrams each by itself. Bulk goes by long reads and writes, which
 * are faster than two splices through a pipe.
 */
#include "io_datagram.h"

#include <unistd.h>

#define BUFFER_SIZE 262144	/* only pages that input reaches become resident */

static const char usage[] =
    "usage: echo\n"
    "  copies standard input to standard output as it arrives\n"
    "  -h  this help\n";

static char buffer[BUFFER_SIZE];

static int
echo_all(void)
{
	ssize_t n;

	while ((n = io_read(STDIN_FILENO, buffer, sizeof buffer)) > 0)
		if (io_write(STDOUT_FILENO, buffer, (size_t)n) == -1)
			return io_status("write");
	return n == 0 ? IO_OK : io_status("read");
}

static ssize_t
same(char *data, size_t size)
{
	(void)data;
	return (ssize_t)size;
}

int
main(int argc, char *argv[])
{
	int option;

	io_init("echo", usage);
	opterr = 0;
	if ((option = getopt(argc, argv, "h")) != -1)
		return option == 'h' ? io_help() : io_usage("unknown option");
	if (optind < argc)
		return io_usage("no arguments are expected");
	return io_datagrams() ? io_datagrams_answer(same) : echo_all();
}
