/*
 * scenario_reload.c - SIGHUP under load, with a configuration in which nothing
 * has changed: connections that fail, and the one that took longest.
 */
#include <signal.h>

#include "bench.h"
#include "candidates.h"
#include "report.h"

#define CONCURRENCY	8
#define SPARE		2048UL

static const struct level {
	unsigned services;
	double every;		/* seconds until the reload of each load */
	const char *goal;
} levels[] = {
	{ 1000, 0.1, "none failed, worst <= 3 ms" },
	{ 10000, 0.5, "none failed, worst <= 40 ms" },
};

static void
hang_up(void *arg)
{
	const struct server *server = arg;

	kill(server->pid, SIGHUP);
}

static void
line(const struct candidate *candidate, const struct level *level, const char *goal)
{
	const char *program = staged("bench", "greet");
	struct side reloaded = { .candidate = candidate, .load = measure_load(CONCURRENCY),
		.plan = plan_make(program, level->services) };
	struct side left = reloaded;
	struct comparison result;
	struct row row = { "reload", candidate->name, text("%u services", level->services), "worst",
		"its own without", .unit = "us", .goal = goal };

	left.plan = plan_make(program, level->services);
	reloaded.load.seconds = left.load.seconds = 1.5 * level->every;
	reloaded.load.every = level->every;
	reloaded.load.tick = hang_up;
	reloaded.load.arg = &reloaded.server;
	if (compare_standing(&reloaded, &left, &result) == -1) {
		say("  %-24s %-26s not measured\n", candidate->name, row.setting);
		return;
	}
	row.spread = result.worst;
	report_csv(&row);
	say("  %-24s %-14s failed %-6lu worst %7.1f ms, without reload %7.1f ms   %s%s\n",
	    candidate->name, row.setting, result.failed_a, result.worst.value / 1e3,
	    result.worst.reference / 1e3, goal != NULL ? "goal: " : "", goal != NULL ? goal : "");
}

void
scenario_reload(void)
{
	unsigned long room = nofile_raise(levels[LENGTH(levels) - 1].services + SPARE);

	for (size_t i = 0; i < LENGTH(levels); i++) {
		if (levels[i].services + SPARE > room) {
			say("  The limit of open files, %lu, is too low for %u services.\n", room,
			    levels[i].services);
			continue;
		}
		line(&candidate_full, &levels[i], levels[i].goal);
		for (struct candidate *peer = peers; !bench.quick && peer->name != NULL; peer++)
			if (peer->path != NULL && peer->service != NULL)
				line(peer, &levels[i], NULL);
	}
}
