/*
 * program.c: what is executed, as whom, with which environment and limits.
 */
#include "xinetd2superd.h"

#include <ctype.h>
#include <string.h>

/* Variables that superd sets itself, for each connection: superd.ini(5). */
static const char *const of_superd[] = { "PROTO", "TCPREMOTEIP", "TCPREMOTEPORT", "TCPLOCALIP",
	"TCPLOCALPORT", "UDPREMOTEIP", "UDPREMOTEPORT", "UDPLOCALIP", "UDPLOCALPORT",
	"UNIXREMOTEPID", "UNIXREMOTEUID", "UNIXREMOTEGID", "REMOTE_ADDR", "REMOTE_PORT",
	"REMOTE_HOST", "SUPERD_SERVICE", "SUPERD_SESSION" };

static void
put_exec(struct section *section, enum attribute id, const struct values *words)
{
	const char **all = take((words->count + 1) * sizeof *all);

	for (unsigned i = 0; i < words->count; i++)
		all[i] = quoted(words->item[i]);
	if (!put_words(section->body, "exec", all, words->count))
		leave_out(section, id,
		    "an argument is too long for a line of superd.ini; put it into a script");
}

/* echo, discard, chargen, daytime, time: bundled programs have the same names. */
static void
put_internal(struct section *section)
{
	static const char *const names[] = { "echo", "discard", "chargen", "daytime", "time" };
	struct values words = { .count = 0 };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcasecmp(section->entry->name, names[i]) == 0)
			add_value(&words, names[i]);
	if (words.count == 0)
		leave_out(
		    section, A_TYPE, "superd has no internal service '%s'", section->entry->name);
	else
		put_exec(section, A_TYPE, &words);
}

static void
put_redirect(struct section *section)
{
	const struct values *target = held(section, A_REDIRECT);
	struct values words = { .count = 0 };

	add_value(&words, "relay");
	add_value(&words, target->item[0]);
	add_value(&words, target->item[1]);
	put_exec(section, A_REDIRECT, &words);
	if (section->udp)
		turn_off(section, A_REDIRECT, "is for TCP, also to xinetd");
}

static void
put_server(struct section *section)
{
	const struct values *args = held(section, A_SERVER_ARGS);
	const char *server = one(section, A_SERVER);
	bool named = has_word(held(section, A_FLAGS), "NAMEINARGS");
	struct values words = { .count = 0 };

	if (server == NULL) {
		leave_out(section, A_SERVER, "is missing, and xinetd would not run it either");
		return;
	}
	if (*server != '/') {
		leave_out(section, A_SERVER, "'%s' is not an absolute path", server);
		return;
	}
	add_value(&words, server);
	for (unsigned i = named; args != NULL && i < args->count; i++)
		add_value(&words, args->item[i]);
	put_exec(section, A_SERVER, &words);
	if (named && args == NULL)
		turn_off(section, A_FLAGS, "NAMEINARGS without server_args");
	else if (named)
		put(section, A_SERVER_ARGS, "argv0", "%s", args->item[0]);
}

static bool
is_sensor_to_no_end(struct section *section)
{
	const char *minutes = one(section, A_DENY_TIME);
	unsigned long number = 0;

	if (minutes != NULL && strcasecmp(minutes, "FOREVER") == 0)
		return true;
	return minutes != NULL && parse_count(minutes, 1000000000, &number) &&
	    number > 365 * 24 * 60;
}

/* Nobody is served: who connects is refused, here and for a time everywhere. */
static void
put_sensor(struct section *section)
{
	const char *minutes = one(section, A_DENY_TIME);
	unsigned long number = 0;

	put_words(section->body, "exec", (const char *const[]){ "discard" }, 1);
	if (section->udp) {
		turn_off(section, A_FLAGS,
		    "SENSOR: superd has none for UDP, where a source can be forged");
	} else if (is_sensor_to_no_end(section)) {
		lose(section, A_DENY_TIME, "'%s': superd forgets after a year", minutes);
		put(section, A_DENY_TIME, "sensor", "365d");
	} else if (minutes == NULL || strcasecmp(minutes, "NEVER") == 0) {
		remark(section, A_FLAGS, "SENSOR that bans nobody: each try is refused and logged");
		put(section, A_DENY_TIME, "deny", "all");
	} else if (!parse_count(minutes, 365 * 24 * 60, &number)) {
		turn_off(section, A_DENY_TIME, "'%s' is no number of minutes, FOREVER or NEVER",
		    minutes);
	} else if (number == 0) {
		put(section, A_DENY_TIME, "deny", "all");
	} else {
		put(section, A_DENY_TIME, "sensor", "%lum", number);
	}
}

void
put_program(struct section *section)
{
	if (section->sensor)
		put_sensor(section);
	else if (has_word(held(section, A_TYPE), "INTERNAL"))
		put_internal(section);
	else if (held(section, A_REDIRECT) != NULL)
		put_redirect(section);
	else
		put_server(section);
	if (section->bundled && (own(section, A_SERVER) || own(section, A_SERVER_ARGS)))
		remark(section, own(section, A_SERVER) ? A_SERVER : A_SERVER_ARGS,
		    "is not used for this kind of service, as by xinetd");
	if (section->waits)
		put(section, A_WAIT, "wait", "yes");
}

