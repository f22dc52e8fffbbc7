/*
 * sources.c - see sources.h.  All accounts lie in one array and name each other
 * by number, 0 for none.  A used account is in the chain of its hash.  An idle
 * one is also in the queue of its class, the power of two of the ms it had still
 * to heal when it fell idle: within a queue the first heals soonest, as far as a
 * factor of two goes, and the accounts that heal soonest of all are among the
 * few first ones.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "sources.h"

#define CLASSES	64

struct account {
	struct holder	holder;
	struct bucket	bucket;
	uint64_t	heals_ms;	/* while idle: when the bucket is full, or the ban over */
	uint32_t	chain;		/* next of the same hash, or next free one */
	uint32_t	older, newer;	/* while idle: neighbours in the queue */
	uint32_t	live : 24;	/* sessions */
	uint32_t	class : 8;	/* while idle: its queue */
};
_Static_assert(sizeof(struct account) == 64, "as the manual says");
_Static_assert(sizeof(struct holder) == 24, "three words to hash, no holes");
_Static_assert(SESSIONS_MAX < 1 << 24, "live must hold them all");

struct queue {
	uint32_t	oldest, newest;
};

struct sources {
	uint64_t	seed[2];
	uint64_t	idle;		/* a bit for each class whose queue is not empty */
	struct queue	queues[CLASSES];
	uint32_t	*heads;		/* first account of a hash; behind the accounts */
	uint32_t	mask;		/* their number less one */
	uint32_t	size;		/* accounts */
	uint32_t	touched;	/* of them ever used: 1 to touched */
	uint32_t	free;		/* first of those given back */
	uint32_t	count;		/* used now */
	struct account	accounts[];	/* [0] stands for none */
};

