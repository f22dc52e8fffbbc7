/*
 * reap.c - signals, which arrive as events of the loop, and children that have
 * ended.
 *
 * SIGCHLD names one dead child, which is waited for directly: looking at all
 * children costs the kernel time in proportion to the living ones.  Of several
 * that die while one signal is pending only one is named, so a sweep over all
 * follows: at once where few are alive, else within SWEEP_MS; and before that a
 * glance at the newest ones, so that the sweep finds little.
 */
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "events.h"
#include "superd.h"

#define SIGNALS_BATCH	32

/* A child may have written a report before it ended; it belongs to the session that it names. */
static void
take_reports(struct superd *superd)
{
	struct launch_report report;
	struct session *session;

	while (launch_next_report(&superd->launcher, &report)) {
		session = session_find(&superd->sessions, report.pid);
		if (session == NULL || session->id != report.session)
			continue;
		session->stage = (uint8_t)report.stage;
		session->error = report.error;
	}
}

static void
tell_end(const struct superd *superd, struct session *session, int status, const struct rusage *used, bool executed)
{
	struct running *running = session->running;
	uint64_t now_ms = superd->loop.now;

	if (session->cause == CAUSE_EXEC)
		running_failed(running, session->id, &session->peer, STAGE_EXEC,
		    "the program was not executed in time", now_ms);
	else if (session->stage != STAGE_NONE)
		running_failed(running, session->id, &session->peer, session->stage,
		    strerror(session->error), now_ms);
	else if (!executed)
		running_failed(running, session->id, &session->peer, STAGE_EXEC,
		    "killed before the program was executed", now_ms);
	else
		event_exit(running, session, status, used, session_now_us() - session->started_us);
}

/* Waits for one child that is known to be dead; code is that of siginfo_t. */
static void
reap(struct superd *superd, pid_t pid, int code)
{
	struct session *session = session_find(&superd->sessions, pid);
	bool executed = true;
	struct rusage used;
	int status;

	/* Stopping and going on send SIGCHLD as well. */
	if (code != CLD_EXITED && code != CLD_KILLED && code != CLD_DUMPED)
		return;
	if (session != NULL && code != CLD_EXITED && session->young && session->cause == CAUSE_NONE)
		executed = launch_executed(pid);
	/* What is left of an ended session's group goes with it, while the zombie still holds its number. */
	if (session != NULL && session->cause != CAUSE_NONE)
		session_kill(session);
	if (wait4(pid, &status, WNOHANG, &used) != pid)
		return;
	if (session == NULL) {
		rehearsal_reaped(&superd->reload.rehearsal, pid);
		return;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == LAUNCH_FAILED)
		take_reports(superd);
	superd_last_answers(superd, session);
	tell_end(superd, session, status, &used, executed);
	superd_session_over(superd, session);
}

static void	sweep_due(struct timer *);

/* All that are dead, for as long as a sweep may take; the rest is for the next one. */
static void
sweep(struct superd *superd)
{
	uint64_t begun_us = session_now_us();
	siginfo_t info;

	do {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 || info.si_pid == 0)
			return;
		reap(superd, info.si_pid, info.si_code);
	} while (session_now_us() - begun_us < SWEEP_US);
	(void)timer_start(&superd->loop, &superd->sweep, 0, sweep_due);
}

/* Who dies is mostly who came last: one after the other is asked, until so many are alive. */
static void
glance(struct superd *superd)
{
	struct session *session, *older;
	unsigned alive = 0;
	siginfo_t info;

	for (session = superd->sessions.newest; session != NULL && alive < GLANCE_ALIVE; session = older) {
		older = session->older;
		info.si_pid = 0;
		if (waitid(P_PID, (id_t)session->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		    info.si_pid != 0)
			reap(superd, info.si_pid, info.si_code);
		else
			alive++;
	}
}

static void
glance_due(struct timer *timer)
{
	glance(container_of(timer, struct superd, glance));
}

/* A glance is cheap, and each that it finds would cost the sweep a look at all that are older. */
static void
sweep_due(struct timer *timer)
{
	struct superd *superd = container_of(timer, struct superd, sweep);

	glance(superd);
	sweep(superd);
}

static void
child_ended(struct superd *superd, const struct signalfd_siginfo *info)
{
	reap(superd, (pid_t)info->ssi_pid, info->ssi_code);
	if (superd->sessions.live == 0 && superd->reload.rehearsal.pid == 0)
		return;
	if (superd->sessions.live <= SWEEP_SMALL) {
		sweep(superd);
		return;
	}
	if (superd->glance.place == 0)
		(void)timer_start(&superd->loop, &superd->glance, GLANCE_MS, glance_due);
	if (superd->sweep.place == 0)
		(void)timer_start(&superd->loop, &superd->sweep, SWEEP_MS, sweep_due);
}

static void
signal_arrived(struct superd *superd, const struct signalfd_siginfo *info)
{
	switch (info->ssi_signo) {
	case SIGCHLD:
		child_ended(superd, info);
		break;
	case SIGHUP:
	case SIGUSR2:
		superd_reload(superd);
		break;
	case SIGUSR1:
		superd_status(superd);
		break;
	case SIGTERM:
	case SIGINT:
		superd_stop(superd);
		break;
	case SIGQUIT:
		event_stop("SIGQUIT: sessions live on");
		superd->state = STATE_DONE;
		break;
	default:
		break;
	}
}

static void
signals_ready(struct watch *watch)
{
	struct superd *superd = container_of(watch, struct superd, signals);
	struct signalfd_siginfo info[SIGNALS_BATCH];
	ssize_t len = read(watch->fd, info, sizeof info);

	for (ssize_t i = 0; i < len / (ssize_t)sizeof *info && superd->state != STATE_DONE; i++)
		signal_arrived(superd, &info[i]);
}

int
superd_watch_signals(struct superd *superd)
{
	static const int watched[] = { SIGCHLD, SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGQUIT };
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof watched / sizeof *watched; i++)
		sigaddset(&set, watched[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return -1;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd == -1)
		return -1;
	return watch_add(&superd->signals, &superd->loop.pool, fd, signals_ready);
}
