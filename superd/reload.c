/*
 * reload.c - from one configuration to the next, without anybody noticing who
 * is not concerned.
 *
 * First a plan: which listener is kept for which address, which address is
 * new.  Everything that can fail is done while the old configuration is still
 * in force: memory is taken, new addresses are bound beside the old ones.
 * Then the plan is carried out, in steps that cannot fail.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "conf_keys.h"
#include "events.h"
#include "log.h"
#include "notify.h"
#include "superd.h"

/* An address of the new configuration, and who will serve it. */
struct item {
	const struct service	*service;
	const struct address	*address;
	struct listener		*listener;	/* kept or new */
};

struct plan {
	struct conf	*conf;
	struct item	*items;			/* by service in the order of services[] */
	unsigned	 count;
	struct listener	**old;			/* sorted by address */
	unsigned	 old_count;
	struct running	**running;		/* sorted by name; old ones where the name stays */
	unsigned	 changed, added;
};

static int
compare_listeners(const void *a, const void *b)
{
	return address_compare((*(struct listener *const *)a)->address,
	    (*(struct listener *const *)b)->address);
}

static int
compare_running(const void *a, const void *b)
{
	return strcmp((*(struct running *const *)a)->service->name,
	    (*(struct running *const *)b)->service->name);
}

static struct running *
find_running(const struct superd *superd, const char *name)
{
	struct service service = { .name = name };
	struct running key = { .service = &service }, *wanted = &key, **found;

	found = superd->count == 0 ? NULL : bsearch(&wanted, superd->running, superd->count,
	    sizeof wanted, compare_running);
	return found == NULL ? NULL : *found;
}

static bool
same_device(const struct service *a, const struct service *b)
{
	return (a->device == NULL) == (b->device == NULL) &&
	    (a->device == NULL || strcmp(a->device, b->device) == 0);
}

/* The listener that has the address now.  Where the kernel chose the port, it is the service's own. */
static struct listener *
find_kept(const struct plan *plan, const struct service *service, const struct address *address)
{
	unsigned low = 0, high = plan->old_count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (address_compare(plan->old[middle]->address, address) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < plan->old_count && address_equal(plan->old[low]->address, address); low++) {
		struct listener *old = plan->old[low];

		if (!old->kept && same_device(old->service, service) &&
		    (address->kind == ADDRESS_UNIX || address->port != 0 ||
		    strcmp(old->service->name, service->name) == 0))
			return old;
	}
	return NULL;
}

static int
plan_old(struct superd *superd, struct plan *plan)
{
	unsigned count = 0;

	for (unsigned i = 0; i < superd->count; i++) {
		superd->running[i]->planned = false;
		for (struct listener *l = superd->running[i]->listeners; l != NULL; l = l->next)
			count++;
	}
	if ((plan->old = calloc(count + 1, sizeof(struct listener *))) == NULL)
		return -1;
	for (unsigned i = 0; i < superd->count; i++)
		for (struct listener *l = superd->running[i]->listeners; l != NULL; l = l->next) {
			l->kept = false;
			plan->old[plan->old_count++] = l;
		}
	qsort(plan->old, plan->old_count, sizeof(struct listener *), compare_listeners);
	return 0;
}

static int
plan_items(struct superd *superd, struct plan *plan)
{
	struct conf *conf = plan->conf;
	unsigned count = 0;

	for (unsigned i = 0; i < conf->count; i++)
		count += conf->services[i]->listen.count;
	if ((plan->items = calloc(count + 1, sizeof *plan->items)) == NULL)
		return -1;
	for (unsigned i = 0; i < conf->count; i++) {
		const struct service *service = conf->services[i];

		for (unsigned j = 0; j < service->listen.count; j++) {
			struct item *item = &plan->items[plan->count];

			*item = (struct item){ service, &service->listen.item[j], NULL };
			item->listener = find_kept(plan, service, item->address);
			if (item->listener != NULL)
				item->listener->kept = true;
			else
				item->listener = listener_new(&superd->listeners, NULL, service, item->address);
			if (item->listener == NULL)
				return -1;
			plan->count++;
		}
	}
	return 0;
}

