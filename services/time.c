/*
 * time: the seconds since 1900 in four bytes, the highest first, without
 * waiting for a question (RFC 868); as a datagram for each that comes. The number
 * begins anew every 136 years, next in February 2036, and the client has to know
 * in which round it lives.
 */
#include "io_datagram.h"

#include "clock.h"

#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: time\n"
    "  writes the seconds since 1900 as four bytes, the highest first\n"
    "  -h  this help\n";

#define COUNT_SIZE 4

static ssize_t
answer(char *data, size_t size)
{
	unsigned char count[COUNT_SIZE];

	(void)size;
	clock_count(time(NULL), count);
	memcpy(data, count, sizeof count);
	return sizeof count;
}

int
main(int argc, char *argv[])
{
	char count[COUNT_SIZE];
	int option;

	io_init("time", usage);
	opterr = 0;
	if ((option = getopt(argc, argv, "h")) != -1)
		return option == 'h' ? io_help() : io_usage("unknown option");
	if (optind < argc)
		return io_usage("no arguments are expected");
	if (io_datagrams())
		return io_datagrams_answer(answer);
	answer(count, 0);
	if (io_write(STDOUT_FILENO, count, sizeof count) == -1)
		return io_status("write");
	io_linger();
	return IO_OK;
}
