/*
 * conf_lists.c - what admission needs of a service, made from its keys: the
 * table of allow and deny, with the files that "@/file" names, and banners.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bounds.h"
#include "conf_draft.h"

/* A plain file, or NULL and why not: nothing that makes one wait, such as a FIFO. */
static FILE *
open_plain(const char *path, const char **wrong)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	FILE *file = NULL;

	*wrong = NULL;
	if (fd == -1 || fstat(fd, &status) == -1)
		*wrong = strerror(errno);
	else if (!S_ISREG(status.st_mode))
		*wrong = "is not a plain file";
	else if ((file = fdopen(fd, "r")) == NULL)
		*wrong = strerror(errno);
	if (file == NULL && fd != -1)
		close(fd);
	return file;
}

/* One entry a line.  Each that is wrong is told with its own line: one bad entry must not be a hole. */
static void
add_file(struct draft *draft, struct section *section, const char *key, const char *path,
    struct acl_builder *builder)
{
	const char *wrong;
	FILE *file = open_plain(path, &wrong);
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	unsigned number = 0;

	if (file == NULL) {
		draft_mistake(draft, section, key, "@%s: %s", path, wrong);
		return;
	}
	while ((len = getline(&line, &room, file)) != -1) {
		number++;
		wrong = acl_add_line(builder, &draft->arena, line, (size_t)len, *key == 'a');
		if (wrong != NULL)
			draft_mistake(draft, section, key, "%s:%u: %s", path, number, wrong);
	}
	if (ferror(file))
		draft_mistake(draft, section, key, "@%s: %s", path, strerror(errno));
	free(line);
	fclose(file);
}

static void
add_list(struct draft *draft, struct section *section, const char *key, char **items,
    struct acl_builder *builder)
{
	const char *wrong;

	for (; items != NULL && *items != NULL; items++) {
		if (**items == '@' && (*items)[1] == '/') {
			add_file(draft, section, key, *items + 1, builder);
			continue;
		}
		wrong = **items == '@' ? "an '@' is followed by the absolute path of a file" :
		    acl_add(builder, &draft->arena, *items, *key == 'a');
		if (wrong != NULL)
			draft_mistake(draft, section, key, "%s", wrong);
	}
}

/* Services with the same lists share one table, be they of [defaults] or of one before. */
static const struct acl *
known_acl(const struct draft *draft, const struct section *self)
{
	const struct service *service = self->service;

	for (const struct section *section = draft->first; section != self; section = section->next)
		if (section->service != NULL && section->service->acl != NULL &&
		    section->service->allow == service->allow && section->service->deny == service->deny)
			return section->service->acl;
	return NULL;
}

static void
make_acl(struct draft *draft, struct section *section)
{
	struct acl_builder builder = { .entries = NULL };
	struct service *service = section->service;

	if (service->allow == NULL && service->deny == NULL)
		return;
	if ((service->acl = known_acl(draft, section)) != NULL)
		return;
	builder.allow_given = service->allow != NULL;
	add_list(draft, section, "allow", service->allow, &builder);
	add_list(draft, section, "deny", service->deny, &builder);
	service->acl = acl_build(&builder, &draft->conf->arena);
}

static const struct banner *
load_banner(struct draft *draft, struct section *section, const char *key, const char *path)
{
	struct banner *banner;
	const char *wrong;
	char *bytes;
	FILE *file;

	if (path == NULL)
		return NULL;
	if ((file = open_plain(path, &wrong)) == NULL) {
		draft_mistake(draft, section, key, "%s: %s", path, wrong);
		return NULL;
	}
	banner = arena_take(&draft->conf->arena, sizeof *banner);
	bytes = arena_take(&draft->conf->arena, BANNER_BYTES);
	if (banner != NULL && bytes != NULL) {
		*banner = (struct banner){ bytes, fread(bytes, 1, BANNER_BYTES, file) };
		if (ferror(file))
			draft_mistake(draft, section, key, "%s: %s", path, strerror(errno));
		else if (getc(file) != EOF)
			draft_mistake(draft, section, key, "%s: is longer than %d bytes", path, BANNER_BYTES);
	}
	fclose(file);
	return banner;
}

/* A list that is not meant for the trap makes one that catches nobody from outside, and says nothing. */
static void
check_sensor(struct draft *draft, struct section *section)
{
	const struct service *service = section->service;
	char *const *item = service->allow;

	if (service->sensor_ms == 0 || item == NULL ||
	    strcmp(draft_origin(draft, section, "allow").section, "defaults") != 0)
		return;
	while (*item != NULL && strcmp(*item, "all") != 0)
		item++;
	if (*item == NULL)
		draft_warning(draft, section, "sensor", "catches only whom the 'allow' of [defaults] admits: "
		    "all others are denied before; give it 'allow = all', or a list of its own");
}

void
conf_check_lists(struct draft *draft, struct section *section)
{
	struct service *service = section->service;

	make_acl(draft, section);
	check_sensor(draft, section);
	service->banner_bytes = load_banner(draft, section, "banner", service->banner);
	service->banner_refused_bytes = load_banner(draft, section, "banner_refused",
	    service->banner_refused);
}
