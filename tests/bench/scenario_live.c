/*
 * scenario_live.c - a server with many living sessions, over the same server
 * with none, and what a session takes of the server's own memory.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "candidates.h"
#include "report.h"

#define CONCURRENCY	8
#define SPARE		2048UL
#define BATCH		200	/* connections made before the server is given time for them */
#define PATIENCE	20.0	/* seconds for a batch */

static unsigned
children_of(pid_t pid)
{
	unsigned count = 0;
	char path[64];
	FILE *file;
	int child;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
	if ((file = fopen(path, "r")) == NULL)
		return 0;
	while (fscanf(file, "%d", &child) == 1)
		count++;
	fclose(file);
	return count;
}

/* Opens COUNT sessions that stay; returns how many there are. */
static unsigned
hold(const struct server *server, int port, int *fds, unsigned count)
{
	unsigned open = 0, there = 0;

	while (open < count) {
		unsigned until = open + BATCH < count ? open + BATCH : count;
		double since = now();

		for (; open < until; open++)
			if ((fds[open] = load_connect(port)) == -1)
				return open;
		while ((there = children_of(server->pid)) < open && now() - since < PATIENCE)
			doze(0.002);
		if (there < open)
			return open;
	}
	return open;
}

static void
memory(const struct candidate *candidate, unsigned count, unsigned long before, unsigned long after)
{
	double each = after > before ? (double)(after - before) / count : 0;
	struct row row = { "live", candidate->name, text("%u sessions", count), "memory of each",
		"", { each, each, each, each, 0 }, "kB", "<= 1" };

	report_csv(&row);
	say("  %-24s %-26s %.2f kB of the server's own for each   goal: <= 1\n", candidate->name,
	    row.setting, each);
}

static void
with_sessions(struct side *many, struct side *none, unsigned count, const char *goal)
{
	int *fds = calloc(count, sizeof *fds);
	unsigned long before;
	unsigned open;
	struct comparison result;
	struct load_result served;
	struct sample sample;
	struct row row = { "live", many->candidate->name, text("%u sessions", count), "rate",
		"its own with none", .unit = "connections/s", .goal = goal };

	/* What serving touches once, code of the C library above all, is not the sessions'. */
	(void)measure(many, &sample, &served);
	before = server_own_pss(&many->server);
	open = hold(&many->server, many->plan.services[0].port, fds, count);
	if (open < count || children_of(many->server.pid) < count)
		say("  %-24s %-26s only %u came to be\n", many->candidate->name, row.setting,
		    children_of(many->server.pid));
	else if (compare(many, none, &result) == 0) {
		row.spread = result.rate;
		report(&row);
		report_failed(row.candidate, result.failed_a + result.failed_b);
		if (goal != NULL)
			memory(many->candidate, count, before, server_own_pss(&many->server));
	}
	for (unsigned i = 0; i < open; i++)
		close(fds[i]);
	free(fds);
}

static void
line(const struct candidate *candidate, unsigned count, const char *goal)
{
	const char *program = staged("bench", "ask");
	struct side many = { .candidate = candidate, .load = measure_load(CONCURRENCY),
		.plan = plan_make(program, 1) };
	struct side none = many;

	none.plan = plan_make(program, 1);
	many.plan.live = none.plan.live = count;
	many.load.say = none.load.say = many.plan.say = none.plan.say = "?";
	if (server_start(&many.server, candidate, &many.plan) == -1)
		return;
	if (server_start(&none.server, candidate, &none.plan) == 0) {
		with_sessions(&many, &none, count, goal);
		server_stop(&none.server);
	}
	server_stop(&many.server);
}

void
scenario_live(void)
{
	static const unsigned levels[] = { 1000, 5000 };
	unsigned long room = nofile_raise(levels[LENGTH(levels) - 1] + SPARE);

	for (unsigned i = bench.quick ? LENGTH(levels) - 1 : 0; i < LENGTH(levels); i++) {
		unsigned count = levels[i];

		if (count + SPARE > room) {
			count = room > 2 * SPARE ? (unsigned)(room - SPARE) : (unsigned)room / 2;
			say("  The limit of open files, %lu, makes %u sessions of %u.\n", room,
			    count, levels[i]);
		}
		line(&candidate_full, count, ">= 0.90");
		line(&candidate_min, count, ">= 0.90");
		for (struct candidate *peer = peers; !bench.quick && peer->name != NULL; peer++)
			if (peer->path != NULL)
				line(peer, count, NULL);
	}
}
