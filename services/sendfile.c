/*
 * sendfile: sends a file, or the files of a folder, to a client; the protocol
 * is described whole in superd-services(8). The bytes go by sendfile(2). Names
 * are resolved beneath the folder and through no link. A client that sends no
 * request, or takes nothing of the answer, for a minute is cut off.
 */
#include "io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STALL_S 60		/* default of -t */
#define STALL_S_MAX 86400
#define OFFSET_SIZE 10		/* bytes of an offset in the binary protocol */
#define LIST_MAX 65536		/* files in a list; bounds its memory */
#define LIST_LINE 48		/* of a line of the list without the name */

/* openat2(2), which no libc wraps and musl's compiler has no header for. */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#define OPEN_NO_LINKS 0x04	/* RESOLVE_NO_SYMLINKS */
#define OPEN_BENEATH 0x08	/* RESOLVE_BENEATH */

static const char usage[] =
    "usage: sendfile [-t SECONDS] FILE\n"
    "       sendfile [-t SECONDS] -d DIR\n"
    "  answers a request on standard input with FILE, or a file of DIR\n"
    "  -d DIR      requests are lines: get NAME [OFFSET], size NAME, list\n"
    "  -t SECONDS  cut off a client that stalls for so long (60)\n"
    "  -h          this help\n";

enum verb { GET, SIZE, LIST };

struct request {
	enum verb   verb;
	const char *name;	/* within the line; NULL for LIST */
	off_t       offset;
};

/* Opens a name; flags as for open(2). */
typedef int opener(const char *name, int flags);

static int stall_s = STALL_S;

/* When a request that is awaited now must be there. */
static int64_t
stall_deadline(void)
{
	return io_now_ms() + stall_s * INT64_C(1000);
}

static int
send_text(const char *text, bool more)
{
	struct io_load load = { .memory = text, .end = (off_t)strlen(text), .more = more };

	return io_send(&load, stall_s);
}

/*
 * The exit status after an answer failed with errno. The connection is reset:
 * an orderly end would tell the client that it has the whole file.
 */
static int
cut_off(const char *what)
{
	int status = io_status(what);

	io_reset_later(STDOUT_FILENO);
	return status;
}

static int
open_anywhere(const char *name, int flags)
{
	return open(name, flags | O_CLOEXEC);
}

/* open_beneath by hand, a folder at a time, for kernels before 5.6. The name has no "..". */
static int
walk_beneath(const char *name, int flags)
{
	const int through = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	char part[IO_LINE_SIZE];	/* a name is shorter than the line it came in */
	int folder = AT_FDCWD, next, reason;
	size_t length;

	do {
		length = strcspn(name, "/");
		memcpy(part, name, length);
		part[length] = '\0';
		name += length;
		next = openat(folder, length == 0 ? "." : part,
		    *name == '\0' ? flags | O_NOFOLLOW | O_CLOEXEC : through);
		reason = errno;
		if (folder != AT_FDCWD)
			close(folder);
		folder = next;
		errno = reason;
	} while (next != -1 && *name++ != '\0');
	return next;
}

/* Opens a name of the working folder, never leaving it and following no link. */
static int
open_beneath(const char *name, int flags)
{
	const struct {
		uint64_t flags, mode, resolve;
	} how = {
		.flags = (uint64_t)(unsigned)flags | O_CLOEXEC,
		.resolve = OPEN_NO_LINKS | OPEN_BENEATH,
	};
	long file = syscall(SYS_openat2, AT_FDCWD, name, &how, sizeof how);

	/* EPERM is how some system-call filters say that they do not know the call. */
	if (file == -1 && (errno == ENOSYS || errno == EPERM))
		return walk_beneath(name, flags);
	return (int)file;
}

/*
 * Opens a regular file for reading. The type is seen before anything is really
 * opened, as opening a device may already do something; and again after it.
 */
static int
open_regular(opener *open_name, const char *name, struct stat *about)
{
	int file = open_name(name, O_PATH);

	if (file == -1)
		return -1;
	if (fstat(file, about) == 0 && S_ISREG(about->st_mode)) {
		close(file);
		file = open_name(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_LARGEFILE);
		if (file == -1 || (fstat(file, about) == 0 && S_ISREG(about->st_mode)))
			return file;
	}
	close(file);
	errno = EINVAL;
	return -1;
}

/*
 * Reads a request of the binary protocol. Returns 1; 0 where the client ended
 * without one; -1 with errno, EBADMSG for a malformed one.
 */
