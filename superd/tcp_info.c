/* tcp_info.c - see tcp_info.h.  The C library's struct tcp_info may lack the byte counts, Linux's has them. */
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "tcp_info.h"

/* Connection states, as tcpi_state tells them: include/net/tcp_states.h of Linux. */
enum { ESTABLISHED = 1, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2, TIME_WAIT, CLOSE, CLOSE_WAIT,
	LAST_ACK, LISTEN, CLOSING };

static bool
ask(int fd, struct tcp_info *info)
{
	socklen_t len = sizeof *info;

	*info = (struct tcp_info){ .tcpi_state = 0 };
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len) == 0 &&
	    len > offsetof(struct tcp_info, tcpi_bytes_received);
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

bool
tcp_traffic(int fd, uint64_t *in, uint64_t *out)
{
	struct tcp_info info;
	int unsent, state;
	bool own_end, peers_end;

	if (!ask(fd, &info) || ioctl(fd, SIOCOUTQ, &unsent) == -1)
		return false;
	state = info.tcpi_state;
	peers_end = state == CLOSE_WAIT || state == LAST_ACK || state == CLOSING || state == TIME_WAIT;
	own_end = state == FIN_WAIT1 || state == FIN_WAIT2 || state == LAST_ACK || state == CLOSING ||
	    state == TIME_WAIT;
	*in = info.tcpi_bytes_received;
	*in -= peers_end && *in > 0;
	*out = info.tcpi_bytes_acked + (unsigned)unsent;
	*out -= own_end && *out > 0;
	return true;
}
