/*
 * FILE, which is only ever extended, and whose time says of which version its
 * bytes are.
 */
#include "fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int
complain(const struct fetch_file *file)
{
	fetch_say("%s: %s", file->path, strerror(errno));
	return -1;
}

/* Takes FILE for this process, then looks at what is in it. */
static int
file_take(struct fetch_file *file)
{
	struct stat about;

	if (fstat(file->fd, &about) == -1)
		return complain(file);
	file->plain = !S_ISREG(about.st_mode);
	if (file->plain)
		return 0;
	if (flock(file->fd, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK) {
		fetch_say("%s: another fetch is at work on it", file->path);
		return -1;
	}
	if (fstat(file->fd, &about) == -1)
		return complain(file);
	file->held = about.st_size;
	file->changed = about.st_mtime;
	return 0;
}

int
fetch_file_look(struct fetch_file *file, const char *path, bool anew)
{
	*file = (struct fetch_file){ .path = path, .anew = anew };
	file->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (file->fd != -1)
		return file_take(file);
	return errno == ENOENT ? 0 : complain(file);
}

/* A file system that keeps no times makes the next run start over, and nothing worse. */
static void
file_stamp(const struct fetch_file *file)
{
	const struct timespec times[] = {
		{ .tv_nsec = UTIME_OMIT }, { .tv_sec = (time_t)file->changed },
	};

	if (file->stamped && !file->plain)
		(void)futimens(file->fd, times);
}

static bool
of_version(const struct fetch_file *file, const struct fetch_version *version)
{
	if (file->anew)
		return false;
	return version == NULL ||
	    (file->changed == version->changed && file->held <= version->total);
}

int
fetch_file_begin(struct fetch_file *file, const struct fetch_version *version)
{
	if (file->fd == -1) {
		file->fd = open(file->path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
		if (file->fd == -1)
			return complain(file);
		if (file_take(file) == -1)
			return -1;
	}
	if (!of_version(file, version)) {
		if (file->plain && file->held > 0) {
			fetch_say("%s: cannot be started over", file->path);
			return -1;
		}
		if (!file->plain && ftruncate(file->fd, 0) == -1)
			return complain(file);
		file->held = 0;
	}
	if (!file->plain && lseek(file->fd, file->held, SEEK_SET) == -1)
		return complain(file);
	/* A pipe may never take what is written; nothing is to be kept in order there. */
	if (file->plain)
		fetch_signals_release();
	file->anew = false;
	file->stamped = version != NULL;
	if (version != NULL)
		file->changed = version->changed;
	file_stamp(file);
	return 0;
}

int
fetch_file_write(struct fetch_file *file, const void *data, size_t size)
{
	const char *from = data;

	while (size > 0) {
		ssize_t n = write(file->fd, from, size);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			complain(file);
			file_stamp(file);
			return -1;
		}
		from += n;
		size -= (size_t)n;
		file->held += n;
	}
	file_stamp(file);
	return 0;
}

int
fetch_file_close(struct fetch_file *file)
{
	int closed = file->fd == -1 ? 0 : close(file->fd);

	file->fd = -1;
	return closed == 0 ? 0 : complain(file);
}
