/*
 * scenario_refuse.c - what a client that is denied costs superd, over one that
 * is served.
 */
#include "bench.h"
#include "candidates.h"
#include "report.h"

#define CONCURRENCY	8

void
scenario_refuse(void)
{
	const char *program = staged("bench", "greet");
	struct side refused = { .candidate = &candidate_full, .fresh = true,
		.load = measure_load(CONCURRENCY), .plan = plan_make(program, 1) };
	struct side served = refused;
	struct comparison result;
	struct row row = { "refuse", candidate_full.name, "denied by address", "cpu",
		"a served one", .unit = "s/connection", .goal = "<= 0.25" };

	served.plan = plan_make(program, 1);
	refused.load.net = STRANGER_NET;
	refused.load.expect = "";
	refused.load.reset_is_end = true;
	if (compare(&refused, &served, &result) == -1)
		return;
	row.spread = result.cpu;
	report(&row);
	row.metric = "rate";
	row.unit = "connections/s";
	row.goal = NULL;
	row.spread = result.rate;
	report(&row);
	report_failed("refused", result.failed_a);
	report_failed("served", result.failed_b);
}
