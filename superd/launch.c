/*
 * launch.c - see launch.h.
 *
 * A child is made in one of two ways.  As a rule it shares superd's memory
 * until it executes its program (clone with CLONE_VM), and, where superd has
 * many, its descriptors (CLONE_FILES): the time it takes does not depend on the
 * size of superd.  Each has a slot of its own for that (slots.c).  Where sharing
 * is impossible or not safe, or no slot is free, it is a plain fork.  What the
 * child does is the same (child.c).
 *
 * Everything that can be computed has been, at load or by environ_make, before
 * the child is made.  Its report comes by a pipe that all children share; it
 * is far below PIPE_BUF, so it arrives whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "descriptor.h"
#include "launch.h"
#include "raw.h"
#include "rights.h"

/* Set in /proc/PID/stat's flags from fork(2) until execve(2): PF_FORKNOEXEC of linux/sched.h. */
#define FORKED_NOT_EXECUTED	0x40UL
#define STAT_FLAGS_FIELD	9	/* proc_pid_stat(5) */

int
launch_init(struct launcher *launcher, const struct rlimit *nofile)
{
	int ends[2], call;

	*launcher = (struct launcher){ .nofile = *nofile };
	if (slots_init(&launcher->slots) == -1 || pipe2(ends, O_CLOEXEC | O_NONBLOCK) == -1)
		return -1;
	launcher->reports = ends[0];
	if (dup3(ends[1], CHILD_REPORT, O_CLOEXEC) == -1)
		return -1;
	close(ends[1]);
	if ((call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == -1 ||
	    dup3(call, CHILD_CALL, O_CLOEXEC) == -1)
		return -1;
	close(call);
	launch_choose(launcher, 0);
	return 0;
}

void
launch_finish(struct launcher *launcher)
{
	slots_finish(&launcher->slots);
	close(launcher->reports);
	environ_free(&launcher->environ);
}

/* A core dump ended all that shared the memory, before Linux 5.16. */
static bool
kernel_is_old(void)
{
	struct utsname name;
	unsigned major, minor;

	return uname(&name) == -1 || sscanf(name.release, "%u.%u", &major, &minor) != 2 ||
	    major < 5 || (major == 5 && minor < 16);
}

/* Whether a process that changes its user is open to the user's other processes, proc_sys_fs(5). */
static bool
is_suid_dumpable(void)
{
	int fd = open("/proc/sys/fs/suid_dumpable", O_RDONLY | O_CLOEXEC);
	char value = '1';

	if (fd == -1)
		return true;
	if (read(fd, &value, 1) != 1)
		value = '1';
	close(fd);
	return value != '0' && value != '2';
}

/* What sanitizers add to the code keeps state for the thread, which would be superd's. */
#if !defined(RAW_CLONE)
#define NO_SHARING	"no code for this architecture"
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define NO_SHARING	"a sanitizer"
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || \
    __has_feature(thread_sanitizer)
#define NO_SHARING	"a sanitizer"
#endif
#endif
#ifndef NO_SHARING
#define NO_SHARING	NULL
#endif

void
launch_choose(struct launcher *launcher, unsigned descriptors)
{
	const char *asked = getenv("SUPERD_FORK");

	launcher->forks = NO_SHARING;
	if (asked != NULL && *asked != '\0' && strcmp(asked, "0") != 0)
		launcher->forks = "SUPERD_FORK is set";
	else if (kernel_is_old())
		launcher->forks = "Linux is older than 5.16";
	else if (is_suid_dumpable())
		launcher->forks = "fs.suid_dumpable is not 0 or 2";
	/*
	 * A child that has dropped superd's rights and still shares its memory must
	 * not be open to others of its user.  Of a superd without rights there is
	 * nothing to gain.
	 */
	else if (rights_any() && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		launcher->forks = "PR_SET_DUMPABLE failed";
	atomic_store(&launcher->unsafe, false);
	launcher->many = launcher->forks == NULL && descriptors > LOW_DESCRIPTORS;
	descriptor_spread(launcher->many);
}

/* What both ways have in common: all that the child needs to know. */
static struct child
describe(struct launcher *launcher, const struct launch_request *request, struct environ *room)
{
	const struct service *service = request->service;

	return (struct child){ .service = service, .nofile = &launcher->nofile,
		.environment = environ_make(room, service, request->session, request->remote,
		    request->local),
		.pid_digits = room->pid_digits, .session = request->session,
		.in = request->in, .out = request->out,
		.err = service->stderr_to == STDERR_SOCKET ? request->out :
		    request->stderr_fd != -1 ? request->stderr_fd : CHILD_NULL,
		.program = service->program_fd, .lent = request->remote->none };
}

static pid_t
launch_forked(struct launcher *launcher, const struct launch_request *request)
{
	struct child child = describe(launcher, request, &launcher->environ);
	pid_t pid = _Fork();

	if (pid == 0)
		child_run(&child);
	launcher->forked += pid != -1;
	return pid;
}

/*
 * The descriptor becomes one that is low enough to be among those that the
 * child will have, by a copy if need be.  A socket that is lent stays superd's,
 * who may close it at any time.
 */
static bool
make_low(struct slot *slot, int *fd)
{
	if (*fd >= LOW_DESCRIPTORS || (slot->child.lent && fd == &slot->child.in)) {
		*fd = fcntl(*fd, F_DUPFD_CLOEXEC, CHILD_FREE);
		if (*fd == -1)
			return false;
		slot->close[slot->closes++] = *fd;
	}
	if (*fd >= (int)slot->child.below)
		slot->child.below = ((unsigned)*fd / LOW_STEP + 1) * LOW_STEP;
	return *fd < LOW_DESCRIPTORS;
}

static bool
make_all_low(struct slot *slot)
{
	struct child *child = &slot->child;
	bool same = child->in == child->out, err_same = child->err == child->out;

	if (!make_low(slot, &child->in) || (!same && !make_low(slot, &child->out)))
		return false;
	if (same)
		child->out = child->in;
	if (err_same)
		child->err = child->out;
	return make_low(slot, &child->err) && (child->program == -1 || make_low(slot, &child->program));
}

/*
 * -1 with errno.  ENOSYS: it could not be tried.  CLONE_CHILD_CLEARTID makes
 * the kernel clear `lives' when the child leaves superd's memory, by execve(2)
 * or by its end: that is all superd ever waits for, and it does so by looking.
 */
static pid_t
launch_shared(struct launcher *launcher, const struct launch_request *request)
{
	struct slot *slot = slots_take(&launcher->slots);
	unsigned long flags = CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD;
	long pid = -ENOSYS;

	if (slot != NULL && request->service->environ_count <= slot->environ.room) {
		slot->child = describe(launcher, request, &slot->environ);
		slot->child.unsafe = &launcher->unsafe;
		slot->child.apart = !launcher->many;
		slot->child.awaited = &launcher->slots.awaited;
		flags |= launcher->many ? CLONE_FILES : 0;
		if (!launcher->many || make_all_low(slot))
			pid = raw_clone(flags, slots_stack(slot), &slot->lives, child_run, &slot->child);
	}
	if (pid > 0) {
		slot->conf = conf_hold(request->conf);
		launcher->shared++;
		return (pid_t)pid;
	}
	if (slot != NULL)
		slots_give_back(&launcher->slots, slot);
	if (pid == -EPERM || pid == -EINVAL)
		launcher->forks = "sharing clone(2) is not allowed";
	errno = (int)-pid;
	return -1;
}

pid_t
launch(struct launcher *launcher, const struct launch_request *request)
{
	pid_t pid = -1;

	if (launcher->forks == NULL && atomic_load(&launcher->unsafe))
		launcher->forks = "fs.suid_dumpable has become 1";
	if (launcher->forks == NULL) {
		pid = launch_shared(launcher, request);
		if (pid != -1 || errno == EAGAIN || errno == ENOMEM)
			return pid;
	}
	return launch_forked(launcher, request);
}

void
launch_close(struct launcher *launcher, int fd)
{
	slots_close(&launcher->slots, fd);
}

void
launch_settle(struct launcher *launcher)
{
	(void)slots_settle(&launcher->slots);
}

bool
launch_next_report(struct launcher *launcher, struct launch_report *report)
{
	return read(launcher->reports, report, sizeof *report) == (ssize_t)sizeof *report;
}

bool
launch_executed(pid_t pid)
{
	char path[64], text[512], *at, *next;
	ssize_t len;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return true;
	len = read(fd, text, sizeof text - 1);
	close(fd);
	if (len <= 0)
		return true;
	text[len] = '\0';
	if ((at = strrchr(text, ')')) == NULL)	/* the name, field 2, may hold anything */
		return true;
	for (int field = 2; field < STAT_FLAGS_FIELD && at != NULL; field++)
		at = (next = strchr(at, ' ')) == NULL ? NULL : next + 1;
	return at == NULL || (strtoul(at, NULL, 10) & FORKED_NOT_EXECUTED) == 0;
}
