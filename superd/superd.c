/*
 * superd.c - the road of a connection: accepted, admitted, launched, a session.
 * Read it from superd_ready upwards.  What happens where there is no room is
 * in backlog.c.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "descriptor.h"
#include "events.h"
#include "host.h"
#include "superd.h"

static void
pause_due(struct timer *timer)
{
	struct superd *superd = container_of(timer, struct superd, pause);

	pool_resume(&superd->listeners.pool);
	superd_resume_all(superd);
}

/* The listeners rest, so that nothing spins; who is being served is not touched. */
static void
pause_all(struct superd *superd, const char *what, int error)
{
	if (!superd->out_of_something)
		event_error("%s: %s; no connections are taken until that is over", what, strerror(error));
	superd->out_of_something = true;
	pool_pause(&superd->listeners.pool);
	(void)timer_start(&superd->loop, &superd->pause, ACCEPT_PAUSE_MS, pause_due);
}

bool
superd_pauses(const struct superd *superd)
{
	return superd->pause.place != 0;
}

static void
held_due(struct timer *timer)
{
	struct superd *superd = container_of(timer, struct superd, held_timer);
	struct running **link = &superd->held, *running;

	while ((running = *link) != NULL) {
		if (event_held(running, superd->loop.now)) {
			link = &running->next_held;
		} else {
			running->holds = false;
			*link = running->next_held;
		}
	}
	if (superd->held != NULL)
		(void)timer_start(&superd->loop, timer, GATE_MS, held_due);
}

/* A gate of the service may hold lines back: they are told when its window is over. */
void
superd_watch_gates(struct superd *superd, struct running *running)
{
	if (running->holds || (running->refuse_gate.held == 0 && running->failed_gate.held == 0 &&
	    running->overlong_gate.held == 0))
		return;
	running->holds = true;
	running->next_held = superd->held;
	superd->held = running;
	if (superd->held_timer.place == 0)
		(void)timer_start(&superd->loop, &superd->held_timer, GATE_MS, held_due);
}

struct moment
superd_moment(struct superd *superd, const struct service *service, const struct peer *peer)
{
	struct moment moment = { .ms = superd->loop.now };
	struct sysinfo info;

	if (service->hours != NULL)
		clock_local(&superd->clock, &moment.weekday, &moment.minute);
	if (service->max_load != 0 && (superd->load_told == 0 ||
	    moment.ms - superd->load_told >= LOAD_MS) && sysinfo(&info) == 0) {
		superd->load = (uint32_t)((uint64_t)info.loads[0] * 100 >> SI_LOAD_SHIFT);
		superd->load_told = moment.ms;
	}
	moment.load = superd->load;
	moment.own = admission_minds_own(&superd->admission, service, peer, moment.ms) &&
	    host_has_address(&superd->own, &peer->ip, moment.ms);
	return moment;
}

enum room
superd_room(const struct superd *superd, const struct listener *listener)
{
	return admission_room(&superd->admission, listener->service, &listener->running->tally,
	    superd->loop.now);
}

/* The pipe for what the program writes to standard error; -1: the service wants none. */
static int
stderr_end(struct superd *superd, struct running *running, const struct service *service)
{
	if (service->stderr_to != STDERR_LOG)
		return -1;
	if (running->stderr_lines != NULL && running->tally.live == 1)
		superd->idle_pipes--;	/* this session is the first: it was idle */
	if (running->stderr_lines == NULL)
		running->stderr_lines = stderr_open(&superd->loop, running->service->name);
	return running->stderr_lines == NULL ? -1 : running->stderr_lines->write_fd;
}

static void
stderr_idle(struct superd *superd, struct running *running)
{
	if (running->stderr_lines == NULL || running->tally.live > 0)
		return;
	stderr_flush(running->stderr_lines);
	if (running->leaving || running->service->stderr_to != STDERR_LOG ||
	    superd->idle_pipes >= STDERR_IDLE_PIPES) {
		stderr_close(running->stderr_lines);
		running->stderr_lines = NULL;
	} else {
		superd->idle_pipes++;
	}
}

