/*
 * scenario_start.c - from execve of a server until it has served a client:
 * with 10,000 services, over the time that binding as many ports takes by
 * itself; and with the limit of open files as high as the system allows, over
 * the same server with a low one.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "candidates.h"
#include "report.h"

#define SERVICES	10000
#define SPARE		2048UL
#define FILES_MOST	1048576UL	/* what fs.nr_open is unless somebody raised it */
#define FILES_LOW	1024UL
#define ROUNDS_START	5

static unsigned
rounds(void)
{
	return bench.rounds < ROUNDS_START ? bench.rounds : ROUNDS_START;
}

/* What no server can save: the sockets themselves. */
static double
bare_bind(const struct plan *plan)
{
	int *fds = calloc(plan->count, sizeof *fds), one = 1;
	double since = now(), took;

	for (unsigned i = 0; i < plan->count; i++) {
		struct sockaddr_in at = { .sin_family = AF_INET,
			.sin_port = htons((in_port_t)plan->services[i].port),
			.sin_addr.s_addr = htonl(0x7f000001u | SERVER_NET << 8) };

		if ((fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
		    setsockopt(fds[i], SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == -1 ||
		    bind(fds[i], (const struct sockaddr *)&at, sizeof at) == -1 ||
		    listen(fds[i], 1024) == -1)
			fail("the bare loop of bind and listen");
	}
	took = now() - since;
	for (unsigned i = 0; i < plan->count; i++)
		close(fds[i]);
	free(fds);
	return took;
}

/* Seconds until it served, or -1. */
static double
start(const struct candidate *candidate, const struct plan *plan)
{
	struct server server;

	if (server_start(&server, candidate, plan) == -1)
		return -1;
	server_stop(&server);
	return server.ready;
}

static void
many_services(const struct candidate *candidate, const struct plan *plan)
{
	double took[ROUNDS_START], bare[ROUNDS_START];
	struct row row = { "start", candidate->name, text("%u services", plan->count), "time",
		"bare bind and listen", .unit = "s" };

	for (unsigned i = 0; i < rounds(); i++) {
		if ((took[i] = start(candidate, plan)) < 0)
			return;
		bare[i] = bare_bind(plan);
	}
	row.spread = spread_of(took, bare, rounds());
	report(&row);
}

static void
many_files(const struct candidate *candidate, unsigned long files)
{
	struct plan high = plan_make(staged("bench", "greet"), 1), low = high;
	double took[ROUNDS_START], usual[ROUNDS_START];
	struct row row = { "start", candidate->name, text("nofile %lu", files), "time",
		text("nofile %lu", FILES_LOW), .unit = "s" };

	high.nofile = files;
	low.nofile = FILES_LOW;
	for (unsigned i = 0; i < rounds(); i++)
		if ((took[i] = start(candidate, &high)) < 0 ||
		    (usual[i] = start(candidate, &low)) < 0)
			return;
	row.spread = spread_of(took, usual, rounds());
	report(&row);
}

void
scenario_start(void)
{
	unsigned long files = nofile_raise(FILES_MOST);
	struct plan plan = plan_make(staged("bench", "greet"),
	    SERVICES + SPARE > files ? (unsigned)files / 2 : SERVICES);

	if (plan.count < SERVICES)
		say("  The limit of open files, %lu, makes %u services of %d.\n", files, plan.count,
		    SERVICES);
	many_services(&candidate_full, &plan);
	for (const struct candidate *peer = peers; !bench.quick && peer->name != NULL; peer++)
		if (peer->path != NULL && peer->service != NULL)
			many_services(peer, &plan);
	many_files(&candidate_floor, files);
	many_files(&candidate_full, files);
	for (const struct candidate *peer = peers; !bench.quick && peer->name != NULL; peer++)
		if (peer->path != NULL)
			many_files(peer, files);
}
