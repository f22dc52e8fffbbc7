/*
 * echo: standard input back to standard output (RFC 862) until its end, as it
 * arrives; datagrams each by itself. A client that sends in bulk is served by
 * splice(2), which hands pages on instead of copying bytes: half as much again
 * over TCP. Trouble with splice leads back to read and write, the only place
 * that reports an error.
 */
#include "io_datagram.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#define BUFFER_SIZE 131072
#define BULK_SIZE 65536		/* a read as long as this: a full pipe, worth the calls */
#define PIPE_SIZE 262144	/* wanted for the pipe between the two splices */

static const char usage[] =
    "usage: echo\n"
    "  copies standard input to standard output as it arrives\n"
    "  -h  this help\n";

static char buffer[BUFFER_SIZE];

static ssize_t
move(int from, int to, size_t size)
{
	ssize_t n;

	do
		n = splice(from, NULL, to, NULL, size, 0);
	while (n == -1 && errno == EINTR);
	return n;
}

/*
 * Writes size bytes that wait in the pipe. Returns 0; 1 where they went out by
 * read and write, as standard output cannot be spliced to; -1 with errno.
 */
static int
pour(int pipe, size_t size)
{
	ssize_t n;

	while (size > 0 && (n = move(pipe, STDOUT_FILENO, size)) > 0)
		size -= (size_t)n;
	if (size == 0)
		return 0;
	while (size > 0) {
		n = io_read(pipe, buffer, size < sizeof buffer ? size : sizeof buffer);
		if (n <= 0 || io_write(STDOUT_FILENO, buffer, (size_t)n) == -1)
			return -1;
		size -= (size_t)n;
	}
	return 1;
}

/*
 * Splices until the input ends or one side cannot be spliced; the next read
 * tells which. Returns -1 with errno where bytes on their way were lost.
 */
static int
splice_on(void)
{
	int ends[2], poured = 0, reason;
	ssize_t n;

	if (pipe2(ends, O_CLOEXEC) == -1)
		return 0;
	fcntl(ends[1], F_SETPIPE_SZ, PIPE_SIZE);	/* a smaller pipe is only slower */
	while (poured == 0 && (n = move(STDIN_FILENO, ends[1], PIPE_SIZE)) > 0)
		poured = pour(ends[0], (size_t)n);
	reason = errno;
	close(ends[0]);
	close(ends[1]);
	errno = reason;
	return poured;
}

static int
echo_all(void)
{
	bool spliced = false;
	ssize_t n;

	while ((n = io_read(STDIN_FILENO, buffer, sizeof buffer)) > 0) {
		if (io_write(STDOUT_FILENO, buffer, (size_t)n) == -1)
			return io_status("write");
		if (n >= BULK_SIZE && !spliced) {
			spliced = true;
			if (splice_on() == -1)
				return io_status("write");
		}
	}
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