void
superd_not_started(struct superd *superd, struct listener *listener, uint64_t session,
    const struct peer *peer, enum stage stage, struct account *ticket)
{
	struct running *running = listener->running;
	int error = errno;

	running_failed(running, session, peer, stage, strerror(error), superd->loop.now);
	pause_all(superd, stage_word[stage], error);
	admission_cancel(&superd->admission, listener->service, &running->tally, ticket,
	    superd->loop.now);
	stderr_idle(superd, running);
}

struct session *
superd_start(struct superd *superd, struct listener *listener, int in, int out,
    const struct peer *peer, const struct peer *local, struct account *ticket)
{
	const struct service *service = listener->service;
	struct running *running = listener->running;
	struct launch_request request = { .service = service, .in = in, .out = out,
		.conf = listener->conf != NULL ? listener->conf : running->conf,
		.remote = peer, .local = local, .session = session_next_id(&superd->sessions) };
	struct session *session;
	enum stage stage = STAGE_DESCRIPTORS;
	pid_t pid = -1;

	request.stderr_fd = stderr_end(superd, running, service);
	if (request.stderr_fd != -1 || service->stderr_to != STDERR_LOG) {
		stage = STAGE_FORK;
		pid = launch(&superd->launcher, &request);
	}
	if (pid == -1) {
		superd_not_started(superd, listener, request.session, peer, stage, ticket);
		return NULL;
	}
	session = session_add(&superd->sessions, pid, request.session, running, peer,
	    service->timeout_ms);
	session->ticket = ticket;
	running->served++;
	event_start(running, session);
	if (superd->out_of_something)
		event_notice("connections are taken again");
	superd->out_of_something = false;
	return session;
}

/* For who is refused: as much as fits at once, and nothing that came in may make the end a reset. */
static void
send_banner(int fd, const struct banner *banner)
{
	char ignored[4096];

	(void)send(fd, banner->bytes, banner->len, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)shutdown(fd, SHUT_WR);
	(void)recv(fd, ignored, sizeof ignored, MSG_DONTWAIT);
}

/* The road, from the connection to the session.  What was taken is given back where a later step fails. */
static void
connection(struct superd *superd, struct listener *listener, int fd, const struct peer *peer,
    const struct peer *local)
{
	const struct service *service = listener->service;
	struct running *running = listener->running;
	struct moment moment = superd_moment(superd, service, peer);
	struct session *session = NULL;
	struct account *ticket;
	int copy;
	enum verdict verdict = admission_request(&superd->admission, service, &running->tally, peer,
	    &moment, &ticket);

	if (verdict == ADMIT) {
		session = superd_start(superd, listener, fd, fd, peer, local, ticket);
	} else {
		if (service->banner_refused_bytes != NULL)
			send_banner(fd, service->banner_refused_bytes);
		running_refused(running, peer, verdict, moment.ms);
	}
	superd_watch_gates(superd, running);
	if (session != NULL && !peer->local && (service->traffic || service->idle_timeout_ms > 0) &&
	    (copy = descriptor_copy_high(fd)) != -1)
		session_keep(session, copy, service->idle_timeout_ms > 0 ? service->idle_timeout_ms : 0);
	launch_close(&superd->launcher, fd);
}

/* Who connects, and to which of superd's addresses; a wildcard's socket must be asked for the latter. */
static void
learn_ends(const struct listener *listener, int fd, const struct sockaddr_storage *from,
    struct peer *peer, struct peer *local)
{
	struct sockaddr_storage storage;
	socklen_t len = sizeof storage;
	struct ucred who;

	*local = listener->bound;
	address_of_sockaddr(from, peer);
	if (listener->bound.local) {
		len = sizeof who;
		peer->local = true;
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0) {
			peer->pid = who.pid;
			peer->uid = who.uid;
			peer->gid = who.gid;
		}
	} else if (address_is_wildcard(listener->address) &&
	    getsockname(fd, (struct sockaddr *)&storage, &len) == 0) {
		address_of_sockaddr(&storage, local);
	}
}

