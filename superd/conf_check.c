/*
 * conf_check.c - the questions that only the system can answer: may superd do
 * what the configuration asks for?  And what a service's program gets is
 * written out here, once, so that nothing of it is left for a connection.
 */
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bounds.h"
#include "conf_draft.h"
#include "facility.h"
#include "rights.h"
#include "words.h"

/* The variables that tell of the connection: environ.c sets them, nobody else. */
static const char *const own_variables[] = {
	"PROTO", "TCPREMOTEIP", "TCPREMOTEPORT", "TCPLOCALIP", "TCPLOCALPORT", "UDPREMOTEIP",
	"UDPREMOTEPORT", "UDPLOCALIP", "UDPLOCALPORT", "UNIXREMOTEPID", "UNIXREMOTEUID",
	"UNIXREMOTEGID", "REMOTE_ADDR", "REMOTE_PORT", "REMOTE_HOST", "SUPERD_SERVICE",
	"SUPERD_SESSION", NULL
};

static bool
given(const struct service *service, const char *key)
{
	return (service->given & conf_key_bit(conf_key_find(service_keys, key))) != 0;
}

/* In the service's own section, not inherited. */
static bool
given_here(const struct section *section, const char *key)
{
	for (const struct entry *entry = section->entries; entry != NULL; entry = entry->next)
		if (strcmp(entry->key->name, key) == 0)
			return true;
	return false;
}

/* A number of the kernel's, or fallback where it cannot be read. */
static long long
kernel_number(const char *path, long long fallback)
{
	char text[32];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd == -1)
		return fallback;
	len = read(fd, text, sizeof text - 1);
	close(fd);
	if (len <= 0)
		return fallback;
	text[len] = '\0';
	return strtoll(text, NULL, 10);
}

/* Sets NAME=value in the list, in place of an earlier one of that name. */
static void
set_variable(char **list, unsigned *count, char *variable)
{
	size_t len;
	unsigned i = 0;

	if (variable == NULL)
		return;
	len = strcspn(variable, "=") + 1;
	while (i < *count && strncmp(list[i], variable, len) != 0)
		i++;
	list[i] = variable;
	if (i == *count)
		++*count;
}

/* As superd has it: its own environment lives as long as it does. */
static char *
inherited(const struct draft *draft, const char *name)
{
	size_t len = strlen(name);

	for (char **variable = draft->base->environ; *variable != NULL; variable++)
		if (strncmp(*variable, name, len) == 0 && (*variable)[len] == '=')
			return *variable;
	return NULL;
}

static void
check_own_variables(struct draft *draft, struct section *section, const char *key, char **words)
{
	for (; words != NULL && *words != NULL; words++)
		for (size_t i = 0; own_variables[i] != NULL; i++)
			if (strlen(own_variables[i]) == strcspn(*words, "=") &&
			    strncmp(*words, own_variables[i], strcspn(*words, "=")) == 0)
				draft_mistake(draft, section, key, "%s is set by superd itself, "
				    "for each connection", own_variables[i]);
}

/* In rising precedence: what is passed on, who the user is, what env says. */
static void
make_environ(struct draft *draft, struct section *section)
{
	struct arena *arena = &draft->conf->arena;
	struct service *service = section->service;
	const struct identity *identity = service->identity;
	const struct service *last = draft->last_environ;
	char **env = service->env, **pass = service->pass_env;
	unsigned room = 8 + (env != NULL ? words_count(env) : 0) + (pass != NULL ? words_count(pass) : 0);

	if (last != NULL && last->identity == identity && last->env == env && last->pass_env == pass) {
		service->environ = last->environ;	/* most have what [defaults] says */
		service->environ_count = last->environ_count;
		return;
	}
	check_own_variables(draft, section, "env", env);
	check_own_variables(draft, section, "pass_env", pass);
	if ((service->environ = arena_take(arena, room * sizeof *service->environ)) == NULL)
		return;
	for (; pass != NULL && *pass != NULL; pass++)
		set_variable(service->environ, &service->environ_count, inherited(draft, *pass));
	for (size_t i = 0; identity != NULL && identity->login != NULL && i < IDENTITY_VARIABLES; i++)
		set_variable(service->environ, &service->environ_count, identity->variables[i]);
	for (; env != NULL && *env != NULL; env++)
		set_variable(service->environ, &service->environ_count, *env);
	draft->last_environ = service;
}

