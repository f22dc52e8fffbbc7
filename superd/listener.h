/*
 * listener.h - one address of a service: bound and waited for, or waiting
 * until it can be had.  What happens to a connection is not known here.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include <sys/types.h>
#include <time.h>

#include "conf.h"
#include "loop.h"
#include "socket_file.h"

struct running;
struct session;

enum parked {			/* why a listener that is bound is not waited for */
	PARKED_NOT,
	PARKED_SERVICE,		/* its service is full */
	PARKED_GLOBAL,		/* superd is */
};

struct listener {
	struct watch		 watch;
	struct listeners	*all;
	struct running		*running;	/* whose it is; may change in a reload */
	struct conf		*conf;		/* held while leaving: service belongs to it */
	const struct service	*service;	/* that declares the address below */
	const struct address	*address;
	struct listener		*next;		/* of the same service */
	struct listener		*next_waiting;	/* of those that are not bound */
	struct listener		*next_parked;
	struct session		*lent;		/* wait = yes: whose process has the socket now */
	struct timespec		 first;		/* wait = yes, UDP: the datagram it was lent for ... */
	unsigned		 deaths;	/* ... and how many processes in turn have left that unread */
	unsigned		 flows;		/* UDP: processes that answer from this socket */
	struct peer		 bound;		/* the local address, with the port that was chosen */
	struct timer		 retry;		/* of binding; or, with wait = yes, of lending */
	uint32_t		 wait_ms;	/* until the next try */
	int			 fd;		/* -1: waiting */
	int			 error;		/* errno of the last try */
	int			 to_drain;	/* leaving: connections that may be in its queue */
	uint8_t			 parked;	/* enum parked */
	bool			 told;		/* that it waits */
	bool			 leaving;	/* takes nobody new; closed when its queue is empty */
	bool			 drained;	/* ... which it is: open for the flows that it has */
	bool			 kept;		/* reload: goes on in the new configuration */
	struct socket_file	 file;		/* of a Unix socket; without inode where it was passed */
};

/* What all listeners share, and whom they call. */
struct listeners {
	struct loop	*loop;
	struct pool	 pool;		/* all that are bound: pausing them is one call */
	struct listener	*waiting;
	struct watch	 addresses;	/* rtnetlink: an address appeared; open while one waits */
	unsigned char	 udp_ports[65536 / 8];	/* a bit for each port that was ever bound for UDP */
	void		(*ready)(struct listener *);
	void		(*bound)(struct listener *);	/* also after waiting */
};

void	listeners_init(struct listeners *, struct loop *);
void	listeners_finish(struct listeners *);
/* Tries those that wait at once: something else has just been closed. */
void	listeners_retry(struct listeners *);

/* NULL: no memory. */
struct listener *listener_new(struct listeners *, struct running *, const struct service *,
	    const struct address *);
/* Closes, removes a Unix socket's file, frees. */
void	listener_free(struct listener *);

/* Binds.  -1 with errno; where listener_can_wait(errno), listener_wait is the answer. */
int	listener_bind(struct listener *);
bool	listener_can_wait(int error);
void	listener_wait(struct listener *, int error);
/* Takes over a bound socket, fd is the listener's from then on.  -1 with errno: it is still the caller's. */
int	listener_adopt(struct listener *, int fd);
/* Waits for connections or datagrams. */
int	listener_start(struct listener *);
bool	listener_is_udp(const struct listener *);
/* False: no listener of UDP has the port. */
bool	listeners_may_have_port(const struct listeners *, in_port_t);
/* Of UDP: whoever shares the socket has shut it down, so it is always ready and never gives anything. */
bool	listener_is_shut(const struct listener *);
/* The same address under another declaration: its options are set anew, its queue stays. */
int	listener_redeclare(struct listener *, struct running *, const struct service *,
	    const struct address *);
/* Whether the file of a Unix socket is still the one that superd made; true for any other address. */
bool	listener_has_file(const struct listener *);
/* No new connections; those in the queue are still to be had.  On an empty queue the caller frees it. */
void	listener_leave(struct listener *);

/* "127.0.0.1:80", with the port in use. */
void	listener_text(const struct listener *, char text[ADDRESS_TEXT]);

#endif
