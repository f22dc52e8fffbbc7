/* rights.c - see rights.h. */
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rights.h"

#define BIT(capability)	(1ULL << (capability))

static const uint64_t needed[] = {
	[RIGHT_IDENTITY] = BIT(CAP_SETUID) | BIT(CAP_SETGID),
	[RIGHT_CHROOT] = BIT(CAP_SYS_CHROOT),
	[RIGHT_NICE] = BIT(CAP_SYS_NICE),
	[RIGHT_LIMITS] = BIT(CAP_SYS_RESOURCE),
	[RIGHT_OWNER] = BIT(CAP_CHOWN),
};

bool
rights_have(enum right right)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	uint64_t effective;

	if (syscall(SYS_capget, &head, data) == -1)
		return false;
	effective = data[0].effective | (uint64_t)data[1].effective << 32;
	return (effective & needed[right]) == needed[right];
}

int
rights_drop(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { .effective = 0 } };

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1)
		return -1;
	return (int)syscall(SYS_capset, &head, none);
}
