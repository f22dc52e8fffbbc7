/*
 * socket_file.h - the file of a Unix socket: made with its mode and owner,
 * recognised again, removed.  Never touched through a path that somebody else
 * may have put something else at meanwhile.
 */
#ifndef SOCKET_FILE_H
#define SOCKET_FILE_H

#include "conf.h"

struct socket_file {
	dev_t	device;
	ino_t	inode;		/* 0: none was made */
};

/* Binds fd to the path of an address.  -1 with errno, and no file of ours is left. */
int	socket_file_bind(int fd, const struct address *, const struct service *, struct socket_file *);
/* Mode and owner as the service declares them now. */
int	socket_file_declare(const struct address *, const struct service *, const struct socket_file *);
/* Whether it is still there. */
bool	socket_file_exists(const struct address *, const struct socket_file *);
void	socket_file_remove(const struct address *, const struct socket_file *);

#endif
