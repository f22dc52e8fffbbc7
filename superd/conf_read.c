/*
 * conf_read.c - the files into sections and entries: which section may stand
 * where, what was given twice, what is no key.  Values are not looked at yet.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bounds.h"
#include "conf_draft.h"
#include "conf_lines.h"

static struct place
place_of(const struct draft *draft, unsigned line)
{
	struct place at = draft->file;

	at.line = line;
	return at;
}

static unsigned
slot_of(const char *name)
{
	unsigned hash = 5381;

	while (*name != '\0')
		hash = hash * 33 ^ (unsigned char)*name++;
	return hash % DRAFT_SLOTS;
}

struct section *
draft_find_section(struct draft *draft, const char *name)
{
	struct section *section = draft->slots[slot_of(name)];

	if (strcmp(name, draft->superd.name) == 0)
		return &draft->superd;
	if (strcmp(name, draft->defaults.name) == 0)
		return &draft->defaults;
	while (section != NULL && strcmp(section->name, name) != 0)
		section = section->next_in_slot;
	return section;
}

struct section *
draft_add_section(struct draft *draft, const char *name, struct place at)
{
	struct section *section = arena_take(&draft->arena, sizeof *section);
	struct section **slot = &draft->slots[slot_of(name)];

	if (section == NULL || (section->name = arena_text(&draft->arena, name)) == NULL)
		return NULL;
	section->at = at;
	section->next_in_slot = *slot;
	*slot = section;
	*draft->last = section;
	draft->last = &section->next;
	return section;
}

static bool
is_service_name(const char *name)
{
	size_t len = 0;

	for (; name[len] != '\0'; len++)
		if (!isalnum((unsigned char)name[len]) && strchr("._-", name[len]) == NULL)
			return false;
	return len > 0 && len <= NAME_BYTES;
}

static bool
check_name(struct draft *draft, struct place at, const char *section, const char *name)
{
	if (is_service_name(name))
		return true;
	mistakes_add(draft->wrong, at, section, NULL, "'%s' is no name for a service: "
	    "1 to %d letters, digits and . _ -", name, NAME_BYTES);
	return false;
}

/* [superd] or [defaults]: in the main file, once. */
static void
common_heading(struct draft *draft, struct section *section, struct place at)
{
	if (draft->file.order > 0)
		mistakes_add(draft->wrong, at, section->name, NULL,
		    "stands in the main file only, %s", draft->base->file);
	else if (section->heading)
		mistakes_add(draft->wrong, at, section->name, NULL,
		    "is there already in line %u", section->at.line);
	if (!section->heading)
		section->at = at;
	section->heading = true;
}

static void
read_heading(void *arg, unsigned line, const char *name)
{
	struct draft *draft = arg;
	struct place at = place_of(draft, line);
	struct section *section = draft_find_section(draft, name);

	draft->open = NULL;
	draft->conf->blank = false;
	if (strcmp(name, "services") == 0) {
		if (draft->services_seen)
			mistakes_add(draft->wrong, at, name, NULL, "is there twice in this file");
		draft->services_seen = true;
	} else if (section == &draft->superd || section == &draft->defaults) {
		common_heading(draft, section, at);
	} else if (section != NULL && section->heading) {
		mistakes_add(draft->wrong, at, name, NULL, "is there already at %s:%u",
		    section->at.file, section->at.line);
	} else if (section != NULL || (check_name(draft, at, NULL, name) &&
	    (section = draft_add_section(draft, name, at)) != NULL)) {
		section->at = at;
		section->heading = true;
	}
}

static struct entry *
add_entry(struct draft *draft, const struct conf_key *key, const char *value, struct place at)
{
	struct entry *entry = arena_take(&draft->arena, sizeof *entry);

	if (entry == NULL || (entry->value = arena_text(&draft->arena, value)) == NULL)
		return NULL;
	entry->key = key;
	entry->at = at;
	return entry;
}

void
draft_add_value(struct draft *draft, struct section *section, const char *key, const char *value,
    struct place at)
{
	struct entry *entry = value == NULL ? NULL :
	    add_entry(draft, conf_key_find(service_keys, key), value, at);

	if (entry == NULL)
		return;
	entry->next = section->entries;
	section->entries = entry;
}

