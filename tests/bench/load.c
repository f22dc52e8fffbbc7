/*
 * load.c - see load.h.
 *
 * One thread and an epoll.  A connection that is over is reset: it leaves no
 * TIME_WAIT behind, so that one run does not weigh on the next.  That happens
 * after the end of file was read, when the server has closed already.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "load.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT	24
#endif

#define SOURCES		250	/* addresses that clients rotate over */
#define SAMPLES		400000	/* connections of one load at most */
#define CONCURRENCY	1024
#define STALL_MS	10000	/* nothing happens for so long: those that are open have failed */
#define EVENTS		64
#define TURN_NS		100000
#define BACKGROUND	600.0	/* seconds a load of load_begin runs at most */

struct client {
	int fd;
	size_t got;
	double since;
};

struct state {
	const struct load *load;
	struct client clients[CONCURRENCY];
	struct load_result *result;
	float *latency;		/* microseconds, SAMPLES of them */
	int epoll;
	unsigned long begun;
	unsigned open;
	unsigned source;
	double since, until, ticked;
};

static struct sockaddr_in
address(unsigned net, unsigned host, int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((in_port_t)port),
		.sin_addr.s_addr = htonl(0x7f000000u | net << 8 | host) };
}

/* A socket on its way from 127.0.NET.HOST to the server; -1 when it could not set out. */
static int
set_out(unsigned net, unsigned host, int port, int flags)
{
	struct sockaddr_in from = address(net, host, 0), to = address(SERVER_NET, 1, port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), one = 1;

	if (fd == -1)
		return -1;
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
	if (bind(fd, (const struct sockaddr *)&from, sizeof from) == 0 &&
	    (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS))
		return fd;
	close(fd);
	return -1;
}

int
load_connect(int port)
{
	static unsigned host;

	return set_out(CLIENT_NET, 1 + host++ % SOURCES, port, 0);
}

static bool
may_begin(const struct state *state, double time)
{
	unsigned long most = state->load->most != 0 ? state->load->most : SAMPLES;

	return state->begun < most && state->begun < SAMPLES && time < state->until;
}

/* The first failure of a load is told, with its errno or what else is wrong. */
static void
failed(struct state *state, const char *fault)
{
	if (state->result->failed++ == 0)
		fprintf(stderr, "\nbench: a connection failed: %s\n", fault);
}

static void
begin(struct state *state, struct client *client)
{
	const struct load *load = state->load;
	struct epoll_event event = { .data.ptr = client,
		.events = load->say != NULL ? EPOLLOUT : EPOLLIN };

	client->fd = -1;
	while (client->fd == -1) {
		client->since = now();
		if (!may_begin(state, client->since))
			return;
		state->begun++;
		client->got = 0;
		client->fd = set_out(load->net, 1 + state->source++ % SOURCES, load->port,
		    SOCK_NONBLOCK);
		if (client->fd == -1)
			failed(state, strerror(errno));
	}
	if (epoll_ctl(state->epoll, EPOLL_CTL_ADD, client->fd, &event) == -1)
		fail("epoll_ctl");
	state->open++;
}

/* FAULT is NULL when all went as it must. */
static void
end(struct state *state, struct client *client, const char *fault)
{
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	if (fault == NULL)
		state->latency[state->result->done++] = (float)((now() - client->since) * 1e6);
	else
		failed(state, fault);
	(void)setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	close(client->fd);
	state->open--;
	begin(state, client);
}

/* The client speaks first: once its connection stands. */
static void
speak(struct state *state, struct client *client)
{
	struct epoll_event event = { .data.ptr = client, .events = EPOLLIN };
	size_t len = strlen(state->load->say);

	if (send(client->fd, state->load->say, len, MSG_NOSIGNAL) != (ssize_t)len)
		end(state, client, strerror(errno));
	else if (epoll_ctl(state->epoll, EPOLL_CTL_MOD, client->fd, &event) == -1)
		fail("epoll_ctl");
}

static void
hear(struct state *state, struct client *client)
{
	const char *expect = state->load->expect;
	size_t whole = strlen(expect);
	char bytes[256];
	ssize_t len = read(client->fd, bytes, sizeof bytes);

	if (len == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len == 0 || (len == -1 && errno == ECONNRESET && state->load->reset_is_end)) {
		end(state, client, client->got == whole ? NULL : "it ended early");
		return;
	}
	if (len == -1)
		end(state, client, strerror(errno));
	else if ((size_t)len > whole - client->got ||
	    memcmp(bytes, expect + client->got, (size_t)len) != 0)
		end(state, client, "wrong bytes");
	else
		client->got += (size_t)len;
}

static void
turn(struct state *state)
{
	struct epoll_event events[EVENTS];
	const struct load *load = state->load;
	int wait = load->tick != NULL ? (int)(load->every * 1e3) + 1 : STALL_MS;
	int count = epoll_wait(state->epoll, events, EVENTS, wait);

	if (count == 0 && (load->tick == NULL || now() > state->until + STALL_MS * 1e-3))
		for (unsigned i = 0; i < load->concurrency; i++)
			if (state->clients[i].fd != -1) {
				state->until = 0;
				end(state, &state->clients[i], "it stalled");
			}
	for (int i = 0; i < count; i++) {
		struct client *client = events[i].data.ptr;

		if ((events[i].events & EPOLLOUT) != 0)
			speak(state, client);
		else
			hear(state, client);
	}
	if (load->tick != NULL && now() - state->ticked >= load->every && now() < state->until) {
		load->tick(load->arg);
		state->ticked = now();
	}
}

static int
compare(const void *a, const void *b)
{
	return (*(const float *)a > *(const float *)b) - (*(const float *)a < *(const float *)b);
}

static void
percentiles(struct load_result *result, float *latency)
{
	if (result->done == 0)
		return;
	qsort(latency, result->done, sizeof *latency, compare);
	result->p50 = (double)latency[result->done / 2];
	result->p99 = (double)latency[result->done * 99 / 100];
	result->worst = (double)latency[result->done - 1];
}

void
load_run(const struct load *load, struct load_result *result)
{
	static struct state state;
	static float latency[SAMPLES];

	*result = (struct load_result){ 0 };
	if (load->concurrency > CONCURRENCY)
		fail("so many connections at once");
	turns(TURN_NS);		/* a latency must not tell how long the load itself waited */
	state = (struct state){ .load = load, .result = result, .latency = latency,
		.epoll = epoll_create1(EPOLL_CLOEXEC), .since = now() };
	if (state.epoll == -1)
		fail("epoll_create1");
	state.until = state.since + load->seconds;
	state.ticked = state.since;
	for (unsigned i = 0; i < load->concurrency; i++)
		begin(&state, &state.clients[i]);
	while (state.open > 0)
		turn(&state);
	result->seconds = now() - state.since;
	close(state.epoll);
	percentiles(result, latency);
}

pid_t
load_begin(const struct load *load)
{
	double until = now() + BACKGROUND;
	struct load_result result;
	pid_t pid = child_make();

	if (pid > 0)
		return pid;
	while (now() < until)
		load_run(load, &result);
	_exit(0);
}

void
load_end(pid_t pid)
{
	child_end(pid, SIGKILL);
}
