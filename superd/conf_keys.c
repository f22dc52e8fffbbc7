/* conf_keys.c - the table of keys, see conf_keys.h.  superd.ini(5) tells the same to people. */
#include <stdint.h>
#include <string.h>

#include "bounds.h"
#include "conf_keys.h"

static const char *const format_words[] = { "text", "json", NULL };
static const char *const level_words[] = { "error", "warning", "notice", "info", "debug", NULL };
static const char *const full_words[] = { "queue", "refuse", NULL };
static const char *const stderr_words[] = { "log", "socket", "null", NULL };
static const char *const remote_words[] = { "full", "prefix", "none", NULL };
static const char *const sessions_words[] = { "all", "none", NULL };

const limit_resource limit_resources[LIMIT_COUNT] = { RLIMIT_CPU, RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK,
	RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_FSIZE, RLIMIT_CORE, RLIMIT_MEMLOCK };

#define DAY_MS		(24 * 60 * 60 * 1000LL)
#define YEAR_MS		(365 * DAY_MS)

#define AT(field)	.at = offsetof(struct settings, field)
const struct conf_key settings_keys[] = {
	{ .name = "include", .kind = KEY_TEXT, AT(include), .xinetd = "includedir" },
	{ .name = "inetd_conf", .kind = KEY_PATH, AT(inetd_conf), .xinetd = "inetd_compat" },
	{ .name = "log", .kind = KEY_TEXT, AT(log), .xinetd = "log_type" },
	{ .name = "log_format", .kind = KEY_CHOICE, AT(log_format), .words = format_words,
	  .initial = "text" },
	{ .name = "log_level", .kind = KEY_CHOICE, AT(log_level), .words = level_words,
	  .initial = "info" },
	{ .name = "pid_file", .kind = KEY_PATH, AT(pid_file), .xinetd = "pidfile" },
	{ .name = "service_dir", .kind = KEY_PATH, AT(service_dir) },
	{ .name = "max_sessions", .kind = KEY_COUNT, AT(max_sessions), .least = 1,
	  .most = SESSIONS_MAX, .initial = SESSIONS_DEFAULT, .xinetd = "limit" },
	{ .name = "source_prefix", .kind = KEY_PREFIX, AT(source_prefix), .initial = "32 64" },
	{ .name = "grace", .kind = KEY_DURATION, AT(grace_ms), .least = 0, .most = DAY_MS,
	  .initial = "10s" },
	{ .name = NULL }
};
#undef AT

#define AT(field)	.at = offsetof(struct service, field)
#define LIMIT(key, which, known) \
	{ .name = key, .kind = KEY_LIMIT, AT(limit[which]), .xinetd = known }
