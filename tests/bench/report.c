/*
 * report.c - see report.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "report.h"

static FILE *table, *csv, *bars;

static FILE *
out_file(const char *name)
{
	char *path = text("%s/%s", bench.out, name);
	FILE *file = fopen(path, "w");

	if (file == NULL)
		fail(path);
	free(path);
	return file;
}

void
report_open(void)
{
	table = out_file("table.txt");
	csv = out_file("bench.csv");
	bars = out_file("throughput.dat");
	fprintf(csv, "scenario,candidate,setting,metric,reference,ratio,least,most,goal,"
	    "value,reference_value,unit\n");
}

void
report_close(void)
{
	long drawn = ftell(bars);

	fclose(table);
	fclose(csv);
	fclose(bars);
	printf("\n%s/: table.txt, bench.csv\n", bench.out);
	if (drawn <= 0)
		return;
	if (system("command -v gnuplot >/dev/null 2>&1") != 0)
		printf("no plot: install gnuplot "
		    "(apt: gnuplot-nox; apk: gnuplot; dnf: gnuplot-minimal)\n");
	else if (system(text("gnuplot -e 'out = \"%s\"; last = %d' tests/bench/throughput.gp",
	    bench.out, bench.quick ? 4 : 5)) == 0)
		printf("%s/throughput.svg\n", bench.out);
}

void
say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	fflush(stdout);
	va_start(args, format);
	vfprintf(table, format, args);
	va_end(args);
	fflush(table);
}

void
report_csv(const struct row *row)
{
	const struct spread *spread = &row->spread;

	fprintf(csv, "%s,%s,%s,%s,%s,%.3f,%.3f,%.3f,%s,%.6g,%.6g,%s\n", row->scenario,
	    row->candidate, row->setting, row->metric, row->reference, spread->median,
	    spread->least, spread->most, row->goal != NULL ? row->goal : "", spread->value,
	    spread->reference, row->unit);
	fflush(csv);
}

void
report(const struct row *row)
{
	report_csv(row);
	say("  %-24s %-26s %-6s %-22s %s\n", row->candidate, row->setting, row->metric,
	    cell(&row->spread), row->goal != NULL ? text("goal: %s", row->goal) : "");
}

const char *
cell(const struct spread *spread)
{
	return text("%.2f (%.2f-%.2f)", spread->median, spread->least, spread->most);
}

void
report_failed(const char *who, unsigned long failed)
{
	if (failed > 0)
		say("  %s: %lu connections FAILED; its figures mean nothing\n", who, failed);
}

void
report_bar(const char *candidate, const double *ratios, unsigned count)
{
	fprintf(bars, "\"%s\"", candidate);
	for (unsigned i = 0; i < count; i++)
		fputs(ratios[i] > 0 ? text(" %.3f", ratios[i]) : " ?", bars);
	fputc('\n', bars);
	fflush(bars);
}
