/* status.c - SIGUSR1: services, sessions and counters into the log. */
#include "events.h"
#include "superd.h"

static void
tell_service(const struct superd *superd, const struct running *running)
{
	event_status_service(running, running->leaving || superd->state != STATE_SERVING);
	for (const struct listener *l = running->listeners; l != NULL; l = l->next)
		event_status_listener(l);
}

void
superd_status(const struct superd *superd)
{
	const struct session *session;
	uint64_t now_us = session_now_us();
	uint32_t at = 0;

	event_status(superd->count, superd->sessions.live, superd->admission.max_sessions,
	    superd->sessions.last_id);
	event_status_children(&superd->launcher);
	for (unsigned i = 0; i < superd->count; i++)
		tell_service(superd, superd->running[i]);
	for (unsigned i = 0; i < superd->gone_count; i++)
		tell_service(superd, superd->gone[i]);
	for (const struct listener *l = superd->leaving; l != NULL; l = l->next)
		event_status_listener(l);
	while ((session = session_next(&superd->sessions, &at)) != NULL)
		event_status_session(session->running, session, now_us);
}