void
put_user(struct section *section)
{
	const char *user = one(section, A_USER), *group = one(section, A_GROUP);
	unsigned long number;

	if (user == NULL && !has_word(held(section, A_TYPE), "INTERNAL"))
		turn_off(section, A_USER, "is missing, and xinetd would not run it either");
	if (user != NULL && section->bundled &&
	    (strcmp(user, "root") == 0 || strcmp(user, "0") == 0)) {
		remark(section, A_USER,
		    "this program needs no rights of root, so superd's own default holds");
		user = NULL;
	}
	if (user != NULL)
		put(section, A_USER, "user", "%s", user);
	if (group != NULL)
		put(section, A_GROUP, "group", "%s", group);
	else if (user != NULL && parse_count(user, 4294967294, &number))
		put(section, A_USER, "group", "%s", user); /* what xinetd makes of a number */
	if (own(section, A_GROUPS) && !parse_yes_no(section, A_GROUPS, true))
		lose(section, A_GROUPS, "superd sets the groups that the user is in");
}

static bool
is_variable(const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '_')
			return false;
	return length > 0 && !isdigit((unsigned char)name[0]);
}

/* Whether superd takes this variable; if not, that is told. */
static bool
usable(struct section *section, enum attribute id, const char *variable)
{
	size_t length = id == A_ENV ? strcspn(variable, "=") : strlen(variable);

	for (size_t i = 0; i < ARRAY_LEN(of_superd); i++)
		if (strlen(of_superd[i]) == length &&
		    strncmp(of_superd[i], variable, length) == 0) {
			lose(section, id, "%s is set by superd itself", of_superd[i]);
			return false;
		}
	if (!is_variable(variable, length)) {
		lose(section, id, "'%.*s' is no name of a variable to superd", (int)length,
		    variable);
		return false;
	}
	return true;
}

static void
put_variables(struct section *section, enum attribute id, const char *key)
{
	const struct values *values = held(section, id);
	const char **words = take((values->count + 1) * sizeof *words);
	unsigned count = 0;

	for (unsigned i = 0; i < values->count; i++) {
		const char *variable = values->item[i];

		if (id == A_ENV && strchr(variable, '=') == NULL)
			turn_off(section, id, "'%s' is not NAME=VALUE", variable);
		else if (usable(section, id, variable))
			words[count++] = quoted(variable);
	}
	if ((count > 0 || id == A_PASSENV) && !put_words(section->body, key, words, count))
		lose(section, id,
		    "a value is too long for a line of superd.ini; put it into a script");
}

/* N, or N with k or M; no more than superd can count. */
static bool
is_size(const char *value)
{
	size_t digits = strspn(value, "0123456789");

	return digits > 0 && digits <= 12 &&
	    strspn(value + digits, "kKmM") == strlen(value + digits) && strlen(value) <= digits + 1;
}

static void
put_resource(struct section *section, enum attribute id, const char *key)
{
	const char *value = one(section, id);
	size_t digits = value != NULL ? strspn(value, "0123456789") : 0;

	if (value == NULL)
		return;
	if (strcasecmp(value, "UNLIMITED") == 0)
		put(section, id, key, "unlimited");
	else if (!is_size(value))
		turn_off(section, id, "'%s' is no limit", value);
	else if (strspn(value, "0") == digits)
		remark(section, id, "0 sets no limit, as for xinetd");
	else
		put(section, id, key, "%.*s%s", (int)digits, value,
		    value[digits] == '\0'		      ? ""
			: strchr("kK", value[digits]) != NULL ? "k"
							      : "M");
}

static void
put_nice(struct section *section)
{
	const char *nice = one(section, A_NICE);
	unsigned long number;
	bool minus;

	if (nice == NULL)
		return;
	minus = *nice == '-';
	if (!parse_count(nice + minus, 1000, &number))
		turn_off(section, A_NICE, "'%s' is not a number", nice);
	else
		put(section, A_NICE, "nice", "%s%lu", minus && number > 0 ? "-" : "",
		    minus && number > 20	? 20
			: !minus && number > 19 ? 19
						: number);
}

void
put_environment(struct section *section)
{
	if (own(section, A_UMASK))
		put_umask(section);
	put_nice(section);
	if (held(section, A_ENV) != NULL)
		put_variables(section, A_ENV, "env");
	if (held(section, A_PASSENV) != NULL)
		put_variables(section, A_PASSENV, "pass_env");
	put_resource(section, A_RLIMIT_CPU, "limit_cpu");
	put_resource(section, A_RLIMIT_AS, "limit_as");
	put_resource(section, A_RLIMIT_DATA, "limit_data");
	put_resource(section, A_RLIMIT_STACK, "limit_stack");
	put_resource(section, A_RLIMIT_FILES, "limit_nofile");
	if (own(section, A_RLIMIT_RSS))
		lose(section, A_RLIMIT_RSS, "has no effect on Linux; limit_as is the nearest");
}
