/* host.c - see host.h. */
#include <ifaddrs.h>
#include <string.h>

#include "address.h"
#include "host.h"

void
clock_local(struct local_clock *clock, int *weekday, int *minute)
{
	time_t now = time(NULL);
	struct tm parts;

	if (now / 60 != clock->minutes && localtime_r(&now, &parts) != NULL) {
		clock->minutes = now / 60;
		clock->weekday = parts.tm_wday;
		clock->minute = parts.tm_hour * 60 + parts.tm_min;
	}
	*weekday = clock->weekday;
	*minute = clock->minute;
}

bool
host_has_address(const struct in6_addr *ip)
{
	struct sockaddr_storage storage;
	struct ifaddrs *all, *one;
	struct peer own;
	bool found = false;

	/* All of 127.0.0.0/8 is this host, though only one address of it is on an interface. */
	if (IN6_IS_ADDR_LOOPBACK(ip) || (address_is_mapped(ip) && ip->s6_addr[12] == 127))
		return true;
	if (getifaddrs(&all) == -1)
		return true;	/* better no ban than the host's own */
	for (one = all; one != NULL && !found; one = one->ifa_next) {
		if (one->ifa_addr == NULL || (one->ifa_addr->sa_family != AF_INET &&
		    one->ifa_addr->sa_family != AF_INET6))
			continue;
		memset(&storage, 0, sizeof storage);
		memcpy(&storage, one->ifa_addr, one->ifa_addr->sa_family == AF_INET ?
		    sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
		address_of_sockaddr(&storage, &own);
		found = IN6_ARE_ADDR_EQUAL(&own.ip, ip);
	}
	freeifaddrs(all);
	return found;
}
