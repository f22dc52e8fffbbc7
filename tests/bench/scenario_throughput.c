/*
 * scenario_throughput.c - connections a second, how long they take, and what
 * they cost the server, all over the floor's with the same service.
 */
#include <stdio.h>

#include "bench.h"
#include "candidates.h"
#include "report.h"

static const unsigned levels[] = { 1, 8, 32, 128 };

/* The concurrency whose latency and CPU time are told, too. */
#define LEVEL_TOLD	32
#define TOLD_MOST	16	/* candidates */

struct goals {
	const char *rate[LENGTH(levels)], *p99, *cpu;
};

static const struct goals min_goals = { .rate = { ">= 0.97", ">= 0.95", ">= 0.95" } };
static const struct goals full_goals = { .rate = { ">= 0.95", ">= 0.90", ">= 0.90" },
	.p99 = "<= 1.4", .cpu = "<= 1.20" };
static const struct goals dynamic_goals = { .rate = { ">= 0.95", ">= 0.95", ">= 0.95" } };
static const struct goals no_goals;	/* of a peer */
static const struct goals floor_goals;

static const struct goals *
goals_of(const struct candidate *candidate, const char *service)
{
	if (candidate == &candidate_floor_full)
		return &floor_goals;
	if (candidate != &candidate_full && candidate != &candidate_min)
		return &no_goals;
	if (*service == 'd')
		return &dynamic_goals;
	return candidate == &candidate_full ? &full_goals : &min_goals;
}

static void
keep(const struct candidate *candidate, const char *service, unsigned level,
    const struct comparison *all, const struct goals *goals)
{
	bool told = levels[level] == LEVEL_TOLD;
	const struct {
		const char *metric, *unit, *goal;
		const struct spread *spread;
	} figures[] = {
		{ "rate", "connections/s", goals->rate[level], &all->rate },
		{ "p50", "us", NULL, &all->p50 },
		{ "p99", "us", told ? goals->p99 : NULL, &all->p99 },
		{ "worst", "us", NULL, &all->worst },
		{ "cpu", "s/connection", told ? goals->cpu : NULL, &all->cpu },
	};

	for (size_t i = 0; i < LENGTH(figures); i++)
		report_csv(&(struct row){ .scenario = "throughput", .candidate = candidate->name,
			.setting = text("%s; concurrency %u", service, levels[level]),
			.metric = figures[i].metric, .reference = candidate_floor.name,
			.spread = *figures[i].spread, .unit = figures[i].unit,
			.goal = figures[i].goal });
}

static unsigned long
idle_pss(const struct candidate *candidate, const char *program)
{
	struct plan plan = plan_make(program, 1);
	struct server server;
	unsigned long kb;

	if (server_start(&server, candidate, &plan) == -1)
		return 0;
	kb = server_pss(&server);
	server_stop(&server);
	return kb;
}

/* A fresh pair of servers for each round: CPU time is known when they have ended. */
static int
pair(const struct candidate *candidate, const char *program, unsigned concurrency,
    struct comparison *result)
{
	struct side a = { .candidate = candidate, .fresh = true, .load = measure_load(concurrency),
		.plan = plan_make(program, 1) };
	struct side b = { .candidate = &candidate_floor, .fresh = true,
		.load = measure_load(concurrency), .plan = plan_make(program, 1) };

	return compare(&a, &b, result);
}

/* What is told of all candidates once their rates are known. */
struct told {
	const struct candidate *candidate;
	const struct goals *goals;
	struct comparison all;
	unsigned long kb;
};

struct table {
	const char *service, *program;
	bool brief;		/* the two levels in the middle, and no more */
	bool peers;
	struct told told[TOLD_MOST];
	unsigned count;
	double best[LENGTH(levels)];	/* of all peers: what superd is to be ahead of */
};

static bool
skipped(const struct table *table, const struct candidate *candidate, unsigned level)
{
	bool peer = goals_of(candidate, table->service) == &no_goals;

	return (bench.quick && level > 32) ||
	    ((table->brief || (bench.quick && peer)) && level != 8 && level != LEVEL_TOLD);
}