static int
plan_running(struct superd *superd, struct plan *plan)
{
	struct conf *conf = plan->conf;
	unsigned room = superd->gone_count + superd->count;
	struct running **gone = reallocarray(superd->gone, room + 1, sizeof(struct running *));

	if (gone == NULL)
		return -1;
	superd->gone = gone;
	plan->running = calloc(conf->count + 1, sizeof(struct running *));
	if (plan->running == NULL)
		return -1;
	for (unsigned i = 0; i < conf->count; i++) {
		struct running *running = find_running(superd, conf->services[i]->name);

		if (running == NULL) {
			if ((running = calloc(1, sizeof *running)) == NULL)
				return -1;
			running->superd = superd;
			running->service = conf->services[i];
			plan->added++;
		}
		running->planned = true;
		plan->running[i] = running;
	}
	return 0;
}

/* Sockets that were passed to superd, where one has the address. */
static bool
adopt(struct listener *listener)
{
	struct sockaddr_storage name, address;
	int at = 0, fd, type, listening;
	socklen_t len, size = address_sockaddr(listener->address, address_af(listener->address), &address);

	while ((fd = notify_next_socket(&at)) != -1) {
		len = sizeof name;
		if (getsockname(fd, (struct sockaddr *)&name, &len) == -1 || len != size ||
		    memcmp(&name, &address, len) != 0)
			continue;
		len = sizeof type;
		if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == -1 || type != SOCK_STREAM ||
		    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == -1 || !listening)
			continue;
		if (listener_adopt(listener, fd) == -1)
			continue;
		notify_socket_taken(fd);
		return true;
	}
	return false;
}

/* Binds what is new, beside the old.  An address that is taken waits; any other failure is the plan's. */
static int
bind_new(struct plan *plan)
{
	char text[ADDRESS_TEXT];

	for (unsigned i = 0; i < plan->count; i++) {
		struct listener *listener = plan->items[i].listener;

		if (listener->kept || adopt(listener) || listener_bind(listener) == 0)
			continue;
		listener->error = errno;
		if (listener_can_wait(listener->error))
			continue;
		address_text(listener->address, text);
		event_error("service '%s' cannot listen on %s: %s%s", listener->service->name, text,
		    strerror(listener->error), listener->error == EACCES && listener->address->port > 0 &&
		    listener->address->port < 1024 ? "; a port below 1024 needs root" : "");
		return -1;
	}
	return 0;
}

/* superd's own soft limit, so that the configuration's descriptors are to be had. */
static int
raise_descriptors(const struct conf *conf)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return -1;
	if (limit.rlim_cur >= conf->descriptors)
		return 0;
	limit.rlim_cur = conf->descriptors;
	if (limit.rlim_max < limit.rlim_cur)
		limit.rlim_max = limit.rlim_cur;
	return setrlimit(RLIMIT_NOFILE, &limit);
}

/* Everything that can fail.  -1: it did, and is logged. */
static int
prepare(struct superd *superd, struct plan *plan)
{
	struct conf *conf = plan->conf;
	unsigned variables = 0;

	for (unsigned i = 0; i < conf->count; i++)
		if (conf->services[i]->environ_count > variables)
			variables = conf->services[i]->environ_count;
	if (raise_descriptors(conf) == -1) {
		event_error("%u descriptors are needed: %s", conf->descriptors, strerror(errno));
		return -1;
	}
	if (plan_old(superd, plan) == -1 || plan_items(superd, plan) == -1 ||
	    plan_running(superd, plan) == -1 ||
	    environ_reserve(&superd->launcher.environ, variables) == -1 ||
	    loop_reserve(&superd->loop, (size_t)conf->settings.max_sessions + plan->count +
	    plan->old_count + conf->count + superd->gone_count + 64) == -1) {
		event_error("out of memory for the configuration");
		return -1;
	}
	return bind_new(plan);
}

