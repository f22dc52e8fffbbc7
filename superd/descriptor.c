/* descriptor.c - see descriptor.h. */
#include <fcntl.h>
#include <unistd.h>

#include "bounds.h"
#include "descriptor.h"

int
descriptor_copy_high(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, LOW_DESCRIPTORS);
}

int
descriptor_high(int fd)
{
	int high = fd == -1 || fd >= LOW_DESCRIPTORS ? -1 : descriptor_copy_high(fd);

	if (high == -1)
		return fd;
	close(fd);
	return high;
}
