/*
 * conf_program.c - finds the program of a service, and looks at it and at its
 * folders with the eyes of the service's user, so that a mistake shows at
 * load and not at the first connection.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conf_draft.h"
#include "rights.h"

/* openat2(2) and faccessat2(2) by number: not every libc has a name for them. */
struct resolve {
	uint64_t	flags, mode, resolve;
};
#define RESOLVE_INSIDE_ROOT	0x10	/* RESOLVE_IN_ROOT of linux/openat2.h */

/* superd's own groups, to have them back. */
static bool
know_groups(struct draft *draft)
{
	if (draft->groups != NULL)
		return true;
	draft->ngroups = getgroups(0, NULL);
	draft->groups = draft->ngroups == -1 ? NULL :
	    arena_take(&draft->arena, ((size_t)draft->ngroups + 1) * sizeof(gid_t));
	if (draft->groups != NULL && getgroups(draft->ngroups, draft->groups) != draft->ngroups)
		draft->groups = NULL;
	return draft->groups != NULL;
}

/* setfsuid(2) sets this to what fs.suid_dumpable says; children may share superd's memory. */
static void
stay_closed(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/*
 * From here to eyes_back, files are seen as the service's user sees them.
 * Only the filesystem's idea of who superd is changes, setfsuid(2): the user
 * cannot signal superd meanwhile.  NULL, or why that cannot be.
 */
static const char *
eyes_of(struct draft *draft, const struct identity *identity)
{
	if (!identity->change)
		return NULL;
	if (!know_groups(draft) || setgroups(identity->ngroups, identity->groups) == -1)
		return arena_print(&draft->conf->arena, "superd cannot take the user's groups: %s",
		    strerror(errno));
	setfsgid(identity->gid);
	setfsuid(identity->uid);
	stay_closed();
	return NULL;
}

/* NULL, or why superd is not itself again. */
static const char *
eyes_back(struct draft *draft, const struct identity *identity)
{
	if (!identity->change)
		return NULL;
	setfsuid(geteuid());
	setfsgid(getegid());
	stay_closed();
	if (setgroups((size_t)draft->ngroups, draft->groups) == 0)
		return NULL;
	draft->wrong->fatal = true;
	return arena_print(&draft->conf->arena, "superd cannot have its own groups back: %s",
	    strerror(errno));
}

/* The path as a process inside root sees it; root is -1 where there is no chroot. */
static int
open_inside(int root, const char *path)
{
	struct resolve how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_INSIDE_ROOT };

	if (root == -1)
		return open(path, O_PATH | O_CLOEXEC);
	return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

static bool
may_enter(int fd)
{
	return syscall(SYS_faccessat2, fd, "", X_OK, AT_EACCESS | AT_EMPTY_PATH) == 0;
}

/* The first folder on the way to path that cannot be entered, cut off in path; NULL: it is not a folder. */
static const char *
closed_folder(int root, char *path)
{
	char *slash = path;
	int fd;
	bool open;

	while ((slash = strchr(slash + 1, '/')) != NULL) {
		*slash = '\0';
		fd = open_inside(root, path);
		open = fd != -1 && may_enter(fd);
		if (fd != -1)
			close(fd);
		if (!open)
			return path;
		*slash = '/';
	}
	return NULL;
}

/* NULL, or why the user cannot execute the file (enter the folder) behind fd; closes fd. */
static const char *
look_at(struct arena *arena, int fd, const char *path, const char *user, bool folder)
{
	const char *wrong = NULL;
	struct stat status;

	if (fstat(fd, &status) == -1)
		wrong = strerror(errno);
	else if (folder && !S_ISDIR(status.st_mode))
		wrong = "is not a folder";
	else if (!folder && !S_ISREG(status.st_mode))
		wrong = "is not a program but a folder or device";
	else if (!may_enter(fd))
		wrong = arena_print(arena, folder ? "the folder is closed to user '%s'" :
		    "user '%s' may not execute it", user);
	close(fd);
	return wrong == NULL ? NULL : arena_print(arena, "%s: %s", path, wrong);
}

/* The same from a path, every folder on the way included. */
static const char *
look_along(struct arena *arena, int root, const char *path, const char *user, bool folder)
{
	int fd = open_inside(root, path), error = errno;
	const char *closed = NULL;

	if (fd != -1)
		return look_at(arena, fd, path, user, folder);
	if (error == EACCES)
		closed = closed_folder(root, arena_text(arena, path));
	if (closed != NULL)
		return arena_print(arena, "%s: the folder %s is closed to user '%s'", path, closed, user);
	return arena_print(arena, "%s: %s", path, strerror(error));
}

enum way { WAY_OUTSIDE, WAY_INSIDE, WAY_DESCRIPTOR };	/* of the chroot; opened by superd itself */

/* With the user's eyes; what superd opens beforehand (the root, a descriptor) it opens with its own. */
static const char *
look_as_user(struct draft *draft, const struct service *service, enum way way, const char *path,
    bool folder)
{
	struct arena *arena = &draft->conf->arena;
	const struct identity *identity = service->identity;
	const char *wrong, *lost;
	int fd = -1;

	if (way == WAY_INSIDE && service->chroot == NULL)
		way = WAY_OUTSIDE;
	if (way != WAY_OUTSIDE)
		fd = open(way == WAY_INSIDE ? service->chroot : path, O_PATH | O_CLOEXEC);
	if (way != WAY_OUTSIDE && fd == -1)
		return arena_print(arena, "%s: %s", way == WAY_INSIDE ? service->chroot : path,
		    strerror(errno));
	if ((wrong = eyes_of(draft, identity)) == NULL) {
		if (way == WAY_DESCRIPTOR)
			wrong = look_at(arena, fd, path, identity->name, folder), fd = -1;
		else
			wrong = look_along(arena, fd, path, identity->name, folder);
		if (wrong != NULL && way == WAY_INSIDE)
			wrong = arena_print(arena, "%s, inside of the chroot %s", wrong, service->chroot);
		if ((lost = eyes_back(draft, identity)) != NULL)
			wrong = lost;
	}
	if (fd != -1)
		close(fd);
	return wrong;
}

/* Whether superd, asked by -t without being root, cannot see what the user will see. */
static bool
cannot_know(const struct draft *draft, const struct service *service)
{
	return draft->base->test && !service->identity->change && service->identity->uid != geteuid();
}

/* DIR/name for the first DIR of the service directory and PATH that has it. */
static const char *
search(struct draft *draft, const char *name)
{
	struct arena *arena = &draft->conf->arena;
	const char *path = "/usr/local/bin:/usr/bin:/bin", *found;

	found = arena_print(arena, "%s/%s", draft->conf->settings.service_dir, name);
	if (found == NULL || access(found, F_OK) == 0)
		return found;
	for (char **variable = draft->base->environ; *variable != NULL; variable++)
		if (strncmp(*variable, "PATH=", 5) == 0)
			path = *variable + 5;
	for (size_t len; *path != '\0'; path += len + (path[len] == ':')) {
		len = strcspn(path, ":");
		if (*path != '/')	/* the present folder is no place for a daemon to look */
			continue;
		found = arena_print(arena, "%.*s/%s", (int)len, path, name);
		if (found == NULL || access(found, F_OK) == 0)
			return found;
	}
	return NULL;
}

/* A bare name with a chroot is opened here and executed by descriptor: the root may be empty. */
static void
open_program(struct draft *draft, struct section *section, const char *path)
{
	struct service *service = section->service;
	char start[2] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd != -1) {
		if (read(fd, start, sizeof start) == 2 && memcmp(start, "#!", 2) == 0)
			draft_mistake(draft, section, "exec", "%s is a script, whose interpreter is "
			    "outside of the chroot; put both inside and give the absolute path", path);
		close(fd);
	}
	service->program_fd = open(path, O_PATH | O_CLOEXEC);
	if (service->program_fd == -1)
		draft_mistake(draft, section, "exec", "%s: %s", path, strerror(errno));
}

