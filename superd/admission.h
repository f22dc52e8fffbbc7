/*
 * admission.h - may this connection have a process?  Asked before any fork,
 * answered by a verdict that has a name.  Pure: no system call, no clock.
 *
 * Two questions are asked.  admission_room, before a connection is accepted:
 * is there room at all, or is the kernel's queue the place to wait?
 * admission_request, once the peer is known: a ticket, or the reason why not.
 * A refused connection leaves no trace in any count or rate.
 */
#ifndef ADMISSION_H
#define ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"

/* One list makes the enum, the word in the log and the counters of the status. */
#define VERDICTS(X)					\
	X(ADMIT,		"admitted")		\
	X(REFUSE_DENIED,	"denied")		\
	X(REFUSE_SENSOR,	"sensor")		\
	X(REFUSE_HOURS,		"hours")		\
	X(REFUSE_LOAD,		"load")			\
	X(REFUSE_MAX_SESSIONS,	"max_sessions")		\
	X(REFUSE_GLOBAL,	"global")		\
	X(REFUSE_MAX_PER_SOURCE, "max_per_source")	\
	X(REFUSE_RATE_PER_SOURCE, "rate_per_source")	\
	X(REFUSE_RATE,		"rate")
#define VERDICT_NAME(name, word)	name,
enum verdict { VERDICTS(VERDICT_NAME) VERDICT_COUNT };
#undef VERDICT_NAME
extern const char *const verdict_word[VERDICT_COUNT];

/* What one service has running, and how fast it may start more. */
struct tally {
	struct bucket	bucket;		/* of rate */
	uint32_t	live;
	uint32_t	number;		/* of the service, for its sources' accounts; from 1 */
};

/* Over all services. */
struct admission {
	struct sources	*sources;	/* owned */
	struct sources	*sensor;	/* owned; who is banned */
	struct source_prefix prefix;
	uint32_t	 live;
	uint32_t	 max_sessions;
};

/* seed is secret and random.  -1: no memory. */
int	admission_init(struct admission *, const uint64_t seed[2]);
void	admission_finish(struct admission *);

enum room {
	ROOM,			/* accept: the answer may still be a refusal */
	ROOM_NOT_IN_SERVICE,	/* leave it in the queue until a session of the service ends */
	ROOM_NOT_AT_ALL,	/* ... until any session ends */
	ROOM_NOT_YET,		/* ... until rate allows the next, in admission_wait_ms */
};
enum room	admission_room(const struct admission *, const struct service *,
		    const struct tally *, uint64_t now_ms);
uint64_t	admission_wait_ms(const struct service *, const struct tally *, uint64_t now_ms);

/* What the caller knows of the moment; only what the service's keys ask for need be true. */
struct moment {
	uint64_t	ms;		/* monotonic */
	int		weekday;	/* local time: 0 is Sunday */
	int		minute;		/* of the day */
	uint32_t	load;		/* one-minute load average, in hundredths */
	bool		own;		/* an address of this host; see admission_minds_own */
};

/* Whether moment.own matters: a sensor is touched, or the peer's source is banned. */
bool		admission_minds_own(const struct admission *, const struct service *,
		    const struct peer *, uint64_t now_ms);
/* What admission_request would say if there were room: for who has to wait for some.  Changes nothing. */
enum verdict	admission_ask(const struct admission *, const struct service *, const struct tally *,
		    const struct peer *, const struct moment *);

/*
 * ADMIT: the session is counted, and *ticket is for admission_release.  A
 * sensor's answer also bans the peer's source everywhere, this host's own
 * addresses in it excepted.
 */
enum verdict	admission_request(struct admission *, const struct service *, struct tally *,
		    const struct peer *, const struct moment *, struct account **ticket);
/* The session is over. */
void		admission_release(struct admission *, const struct service *, struct tally *,
		    struct account *ticket, uint64_t now_ms);
/* It never came to be, through no fault of the client: what rates took goes back too. */
void		admission_cancel(struct admission *, const struct service *, struct tally *,
		    struct account *ticket, uint64_t now_ms);

#endif
