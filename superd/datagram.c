/* datagram.c - see datagram.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "datagram.h"

#define PIECE_BYTES	65536	/* above DATAGRAM_BYTES, so that a longer one is noticed; pages */
#define ROOM_BYTES	((size_t)DATAGRAMS_BATCH * PIECE_BYTES)

_Static_assert(PIECE_BYTES > DATAGRAM_BYTES, "one that is too long must be noticed");

/* Control messages about one datagram: a dual-stack socket tells of IPv4 in both ways. */
union control {
	struct cmsghdr	align;
	unsigned char	bytes[CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

int
datagrams_reserve(struct datagrams *all)
{
	void *room;

	if (all->room != NULL)
		return 0;
	/* Only what long datagrams touch becomes memory. */
	room = mmap(NULL, ROOM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED)
		return -1;
	all->room = room;
	return 0;
}

void
datagrams_free(struct datagrams *all)
{
	if (all->room != NULL)
		munmap(all->room, ROOM_BYTES);
	all->room = NULL;
}

int
datagram_options(int fd, int family)
{
	int on = 1;

	if (family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on) == -1)
		return -1;
	return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
}

/* Of IPv4 the address that the host would answer from: of a broadcast it is not the destination. */
static void
learn_local(struct msghdr *message, struct peer *local)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo four;
			struct sockaddr_storage storage = { .ss_family = AF_INET };
			struct peer told;

			memcpy(&four, CMSG_DATA(c), sizeof four);
			((struct sockaddr_in *)&storage)->sin_addr = four.ipi_spec_dst;
			address_of_sockaddr(&storage, &told);
			local->ip = told.ip;
			return;
		}
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo six;

			memcpy(&six, CMSG_DATA(c), sizeof six);
			if (address_is_mapped(&six.ipi6_addr))
				continue;	/* the other message knows better */
			local->ip = IN6_IS_ADDR_MULTICAST(&six.ipi6_addr) ? in6addr_any : six.ipi6_addr;
			local->scope = IN6_IS_ADDR_LINKLOCAL(&local->ip) ? six.ipi6_ifindex : 0;
		}
	}
}

static size_t
length_of(const struct mmsghdr *message)
{
	bool cut = (message->msg_hdr.msg_flags & MSG_TRUNC) != 0 || message->msg_len > DATAGRAM_BYTES;

	return cut ? DATAGRAM_BYTES + 1 : message->msg_len;
}

int
datagram_receive(struct datagrams *all, int fd, const struct peer *bound, unsigned most)
{
	struct mmsghdr messages[DATAGRAMS_BATCH];
	struct sockaddr_storage names[DATAGRAMS_BATCH];
	union control controls[DATAGRAMS_BATCH];
	int count;

	for (unsigned i = 0; i < most; i++) {
		all->item[i].bytes = (struct iovec){ all->room + i * (size_t)PIECE_BYTES, PIECE_BYTES };
		messages[i].msg_hdr = (struct msghdr){ .msg_name = &names[i], .msg_namelen = sizeof *names,
			.msg_iov = &all->item[i].bytes, .msg_iovlen = 1, .msg_control = &controls[i],
			.msg_controllen = sizeof *controls };
	}
	count = recvmmsg(fd, messages, most, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++) {
		struct datagram *one = &all->item[i];

		address_of_sockaddr(&names[i], &one->peer);
		one->peer.datagram = true;
		one->local = *bound;
		learn_local(&messages[i].msg_hdr, &one->local);
		one->bytes.iov_len = length_of(&messages[i]);
	}
	return count;
}

int
datagram_read(struct datagrams *all, int fd, unsigned most)
{
	struct mmsghdr messages[DATAGRAMS_BATCH];
	int count;

	for (unsigned i = 0; i < most; i++) {
		all->item[i].bytes = (struct iovec){ all->room + i * (size_t)PIECE_BYTES, PIECE_BYTES };
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &all->item[i].bytes, .msg_iovlen = 1 };
	}
	count = recvmmsg(fd, messages, most, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++)
		all->item[i].bytes.iov_len = length_of(&messages[i]);
	return count;
}

