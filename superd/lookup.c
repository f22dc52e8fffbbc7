/* lookup.c - see lookup.h. */
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lookup.h"

static void *
find_user(const struct passwd *user, struct answer *answer)
{
	char *texts;
	int len;

	if (user == NULL || (texts = malloc(3 * NAMES_BYTES)) == NULL)
		return NULL;
	len = snprintf(texts, 3 * NAMES_BYTES, "%s%c%s%c%s", user->pw_name, '\0', user->pw_dir, '\0',
	    user->pw_shell);
	if (len < 0 || len >= 3 * NAMES_BYTES) {
		free(texts);
		return NULL;
	}
	answer->id = user->pw_uid;
	answer->gid = user->pw_gid;
	answer->bytes = (size_t)len + 1;
	answer->found = true;
	return texts;
}

static void *
find_groups(const struct question *question, struct answer *answer)
{
	gid_t *list = NULL, *larger;
	int room = 64, count = 0;

	for (; room <= NAMES_GROUPS_MAX && !answer->found; room *= 2) {
		if ((larger = reallocarray(list, (size_t)room, sizeof *list)) == NULL)
			break;
		list = larger;
		count = room;
		answer->found = getgrouplist(question->name, question->id, list, &count) >= 0;
	}
	answer->bytes = answer->found ? (size_t)count * sizeof *list : 0;
	return list;
}

static void
find_group(const struct group *group, struct answer *answer)
{
	answer->found = group != NULL;
	answer->id = group != NULL ? group->gr_gid : 0;
}

static void
find_port(const struct servent *known, struct answer *answer)
{
	answer->found = known != NULL;
	answer->id = known != NULL ? ntohs((uint16_t)known->s_port) : 0;
}

void *
lookup(const struct question *question, struct answer *answer)
{
	memset(answer, 0, sizeof *answer);	/* between its fields too: it goes through a socket */
	switch (question->kind) {
	case LOOKUP_USER:
		return find_user(getpwnam(question->name), answer);
	case LOOKUP_USER_BY_UID:
		return find_user(getpwuid(question->id), answer);
	case LOOKUP_GROUP:
		find_group(getgrnam(question->name), answer);
		break;
	case LOOKUP_GROUPS:
		return find_groups(question, answer);
	case LOOKUP_PORT_TCP:
		find_port(getservbyname(question->name, "tcp"), answer);
		break;
	case LOOKUP_PORT_UDP:
		find_port(getservbyname(question->name, "udp"), answer);
		break;
	}
	return NULL;
}
