/*
 * datagram.h - whole datagrams, many with one system call, with the address
 * they came to: an answer leaves from there, also on a host that has several
 * (IP_PKTINFO of ip(7), IPV6_PKTINFO of RFC 3542).  No call waits.
 */
#ifndef DATAGRAM_H
#define DATAGRAM_H

#include <sys/uio.h>

#include "address.h"
#include "bounds.h"

/* One that arrived.  The bytes are valid until the next call that receives. */
struct datagram {
	struct peer	 peer;		/* who sent it; not set by datagram_read */
	struct peer	 local;		/* where it went to; no ip where that cannot be answered from */
	struct iovec	 bytes;
};

/* Room for a batch; one for all sockets. */
struct datagrams {
	struct datagram	 item[DATAGRAMS_BATCH];
	unsigned char	*room;		/* owned; NULL until datagrams_reserve */
};

/* -1: no memory.  May be called again. */
int	datagrams_reserve(struct datagrams *);
void	datagrams_free(struct datagrams *);

/* Before bind: the socket shall tell where a datagram went to, if it has a wildcard address. */
int	datagram_options(int fd, int family);

/*
 * Up to most datagrams of a UDP socket bound to bound, or of the SOCK_SEQPACKET
 * socket of a process.  Their number; -1 with errno, EAGAIN: there is none.  One
 * that is longer than DATAGRAM_BYTES, which IPv6 allows, is cut off and given
 * with that length plus one.
 */
int	datagram_receive(struct datagrams *, int fd, const struct peer *bound, unsigned most);
int	datagram_read(struct datagrams *, int fd, unsigned most);

/*
 * Sends so many from local, at most DATAGRAMS_BATCH, to a peer, or to a process.
 * Less than count: the next one cannot be sent now, or at all (errno); 0 or more.
 */
unsigned datagram_send(int fd, const struct peer *bound, const struct peer *local,
	    const struct peer *peer, const struct iovec *, unsigned count);
unsigned datagram_write(int fd, const struct iovec *, unsigned count);

/*
 * Which datagram is the first in a socket's queue: a time stamp that it keeps.
 * False: the queue is empty.  Nothing is taken.
 */
bool	datagram_first(int fd, struct timespec *stamp);

#endif
