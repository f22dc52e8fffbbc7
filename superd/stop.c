/*
 * stop.c - the way out: no new connections, time for sessions to end by
 * themselves, SIGTERM, and SIGKILL after KILL_AFTER_MS.
 */
#include "events.h"
#include "notify.h"
#include "superd.h"

#define UNKILLABLE_MS	2000	/* after SIGKILL; then a process is stuck in the kernel, and nothing helps */

static void
give_up(struct timer *timer)
{
	struct superd *superd = container_of(timer, struct superd, stop);

	event_error("%u sessions cannot even be killed; they are left behind", superd->sessions.live);
	superd->state = STATE_DONE;
}

/* Two timers and not one: a superd that stood still must see the end of those it kills now. */
static void
killed(struct timer *timer)
{
	struct superd *superd = container_of(timer, struct superd, stop);

	(void)timer_start(&superd->loop, timer, UNKILLABLE_MS, give_up);
}

static void
end_sessions(struct superd *superd)
{
	struct session *session;
	uint32_t at = 0;

	superd->state = STATE_ENDING;
	while ((session = session_next(&superd->sessions, &at)) != NULL)
		session_end(session, CAUSE_STOP);
	(void)timer_start(&superd->loop, &superd->stop, KILL_AFTER_MS, killed);
}

static void
grace_over(struct timer *timer)
{
	struct superd *superd = container_of(timer, struct superd, stop);

	if (superd->state == STATE_STOPPING)	/* the last session may have ended in the same turn */
		end_sessions(superd);
}

void
superd_stop_check(struct superd *superd)
{
	if ((superd->state == STATE_STOPPING || superd->state == STATE_ENDING) &&
	    superd->sessions.live == 0)
		superd->state = STATE_DONE;
}

void
superd_stop(struct superd *superd)
{
	if (superd->state == STATE_STOPPING) {		/* the second time: no more grace */
		timer_stop(&superd->loop, &superd->stop);
		end_sessions(superd);
		return;
	}
	if (superd->state != STATE_SERVING)
		return;
	superd->state = STATE_STOPPING;
	superd_reload_abandon(superd);
	notify_send("STOPPING=1");
	event_stop("no new connections; sessions may end within their grace");
	superd_end_flows(superd);
	superd_close_listeners(superd);
	superd_stop_check(superd);
	if (superd->state == STATE_STOPPING)
		(void)timer_start(&superd->loop, &superd->stop,
		    (uint64_t)superd->conf->settings.grace_ms, grace_over);
}
