/*
 * admission_moments.h - what the tests of admission have in common: an admission, services without
 * limits, peers by their address, and a request of one at a moment.
 */
#ifndef ADMISSION_MOMENTS_H
#define ADMISSION_MOMENTS_H

#include <arpa/inet.h>

#include "admission.h"
#include "unit.h"

#define HOUR	3600000

static const uint64_t secret[2] = { 1, 2 };
static const uint64_t start = 1000000;		/* ms, when a test begins */

static inline struct admission
new_admission(uint32_t most)
{
	struct admission admission;

	ck_assert_int_eq(admission_init(&admission, secret), 0);
	admission.prefix = (struct source_prefix){ 32, 64 };
	admission.max_sessions = most;
	return admission;
}

/* A service without any limit. */
static inline struct service
new_service(void)
{
	return (struct service){ .max_sessions = UNLIMITED, .max_per_source = UNLIMITED,
		.when_full = FULL_REFUSE };
}

static inline struct peer
peer_of(const char *ip)
{
	struct peer peer = { .port = 1234, .ip.s6_addr = { [10] = 0xff, [11] = 0xff } };

	if (inet_pton(AF_INET, ip, &peer.ip.s6_addr[12]) != 1)
		ck_assert_msg(inet_pton(AF_INET6, ip, &peer.ip) == 1, "%s", ip);
	return peer;
}

static inline const struct acl *
denying(struct arena *arena, const char *item)
{
	struct acl_builder builder = { .entries = NULL };
	const struct acl *acl;

	ck_assert_ptr_null(acl_add(&builder, arena, item, false));
	ck_assert_ptr_nonnull(acl = acl_build(&builder, arena));
	return acl;
}

static inline enum verdict
request(struct admission *admission, const struct service *service, struct tally *tally, const char *ip,
    uint64_t now)
{
	const struct peer peer = peer_of(ip);
	const struct moment moment = { .ms = now };
	struct account *ticket;

	return admission_request(admission, service, tally, &peer, &moment, &ticket);
}

#endif
