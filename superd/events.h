/*
 * events.h - one function for each kind of log line, and the only place that
 * knows its fields and their order.  superd(8) lists them.
 */
#ifndef EVENTS_H
#define EVENTS_H

#include <stdint.h>
#include <sys/resource.h>

#include "admission.h"
#include "launch.h"
#include "session.h"

struct running;
struct listener;

void	event_listen(const struct listener *);
void	event_unlisten(const struct listener *);
void	event_waiting(const struct listener *, int error);
void	event_start(const struct running *, const struct session *);
/* status as of wait4(2) */
void	event_exit(const struct running *, const struct session *, int status,
	    const struct rusage *, uint64_t lived_us);
void	event_failed(const struct running *, uint64_t session, const struct peer *, enum stage,
	    const char *error);
void	event_refuse(const struct running *, const struct peer *, enum verdict);
/* A UDP session has written more than a datagram holds. */
void	event_overlong(const struct running *, const struct session *);
/* What the gates of a service held back, if their windows are over; true while they hold something. */
bool	event_held(struct running *, uint64_t now_ms);
/* busiest: who has most of its sessions; NULL for Unix sockets. */
void	event_full(const struct running *, const struct peer *busiest, unsigned count);
void	event_room(const struct running *);
void	event_stderr(const char *service, const char *text);
void	event_stderr_held(const char *service, unsigned lines);
void	event_reload(const char *text, unsigned kept, unsigned changed, unsigned added, unsigned removed);
void	event_stop(const char *text);

/* SIGUSR1: what is, not what happened. */
void	event_status(unsigned services, unsigned live, unsigned most, uint64_t sessions);
void	event_status_children(const struct launcher *);
void	event_status_service(const struct running *, bool leaving);
void	event_status_listener(const struct listener *);
void	event_status_session(const struct running *, const struct session *, uint64_t now_us);

/* A sentence of superd itself, as printf(3). */
void	event_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void	event_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void	event_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));
void	event_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