/* NAME = LISTEN PROGRAM */
static struct entry *
read_service_line(struct draft *draft, const char *name, const char *value, struct place at)
{
	struct section *section = draft_find_section(draft, name);

	if (section == &draft->superd || section == &draft->defaults || strcmp(name, "services") == 0) {
		mistakes_add(draft->wrong, at, "services", name, "is not a name for a service; choose another");
		return NULL;
	}
	if (section == NULL && (!check_name(draft, at, "services", name) ||
	    (section = draft_add_section(draft, name, at)) == NULL))
		return NULL;
	if (section->line != NULL) {
		mistakes_add(draft->wrong, at, "services", name, "is there already at %s:%u",
		    section->line->at.file, section->line->at.line);
		return NULL;
	}
	return section->line = add_entry(draft, NULL, value, at);
}

const char *
draft_common_section(const char *name)
{
	static const char *const common[] = { "services", "defaults", "superd", NULL };

	return mistakes_nearest(name, common);
}

/* A key that is none; in what looks like a misspelt [services] its first one tells enough. */
static void
unknown_key(struct draft *draft, const struct section *section, const char *name, struct place at,
    const struct conf_key *table)
{
	const char *meant = table == settings_keys || section == &draft->defaults ? NULL :
	    draft_common_section(section->name);

	if (meant != NULL && *conf_key_hint(&draft->arena, table, name) == '\0')
		mistakes_add(draft->wrong, at, section->name, name,
		    "unknown key; did you mean the section [%s]?", meant);
	else
		mistakes_add(draft->wrong, at, section->name, name, "unknown key%s",
		    conf_key_hint(&draft->arena, table, name));
}

static struct entry *
read_key(struct draft *draft, struct section *section, const char *name, const char *value,
    struct place at)
{
	const struct conf_key *table = section == &draft->superd ? settings_keys : service_keys;
	const struct conf_key *key = conf_key_find(table, name);
	struct entry *entry;

	if (key == NULL) {
		unknown_key(draft, section, name, at, table);
		return NULL;
	}
	if (key->own && section == &draft->defaults) {
		mistakes_add(draft->wrong, at, section->name, name,
		    "belongs to one service; it cannot stand in [defaults]");
		return NULL;
	}
	for (entry = section->entries; entry != NULL; entry = entry->next)
		if (entry->key == key) {
			mistakes_add(draft->wrong, at, section->name, name,
			    "is given already in line %u", entry->at.line);
			return NULL;
		}
	if ((entry = add_entry(draft, key, value, at)) == NULL)
		return NULL;
	entry->next = section->entries;
	return section->entries = entry;
}

/* An indented line that was meant to begin something of its own. */
static bool
is_no_continuation(const struct draft *draft, bool services, const struct section *section,
    const char *value)
{
	char name[NAME_BYTES + 1];
	size_t len = strcspn(value, "= \t");
	const char *behind = value + len + strspn(value + len, " \t");

	if (len == 0 || len > NAME_BYTES || *behind != '=')
		return false;
	memcpy(name, value, len);
	name[len] = '\0';
	if (services)		/* "--option=x" continues; "a=b" needs quotes */
		return isalnum((unsigned char)*name) && is_service_name(name);
	return conf_key_find(section == &draft->superd ? settings_keys : service_keys, name) != NULL;
}

static void
read_continuation(struct draft *draft, unsigned line, const char *section, const char *value)
{
	bool services = strcmp(section, "services") == 0;

	if (is_no_continuation(draft, services, draft_find_section(draft, section), value))
		mistakes_add(draft->wrong, place_of(draft, line), section, NULL,
		    "'%s' is indented and would continue the value above; begin it at the start of "
		    "the line, or quote it if it is an argument", value);
	else if (draft->open != NULL)
		draft->open->value = arena_print(&draft->arena, "%s%s%s", draft->open->value,
		    *draft->open->value != '\0' ? " " : "", value);
}

static void
read_value(void *arg, unsigned line, const char *name, const char *key, const char *value,
    bool continues)
{
	struct draft *draft = arg;
	struct section *section;

	if (continues) {
		read_continuation(draft, line, name, value);
		return;
	}
	draft->open = NULL;
	if (strcmp(name, "services") == 0)
		draft->open = read_service_line(draft, key, value, place_of(draft, line));
	else if ((section = draft_find_section(draft, name)) != NULL)
		draft->open = read_key(draft, section, key, value, place_of(draft, line));
}

static void
read_mistake(void *arg, unsigned line, const char *what)
{
	struct draft *draft = arg;

	mistakes_add(draft->wrong, place_of(draft, line), NULL, NULL, "%s", what);
}

/*
 * Only plain files: a reload must neither wait for a FIFO's writer nor take an
 * empty pipe for a configuration.  To test one, -t and -T read anything.
 */
