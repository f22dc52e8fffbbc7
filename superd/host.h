/* host.h - what this host is and what time it is here. */
#ifndef HOST_H
#define HOST_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Local time, worked out once a minute.  Zeroed: never yet. */
struct local_clock {
	time_t	minutes;	/* since 1970 */
	int	weekday, minute;
};
void	clock_local(struct local_clock *, int *weekday, int *minute);

/* This host's own addresses, asked for when somebody wants to know.  Zeroed: never yet. */
struct host_addresses {
	struct in6_addr	*list;		/* owned, sorted */
	size_t		 count;
	uint64_t	 asked_ms;
	bool		 known;
};
void	host_addresses_free(struct host_addresses *);
/*
 * Whether the address is one of them; the kernel is asked once in OWN_MS at the
 * most.  Where it never gave an answer every address is own.
 */
bool	host_has_address(struct host_addresses *, const struct in6_addr *, uint64_t now_ms);

#endif
