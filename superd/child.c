/*
 * child.c - see child.h.
 *
 * Raw system calls only: what the C library keeps (errno, the id of the thread)
 * may be superd's.  Of superd's memory it writes the child's own struct and
 * environment, and the two words that the struct points to.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "child.h"
#include "conf.h"
#include "raw.h"

/* Where there were ids of 16 bits first, the call of this name has them still. */
#ifdef SYS_setresuid32
#define ID(name)	SYS_##name##32
#else
#define ID(name)	SYS_##name
#endif

#define STAGE_WORD(name, word)	[name] = word,
const char *const stage_word[STAGE_COUNT] = { STAGES(STAGE_WORD) };
#undef STAGE_WORD

static _Noreturn void
child_fail(const struct child *self, enum stage stage, long error)
{
	const struct launch_report report = { .session = self->session, .error = (int16_t)-error,
		.stage = (int16_t)stage, .pid = (int32_t)raw(SYS_getpid) };

	raw(SYS_write, CHILD_REPORT, &report, sizeof report);
	for (;;)
		raw(SYS_exit_group, LAUNCH_FAILED);
}

/*
 * A child that shares superd's table gets one of its own, with no more in it
 * than must be: copying costs time for each descriptor, and superd may have
 * thousands.  Before that nothing may be closed or moved.
 */
static long
child_part(struct child *self)
{
	static const uint64_t one = 1;
	long result;

	if (self->below == 0)
		return 0;
	result = raw(SYS_close_range, self->below, ~0U, CLOSE_RANGE_UNSHARE);
	if (result < 0)
		return result;
	if (child_is_apart(self))
		raw(SYS_write, CHILD_CALL, &one, sizeof one);
	return 0;
}

/* CHILD_REPORT is where it belongs already. */
static long
child_descriptors(const struct child *self)
{
	bool by_descriptor = self->program != -1;
	long result;

	if ((result = raw(SYS_dup3, self->in, 0, 0)) < 0 ||
	    (result = raw(SYS_dup3, self->out, 1, 0)) < 0 ||
	    (result = raw(SYS_dup3, self->err, 2, 0)) < 0)
		return result;
	result = self->lent ? raw(SYS_dup3, self->in, CHILD_PASSED, 0) : raw(SYS_close, CHILD_PASSED);
	if (result >= 0 && by_descriptor)
		result = raw(SYS_dup3, self->program, CHILD_PROGRAM, O_CLOEXEC);
	if (result < 0)
		return result;
	/* Close-on-exec acts only at exec: a child stuck in execve would hold others' connections. */
	return raw(SYS_close_range, by_descriptor ? CHILD_FREE : CHILD_PROGRAM, ~0U, 0);
}

/*
 * Sent by the child, so that superd never waits for a client.  It fits the send
 * buffer of a new connection; if the client is gone, the program will notice.
 */
static void
child_banner(const struct banner *banner)
{
	size_t sent = 0;
	long len;

	for (; banner != NULL && sent < banner->len; sent += (size_t)len)
		if ((len = raw(SYS_sendto, 1, banner->bytes + sent, banner->len - sent, MSG_NOSIGNAL)) < 0)
			return;
}

/* Where time has had 64 bits from the first, the call of this name is not there. */
#ifndef SYS_rt_sigtimedwait
#define SYS_rt_sigtimedwait	SYS_rt_sigtimedwait_time64
#endif

/*
 * superd blocks signals and leaves all at their default.  What asks superd for
 * something may have been sent to all of its group, or of its name: here it is
 * taken away, for it would end the child.
 */
static long
child_signals(void)
{
	static const unsigned long zero[32];	/* no signal; no time */
	static const unsigned long requests[_NSIG / 8 / sizeof(long)] = {
		1UL << (SIGHUP - 1) | 1UL << (SIGUSR1 - 1) | 1UL << (SIGUSR2 - 1) };
	const size_t size = _NSIG / 8;		/* of the kernel's sigset_t */

	while (raw(SYS_rt_sigtimedwait, requests, NULL, zero, size) > 0)
		;
	return raw(SYS_rt_sigprocmask, SIG_SETMASK, zero, NULL, size);
}

static long
set_limit(limit_resource resource, rlim_t soft, rlim_t hard)
{
	const uint64_t limit[2] = { soft == RLIM_INFINITY ? UINT64_MAX : soft,
		hard == RLIM_INFINITY ? UINT64_MAX : hard };

	return raw(SYS_prlimit64, 0, resource, limit, NULL);
}

