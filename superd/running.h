/*
 * running.h - a service while superd serves it.  What is declared is behind
 * service and constant; what happens is here.
 */
#ifndef RUNNING_H
#define RUNNING_H

#include "admission.h"
#include "flow.h"
#include "gate.h"
#include "launch.h"
#include "listener.h"
#include "session.h"
#include "stderr_lines.h"

struct superd;

/* Datagrams of UDP peers without a process, for which there is no room yet. */
struct newcomers {
	struct superd		*superd;
	struct newcomer		*first, *last;	/* owned */
	unsigned		 count;
	unsigned		 peers;		/* that need a process: one for each address of ours */
	size_t			 bytes;
	unsigned		 making_room;	/* processes that have got end-of-file for them */
	unsigned		 heard_out;	/* turns that room has waited for, so that a socket is read to its end */
	struct timer		 look;		/* behind this turn's events, or when one may be told to end or rate allows one */
	struct running		*next;		/* of those that have any */
	bool			 listed;
};

struct running {
	struct superd		*superd;
	const struct service	*service;	/* of conf; a reload puts another one here */
	struct conf		*conf;		/* held */
	struct listener		*listeners;	/* owned */
	struct listener		*parked;	/* those of them that wait for room in the service */
	struct stderr_lines	*stderr_lines;	/* owned; NULL: no pipe open */
	struct flow_queue	 flows;		/* UDP: the peers that may still write */
	struct newcomers	*newcomers;	/* owned; UDP: datagrams that wait for room; NULL: there were none yet */
	struct tally		 tally;		/* sessions alive */
	uint64_t		 served;	/* sessions begun, failed ones included */
	uint64_t		 failed;
	uint64_t		 dropped;	/* datagrams of those who are served, and answers */
	uint64_t		 refused[VERDICT_COUNT];
	struct timer		 rate_timer;	/* when the parked are looked at again */
	struct gate		 refuse_gate, failed_gate, overlong_gate;
	struct running		*next_held;	/* of those whose gates hold lines back */
	uint64_t		 full_told;	/* ms; when "full" was logged last */
	bool			 holds;		/* in that list */
	bool			 room_due;	/* "full" is logged and "room" is not yet */
	bool			 planned;	/* reload: goes on in the new configuration */
	bool			 leaving;	/* gone from the configuration: freed with its last session */
};

bool	running_has_newcomers(const struct running *);

/* What a client can cause at will: counted each time, logged as far as the gate lets it pass. */
void	running_failed(struct running *, uint64_t session, const struct peer *, enum stage,
	    const char *error, uint64_t now_ms);
void	running_overlong(struct running *, const struct session *, uint64_t now_ms);
void	running_refused(struct running *, const struct peer *, enum verdict, uint64_t now_ms);

#endif
