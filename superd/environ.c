/* environ.c - see environ.h. */
#include <stdlib.h>
#include <string.h>

#include "decimal.h"
#include "environ.h"

struct writer {
	struct environ	*environ;
	unsigned	 count;
	size_t		 used;
};

int
environ_reserve(struct environ *environ, unsigned variables)
{
	char **list;

	if (environ->list != NULL && variables <= environ->room)
		return 0;
	list = reallocarray(environ->list, variables + ENVIRON_VARS + 1, sizeof *list);
	if (list == NULL)
		return -1;
	environ->list = list;
	environ->room = variables;
	return 0;
}

void
environ_free(struct environ *environ)
{
	free(environ->list);
	*environ = (struct environ){ .list = NULL };
}

/*
 * PREFIX NAME=VALUE, whole or not at all: a variable that is cut would be a
 * lie.  ENVIRON_BYTES has room for all.
 */
static void
add(struct writer *writer, const char *prefix, const char *name, const char *value)
{
	char *start = writer->environ->text + writer->used, *at;

	if (strlen(prefix) + strlen(name) + strlen(value) + 2 > ENVIRON_BYTES - writer->used)
		return;
	at = stpcpy(stpcpy(start, prefix), name);
	*at++ = '=';
	at = stpcpy(at, value);
	writer->environ->list[writer->count++] = start;
	writer->used += (size_t)(at + 1 - start);
}

static void
add_number(struct writer *writer, const char *prefix, const char *name, uint64_t number)
{
	char text[DECIMAL_TEXT];

	decimal_put(text, number);
	add(writer, prefix, name, text);
}

static void
add_unix(struct writer *writer, const struct peer *remote)
{
	add(writer, "", "PROTO", "UNIX");
	add_number(writer, "UNIX", "REMOTEPID", (uint64_t)remote->pid);
	add_number(writer, "UNIX", "REMOTEUID", remote->uid);
	add_number(writer, "UNIX", "REMOTEGID", remote->gid);
}

static void
add_inet(struct writer *writer, const struct peer *remote, const struct peer *local)
{
	const char *protocol = local->datagram ? "UDP" : "TCP";
	char ip[ADDRESS_TEXT];

	add(writer, "", "PROTO", protocol);
	address_ip_text(&local->ip, local->scope, ip);
	add(writer, protocol, "LOCALIP", ip);
	add_number(writer, protocol, "LOCALPORT", local->port);
	address_ip_text(&remote->ip, remote->scope, ip);
	add(writer, protocol, "REMOTEIP", ip);
	add_number(writer, protocol, "REMOTEPORT", remote->port);
	add(writer, "REMOTE_", "ADDR", ip);
	add(writer, "REMOTE_", "HOST", ip);
	add_number(writer, "REMOTE_", "PORT", remote->port);
}

#define LISTEN_PID	"LISTEN_PID"
#define PID_DIGITS	"0000000000"

/* sd_listen_fds(3): one socket, on descriptor 3.  The number of the process is known to itself first. */
static void
add_passed(struct writer *writer, const struct peer *local)
{
	add(writer, "", "PROTO", local->local ? "UNIX" : local->datagram ? "UDP" : "TCP");
	add(writer, "", "LISTEN_FDS", "1");
	add(writer, "", LISTEN_PID, PID_DIGITS);
	writer->environ->pid_digits = writer->environ->list[writer->count - 1] + sizeof LISTEN_PID;
}

char **
environ_make(struct environ *environ, const struct service *service, uint64_t session,
    const struct peer *remote, const struct peer *local)
{
	struct writer writer = { .environ = environ, .count = service->environ_count };

	environ->pid_digits = NULL;
	memcpy(environ->list, service->environ, service->environ_count * sizeof *environ->list);
	if (remote->none)
		add_passed(&writer, local);
	else if (remote->local)
		add_unix(&writer, remote);
	else
		add_inet(&writer, remote, local);
	add(&writer, "SUPERD_", "SERVICE", service->name);
	add_number(&writer, "SUPERD_", "SESSION", session);
	environ->list[writer.count] = NULL;
	return environ->list;
}
