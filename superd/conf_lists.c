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

/*
 * A plain file, or NULL, which was told: nothing that makes one wait, such as a
 * FIFO.  prefix stands before its name in the configuration.
 */
static FILE *
open_plain(struct draft *draft, const struct section *section, const char *key, const char *prefix,
    const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *wrong = NULL;
	struct stat status;
	FILE *file = NULL;

	if (fd == -1 && errno == EACCES && draft->base->test && geteuid() != 0) {
		/* Root, for whom this is checked, may read it. */
		draft_warning(draft, section, key, "%s%s: %s", prefix, path, strerror(errno));
		return NULL;
	}
	if (fd == -1 || fstat(fd, &status) == -1)
		wrong = strerror(errno);
	else if (!S_ISREG(status.st_mode))
		wrong = "is not a plain file";
	else if ((file = fdopen(fd, "r")) == NULL)
		wrong = strerror(errno);
	if (wrong != NULL)
		draft_mistake(draft, section, key, "%s%s: %s", prefix, path, wrong);
	if (file == NULL && fd != -1)
		close(fd);
	return file;
}

/* One entry a line.  Each that is wrong is told with its own line: one bad entry must not be a hole. */
static void
add_file(struct draft *draft, struct section *section, const char *key, const char *path,
    struct acl_builder *builder)
{
	FILE *file = open_plain(draft, section, key, "@", path);
	const char *wrong;
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	unsigned number = 0, doubted = 0;

	if (file == NULL)
		return;
	while ((len = getline(&line, &room, file)) != -1) {
		number++;
		builder->doubt = NULL;
		wrong = acl_add_line(builder, &draft->arena, line, (size_t)len, *key == 'a');
		if (wrong != NULL)
			draft_mistake(draft, section, key, "%s:%u: %s", path, number, wrong);
		else if (builder->doubt != NULL && doubted++ == 0)	/* one makes one look */
			draft_warning(draft, section, key, "%s:%u: %s", path, number,
			    builder->doubt);
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
		if (**items == '@') {
			draft_mistake(draft, section, key,
			    "'%s': an '@' is followed by the absolute path of a file", *items);
			continue;
		}
		wrong = acl_add(builder, &draft->arena, *items, *key == 'a');
		if (wrong != NULL)
			draft_mistake(draft, section, key, "%s", wrong);
		else if (builder->doubt != NULL)
			draft_warning(draft, section, key, "%s", builder->doubt);
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
	char *bytes;
	FILE *file;

	if (path == NULL || (file = open_plain(draft, section, key, "", path)) == NULL)
		return NULL;
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

/* With a list that is not meant for it the trap catches nobody from outside, and says nothing. */
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
		draft_warning(draft, section, "sensor", "catches only whom the 'allow' of "
		    "[defaults] admits: all others are denied before; give it 'allow = all', or a list of its own");
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
