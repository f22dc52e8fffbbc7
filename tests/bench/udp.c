/*
 * udp.c - see udp.h.
 *
 * A datagram that is not back in time counts as lost, and the peer goes on
 * with the next; one that comes late after all is known by its number.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "udp.h"

#define PEERS		1024
#define SOURCES		250
#define SAMPLES		1000000UL
#define LOST_S		0.5
#define WARM_S		5.0	/* until all peers must have had an answer; then it goes on without */
#define LOOK_MS		100	/* between two looks for lost ones */
#define EVENTS		64

struct datagram {
	unsigned peer, number;
	char text[56];
};

struct peer {
	int fd;
	struct datagram sent;
	double since;
	bool known;		/* something came back: its process runs */
};

struct state {
	struct peer peers[PEERS];
	struct load_result *result;
	float *latency;
	int epoll;
	unsigned count, known;
};

static int
peer_open(unsigned number, int port)
{
	struct sockaddr_in from = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(0x7f000001u + (CLIENT_NET << 8) + number % SOURCES) };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((in_port_t)port),
		.sin_addr.s_addr = htonl(0x7f000001u | SERVER_NET << 8) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1 || bind(fd, (const struct sockaddr *)&from, sizeof from) == -1 ||
	    connect(fd, (const struct sockaddr *)&to, sizeof to) == -1)
		fail("a socket for datagrams");
	return fd;
}

static void
ask(struct peer *peer)
{
	peer->sent.number++;
	peer->since = now();
	(void)!send(peer->fd, &peer->sent, sizeof peer->sent, MSG_NOSIGNAL);
}

static void
hear(struct state *state, struct peer *peer)
{
	struct datagram got;
	ssize_t len = recv(peer->fd, &got, sizeof got, 0);

	if (len == -1 || (len == (ssize_t)sizeof got && got.peer == peer->sent.peer &&
	    got.number < peer->sent.number))
		return;
	if (len != (ssize_t)sizeof got || memcmp(&got, &peer->sent, sizeof got) != 0)
		state->result->failed++;
	else if (state->result->done < SAMPLES)
		state->latency[state->result->done++] = (float)((now() - peer->since) * 1e6);
	state->known += !peer->known;
	peer->known = true;
	ask(peer);
}

static void
look_for_lost(struct state *state)
{
	double time = now();

	for (unsigned i = 0; i < state->count; i++)
		if (time - state->peers[i].since > LOST_S) {
			state->result->failed++;
			ask(&state->peers[i]);
		}
}

static void
begin(struct state *state, int port)
{
	for (unsigned i = 0; i < state->count; i++) {
		struct peer *peer = &state->peers[i];
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = peer };

		*peer = (struct peer){ .fd = peer_open(i, port), .sent = { .peer = i } };
		memset(peer->sent.text, 'a' + (int)(i % 26), sizeof peer->sent.text);
		if (epoll_ctl(state->epoll, EPOLL_CTL_ADD, peer->fd, &event) == -1)
			fail("epoll_ctl");
		ask(peer);
	}
}

static int
ascending(const void *a, const void *b)
{
	return (*(const float *)a > *(const float *)b) - (*(const float *)a < *(const float *)b);
}

void
udp_run(const struct udp_load *load, struct load_result *result)
{
	static struct state state;
	static float latency[SAMPLES];
	struct epoll_event events[EVENTS];
	double since = now(), looked = since, until = since + WARM_S;
	bool warm = false;

	*result = (struct load_result){ 0 };
	state = (struct state){ .result = result, .latency = latency, .count = load->peers,
		.epoll = epoll_create1(EPOLL_CLOEXEC) };
	if (state.epoll == -1 || load->peers > PEERS)
		fail("so many peers");
	begin(&state, load->port);
	while (now() < until && result->done < SAMPLES) {
		int count = epoll_wait(state.epoll, events, EVENTS, LOOK_MS);

		for (int i = 0; i < count; i++)
			hear(&state, events[i].data.ptr);
		if (now() - looked > LOOK_MS * 1e-3) {
			look_for_lost(&state);
			looked = now();
		}
		if (!warm && (state.known == state.count || now() >= until)) {
			warm = true;	/* the making of processes is not what is measured */
			result->done = 0;
			since = now();
			until = since + load->seconds;
		}
	}
	result->seconds = now() - since;
	for (unsigned i = 0; i < state.count; i++)
		close(state.peers[i].fd);
	close(state.epoll);
	qsort(latency, result->done, sizeof *latency, ascending);
	result->p50 = result->done > 0 ? (double)latency[result->done / 2] : 0;
	result->p99 = result->done > 0 ? (double)latency[result->done * 99 / 100] : 0;
}

int
udp_answers(int port)
{
	struct peer peer = { .fd = peer_open(0, port) };
	struct pollfd answer = { .fd = peer.fd, .events = POLLIN };
	struct datagram got;
	int answers;

	ask(&peer);
	answers = poll(&answer, 1, LOOK_MS) == 1 &&
	    recv(peer.fd, &got, sizeof got, 0) == (ssize_t)sizeof got;
	close(peer.fd);
	return answers;
}
