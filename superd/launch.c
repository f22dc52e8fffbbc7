/*
 * launch.c - see launch.h.
 *
 * Everything that can be computed has been, at load or by environ_make, before
 * the child is made.  The child is a list of stages that ends in execve(2);
 * the first that fails is reported through a pipe that all children share
 * (a report is far below PIPE_BUF, so it arrives whole), and is the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch.h"
#include "rights.h"

#define STAGE_WORD(name, word)	[name] = word,
const char *const stage_word[STAGE_COUNT] = { STAGES(STAGE_WORD) };
#undef STAGE_WORD

/*
 * The descriptors of a child until its exec; behind them everything is closed.
 * 3 is left free: with wait = yes the program finds its socket there.
 */
enum { CHILD_PASSED = 3, CHILD_REPORT, CHILD_PROGRAM, CHILD_CLOSE };

/* Set in /proc/PID/stat's flags from fork(2) until execve(2): PF_FORKNOEXEC of linux/sched.h. */
#define FORKED_NOT_EXECUTED	0x40UL
#define STAT_FLAGS_FIELD	9	/* proc_pid_stat(5) */

int
launch_init(struct launcher *launcher, const struct rlimit *nofile)
{
	*launcher = (struct launcher){ .reports = { -1, -1 }, .nofile = *nofile };
	launcher->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (launcher->null == -1)
		return -1;
	if (pipe2(launcher->reports, O_CLOEXEC | O_NONBLOCK) == 0)
		return 0;
	close(launcher->null);
	return -1;
}

void
launch_finish(struct launcher *launcher)
{
	close(launcher->null);
	close(launcher->reports[0]);
	close(launcher->reports[1]);
	environ_free(&launcher->environ);
}

static _Noreturn void
child_fail(int fd, uint64_t session, enum stage stage)
{
	const struct launch_report report = { .session = session, .error = (int16_t)errno,
		.stage = (int16_t)stage, .pid = getpid() };

	(void)!write(fd, &report, sizeof report);
	_exit(LAUNCH_FAILED);
}

/*
 * 0 and 1 the connection, 2 as the service says, CHILD_REPORT and, if it is
 * executed by descriptor, CHILD_PROGRAM.  All that they are made from is above
 * 5 (superd keeps 0 to 5 taken), so none overwrites one that is still needed.
 */
static int
child_descriptors(const struct launcher *launcher, const struct launch_request *request)
{
	const struct service *service = request->service;
	int err = service->stderr_to == STDERR_SOCKET ? request->out :
	    request->stderr_fd != -1 ? request->stderr_fd : launcher->null;

	if (dup2(request->in, STDIN_FILENO) == -1 || dup2(request->out, STDOUT_FILENO) == -1 ||
	    dup2(err, STDERR_FILENO) == -1 ||
	    dup3(launcher->reports[1], CHILD_REPORT, O_CLOEXEC) == -1)
		return -1;
	if (request->remote->none ? dup2(request->in, CHILD_PASSED) == -1 : close(CHILD_PASSED) == -1)
		return -1;
	if (service->program_fd != -1 && dup3(service->program_fd, CHILD_PROGRAM, O_CLOEXEC) == -1)
		return -1;
	/* Close-on-exec acts only at exec: a child stuck in execve would hold others' connections. */
	return (int)syscall(SYS_close_range, service->program_fd != -1 ? CHILD_CLOSE : CHILD_PROGRAM,
	    ~0U, 0);
}

/*
 * Sent by the child, so that superd never waits for a client.  It fits the send
 * buffer of a new connection; if the client is gone, the program will notice.
 */
static void
child_banner(const struct banner *banner)
{
	size_t sent = 0;
	ssize_t len;

	for (; banner != NULL && sent < banner->len; sent += (size_t)len)
		if ((len = send(STDOUT_FILENO, banner->bytes + sent, banner->len - sent, MSG_NOSIGNAL)) == -1)
			return;
}

