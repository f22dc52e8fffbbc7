/*
 * A random day: clients come from several addresses and go, some are refused,
 * some wait, and the configuration changes under way.  A simple model that only
 * counts says of every step what superd must do.  The seed is printed; the
 * environment variable SEED gives it again.
 */
#include "harness_admission.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STEPS = 1500, SOURCES = 5, LIVE_MOST = 64, QUEUE_MOST = 6, TOKENS = 12 };

enum reason { ADMITTED, DENIED, MAX_SESSIONS, GLOBAL, MAX_PER_SOURCE, RATE_PER_SOURCE, REASONS };
static const char *const counters[REASONS] = { "served", "refused_denied", "refused_max_sessions",
	"refused_global", "refused_max_per_source", "refused_rate_per_source" };

enum which { QUEUE, REFUSE, SLOW, SERVICES };	/* SLOW has TOKENS for each source and day */
static const char *const names[SERVICES] = { "queue", "refuse", "slow" };

enum { ANY = 1000 };	/* unlimited */
static const struct limits {
	unsigned all, most[SERVICES], per_source[SERVICES];
	bool denied[SOURCES];		/* by `refuse' and `slow' */
} configurations[] = {
	{ 12, { 3, 5, 4 }, { ANY, 2, ANY }, { false } },
	{ 4,  { 3, 2, 4 }, { 1, 2, 1 }, { [1] = true, [3] = true } },
	{ 30, { 8, 20, 9 }, { 3, 4, ANY }, { [0] = true } },
	{ 7,  { 1, 6, 2 }, { 1, ANY, 2 }, { [0] = true, [1] = true, [2] = true, [3] = true, [4] = true } },
	{ 1,  { 2, 2, 2 }, { 2, 2, 2 }, { false } },
};
enum { CONFIGURATIONS = sizeof configurations / sizeof configurations[0] };

struct client {
	int fd;
	enum which service;
	unsigned source;
};

static struct {
	const struct limits *limits;
	struct client live[LIVE_MOST], queue[QUEUE_MOST];
	unsigned lives, queued;
	unsigned counts[SERVICES][REASONS];
	unsigned taken[SOURCES];	/* of the tokens of SLOW */
} model;

static struct daemon *d;
static uint32_t state, seed;
static unsigned step;

