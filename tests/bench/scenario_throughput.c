/*
 * scenario_throughput.c - connections a second, how long they take, and what
 * they cost the server, all over the floor's with the same service.
 */
#include <stdio.h>

#include "bench.h"
#include "candidates.h"
#include "report.h"

static const unsigned levels[] = { 1, 8, 32, 128 };

/* The column whose p99 and CPU time are told. */
#define LEVEL_TOLD	32

struct goals {
	const char *rate[LENGTH(levels)], *p99, *cpu;
};

static const struct goals min_goals = { .rate = { ">= 0.97", ">= 0.95", ">= 0.95" } };
static const struct goals full_goals = { .rate = { ">= 0.95", ">= 0.90", ">= 0.90" },
	.p99 = "<= 1.4", .cpu = "<= 1.20" };
static const struct goals dynamic_goals = { .rate = { ">= 0.95", ">= 0.95", ">= 0.95" } };
static const struct goals no_goals;

static const struct goals *
goals_of(const struct candidate *candidate, const char *service)
{
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
	const char *setting = text("%s; concurrency %u", service, levels[level]);
	struct row row = { "throughput", candidate->name, setting, "rate", "floor", all->rate,
		"connections/s", goals->rate[level] };

	report_csv(&row);
	row = (struct row){ "throughput", candidate->name, setting, "p50", "floor", all->p50, "us", NULL };
	report_csv(&row);
	row = (struct row){ "throughput", candidate->name, setting, "p99", "floor", all->p99, "us",
		levels[level] == LEVEL_TOLD ? goals->p99 : NULL };
	report_csv(&row);
	row = (struct row){ "throughput", candidate->name, setting, "worst", "floor", all->worst, "us", NULL };
	report_csv(&row);
	row = (struct row){ "throughput", candidate->name, setting, "cpu", "floor", all->cpu,
		"s/connection", levels[level] == LEVEL_TOLD ? goals->cpu : NULL };
	report_csv(&row);
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

static void
goal_line(const struct goals *goals)
{
	say("  %-24s", "  goal");
	for (unsigned i = 0; i < LENGTH(levels); i++)
		say("%-18s", goals->rate[i] != NULL ? goals->rate[i] : "");
	say("%-18s%s\n", goals->p99 != NULL ? goals->p99 : "", goals->cpu != NULL ? goals->cpu : "");
}

/* Of all peers: what superd is to be ahead of. */
struct best {
	double rate[LENGTH(levels)], p99;
};

static void
line(struct best *best, const struct candidate *candidate, const char *service, const char *program,
    bool brief)
{
	const struct goals *goals = goals_of(candidate, service);
	double bars[LENGTH(levels)] = { 0 };
	struct comparison result, told = { 0 };
	unsigned long failed = 0;

	say("  %-24s", candidate->name);
	for (unsigned i = 0; i < LENGTH(levels); i++) {
		if ((bench.quick && levels[i] > 32) || (brief && levels[i] != 8 && levels[i] != 32)) {
			say("%-18s", "");
			continue;
		}
		if (pair(candidate, program, levels[i], &result) == -1) {
			say("  not measured\n");
			return;
		}
		say("%-18s", cell(&result.rate));
		keep(candidate, service, i, &result, goals);
		bars[i] = result.rate.median;
		failed += result.failed_a;
		if (best != NULL && result.rate.median > best->rate[i])
			best->rate[i] = result.rate.median;
		if (levels[i] == LEVEL_TOLD)
			told = result;
	}
	if (best != NULL && (best->p99 <= 0 || told.p99.median < best->p99))
		best->p99 = told.p99.median;
	say("%-18s%-18s%6lu\n", cell(&told.p99), cell(&told.cpu), idle_pss(candidate, program));
	report_failed(candidate->name, failed);
	if (*service == 's')
		report_bar(candidate->name, bars, LENGTH(levels));
	if (goals != &no_goals)
		goal_line(goals);
}

static void
table(const char *service, const char *program, bool brief)
{
	struct best best = { 0 };

	say("\n  over the floor, %s service; rate at concurrency\n  %-24s%-18s%-18s%-18s%-18s%-18s%-18s%s\n",
	    service, "", "1", "8", "32", "128", "p99 at 32", "CPU at 32", "PSS kB");
	line(NULL, &candidate_full, service, program, brief);
	line(NULL, &candidate_min, service, program, brief);
	if (bench.quick && *service == 'd')
		return;
	for (const struct candidate *peer = peers; peer->name != NULL; peer++)
		if (peer->path != NULL)
			line(&best, peer, service, program, brief || bench.quick);
	say("  %-24s", "best of the peers");
	for (unsigned i = 0; i < LENGTH(levels); i++)
		say("%-18s", best.rate[i] > 0 ? text("%.2f", best.rate[i]) : "");
	say("%.2f\n", best.p99);
}

void
scenario_throughput(void)
{
	table("static", staged("bench", "greet"), false);
	table("dynamic", staged("bench", "greet-dynamic"), true);
}
