/*
 * pump.c - what the loopback allows: plain loops of sendfile(2) and splice(2).
 *
 *	pump FILE	sends FILE to standard output
 *	pump		standard input to standard output, as echo does
 */
#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#define CHUNK	(1 << 20)

static int
send_file(const char *name)
{
	int fd = open(name, O_RDONLY);
	ssize_t len;

	if (fd == -1)
		return 1;
	while ((len = sendfile(STDOUT_FILENO, fd, NULL, CHUNK)) > 0)
		continue;
	return len == -1;
}

static int
splice_through(void)
{
	int ends[2];
	ssize_t in, out;

	if (pipe(ends) == -1)
		return 1;
	(void)fcntl(ends[1], F_SETPIPE_SZ, CHUNK);
	while ((in = splice(STDIN_FILENO, NULL, ends[1], NULL, CHUNK, 0)) > 0)
		for (; in > 0; in -= out)
			if ((out = splice(ends[0], NULL, STDOUT_FILENO, NULL, (size_t)in, 0)) <= 0)
				return 1;
	return in == -1;
}

int
main(int argc, char **argv)
{
	return argc > 1 ? send_file(argv[1]) : splice_through();
}