const struct conf_key service_keys[] = {
	{ .name = "listen", .kind = KEY_LISTEN, AT(listen), .own = true,
	  .xinetd = "port bind socket_type protocol v6only" },
	{ .name = "exec", .kind = KEY_WORDS, AT(exec), .own = true, .xinetd = "server server_args redirect" },
	{ .name = "enabled", .kind = KEY_BOOL, AT(enabled), .initial = "yes",
	  .xinetd = "disable disabled" },
	{ .name = "argv0", .kind = KEY_TEXT, AT(argv0), .xinetd = "nameinargs" },
	{ .name = "wait", .kind = KEY_BOOL, AT(wait), .initial = "no" },
	{ .name = "user", .kind = KEY_TEXT, AT(user) },
	{ .name = "group", .kind = KEY_TEXT, AT(group), .xinetd = "groups" },
	{ .name = "chdir", .kind = KEY_PATH, AT(chdir), .initial = "/" },
	{ .name = "chroot", .kind = KEY_PATH, AT(chroot) },
	{ .name = "umask", .kind = KEY_MODE, AT(umask), .most = 0777, .initial = "022" },
	{ .name = "nice", .kind = KEY_INTEGER, AT(nice), .least = -20, .most = 19 },
	{ .name = "env", .kind = KEY_ASSIGNMENTS, AT(env) },
	{ .name = "pass_env", .kind = KEY_NAMES, AT(pass_env), .initial = "PATH TZ LANG",
	  .xinetd = "passenv" },
	{ .name = "stderr", .kind = KEY_CHOICE, AT(stderr_to), .words = stderr_words,
	  .initial = "log" },
	LIMIT("limit_cpu", LIMIT_CPU, "rlimit_cpu"),
	LIMIT("limit_as", LIMIT_AS, "rlimit_as"),
	LIMIT("limit_data", LIMIT_DATA, "rlimit_data"),
	LIMIT("limit_stack", LIMIT_STACK, "rlimit_stack"),
	LIMIT("limit_nofile", LIMIT_NOFILE, "rlimit_files"),
	LIMIT("limit_nproc", LIMIT_NPROC, "rlimit_nproc"),
	LIMIT("limit_fsize", LIMIT_FSIZE, "rlimit_fsize"),
	LIMIT("limit_core", LIMIT_CORE, "rlimit_core"),
	LIMIT("limit_memlock", LIMIT_MEMLOCK, "rlimit_memlock"),
	{ .name = "allow", .kind = KEY_LIST, .of = OF_INET, AT(allow), .xinetd = "only_from" },
	{ .name = "deny", .kind = KEY_LIST, .of = OF_INET, AT(deny), .xinetd = "no_access" },
	{ .name = "hours", .kind = KEY_HOURS, AT(hours), .xinetd = "access_times" },
	{ .name = "max_sessions", .kind = KEY_COUNT, AT(max_sessions), .least = 1,
	  .most = UNLIMITED, .initial = "100", .xinetd = "instances" },
	{ .name = "max_per_source", .kind = KEY_COUNT, AT(max_per_source), .least = 1,
	  .most = UNLIMITED, .xinetd = "per_source" },
	{ .name = "rate", .kind = KEY_RATE, AT(rate), .initial = "unlimited",
	  .xinetd = "cps leaky_bucket" },
	{ .name = "rate_per_source", .kind = KEY_RATE, AT(rate_per_source), .initial = "unlimited" },
	{ .name = "max_load", .kind = KEY_LOAD, AT(max_load), .initial = "unlimited" },
	{ .name = "when_full", .kind = KEY_CHOICE, AT(when_full), .words = full_words,
	  .initial = "queue" },
	{ .name = "banner", .kind = KEY_PATH, .of = OF_STREAM, AT(banner), .xinetd = "banner_success" },
	{ .name = "banner_refused", .kind = KEY_PATH, .of = OF_STREAM, AT(banner_refused), .xinetd = "banner_fail" },
	{ .name = "sensor", .kind = KEY_DURATION, .of = OF_TCP, AT(sensor_ms), .least = 1000,
	  .most = YEAR_MS, .xinetd = "deny_time" },
	{ .name = "timeout", .kind = KEY_DURATION, AT(timeout_ms), .least = 1, .most = YEAR_MS },
	{ .name = "idle_timeout", .kind = KEY_DURATION, .of = OF_INET, AT(idle_timeout_ms), .least = 0,
	  .most = YEAR_MS },
	{ .name = "backlog", .kind = KEY_INTEGER, .of = OF_STREAM, AT(backlog), .least = 1, .most = BACKLOG_MAX,
	  .initial = "1024" },
	{ .name = "keepalive", .kind = KEY_BOOL, .of = OF_TCP, AT(keepalive), .initial = "yes" },
	{ .name = "nodelay", .kind = KEY_BOOL, .of = OF_TCP, AT(nodelay), .initial = "yes" },
	{ .name = "defer_accept", .kind = KEY_DURATION, .of = OF_TCP, AT(defer_accept_ms), .least = 1000,
	  .most = 60 * 60 * 1000 },
	{ .name = "device", .kind = KEY_TEXT, .of = OF_INET, AT(device), .xinetd = "interface" },
	{ .name = "dscp", .kind = KEY_INTEGER, .of = OF_INET, AT(dscp), .least = 0, .most = 63 },
	{ .name = "rcvbuf", .kind = KEY_SIZE, AT(rcvbuf), .least = 1, .most = INT32_MAX / 2 },
	{ .name = "sndbuf", .kind = KEY_SIZE, AT(sndbuf), .least = 1, .most = INT32_MAX / 2 },
	{ .name = "user_timeout", .kind = KEY_DURATION, .of = OF_TCP, AT(user_timeout_ms), .least = 1,
	  .most = INT32_MAX },
	{ .name = "socket_mode", .kind = KEY_MODE, .of = OF_PATH, AT(socket_mode), .most = 0777,
	  .initial = "0666" },
	{ .name = "socket_user", .kind = KEY_TEXT, .of = OF_PATH, AT(socket_user) },
	{ .name = "socket_group", .kind = KEY_TEXT, .of = OF_PATH, AT(socket_group) },
	{ .name = "log_sessions", .kind = KEY_CHOICE, AT(log_sessions), .words = sessions_words,
	  .initial = "all", .xinetd = "log_on_success log_on_failure" },
	{ .name = "log_remote", .kind = KEY_CHOICE, AT(log_remote), .words = remote_words,
	  .initial = "full" },
	{ .name = "traffic", .kind = KEY_BOOL, .of = OF_INET, AT(traffic), .initial = "no" },
	{ .name = "no_new_privs", .kind = KEY_BOOL, AT(no_new_privs) },
	{ .name = NULL }
};
#undef AT

