/*
 * scenario_memory.c - the proportional set size of a server that has nothing
 * to do.
 */
#include "bench.h"
#include "candidates.h"
#include "report.h"

#define SPARE	2048UL

static const struct level {
	unsigned services;
	const char *goal;
} levels[] = {
	{ 5, "<= 500 kB" },
	{ 10000, "<= 12000 kB" },
};

static void
line(const struct candidate *candidate, const struct level *level, bool goal)
{
	struct plan plan = plan_make(staged("bench", "greet"), level->services);
	struct server server;
	struct row row = { "memory", candidate->name, text("%u services", level->services), "pss",
		"", .unit = "kB", .goal = goal ? level->goal : NULL };
	double kb;

	if (server_start(&server, candidate, &plan) == -1)
		return;
	kb = (double)server_pss(&server);
	server_stop(&server);
	row.spread = (struct spread){ kb, kb, kb, kb, 0 };
	report_csv(&row);
	say("  %-24s %-26s %8.0f kB  %s%s\n", candidate->name, row.setting, kb,
	    goal ? "goal: " : "", goal ? level->goal : "");
}

void
scenario_memory(void)
{
	unsigned long room = nofile_raise(levels[LENGTH(levels) - 1].services + SPARE);

	for (size_t i = 0; i < LENGTH(levels); i++) {
		if (levels[i].services + SPARE > room)
			continue;
		line(&candidate_full, &levels[i], true);
		line(&candidate_min, &levels[i], true);
		for (const struct candidate *peer = peers; peer->name != NULL; peer++)
			if (peer->path != NULL && peer->service != NULL)
				line(peer, &levels[i], false);
	}
}
