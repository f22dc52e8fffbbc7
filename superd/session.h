/*
 * session.h - the processes that are alive: found by pid, ended by deadlines.
 *
 * The table is reserved once, as address space: nothing is allocated for a
 * connection, and memory is only touched as far as sessions have ever been.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "address.h"
#include "loop.h"

struct account;
struct flow;
struct listener;
struct running;

/* Why superd ended a session.  The words are in superd(8). */
#define CAUSES(X)			\
	X(CAUSE_NONE,	 "")		\
	X(CAUSE_TIMEOUT, "timeout")	\
	X(CAUSE_IDLE,	 "idle")	\
	X(CAUSE_STOP,	 "stop")	\
	X(CAUSE_EXEC,	 "exec")	/* not executed in time: logged as failed */
#define CAUSE_NAME(name, word)	name,
enum cause { CAUSES(CAUSE_NAME) CAUSE_COUNT };
#undef CAUSE_NAME
extern const char *const cause_word[CAUSE_COUNT];

struct session {
	uint64_t	 id;
	struct sessions	*all;
	struct running	*running;	/* its service; lives as long as the session */
	struct account	*ticket;	/* of admission */
	struct listener	*lent;		/* wait = yes: what its process has; NULL: nothing, or it is gone */
	struct flow	*flow;		/* UDP: what leads to its peer; else NULL */
	struct peer	 peer;
	uint64_t	 started_us;	/* monotonic */
	struct timer	 deadline;	/* of timeout; then of SIGKILL */
	struct timer	 idle;		/* when idle_timeout is looked at again */
	uint64_t	 idle_ms;	/* idle_timeout; 0: none */
	struct session	*next_in_slot;	/* by pid; or of the free ones */
	struct session	*older, *newer;	/* of those that may not have executed yet, by age */
	pid_t		 pid;
	int		 copy;		/* owned; of the connection, for TCP_INFO; -1: none */
	int		 error;		/* errno of the failed stage */
	uint8_t		 stage;		/* enum stage, that a report names */
	uint8_t		 cause;		/* enum cause */
	bool		 young;		/* in the queue of those */
	bool		 stuck;		/* SIGKILL did not end it, which was told */
};

struct sessions {
	struct loop	*loop;
	void		(*stuck)(struct session *);	/* called once, STUCK_MS after SIGKILL */
	struct session	*table;		/* mmap of SESSIONS_MAX */
	struct session	**slots;	/* mmap; by pid */
	struct session	*free;		/* given back */
	uint32_t	 touched;	/* entries of the table that were ever used */
	uint32_t	 live;
	uint64_t	 last_id;
	struct session	*oldest, *newest; /* of the young */
	struct timer	 execute;	/* when the oldest young one must have executed */
};

/* -1 with errno. */
int	sessions_init(struct sessions *, struct loop *);
void	sessions_finish(struct sessions *);

uint64_t session_next_id(struct sessions *);
/* NULL: SESSIONS_MAX are alive, which admission does not allow.  timeout_ms 0: none. */
struct session *session_add(struct sessions *, pid_t, uint64_t id, struct running *,
	    const struct peer *, int64_t timeout_ms);
struct session *session_find(const struct sessions *, pid_t);
/* Keeps fd, which is the session's from now on, for idle_timeout (0: none) and traffic. */
void	session_keep(struct session *, int fd, int64_t idle_ms);
void	session_remove(struct session *);
/* The next live session from the place *at, which begins at 0; NULL: no more. */
struct session *session_next(const struct sessions *, uint32_t *at);

/*
 * SIGTERM to its process group now, SIGKILL after KILL_AFTER_MS; a child that
 * has not executed gets SIGKILL at once.  The first cause stays.
 */
void	session_end(struct session *, enum cause);
void	session_kill(struct session *);
uint64_t session_now_us(void);

#endif
