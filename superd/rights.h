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
/* Whether it has any capability at all. */
bool	rights_any(void);

#endif
