/*
 * conf.c - from the files to a constant configuration: read (conf_read.c),
 * typed here, checked against the system (conf_check.c).
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bounds.h"
#include "conf_draft.h"
#include "conf_steps.h"
#include "names.h"
#include "words.h"

static const struct entry *
find_entry(const struct section *section, const char *key)
{
	const struct entry *entry = section->entries;

	while (entry != NULL && strcmp(entry->key->name, key) != 0)
		entry = entry->next;
	return entry;
}

struct value_place
draft_origin(const struct draft *draft, const struct section *section, const char *key)
{
	const struct entry *entry = find_entry(section, key);

	if (entry != NULL)
		return (struct value_place){ entry->at, section->name, key };
	if (section->line != NULL && (strcmp(key, "listen") == 0 || strcmp(key, "exec") == 0))
		return (struct value_place){ section->line->at, "services", section->name };
	if ((entry = find_entry(&draft->defaults, key)) != NULL)
		return (struct value_place){ entry->at, "defaults", key };
	return (struct value_place){ section->at, section->name, key };
}

/* A value of [defaults] is wrong for many services and told once: the texts are the same. */
#define TELL(tell, draft, section, key, format)					\
	do {									\
		struct value_place place = draft_origin(draft, section, key);	\
		char text[1024];						\
		va_list args;							\
		va_start(args, format);						\
		vsnprintf(text, sizeof text, format, args);			\
		va_end(args);							\
		tell((draft)->wrong, place.at, place.section, place.key, "%s", text); \
	} while (0)

void
draft_mistake(struct draft *draft, const struct section *section, const char *key,
    const char *format, ...)
{
	TELL(mistakes_add, draft, section, key, format);
}

void
draft_warning(struct draft *draft, const struct section *section, const char *key,
    const char *format, ...)
{
	TELL(mistakes_warn, draft, section, key, format);
}

static void
set_initial(const struct conf_key *table, struct arena *arena, void *object)
{
	for (const struct conf_key *key = table; key->name != NULL; key++)
		if (key->initial != NULL)
			(void)conf_key_parse(key, arena, key->initial, object);
}

/* The section's entries into the fields of object; *given gets their bits. */
static void
set_entries(struct draft *draft, const struct section *section, void *object, uint64_t *given)
{
	const char *wrong;

	for (const struct entry *entry = section->entries; entry != NULL; entry = entry->next) {
		wrong = conf_key_parse(entry->key, &draft->conf->arena, entry->value, object);
		if (wrong != NULL)
			mistakes_add(draft->wrong, entry->at, section->name, entry->key->name,
			    "%s", wrong);
		else if (given != NULL)
			*given |= conf_key_bit(entry->key);
	}
}

/* LISTEN ends at the first blank that no comma stands beside. */
static size_t
listen_length(const char *line)
{
	size_t len = 0, next;

	for (;;) {
		len += strcspn(line + len, " \t");
		next = len + strspn(line + len, " \t");
		if (line[next] == '\0' || (len > 0 && line[len - 1] != ',' && line[next] != ','))
			return len;
		len = next;
	}
}

static void
set_line(struct draft *draft, const struct section *section, struct service *service)
{
	static const char *const names[] = { "listen", "exec" };
	const struct entry *line = section->line;
	size_t len = listen_length(line->value);
	const char *text[] = { arena_text_of(&draft->arena, line->value, len),
		line->value + len + strspn(line->value + len, " \t") };
	const struct conf_key *key;
	const char *wrong;

	for (size_t i = 0; i < 2 && text[0] != NULL; i++) {
		key = conf_key_find(service_keys, names[i]);
		if ((service->given & conf_key_bit(key)) != 0) {
			draft_mistake(draft, section, names[i], "is given already at %s:%u",
			    line->at.file, line->at.line);
			continue;
		}
		wrong = conf_key_parse(key, &draft->conf->arena, text[i], service);
		if (wrong != NULL && *text[i] == '\0')
			wrong = "is NAME = LISTEN PROGRAM [ARGUMENT ...], such as 'echo = 7 echo'";
		else if (wrong != NULL && i == 0 && strchr(text[0], ':') == NULL)
			wrong = arena_print(&draft->arena, "%s; a service is NAME = LISTEN PROGRAM", wrong);
		if (wrong != NULL) {
			mistakes_add(draft->wrong, line->at, "services", section->name, "%s", wrong);
			if (*text[1] == '\0')
				return;		/* it is told what such a line has */
			continue;
		}
		service->given |= conf_key_bit(key);
	}
}

