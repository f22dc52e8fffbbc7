/*
 * ports.c - ports that nobody has: tried by binding them, below those that the
 * kernel gives to clients where there are enough of them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "server.h"

#define PORT_FIRST	10000
#define PORT_LAST	65000

static bool
is_free(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((in_port_t)port),
		.sin_addr.s_addr = htonl(0x7f000001u | SERVER_NET << 8) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	bool yes;

	if (fd == -1)
		fail("socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	yes = bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 1) == 0;
	close(fd);
	return yes;
}

/* Each call goes on behind the last one, so that servers alive together do not meet. */
void
ports_take(int *ports, unsigned count)
{
	static int next;
	unsigned taken = 0, tried = 0;

	if (next == 0)
		next = PORT_FIRST + (int)getpid() % 5000;
	while (taken < count) {
		if (tried++ > 2 * (PORT_LAST - PORT_FIRST)) {
			errno = EADDRNOTAVAIL;
			fail("free ports");
		}
		if (next >= PORT_LAST)
			next = PORT_FIRST;
		if (is_free(next))
			ports[taken++] = next;
		next++;
	}
}

struct plan
plan_make(const char *program, unsigned count)
{
	struct service *services = calloc(count, sizeof *services);
	int *ports = calloc(count, sizeof *ports);

	if (services == NULL || ports == NULL)
		fail("memory");
	ports_take(ports, count);
	for (unsigned i = 0; i < count; i++)
		services[i] = (struct service){ .port = ports[i], .program = program };
	free(ports);
	return (struct plan){ .services = services, .count = count };
}
