/*
 * conf_users.c - who each service runs as.  Names are looked up here, at load
 * and reload, each once; nothing is looked up for a connection.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_draft.h"
#include "rights.h"

#define GROUPS_MAX	65536	/* NGROUPS_MAX of Linux */

/* Digits alone are a number, as in chown(1); anything else is a name. */
static bool
is_number(const char *text, unsigned *number)
{
	char *end;
	unsigned long value;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	*number = (unsigned)value;
	return *end == '\0' && errno == 0 && value < UINT32_MAX;
}

static bool
find_group(const char *name, gid_t *gid)
{
	const struct group *group = getgrnam(name);

	if (group == NULL)
		return is_number(name, gid);
	*gid = group->gr_gid;
	return true;
}

static bool
find_user(const char *name, uid_t *uid)
{
	const struct passwd *user = getpwnam(name);

	if (user == NULL)
		return is_number(name, uid);
	*uid = user->pw_uid;
	return true;
}

static const struct passwd *
passwd_of(const char *name)
{
	const struct passwd *user = getpwnam(name);
	unsigned uid;

	return user != NULL || !is_number(name, &uid) ? user : getpwuid(uid);
}

/* The user's supplementary groups, the primary one included. */
static bool
take_groups(struct arena *arena, struct identity *identity, const char *login)
{
	int count = 64;

	if (login == NULL) {
		count = 1;
		if ((identity->groups = arena_take(arena, sizeof(gid_t))) != NULL)
			identity->groups[0] = identity->gid;
	}
	while (login != NULL) {
		int room = count;

		identity->groups = arena_take(arena, (size_t)count * sizeof(gid_t));
		if (identity->groups == NULL ||
		    getgrouplist(login, identity->gid, identity->groups, &count) >= 0)
			break;
		count = count > room ? count : room * 2;
		if (room >= GROUPS_MAX)
			return false;
	}
	identity->ngroups = (size_t)count;
	return identity->groups != NULL;
}

static void
check_rights(struct draft *draft, const struct section *section, const struct identity *identity)
{
	const struct service *service = section->service;

	if (identity->change)
		return;
	if (identity->uid != geteuid()) {
		if (draft->base->test)
			draft_warning(draft, section, "user", "only root can run it as '%s'", service->user);
		else
			draft_mistake(draft, section, "user", "superd has no right to run a service as '%s' "
			    "(not root, or without CAP_SETUID and CAP_SETGID); start superd as root", service->user);
	} else if (service->group != NULL && identity->gid != getegid()) {
		if (draft->base->test)
			draft_warning(draft, section, "group", "only root can set the group '%s'", service->group);
		else
			draft_mistake(draft, section, "group", "superd has no right to set the group '%s' "
			    "(not root, or without CAP_SETGID)", service->group);
	}
}

static struct identity *
make_identity(struct draft *draft, struct section *section)
{
	struct arena *arena = &draft->conf->arena;
	const struct service *service = section->service;
	const struct passwd *user = passwd_of(service->user);
	struct identity *identity = arena_take(arena, sizeof *identity);
	const char *login = NULL;

	if (identity == NULL)
		return NULL;
	identity->name = service->user;
	if (user != NULL) {
		identity->uid = user->pw_uid;
		identity->gid = user->pw_gid;
		identity->login = login = arena_text(arena, user->pw_name);
		identity->variables[0] = arena_print(arena, "HOME=%s", user->pw_dir);
		identity->variables[1] = arena_print(arena, "USER=%s", login);
		identity->variables[2] = arena_print(arena, "LOGNAME=%s", login);
		identity->variables[3] = arena_print(arena, "SHELL=%s",
		    *user->pw_shell != '\0' ? user->pw_shell : "/bin/sh");
	} else if (!is_number(service->user, &identity->uid)) {
		draft_mistake(draft, section, "user", "there is no user '%s'", service->user);
		return NULL;
	} else if (identity->uid == geteuid()) {
		identity->gid = getegid();
	} else if (service->group == NULL) {
		draft_mistake(draft, section, "user",
		    "%s is not in passwd(5): add a 'group' for it", service->user);
		return NULL;
	}
	if (service->group != NULL && !find_group(service->group, &identity->gid)) {
		draft_mistake(draft, section, "group", "there is no group '%s'", service->group);
		return NULL;
	}
	identity->change = rights_have(RIGHT_IDENTITY);
	if (identity->change && !take_groups(arena, identity, login) && !arena->failed)
		draft_mistake(draft, section, "user", "'%s' is in too many groups", service->user);
	return identity;
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* The identity that an earlier service has, so that each name is looked up once. */
static const struct identity *
known_identity(const struct draft *draft, const struct section *self)
{
	const struct section *section;

	for (section = draft->first; section != self; section = section->next)
		if (section->service != NULL && section->service->identity != NULL &&
		    same_text(section->service->user, self->service->user) &&
		    same_text(section->service->group, self->service->group))
			return section->service->identity;
	return NULL;
}

static const char *
default_user(struct arena *arena)
{
	const struct passwd *self;

	if (geteuid() == 0)
		return "nobody";
	self = getpwuid(geteuid());
	return self != NULL ? arena_text(arena, self->pw_name) : arena_print(arena, "%u", geteuid());
}

static void
check_socket_owner(struct draft *draft, struct section *section)
{
	struct service *service = section->service;

	service->socket_uid = (uid_t)-1;
	service->socket_gid = (gid_t)-1;
	if (service->socket_user != NULL && !find_user(service->socket_user, &service->socket_uid))
		draft_mistake(draft, section, "socket_user", "there is no user '%s'", service->socket_user);
	else if (service->socket_user != NULL && !rights_have(RIGHT_OWNER) &&
	    service->socket_uid != geteuid() && !draft->base->test)
		draft_mistake(draft, section, "socket_user",
		    "superd has no right to give the socket to '%s' (CAP_CHOWN)", service->socket_user);
	if (service->socket_group != NULL && !find_group(service->socket_group, &service->socket_gid))
		draft_mistake(draft, section, "socket_group", "there is no group '%s'", service->socket_group);
}

void
conf_check_users(struct draft *draft, struct section *section)
{
	struct service *service = section->service;

	if (service->user == NULL)
		service->user = default_user(&draft->conf->arena);
	if (service->user == NULL)
		return;
	service->identity = known_identity(draft, section);
	if (service->identity == NULL)
		service->identity = make_identity(draft, section);
	if (service->identity == NULL)
		return;
	check_rights(draft, section, service->identity);
	if ((service->given & conf_key_bit(conf_key_find(service_keys, "no_new_privs"))) == 0)
		service->no_new_privs = service->identity->uid != 0;
	check_socket_owner(draft, section);
}