static uint64_t
turn(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static void
sip_rounds(uint64_t v[4], unsigned rounds)
{
	while (rounds-- > 0) {
		v[0] += v[1];
		v[1] = turn(v[1], 13) ^ v[0];
		v[0] = turn(v[0], 32);
		v[2] += v[3];
		v[3] = turn(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = turn(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = turn(v[1], 17) ^ v[2];
		v[2] = turn(v[2], 32);
	}
}

/* Aumasson and Bernstein, SipHash: a fast short-input PRF, 2012. */
uint64_t
sources_hash(const uint64_t seed[2], const uint64_t words[3])
{
	const uint64_t blocks[4] = { le64toh(words[0]), le64toh(words[1]), le64toh(words[2]),
		UINT64_C(24) << 56 };
	uint64_t v[4] = {
		seed[0] ^ UINT64_C(0x736f6d6570736575), seed[1] ^ UINT64_C(0x646f72616e646f6d),
		seed[0] ^ UINT64_C(0x6c7967656e657261), seed[1] ^ UINT64_C(0x7465646279746573),
	};

	for (int i = 0; i < 4; i++) {
		v[3] ^= blocks[i];
		sip_rounds(v, 2);
		v[0] ^= blocks[i];
	}
	v[2] ^= 0xff;
	sip_rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static bool
is_link_local(const struct in6_addr *ip)
{
	return address_is_mapped(ip) ? ip->s6_addr[12] == 169 && ip->s6_addr[13] == 254 :
	    IN6_IS_ADDR_LINKLOCAL(ip);
}

struct holder
holder_of(const struct peer *peer, uint32_t service, const struct source_prefix *prefix)
{
	struct holder holder = { .service = service };
	unsigned bits = address_is_mapped(&peer->ip) ? 96u + prefix->four : prefix->six;

	if (peer->local) {
		holder.scope = peer->uid;
		return holder;
	}
	holder.ip = peer->ip;
	if (is_link_local(&peer->ip)) {
		holder.scope = peer->scope;
		return holder;
	}
	for (unsigned i = bits / 8; i < 16; i++)
		holder.ip.s6_addr[i] &= (uint8_t)(i > bits / 8 ? 0 : 0xff00 >> bits % 8);
	return holder;
}

struct sources *
sources_new(uint32_t size, const uint64_t seed[2])
{
	struct sources *sources;
	uint32_t heads = 1;

	while (heads < size && heads < UINT32_C(1) << 31)
		heads *= 2;
	/* In one piece: malloc(3) maps what is large, and of that only what is used becomes memory. */
	sources = calloc(1, sizeof *sources + ((size_t)size + 1) * sizeof *sources->accounts +
	    heads * sizeof *sources->heads);
	if (sources == NULL)
		return NULL;
	sources->heads = (uint32_t *)(void *)&sources->accounts[(size_t)size + 1];
	sources->mask = heads - 1;
	sources->size = size;
	memcpy(sources->seed, seed, sizeof sources->seed);
	return sources;
}

void
sources_free(struct sources *sources)
{
	free(sources);
}

static uint32_t *
head_of(const struct sources *sources, const struct holder *holder)
{
	uint64_t words[3];

	memcpy(words, holder, sizeof words);
	return &sources->heads[sources_hash(sources->seed, words) & sources->mask];
}

/* The number of its account, or 0. */
static uint32_t
find(const struct sources *sources, const struct holder *holder)
{
	uint32_t at = *head_of(sources, holder);

	while (at != 0 && memcmp(&sources->accounts[at].holder, holder, sizeof *holder) != 0)
		at = sources->accounts[at].chain;
	return at;
}

static void
queue_remove(struct sources *sources, uint32_t at)
{
	const struct account *account = &sources->accounts[at];
	struct queue *queue = &sources->queues[account->class];

	*(account->older != 0 ? &sources->accounts[account->older].newer : &queue->oldest) = account->newer;
	*(account->newer != 0 ? &sources->accounts[account->newer].older : &queue->newest) = account->older;
	if (queue->oldest == 0)
		sources->idle &= ~(UINT64_C(1) << account->class);
}

static void
queue_append(struct sources *sources, uint32_t at, uint64_t ms, uint64_t now_ms)
{
	struct account *account = &sources->accounts[at];
	unsigned class = 63 - (unsigned)__builtin_clzll(ms | 1);
	struct queue *queue = &sources->queues[class];

	account->heals_ms = now_ms + ms;
	account->class = class & 0xff;
	account->older = queue->newest;
	account->newer = 0;
	*(queue->newest != 0 ? &sources->accounts[queue->newest].newer : &queue->oldest) = at;
	queue->newest = at;
	sources->idle |= UINT64_C(1) << class;
}

/* ms until it heals; nothing of it is left once that time has passed. */
static uint64_t
healing_ms(const struct account *account, uint64_t now_ms)
{
	const uint64_t left = account->heals_ms - now_ms;

	return left > INT64_MAX ? 0 : left;
}

/* The idle account that heals soonest, of the first ones of each queue; 0: none is idle. */
static uint32_t
find_soonest(const struct sources *sources, uint64_t now_ms)
{
	uint64_t least = UINT64_MAX, left;
	uint32_t soonest = 0, at;

	for (uint64_t idle = sources->idle; idle != 0 && least != 0; idle &= idle - 1) {
		at = sources->queues[__builtin_ctzll(idle)].oldest;
		if ((left = healing_ms(&sources->accounts[at], now_ms)) < least) {
			least = left;
			soonest = at;
		}
	}
	return soonest;
}

static void
forget(struct sources *sources, uint32_t at)
{
	struct account *account = &sources->accounts[at];
	uint32_t *link = head_of(sources, &account->holder);

	while (*link != at)
		link = &sources->accounts[*link].chain;
	*link = account->chain;
	account->chain = sources->free;
	sources->free = at;
	sources->count--;
}

/* A place for a new account, or 0.  A healed one comes before one never used, to keep memory small. */
static uint32_t
find_place(struct sources *sources, uint64_t now_ms)
{
	uint32_t at;

	if (sources->free == 0 && (at = find_soonest(sources, now_ms)) != 0 &&
	    (sources->touched == sources->size || healing_ms(&sources->accounts[at], now_ms) == 0)) {
		queue_remove(sources, at);
		forget(sources, at);
	}
	if ((at = sources->free) != 0)
		sources->free = sources->accounts[at].chain;
	else if (sources->touched < sources->size)
		at = ++sources->touched;
	return at;
}

/* Opens an account, not in any queue; 0: no place. */
static uint32_t
add(struct sources *sources, const struct holder *holder, uint64_t now_ms)
{
	uint32_t at = find_place(sources, now_ms);
	uint32_t *head = head_of(sources, holder);

	if (at == 0)
		return 0;
	sources->accounts[at] = (struct account){ .holder = *holder, .chain = *head };
	*head = at;
	sources->count++;
	return at;
}

enum source_answer
sources_ask(const struct sources *sources, const struct holder *holder, uint32_t most,
    const struct rate *rate, uint64_t now_ms)
{
	uint32_t at = find(sources, holder);
	const struct account *account = &sources->accounts[at];

	if (at == 0 && sources->free == 0 && sources->idle == 0 && sources->touched == sources->size)
		return SOURCES_FULL;
	if (account->live >= most)
		return SOURCE_AT_LIMIT;
	return rate_ready(rate, &account->bucket, now_ms) ? SOURCE_ADMIT : SOURCE_TOO_FAST;
}

struct account *
sources_enter(struct sources *sources, const struct holder *holder, const struct rate *rate,
    uint64_t now_ms)
{
	uint32_t at = find(sources, holder);
	struct account *account;

	if (at != 0 && sources->accounts[at].live == 0)
		queue_remove(sources, at);
	if (at == 0 && (at = add(sources, holder, now_ms)) == 0)
		return NULL;
	account = &sources->accounts[at];
	account->live++;
	rate_take(rate, &account->bucket, now_ms);
	return account;
}

void
sources_leave(struct sources *sources, struct account *account, const struct rate *rate, uint64_t now_ms)
{
	const uint32_t at = (uint32_t)(account - sources->accounts);
	uint64_t ms;

	if (--account->live > 0)
		return;
	if ((ms = rate_heal_ms(rate, &account->bucket, now_ms)) > 0)
		queue_append(sources, at, ms, now_ms);
	else
		forget(sources, at);
}

void
sources_cancel(struct sources *sources, struct account *account, const struct rate *rate,
    uint64_t now_ms)
{
	rate_return(rate, &account->bucket, now_ms);
	sources_leave(sources, account, rate, now_ms);
}

uint32_t
sources_live(const struct sources *sources, const struct holder *holder)
{
	return sources->accounts[find(sources, holder)].live;
}

uint64_t
sources_wait_ms(const struct sources *sources, const struct holder *holder, const struct rate *rate,
    uint64_t now_ms)
{
	return rate_wait_ms(rate, &sources->accounts[find(sources, holder)].bucket, now_ms);
}

uint32_t
sources_busiest(const struct sources *sources, uint32_t service, struct holder *who)
{
	uint32_t most = 0;

	for (uint32_t at = 1; at <= sources->touched; at++) {
		const struct account *account = &sources->accounts[at];

		if (account->holder.service == service && account->live > most) {
			most = account->live;
			*who = account->holder;
		}
	}
	return most;
}

uint32_t
sources_count(const struct sources *sources)
{
	return sources->count;
}

void
sources_ban(struct sources *sources, const struct holder *holder, uint64_t ms, uint64_t now_ms)
{
	uint32_t at = find(sources, holder);

	if (at != 0) {
		if (healing_ms(&sources->accounts[at], now_ms) >= ms)
			return;
		queue_remove(sources, at);
	} else if ((at = add(sources, holder, now_ms)) == 0) {
		return;
	}
	queue_append(sources, at, ms, now_ms);
}

bool
sources_banned(const struct sources *sources, const struct holder *holder, uint64_t now_ms)
{
	uint32_t at = find(sources, holder);

	return at != 0 && healing_ms(&sources->accounts[at], now_ms) > 0;
}