/* A list that begins with "+" adds to that of [defaults]. */
static void
join_list(struct draft *draft, struct section *section, char ***list, char **defaults, const char *key)
{
	unsigned own, before;
	char **joined;

	if (*list == NULL || **list == NULL || strcmp(**list, "+") != 0)
		return;
	if (section == &draft->defaults) {
		draft_mistake(draft, section, key, "'+' adds to [defaults], which this is");
		++*list;	/* told once is enough */
		return;
	}
	own = words_count(*list + 1);
	before = defaults != NULL ? words_count(defaults) : 0;
	joined = arena_take(&draft->conf->arena, (before + own + 1) * sizeof *joined);
	if (joined == NULL)
		return;
	memcpy(joined, defaults != NULL ? defaults : *list, before * sizeof *joined);
	memcpy(joined + before, *list + 1, own * sizeof *joined);
	*list = joined;
}

static void
join_lists(struct draft *draft, struct section *section, struct service *service,
    const struct service *defaults)
{
	join_list(draft, section, &service->allow, defaults->allow, "allow");
	join_list(draft, section, &service->deny, defaults->deny, "deny");
}

static bool
has(const struct service *service, const char *key)
{
	return (service->given & conf_key_bit(conf_key_find(service_keys, key))) != 0;
}

/* Neither 'listen' nor 'exec'. */
static void
tell_empty(struct draft *draft, const struct section *section)
{
	const char *meant = draft_common_section(section->name);

	mistakes_add(draft->wrong, section->at, section->name, NULL,
	    "a service needs 'listen' and 'exec', or a line %s = LISTEN PROGRAM in [services]%s",
	    section->name, meant == NULL ? "" :
	    arena_print(&draft->arena, "; did you mean [%s]?", meant));
}

static void
make_service(struct draft *draft, struct section *section)
{
	unsigned before = draft->wrong->count;
	struct conf *conf = draft->conf;
	struct service *service = arena_take(&conf->arena, sizeof *service);

	if (service == NULL || conf->services == NULL || conf->disabled == NULL)
		return;
	*service = draft->initial;
	service->name = arena_text(&conf->arena, section->name);
	section->service = service;
	set_entries(draft, section, service, &service->given);
	join_lists(draft, section, service, &draft->initial);
	if (service->enabled)
		conf->services[conf->count++] = service;
	else
		conf->disabled[conf->disabled_count++] = service;
	if (!has(service, "max_per_source"))
		service->max_per_source = service->max_sessions == UNLIMITED ? UNLIMITED :
		    (uint32_t)(((uint64_t)service->max_sessions * 3 + 3) / 4);
	if (section->line != NULL)
		set_line(draft, section, service);
	if (draft->wrong->count != before)
		return;
	if (!has(service, "listen") && !has(service, "exec"))
		tell_empty(draft, section);
	else if (!has(service, "listen"))
		mistakes_add(draft->wrong, section->at, section->name, NULL, "'listen' is missing");
	else if (!has(service, "exec"))
		mistakes_add(draft->wrong, section->at, section->name, NULL, "'exec' is missing");
}

static unsigned
count_sections(const struct section *section)
{
	unsigned count = 0;

	for (; section != NULL; section = section->next)
		count++;
	return count;
}

/* What every service begins with, and room for all of them. */
static void
make_defaults(struct draft *draft)
{
	struct conf *conf = draft->conf;
	struct service *initial = &draft->initial;
	unsigned count = count_sections(draft->first);

	*initial = (struct service){ .program_fd = -1, .idle_timeout_ms = IDLE_DEFAULT };
	set_initial(service_keys, &conf->arena, initial);
	set_entries(draft, &draft->defaults, initial, &initial->given);
	join_lists(draft, &draft->defaults, initial, initial);
	conf->services = arena_take(&conf->arena, (count + 1) * sizeof *conf->services);
	conf->disabled = arena_take(&conf->arena, (count + 1) * sizeof *conf->disabled);
}

