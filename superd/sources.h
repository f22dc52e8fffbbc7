/*
 * sources.h - what each source has running and how fast it came: the bounded
 * table behind max_per_source and rate_per_source, and another one of the same
 * kind for sensor.  Pure: no system call, no clock; after sources_new no memory
 * is taken.  A call takes the same short time however full the table is.
 *
 * A source is a peer's address without the bits that source_prefix leaves out,
 * so that whoever owns a whole network of IPv6 is one source.  It has an account
 * with each service that serves it or has served it lately: sessions that live,
 * and a token bucket.  Only an admitted session opens an account; who is refused
 * leaves no trace.  An account without sessions is kept until its bucket is full
 * again, since a new one would be no different from then on.
 *
 * When a new account finds no free place, the idle account that heals soonest
 * makes room (of those that heal between 2^n and 2^(n+1) ms after their last
 * session: the longest idle).  It loses the rest of a wait that was nearly over,
 * and the longest waits are kept longest: whoever comes once from each of a
 * million addresses drives out those accounts, not that of the one who came a
 * thousand times.  An account with live sessions is never driven out, and the
 * table never grows.  Places are found by SipHash with a secret seed, so that
 * nobody can choose addresses that collide.
 */
#ifndef SOURCES_H
#define SOURCES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "rate.h"

/* Who has an account: a source, at a service. */
struct holder {
	struct in6_addr	ip;		/* masked; of a Unix socket's client :: */
	uint32_t	scope;		/* interface of a link-local address; of a Unix client its uid */
	uint32_t	service;	/* any number that means one service, 0 for all of them */
};

/* source_prefix: bits of an address that make a source. */
struct source_prefix {
	uint8_t	four, six;
};

/* Of link-local addresses all bits count, and the interface. */
struct holder holder_of(const struct peer *, uint32_t service, const struct source_prefix *);

/* 64 bytes an account, and 4 to 8 for finding it; pages that were never used are not resident. */
struct sources	*sources_new(uint32_t accounts, const uint64_t seed[2]);	/* NULL: no memory */
void		 sources_free(struct sources *);

enum source_answer {
	SOURCE_ADMIT,
	SOURCE_AT_LIMIT,	/* as many live sessions as it may have */
	SOURCE_TOO_FAST,	/* its bucket is empty */
	SOURCES_FULL,		/* every account has live sessions: make the table larger than max_sessions */
};
/* Whether sources_enter would be right; changes nothing.  most may be UINT32_MAX. */
enum source_answer sources_ask(const struct sources *, const struct holder *, uint32_t most,
	    const struct rate *, uint64_t now_ms);

/*
 * Counts a session and takes a token, where there is one.  The account is
 * borrowed until sources_leave.  NULL: SOURCES_FULL.
 */
struct account	*sources_enter(struct sources *, const struct holder *, const struct rate *,
	    uint64_t now_ms);
/* The session is over; or it never came to be, and its token goes back. */
void		 sources_leave(struct sources *, struct account *, const struct rate *, uint64_t now_ms);
void		 sources_cancel(struct sources *, struct account *, const struct rate *,
	    uint64_t now_ms);

/* How many sessions it has; for how many ms it is SOURCE_TOO_FAST. */
uint32_t	 sources_live(const struct sources *, const struct holder *);
uint64_t	 sources_wait_ms(const struct sources *, const struct holder *, const struct rate *,
	    uint64_t now_ms);
/*
 * The most sessions that one source has at this service, and who that is; 0: no
 * one, and *who is left as it was.  Looks at every account: for once a minute.
 */
uint32_t	 sources_busiest(const struct sources *, uint32_t service, struct holder *who);
/* Accounts that take a place, healed ones among them. */
uint32_t	 sources_count(const struct sources *);

/*
 * sensor: a table of its own, where a source is banned for so long from now, or
 * still for longer.  When it is full, the ban that ends soonest ends now (as above).
 */
void	 sources_ban(struct sources *, const struct holder *, uint64_t ms, uint64_t now_ms);
bool	 sources_banned(const struct sources *, const struct holder *, uint64_t now_ms);

/* SipHash-2-4 of 24 bytes: for any table whose keys a stranger can choose. */
uint64_t sources_hash(const uint64_t seed[2], const uint64_t words[3]);

#endif
