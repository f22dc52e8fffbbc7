/*
 * conf_users.c - who each service runs as.  Names are looked up here, at load
 * and reload, each once; nothing is looked up for a connection.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_draft.h"
#include "names.h"
#include "rights.h"

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
	return names_group(name, gid) || is_number(name, gid);
}

static bool
find_user(const char *name, uid_t *uid)
{
	struct name_user user;

	if (!names_user(name, &user))
		return is_number(name, uid);
	*uid = user.uid;
	return true;
}

static bool
find_entry(const char *name, struct name_user *user)
{
	unsigned uid;

	return names_user(name, user) || (is_number(name, &uid) && names_user_by_uid(uid, user));
}

/* The user's supplementary groups, the primary one included. */
static bool
take_groups(struct arena *arena, struct identity *identity, const char *login)
{
	const gid_t *groups = &identity->gid;

	identity->ngroups = 1;
	if (login != NULL && (groups = names_groups(login, identity->gid, &identity->ngroups)) == NULL)
		return false;
	identity->groups = arena_take(arena, identity->ngroups * sizeof *groups);
	if (identity->groups != NULL)
		memcpy(identity->groups, groups, identity->ngroups * sizeof *groups);
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
	struct identity *identity = arena_take(arena, sizeof *identity);
	struct name_user user;
	const char *login = NULL;

	if (identity == NULL)
		return NULL;
	identity->name = service->user;
	if (find_entry(service->user, &user)) {
		identity->uid = user.uid;
		identity->gid = user.gid;
		identity->login = login = arena_text(arena, user.login);
		identity->variables[0] = arena_print(arena, "HOME=%s", user.home);
		identity->variables[1] = arena_print(arena, "USER=%s", login);
		identity->variables[2] = arena_print(arena, "LOGNAME=%s", login);
		identity->variables[3] = arena_print(arena, "SHELL=%s",
		    *user.shell != '\0' ? user.shell : "/bin/sh");
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
	identity->changes_group = identity->gid != getegid();
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
	struct name_user self;

	if (geteuid() == 0)
		return "nobody";
	return names_user_by_uid(geteuid(), &self) ? arena_text(arena, self.login) :
	    arena_print(arena, "%u", geteuid());
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
