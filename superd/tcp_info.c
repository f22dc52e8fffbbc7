/* tcp_info.c - see tcp_info.h.  The C library's struct tcp_info may lack the byte counts, Linux's has them. */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

#include "tcp_info.h"

/* Connection states, as tcpi_state tells them: include/net/tcp_states.h of Linux. */
enum { TIME_WAIT = 6, CLOSE, CLOSE_WAIT, LAST_ACK, CLOSING = 11 };

static bool
ask(int fd, struct tcp_info *info)
{
	socklen_t len = sizeof *info;

	*info = (struct tcp_info){ .tcpi_state = 0 };
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len) == 0 &&
	    len > offsetof(struct tcp_info, tcpi_bytes_retrans);
}

bool
tcp_idle_ms(int fd, uint64_t *ms)
{
	struct tcp_info info;

	if (!ask(fd, &info))
		return false;
	*ms = info.tcpi_last_data_sent < info.tcpi_last_data_recv ? info.tcpi_last_data_sent :
	    info.tcpi_last_data_recv;
	return true;
}

/*
 * What was received counts the peer's FIN.  Of a connection that is closed it is
 * not told any more whether there was one: without an error there was.
 */
static bool
has_peers_end(int fd, int state)
{
	int error = 0;
	socklen_t len = sizeof error;

	if (state == CLOSE)
		return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0;
	return state == CLOSE_WAIT || state == LAST_ACK || state == CLOSING || state == TIME_WAIT;
}

bool
tcp_traffic(int fd, uint64_t *in, uint64_t *out)
{
	struct tcp_info info;

	if (!ask(fd, &info))
		return false;
	*in = info.tcpi_bytes_received;
	*in -= *in > 0 && has_peers_end(fd, info.tcpi_state);
	/* Of what is sent only the payload counts. */
	*out = info.tcpi_bytes_sent - info.tcpi_bytes_retrans + info.tcpi_notsent_bytes;
	return true;
}
