/*
 * apply.c - from one configuration to the next, without anybody noticing who
 * is not concerned.  A plan (plan.c) does everything that can fail while the
 * old configuration is still in force; here it is carried out, in steps that
 * cannot fail.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf_keys.h"
#include "events.h"
#include "log.h"
#include "plan.h"

static bool
services_equal(const struct service *a, const struct service *b)
{
	for (const struct conf_key *key = service_keys; key->name != NULL; key++)
		if (!conf_key_equal(key, a, b))
			return false;
	return true;
}

/* The service goes on under its new declaration, with no listeners yet. */
static void
redeclare(struct superd *superd, struct plan *plan, unsigned index)
{
	struct running *running = plan->running[index];
	const struct service *service = plan->conf->services[index];

	running->listeners = NULL;
	timer_stop(&superd->loop, &running->rate_timer);	/* it waits for the old rate */
	if (running->conf != NULL && !services_equal(running->service, service))
		plan->changed++;
	if (running->stderr_lines != NULL && running->tally.live == 0 &&
	    service->stderr_to != STDERR_LOG) {
		stderr_close(running->stderr_lines);
		running->stderr_lines = NULL;
		superd->idle_pipes--;
	}
	stderr_rename(running->stderr_lines, service->name);
	running->service = service;
	conf_hold(plan->conf);
	conf_release(running->conf);
	running->conf = plan->conf;
}

static void
serve_item(struct superd *superd, struct running *running, const struct item *item)
{
	struct listener *listener = item->listener;
	struct conf *left = superd_take_back(superd, listener);
	char text[ADDRESS_TEXT];

	listener->next = running->listeners;
	running->listeners = listener;
	if (listener->kept) {
		superd_unpark(superd, listener);
		superd_move_newcomers(superd, listener, running);
		if (item->service->wait)	/* what was taken from the socket cannot go back */
			superd_drop_newcomers(superd, running, listener);
		if (listener->fd != -1 && listener->watch.pool == NULL && listener->lent == NULL) {
			/* It was full, or it rested: under the new declaration it may serve. */
			timer_stop(&superd->loop, &listener->retry);
			(void)listener_start(listener);
		}
		if (listener_redeclare(listener, running, item->service, item->address) == -1) {
			listener_text(listener, text);
			event_error("service '%s': options of %s: %s", item->service->name, text, strerror(errno));
		}
		if (left != NULL && listener->fd != -1)
			event_listen(listener);
		conf_release(left);
		return;
	}
	listener->running = running;
	if (listener->fd != -1 && listener_start(listener) == -1) {
		event_error("service '%s': epoll: %s", item->service->name, strerror(errno));
	} else if (listener->fd != -1) {
		event_listen(listener);
	} else {
		listener_wait(listener, listener->error);
	}
}

/* A service that is not in the new configuration: freed with its last session. */
static void
remove_running(struct superd *superd, struct running *running)
{
	running->leaving = true;
	running->listeners = NULL;
	if (running->stderr_lines != NULL && running->tally.live == 0) {
		stderr_close(running->stderr_lines);
		running->stderr_lines = NULL;
		superd->idle_pipes--;
	}
	superd->gone[superd->gone_count++] = running;
}

/* Nothing in here can fail in a way that would ask for the old configuration back. */
static unsigned
carry_out(struct superd *superd, struct plan *plan)
{
	unsigned removed = 0, item = 0, old_running = superd->count;
	struct running **old = superd->running;

	for (unsigned i = 0; i < plan->old_count; i++)
		if (!plan->old[i]->kept && !plan->old[i]->leaving)
			superd_leave(superd, plan->old[i]);
	for (unsigned i = 0; i < old_running; i++)
		if (!old[i]->planned) {
			remove_running(superd, old[i]);
			removed++;
		}
	for (unsigned i = 0; i < plan->conf->count; i++)
		redeclare(superd, plan, i);
	for (unsigned i = 0; i < plan->conf->count; i++)
		for (; item < plan->count && plan->items[item].service == plan->conf->services[i]; item++)
			serve_item(superd, plan->running[i], &plan->items[item]);
	superd->running = plan->running;
	superd->count = plan->conf->count;
	plan->running = NULL;
	qsort(superd->running, superd->count, sizeof(struct running *), plan_compare_running);
	free(old);
	conf_release(superd->conf);
	superd->conf = plan->conf;
	superd->admission.max_sessions = plan->conf->settings.max_sessions;
	superd->admission.prefix = plan->conf->settings.source_prefix;
	return removed;
}

static void
forget_gone(struct superd *superd)
{
	for (unsigned i = superd->gone_count; i-- > 0;)
		superd_forget(superd, superd->gone[i]);
}

/* The file is taken before superd says that it is ready, and stays what it was. */
static void
warn_of_pid_file(const struct superd *superd)
{
	const char *wanted = conf_pid_file(superd->base, superd->conf);
	const char *none = "none", *now = superd->pid_file != NULL ? superd->pid_file : none;

	if (strcmp(wanted != NULL ? wanted : none, now) != 0)
		event_warning("pid_file: a new one takes a restart; until then it is %s", now);
}

int
superd_apply(struct superd *superd, struct conf *conf)
{
	struct plan plan = { .conf = conf };
	bool first = superd->conf == NULL;
	unsigned removed, before = superd->count;

	launch_choose(&superd->launcher, conf->descriptors);
	if (plan_prepare(superd, &plan) == -1) {
		plan_free(superd, &plan, false);
		return -1;
	}
	removed = carry_out(superd, &plan);
	forget_gone(superd);
	if (!first)
		superd_reopen_log(superd);	/* here, so that the new log begins with it */
	if (!first)
		event_reload("the new configuration is in force",
		    before - removed - plan.changed, plan.changed, plan.added, removed);
	if (!first)
		warn_of_pid_file(superd);
	if (superd->count == 0)
		event_warning("no services: superd does nothing until a reload brings one");
	if (superd->drain.place == 0)		/* else what waits may be free in a moment */
		superd_tell_waiting(superd);
	if (!first)
		listeners_retry(&superd->listeners);
	superd_resume_all(superd);
	plan_free(superd, &plan, true);
	return 0;
}

