/* plan.c - see plan.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "descriptor.h"
#include "events.h"
#include "notify.h"
#include "plan.h"

static int
compare_listeners(const void *a, const void *b)
{
	return address_compare((*(struct listener *const *)a)->address,
	    (*(struct listener *const *)b)->address);
}

int
plan_compare_running(const void *a, const void *b)
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
	    sizeof wanted, plan_compare_running);
	return found == NULL ? NULL : *found;
}

static bool
same_device(const struct address *address, const struct service *a, const struct service *b)
{
	return address->kind == ADDRESS_UNIX || ((a->device == NULL) == (b->device == NULL) &&
	    (a->device == NULL || strcmp(a->device, b->device) == 0));
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

		if (!old->kept && same_device(address, old->service, service) && listener_has_file(old) &&
		    (address->kind == ADDRESS_UNIX || address->port != 0 ||
		    strcmp(old->service->name, service->name) == 0))
			return old;
	}
	return NULL;
}

static void
add_old(struct plan *plan, struct listener *first)
{
	for (struct listener *l = first; l != NULL; l = l->next) {
		l->kept = false;
		plan->old[plan->old_count++] = l;
	}
}

/* What has left is among them: as long as it is bound nothing else can have its address. */
static int
plan_old(struct superd *superd, struct plan *plan)
{
	unsigned count = 0;

	for (unsigned i = 0; i < superd->count; i++) {
		superd->running[i]->planned = false;
		for (struct listener *l = superd->running[i]->listeners; l != NULL; l = l->next)
			count++;
	}
	for (struct listener *l = superd->leaving; l != NULL; l = l->next)
		count++;
	if ((plan->old = calloc(count + 1, sizeof(struct listener *))) == NULL)
		return -1;
	for (unsigned i = 0; i < superd->count; i++)
		add_old(plan, superd->running[i]->listeners);
	add_old(plan, superd->leaving);
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
			event_debug("service '%s': %s as user '%s'", conf->services[i]->name,
			    conf->services[i]->program, conf->services[i]->user);
			running->superd = superd;
			running->tally.number = ++superd->last_number;
			running->service = conf->services[i];
			plan->added++;
		}
		running->planned = true;
		plan->running[i] = running;
	}
	return 0;
}

/* Whether a passed IPv6 socket takes IPv4 as well exactly if the address means both. */
static bool
same_families(int fd, const struct address *address)
{
	int only_six = 1;
	socklen_t len = sizeof only_six;

	if (address_af(address) != AF_INET6)
		return true;
	return getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_six, &len) == 0 &&
	    (only_six != 0) == (address->family != FAMILY_DUAL);
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
		if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == -1 ||
		    type != (listener_is_udp(listener) ? SOCK_DGRAM : SOCK_STREAM) ||
		    !same_families(fd, listener->address) || (type == SOCK_STREAM &&
		    (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == -1 || !listening)))
			continue;
		if (listener_adopt(listener, fd) == -1)
			continue;
		notify_socket_taken(fd);
		listener->fd = descriptor_high(fd);
		event_debug("service '%s': a passed socket is used", listener->service->name);
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

/*
 * superd's own limit: the soft one is as high as the hard one allows, since old
 * and new addresses stand side by side for a moment; programs get theirs back.
 */
static int
raise_descriptors(const struct conf *conf)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return -1;
	if (limit.rlim_max < conf->descriptors)
		limit.rlim_max = conf->descriptors;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit);
}

int
plan_prepare(struct superd *superd, struct plan *plan)
{
	struct conf *conf = plan->conf;
	unsigned variables = 0;

	bool udp = false;

	for (unsigned i = 0; i < conf->count; i++) {
		const struct service *service = conf->services[i];

		if (service->environ_count > variables)
			variables = service->environ_count;
		for (unsigned j = 0; j < service->listen.count; j++)
			udp = udp || service->listen.item[j].kind == ADDRESS_UDP;
	}
	if (raise_descriptors(conf) == -1) {
		event_error("%u descriptors are needed: %s", conf->descriptors, strerror(errno));
		return -1;
	}
	if (plan_old(superd, plan) == -1 || plan_items(superd, plan) == -1 ||
	    plan_running(superd, plan) == -1 ||
	    environ_reserve(&superd->launcher.environ, variables) == -1 ||
	    (udp && (datagrams_reserve(&superd->datagrams) == -1 ||
	    flows_reserve(&superd->flows) == -1)) ||
	    loop_reserve(&superd->loop, 2 * (size_t)conf->settings.max_sessions + plan->count +
	    plan->old_count + 2 * (conf->count + superd->gone_count) + 64) == -1) {
		event_error("out of memory for the configuration");
		return -1;
	}
	return bind_new(plan);
}

void
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