/* Many services may share one program, user and root: it is looked at once in a row. */
static bool
same_program(const struct service *a, const struct service *b)
{
	return a->identity == b->identity && a->chroot == NULL && b->chroot == NULL &&
	    strcmp(a->exec[0], b->exec[0]) == 0;
}

static bool
is_folder(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

void
conf_check_program(struct draft *draft, struct section *section)
{
	struct service *service = section->service;
	const char *name = service->exec[0], *path = name, *wrong;
	bool bare = strchr(name, '/') == NULL;

	if (draft->same != NULL && same_program(draft->same->service, service)) {
		service->program = draft->same->service->program;
		return;
	}
	if (*name == '\0') {
		draft_mistake(draft, section, "exec", "names no program");
		return;
	}
	if (!bare && *name != '/') {
		draft_mistake(draft, section, "exec", "'%s' is neither an absolute path nor a bare name",
		    name);
		return;
	}
	if (bare && (path = search(draft, name)) == NULL) {
		if (!draft->conf->arena.failed)
			draft_mistake(draft, section, "exec", "there is no program '%s' in %s nor in PATH",
			    name, draft->conf->settings.service_dir);
		return;
	}
	if (service->chroot != NULL && rights_have(RIGHT_CHROOT) && !is_folder(service->chroot))
		return;		/* which conf_check_folders tells */
	if (service->identity == NULL) {	/* there are no eyes to look with */
		if (service->chroot == NULL && access(path, F_OK) == -1)
			draft_mistake(draft, section, "exec", "%s: %s", path, strerror(errno));
		return;
	}
	wrong = look_as_user(draft, service, !bare ? WAY_INSIDE :
	    service->chroot != NULL ? WAY_DESCRIPTOR : WAY_OUTSIDE, path, false);
	if (wrong != NULL && cannot_know(draft, service)) {
		draft_warning(draft, section, "exec", "%s", wrong);
	} else if (wrong != NULL) {
		draft_mistake(draft, section, "exec", "%s", wrong);
		return;
	}
	service->program = path;
	draft->same = section;
	if (bare && service->chroot != NULL)
		open_program(draft, section, path);
}

void
conf_check_folders(struct draft *draft, struct section *section)
{
	struct service *service = section->service;
	const char *wrong;

	if (service->chroot != NULL && !rights_have(RIGHT_CHROOT)) {
		if (draft->base->test)
			draft_warning(draft, section, "chroot", "only root can do that");
		else
			draft_mistake(draft, section, "chroot", "superd has no right to do that (not root, or without CAP_SYS_CHROOT)");
		return;
	}
	if (service->chroot != NULL && !is_folder(service->chroot)) {
		draft_mistake(draft, section, "chroot", "%s is no folder", service->chroot);
		return;
	}
	if (service->identity == NULL || (strcmp(service->chdir, "/") == 0 && service->chroot == NULL))
		return;
	wrong = look_as_user(draft, service, WAY_INSIDE, service->chdir, true);
	if (wrong != NULL && cannot_know(draft, service))
		draft_warning(draft, section, "chdir", "%s", wrong);
	else if (wrong != NULL)
		draft_mistake(draft, section, "chdir", "%s", wrong);
}
