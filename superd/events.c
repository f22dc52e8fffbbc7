/* events.c - see events.h. */
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "events.h"
#include "log.h"
#include "running.h"
#include "signal_name.h"
#include "tcp_info.h"

/* The prefix that log_remote = prefix leaves of an address. */
#define PREFIX_BYTES_4	3	/* /24 */
#define PREFIX_BYTES_6	6	/* /48 */

/* "192.0.2.0/24" */
static void
prefix_text(const struct peer *peer, char text[ADDRESS_TEXT])
{
	struct in6_addr ip = peer->ip;
	bool four = address_is_mapped(&ip);
	size_t kept = four ? 12 + PREFIX_BYTES_4 : PREFIX_BYTES_6;

	memset(&ip.s6_addr[kept], 0, sizeof ip - kept);
	address_ip_text(&ip, 0, text);
	strcat(text, four ? "/24" : "/48");
}

static void
put_remote(const struct service *service, const struct peer *peer)
{
	char text[ADDRESS_TEXT];

	if (service->log_remote == REMOTE_NONE || peer->none)
		return;
	if (service->log_remote == REMOTE_PREFIX && !peer->local)
		prefix_text(peer, text);
	else
		address_peer_text(peer, text);
	log_text("remote", text);
}

static void
listener_event(enum log_level level, const char *event, const struct listener *listener, int error)
{
	char text[ADDRESS_TEXT];

	if (!log_wants(level))
		return;
	listener_text(listener, text);
	log_begin(level, event);
	log_text("service", listener->service->name);
	log_text("address", text);
	if (error != 0)
		log_text("error", strerror(error));
	log_end();
}

void
event_listen(const struct listener *listener)
{
	listener_event(LOG_LEVEL_INFO, "listen", listener, 0);
}

void
event_unlisten(const struct listener *listener)
{
	listener_event(LOG_LEVEL_INFO, "unlisten", listener, 0);
}

void
event_waiting(const struct listener *listener, int error)
{
	listener_event(LOG_LEVEL_WARNING, "waiting", listener, error);
}

static void
begin_session(const char *event, const struct running *running, const struct session *session)
{
	log_begin(LOG_LEVEL_INFO, event);
	log_text("service", running->service->name);
	log_number("session", session->id);
	log_number("pid", (uint64_t)session->pid);
	put_remote(running->service, &session->peer);
}

void
event_start(const struct running *running, const struct session *session)
{
	if (!log_wants(LOG_LEVEL_INFO) || running->service->log_sessions == SESSIONS_NONE)
		return;
	begin_session("start", running, session);
	log_end();
}

