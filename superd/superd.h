/*
 * superd.h - the daemon as a whole.
 */
#ifndef SUPERD_H
#define SUPERD_H

#include "datagram.h"
#include "host.h"
#include "launch.h"
#include "reload.h"
#include "running.h"

enum state {
	STATE_SERVING,
	STATE_STOPPING,		/* no listeners any more; sessions may end by themselves */
	STATE_ENDING,		/* sessions have been told to end */
	STATE_DONE,
};

struct superd {
	struct loop		 loop;
	struct listeners	 listeners;
	struct sessions		 sessions;
	struct launcher		 launcher;
	struct admission	 admission;
	const struct conf_base	*base;
	const char		*pid_file;	/* that was written; NULL: none */
	struct conf		*conf;		/* held; NULL before the first superd_apply */
	struct running		**running;	/* owned; the services, sorted by name */
	unsigned		 count;
	struct running		**gone;		/* owned; services that left and still have sessions */
	unsigned		 gone_count;
	struct listener		*leaving;	/* owned; removed addresses whose queues are not empty yet */
	struct listener		*parked, **parked_last;	/* wait for room in superd, first come first */
	struct running		*held;		/* services whose gates hold lines back */
	struct timer		 held_timer, pause, log, room, glance, sweep, drain, stop;
	struct watch		 signals, calls;
	struct flows		 flows;
	struct datagrams	 datagrams;	/* what is at hand */
	struct running		*newcomers;	/* services with datagrams that wait for room */
	struct local_clock	 clock;
	struct host_addresses	 own;
	struct reload		 reload;	/* that is under way */
	uint64_t		 logged_ms;	/* when the log was written last */
	uint64_t		 load_told;	/* ms; when load was looked at */
	uint32_t		 load;		/* one-minute average, in hundredths */
	uint32_t		 last_number;	/* of a service */
	unsigned		 idle_pipes;	/* of standard error, of services without a session */
	enum state		 state;
	bool			 out_of_something;	/* told that accept rests */
	bool			 broken;	/* it stops because it cannot go on */
};

/* -1 with errno.  From here on signals are events of the loop. */
int	superd_init(struct superd *, const struct conf_base *, const struct rlimit *nofile);
void	superd_finish(struct superd *);
/* Frees a service with its listeners; none of its sessions is alive. */
void	running_free(struct running *);
/* Until it is told to stop.  -1 with errno: the loop itself failed. */
int	superd_run(struct superd *);

/* superd.c: the road of a connection. */
enum accept_step {
	ACCEPT_TAKEN,		/* a connection came off the queue, whatever became of it */
	ACCEPT_DRAINED,		/* the queue is empty */
	ACCEPT_FULL,		/* no room: it stays in the queue */
	ACCEPT_PAUSED,		/* out of descriptors or the like: all listeners rest */
	ACCEPT_DEAD,		/* the socket will never give one; it is closed and waits to be bound */
};
/* For listeners: somebody connects. */
void	superd_ready(struct listener *);
/* Takes one connection down the road; or up to ACCEPT_BATCH, as far as there are any and there is room. */
enum accept_step superd_accept(struct superd *, struct listener *);
enum accept_step superd_accept_batch(struct superd *, struct listener *);
/* A session has ended: what it held is given back, and who waits for that is served. */
void	superd_session_over(struct superd *, struct session *);
/* What admission wants to know of the moment, as far as the service's keys ask for it. */
struct moment superd_moment(struct superd *, const struct service *, const struct peer *);
enum room superd_room(const struct superd *, const struct listener *);
/* Out of descriptors or the like: new clients wait until that is over. */
bool	superd_pauses(const struct superd *);
/* Gates of the service may hold lines back, which will have to be told. */
void	superd_watch_gates(struct superd *, struct running *);
enum accept_step superd_accept_failed(struct superd *, struct listener *, int error);
/*
 * A child with these two descriptors, which stay the caller's, and its place
 * among the sessions.  NULL: there is none, and all is done as by superd_not_started.
 */
