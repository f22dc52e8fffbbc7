/*
 * scenario_flood.c - one service that floods its standard error, which superd
 * logs, beside a fast one.
 */
#include <unistd.h>

#include "bench.h"
#include "candidates.h"
#include "report.h"

#define CONCURRENCY	8

struct flood {
	int port, fd;
};

/* Its greeting has come: from now on it writes. */
static void
begin(void *arg)
{
	struct flood *flood = arg;
	char byte;

	flood->fd = load_connect(flood->port);
	if (flood->fd == -1 || read(flood->fd, &byte, 1) != 1)
		fail("the service that floods");
}

static void
end(void *arg)
{
	close(((struct flood *)arg)->fd);
}

void
scenario_flood(void)
{
	struct plan plan = plan_make(staged("bench", "greet"), 2);
	/* Two servers of one candidate with two services; `full' has the second one's log off. */
	struct candidate logging = candidate_full;
	struct service services[2] = { plan.services[0], plan.services[1] };
	struct flood flood = { .port = services[1].port };
	struct side beside = { .candidate = &logging, .load = measure_load(CONCURRENCY),
		.plan = { .services = services, .count = 2 }, .before = begin, .after = end,
		.arg = &flood };
	struct side alone = { .candidate = &logging, .load = measure_load(CONCURRENCY),
		.plan = plan_make(staged("bench", "greet"), 2) };
	struct comparison result;
	struct row row = { "flood", logging.name, "stderr floods the log", "rate",
		"its own without", .unit = "connections/s" };

	logging.idle = NULL;
	services[1].program = staged("bench", "flood");
	if (compare_standing(&beside, &alone, &result) == -1)
		return;
	row.spread = result.rate;
	report(&row);
	row.metric = "p99";
	row.unit = "us";
	row.spread = result.p99;
	report(&row);
	report_failed(logging.name, result.failed_a + result.failed_b);
}
