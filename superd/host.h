/* host.h - what this host is and what time it is here. */
#ifndef HOST_H
#define HOST_H

#include <netinet/in.h>
#include <stdbool.h>
#include <time.h>

/* Local time, worked out once a minute.  Zeroed: never yet. */
struct local_clock {
	time_t	minutes;	/* since 1970 */
	int	weekday, minute;
};
void	clock_local(struct local_clock *, int *weekday, int *minute);

/* Whether the address is one of this host's own.  Asks the kernel. */
bool	host_has_address(const struct in6_addr *);

#endif