static void
make_settings(struct draft *draft)
{
	struct settings *settings = &draft->conf->settings;

	set_initial(settings_keys, &draft->conf->arena, settings);
	settings->service_dir = SUPERD_LIBEXECDIR;
	set_entries(draft, &draft->superd, settings, NULL);
	if (draft->base->service_dir != NULL)
		settings->service_dir = draft->base->service_dir;
}

struct draft *
conf_begin(const struct conf_base *base, struct mistakes *wrong)
{
	struct conf *conf = calloc(1, sizeof *conf);
	struct draft *draft = calloc(1, sizeof *draft);
	struct section **slots = calloc(DRAFT_SLOTS, sizeof *slots);

	if (conf == NULL || draft == NULL || slots == NULL) {
		mistakes_add(wrong, (struct place){ .file = base->file }, NULL, NULL, "out of memory");
		free(slots);
		free(draft);
		free(conf);
		return NULL;
	}
	conf->references = 1;
	conf->file = base->file;
	draft->base = base;
	draft->conf = conf;
	draft->wrong = wrong;
	draft->slots = slots;
	return draft;
}

static int64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The next few services.  False: there are no more. */
static bool
batch(struct draft *draft, void (*act)(struct draft *, struct section *))
{
	int64_t begun = now_us();

	for (; draft->at != NULL && now_us() - begun < LOAD_US; draft->at = draft->at->next)
		act(draft, draft->at);
	return draft->at != NULL;
}

bool
conf_step(struct draft *draft)
{
	switch (draft->load) {
	case LOAD_READ:
		conf_read(draft);
		make_settings(draft);
		make_defaults(draft);
		draft->at = draft->first;
		draft->load = LOAD_MAKE;
		return true;
	case LOAD_MAKE:
		if (batch(draft, make_service))
			return true;
		conf_check_begin(draft);
		draft->at = draft->first;
		draft->load = LOAD_CHECK;
		return true;
	case LOAD_CHECK:
		if (!batch(draft, conf_check_service))
			draft->load = LOAD_CHECK_ALL;
		return true;
	case LOAD_CHECK_ALL:
		conf_check_all(draft);
		break;
	}
	return false;
}

struct conf *
conf_end(struct draft *draft)
{
	struct conf *conf = draft->conf;
	struct mistakes *wrong = draft->wrong;
	struct place nowhere = { .file = conf->file };
	const char *trouble = names_end();

	if (conf->arena.failed || draft->arena.failed || wrong->arena.failed)
		mistakes_add(wrong, nowhere, NULL, NULL, "out of memory");
	if (trouble != NULL)
		mistakes_add(wrong, nowhere, NULL, NULL, "users, groups and services cannot be looked up: %s",
		    trouble);
	arena_free(&draft->arena);
	free(draft->slots);
	free(draft);
	if (wrong->count == 0)
		return conf;
	conf_release(conf);
	return NULL;
}

struct conf *
conf_load(const struct conf_base *base, struct mistakes *wrong)
{
	struct draft *draft = conf_begin(base, wrong);

	if (draft == NULL)
		return NULL;
	while (conf_step(draft))
		;
	return conf_end(draft);
}

struct conf *
conf_hold(struct conf *conf)
{
	if (conf != NULL)
		conf->references++;
	return conf;
}

void
conf_release(struct conf *conf)
{
	if (conf == NULL || --conf->references > 0)
		return;
	for (unsigned i = 0; i < conf->count; i++)
		if (conf->services[i]->program_fd != -1)
			close(conf->services[i]->program_fd);
	arena_free(&conf->arena);
	free(conf);
}

const char *
conf_log_place(const struct conf_base *base, const struct conf *conf)
{
	const char *log = conf->settings.log;

	if (log == NULL)
		return base->daemon ? "syslog" : NULL;
	return strcmp(log, "stderr") == 0 ? NULL : log;
}

const char *
conf_pid_file(const struct conf_base *base, const struct conf *conf)
{
	return base->pid_file != NULL ? base->pid_file : conf->settings.pid_file;
}