static void
make_argv(struct draft *draft, struct service *service)
{
	const char *slash = strrchr(service->exec[0], '/');
	unsigned count = words_count(service->exec);

	if (service->argv0 == NULL)
		service->argv0 = slash != NULL ? slash + 1 : service->exec[0];
	service->argv = arena_take(&draft->conf->arena, (count + 1) * sizeof *service->argv);
	if (service->argv == NULL)
		return;
	memcpy(service->argv, service->exec, count * sizeof *service->argv);
	service->argv[0] = arena_text(&draft->conf->arena, service->argv0);
}

/* What the system allows is asked once for a load, not once for each of ten thousand services. */
static void
learn_system(struct system *system)
{
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		if (getrlimit(limit_resources[i], &system->limit[i]) == -1)
			system->limit[i] = (struct rlimit){ RLIM_INFINITY, RLIM_INFINITY };
	system->raise = rights_have(RIGHT_LIMITS);
	system->nr_open = kernel_number("/proc/sys/fs/nr_open", INT64_MAX);
	system->somaxconn = kernel_number("/proc/sys/net/core/somaxconn", BACKLOG_MAX);
}

static void
check_limits(struct draft *draft, struct section *section)
{
	const struct service *service = section->service;
	const struct system *system = &draft->system;

	for (const struct conf_key *key = service_keys; key->name != NULL; key++) {
		const struct limit *limit;
		unsigned long long hard;
		size_t which;

		if (key->kind != KEY_LIMIT)
			continue;
		which = (key->at - offsetof(struct service, limit)) / sizeof *service->limit;
		if ((limit = service->limit[which]) == NULL)
			continue;
		hard = (unsigned long long)system->limit[which].rlim_max;
		if (which == LIMIT_NPROC && service->identity != NULL && service->identity->uid == 0)
			draft_mistake(draft, section, key->name, "does not bind root; "
			    "give the service another user, or leave it out");
		if (!system->raise && limit->hard > hard && draft->base->test)
			draft_warning(draft, section, key->name,
			    "above the hard limit, %llu: only root (CAP_SYS_RESOURCE) can do that", hard);
		else if (!system->raise && limit->hard > hard)
			draft_mistake(draft, section, key->name, "above superd's own hard limit, %llu, "
			    "which it has no right to raise (CAP_SYS_RESOURCE)", hard);
		if (which == LIMIT_NOFILE && limit->hard > (rlim_t)system->nr_open)
			draft_mistake(draft, section, key->name, "above the kernel's own fs.nr_open");
	}
}

static void
check_nice(struct draft *draft, struct section *section)
{
	struct service *service = section->service;
	struct rlimit limit;
	int now;

	service->change_nice = given(service, "nice");
	if (!service->change_nice)
		return;
	now = getpriority(PRIO_PROCESS, 0);
	if (service->nice >= now || rights_have(RIGHT_NICE))
		return;
	if (getrlimit(RLIMIT_NICE, &limit) == 0 && 20 - (int)limit.rlim_cur <= service->nice)
		return;
	if (draft->base->test)
		draft_warning(draft, section, "nice", "only root (CAP_SYS_NICE) can go below %d", now);
	else
		draft_mistake(draft, section, "nice", "superd has no right to go below its own %d (CAP_SYS_NICE)", now);
}

static const char *const has_no_place[] = {
	[OF_INET] = "means nothing for a Unix socket",
	[OF_TCP] = "is for TCP, and the service has no such address",
	[OF_STREAM] = "means nothing for UDP",
	[OF_PATH] = "is for the file of a Unix socket (unix:/path), and the service has none",
};

