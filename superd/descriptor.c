/* descriptor.c - see descriptor.h. */
#include <fcntl.h>
#include <unistd.h>

#include "bounds.h"
#include "descriptor.h"

static bool spread;

void
descriptor_spread(bool many)
{
	spread = many;
}

int
descriptor_copy_high(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, spread ? LOW_DESCRIPTORS : 0);
}

int
descriptor_high(int fd)
{
	int high = !spread || fd == -1 || fd >= LOW_DESCRIPTORS ? -1 : descriptor_copy_high(fd);

	if (high == -1)
		return fd;
	close(fd);
	return high;
}