static long
child_limits(const struct child *self)
{
	const struct limit *const *limit = self->service->limit;
	long result = 0;

	if (limit[LIMIT_NOFILE] == NULL)
		result = set_limit(RLIMIT_NOFILE, self->nofile->rlim_cur, self->nofile->rlim_max);
	for (size_t i = 0; i < LIMIT_COUNT && result >= 0; i++)
		if (limit[i] != NULL)
			result = set_limit(limit_resources[i], limit[i]->soft, limit[i]->hard);
	return result;
}

/* Gives up all capabilities for good; the ambient ones go with those that may be inherited. */
static long
child_drop_rights(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	static const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];

	return raw(SYS_capset, &head, none);
}

/*
 * A process that changes its user is from then on as dumpable as fs.suid_dumpable
 * says; 1 would let the user's other processes write to superd's memory.  Its
 * group or setfsuid(2) has made it so before: hence this can be seen in time.
 */
static long
child_check_sharing(const struct child *self)
{
	if (self->unsafe == NULL || raw(SYS_prctl, PR_GET_DUMPABLE) != 1)
		return 0;
	/* Others of this user may be on their way in the same memory. */
	raw(SYS_prctl, PR_SET_DUMPABLE, 0);
	atomic_store(self->unsafe, true);
	return -EPERM;
}

static long
child_user(const struct child *self, const struct identity *who)
{
	long result = 0;

	if (who->change && (result = child_check_sharing(self)) >= 0)
		result = raw(ID(setresuid), who->uid, who->uid, who->uid);
	/* A superd that is not root may have rights all the same, from whoever started it. */
	if (result >= 0 && who->uid != 0)
		result = child_drop_rights();
	if (result >= 0 && who->change && who->uid != 0 && raw(ID(setuid), 0) == 0)
		result = -EPERM;	/* root came back: never go on */
	return result;
}

/*
 * The user comes last of all that needs a right: from then on its other
 * processes may signal this one.  The folder is entered with the user's rights
 * but before that, because it may be on a file system that makes one wait.
 */
static void
child_identity(const struct child *self)
{
	const struct service *service = self->service;
	const struct identity *who = service->identity;
	bool moves = service->chroot != NULL || service->chdir[1] != '\0';	/* superd is in / */
	long result;

	if (service->chroot != NULL && ((result = raw(SYS_chroot, service->chroot)) < 0 ||
	    (result = raw(SYS_chdir, "/")) < 0))
		child_fail(self, STAGE_CHROOT, result);
	if (who->change && ((result = raw(ID(setgroups), who->ngroups, who->groups)) < 0 ||
	    (result = raw(ID(setresgid), who->gid, who->gid, who->gid)) < 0))
		child_fail(self, STAGE_GROUP, result);
	if (who->change && (moves || !who->changes_group))	/* the latter for child_check_sharing */
		raw(ID(setfsuid), who->uid);
	if (moves && (result = raw(SYS_chdir, service->chdir)) < 0)
		child_fail(self, STAGE_CHDIR, result);
	if (service->no_new_privs && (result = raw(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1)) < 0)
		child_fail(self, STAGE_NO_NEW_PRIVS, result);
	if ((result = child_user(self, who)) < 0)
		child_fail(self, STAGE_USER, result);
}

static void
write_pid(char *digits)
{
	long pid = raw(SYS_getpid), unit = 1;

	while (pid / unit >= 10)
		unit *= 10;
	for (; unit > 0; unit /= 10)
		*digits++ = (char)('0' + pid / unit % 10);
	*digits = '\0';
}

void
child_run(void *arg)
{
	struct child *self = arg;
	const struct service *service = self->service;
	long result;

	if ((result = child_part(self)) < 0)
		child_fail(self, STAGE_DESCRIPTORS, result);
	if (self->pid_digits != NULL)
		write_pid(self->pid_digits);
	if ((result = raw(SYS_setsid)) < 0)
		child_fail(self, STAGE_SESSION, result);
	if ((result = child_descriptors(self)) < 0)
		child_fail(self, STAGE_DESCRIPTORS, result);
	if ((result = child_signals()) < 0)
		child_fail(self, STAGE_SIGNALS, result);
	child_banner(service->banner_bytes);
	if ((result = child_limits(self)) < 0)
		child_fail(self, STAGE_LIMITS, result);
	if (service->change_nice &&
	    (result = raw(SYS_setpriority, PRIO_PROCESS, 0, service->nice)) < 0)
		child_fail(self, STAGE_NICE, result);
	raw(SYS_umask, service->umask);
	child_identity(self);
	if (self->program != -1)
		result = raw(SYS_execveat, CHILD_PROGRAM, "", service->argv, self->environment,
		    AT_EMPTY_PATH);
	else
		result = raw(SYS_execve, service->program, service->argv, self->environment);
	child_fail(self, STAGE_EXEC, result);
}