/* Bound anew where that can be done; until then it waits like any other. */
static void
listener_died(struct superd *superd, struct listener *listener, int error)
{
	event_error("service '%s': its socket is dead (%s)", listener->service->name, strerror(error));
	superd_unpark(superd, listener);
	watch_remove(&listener->watch);
	close(listener->fd);
	listener->fd = -1;
	listener->told = false;
	listener_wait(listener, error);
	superd_tell_waiting(superd);
}

enum accept_step
superd_accept_failed(struct superd *superd, struct listener *listener, int error)
{
	if (error == EAGAIN && listener_is_shut(listener))
		error = ESHUTDOWN;
	switch (error) {
	case EAGAIN:
		return ACCEPT_DRAINED;
	case EINTR:
	case ECONNABORTED:	/* only that client is gone; accept(2) lists these errors of the network */
	case EPROTO:
	case ENETDOWN:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ETIMEDOUT:
		return ACCEPT_TAKEN;
	case EBADF:		/* this socket is dead (who passed it has shut it down), the others are not */
	case EINVAL:
	case ENOTSOCK:
	case EOPNOTSUPP:
	case ESHUTDOWN:
		if (!listener->leaving)
			listener_died(superd, listener, error);
		else
			watch_remove(&listener->watch);
		return ACCEPT_DEAD;
	default:		/* no descriptors, no memory, or forbidden: the client is in the queue still */
		pause_all(superd, "accept", error);
		return ACCEPT_PAUSED;
	}
}

enum accept_step
superd_accept(struct superd *superd, struct listener *listener)
{
	struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof from;
	struct peer peer, local;
	int fd;

	if (listener->service->wait)	/* its process accepts, superd_lend gives it the socket */
		return ACCEPT_DRAINED;
	if (listener_is_udp(listener) && !listener->service->per_datagram)
		return superd_take_datagrams(superd, listener);
	if (superd_room(superd, listener) != ROOM)
		return ACCEPT_FULL;
	if (superd_pauses(superd))
		return ACCEPT_PAUSED;
	if (listener_is_udp(listener))
		return superd_take_datagram(superd, listener);
	fd = accept4(listener->fd, (struct sockaddr *)&from, &len, SOCK_CLOEXEC);
	if (fd == -1)
		return superd_accept_failed(superd, listener, errno);
	learn_ends(listener, fd, &from, &peer, &local);
	connection(superd, listener, fd, &peer, &local);
	return superd_pauses(superd) ? ACCEPT_PAUSED : ACCEPT_TAKEN;
}

enum accept_step
superd_accept_batch(struct superd *superd, struct listener *listener)
{
	enum accept_step step = ACCEPT_TAKEN;

	for (int i = 0; i < ACCEPT_BATCH && step == ACCEPT_TAKEN; i++)
		step = superd_accept(superd, listener);
	return step;
}

void
superd_ready(struct listener *listener)
{
	struct superd *superd = listener->running->superd;

	/*
	 * One in a turn: the loop asks for more anyway, and a child that was just made
	 * does not wait for superd's processor until superd has asked in vain.
	 */
	if (listener->service->wait)
		superd_lend(superd, listener);
	else if (superd_accept(superd, listener) == ACCEPT_FULL)	/* it is certain that somebody waits */
		superd_park(superd, listener);
}

void
superd_session_over(struct superd *superd, struct session *session)
{
	struct running *running = session->running;

	if (session->stuck)
		event_notice("service '%s': process %d is gone after all", running->service->name,
		    (int)session->pid);
	superd_watch_gates(superd, running);
	if (session->flow != NULL)
		superd_flow_over(superd, session->flow);
	admission_release(&superd->admission, running->service, &running->tally, session->ticket,
	    superd->loop.now);
	stderr_idle(superd, running);
	superd_returned(superd, session);
	session_remove(session);
	superd_resume(superd, running);
	if (superd->parked != NULL)
		superd_resume_global(superd);
	if (superd->newcomers != NULL)
		superd_serve_newcomers(superd);
	if (running->leaving)
		superd_forget(superd, running);
	superd_stop_check(superd);
}
