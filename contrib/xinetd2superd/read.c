/*
 * read.c: the files into entries, by the rules that xinetd itself follows:
 * what is an entry, what a bad line does, which files of a folder count, and
 * what a service has of the defaults.
 */
#include "xinetd2superd.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX 16 /* of files that include files: xinetd would go on for ever */
#define BLANKS " \t\n\v\f\r"

static const struct known {
	const char *name;
	int values, traits;
} known[ATTRIBUTES] = {
#define X(id, name, values, traits) [id] = { (name), (values), (traits) },
	ATTRIBUTES_OF(X)
#undef X
};

struct reader {
	struct xinetd *all;
	FILE *file;
	struct place at;
	char *line; /* of getline(3) */
	size_t room;
	unsigned depth;
	bool defaults_seen; /* in this file */
};

static void read_stream(struct xinetd *all, FILE *file, const char *path, unsigned depth);

static void
file_note(struct reader *reader, const char *what, const char *path, const char *why)
{
	told = true;
	fprintf(stderr, "%s:%u: %s: %s: %s\n", reader->at.file, reader->at.line, what, path, why);
	add_note(&reader->all->files, what, reader->at, false, "%s: %s", path, why);
}

/* The next line that says something, without the blanks around it; NULL at the end. */
static char *
next_line(struct reader *reader)
{
	for (;;) {
		ssize_t size = getline(&reader->line, &reader->room, reader->file);
		char *line = reader->line, *end;

		if (size == -1) {
			if (ferror(reader->file))
				file_note(reader, "read", reader->at.file, strerror(errno));
			return NULL;
		}
		reader->at.line++;
		line += strspn(line, BLANKS);
		if (*line == '\0' || *line == '#')
			continue;
		for (end = line + strlen(line); strchr(BLANKS, end[-1]) != NULL; end--)
			;
		*end = '\0';
		return line;
	}
}

static void
skip_entry(struct reader *reader)
{
	const char *line = next_line(reader);

	while (line != NULL && strcmp(line, "}") != 0)
		line = next_line(reader);
}

/* Takes the next word off *rest, or gives NULL. */
static const char *
next_word(char **rest)
{
	char *word = *rest + strspn(*rest, BLANKS);

	if (*word == '\0')
		return NULL;
	*rest = word + strcspn(word, BLANKS);
	if (**rest != '\0')
		*(*rest)++ = '\0';
	return text("%s", word);
}

/* The '=' of "name = ...", "name += ...", "name -= ..."; the name is cut off. */
static char *
find_operator(char *line)
{
	char *at = line + strcspn(line, BLANKS "=");

	if (*at == '\0' || *at == '=')
		return NULL;
	*at++ = '\0';
	at += strspn(at, BLANKS);
	return *at == '=' || ((*at == '+' || *at == '-') && at[1] == '=') ? at : NULL;
}

static enum attribute
find_attribute(const char *name, int trait)
{
	enum attribute id = A_ID;

	if (strcasecmp(name, "interface") == 0)
		name = known[A_BIND].name;
	while (id < ATTRIBUTES &&
	    (strcasecmp(name, known[id].name) != 0 || (known[id].traits & trait) == 0))
		id++;
	return id;
}

static void
remove_value(struct values *values, const char *word)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < values->count; i++)
		if (strcasecmp(values->item[i], word) != 0)
			values->item[kept++] = values->item[i];
	values->count = kept;
}

static void
assign(struct entry *entry, enum attribute id, char operation, struct place at,
    const struct values *words)
{
	struct values *values = &entry->attribute[id];
	struct values items = { .count = 0 };

	for (unsigned i = 0; i < words->count; i++)
		if ((known[id].traits & ADDRESSES) != 0)
			expand_address(entry, id, &items, words->item[i], at);
		else
			add_value(&items, words->item[i]);
	if (operation == '=')
		values->count = 0;
	for (unsigned i = 0; i < items.count; i++)
		if (operation == '-')
			remove_value(values, items.item[i]);
		else
			add_value(values, items.item[i]);
	values->given = true;
	values->at = at;
}

/* NULL, or why xinetd does not take the line; *fatal: nor the whole service then. */
static const char *
check_assignment(const struct entry *entry, enum attribute id, char operation,
    unsigned count, bool defaults, bool *fatal)
{
	const struct known *attribute = &known[id];
	bool list = attribute->values == LIST || (defaults && (attribute->traits & ADDS) != 0);

	*fatal = false;
	if (!list && entry->attribute[id].given)
		return "is given already; ignored, as by xinetd";
	if (!list && operation != '=')
		return "takes '=' only; ignored, as by xinetd";
	if (attribute->values > 0 && count != (unsigned)attribute->values)
		return text("takes %d value%s and not %u; ignored, as by xinetd", attribute->values,
		    attribute->values == 1 ? "" : "s", count);
	*fatal = true;
	if (attribute->values == ANY && count == 0)
		return "has no value";
	if (id == A_ENV && operation == '-')
		return "does not take '-='";
	return NULL;
}

static void
read_attribute(struct reader *reader, struct entry *entry, char *line)
{
	bool defaults = entry == &reader->all->defaults, fatal;
	char *at = find_operator(line), operation;
	const char *name = text("%s", line), *word, *wrong;
	struct values words = { .count = 0 };
	enum attribute id;

	if (at == NULL) {
		add_note(entry, name, reader->at, true,
		    "is not ATTRIBUTE = VALUE, with blanks around the '='");
		return;
	}
	operation = *at;
	at += operation == '=' ? 1 : 2;
	while ((word = next_word(&at)) != NULL)
		add_value(&words, word);
	id = find_attribute(name, defaults ? IN_DEFAULTS : IN_SERVICE);
	if (id == ATTRIBUTES) {
		add_note(entry, name, reader->at, false,
		    find_attribute(name, BOTH) == ATTRIBUTES
			? "is no attribute of xinetd; ignored, as by xinetd"
			: "does not belong here; ignored, as by xinetd");
		return;
	}
	wrong = check_assignment(entry, id, operation, words.count, defaults, &fatal);
	if (wrong != NULL) {
		add_note(entry, name, reader->at, fatal, "%s", wrong);
		return;
	}
	if (defaults && operation == '=' && id != A_LOG_TYPE)
		operation = '+';
	assign(entry, id, operation, reader->at, &words);
}

