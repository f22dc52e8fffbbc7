/*
 * Opening for sendfile: the file that the administrator names, and the names
 * that clients send, which are resolved beneath the working folder and through
 * no link.
 */
#include "io.h"
#include "sendfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* openat2(2), which no libc wraps and musl's compiler has no header for. */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#define OPEN_NO_LINKS 0x04	/* RESOLVE_NO_SYMLINKS */
#define OPEN_BENEATH 0x08	/* RESOLVE_BENEATH */

/* Opens a name; flags as for open(2). */
typedef int opener(const char *name, int flags);

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

int
sendfile_open(const char *path, struct stat *about)
{
	return open_regular(open_anywhere, path, about);
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

int
sendfile_open_beneath(const char *name, struct stat *about)
{
	if (stays_inside(name))
		return open_regular(open_beneath, name, about);
	errno = EXDEV;
	return -1;
}

const char *
sendfile_refusal(int reason)
{
	switch (reason) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
		return "no such file";
	case EACCES:
		return "permission denied";
	case EXDEV:
		return "the name leads out of the folder";
	case ELOOP:
		return "the name leads through a link";
	case EINVAL:
		return "not a regular file";
	default:
		io_complain("open");
		return "the file cannot be opened";
	}
}

char *
sendfile_trim(char *text)
{
	size_t size;

	text += strspn(text, " ");
	for (size = strlen(text); size > 0 && text[size - 1] == ' '; size--)
		continue;
	text[size] = '\0';
	return text;
}

const char *
sendfile_name(char *text)
{
	size_t size;

	text = sendfile_trim(text);
	size = strlen(text);
	if (*text == '"') {
		if (size < 2 || text[size - 1] != '"')
			return NULL;
		text[size - 1] = '\0';
		text++;
	}
	return *text != '\0' ? text : NULL;
}