/* Keys that mean nothing for any of the service's addresses.  Inherited ones do no harm. */
static void
check_socket_keys(struct draft *draft, struct section *section)
{
	const struct service *service = section->service;

	for (const struct conf_key *key = service_keys; key->name != NULL; key++)
		if (!conf_key_applies(key, service) && given_here(section, key->name))
			draft_mistake(draft, section, key->name, "%s", has_no_place[key->of]);
	if (service->device != NULL && strlen(service->device) >= IF_NAMESIZE)
		draft_mistake(draft, section, "device", "'%s' is longer than %d bytes", service->device,
		    IF_NAMESIZE - 1);
}

static bool
has_kind(const struct service *service, enum address_kind kind)
{
	for (unsigned i = 0; i < service->listen.count; i++)
		if (service->listen.item[i].kind == kind)
			return true;
	return false;
}

/* UDP has no end of its own: how long a peer's process waits for him, or that it does not. */
static void
check_datagrams(struct draft *draft, struct section *section)
{
	struct service *service = section->service;
	int64_t idle = service->idle_timeout_ms;

	if (idle == 0 && has_kind(service, ADDRESS_TCP))
		draft_mistake(draft, section, "idle_timeout", "0 is for UDP, where it means a process for "
		    "each datagram; say 'none' for TCP");
	service->per_datagram = idle == 0;
	service->flow_idle_ms = idle == IDLE_DEFAULT ? FLOW_IDLE_MS : idle == IDLE_NONE ? 0 : idle;
	if (service->sensor_ms != 0 && has_kind(service, ADDRESS_UDP) && has_kind(service, ADDRESS_TCP))
		draft_mistake(draft, section, "sensor", "is for TCP alone: a source of UDP can be forged; "
		    "give the UDP address to a service of its own");
}

/* Whether the list is "all" and nothing else: that is how a service overrides [defaults]. */
static bool
is_all(char *const *list)
{
	return list != NULL && *list != NULL && strcmp(*list, "all") == 0 && list[1] == NULL;
}

/* wait = yes: superd never sees a peer, so what asks for one could only be a promise. */
static void
check_wait(struct draft *draft, struct section *section)
{
	struct service *service = section->service;
	const struct {
		const char	*key;
		bool		 set;
		const char	*off;
	} keys[] = {
		{ "allow", service->allow != NULL && !is_all(service->allow), "all" },
		{ "deny", service->deny != NULL && *service->deny != NULL, "" },
		{ "max_per_source", given(service, "max_per_source") &&
		    service->max_per_source != UNLIMITED, "unlimited" },
		{ "rate_per_source", service->rate_per_source.count != 0, "unlimited" },
		{ "sensor", service->sensor_ms != 0, "none" },
		{ "banner", service->banner != NULL, "none" },
		{ "banner_refused", service->banner_refused != NULL, "none" },
		{ "idle_timeout", service->idle_timeout_ms >= 0, "none" },
		{ "traffic", service->traffic, "no" },
	};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (keys[i].set && conf_key_applies(conf_key_find(service_keys, keys[i].key), service))
			draft_mistake(draft, section, keys[i].key, "cannot be kept for service '%s', which has "
			    "wait = yes: there is no peer yet; give it '%s = %s'", service->name,
			    keys[i].key, keys[i].off);
	service->max_per_source = UNLIMITED;
	service->acl = NULL;
}

static void
check_backlog(struct draft *draft, struct section *section)
{
	const struct service *service = section->service;
	long long somaxconn = draft->system.somaxconn;

	if (!given(service, "backlog"))
		return;
	if (service->backlog > somaxconn)
		draft_warning(draft, section, "backlog", "%d is above net.core.somaxconn, which cuts it to %lld",
		    service->backlog, somaxconn);
}

