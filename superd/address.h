/*
 * address.h - where a service listens, and who connects: the LISTEN forms of
 * superd.ini(5), IP addresses and their texts.  Pure, but for services(5) and
 * interface names, which address_parse looks up.
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "arena.h"

enum address_kind { ADDRESS_TCP, ADDRESS_UDP, ADDRESS_UNIX };
enum address_family {
	FAMILY_DUAL,			/* the wildcard of IPv6 and IPv4 in one socket */
	FAMILY_4,			/* ip holds a mapped address */
	FAMILY_6,
};

/* One address to listen on. */
struct address {
	const char	*path;		/* Unix socket: its path, or @name; else NULL */
	struct in6_addr	 ip;
	uint32_t	 scope;		/* interface index of a link-local address */
	in_port_t	 port;		/* host byte order; 0: the kernel chooses */
	uint8_t		 kind;		/* enum address_kind */
	uint8_t		 family;	/* enum address_family */
};

struct addresses {
	struct address	*item;
	unsigned	 count;
};

/* The other end of a connection, in the form that everything compares and prints. */
struct peer {
	struct in6_addr	 ip;		/* an IPv4 address as ::ffff:a.b.c.d */
	uint32_t	 scope;
	in_port_t	 port;		/* host byte order */
	bool		 none;		/* nobody yet: the listening socket itself is handed over */
	bool		 datagram;	/* UDP */
	bool		 local;		/* a Unix socket: then pid, uid, gid instead */
	pid_t		 pid;
	uid_t		 uid;
	gid_t		 gid;
};

/* Room for any text below: a Unix path, or "[v6%scope]:port". */
#define ADDRESS_TEXT	128

/*
 * Reads "LISTEN[,LISTEN...]".  The result belongs to the arena.  -1: *wrong
 * is a text (of the arena) that says what is wrong and how it would be right.
 */
int	address_parse(struct arena *, const char *text, struct addresses *, const char **wrong);

/* As a LISTEN that address_parse reads back: "*:80", "[::1]:80", "udp:0.0.0.0:69", "unix:/x". */
void	address_text(const struct address *, char text[ADDRESS_TEXT]);

/* Whether binding the one keeps the other from being bound (port 0 never does). */
bool	address_conflicts(const struct address *, const struct address *);
bool	address_equal(const struct address *, const struct address *);
/* Of all addresses of its family, or of both. */
bool	address_is_wildcard(const struct address *);
/* An order in which addresses of one port, or of one path, stand together, wildcards first. */
int	address_compare(const struct address *, const struct address *);

/* The sockaddr to bind, of the family given (a dual-stack address may fall back to AF_INET). */
socklen_t address_sockaddr(const struct address *, int family, struct sockaddr_storage *);
int	address_af(const struct address *);
/* The address of a bound socket, with the port that the kernel chose. */
void	address_of_sockaddr(const struct sockaddr_storage *, struct peer *);

bool	address_is_mapped(const struct in6_addr *);
/* "127.0.0.1", "::1", "fe80::1%eth0". */
void	address_ip_text(const struct in6_addr *, uint32_t scope, char text[ADDRESS_TEXT]);
/* The same address, port and interface. */
bool	address_peers_equal(const struct peer *, const struct peer *);
/* "127.0.0.1:80", "[::1]:80", "unix:uid=0,pid=1". */
void	address_peer_text(const struct peer *, char text[ADDRESS_TEXT]);

#endif
