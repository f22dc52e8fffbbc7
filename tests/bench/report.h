/*
 * report.h - where figures go: lines on standard output and in table.txt,
 * every figure in bench.csv, and the plot.
 */
#ifndef REPORT_H
#define REPORT_H

#include "measure.h"

void report_open(void);
/* Draws the plot, or tells how to get gnuplot. */
void report_close(void);

/* Text to standard output and the table. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A figure: the ratio of METRIC to REFERENCE; GOAL is text from the list of goals, or NULL. */
struct row {
	const char *scenario, *candidate, *setting, *metric, *reference;
	struct spread spread;
	const char *unit;	/* of value and reference */
	const char *goal;
};

/* Into the CSV alone. */
void report_csv(const struct row *row);
/* Into both: a line of its own in the table. */
void report(const struct row *row);

/* "0.97 (0.95-0.99)"; the memory is never given back. */
const char *cell(const struct spread *spread);

/* A sentence when connections failed. */
void report_failed(const char *who, unsigned long failed);

/* Data for the plot: one place for each candidate, in the order they come; 0: not measured. */
void report_bar(const char *candidate, const double *ratios, unsigned count);

#endif
