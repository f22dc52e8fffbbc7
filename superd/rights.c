/* rights.c - see rights.h. */
#include <linux/capability.h>
#include <stdint.h>
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

static uint64_t
effective(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, data) == -1)
		return 0;
	return data[0].effective | (uint64_t)data[1].effective << 32;
}

bool
rights_have(enum right right)
{
	return (effective() & needed[right]) == needed[right];
}

bool
rights_any(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	return syscall(SYS_capget, &head, data) == -1 || (data[0].permitted | data[1].permitted) != 0;
}
