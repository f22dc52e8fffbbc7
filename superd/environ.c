/* environ.c - see environ.h. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Whole or not at all: a variable that is cut would be a lie.  ENVIRON_BYTES has room for all. */
static void __attribute__((format(printf, 2, 3)))
add(struct writer *writer, const char *format, ...)
{
	size_t room = ENVIRON_BYTES - writer->used;
	char *at = writer->environ->text + writer->used;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(at, room, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= room)
		return;
	writer->environ->list[writer->count++] = at;
	writer->used += (size_t)len + 1;
}

static void
add_unix(struct writer *writer, const struct peer *remote)
{
	add(writer, "PROTO=UNIX");
	add(writer, "UNIXREMOTEPID=%d", (int)remote->pid);
	add(writer, "UNIXREMOTEUID=%u", remote->uid);
	add(writer, "UNIXREMOTEGID=%u", remote->gid);
}

static void
add_inet(struct writer *writer, const struct peer *remote, const struct peer *local)
{
	const char *protocol = local->datagram ? "UDP" : "TCP";
	char ip[ADDRESS_TEXT];

	add(writer, "PROTO=%s", protocol);
	address_ip_text(&local->ip, local->scope, ip);
	add(writer, "%sLOCALIP=%s", protocol, ip);
	add(writer, "%sLOCALPORT=%u", protocol, local->port);
	address_ip_text(&remote->ip, remote->scope, ip);
	add(writer, "%sREMOTEIP=%s", protocol, ip);
	add(writer, "%sREMOTEPORT=%u", protocol, remote->port);
	add(writer, "REMOTE_ADDR=%s", ip);
	add(writer, "REMOTE_HOST=%s", ip);
	add(writer, "REMOTE_PORT=%u", remote->port);
}

#define LISTEN_PID	"LISTEN_PID="
#define PID_DIGITS	"0000000000"

/* sd_listen_fds(3): one socket, on descriptor 3.  The number of the process is known to itself first. */
static void
add_passed(struct writer *writer, const struct peer *local)
{
	add(writer, local->local ? "PROTO=UNIX" : local->datagram ? "PROTO=UDP" : "PROTO=TCP");
	add(writer, "LISTEN_FDS=1");
	add(writer, LISTEN_PID PID_DIGITS);
	writer->environ->pid_digits = writer->environ->list[writer->count - 1] + strlen(LISTEN_PID);
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
	add(&writer, "SUPERD_SERVICE=%s", service->name);
	add(&writer, "SUPERD_SESSION=%" PRIu64, session);
	environ->list[writer.count] = NULL;
	return environ->list;
}
