/* turns.c - see turns.h. */
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bounds.h"
#include "turns.h"

void
turns_shorten(void)
{
	struct sched_attr attr = { .size = sizeof attr };

	if (syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0) == -1 ||
	    attr.sched_policy != SCHED_NORMAL || attr.sched_nice < 0)
		return;
	attr = (struct sched_attr){ .size = sizeof attr, .sched_policy = SCHED_NORMAL,
		.sched_flags = SCHED_FLAG_RESET_ON_FORK, .sched_nice = attr.sched_nice,
		.sched_runtime = TURN_NS };
	(void)syscall(SYS_sched_setattr, 0, &attr, 0);
}
