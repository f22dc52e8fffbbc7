/* superd_init.c - the daemon is put together, runs, and is taken apart. */
#include <inttypes.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "bounds.h"
#include "events.h"
#include "log.h"
#include "superd.h"
#include "turns.h"

/* An address that waited could be bound. */
static void
bound(struct listener *listener)
{
	listener->told = false;
	event_listen(listener);
}

static void
stuck(struct session *session)
{
	event_warning("service '%s': process %d of session %" PRIu64 " lives on after SIGKILL, "
	    "stuck in the kernel or traced; its place stays taken", session->running->service->name,
	    (int)session->pid, session->id);
}

/* A child is apart: superd has something to close, which it does before it waits. */
static void
called(struct watch *watch)
{
	eventfd_t times;

	(void)eventfd_read(watch->fd, &times);		/* silent again */
}

int
superd_init(struct superd *superd, const struct conf_base *base, const struct rlimit *nofile)
{
	uint64_t seed[2];

	*superd = (struct superd){ .base = base };
	if (getrandom(seed, sizeof seed, GRND_NONBLOCK) != sizeof seed ||
	    admission_init(&superd->admission, seed) == -1)
		return -1;
	flows_init(&superd->flows, seed);
	superd->parked_last = &superd->parked;
	if (loop_init(&superd->loop) == -1 || sessions_init(&superd->sessions, &superd->loop) == -1 ||
	    launch_init(&superd->launcher, nofile) == -1 || superd_watch_signals(superd) == -1)
		return -1;
	if (watch_add(&superd->calls, &superd->loop.pool, CHILD_CALL, called) == -1)
		return -1;
	listeners_init(&superd->listeners, &superd->loop);
	superd->sessions.stuck = stuck;
	superd->listeners.ready = superd_ready;
	superd->listeners.bound = bound;
	turns_shorten();
	return 0;
}

static void
log_due(struct timer *timer)
{
	(void)timer;	/* superd_run writes it, as in each turn of the loop */
}

/* At once where little happens; under load many lines together, once in LOG_MS or when there is no room. */
static void
write_log(struct superd *superd)
{
	uint64_t now = superd->loop.now;

	if (now - superd->logged_ms < LOG_MS && (!log_gathers() || superd->log.place != 0 ||
	    timer_start(&superd->loop, &superd->log, LOG_MS, log_due) == 0))
		return;
	superd->logged_ms = now;
	log_flush();
}

int
superd_run(struct superd *superd)
{
	while (superd->state != STATE_DONE) {
		launch_settle(&superd->launcher);
		write_log(superd);
		if (loop_turn(&superd->loop, -1) == -1)
			return -1;
	}
	return 0;
}

void
running_free(struct running *running)
{
	timer_stop(&running->superd->loop, &running->rate_timer);
	stderr_close(running->stderr_lines);
	free(running->newcomers);
	conf_release(running->conf);
	free(running);
}

/* Sessions may be alive (SIGQUIT): they go on without superd. */
void
superd_finish(struct superd *superd)
{
	superd_reload_abandon(superd);
	superd_free_flows(superd);
	superd_close_listeners(superd);
	for (unsigned i = 0; i < superd->count; i++)
		running_free(superd->running[i]);
	for (unsigned i = 0; i < superd->gone_count; i++)
		running_free(superd->gone[i]);
	free(superd->running);
	free(superd->gone);
	watch_remove(&superd->signals);
	watch_remove(&superd->calls);
	close(superd->signals.fd);
	launch_finish(&superd->launcher);
	listeners_finish(&superd->listeners);
	sessions_finish(&superd->sessions);
	flows_finish(&superd->flows);
	datagrams_free(&superd->datagrams);
	host_addresses_free(&superd->own);
	admission_finish(&superd->admission);
	loop_finish(&superd->loop);
	conf_release(superd->conf);
}
