/* harness_name.h - the name of a socket, from an address of either family as text. */
#ifndef HARNESS_NAME_H
#define HARNESS_NAME_H

#include "harness.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

union name {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* Its length. */
static inline socklen_t
make_name(union name *name, const char *ip, int port)
{
	memset(name, 0, sizeof *name);
	if (inet_pton(AF_INET, ip, &name->in.sin_addr) == 1) {
		name->in.sin_family = AF_INET;
		name->in.sin_port = htons((uint16_t)port);
		return (socklen_t)sizeof name->in;
	}
	if (inet_pton(AF_INET6, ip, &name->in6.sin6_addr) != 1)
		flunk("not an address: %s", ip);
	name->in6.sin6_family = AF_INET6;
	name->in6.sin6_port = htons((uint16_t)port);
	return (socklen_t)sizeof name->in6;
}

#endif
