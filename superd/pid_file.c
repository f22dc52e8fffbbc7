/* pid_file.c - see pid_file.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pid_file.h"

static int locked = -1;		/* owned; the lock lasts as long as it is open */

int
pid_file_take(const char *path)
{
	/* O_NONBLOCK: a FIFO is never waited for; O_NOFOLLOW: no file is emptied through a link. */
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
	struct stat status;

	if (fd == -1)
		return -1;
	errno = EEXIST;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
	    ftruncate(fd, 0) == 0 && dprintf(fd, "%d\n", (int)getpid()) > 0) {
		locked = fd;
		return 0;
	}
	close(fd);
	return -1;
}

void
pid_file_leave(const char *path)
{
	struct stat ours, there;

	if (locked == -1)
		return;
	if (fstat(locked, &ours) == 0 && lstat(path, &there) == 0 && ours.st_dev == there.st_dev &&
	    ours.st_ino == there.st_ino)
		unlink(path);
	close(locked);
	locked = -1;
}
