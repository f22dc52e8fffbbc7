/*
 * scenario_udp.c - round trips of datagrams through a process for each peer,
 * over a bare relay that does the same; socat, a process for each peer and a
 * process for each datagram, beside it.
 */
#include <stdlib.h>

#include "bench.h"
#include "candidates.h"
#include "report.h"
#include "udp.h"

#define PROGRAM	"/bin/cat"
#define FILES	4096UL	/* superd wants to be sure of its max_sessions */

static struct candidate bare = {
	.name = "bare relay", .binary = "bench/udp_floor", .command = "%A %P %S"
};
static struct candidate superd = {
	.name = "superd", .command = "-c %C",
	.head = "[superd]\ngrace = 1s\n[defaults]\nuser = %U\nlog_sessions = none\nstderr = null\n"
	    "max_sessions = 1000\nmax_per_source = unlimited\n",
	.service = "[s%N]\nlisten = udp:%A:%P\nexec = %S\n"
};
static struct candidate socat_peer = {
	.name = "socat, per peer",
	.command = "UDP4-LISTEN:%P,bind=%A,reuseaddr,fork EXEC:%S,nofork"
};
static struct candidate socat_each = {
	.name = "socat, per datagram",
	.command = "UDP4-RECVFROM:%P,bind=%A,fork EXEC:%S"
};

/* One load on a server of its own: sessions of another run do not linger. */
static double
rate(const struct candidate *candidate, unsigned count, unsigned long *failed)
{
	struct plan plan = plan_make(PROGRAM, 1);
	struct udp_load load = { .port = plan.services[0].port, .peers = count,
		.seconds = bench.seconds };
	struct load_result result;
	struct server server;

	plan.udp = true;
	plan.nofile = FILES;
	if (server_start(&server, candidate, &plan) == -1)
		return -1;
	udp_run(&load, &result);
	server_stop(&server);
	*failed += result.failed;
	return (double)result.done / result.seconds;
}

static void
line(const struct candidate *candidate, unsigned count)
{
	double left[ROUNDS_MOST], right[ROUNDS_MOST];
	unsigned long failed = 0, ignored = 0;
	struct row row = { "udp", candidate->name, text("%u peers", count), "rate", bare.name,
		.unit = "round trips/s" };

	for (unsigned i = 0; i < bench.rounds; i++)
		if ((left[i] = rate(candidate, count, &failed)) < 0 ||
		    (right[i] = rate(&bare, count, &ignored)) < 0)
			return;
	row.spread = spread_of(left, right, bench.rounds);
	report(&row);
	if (failed > 0)
		say("  %-24s lost %lu\n", "", failed);
}

/* Does this superd know datagrams? */
static bool
has_udp(void)
{
	struct plan plan = plan_make(PROGRAM, 1);
	char *command = candidate_command(&superd, &plan, 0);

	return system(text("%s -t >/dev/null 2>&1", command)) == 0;
}

void
scenario_udp(void)
{
	static const unsigned levels[] = { 1, 16, 128 };
	bool udp;

	bare.path = staged("bench", "udp_floor");
	superd.path = candidate_full.path;
	socat_peer.path = socat_each.path = candidate_path("socat");
	udp = has_udp();
	if (!udp)
		say("  superd skipped: this version does not serve udp:\n");
	for (size_t i = 0; i < LENGTH(levels) - bench.quick; i++) {
		if (udp)
			line(&superd, levels[i]);
		if (socat_peer.path != NULL) {
			line(&socat_peer, levels[i]);
			line(&socat_each, levels[i]);
		}
	}
}
