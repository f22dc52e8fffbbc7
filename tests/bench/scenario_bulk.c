/*
 * scenario_bulk.c - gigabytes a second of the services that come along, each
 * over another way to do the same between the same sockets: cat, socat, and
 * plain loops of splice and sendfile.
 */
#include <stdio.h>
#include <unistd.h>

#include "bench.h"
#include "bulk.h"
#include "candidates.h"
#include "report.h"

#define BYTES		((size_t)256 << 20)
#define BYTES_QUICK	((size_t)64 << 20)

/* The order of the services; the first is there to see that superd is ready. */
enum { READY, CAT, FLIP, ECHO, SPLICE, SENDFILE, SENDFILE_LIMIT, RELAY, SOCAT, SOCAT_RELAY, COUNT };

static const struct contest {
	int one, other;
	const char *name, *reference, *goal;
} contests[] = {
	{ FLIP, CAT, "flip", "cat", ">= 0.9" },
	{ ECHO, CAT, "echo", "cat", ">= 0.9" },
	{ ECHO, SOCAT, "echo", "socat", NULL },
	{ FLIP, SPLICE, "flip", "a loop of splice", NULL },
	{ ECHO, SPLICE, "echo", "a loop of splice", NULL },
	{ CAT, SPLICE, "cat", "a loop of splice", NULL },
	{ SENDFILE, SENDFILE_LIMIT, "sendfile", "a loop of sendfile", ">= 0.95" },
	{ RELAY, SOCAT_RELAY, "relay", "socat", NULL },
};

static struct bulk_transfer
transfer_of(int service, const struct service *services, size_t bytes)
{
	struct bulk_transfer transfer = { .port = services[service].port, .send = bytes,
		.expect = bytes, .what = service == FLIP ? BULK_FLIPPED : BULK_SAME };

	if (service == SENDFILE || service == SENDFILE_LIMIT)
		transfer.send = 0;
	if (service == SENDFILE) {
		transfer.request = "0";
		transfer.request_len = 2;	/* with its NUL */
	}
	return transfer;
}

static void
contend(const struct contest *contest, const struct service *services, size_t bytes)
{
	struct bulk_transfer a = transfer_of(contest->one, services, bytes);
	struct bulk_transfer b = transfer_of(contest->other, services, bytes);
	double left[ROUNDS_MOST], right[ROUNDS_MOST];
	struct row row = { "bulk", contest->name, text("over %s", contest->reference), "GB/s",
		contest->reference, .unit = "GB/s", .goal = contest->goal };

	for (unsigned i = 0; i < bench.rounds; i++)
		if ((left[i] = bulk_run(&a)) < 0 || (right[i] = bulk_run(&b)) < 0) {
			say("  %s or %s FAILED: bytes were wrong or missing\n", contest->name,
			    contest->reference);
			return;
		}
	row.spread = spread_of(left, right, bench.rounds);
	report(&row);
}

void
scenario_bulk(void)
{
	size_t bytes = bench.quick ? BYTES_QUICK : BYTES;
	const char *file = staged("run", "bulk"), *socat_path = candidate_path("socat");
	struct plan plan = plan_make(staged("bench", "greet"), COUNT);
	struct service s[COUNT];
	struct server server;

	if (bulk_file(file, bytes) == -1)
		fail(file);
	for (int i = 0; i < COUNT; i++)
		s[i] = plan.services[i];
	s[CAT].program = "/bin/cat";
	s[FLIP].program = staged("libexec/superd", "flip");
	s[ECHO].program = staged("libexec/superd", "echo");
	s[SPLICE].program = staged("bench", "pump");
	s[SENDFILE].program = text("%s %s", staged("libexec/superd", "sendfile"), file);
	s[SENDFILE_LIMIT].program = text("%s %s", staged("bench", "pump"), file);
	s[RELAY].program = text("%s 127.0.%d.1 %d", staged("libexec/superd", "relay"), SERVER_NET,
	    s[ECHO].port);
	if (socat_path != NULL) {
		s[SOCAT].program = text("%s -t 30 STDIO PIPE", socat_path);
		s[SOCAT_RELAY].program =
		    text("%s -t 30 STDIO TCP:127.0.%d.1:%d", socat_path, SERVER_NET, s[ECHO].port);
	}
	plan.services = s;
	if (server_start(&server, &candidate_min, &plan) == -1)
		return;
	for (size_t i = 0; i < LENGTH(contests); i++)
		if (contests[i].other < SOCAT || socat_path != NULL)
			contend(&contests[i], s, bytes);
	server_stop(&server);
	unlink(file);
}
