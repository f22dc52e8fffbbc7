/*
 * measure.c - see measure.h.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "candidates.h"
#include "measure.h"

struct load
measure_load(unsigned concurrency)
{
	return (struct load){ .concurrency = concurrency, .seconds = bench.seconds,
		.net = CLIENT_NET, .expect = GREETING };
}

static int
ascending(const void *a, const void *b)
{
	return (*(const double *)a > *(const double *)b) -
	    (*(const double *)a < *(const double *)b);
}

double
median(double *figures, unsigned count)
{
	qsort(figures, count, sizeof *figures, ascending);
	return count % 2 == 1 ? figures[count / 2] :
	    (figures[count / 2 - 1] + figures[count / 2]) / 2;
}

struct spread
spread_of(const double *a, const double *b, unsigned count)
{
	double ratio[ROUNDS_MOST], copy[ROUNDS_MOST];
	struct spread spread;

	for (unsigned i = 0; i < count; i++)
		ratio[i] = b[i] > 0 ? a[i] / b[i] : 0;
	spread.median = median(ratio, count);
	spread.least = ratio[0];
	spread.most = ratio[count - 1];
	memcpy(copy, a, count * sizeof *copy);
	spread.value = median(copy, count);
	memcpy(copy, b, count * sizeof *copy);
	spread.reference = median(copy, count);
	return spread;
}

int
measure(struct side *side, struct sample *sample, struct load_result *result)
{
	double spent = 0;

	if (side->fresh && server_start(&side->server, side->candidate, &side->plan) == -1)
		return -1;
	if (side->before != NULL)
		side->before(side->arg);
	side->load.port = side->plan.services[0].port;
	load_run(&side->load, result);
	if (side->after != NULL)
		side->after(side->arg);
	if (side->fresh)
		spent = server_stop(&side->server);
	*sample = (struct sample){ .p50 = result->p50, .p99 = result->p99, .worst = result->worst };
	sample->rate = result->seconds > 0 ? (double)result->done / result->seconds : 0;
	sample->cpu = result->done > 0 ? spent / (double)result->done : 0;
	return 0;
}

/* One figure of all samples, as an array of its own. */
static struct spread
figure(const struct sample *a, const struct sample *b, unsigned count, size_t offset)
{
	double left[ROUNDS_MOST], right[ROUNDS_MOST];

	for (unsigned i = 0; i < count; i++) {
		memcpy(&left[i], (const char *)&a[i] + offset, sizeof *left);
		memcpy(&right[i], (const char *)&b[i] + offset, sizeof *right);
	}
	return spread_of(left, right, count);
}

int
compare(struct side *a, struct side *b, struct comparison *comparison)
{
	struct sample left[ROUNDS_MOST], right[ROUNDS_MOST];
	struct load_result of_a, of_b;

	*comparison = (struct comparison){ 0 };
	for (unsigned i = 0; i < bench.rounds; i++) {
		if (measure(a, &left[i], &of_a) == -1 || measure(b, &right[i], &of_b) == -1)
			return -1;
		comparison->failed_a += of_a.failed;
		comparison->failed_b += of_b.failed;
		if (of_a.worst > comparison->worst_a)
			comparison->worst_a = of_a.worst;
	}
#define FIGURE(name) figure(left, right, bench.rounds, offsetof(struct sample, name))
	comparison->rate = FIGURE(rate);
	comparison->p50 = FIGURE(p50);
	comparison->p99 = FIGURE(p99);
	comparison->worst = FIGURE(worst);
	comparison->cpu = FIGURE(cpu);
#undef FIGURE
	return 0;
}

int
compare_standing(struct side *a, struct side *b, struct comparison *comparison)
{
	int result = -1;

	if (server_start(&a->server, a->candidate, &a->plan) == -1)
		return -1;
	if (server_start(&b->server, b->candidate, &b->plan) == 0) {
		result = compare(a, b, comparison);
		server_stop(&b->server);
	}
	server_stop(&a->server);
	return result;
}
