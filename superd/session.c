/* session.c - see session.h. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "launch.h"
#include "session.h"
#include "tcp_info.h"

#define SLOTS	(1u << 17)	/* above SESSIONS_MAX; pids follow each other, so few pages are touched */

_Static_assert(SLOTS > SESSIONS_MAX, "chains stay short");

#define CAUSE_WORD(name, word)	[name] = word,
const char *const cause_word[CAUSE_COUNT] = { CAUSES(CAUSE_WORD) };
#undef CAUSE_WORD

static void *
reserve(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

int
sessions_init(struct sessions *all, struct loop *loop)
{
	*all = (struct sessions){ .loop = loop };
	all->table = reserve(SESSIONS_MAX * sizeof *all->table);
	all->slots = reserve(SLOTS * sizeof(struct session *));
	if (all->table != NULL && all->slots != NULL)
		return 0;
	sessions_finish(all);
	return -1;
}

void
sessions_finish(struct sessions *all)
{
	if (all->table != NULL)
		munmap(all->table, SESSIONS_MAX * sizeof *all->table);
	if (all->slots != NULL)
		munmap(all->slots, SLOTS * sizeof(struct session *));
	*all = (struct sessions){ .loop = NULL };
}

uint64_t
session_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t
session_next_id(struct sessions *all)
{
	return ++all->last_id;
}

static struct session **
slot_of(const struct sessions *all, pid_t pid)
{
	return &all->slots[(unsigned)pid % SLOTS];
}

/* To the process group; a child that has not come to setsid(2) yet has none. */
static void
session_signal(const struct session *session, int signal)
{
	if (kill(-session->pid, signal) == -1 && errno == ESRCH)
		(void)kill(session->pid, signal);
}

void
session_kill(struct session *session)
{
	session_signal(session, SIGKILL);
}

/* Nothing more can be done for it: it sleeps in the kernel, or another process traces it. */
static void
deadline_stuck(struct timer *timer)
{
	struct session *session = container_of(timer, struct session, deadline);

	session->stuck = true;
	session->all->stuck(session);
}

static void
deadline_kill(struct timer *timer)
{
	struct session *session = container_of(timer, struct session, deadline);

	session_kill(session);
	/* There is room: superd reserves a timer for each session it allows. */
	(void)timer_start(session->all->loop, timer, STUCK_MS, deadline_stuck);
}

void
session_end(struct session *session, enum cause cause)
{
	if (session->cause != CAUSE_NONE)
		return;
	session->cause = (uint8_t)cause;
	if (cause == CAUSE_EXEC) {
		deadline_kill(&session->deadline);
		return;
	}
	session_signal(session, SIGTERM);
	(void)timer_start(session->all->loop, &session->deadline, KILL_AFTER_MS, deadline_kill);
}

static void
deadline_timeout(struct timer *timer)
{
	session_end(container_of(timer, struct session, deadline), CAUSE_TIMEOUT);
}

static void
young_remove(struct session *session)
{
	struct sessions *all = session->all;

	if (!session->young)
		return;
	*(session->older != NULL ? &session->older->newer : &all->oldest) = session->newer;
	*(session->newer != NULL ? &session->newer->older : &all->newest) = session->older;
	session->young = false;
}

static void	young_watch(struct sessions *, uint64_t now_us);

/* All wait equally long to execute, so a queue by age and one timer do for all. */
static void
young_due(struct timer *timer)
{
	struct sessions *all = container_of(timer, struct sessions, execute);
	uint64_t now_us = session_now_us();
	struct session *session;

	while ((session = all->oldest) != NULL &&
	    now_us - session->started_us >= (uint64_t)EXECUTE_MS * 1000) {
		young_remove(session);
		if (!launch_executed(session->pid))
			session_end(session, CAUSE_EXEC);
	}
	young_watch(all, now_us);
}

static void
young_watch(struct sessions *all, uint64_t now_us)
{
	uint64_t age;

	if (all->oldest == NULL || all->execute.place != 0)
		return;
	age = (now_us - all->oldest->started_us) / 1000;
	(void)timer_start(all->loop, &all->execute, age < EXECUTE_MS ? EXECUTE_MS - age + 1 : 0,
	    young_due);
}

static void
young_add(struct session *session)
{
	struct sessions *all = session->all;

	session->young = true;
	session->newer = NULL;
	session->older = all->newest;
	*(all->newest != NULL ? &all->newest->newer : &all->oldest) = session;
	all->newest = session;
	young_watch(all, session->started_us);
}

struct session *
session_add(struct sessions *all, pid_t pid, uint64_t id, struct running *running,
    const struct peer *peer, int64_t timeout_ms)
{
	struct session *session = all->free, **slot = slot_of(all, pid);

	if (session != NULL)
		all->free = session->next_in_slot;
	else if (all->touched < SESSIONS_MAX)
		session = &all->table[all->touched++];
	else
		return NULL;
	*session = (struct session){ .id = id, .all = all, .running = running, .peer = *peer,
		.started_us = session_now_us(), .next_in_slot = *slot, .pid = pid, .copy = -1 };
	*slot = session;
	all->live++;
	young_add(session);
	if (timeout_ms > 0)
		(void)timer_start(all->loop, &session->deadline, (uint64_t)timeout_ms, deadline_timeout);
	return session;
}

static void
idle_due(struct timer *timer)
{
	struct session *session = container_of(timer, struct session, idle);
	uint64_t idle_ms;

	if (!tcp_idle_ms(session->copy, &idle_ms))
		return;
	if (idle_ms >= session->idle_ms)
		session_end(session, CAUSE_IDLE);
	else
		(void)timer_start(session->all->loop, timer, session->idle_ms - idle_ms, idle_due);
}

void
session_keep(struct session *session, int fd, int64_t idle_ms)
{
	session->copy = fd;
	session->idle_ms = (uint64_t)idle_ms;
	if (idle_ms > 0)
		(void)timer_start(session->all->loop, &session->idle, session->idle_ms, idle_due);
}

struct session *
session_find(const struct sessions *all, pid_t pid)
{
	struct session *session = *slot_of(all, pid);

	while (session != NULL && session->pid != pid)
		session = session->next_in_slot;
	return session;
}

struct session *
session_next(const struct sessions *all, uint32_t *at)
{
	while (*at < all->touched)
		if (all->table[(*at)++].pid != 0)
			return &all->table[*at - 1];
	return NULL;
}

void
session_remove(struct session *session)
{
	struct sessions *all = session->all;
	struct session **slot = slot_of(all, session->pid);

	while (*slot != session)
		slot = &(*slot)->next_in_slot;
	*slot = session->next_in_slot;
	young_remove(session);
	timer_stop(all->loop, &session->deadline);
	timer_stop(all->loop, &session->idle);
	if (session->copy != -1)
		close(session->copy);
	session->pid = 0;
	session->next_in_slot = all->free;
	all->free = session;
	all->live--;
}