/* What does not hang on a mistake that was told already is looked at all the same. */
static void
check_service(struct draft *draft, struct section *section)
{
	struct service *service = section->service;

	if (service->listen.count != 0) {
		check_socket_keys(draft, section);
		check_datagrams(draft, section);
	}
	check_backlog(draft, section);
	conf_check_lists(draft, section);
	if (service->wait)
		check_wait(draft, section);
	conf_check_users(draft, section);
	conf_check_folders(draft, section);
	if (service->exec != NULL && *service->exec != NULL) {
		make_argv(draft, service);
		conf_check_program(draft, section);
	} else if (service->exec != NULL) {
		draft_mistake(draft, section, "exec", "names no program");
	}
	check_limits(draft, section);
	check_nice(draft, section);
	make_environ(draft, section);
}

/*
 * One for each address, two for each pipe of standard error that can be open
 * at once, one for each connection of which a copy is kept, and some to work
 * with.
 */
static unsigned
count_descriptors(const struct conf *conf)
{
	unsigned count = SPARE_DESCRIPTORS, pipes = 0, most = conf->settings.max_sessions;
	uint64_t copies = 0;

	for (unsigned i = 0; i < conf->count; i++) {
		const struct service *service = conf->services[i];

		count += service->listen.count + (service->program_fd != -1);
		pipes += service->stderr_to == STDERR_LOG;
		/* superd's end of what leads to the process of a UDP peer, or a copy of a connection. */
		if ((has_kind(service, ADDRESS_UDP) && !service->wait) || service->traffic ||
		    service->idle_timeout_ms > 0)
			copies += service->max_sessions;
	}
	if (pipes > most + STDERR_IDLE_PIPES)
		pipes = most + STDERR_IDLE_PIPES;
	return count + 2 * pipes + (copies < most ? (unsigned)copies : most);
}

static void
check_descriptors(struct draft *draft)
{
	struct conf *conf = draft->conf;
	struct place nowhere = { .file = draft->base->file };
	rlim_t most = draft->base->nofile;

	conf->descriptors = count_descriptors(conf);
	if (rights_have(RIGHT_LIMITS))	/* the hard limit may be raised, up to the kernel's */
		most = (rlim_t)kernel_number("/proc/sys/fs/nr_open", 1 << 20);
	if (conf->descriptors <= most)
		return;
	if (draft->base->test && geteuid() != 0)
		mistakes_warn(draft->wrong, nowhere, NULL, NULL, "needs %u descriptors; the hard limit here is %llu",
		    conf->descriptors, (unsigned long long)most);
	else
		mistakes_add(draft->wrong, nowhere, NULL, NULL,
		    "needs %u descriptors, but the hard limit is %llu: raise that (ulimit -Hn, LimitNOFILE=), "
		    "lower max_sessions of [superd], or set 'stderr = null' where nobody reads it",
		    conf->descriptors, (unsigned long long)most);
}

/* stderr, syslog, syslog:FACILITY (looked at by log.c) or a file. */
static void
check_log(struct draft *draft)
{
	const struct settings *settings = &draft->conf->settings;
	struct place at = draft_origin(draft, &draft->superd, "log").at;
	const char *log = settings->log;

	if (log == NULL)
		return;
	if (strcmp(log, "stderr") == 0 && draft->base->daemon)
		mistakes_add(draft->wrong, at, "superd", "log",
		    "a daemon (-D) has no standard error; choose syslog or a file");
	else if (*log != '/' && strcmp(log, "stderr") != 0 && strcmp(log, "syslog") != 0 &&
	    (strncmp(log, "syslog:", 7) != 0 || facility_find(log + 7) == -1))
		mistakes_add(draft->wrong, at, "superd", "log", "'%s' is not stderr, syslog, "
		    "syslog:FACILITY (daemon, user, auth, local0 to local7 ...) or an absolute path", log);
}

void
conf_check_begin(struct draft *draft)
{
	learn_system(&draft->system);
	check_log(draft);
}

void
conf_check_service(struct draft *draft, struct section *section)
{
	const struct service *service = section->service;

	if (service == NULL || !service->enabled)
		return;
	if (section->line != NULL || service->listen.count != 0 || service->exec != NULL)
		check_service(draft, section);	/* else the heading itself is the mistake */
}

void
conf_check_all(struct draft *draft)
{
	conf_check_addresses(draft);
	check_descriptors(draft);
}