static int
binary_request(off_t *offset)
{
	char data[2 + OFFSET_SIZE];
	const char *digits = data + 2, *end;
	const int64_t deadline = stall_deadline();
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
serve_file(const char *path)
{
	struct stat about;
	struct io_load load = { .next = 0 };
	int got = binary_request(&load.next);

	if (got == -1)
		return errno == EBADMSG ? IO_FAILED : cut_off("request");
	if (got == 0)
		return IO_OK;
	load.file = open_regular(open_anywhere, path, &about);
	if (load.file == -1)
		return cut_off(path);
	load.end = about.st_size;
	if (io_send(&load, stall_s) == -1)
		return cut_off(path);
	io_linger();
	return IO_OK;
}

/* Whether a name is beneath the folder by its words alone; links are the kernel's part. */
static bool
stays_inside(const char *name)
{
	if (*name == '/')
		return false;
	for (;;) {
		size_t length = strcspn(name, "/");

		if (length == 2 && name[0] == '.' && name[1] == '.')
			return false;
		name += length;
		if (*name++ == '\0')
			return true;
	}
}

/* The text without the blanks around it, which are cut off in place. */
static char *
trimmed(char *text)
{
	size_t size;

	text += strspn(text, " ");
	for (size = strlen(text); size > 0 && text[size - 1] == ' '; size--)
		continue;
	text[size] = '\0';
	return text;
}

/* Reads NAME [OFFSET]; NAME may stand in quotes, which is how one ends in a word of digits. */
static bool
name_read(char *text, struct request *request)
{
	char *last = strrchr(text, ' ');
	size_t size;

	if (request->verb == GET && last != NULL &&
	    io_number(last + 1, strlen(last + 1), &request->offset)) {
		*last = '\0';
		text = trimmed(text);
	}
	request->name = text;
	size = strlen(text);
	if (*text == '"') {
		if (size < 2 || text[size - 1] != '"')
			return false;
		text[size - 1] = '\0';
		request->name = text + 1;
	}
	return *request->name != '\0';
}

/* Reads a line without its newline; the name stays within it. */
static bool
request_read(char *line, size_t size, struct request *request)
{
	static const char *const verbs[] = { [GET] = "get", [SIZE] = "size", [LIST] = "list" };
	char *rest;

	*request = (struct request){ .verb = GET };
	if (strlen(line) != size)
		return false;			/* a NUL would cut a name short */
	if (size > 0 && line[size - 1] == '\r')
		line[size - 1] = '\0';
	line = trimmed(line);
	rest = line + strcspn(line, " ");
	if (*rest != '\0')
		*rest++ = '\0';
	while (strcmp(line, verbs[request->verb]) != 0)
		if (request->verb++ == LIST)
			return false;
	rest = trimmed(rest);
	return request->verb == LIST ? *rest == '\0' : name_read(rest, request);
}

static int
refuse(const char *reason)
{
	char line[80];

	snprintf(line, sizeof line, "error %s\n", reason);
	return send_text(line, false);
}

static int
refuse_name(int reason)
{
	switch (reason) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
		return refuse("no such file");
	case EACCES:
		return refuse("permission denied");
	case EXDEV:
		return refuse("the name leads out of the folder");
	case ELOOP:
		return refuse("the name leads through a link");
	case EINVAL:
		return refuse("not a regular file");
	default:
		io_complain("open");
		return refuse("the file cannot be opened");
	}
}

static int
accept_request(off_t size, time_t changed, bool more)
{
	char line[64];

	snprintf(line, sizeof line, "ok %lld %lld\n", (long long)size, (long long)changed);
	return send_text(line, more);
}

static int
answer_file(const struct request *request)
{
	struct io_load load = { .next = request->offset };
	struct stat about;
	int sent;

	if (!stays_inside(request->name))
		return refuse_name(EXDEV);
	load.file = open_regular(open_beneath, request->name, &about);
	if (load.file == -1)
		return refuse_name(errno);
	load.end = about.st_size;
	if (load.next > load.end)
		load.next = load.end;
	if (request->verb == SIZE)
		load.next = load.end;
	sent = accept_request(request->verb == SIZE ? load.end : load.end - load.next,
	    about.st_mtime, load.next < load.end);
	if (sent == 0)
		sent = io_send(&load, stall_s);
	close(load.file);
	return sent;
}

static size_t list_count;	/* names chosen for the list, as scandir(3) carries no argument */

/*
 * Chooses the names for the list: at most LIST_MAX, none hidden, and none that
 * a line cannot carry.
 */
static int
list_wants(const struct dirent *entry)
{
	for (const char *c = entry->d_name; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return 0;
	return entry->d_name[0] != '.' && list_count++ < LIST_MAX;
}

/* Writes the lines of the regular files among the names; returns them allocated, or NULL. */
static char *
list_write(struct dirent **names, int count)
{
	size_t room = 1, used = 0;
	struct stat about;
	char *text;

	for (int i = 0; i < count; i++)
		room += strlen(names[i]->d_name) + LIST_LINE;
	if ((text = malloc(room)) == NULL)
		return NULL;
	*text = '\0';
	for (int i = 0; i < count; i++)
		if (fstatat(AT_FDCWD, names[i]->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(about.st_mode))
			used += (size_t)snprintf(text + used, room - used, "%lld %lld %s\n",
			    (long long)about.st_size, (long long)about.st_mtime,
			    names[i]->d_name);
	return text;
}

static int
answer_list(void)
{
	struct dirent **names;
	struct stat about;
	char *text;
	int count, sent;

	list_count = 0;
	count = stat(".", &about) == 0 ? scandir(".", &names, list_wants, alphasort) : -1;
	if (count == -1)
		return refuse_name(errno);
	text = list_write(names, count);
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
	if (text == NULL)
		return refuse("out of memory");
	sent = accept_request((off_t)strlen(text), about.st_mtime, *text != '\0');
	if (sent == 0)
		sent = send_text(text, false);
	free(text);
	return sent;
}

static int
answer(char *line, size_t size)
{
	struct request request;

	if (!request_read(line, size, &request))
		return refuse("unknown request");
	return request.verb == LIST ? answer_list() : answer_file(&request);
}

/* The line protocol: requests are answered in turn until the client ends. */
static int
serve_folder(const char *path)
{
	static struct io_lines lines;
	size_t size;
	char *line;

	if (chdir(path) == -1)
		return cut_off(path);
	while ((line = io_line(&lines, &size, stall_deadline())) != NULL)
		if (answer(line, size) == -1)
			return cut_off("answer");
	if (errno == 0)
		return IO_OK;
	if (errno != EMSGSIZE)
		return cut_off("request");
	if (refuse("the request is too long") == 0)
		io_linger();
	return IO_FAILED;
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
	stall_s = (int)seconds;
	return folder != NULL ? serve_folder(folder) : serve_file(argv[optind]);
}
