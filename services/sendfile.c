/*
 * sendfile: sends a file, or the files of a folder, to a client; the protocol
 * is described whole in superd-services(8). The bytes go by sendfile(2). A
 * client that sends no request, or takes nothing of the answer, for a minute
 * is cut off. Over UDP the client drives; that protocol is in sendfile_udp.c.
 */
#include "io.h"
#include "sendfile.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STALL_S 60		/* default of -t */
#define STALL_S_MAX 86400
#define OFFSET_SIZE 10		/* bytes of an offset in the binary protocol */

static const char usage[] =
    "usage: sendfile [-t SECONDS] FILE\n"
    "       sendfile [-t SECONDS] -d DIR\n"
    "  answers a request on standard input with FILE, or a file of DIR\n"
    "  -d DIR      requests are lines: get NAME [OFFSET], size NAME, list\n"
    "  -t SECONDS  cut off a client that stalls for so long (60); not over UDP\n"
    "  -h          this help\n";

int
sendfile_cut_off(const char *what)
{
	int status = io_status(what);

	io_reset_later(STDOUT_FILENO);
	return status;
}

/*
 * Reads a request of the binary protocol. Returns 1; 0 where the client ended
 * without one; -1 with errno, EBADMSG for a malformed one.
 */
static int
binary_request(off_t *offset, int stall_s)
{
	char data[2 + OFFSET_SIZE];
	const char *digits = data + 2, *end;
	const int64_t deadline = io_now_ms() + stall_s * INT64_C(1000);
	size_t have = 0, want = 2;
	ssize_t n = 1;

	while (have < want && n != 0) {
		n = io_read_until(STDIN_FILENO, data + have, sizeof data - have, deadline);
		if (n == -1)
			return -1;
		have += (size_t)n;
		if (have >= 2 && (data[0] == '1' || data[0] == '2'))
			want = sizeof data;
	}
	*offset = 0;
	if (have == 0 || (have >= 2 && data[0] == '0' && data[1] == '\0'))
		return have > 0;
	errno = EBADMSG;
	if (want == 2 || data[1] != '\0')
		return -1;
	end = memchr(digits, '\0', have - 2);
	if (end == NULL)		/* all ten bytes are digits, or some are missing */
		end = have < want ? digits : data + want;
	return io_number(digits, (size_t)(end - digits), offset) ? 1 : -1;
}

/* The binary protocol: one request, and the file's bytes as the whole answer. */
static int
serve_file(const char *path, int stall_s)
{
	struct stat about;
	struct io_load load = { .next = 0 };
	int got = binary_request(&load.next, stall_s);

	if (got == -1)
		return errno == EBADMSG ? IO_FAILED : sendfile_cut_off("request");
	if (got == 0)
		return IO_OK;
	load.file = sendfile_open(path, &about);
	if (load.file == -1)
		return sendfile_cut_off(path);
	load.end = about.st_size;
	if (io_send(&load, stall_s) == -1)
		return sendfile_cut_off(path);
	io_linger();
	return IO_OK;
}

/* Whether a descriptor is one client's datagrams; a UDP socket itself would be everybody's. */
static bool
keeps_datagrams(int fd)
{
	int type = 0;
	socklen_t size = sizeof type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

int
main(int argc, char *argv[])
{
	const char *folder = NULL;
	off_t seconds = STALL_S;
	int option;

	io_init("sendfile", usage);
	opterr = 0;
	while ((option = getopt(argc, argv, "d:t:h")) != -1)
		switch (option) {
		case 'd':
			folder = optarg;
			break;
		case 't':
			if (!io_number(optarg, strlen(optarg), &seconds) || seconds < 1 ||
			    seconds > STALL_S_MAX)
				return io_usage("-t wants seconds, 1 to 86400");
			break;
		case 'h':
			return io_help();
		default:
			return io_usage("unknown option, or one without its value");
		}
	if (argc - optind != (folder == NULL))
		return io_usage("one of FILE and -d DIR is expected");
	if (io_datagrams()) {
		if (!keeps_datagrams(STDIN_FILENO))
			return io_usage("over UDP a session is wanted: idle_timeout is not to be 0");
		return sendfile_datagrams(folder != NULL ? NULL : argv[optind], folder);
	}
	if (folder != NULL)
		return sendfile_lines(folder, (int)seconds);
	return serve_file(argv[optind], (int)seconds);
}
