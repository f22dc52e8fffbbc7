/*
 * rights.h - what superd may do, capabilities(7).  Root alone says little: in a
 * container root may lack any of them, and a supervisor may give one to a user.
 */
#ifndef RIGHTS_H
#define RIGHTS_H

#include <stdbool.h>

enum right {
	RIGHT_IDENTITY,		/* CAP_SETUID and CAP_SETGID: run a program as another user */
	RIGHT_CHROOT,		/* CAP_SYS_CHROOT */
	RIGHT_NICE,		/* CAP_SYS_NICE */
	RIGHT_LIMITS,		/* CAP_SYS_RESOURCE: raise a hard limit */
	RIGHT_OWNER,		/* CAP_CHOWN: give a file to another user */
};

/* Whether superd has it, as things are now. */
bool	rights_have(enum right);

/* Gives up all of them for good, also those that an exec would bring back.  -1 with errno. */
int	rights_drop(void);

#endif
