/* host.c - see host.h. */
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "bounds.h"
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

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct in6_addr));
}

static size_t
count_interfaces(const struct ifaddrs *one)
{
	size_t count = 0;

	for (; one != NULL; one = one->ifa_next)
		count++;
	return count;
}

/* What the kernel does not tell leaves the list as it was. */
static void
ask_kernel(struct host_addresses *own)
{
	struct sockaddr_storage storage;
	struct in6_addr *list;
	struct ifaddrs *all;
	struct peer peer;
	size_t count = 0;

	if (getifaddrs(&all) == -1)
		return;
	list = calloc(count_interfaces(all) + 1, sizeof *list);
	for (const struct ifaddrs *one = all; list != NULL && one != NULL; one = one->ifa_next) {
		if (one->ifa_addr == NULL || (one->ifa_addr->sa_family != AF_INET &&
		    one->ifa_addr->sa_family != AF_INET6))
			continue;
		memset(&storage, 0, sizeof storage);
		memcpy(&storage, one->ifa_addr, one->ifa_addr->sa_family == AF_INET ?
		    sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
		address_of_sockaddr(&storage, &peer);
		list[count++] = peer.ip;
	}
	freeifaddrs(all);
	if (list == NULL)
		return;
	qsort(list, count, sizeof *list, compare);
	free(own->list);
	own->list = list;
	own->count = count;
	own->known = true;
}

void
host_addresses_free(struct host_addresses *own)
{
	free(own->list);
	*own = (struct host_addresses){ .known = false };
}

bool
host_has_address(struct host_addresses *own, const struct in6_addr *ip, uint64_t now_ms)
{
	/* All of 127.0.0.0/8 is this host, though only one address of it is on an interface. */
	if (IN6_IS_ADDR_LOOPBACK(ip) || (address_is_mapped(ip) && ip->s6_addr[12] == 127))
		return true;
	if (own->asked_ms == 0 || now_ms - own->asked_ms >= OWN_MS) {
		own->asked_ms = now_ms;
		ask_kernel(own);
	}
	return !own->known ||		/* better no ban than the host's own */
	    (own->count > 0 && bsearch(ip, own->list, own->count, sizeof *ip, compare) != NULL);
}
