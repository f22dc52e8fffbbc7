/* flow.c - see flow.h. */
#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "sources.h"

#define SLOTS	(1u << 16)	/* of 8 bytes; pages that were never used are not resident */

void
flows_init(struct flows *flows, const uint64_t seed[2])
{
	*flows = (struct flows){ .seed = { seed[0], seed[1] } };
}

int
flows_reserve(struct flows *flows)
{
	if (flows->slots == NULL)
		flows->slots = calloc(SLOTS, sizeof *flows->slots);
	return flows->slots == NULL ? -1 : 0;
}

void
flows_finish(struct flows *flows)
{
	free(flows->slots);
	flows->slots = NULL;
}

/* Peers choose their addresses: the hash is a keyed one.  Of the local address they have no choice. */
static struct flow **
slot_of(const struct flows *flows, const struct listener *listener, const struct peer *peer)
{
	uint64_t words[3];

	memcpy(words, &peer->ip, sizeof peer->ip);
	words[2] = (uint64_t)(uintptr_t)listener << 16 ^ (uint64_t)peer->scope << 16 ^ peer->port;
	return &flows->slots[sources_hash(flows->seed, words) % SLOTS];
}

bool
flow_is_of(const struct flow *flow, const struct peer *peer, const struct peer *local)
{
	return address_peers_equal(&flow->peer, peer) && address_peers_equal(&flow->local, local);
}

struct flow *
flow_find(const struct flows *flows, const struct listener *listener, const struct peer *peer,
    const struct peer *local)
{
	struct flow *flow = *slot_of(flows, listener, peer);

	while (flow != NULL && (flow->listener != listener || !flow_is_of(flow, peer, local)))
		flow = flow->next_in_slot;
	return flow;
}

static void
queue_append(struct flow_queue *queue, struct flow *flow)
{
	flow->newer = NULL;
	flow->older = queue->newest;
	*(queue->newest != NULL ? &queue->newest->newer : &queue->oldest) = flow;
	queue->newest = flow;
}

static void
queue_remove(struct flow_queue *queue, struct flow *flow)
{
	*(flow->older != NULL ? &flow->older->newer : &queue->oldest) = flow->newer;
	*(flow->newer != NULL ? &flow->newer->older : &queue->newest) = flow->older;
}

void
flow_add(struct flows *flows, struct flow *flow, struct flow_queue *queue, uint64_t now_ms)
{
	struct flow **slot = slot_of(flows, flow->listener, &flow->peer);

	flow->next_in_slot = *slot;
	*slot = flow;
	flow->queue = queue;
	flow->last_ms = now_ms;
	queue_append(queue, flow);
}

void
flow_touch(struct flow *flow, uint64_t now_ms)
{
	flow->last_ms = now_ms;
	if (flow->newer == NULL)
		return;
	queue_remove(flow->queue, flow);
	queue_append(flow->queue, flow);
}

void
flow_remove(struct flows *flows, struct flow *flow)
{
	struct flow **slot;

	if (flow->queue == NULL)
		return;
	slot = slot_of(flows, flow->listener, &flow->peer);
	while (*slot != flow)
		slot = &(*slot)->next_in_slot;
	*slot = flow->next_in_slot;
	queue_remove(flow->queue, flow);
	flow->queue = NULL;
}
