/* socket_options.h - the keys of a service that are socket options. */
#ifndef SOCKET_OPTIONS_H
#define SOCKET_OPTIONS_H

#include "conf.h"

/* What must be said before bind(2).  -1 with errno. */
int	socket_options_before_bind(int fd, int family, const struct service *,
	    const struct address *);
/*
 * Everything else; may be repeated on a listening socket.  The kernel gives a
 * connection the options of its listener, so none are set per connection.
 */
int	socket_options(int fd, int family, int kind, const struct service *);	/* enum address_kind */
/* Whether two declarations have the same of these, and the same backlog. */
bool	socket_options_equal(const struct service *, const struct service *);
/*
 * What the socket has of an earlier declaration and the present one leaves to
 * the kernel is the kernel's again, as far as that can be had.
 */
void	socket_options_reset(int fd, int family, const struct service *before,
	    const struct service *);

#endif