/* One message is one datagram with one piece; head is what all have in common. */
static unsigned
send_all(int fd, const struct msghdr *head, const struct iovec *bytes, unsigned count)
{
	struct mmsghdr messages[DATAGRAMS_BATCH];
	int sent;

	for (unsigned i = 0; i < count; i++) {
		messages[i].msg_hdr = *head;
		messages[i].msg_hdr.msg_iov = (struct iovec *)(uintptr_t)&bytes[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	sent = sendmmsg(fd, messages, count, MSG_DONTWAIT | MSG_NOSIGNAL);
	return sent == -1 ? 0 : (unsigned)sent;
}

/* From which address: a socket of a wildcard must be told. */
static void
put_local(struct msghdr *head, union control *control, const struct peer *local)
{
	bool mapped = address_is_mapped(&local->ip);
	struct cmsghdr *c = &control->align;

	memset(control, 0, sizeof *control);
	head->msg_control = control;
	head->msg_controllen = mapped ? CMSG_SPACE(sizeof(struct in_pktinfo)) :
	    CMSG_SPACE(sizeof(struct in6_pktinfo));
	if (mapped) {
		struct in_pktinfo four = { .ipi_ifindex = 0 };

		memcpy(&four.ipi_spec_dst, &local->ip.s6_addr[12], sizeof four.ipi_spec_dst);
		*c = (struct cmsghdr){ .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO,
			.cmsg_len = CMSG_LEN(sizeof four) };
		memcpy(CMSG_DATA(c), &four, sizeof four);
	} else {
		struct in6_pktinfo six = { .ipi6_addr = local->ip, .ipi6_ifindex = local->scope };

		*c = (struct cmsghdr){ .cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_PKTINFO,
			.cmsg_len = CMSG_LEN(sizeof six) };
		memcpy(CMSG_DATA(c), &six, sizeof six);
	}
}

unsigned
datagram_send(int fd, const struct peer *bound, const struct peer *local, const struct peer *peer,
    const struct iovec *bytes, unsigned count)
{
	struct address to = { .ip = peer->ip, .scope = peer->scope, .port = peer->port,
		.family = address_is_mapped(&peer->ip) ? FAMILY_4 : FAMILY_6 };
	struct sockaddr_storage name;
	union control control;
	struct msghdr head = { .msg_name = &name };

	head.msg_namelen = address_sockaddr(&to, address_is_mapped(&bound->ip) ? AF_INET : AF_INET6, &name);
	if (!IN6_ARE_ADDR_EQUAL(&bound->ip, &local->ip) && !IN6_IS_ADDR_UNSPECIFIED(&local->ip))
		put_local(&head, &control, local);
	return send_all(fd, &head, bytes, count);
}

unsigned
datagram_write(int fd, const struct iovec *bytes, unsigned count)
{
	const struct msghdr head = { .msg_name = NULL };

	return send_all(fd, &head, bytes, count);
}

bool
datagram_first(int fd, struct timespec *stamp)
{
	unsigned char byte;
	struct iovec bytes = { &byte, sizeof byte };
	union { struct cmsghdr align; unsigned char bytes[256]; } control;
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof control };
	int on = 1, off = 0;
	bool there;

	/* A datagram without a time gets one at the first look, and keeps it. */
	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
	there = recvmsg(fd, &message, MSG_PEEK | MSG_DONTWAIT) != -1;
	*stamp = (struct timespec){ .tv_sec = 0 };
	for (struct cmsghdr *c = there ? CMSG_FIRSTHDR(&message) : NULL; c != NULL;
	    c = CMSG_NXTHDR(&message, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
			memcpy(stamp, CMSG_DATA(c), sizeof *stamp);
	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &off, sizeof off);
	return there;
}
