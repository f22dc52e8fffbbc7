/* What time it is here, and which addresses are this host's own. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bounds.h"
#include "host.h"
#include "unit.h"

static struct in6_addr
ip_of(const char *text)
{
	struct in6_addr ip = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	if (inet_pton(AF_INET, text, &ip.s6_addr[12]) != 1)
		ck_assert_msg(inet_pton(AF_INET6, text, &ip) == 1, "%s", text);
	return ip;
}

static struct host_addresses own;
static unsigned asked;			/* how often the kernel was */
static bool refuses;			/* the kernel, to tell its addresses */
static const uint64_t start = 1000000;	/* ms, when a test begins */

/* Stands before the C library's: it counts. */
int
getifaddrs(struct ifaddrs **all)
{
	int (*real)(struct ifaddrs **) = NULL;
	void *symbol = dlsym(RTLD_NEXT, "getifaddrs");

	asked++;
	if (refuses || symbol == NULL) {
		errno = EMFILE;
		return -1;
	}
	memcpy(&real, &symbol, sizeof real);
	return real(all);
}

static void
setup(void)
{
	own = (struct host_addresses){ .known = false };
	asked = 0;
	refuses = false;
}

static void
teardown(void)
{
	host_addresses_free(&own);
}

/* --- addresses; those of RFC 5737 and 3849 are never a host's */

static const struct {
	const char	*text;
	bool		 own;
} rows[] = {
	{ "127.0.0.1", true }, { "127.0.0.0", true }, { "127.0.0.77", true },
	{ "127.255.255.255", true }, { "::1", true }, { "::ffff:127.0.0.1", true },
	{ "128.0.0.0", false }, { "126.255.255.255", false }, { "192.0.2.1", false },
	{ "198.51.100.7", false }, { "203.0.113.255", false }, { "2001:db8::1", false },
	{ "::2", false }, { "::127.0.0.1", false }, { "127::1", false }, { "7f00::1", false },
};

START_TEST(the_loopback_is_own_and_documentation_is_not)
{
	struct in6_addr ip = ip_of(rows[_i].text);

	ck_assert_msg(host_has_address(&own, &ip, start) == rows[_i].own, "%s", rows[_i].text);
}
END_TEST

START_TEST(every_address_of_every_interface_is_own)
{
	struct ifaddrs *all, *one;
	unsigned seen = 0;

	ck_assert_int_eq(getifaddrs(&all), 0);
	for (one = all; one != NULL; one = one->ifa_next) {
		struct in6_addr ip = { .s6_addr = { [10] = 0xff, [11] = 0xff } };
		struct sockaddr_in in;
		struct sockaddr_in6 in6;

		if (one->ifa_addr == NULL)
			continue;
		if (one->ifa_addr->sa_family == AF_INET) {
			memcpy(&in, one->ifa_addr, sizeof in);
			memcpy(&ip.s6_addr[12], &in.sin_addr, 4);
		} else if (one->ifa_addr->sa_family == AF_INET6) {
			memcpy(&in6, one->ifa_addr, sizeof in6);
			ip = in6.sin6_addr;
		} else {
			continue;
		}
		ck_assert_msg(host_has_address(&own, &ip, start), "an address of %s", one->ifa_name);
		seen++;
	}
	freeifaddrs(all);
	ck_assert_uint_gt(seen, 0);
}
END_TEST

START_TEST(where_the_kernel_never_answered_nobody_is_foreign)
{
	struct in6_addr ip = ip_of("192.0.2.1");

	refuses = true;
	ck_assert(host_has_address(&own, &ip, start));
	ck_assert(host_has_address(&own, &ip, start + 1));
	ck_assert_uint_eq(asked, 1);
	refuses = false;
	ck_assert(!host_has_address(&own, &ip, start + OWN_MS));
	refuses = true;				/* what it told is remembered then */
	ck_assert(!host_has_address(&own, &ip, start + 10 * OWN_MS));
	ck_assert_uint_eq(asked, 3);
}
END_TEST

START_TEST(the_kernel_is_asked_once_in_a_while_at_the_most)
{
	struct in6_addr foreign = ip_of("192.0.2.1"), loopback = ip_of("127.0.0.5");

	ck_assert(host_has_address(&own, &loopback, start));
	ck_assert_uint_eq(asked, 0);
	for (uint64_t ms = 0; ms < OWN_MS; ms++)
		ck_assert(!host_has_address(&own, &foreign, start + ms));
	ck_assert_uint_eq(asked, 1);
	ck_assert(!host_has_address(&own, &foreign, start + OWN_MS));
	ck_assert_uint_eq(asked, 2);
}
END_TEST

START_TEST(asking_leaves_no_descriptor_open)
{
	struct in6_addr ip = ip_of("192.0.2.1");
	int before = dup(0), after;

	close(before);
	for (uint64_t i = 0; i < 100; i++)
		ck_assert(!host_has_address(&own, &ip, start + i * OWN_MS));
	ck_assert_uint_eq(asked, 100);
	after = dup(0);
	close(after);
	ck_assert_int_eq(after, before);
}
END_TEST

/* --- the clock */

/* What clock_local says of this minute, as the C library sees it before and after. */
static void
must_agree(struct local_clock *clock, const char *zone)
{
	int weekday = -1, minute = -1;
	struct tm parts;
	time_t before;

	do {			/* again, where a minute begins just now */
		before = time(NULL) / 60;
		localtime_r(&(time_t){ before * 60 }, &parts);
		clock_local(clock, &weekday, &minute);
	} while (time(NULL) / 60 != before);
	ck_assert_msg(weekday == parts.tm_wday && minute == parts.tm_hour * 60 + parts.tm_min,
	    "%s: weekday %d, minute %d; the C library says %d and %d", zone, weekday, minute,
	    parts.tm_wday, parts.tm_hour * 60 + parts.tm_min);
}

static const char *const zones[] = { "UTC", "XXX-05:30", "XXX+09:30", "XXX-14", "XXX+12",
	"CET-1CEST,M3.5.0,M10.5.0/3", "XXX-00:01" };

START_TEST(the_clock_says_local_time)
{
	struct local_clock clock = { .minutes = 0 };

	setenv("TZ", zones[_i], 1);
	tzset();
	for (int i = 0; i < 3; i++)
		must_agree(&clock, zones[_i]);
}
END_TEST

START_TEST(a_clock_of_another_minute_is_set_again)
{
	struct local_clock clock = { .minutes = time(NULL) / 60 - 1, .weekday = 99, .minute = 9999 };

	setenv("TZ", "XXX-05:30", 1);
	tzset();
	must_agree(&clock, "past");
	clock = (struct local_clock){ .minutes = time(NULL) / 60 + 5, .weekday = 99, .minute = 9999 };
	must_agree(&clock, "future");		/* the system's clock was set back */
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("host");
	TCase *tcase = unit_case(suite, "host");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, the_loopback_is_own_and_documentation_is_not, 0, ROWS(rows));
	tcase_add_test(tcase, every_address_of_every_interface_is_own);
	tcase_add_test(tcase, where_the_kernel_never_answered_nobody_is_foreign);
	tcase_add_test(tcase, the_kernel_is_asked_once_in_a_while_at_the_most);
	tcase_add_test(tcase, asking_leaves_no_descriptor_open);
	tcase_add_loop_test(tcase, the_clock_says_local_time, 0, ROWS(zones));
	tcase_add_test(tcase, a_clock_of_another_minute_is_set_again);
	return unit_run(suite);
}
