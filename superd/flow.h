/*
 * flow.h - what goes on between one UDP peer, one of superd's addresses and one
 * process: found by the two addresses, and the one that has been silent longest
 * by its service.  The table knows no descriptor and no service.
 */
#ifndef FLOW_H
#define FLOW_H

#include "loop.h"
#include "session.h"

/* Of one service: those whose peers may still write. */
struct flow_queue {
	struct flow	*oldest, *newest;	/* by the time of the last datagram */
};

struct flow {
	struct watch	 watch;		/* of superd's end: of the pair, or of the pipe with the answer */
	struct listener	*listener;	/* that has the UDP socket; kept while it has flows */
	struct session	*session;	/* its process */
	int		 fd;		/* owned; the same */
	struct peer	 peer, local;
	struct timer	 timer;		/* idle_timeout; after end-of-file how long the process may stay */
	uint64_t	 idle_ms;	/* idle_timeout; 0: none */
	uint64_t	 last_ms;	/* when the peer wrote last */
	uint64_t	 in, out;	/* bytes, for traffic */
	struct flow_queue *queue;	/* NULL: its peer is not listened to any more */
	struct flow	*next_in_slot, *older, *newer;
	bool		 makes_room;	/* has got end-of-file so that a newcomer can be served */
	/* A process for one datagram. */
	bool		 once;
	bool		 overlong;	/* the answer is, so nothing is kept of it */
	char		*answer;	/* owned; what the process has written */
	size_t		 answer_len, answer_room;
};

struct flows {
	struct flow	**slots;	/* owned; NULL until flows_reserve */
	uint64_t	 seed[2];
};

/* seed is secret and random. */
void	flows_init(struct flows *, const uint64_t seed[2]);
/* -1: no memory.  May be called again. */
int	flows_reserve(struct flows *);
void	flows_finish(struct flows *);	/* with no flow in it */

/* NULL: there is none. */
struct flow *flow_find(const struct flows *, const struct listener *, const struct peer *peer,
	    const struct peer *local);
bool	flow_is_of(const struct flow *, const struct peer *peer, const struct peer *local);
/* From here on flow_find finds it, by its listener, peer and local. */
void	flow_add(struct flows *, struct flow *, struct flow_queue *, uint64_t now_ms);
/* The peer has written. */
void	flow_touch(struct flow *, uint64_t now_ms);
/* Not found any more; allowed for one that is not in the table. */
void	flow_remove(struct flows *, struct flow *);

#endif