static uint64_t
microseconds(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

static bool
session_traffic(const struct session *session, uint64_t *in, uint64_t *out)
{
	if (session->flow == NULL)
		return session->copy != -1 && tcp_traffic(session->copy, in, out);
	*in = session->flow->in;
	*out = session->flow->out;
	return true;
}

void
event_exit(const struct running *running, const struct session *session, int status,
    const struct rusage *used, uint64_t lived_us)
{
	uint64_t in, out;

	if (!log_wants(LOG_LEVEL_INFO) || running->service->log_sessions == SESSIONS_NONE)
		return;
	begin_session("exit", running, session);
	if (WIFSIGNALED(status))
		log_text("signal", signal_name(WTERMSIG(status)));
	else
		log_number("status", (uint64_t)WEXITSTATUS(status));
	log_seconds("duration", lived_us);
	log_seconds("cpu", microseconds(&used->ru_utime) + microseconds(&used->ru_stime));
	if (running->service->traffic && session_traffic(session, &in, &out)) {
		log_number("in", in);
		log_number("out", out);
	}
	if (session->cause != CAUSE_NONE)
		log_text("cause", cause_word[session->cause]);
	log_end();
}

void
event_failed(const struct running *running, uint64_t session, const struct peer *peer,
    enum stage stage, const char *error)
{
	if (!log_wants(LOG_LEVEL_ERROR))
		return;
	log_begin(LOG_LEVEL_ERROR, "failed");
	log_text("service", running->service->name);
	log_number("session", session);
	put_remote(running->service, peer);
	log_text("stage", stage_word[stage]);
	log_text("error", error);
	log_end();
}

void
event_refuse(const struct running *running, const struct peer *peer, enum verdict verdict)
{
	if (!log_wants(LOG_LEVEL_NOTICE))
		return;
	log_begin(LOG_LEVEL_NOTICE, "refuse");
	log_text("service", running->service->name);
	put_remote(running->service, peer);
	log_text("reason", verdict_word[verdict]);
	log_end();
}

void
event_overlong(const struct running *running, const struct session *session)
{
	event_warning("service '%s': an answer of session %" PRIu64 " is longer than the %d bytes of a "
	    "datagram; it is not sent", running->service->name, session->id, DATAGRAM_BYTES);
}

static void
tell_held(enum log_level level, const char *event, const char *service, uint32_t held)
{
	if (held == 0 || !log_wants(level))
		return;
	log_begin(level, event);
	log_text("service", service);
	log_number("held", held);
	log_end();
}

bool
event_held(struct running *running, uint64_t now_ms)
{
	const char *name = running->service->name;

	tell_held(LOG_LEVEL_NOTICE, "refuse", name, gate_take_held(&running->refuse_gate, now_ms));
	tell_held(LOG_LEVEL_ERROR, "failed", name, gate_take_held(&running->failed_gate, now_ms));
	tell_held(LOG_LEVEL_WARNING, "warning", name, gate_take_held(&running->overlong_gate, now_ms));
	return running->refuse_gate.held > 0 || running->failed_gate.held > 0 ||
	    running->overlong_gate.held > 0;
}

/* "[::1]", so that a count can follow. */
static void
bracketed(const struct peer *peer, char text[ADDRESS_TEXT + 16])
{
	char ip[ADDRESS_TEXT];

	address_ip_text(&peer->ip, peer->scope, ip);
	snprintf(text, ADDRESS_TEXT + 16, "[%s]", ip);
}

void
event_full(const struct running *running, const struct peer *busiest, unsigned count)
{
	char value[ADDRESS_TEXT + 16];

	if (!log_wants(LOG_LEVEL_WARNING))
		return;
	log_begin(LOG_LEVEL_WARNING, "full");
	log_text("service", running->service->name);
	log_number("live", running->tally.live);
	if (busiest != NULL && running->service->log_remote != REMOTE_NONE) {
		if (running->service->log_remote == REMOTE_PREFIX)
			prefix_text(busiest, value);
		else if (address_is_mapped(&busiest->ip))
			address_ip_text(&busiest->ip, busiest->scope, value);
		else
			bracketed(busiest, value);
		snprintf(value + strlen(value), 16, ":%u", count);
		log_text("busiest", value);
	}
	log_end();
}

void
event_room(const struct running *running)
{
	if (!log_wants(LOG_LEVEL_NOTICE))
		return;
	log_begin(LOG_LEVEL_NOTICE, "room");
	log_text("service", running->service->name);
	log_number("live", running->tally.live);
	log_end();
}

void
event_stderr(const char *service, const char *text)
{
	if (!log_wants(LOG_LEVEL_NOTICE))
		return;
	log_begin(LOG_LEVEL_NOTICE, "stderr");
	log_text("service", service);
	log_text("text", text);
	log_end();
}

void
event_stderr_held(const char *service, unsigned lines)
{
	tell_held(LOG_LEVEL_NOTICE, "stderr", service, lines);
}

void
event_reload(const char *text, unsigned kept, unsigned changed, unsigned added, unsigned removed)
{
	if (!log_wants(LOG_LEVEL_NOTICE))
		return;
	log_begin(LOG_LEVEL_NOTICE, "reload");
	log_text("text", text);
	log_number("kept", kept);
	log_number("changed", changed);
	log_number("added", added);
	log_number("removed", removed);
	log_end();
}

static void __attribute__((format(printf, 3, 0)))
sentence(enum log_level level, const char *event, const char *format, va_list args)
{
	char text[1024];

	if (!log_wants(level))
		return;
	vsnprintf(text, sizeof text, format, args);
	log_begin(level, event);
	log_text("text", text);
	log_end();
}

#define SENTENCE(level, event, format)			\
	do {						\
		va_list args;				\
		va_start(args, format);			\
		sentence(level, event, format, args);	\
		va_end(args);				\
	} while (0)

void
event_error(const char *format, ...)
{
	SENTENCE(LOG_LEVEL_ERROR, "error", format);
}

void
event_warning(const char *format, ...)
{
	SENTENCE(LOG_LEVEL_WARNING, "warning", format);
}

void
event_notice(const char *format, ...)
{
	SENTENCE(LOG_LEVEL_NOTICE, "notice", format);
}

void
event_debug(const char *format, ...)
{
	SENTENCE(LOG_LEVEL_DEBUG, "debug", format);
}

void
event_stop(const char *text)
{
	if (!log_wants(LOG_LEVEL_NOTICE))
		return;
	log_begin(LOG_LEVEL_NOTICE, "stop");
	log_text("text", text);
	log_end();
}

/* Asked for by a person: told whatever log_level says. */
void
event_status(unsigned services, unsigned live, unsigned most, uint64_t sessions)
{
	log_begin(LOG_LEVEL_NOTICE, "status");
	log_number("services", services);
	log_number("live", live);
	log_number("max_sessions", most);
	log_number("sessions", sessions);
	log_end();
}

/* Whether clients of the service wait for room, be it told or not. */
static bool
is_full(const struct running *running)
{
	const struct listener *listener = running->listeners;

	while (listener != NULL && listener->parked == PARKED_NOT)
		listener = listener->next;
	return listener != NULL || running_has_newcomers(running);
}

void
event_status_children(const struct launcher *launcher)
{
	log_begin(LOG_LEVEL_NOTICE, "status");
	log_number("shared", launcher->shared);
	log_number("forked", launcher->forked);
	if (launcher->forks != NULL)
		log_text("why", launcher->forks);
	log_end();
}

void
event_status_service(const struct running *running, bool leaving)
{
	log_begin(LOG_LEVEL_NOTICE, "status");
	log_text("service", running->service->name);
	log_number("live", running->tally.live);
	log_number("served", running->served);
	log_number("failed", running->failed);
	if (running->dropped > 0)
		log_number("dropped", running->dropped);
	for (enum verdict verdict = ADMIT + 1; verdict < VERDICT_COUNT; verdict++)
		if (running->refused[verdict] > 0) {
			char key[64];

			snprintf(key, sizeof key, "refused_%s", verdict_word[verdict]);
			log_number(key, running->refused[verdict]);
		}
	log_text("state", leaving ? "leaving" : is_full(running) ? "full" : "serving");
	log_end();
}

void
event_status_listener(const struct listener *listener)
{
	char text[ADDRESS_TEXT];

	listener_text(listener, text);
	log_begin(LOG_LEVEL_NOTICE, "status");
	log_text("service", listener->service->name);
	log_text("address", text);
	log_text("state", listener->fd == -1 ? "waiting" : listener->leaving ? "leaving" :
	    listener->lent != NULL ? "lent" : listener->parked != PARKED_NOT ? "full" :
	    listener->watch.pool == NULL ? "resting" : "listening");
	if (listener->fd == -1)
		log_text("error", strerror(listener->error));
	log_end();
}

void
event_status_session(const struct running *running, const struct session *session, uint64_t now_us)
{
	log_begin(LOG_LEVEL_NOTICE, "status");
	log_text("service", running->service->name);
	log_number("session", session->id);
	log_number("pid", (uint64_t)session->pid);
	put_remote(running->service, &session->peer);
	log_seconds("duration", now_us - session->started_us);
	log_end();
}