_Static_assert(sizeof service_keys / sizeof *service_keys <= 64, "service->given has 64 bits");

const struct conf_key *
conf_key_find(const struct conf_key *table, const char *name)
{
	for (; table->name != NULL; table++)
		if (*table->name == *name && strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

uint64_t
conf_key_bit(const struct conf_key *key)
{
	return 1ULL << (key - service_keys);
}

static bool
applies_to(enum key_of of, const struct address *address)
{
	switch (of) {
	case OF_ANY:
		return true;
	case OF_INET:
		return address->kind != ADDRESS_UNIX;
	case OF_TCP:
		return address->kind == ADDRESS_TCP;
	case OF_STREAM:
		return address->kind != ADDRESS_UDP;
	case OF_PATH:
		return address->kind == ADDRESS_UNIX && *address->path == '/';
	}
	return false;
}

bool
conf_key_applies(const struct conf_key *key, const struct service *service)
{
	for (unsigned i = 0; i < service->listen.count; i++) {
		const struct address *address = &service->listen.item[i];

		if (applies_to(key->of, address))
			return true;
	}
	return key->of == OF_ANY;
}

static bool
names_contain(const char *names, const char *name)
{
	size_t len = strlen(name);

	for (; names != NULL && *names != '\0'; names += strspn(names, " ")) {
		size_t one = strcspn(names, " ");

		if (one == len && memcmp(names, name, len) == 0)
			return true;
		names += one;
	}
	return false;
}

const char *
conf_key_hint(struct arena *arena, const struct conf_key *table, const char *name)
{
	const char *names[64 + 1], *near;
	size_t count = 0;

	for (const struct conf_key *key = table; key->name != NULL; key++) {
		if (names_contain(key->xinetd, name))
			return arena_print(arena, "; did you mean '%s'?", key->name);
		names[count++] = key->name;
	}
	names[count] = NULL;
	if (table == service_keys)
		for (const struct conf_key *key = settings_keys; key->name != NULL; key++)
			if (names_contain(key->xinetd, name))
				return arena_print(arena, "; did you mean '%s' of [superd]?", key->name);
	if (table == service_keys && conf_key_find(settings_keys, name) != NULL)
		return "; it belongs into [superd]";
	if (table == settings_keys && conf_key_find(service_keys, name) != NULL)
		return "; it belongs into a service's section or into [defaults]";
	if ((near = mistakes_nearest(name, names)) != NULL)
		return arena_print(arena, "; did you mean '%s'?", near);
	return "";
}
