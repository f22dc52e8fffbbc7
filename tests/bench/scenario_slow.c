/*
 * scenario_slow.c - one service whose execve(2) takes 10 ms, or does not come
 * back, beside a fast one.  The program file of the slow one is watched by
 * fanotify(7), which asks this process for permission at each execve; it takes
 * its time to give it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "candidates.h"
#include "report.h"

#define CONCURRENCY	8
#define CALLERS		2	/* clients of the slow service at once */
#define DELAY		0.010
#define WAITING_MOST	256
#define HANG_PATIENCE	5.0

/* Shared by the benchmark and the process that gives permission. */
struct gate {
	_Atomic int hang;	/* 1: nobody passes */
	_Atomic unsigned waiting;
};

struct slow {
	struct gate *gate;
	int port;
	pid_t callers;
	int held[CALLERS];
};

struct queue {
	struct { int32_t fd; double due; } places[WAITING_MOST];
	unsigned first, count;
};

static void
ask(int fan, struct queue *queue)
{
	struct fanotify_event_metadata events[16], *event = events;
	ssize_t len = read(fan, events, sizeof events);

	for (; len > 0 && FAN_EVENT_OK(event, len); event = FAN_EVENT_NEXT(event, len)) {
		unsigned at = (queue->first + queue->count) % WAITING_MOST;

		if (queue->count == WAITING_MOST)
			_exit(1);	/* all who wait may pass then */
		queue->places[at].fd = event->fd;
		queue->places[at].due = now() + DELAY;
		queue->count++;
	}
}

static _Noreturn void
gatekeeper(int fan, struct gate *gate)
{
	struct pollfd asked = { .fd = fan, .events = POLLIN };
	static struct queue queue;

	for (;;) {
		if (poll(&asked, 1, queue.count > 0 ? 1 : -1) > 0)
			ask(fan, &queue);
		while (queue.count > 0 && !atomic_load(&gate->hang) &&
		    now() >= queue.places[queue.first].due) {
			struct fanotify_response yes = { .fd = queue.places[queue.first].fd,
				.response = FAN_ALLOW };

			(void)!write(fan, &yes, sizeof yes);
			close(yes.fd);
			queue.first = (queue.first + 1) % WAITING_MOST;
			queue.count--;
		}
		atomic_store(&gate->waiting, queue.count);
	}
}

static void
call(void *arg)
{
	struct slow *slow = arg;
	struct load load = measure_load(CALLERS);
	struct load_result once;

	load.port = slow->port;
	load.most = CALLERS;
	load_run(&load, &once);
	if (once.failed > 0 || once.p50 < DELAY * 1e6)
		say("  its execve was NOT slow: %.1f ms\n", once.p50 / 1e3);
	load.most = 0;
	slow->callers = load_begin(&load);
}

static void
no_more_calls(void *arg)
{
	load_end(((struct slow *)arg)->callers);
}

/* As many sessions as there are callers, which all stand in execve when this returns. */
static void
hang(void *arg)
{
	struct slow *slow = arg;
	double since = now();

	atomic_store(&slow->gate->hang, 1);
	for (int i = 0; i < CALLERS; i++)
		slow->held[i] = load_connect(slow->port);
	while (atomic_load(&slow->gate->waiting) < CALLERS && now() - since < HANG_PATIENCE)
		doze(0.001);
	if (atomic_load(&slow->gate->waiting) < CALLERS)
		say("  its execve does NOT hang\n");
}

static void
let_go(void *arg)
{
	struct slow *slow = arg;

	atomic_store(&slow->gate->hang, 0);
	while (atomic_load(&slow->gate->waiting) > 0)
		doze(0.001);
	for (int i = 0; i < CALLERS; i++)
		if (slow->held[i] != -1)
			close(slow->held[i]);
}

static void
line(const struct candidate *candidate, const char *program, struct gate *gate, bool hangs)
{
	struct slow slow = { .gate = gate };
	struct side beside = { .candidate = candidate, .load = measure_load(CONCURRENCY),
		.plan = plan_make(staged("bench", "greet"), 2), .arg = &slow,
		.before = hangs ? hang : call, .after = hangs ? let_go : no_more_calls };
	struct side alone = { .candidate = candidate, .load = measure_load(CONCURRENCY),
		.plan = plan_make(staged("bench", "greet"), 2) };
	struct service services[2] = { beside.plan.services[0], beside.plan.services[1] };
	struct comparison result;
	struct row row = { "slow", candidate->name, hangs ? "execve hangs" : "execve takes 10 ms",
		"rate", "its own without", .unit = "connections/s",
		.goal = candidate == &candidate_full || candidate == &candidate_min ?
		">= 0.9" : NULL };

	services[1].program = program;
	beside.plan.services = services;
	slow.port = services[1].port;
	if (compare_standing(&beside, &alone, &result) == -1)
		return;
	row.spread = result.rate;
	report(&row);
	report_failed(candidate->name, result.failed_a + result.failed_b);
}

static void
lines(const char *program, struct gate *gate)
{
	for (int hangs = 0; hangs < 2; hangs++) {
		line(&candidate_full, program, gate, hangs != 0);
		line(&candidate_min, program, gate, hangs != 0);
		for (struct candidate *peer = peers; !bench.quick && peer->name != NULL; peer++)
			if (peer->path != NULL && peer->service != NULL && hangs == 0)
				line(peer, program, gate, false);
	}
}

void
scenario_slow(void)
{
	struct gate *gate = mmap(NULL, sizeof *gate, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *program = staged("bench", "slow");
	int fan = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY | O_CLOEXEC);
	pid_t keeper;

	if (gate == MAP_FAILED ||
	    system(text("cp '%s' '%s'", staged("bench", "greet"), program)) != 0)
		fail(program);
	if (fan == -1 ||
	    fanotify_mark(fan, FAN_MARK_ADD, FAN_OPEN_EXEC_PERM, AT_FDCWD, program) == -1) {
		say("  skipped: a slow execve needs root, and fanotify with permissions\n");
		if (fan != -1)
			close(fan);
		return;
	}
	if ((keeper = child_make()) == 0)
		gatekeeper(fan, gate);
	close(fan);
	lines(program, gate);
	child_end(keeper, SIGTERM);
	munmap(gate, sizeof *gate);
}
