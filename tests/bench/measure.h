/*
 * measure.h - two things measured in turn, A B A B ..., and what comes of it:
 * the ratio of each pair, and of all of them the median, the least and the
 * most.  A machine whose speed drifts drifts for both.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include "load.h"
#include "server.h"

#define ROUNDS_MOST	99

struct candidate;

struct spread {
	double median, least, most;
	double value, reference;	/* medians of the figures themselves: no verdict */
};

struct side {
	const struct candidate *candidate;
	struct plan plan;
	struct load load;	/* its port is the plan's first */
	bool fresh;		/* started anew for each measurement, which CPU time needs */
	struct server server;
	void (*before)(void *), (*after)(void *);	/* each of its loads, or NULL */
	void *arg;
};

struct sample {
	double rate, p50, p99, worst, cpu;	/* cpu: seconds a connection */
};

struct comparison {
	struct spread rate, p50, p99, worst, cpu;	/* of A over B */
	unsigned long failed_a, failed_b;
	double worst_a;		/* of all rounds, microseconds */
};

/* The load that all scenarios vary. */
struct load measure_load(unsigned concurrency);

/* One load; -1 when a fresh server does not start. */
int measure(struct side *side, struct sample *sample, struct load_result *result);

/* -1: one of them cannot be measured, and that was told. */
int compare(struct side *a, struct side *b, struct comparison *comparison);

/* The same with servers that stand all the time; they are started and stopped here. */
int compare_standing(struct side *a, struct side *b, struct comparison *comparison);

/* The median of COUNT figures, which are sorted by that. */
double median(double *figures, unsigned count);
struct spread spread_of(const double *a, const double *b, unsigned count);

#endif
