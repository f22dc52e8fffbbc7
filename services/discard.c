/*
 * discard: reads its input to the end and throws it away (RFC 863). Nothing is
 * ever answered, so that datagrams are served by the same code.
 */
#include "io.h"

#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE 131072

static const char usage[] =
    "usage: discard\n"
    "  reads standard input to its end and throws it away\n"
    "  -h  this help\n";

static char buffer[BUFFER_SIZE];

/* As io_read. With MSG_TRUNC a TCP socket drops the bytes without copying them. */
static ssize_t
drop(void)
{
	ssize_t n = recv(STDIN_FILENO, buffer, sizeof buffer, MSG_TRUNC);

	/* What is no socket, is non-blocking or was interrupted is the other's business. */
	return n >= 0 ? n : io_read(STDIN_FILENO, buffer, sizeof buffer);
}

int
main(int argc, char *argv[])
{
	ssize_t n;
	int option;

	io_init("discard", usage);
	opterr = 0;
	if ((option = getopt(argc, argv, "h")) != -1)
		return option == 'h' ? io_help() : io_usage("unknown option");
	if (optind < argc)
		return io_usage("no arguments are expected");
	while ((n = drop()) > 0)
		continue;
	return n == 0 ? IO_OK : io_status("read");
}