struct session *superd_start(struct superd *, struct listener *, int in, int out,
	    const struct peer *, const struct peer *local, struct account *ticket);
/* Why is in errno; it is logged, and the ticket given back. */
void	superd_not_started(struct superd *, struct listener *, uint64_t session, const struct peer *,
	    enum stage, struct account *ticket);

/* udp.c: the road of a datagram to the process of its peer, and of the answers. */
enum accept_step superd_take_datagrams(struct superd *, struct listener *);
/*
 * Whether superd itself answers from there: a datagram that comes from it is
 * forged, and an answer would be a question again, for ever.
 */
bool	superd_is_own(struct superd *, const struct peer *);
/* One that has waited. */
void	superd_datagram(struct superd *, struct listener *, const struct datagram *);
/* End-of-file: its peer is not listened to any more, and what it still answers is sent. */
void	superd_end_flow(struct flow *);
void	superd_end_flows(struct superd *);
/* The process has ended: its last answers are sent.  Then, when all is told of it, the flow goes. */
void	superd_last_answers(struct superd *, struct session *);
void	superd_flow_over(struct superd *, struct flow *);
void	superd_free_flows(struct superd *);

/* udp_once.c: idle_timeout = 0, a process for each datagram. */
enum accept_step superd_take_datagram(struct superd *, struct listener *);
void	superd_filter(struct superd *, struct listener *, const struct datagram *);
void	superd_answer_once(struct flow *);

/* newcomers.c: UDP peers for whom there is no room wait in memory, as a kernel's queue would have it. */
bool	superd_let_wait(struct superd *, struct listener *, const struct datagram *);
void	superd_serve_newcomers(struct superd *);
/* The listener is going to be of another service; those who wait there may be too many for a moment. */
void	superd_move_newcomers(struct superd *, const struct listener *, struct running *to);
/* Forgets those of one listener. */
void	superd_drop_newcomers(struct superd *, struct running *, const struct listener *);

/* backlog.c: somebody waits and there is no room; room was made, or limits were raised. */
void	superd_tell_full(struct superd *, struct running *);
void	superd_tell_room(struct running *);
void	superd_park(struct superd *, struct listener *);
void	superd_unpark(struct superd *, struct listener *);
void	superd_resume(struct superd *, struct running *);
void	superd_resume_global(struct superd *);
void	superd_resume_all(struct superd *);

/*
 * apply.c: makes a configuration the one in force; the reference to it is superd's from
 * then on.  -1: nothing has changed, why is in the log, and the reference is
 * the caller's still.
 */
int	superd_apply(struct superd *, struct conf *);

/* lend.c, wait = yes: the listening socket itself goes to one process, and comes back. */
void	superd_lend(struct superd *, struct listener *);
void	superd_returned(struct superd *, struct session *);

/* leave.c: addresses and services that are gone from the configuration. */
void	superd_leave(struct superd *, struct listener *);
/*
 * One that a new configuration has again is as if it had never left, and the
 * conf that declares it still is the caller's.  NULL: it has not left.
 */
struct conf *superd_take_back(struct superd *, struct listener *);
void	superd_drain_start(struct superd *);
void	superd_drain(struct superd *);	/* the first batches at once */
/* A listener that has left, is drained, and has lost its last flow. */
void	superd_close_left(struct superd *, struct listener *);
/* Frees a service that left, if nothing of it is left. */
void	superd_forget(struct superd *, struct running *);
/* Logs those addresses that wait and of which it was not told yet. */
void	superd_tell_waiting(struct superd *);
/* All of them, at once: superd stops. */
void	superd_close_listeners(struct superd *);

/* stop.c: no new connections; ends when no session is left. */
void	superd_stop(struct superd *);
/* Called when a session has ended: perhaps it was the last. */
void	superd_stop_check(struct superd *);

/* status.c: SIGUSR1. */
void	superd_status(const struct superd *);

/* reap.c: signals, and children that have ended. */
int	superd_watch_signals(struct superd *);

#endif