static void
plan_free(struct superd *superd, struct plan *plan, bool done)
{
	for (unsigned i = 0; !done && i < plan->count; i++)
		if (!plan->items[i].listener->kept)
			listener_free(plan->items[i].listener);
	for (unsigned i = 0; !done && plan->running != NULL && i < plan->conf->count; i++)
		if (plan->running[i] != NULL &&
		    find_running(superd, plan->conf->services[i]->name) != plan->running[i])
			free(plan->running[i]);
	free(plan->items);
	free(plan->old);
	free(plan->running);
}

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
	char text[ADDRESS_TEXT];

	listener->next = running->listeners;
	running->listeners = listener;
	if (listener->kept) {
		superd_unpark(superd, listener);
		if (listener->fd != -1 && listener->source.pool == NULL)
			(void)listener_start(listener);	/* it was full: under the new limits it may not be */
		if (listener_redeclare(listener, running, item->service, item->address) == -1) {
			listener_text(listener, text);
			event_error("service '%s': options of %s: %s", item->service->name, text, strerror(errno));
		}
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

/* Nothing in here can fail. */
static unsigned
carry_out(struct superd *superd, struct plan *plan)
{
	unsigned removed = 0, item = 0, old_running = superd->count;
	struct running **old = superd->running;

	for (unsigned i = 0; i < plan->old_count; i++)
		if (!plan->old[i]->kept) {
			superd_unpark(superd, plan->old[i]);
			superd_leave(superd, plan->old[i]);
		}
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
	qsort(superd->running, superd->count, sizeof(struct running *), compare_running);
	free(old);
	conf_release(superd->conf);
	superd->conf = plan->conf;
	superd->admission.max_sessions = plan->conf->settings.max_sessions;
	return removed;
}

static void
forget_gone(struct superd *superd)
{
	for (unsigned i = superd->gone_count; i-- > 0;)
		superd_forget(superd, superd->gone[i]);
}

/* The log file is opened anew in any case: that is how logs are rotated. */
static void
reopen_log(const struct superd *superd)
{
	const struct settings *settings = &superd->conf->settings;

	if (log_open(conf_log_place(superd->base, superd->conf), settings->log_format,
	    superd->base->verbose ? LOG_LEVEL_DEBUG : settings->log_level) == -1)
		event_error("%s: %s; the log goes on where it was", settings->log, strerror(errno));
}

int
superd_apply(struct superd *superd, struct conf *conf)
{
	struct plan plan = { .conf = conf };
	bool first = superd->conf == NULL;
	unsigned removed, before = superd->count;

	if (prepare(superd, &plan) == -1) {
		plan_free(superd, &plan, false);
		return -1;
	}
	removed = carry_out(superd, &plan);
	forget_gone(superd);
	if (!first)
		reopen_log(superd);	/* here, so that the new log begins with it */
	if (!first)
		event_reload("the new configuration is in force",
		    before - removed - plan.changed, plan.changed, plan.added, removed);
	if (superd->count == 0)
		event_warning("no services: superd does nothing until a reload brings one");
	if (superd->leaving == NULL)
		superd_tell_waiting(superd);
	superd_resume_all(superd);
	plan_free(superd, &plan, true);
	return 0;
}

static void
tell_mistakes(const struct mistakes *wrong)
{
	for (const struct mistake *m = wrong->first; m != NULL; m = m->next)
		event_error("%s", m->text);
	for (const struct mistake *m = wrong->first_warning; m != NULL; m = m->next)
		event_warning("%s", m->text);
}

void
superd_reload(struct superd *superd)
{
	struct mistakes wrong = { .count = 0 };
	struct conf *conf;

	if (superd->state != STATE_SERVING)
		return;
	notify_reloading();
	conf = conf_load(superd->base, &wrong);
	if (conf == NULL || superd_apply(superd, conf) == -1) {
		reopen_log(superd);
		tell_mistakes(&wrong);
		event_error("reload: the new configuration is refused; the old one stays in force");
		conf_release(conf);
	} else {
		tell_mistakes(&wrong);
	}
	mistakes_free(&wrong);
	notify_send("READY=1");
}
