/*
 * udp_once.c - idle_timeout = 0: a process for each datagram, which reads it from
 * a pipe up to end-of-file; all that it writes until it ends is the answer.  So
 * any filter is a UDP service.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "events.h"
#include "superd.h"

#define ANSWER_STEP	4096	/* by which the room for an answer grows */

/* Nothing of an answer that is too long is sent, so nobody need read the rest: SIGPIPE tells the process. */
static void
give_up_answer(struct superd *superd, struct flow *flow)
{
	watch_remove(&flow->watch);
	close(flow->fd);
	flow->fd = -1;
	free(flow->answer);
	flow->answer = NULL;
	flow->answer_len = flow->answer_room = 0;
	flow->overlong = true;
	running_overlong(flow->session->running, flow->session, superd->loop.now);
	superd_watch_gates(superd, flow->session->running);
}

static void
keep_answer(struct superd *superd, struct flow *flow, const unsigned char *bytes, size_t len)
{
	size_t room = (flow->answer_len + len + ANSWER_STEP - 1) / ANSWER_STEP * ANSWER_STEP;
	char *more = flow->answer;

	if (flow->overlong)
		return;
	if (flow->answer_len + len > DATAGRAM_BYTES) {
		give_up_answer(superd, flow);
		return;
	}
	if (room > flow->answer_room) {
		if ((more = realloc(flow->answer, room)) == NULL) {
			flow->session->running->dropped++;
			flow->overlong = true;	/* of memory there is no more */
			return;
		}
		flow->answer = more;
		flow->answer_room = room;
	}
	memcpy(flow->answer + flow->answer_len, bytes, len);
	flow->answer_len += len;
}

/* What is in the pipe: a read does not wait when there is something. */
static void
answer_ready(struct watch *watch)
{
	struct flow *flow = container_of(watch, struct flow, watch);
	struct superd *superd = flow->session->running->superd;
	ssize_t len = read(flow->fd, superd->datagrams.room, DATAGRAM_BYTES + 1);

	if (len > 0)
		keep_answer(superd, flow, superd->datagrams.room, (size_t)len);
	else if (len == 0 || errno != EINTR)
		watch_remove(watch);
}

void
superd_answer_once(struct flow *flow)
{
	struct iovec answer;
	int len = 0;

	while (!flow->overlong && ioctl(flow->fd, FIONREAD, &len) == 0 && len > 0)
		answer_ready(&flow->watch);
	answer = (struct iovec){ flow->answer, flow->answer_len };
	/* What superd has cut off is not an answer. */
	if (flow->overlong || flow->answer_len == 0 || flow->session->cause != CAUSE_NONE)
		return;
	flow->out = flow->answer_len;
	if (datagram_send(flow->listener->fd, &flow->listener->bound, &flow->local, &flow->peer,
	    &answer, 1) == 0)
		flow->session->running->dropped++;
}

/*
 * An empty pipe holds the longest datagram, unless superd is no root and has used
 * up its share of pipes (fs.pipe-user-pages-soft): then some hold a page only.
 */
static bool
fill(int fd, const struct iovec *question)
{
	int size = question->iov_len > ANSWER_STEP ? fcntl(fd, F_GETPIPE_SZ) : ANSWER_STEP;

	if (size != -1 && (size_t)size < question->iov_len)
		size = fcntl(fd, F_SETPIPE_SZ, DATAGRAM_BYTES);
	if (size == -1 || (size_t)size < question->iov_len) {
		errno = EMFILE;
		return false;
	}
	return write(fd, question->iov_base, question->iov_len) == (ssize_t)question->iov_len;
}

/* Two pipes, the first of which has the datagram and its end.  ends: what the process gets. */
static struct flow *
open_once(struct superd *superd, struct listener *listener, const struct datagram *one, int ends[2])
{
	struct flow *flow = calloc(1, sizeof *flow);
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, error;

	if (flow == NULL)
		return NULL;
	*flow = (struct flow){ .listener = listener, .peer = one->peer, .local = one->local,
		.in = one->bytes.iov_len, .once = true };
	if (pipe2(in, O_CLOEXEC) == 0 && fill(in[1], &one->bytes) && pipe2(out, O_CLOEXEC) == 0 &&
	    watch_add(&flow->watch, &superd->loop.pool, out[0], answer_ready) == 0) {
		close(in[1]);
		flow->fd = out[0];
		ends[0] = in[0];
		ends[1] = out[1];
		return flow;
	}
	error = errno;
	for (int i = 0; i < 2; i++) {
		if (in[i] != -1)
			close(in[i]);
		if (out[i] != -1)
			close(out[i]);
	}
	free(flow);
	errno = error;
	return NULL;
}

static void
start_once(struct superd *superd, struct listener *listener, const struct datagram *one,
    struct account *ticket)
{
	int ends[2];
	struct flow *flow = open_once(superd, listener, one, ends);
	struct session *session;

	if (flow == NULL) {
		superd_not_started(superd, listener, session_next_id(&superd->sessions), &one->peer,
		    STAGE_DESCRIPTORS, ticket);
		return;
	}
	session = superd_start(superd, listener, ends[0], ends[1], &one->peer, &one->local, ticket);
	launch_close(&superd->launcher, ends[0]);
	launch_close(&superd->launcher, ends[1]);
	if (session == NULL) {
		watch_remove(&flow->watch);
		close(flow->fd);
		free(flow);
		return;
	}
	session->flow = flow;
	flow->session = session;
	listener->flows++;
}

void
superd_filter(struct superd *superd, struct listener *listener, const struct datagram *one)
{
	struct running *running = listener->running;
	struct moment moment = superd_moment(superd, listener->service, &one->peer);
	struct account *ticket;
	enum verdict verdict = superd_is_own(superd, &one->peer) ? REFUSE_DENIED :
	    admission_request(&superd->admission, listener->service, &running->tally, &one->peer,
	    &moment, &ticket);

	if (verdict == ADMIT)
		start_once(superd, listener, one, ticket);
	else
		running_refused(running, &one->peer, verdict, moment.ms);
	superd_watch_gates(superd, running);
}

enum accept_step
superd_take_datagram(struct superd *superd, struct listener *listener)
{
	if (datagram_receive(&superd->datagrams, listener->fd, &listener->bound, 1) == -1)
		return superd_accept_failed(superd, listener, errno);
	/* A session of before the last reload may be waiting for more of this peer: he is served anew. */
	if (superd->datagrams.item->bytes.iov_len <= DATAGRAM_BYTES)
		superd_filter(superd, listener, superd->datagrams.item);
	else
		listener->running->dropped++;	/* it is cut off */
	return superd_pauses(superd) ? ACCEPT_PAUSED : ACCEPT_TAKEN;
}