static FILE *
open_file(struct draft *draft, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | (draft->base->test ? 0 : O_NONBLOCK));
	struct stat status;
	FILE *file;

	if (fd == -1 || fstat(fd, &status) == -1) {
		mistakes_add(draft->wrong, draft->file, NULL, NULL, "%s", strerror(errno));
	} else if (S_ISDIR(status.st_mode)) {
		mistakes_add(draft->wrong, draft->file, NULL, NULL, "is a directory");
	} else if (!S_ISREG(status.st_mode) && !draft->base->test) {
		mistakes_add(draft->wrong, draft->file, NULL, NULL, "is not a plain file");
	} else if ((file = fdopen(fd, "r")) != NULL) {
		return file;
	} else {
		mistakes_add(draft->wrong, draft->file, NULL, NULL, "%s", strerror(errno));
	}
	if (fd != -1)
		close(fd);
	return NULL;
}

static void
read_file(struct draft *draft, const char *path, unsigned order)
{
	const struct conf_lines to = { .heading = read_heading, .value = read_value,
		.mistake = read_mistake, .arg = draft };
	FILE *file;

	draft->file = (struct place){ .file = arena_text(&draft->arena, path), .order = order };
	draft->services_seen = false;
	draft->open = NULL;
	if ((file = open_file(draft, path)) == NULL)
		return;
	conf_lines_read(file, &to);
	fclose(file);
}

static bool
is_folder(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* A folder is told where it is named, as it is named there. */
static void
tell_folder(struct draft *draft, const struct entry *include, const char *path)
{
	const char *name = strpbrk(include->value, "*?[") != NULL ? path : include->value;
	size_t len = strlen(name);

	while (len > 1 && name[len - 1] == '/')
		len--;
	mistakes_add(draft->wrong, include->at, "superd", "include",
	    "%s is a folder; its files are %.*s/*.ini", path, (int)len, name);
}

static bool
same_file(const char *a, const char *b)
{
	struct stat one, two;

	return stat(a, &one) == 0 && stat(b, &two) == 0 && one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

/* The files that the glob names, relative to the main file's folder. */
static void
read_included(struct draft *draft, const struct entry *include)
{
	const char *main_file = draft->base->file, *slash = strrchr(main_file, '/');
	const char *pattern = include->value;
	glob_t found = { .gl_pathc = 0 };
	int status;

	if (*pattern != '/' && slash != NULL)
		pattern = arena_print(&draft->arena, "%.*s/%s", (int)(slash - main_file),
		    main_file, pattern);
	status = pattern == NULL ? GLOB_NOSPACE : glob(pattern, 0, NULL, &found);
	if (status == GLOB_NOMATCH && strpbrk(pattern, "*?[") != NULL)
		return;
	if (status != 0)
		mistakes_add(draft->wrong, include->at, "superd", "include", "%s: %s", pattern,
		    status == GLOB_NOMATCH ? "no such file" : status == GLOB_NOSPACE ?
		    "out of memory" : "cannot be read");
	else if (found.gl_pathc > FILES_MAX)
		mistakes_add(draft->wrong, include->at, "superd", "include",
		    "%s: %zu files, more than %d", pattern, (size_t)found.gl_pathc, FILES_MAX);
	else
		for (unsigned i = 0; i < found.gl_pathc; i++)
			if (is_folder(found.gl_pathv[i]))
				tell_folder(draft, include, found.gl_pathv[i]);
			else if (same_file(found.gl_pathv[i], main_file))
				mistakes_add(draft->wrong, include->at, "superd", "include", "%s is this "
				    "file itself; put the others into a folder of their own", found.gl_pathv[i]);
			else
				read_file(draft, found.gl_pathv[i], i + 1);
	globfree(&found);
}

void
conf_read(struct draft *draft)
{
	const struct entry *entry;

	draft->conf->blank = true;
	draft->superd.name = "superd";
	draft->defaults.name = "defaults";
	draft->last = &draft->first;
	read_file(draft, draft->base->file, 0);
	for (entry = draft->superd.entries; entry != NULL; entry = entry->next)
		if (strcmp(entry->key->name, "include") == 0 && *entry->value != '\0' &&
		    strcmp(entry->value, "none") != 0)
			read_included(draft, entry);
	for (entry = draft->superd.entries; entry != NULL; entry = entry->next)
		if (strcmp(entry->key->name, "inetd_conf") == 0 && *entry->value == '/')
			conf_read_inetd(draft, entry);
}
