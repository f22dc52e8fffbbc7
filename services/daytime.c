/*
 * daytime: the local time as one line for people, without waiting for a
 * question (RFC 867), in the form that inetd has always given it; as a datagram
 * for each that comes.
 */
#include "io_datagram.h"

#include "clock.h"

#include <string.h>

#include <unistd.h>

static const char usage[] =
    "usage: daytime\n"
    "  writes the local time as one line\n"
    "  -h  this help\n";

/* Returns the size of the line, or -1 after telling why. */
static ssize_t
answer(char *data, size_t size)
{
	char line[CLOCK_LINE_SIZE];
	const time_t now = time(NULL);
	struct tm local;

	if (localtime_r(&now, &local) == NULL) {
		io_complain("the time");
		return -1;
	}
	size = clock_line(&local, line);
	memcpy(data, line, size);
	return (ssize_t)size;
}

int
main(int argc, char *argv[])
{
	char line[CLOCK_LINE_SIZE];
	ssize_t size;
	int option;

	io_init("daytime", usage);
	opterr = 0;
	if ((option = getopt(argc, argv, "h")) != -1)
		return option == 'h' ? io_help() : io_usage("unknown option");
	if (optind < argc)
		return io_usage("no arguments are expected");
	if (io_datagrams())
		return io_datagrams_answer(answer);
	if ((size = answer(line, 0)) == -1)
		return IO_FAILED;
	if (io_write(STDOUT_FILENO, line, (size_t)size) == -1)
		return io_status("write");
	io_linger();
	return IO_OK;
}
