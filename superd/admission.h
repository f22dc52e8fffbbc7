/*
 * admission.h - may this connection have a process?  Asked before any fork,
 * answered by a verdict that has a name.  Pure: no system call, no clock.
 *
 * Two questions are asked.  admission_room, before a connection is accepted:
 * is there room at all, or is the kernel's queue the place to wait?
 * admission_request, once the peer is known: a ticket, or the reason why not.
 */
#ifndef ADMISSION_H
#define ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"

/* One list makes the enum, the word in the log and the counters of the status. */
#define VERDICTS(X)					\
	X(ADMIT,		"admitted")		\
	X(REFUSE_MAX_SESSIONS,	"max_sessions")		\
	X(REFUSE_GLOBAL,	"global")
#define VERDICT_NAME(name, word)	name,
enum verdict { VERDICTS(VERDICT_NAME) VERDICT_COUNT };
#undef VERDICT_NAME
extern const char *const verdict_word[VERDICT_COUNT];

/* What is live: of one service, and of all. */
struct tally {
	uint32_t	live;
};

struct admission {
	struct tally	all;
	uint32_t	max_sessions;	/* of all services together */
};

enum room {
	ROOM,			/* accept: the answer may still be a refusal */
	ROOM_NOT_IN_SERVICE,	/* leave it in the queue until a session of the service ends */
	ROOM_NOT_AT_ALL,	/* ... until any session ends */
};
enum room	admission_room(const struct admission *, const struct service *, const struct tally *);

/* ADMIT: the session is counted, until admission_release.  Else nothing is. */
enum verdict	admission_request(struct admission *, const struct service *, struct tally *);
void		admission_release(struct admission *, struct tally *);

#endif
