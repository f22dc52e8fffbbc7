/* rehearsal.c - see rehearsal.h. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "descriptor.h"
#include "names.h"
#include "rehearsal.h"
#include "turns.h"

/* In the child: of superd's descriptors it has the standard ones, and who listens to it. */
static _Noreturn void
rehearse(const struct conf_base *base, int fd, pid_t parent)
{
	struct mistakes wrong = { .count = 0 };

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	if (dup2(fd, STDERR_FILENO + 1) == -1)
		_exit(1);
	fd = STDERR_FILENO + 1;
	(void)syscall(SYS_close_range, (unsigned)fd + 1, ~0U, 0);
	turns_shorten();	/* it has much to do, and whoever is being served does not wait behind it */
	names_record(fd);
	conf_release(conf_load(base, &wrong));
	names_record_end(fd);
	mistakes_free(&wrong);
	_exit(0);
}

/*
 * Nothing is waited for: a child that hangs in the kernel may take its time to
 * die, and is told of by rehearsal_reaped then.
 */
static void
dismiss(struct rehearsal *rehearsal)
{
	if (rehearsal->watch.pool != NULL) {
		watch_remove(&rehearsal->watch);
		close(rehearsal->watch.fd);
	}
	timer_stop(rehearsal->loop, &rehearsal->timer);
	if (rehearsal->pid == 0)
		return;
	(void)kill(rehearsal->pid, SIGKILL);
	if (waitpid(rehearsal->pid, NULL, WNOHANG) == rehearsal->pid)
		rehearsal->pid = 0;
}

static void
finish(struct rehearsal *rehearsal, const char *trouble)
{
	dismiss(rehearsal);
	rehearsal->done(rehearsal, trouble);
}

static void
late(struct timer *timer)
{
	finish(container_of(timer, struct rehearsal, timer), "it takes too long: a look-up of users, or a file system, hangs");
}

static void
ready(struct watch *watch)
{
	struct rehearsal *rehearsal = container_of(watch, struct rehearsal, watch);
	ssize_t len;
	char *more;

	if (rehearsal->len == rehearsal->room) {
		more = realloc(rehearsal->bytes, 2 * rehearsal->room + REHEARSAL_STEP);
		if (more == NULL) {
			finish(rehearsal, strerror(errno));
			return;
		}
		rehearsal->bytes = more;
		rehearsal->room = 2 * rehearsal->room + REHEARSAL_STEP;
	}
	len = recv(watch->fd, rehearsal->bytes + rehearsal->len, rehearsal->room - rehearsal->len,
	    MSG_DONTWAIT);
	if (len == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len <= 0) {
		finish(rehearsal, "that child has died");
		return;
	}
	rehearsal->len += (size_t)len;
	if (names_recorded(rehearsal->bytes, rehearsal->len, &rehearsal->seen))
		finish(rehearsal, NULL);
}

int
rehearsal_start(struct rehearsal *rehearsal, struct loop *loop, const struct conf_base *base,
    uint64_t ms, void (*done)(struct rehearsal *, const char *trouble))
{
	pid_t parent = getpid();
	int ends[2], error;

	*rehearsal = (struct rehearsal){ .loop = loop, .done = done };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1)
		return -1;
	rehearsal->pid = fork();
	if (rehearsal->pid == 0)
		rehearse(base, ends[1], parent);
	error = errno;
	close(ends[1]);
	ends[0] = descriptor_high(ends[0]);
	if (rehearsal->pid != -1 && watch_add(&rehearsal->watch, &loop->pool, ends[0], ready) == 0 &&
	    timer_start(loop, &rehearsal->timer, ms, late) == 0)
		return 0;
	if (rehearsal->pid == -1)
		rehearsal->pid = 0;
	else
		error = errno;
	if (rehearsal->watch.pool == NULL)
		close(ends[0]);
	dismiss(rehearsal);
	errno = error;
	return -1;
}

void
rehearsal_end(struct rehearsal *rehearsal)
{
	if (rehearsal->loop == NULL)
		return;
	dismiss(rehearsal);
	free(rehearsal->bytes);
	rehearsal->bytes = NULL;
	rehearsal->len = rehearsal->seen = rehearsal->room = 0;
}

void
rehearsal_reaped(struct rehearsal *rehearsal, pid_t pid)
{
	if (pid == rehearsal->pid)
		rehearsal->pid = 0;
}