static void
read_attributes(struct reader *reader, struct entry *entry)
{
	char *line;

	while ((line = next_line(reader)) != NULL && strcmp(line, "}") != 0)
		read_attribute(reader, entry, line);
	if (line == NULL)
		add_note(entry, entry->name, reader->at, true, "the entry has no '}' at its end");
}

/* What a service has from the start: copies, so that += and -= change its own. */
static void
copy_defaults(struct entry *entry, const struct entry *defaults)
{
	for (enum attribute id = A_ID; id < ATTRIBUTES; id++) {
		const struct values *from = &defaults->attribute[id];
		struct values *to = &entry->attribute[id];

		if ((known[id].traits & COPIED) == 0 || !from->given)
			continue;
		for (unsigned i = 0; i < from->count; i++)
			add_value(to, from->item[i]);
		to->copied = true;
		to->at = from->at;
	}
}

static void
read_service(struct reader *reader, const char *name, struct place at)
{
	struct entry *entry = take(sizeof *entry);

	entry->name = name;
	entry->at = at;
	copy_defaults(entry, &reader->all->defaults);
	*reader->all->last = entry;
	reader->all->last = &entry->next;
	read_attributes(reader, entry);
}

static void
read_defaults(struct reader *reader, struct place at)
{
	struct entry *defaults = &reader->all->defaults;

	if (reader->defaults_seen) {
		file_note(reader, "defaults", "a second one in this file", "ignored, as by xinetd");
		skip_entry(reader);
		return;
	}
	reader->defaults_seen = true;
	if (defaults->at.file == NULL)
		defaults->at = at;
	read_attributes(reader, defaults);
}

/* A folder can be opened, and only then cannot be read. */
static bool
is_folder(FILE *file)
{
	struct stat status;

	if (fstat(fileno(file), &status) == -1 || !S_ISDIR(status.st_mode))
		return false;
	errno = EISDIR;
	return true;
}

static void
include_file(struct reader *reader, const char *path)
{
	FILE *file;

	if (reader->depth == DEPTH_MAX) {
		file_note(reader, "include", path, "files include files too deeply");
		return;
	}
	if ((file = fopen(path, "re")) == NULL || is_folder(file))
		file_note(reader, "include", path, strerror(errno));
	else
		read_stream(reader->all, file, path, reader->depth + 1);
	if (file != NULL)
		fclose(file);
}

static int
counts(const struct dirent *found)
{
	size_t length = strlen(found->d_name);

	return length > 0 && strchr(found->d_name, '.') == NULL && found->d_name[length - 1] != '~';
}

static int
in_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void
include_folder(struct reader *reader, const char *path)
{
	struct dirent **found;
	int count = scandir(path, &found, counts, in_order);

	if (count == -1) {
		file_note(reader, "includedir", path, strerror(errno));
		return;
	}
	for (int i = 0; i < count; i++) {
		const char *name = text("%s/%s", path, found[i]->d_name);
		struct stat status;

		if (stat(name, &status) == -1)
			file_note(reader, "includedir", name, strerror(errno));
		else if (!S_ISREG(status.st_mode))
			file_note(reader, "includedir", name,
			    "is not a regular file; skipped, as by xinetd");
		else
			include_file(reader, name);
		free(found[i]);
	}
	free(found);
}

static void
read_entry(struct reader *reader, char *line)
{
	struct place at = reader->at;
	const char *word = next_word(&line), *name = next_word(&line);
	bool service = strcasecmp(word, "service") == 0,
	     defaults = strcasecmp(word, "defaults") == 0;

	if (strcasecmp(word, "include") == 0 && name != NULL) {
		include_file(reader, name);
		return;
	}
	if (strcasecmp(word, "includedir") == 0 && name != NULL) {
		include_folder(reader, name);
		return;
	}
	if (!defaults && (!service || name == NULL)) {
		file_note(reader, word,
		    "is not 'service NAME', 'defaults', 'include FILE' or 'includedir DIR'",
		    "ignored up to the next '}', as by xinetd");
		skip_entry(reader);
		return;
	}
	line = next_line(reader);
	if (line == NULL || strcmp(line, "{") != 0) {
		file_note(reader, service ? text("service %s", name) : word,
		    "'{' on a line of its own is missing",
		    "ignored up to the next '}', as by xinetd");
		skip_entry(reader);
	} else if (service) {
		read_service(reader, name, at);
	} else {
		read_defaults(reader, at);
	}
}

static void
read_stream(struct xinetd *all, FILE *file, const char *path, unsigned depth)
{
	struct reader reader = { .all = all, .file = file, .at = { path, 0 }, .depth = depth };
	char *line;

	while ((line = next_line(&reader)) != NULL)
		read_entry(&reader, line);
	free(reader.line);
}

bool
read_configuration(struct xinetd *all, const char *path)
{
	FILE *file = fopen(path, "re");
	bool readable = file != NULL && !is_folder(file);

	if (!readable)
		fprintf(stderr, "xinetd2superd: %s: %s\n", path, strerror(errno));
	all->last = &all->first;
	all->defaults.name = "defaults";
	if (readable)
		read_stream(all, file, path, 0);
	if (file != NULL)
		fclose(file);
	return readable;
}