/* superd ignores two signals and blocks those it reads; everything else is at its default already. */
static int
child_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	if (signal(SIGPIPE, SIG_DFL) == SIG_ERR || signal(SIGXFSZ, SIG_DFL) == SIG_ERR)
		return -1;
	return sigprocmask(SIG_SETMASK, &none, NULL);
}

static int
child_limits(const struct launcher *launcher, const struct service *service)
{
	if (service->limit[LIMIT_NOFILE] == NULL && setrlimit(RLIMIT_NOFILE, &launcher->nofile) == -1)
		return -1;
	for (size_t i = 0; i < LIMIT_COUNT; i++) {
		struct rlimit limit;

		if (service->limit[i] == NULL)
			continue;
		limit = (struct rlimit){ service->limit[i]->soft, service->limit[i]->hard };
		if (setrlimit(limit_resources[i], &limit) == -1)
			return -1;
	}
	return 0;
}

/*
 * The user comes last of all that needs a right: from then on its other
 * processes may signal this one.  The folder is entered with the user's rights
 * but before that, because it may be on a file system that makes one wait.
 */
static enum stage
child_identity(const struct service *service)
{
	const struct identity *who = service->identity;

	if (service->chroot != NULL && (chroot(service->chroot) == -1 || chdir("/") == -1))
		return STAGE_CHROOT;
	if (who->change && (setgroups(who->ngroups, who->groups) == -1 ||
	    setresgid(who->gid, who->gid, who->gid) == -1))
		return STAGE_GROUP;
	if (who->change)
		setfsuid(who->uid);
	if (chdir(service->chdir) == -1)
		return STAGE_CHDIR;
	if (service->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return STAGE_NO_NEW_PRIVS;
	/* A superd that is not root may have rights all the same, from whoever started it. */
	if (!who->change)
		return who->uid != 0 && rights_drop() == -1 ? STAGE_USER : STAGE_NONE;
	if (setresuid(who->uid, who->uid, who->uid) == -1 ||
	    (who->uid != 0 && rights_drop() == -1))
		return STAGE_USER;
	if (who->uid != 0 && setuid(0) == 0) {
		errno = EPERM;		/* root came back: never go on */
		return STAGE_USER;
	}
	return STAGE_NONE;
}

static _Noreturn void
child(const struct launcher *launcher, const struct launch_request *request, char **environment)
{
	const struct service *service = request->service;
	enum stage stage;

	if (request->remote->none)
		environ_set_pid(environment, getpid());
	if (setsid() == -1)
		child_fail(launcher->reports[1], request->session, STAGE_SESSION);
	if (child_descriptors(launcher, request) == -1)
		child_fail(launcher->reports[1], request->session, STAGE_DESCRIPTORS);
	if (child_signals() == -1)
		child_fail(CHILD_REPORT, request->session, STAGE_SIGNALS);
	child_banner(service->banner_bytes);
	if (child_limits(launcher, service) == -1)
		child_fail(CHILD_REPORT, request->session, STAGE_LIMITS);
	if (service->change_nice && setpriority(PRIO_PROCESS, 0, service->nice) == -1)
		child_fail(CHILD_REPORT, request->session, STAGE_NICE);
	umask(service->umask);
	if ((stage = child_identity(service)) != STAGE_NONE)
		child_fail(CHILD_REPORT, request->session, stage);
	if (service->program_fd != -1)
		syscall(SYS_execveat, CHILD_PROGRAM, "", service->argv, environment, AT_EMPTY_PATH);
	else
		execve(service->program, service->argv, environment);
	child_fail(CHILD_REPORT, request->session, STAGE_EXEC);
}

pid_t
launch(struct launcher *launcher, const struct launch_request *request)
{
	char **environment = environ_make(&launcher->environ, request->service, request->session,
	    request->remote, request->local);
	pid_t pid = _Fork();

	if (pid == 0)
		child(launcher, request, environment);
	return pid;
}

bool
launch_next_report(struct launcher *launcher, struct launch_report *report)
{
	return read(launcher->reports[0], report, sizeof *report) == (ssize_t)sizeof *report;
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
