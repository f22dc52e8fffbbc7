/*
 * kernel.c - see kernel.h.  Each call is asked for something that changes nothing,
 * so that an old kernel is told of at the start and not by the first connection.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kernel.h"

/* A filter of system calls may say EPERM for what it does not know. */
static bool
is_missing(long result)
{
	return result == -1 && (errno == ENOSYS || errno == EPERM);
}

bool
kernel_suffices(char text[KERNEL_TEXT])
{
	const char *missing = NULL, *why;
	struct utsname name;

	if (is_missing(syscall(SYS_close_range, UINT_MAX, UINT_MAX, 0)))
		missing = "close_range";	/* Linux 5.9 */
	else if (is_missing(syscall(SYS_faccessat2, -1, "", X_OK, AT_EACCESS | AT_EMPTY_PATH)))
		missing = "faccessat2";		/* Linux 5.8 */
	if (missing == NULL)
		return true;
	why = strerror(errno);
	if (uname(&name) == -1)
		strcpy(name.release, "?");
	snprintf(text, KERNEL_TEXT, "%s(2): %s; superd needs Linux 5.9 or later, this is %.64s, "
	    "and no filter of system calls that forbids it", missing, why, name.release);
	return false;
}
