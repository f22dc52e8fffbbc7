/* socket_file.c - see socket_file.h; unix(7). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "socket_file.h"

/* The file itself, of which nothing but its owner and mode can be changed: O_PATH; -1: it is another. */
static int
open_own(const char *path, const struct socket_file *file)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;

	if (fd == -1)
		return -1;
	if (fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) && (file->inode == 0 ||
	    (status.st_dev == file->device && status.st_ino == file->inode)))
		return fd;
	close(fd);
	errno = EEXIST;
	return -1;
}

static int
set_mode(int fd, mode_t mode)
{
	char path[64];

	/* chmod(2) of an O_PATH descriptor goes by its name in /proc. */
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return chmod(path, mode);
}

/* Only what differs is set: most reloads change nothing, and nothing is done then. */
static int
set_owner_and_mode(int fd, const struct service *service)
{
	uid_t uid = service->socket_uid != (uid_t)-1 ? service->socket_uid : geteuid();
	gid_t gid = service->socket_gid != (gid_t)-1 ? service->socket_gid : getegid();
	struct stat status;

	if (fstat(fd, &status) == -1)
		return -1;
	if ((status.st_uid != uid || status.st_gid != gid) &&
	    fchownat(fd, "", uid, gid, AT_EMPTY_PATH) == -1)
		return -1;
	if ((status.st_mode & 07777) != service->socket_mode)
		return set_mode(fd, service->socket_mode);
	return 0;
}

/* Whether some process has a socket at the path: one that is bound and does not listen yet refuses too. */
static bool
is_bound(const char *path)
{
	FILE *sockets = fopen("/proc/net/unix", "re");
	char line[512], *name;
	bool found = false;

	while (sockets != NULL && !found && fgets(line, sizeof line, sockets) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		name = strchr(line, '/');
		found = name != NULL && strcmp(name, path) == 0;
	}
	if (sockets != NULL)
		fclose(sockets);
	return found;
}

/* A socket's file that nobody is behind is left over from a crash.  Anything else stays. */
static void
remove_stale(const struct address *address)
{
	struct sockaddr_storage storage;
	socklen_t len = address_sockaddr(address, AF_UNIX, &storage);
	struct stat status;
	int fd;

	if (lstat(address->path, &status) == -1 || !S_ISSOCK(status.st_mode) || is_bound(address->path))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return;
	if (connect(fd, (const struct sockaddr *)&storage, len) == -1 && errno == ECONNREFUSED)
		unlink(address->path);
	close(fd);
}

int
socket_file_bind(int fd, const struct address *address, const struct service *service,
    struct socket_file *file)
{
	struct sockaddr_storage storage;
	socklen_t len = address_sockaddr(address, AF_UNIX, &storage);
	struct stat status;
	mode_t mask;
	int own, result;

	remove_stale(address);
	/* The file takes the mode of the socket.  Nobody can connect before listen(2). */
	if (fchmod(fd, service->socket_mode) == -1)
		return -1;
	mask = umask(0);
	result = bind(fd, (const struct sockaddr *)&storage, len);
	umask(mask);
	if (result == -1)
		return -1;
	*file = (struct socket_file){ .inode = 0 };
	if ((own = open_own(address->path, file)) == -1)
		return -1;
	if (fstat(own, &status) == 0)
		*file = (struct socket_file){ .device = status.st_dev, .inode = status.st_ino };
	/* It is superd's own, who has just made it, or somebody has put another in its place. */
	result = status.st_uid == geteuid() ? set_owner_and_mode(own, service) : -1;
	close(own);
	if (result == -1)
		socket_file_remove(address, file);
	return result;
}

int
socket_file_declare(const struct address *address, const struct service *service,
    const struct socket_file *file)
{
	int fd = open_own(address->path, file), result;

	if (fd == -1)
		return -1;
	result = set_owner_and_mode(fd, service);
	close(fd);
	return result;
}

bool
socket_file_exists(const struct address *address, const struct socket_file *file)
{
	int fd = open_own(address->path, file);

	if (fd != -1)
		close(fd);
	return fd != -1;
}

void
socket_file_remove(const struct address *address, const struct socket_file *file)
{
	if (file->inode != 0 && socket_file_exists(address, file))
		unlink(address->path);
}
