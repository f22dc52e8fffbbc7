/*
 * daytime: the local time as one line for people, without waiting for a
 * question (RFC 867), in the form that inetd has always given it.
 */
#include "io.h"

#include "clock.h"

#include <unistd.h>

static const char usage[] =
    "usage: daytime\n"
    "  writes the local time as one line\n"
    "  -h  this help\n";

int
main(int argc, char *argv[])
{
	char line[CLOCK_LINE_SIZE];
	const time_t now = time(NULL);
	struct tm local;
	int option;

	io_init("daytime", usage);
	opterr = 0;
	if ((option = getopt(argc, argv, "h")) != -1)
		return option == 'h' ? io_help() : io_usage("unknown option");
	if (optind < argc)
		return io_usage("no arguments are expected");
	if (io_datagrams())
		return io_usage("only streams are served");
	if (localtime_r(&now, &local) == NULL)
		return io_status("the time");
	if (io_write(STDOUT_FILENO, line, clock_line(&local, line)) == -1)
		return io_status("write");
	io_linger();
	return IO_OK;
}