static void
rates(struct table *table, const struct candidate *candidate)
{
	struct told *told = &table->told[table->count];
	double bars[LENGTH(levels)] = { 0 };
	struct comparison result;
	unsigned long failed = 0, floor_failed = 0;

	*told = (struct told){ .candidate = candidate,
		.goals = goals_of(candidate, table->service) };
	say("  %-24s", candidate->name);
	for (unsigned i = 0; i < LENGTH(levels); i++) {
		if (skipped(table, candidate, levels[i])) {
			say("%-18s", "");
			continue;
		}
		if (pair(candidate, table->program, levels[i], &result) == -1) {
			say("  not measured\n");
			return;
		}
		say("%-18s", cell(&result.rate));
		keep(candidate, table->service, i, &result, told->goals);
		bars[i] = result.rate.median;
		failed += result.failed_a;
		floor_failed += result.failed_b;
		if (told->goals == &no_goals && bars[i] > table->best[i])
			table->best[i] = bars[i];
		if (levels[i] == LEVEL_TOLD)
			told->all = result;
	}
	say("\n");
	report_failed(candidate->name, failed);
	report_failed(candidate_floor.name, floor_failed);
	if (*table->service == 's')
		report_bar(candidate->name, bars, LENGTH(levels));
	told->kb = idle_pss(candidate, table->program);
	table->count++;
}

static void
rates_told(const char *who, const char *const *texts)
{
	say("  %-24s", who);
	for (unsigned i = 0; i < LENGTH(levels); i++)
		say("%-18s", texts[i] != NULL ? texts[i] : "");
	say("\n");
}

static void
rest(const struct told *told)
{
	say("  %-24s%-18s%-18s%-18s%6lu\n", told->candidate->name, cell(&told->all.p50),
	    cell(&told->all.p99), cell(&told->all.cpu), told->kb);
	if (told->goals->p99 != NULL)
		say("  %-24s%-18s%-18s%-18s\n", "  goal", "", told->goals->p99, told->goals->cpu);
}

static double
best_p99(const struct table *table)
{
	double best = 0;

	for (unsigned i = 0; i < table->count; i++) {
		const struct told *told = &table->told[i];

		if (told->goals == &no_goals && (best <= 0 || told->all.p99.median < best))
			best = told->all.p99.median;
	}
	return best;
}

static void
print(struct table *table)
{
	const char *best[LENGTH(levels)] = { NULL };

	say("\n  connections a second over the floor's, %s service, by concurrency\n"
	    "  %-24s%-18s%-18s%-18s%s\n", table->service, "", "1", "8", "32", "128");
	rates(table, &candidate_full);
	rates_told("  goal", goals_of(&candidate_full, table->service)->rate);
	rates(table, &candidate_min);
	rates_told("  goal", goals_of(&candidate_min, table->service)->rate);
	rates(table, &candidate_floor_full);
	for (const struct candidate *peer = peers; table->peers && peer->name != NULL; peer++)
		if (peer->path != NULL && table->count < TOLD_MOST)
			rates(table, peer);
	for (unsigned i = 0; i < LENGTH(levels); i++)
		best[i] = table->best[i] > 0 ? text("%.2f", table->best[i]) : NULL;
	if (table->peers)
		rates_told("best of the peers", best);
	say("\n  the rest over the floor's, %s service, concurrency %d, and idle memory\n"
	    "  %-24s%-18s%-18s%-18s%s\n",
	    table->service, LEVEL_TOLD, "", "p50", "p99", "CPU", "PSS kB");
	for (unsigned i = 0; i < table->count; i++)
		rest(&table->told[i]);
	if (table->peers)
		say("  %-24s%-18s%.2f\n", "best of the peers", "", best_p99(table));
}

void
scenario_throughput(void)
{
	static struct table fast = { .service = "static", .peers = true };
	static struct table usual = { .service = "dynamic", .brief = true };

	fast.program = staged("bench", "greet");
	usual.program = staged("bench", "greet-dynamic");
	usual.peers = !bench.quick;
	print(&fast);
	print(&usual);
}