#define model_says(condition)                                                            \
	((condition) ? (void)0 : flunk("seed %u, step %u: the model says %s", (unsigned)seed, step, \
	    #condition))

/* Marsaglia's xorshift. */
static unsigned
below(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % n;
}

/* --- the model */

static unsigned
count_live(enum which service, int source)
{
	unsigned count = 0;

	for (unsigned i = 0; i < model.lives; i++)
		count += model.live[i].service == service &&
		    (source == -1 || model.live[i].source == (unsigned)source);
	return count;
}

static bool
queue_has_room(void)
{
	return count_live(QUEUE, -1) < model.limits->most[QUEUE] && model.lives < model.limits->all;
}

static enum reason
decide(enum which service, unsigned source)
{
	if (service != QUEUE && model.limits->denied[source])
		return DENIED;
	if (count_live(service, -1) >= model.limits->most[service])
		return MAX_SESSIONS;
	if (model.lives >= model.limits->all)
		return GLOBAL;
	if (count_live(service, (int)source) >= model.limits->per_source[service])
		return MAX_PER_SOURCE;
	if (service == SLOW && model.taken[source] >= TOKENS)
		return RATE_PER_SOURCE;
	return ADMITTED;
}

/* --- superd does what the model says */

static void
must_happen(struct client client)
{
	enum reason reason = decide(client.service, client.source);

	model.counts[client.service][reason]++;
	if (reason != ADMITTED) {
		model_says(!was_served(client.fd));
		return;
	}
	model_says(was_served(client.fd));
	must(model.lives < LIVE_MOST);
	model.live[model.lives++] = client;
	model.taken[client.source] += client.service == SLOW;
}

/* Who waits is served, or refused, as soon as there is room, first come first. */
static void
serve_queue(void)
{
	while (model.queued > 0 && queue_has_room()) {
		struct client first = model.queue[0];

		memmove(model.queue, model.queue + 1, --model.queued * sizeof first);
		must_happen(first);
	}
	for (unsigned i = 0; i < model.queued; i++)
		model_says(silent(model.queue[i].fd));
}

static void
somebody_comes(void)
{
	struct client client = { .service = below(SERVICES), .source = below(SOURCES) };
	char source[32];

	if (client.service == QUEUE && model.queued == QUEUE_MOST)
		return;
	snprintf(source, sizeof source, "127.0.%u.7", client.source);
	client.fd = call(d, names[client.service], source);
	if (client.service != QUEUE || (model.queued == 0 && queue_has_room()))
		must_happen(client);
	else
		model.queue[model.queued++] = client;
}

static void
somebody_goes(void)
{
	char remote[64];
	unsigned which;
	int fd;

	if (model.lives == 0)
		return;
	which = below(model.lives);
	fd = model.live[which].fd;
	model_says(silent(fd));
	snprintf(remote, sizeof remote, "remote=%s", name_of(fd));
	log_mark(d);
	if (below(2) == 0)
		reset(fd);
	else
		close(fd);
	model.live[which] = model.live[--model.lives];
	await_log(d, "exit", remote);
}

static const char *
count_text(unsigned count)
{
	static char texts[8][16];
	static unsigned turn;
	char *text = texts[turn++ % 8];

	snprintf(text, sizeof texts[0], "%u", count);
	return count == ANY ? "unlimited" : text;
}

/* The queue's own list replaces that of [defaults]. */
static const char *
configuration(const struct limits *limits)
{
	static const char *const rest[SERVICES] = { "when_full = queue\ndeny = 10.0.0.0/8\n",
		"when_full = refuse\n", "when_full = refuse\nrate_per_source = 1/d:12\n" };
	static char text[2048];
	size_t len = (size_t)snprintf(text, sizeof text, "[superd]\nmax_sessions = %u\n"
	    "[defaults]\ndeny = 10.0.0.0/8", limits->all);

	for (unsigned i = 0; i < SOURCES; i++)
		if (limits->denied[i])
			len += (size_t)snprintf(text + len, sizeof text - len, " 127.0.%u.7", i);
	for (unsigned i = 0; i < SERVICES; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "\n[%s]\nlisten = 127.0.0.1:0\n"
		    "exec = hold\nmax_sessions = %u\nmax_per_source = %s\n%s", names[i], limits->most[i],
		    count_text(limits->per_source[i]), rest[i]);
	return text;
}

static void
everything_changes(void)
{
	model.limits = &configurations[below(CONFIGURATIONS)];
	daemon_reload(d, "%s", configuration(model.limits));
}

static void
end_all(void)
{
	while (model.lives > 0 || model.queued > 0) {
		somebody_goes();
		serve_queue();
	}
	for (unsigned i = 0; i < SERVICES; i++)
		for (unsigned reason = 0; reason < REASONS; reason++) {
			long is = status_number(d, names[i], counters[reason]);

			if (is != model.counts[i][reason])
				flunk("seed %u: %s of %s is %ld, the model says %u", (unsigned)seed,
				    counters[reason], names[i], is, model.counts[i][reason]);
		}
	model_says(status_number(d, NULL, "live") == 0);
	model_says(children_of(d->pid, 0) == 0);
}

static uint32_t
choose_seed(void)
{
	const char *given = getenv("SEED");
	uint32_t chosen = given != NULL ? (uint32_t)strtoul(given, NULL, 10) :
	    (uint32_t)now_ms() * 2654435761u ^ (uint32_t)getpid();

	return chosen == 0 ? 1 : chosen;
}

/* Among `of' steps so many are ends of sessions. */
static void
live_a_day(unsigned ends, unsigned of)
{
	seed = state = choose_seed();
	printf("seed %u\n", (unsigned)seed);
	fflush(stdout);
	model.limits = &configurations[0];
	d = daemon_start("%s", configuration(model.limits));
	for (step = 0; step < STEPS; step++) {
		if (below(60) == 0)
			everything_changes();
		else if (below(of) < ends)
			somebody_goes();
		else
			somebody_comes();
		serve_queue();
	}
	end_all();
	daemon_stop(d);
}

START_TEST(crowded_day_agrees_with_a_model)
{
	live_a_day(1, 4);
}
END_TEST

START_TEST(even_day_agrees_with_a_model)
{
	live_a_day(1, 2);
}
END_TEST

START_TEST(quiet_day_agrees_with_a_model)
{
	live_a_day(3, 5);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_model");

	add_case(suite, "days", NEEDS_PROC, TESTS(crowded_day_agrees_with_a_model,
	    even_day_agrees_with_a_model, quiet_day_agrees_with_a_model));
	return run_suite(suite);
}
