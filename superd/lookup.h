/*
 * lookup.h - what the C library knows of users, groups and services.  It may
 * hang, and what it loads for that stays in memory: only children ask it.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include <stdbool.h>
#include <stddef.h>

#include "bounds.h"

enum lookup { LOOKUP_USER, LOOKUP_USER_BY_UID, LOOKUP_GROUP, LOOKUP_GROUPS, LOOKUP_PORT_TCP,
	LOOKUP_PORT_UDP };

struct question {
	enum lookup	kind;
	unsigned	id;		/* of a user; for LOOKUP_GROUPS of a group */
	char		name[NAMES_BYTES];
};

struct answer {
	size_t		bytes;		/* that follow: three texts of a user, or ids of groups */
	unsigned	id, gid;	/* what was asked for; of a user also his group */
	bool		found;
};

/* What follows the answer; owned by the caller, NULL where nothing does. */
void	*lookup(const struct question *, struct answer *);

#endif
