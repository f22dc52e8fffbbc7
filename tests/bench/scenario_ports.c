/*
 * scenario_ports.c - a server with many ports that nobody calls, over the same
 * server with one: both stand, and are called in turn.
 */
#include "bench.h"
#include "candidates.h"
#include "report.h"

#define CONCURRENCY	8
#define SPARE		2048UL	/* open files besides the ports */

static void
line(const struct candidate *candidate, unsigned idle, const char *goal)
{
	const char *program = staged("bench", "greet");
	struct side many = { .candidate = candidate, .load = measure_load(CONCURRENCY),
		.plan = plan_make(program, idle + 1) };
	struct side one = { .candidate = candidate, .load = measure_load(CONCURRENCY),
		.plan = plan_make(program, 1) };
	struct comparison result;
	struct row row = { "ports", candidate->name, text("%u idle ports", idle), "rate",
		"its own with one port", .unit = "connections/s", .goal = goal };

	if (compare_standing(&many, &one, &result) == -1) {
		say("  %-24s %-26s not measured\n", candidate->name, row.setting);
		return;
	}
	row.spread = result.rate;
	report(&row);
	report_failed(candidate->name, result.failed_a + result.failed_b);
}

void
scenario_ports(void)
{
	static const unsigned levels[] = { 1, 1000, 9900 };
	unsigned long room = nofile_raise(levels[LENGTH(levels) - 1] + SPARE);

	for (unsigned i = bench.quick ? LENGTH(levels) - 1 : 0; i < LENGTH(levels); i++) {
		unsigned idle = levels[i];

		if (idle + SPARE > room) {
			idle = room > 2 * SPARE ? (unsigned)(room - SPARE) : (unsigned)room / 2;
			say("  The limit of open files, %lu, makes %u ports of %u.\n", room, idle,
			    levels[i]);
		}
		line(&candidate_full, idle, ">= 0.95");
		line(&candidate_min, idle, ">= 0.95");
		for (struct candidate *peer = peers; !bench.quick && peer->name != NULL; peer++)
			if (peer->path != NULL && peer->service != NULL)
				line(peer, idle, NULL);
	}
}
