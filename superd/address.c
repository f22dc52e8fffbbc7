/*
 * address.c - see address.h.  Numeric addresses only: a name server is never
 * asked.  IPv4 is kept as an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2), so
 * that nothing behind this file needs to know two families.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "address.h"
#include "bounds.h"
#include "decimal.h"
#include "names.h"

#define LISTEN_MAX	1024	/* addresses of one service */

static const struct in6_addr any_4 = {{{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }}};
static const struct in6_addr loopback_4 =
    {{{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1 }}};

/* What a LISTEN may begin with. */
static const struct scheme {
	const char	*text;
	uint8_t		 kind, family;
} schemes[] = {
	{ "tcp:",  ADDRESS_TCP,  FAMILY_DUAL },
	{ "tcp4:", ADDRESS_TCP,  FAMILY_4 },
	{ "tcp6:", ADDRESS_TCP,  FAMILY_6 },
	{ "udp:",  ADDRESS_UDP,  FAMILY_DUAL },
	{ "udp4:", ADDRESS_UDP,  FAMILY_4 },
	{ "udp6:", ADDRESS_UDP,  FAMILY_6 },
	{ "unix:", ADDRESS_UNIX, FAMILY_DUAL },
};

bool
address_is_mapped(const struct in6_addr *ip)
{
	return memcmp(ip, &any_4, 12) == 0;
}

bool
address_peers_equal(const struct peer *a, const struct peer *b)
{
	return a->port == b->port && a->scope == b->scope && IN6_ARE_ADDR_EQUAL(&a->ip, &b->ip);
}

static bool
parse_port(const char *text, int kind, in_port_t *port)
{
	char *end;
	unsigned long number;

	if (*text >= '0' && *text <= '9') {
		errno = 0;
		number = strtoul(text, &end, 10);
		*port = (in_port_t)number;
		return *end == '\0' && errno == 0 && number <= 65535;
	}
	return names_port(text, kind == ADDRESS_UDP, port);
}

/* An interface by its name or number; 0: there is none. */
static uint32_t
scope_of(const char *text)
{
	uint32_t index = if_nametoindex(text);
	unsigned long number;
	char *end;

	if (index != 0 || *text < '0' || *text > '9')
		return index;
	number = strtoul(text, &end, 10);
	return *end == '\0' && number <= UINT32_MAX ? (uint32_t)number : 0;
}

/* "a.b.c.d", "v6" or "v6%interface"; a mapped address is IPv4. */
static bool
parse_ip(const char *text, struct address *address)
{
	struct in_addr four;
	char six[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "%");

	if (inet_pton(AF_INET, text, &four) == 1) {
		address->ip = any_4;
		memcpy(&address->ip.s6_addr[12], &four, sizeof four);
		return true;
	}
	if (len >= sizeof six)
		return false;
	memcpy(six, text, len);
	six[len] = '\0';
	if (inet_pton(AF_INET6, six, &address->ip) != 1)
		return false;
	if (text[len] == '%')
		address->scope = scope_of(text + len + 1);
	return text[len] != '%' || address->scope != 0;
}

/* The families of the scheme and of the address must agree; the scheme may leave it open. */
static bool
family_settle(struct address *address)
{
	uint8_t family = address_is_mapped(&address->ip) ? FAMILY_4 : FAMILY_6;
	bool agree = address->family == FAMILY_DUAL || address->family == family;

	address->family = family;
	return agree;
}

static const char *
parse_unix(struct arena *arena, const char *text, struct address *address)
{
	size_t len = strlen(text);

	if (*text != '/' && (*text != '@' || len < 2))
		return "a Unix socket is unix:/absolute/path or unix:@name";
	if (len > UNIX_PATH_BYTES)
		return arena_print(arena, "the path of a Unix socket has at most %d bytes, this one %zu",
		    UNIX_PATH_BYTES, len);
	if (text[len - 1] == '/')
		return "the path of a Unix socket ends in '/'";
	address->path = arena_text(arena, text);
	return NULL;
}

/* Host is "", "*", "localhost" or a numeric address; gives one or two addresses. */
static const char *
parse_host(struct arena *arena, const char *host, struct address *address, unsigned *count)
{
	uint8_t family = address->family;

	*count = 1;
	if (*host == '\0' || strcmp(host, "*") == 0) {
		address->ip = family == FAMILY_4 ? any_4 : in6addr_any;
		return NULL;
	}
	if (strcmp(host, "localhost") == 0) {
		address->family = family == FAMILY_6 ? FAMILY_6 : FAMILY_4;
		address->ip = family == FAMILY_6 ? in6addr_loopback : loopback_4;
		if (family == FAMILY_DUAL) {
			address[1] = address[0];
			address[1].family = FAMILY_6;
			address[1].ip = in6addr_loopback;
			*count = 2;
		}
		return NULL;
	}
	if (strchr(host, '%') != NULL && scope_of(strchr(host, '%') + 1) == 0)
		return arena_print(arena, "'%s': there is no interface '%s'", host, strchr(host, '%') + 1);
	if (!parse_ip(host, address))
		return arena_print(arena, "'%s' is not a numeric address "
		    "(names are not looked up, 'localhost' excepted)", host);
	if (!family_settle(address))
		return arena_print(arena, "'%s' is not an IPv%c address", host,
		    family == FAMILY_4 ? '4' : '6');
	return NULL;
}

/* Divides "host:port", "[v6]:port" or "port" in place; NULL: not of that form. */
static char *
divide_host(char *text, const char **host)
{
	char *colon = strrchr(text, ':'), *port;

	*host = "";
	if (colon == NULL)
		return text;
	port = colon + 1;
	*host = text;
	if (*text == '[') {
		if (colon == text || colon[-1] != ']')
			return NULL;
		colon[-1] = '\0';
		*host = text + 1;
		return strchr(*host, ':') != NULL ? port : NULL;
	}
	*colon = '\0';
	return strchr(text, ':') == NULL && *text != '\0' ? port : NULL;
}

/* Reads what the LISTEN begins with, if it does, and gives the rest. */
static const char *
parse_scheme(const char *text, struct address *address)
{
	*address = (struct address){ .kind = ADDRESS_TCP, .family = FAMILY_DUAL };
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		if (strncmp(text, schemes[i].text, strlen(schemes[i].text)) == 0) {
			address->kind = schemes[i].kind;
			address->family = schemes[i].family;
			return text + strlen(schemes[i].text);
		}
	return text;
}

/* "sctp:1": a word and a colon that are no scheme; hexadecimal digits may begin an address. */
static bool
has_unknown_scheme(const char *text, size_t *len)
{
	*len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
	return text[*len] == ':' && strspn(text, "0123456789abcdefABCDEF") < *len &&
	    strncmp(text, "localhost:", *len + 1) != 0;
}

static const char *
parse_one(struct arena *arena, const char *text, struct address *address, unsigned *count)
{
	const char *rest_text = parse_scheme(text, address), *host, *wrong;
	char rest[LINE_BYTES + 1], *port;
	size_t len;

	*count = 1;
	if (rest_text == text && has_unknown_scheme(text, &len))
		return arena_print(arena, "'%s': there is no '%.*s:'; there are tcp:, tcp4:, tcp6:, "
		    "udp:, udp4:, udp6: and unix: (and names of hosts are not looked up)", text, (int)len, text);
	if (address->kind == ADDRESS_UNIX)
		return parse_unix(arena, rest_text, address);
	strcpy(rest, rest_text);	/* no longer than text, which is of at most LINE_BYTES */
	if ((port = divide_host(rest, &host)) == NULL)
		return arena_print(arena, "'%s' is not PORT, ADDRESS:PORT or [IPV6]:PORT", text);
	if (!parse_port(port, address->kind, &address->port))
		return arena_print(arena, "%s'%s' is not a port (0 to 65535, or a name in services(5))",
		    strcmp(text, port) == 0 ? "" : arena_print(arena, "'%s': ", text), port);
	if ((wrong = parse_host(arena, host, address, count)) != NULL)
		return wrong;
	if (*count == 2)
		address[1].port = address->port;
	return NULL;
}

int
address_parse(struct arena *arena, const char *text, struct addresses *all, const char **wrong)
{
	struct address found[LISTEN_MAX + 1];
	char one[LINE_BYTES + 1];
	size_t len;
	unsigned n = 0, count;

	for (text += strspn(text, ", \t"); *text != '\0'; text += strspn(text, ", \t")) {
		len = strcspn(text, ", \t");
		if (n >= LISTEN_MAX || len >= sizeof one) {
			*wrong = arena_print(arena, n >= LISTEN_MAX ? "more than %d addresses" :
			    "an address of more than %d bytes", n >= LISTEN_MAX ? LISTEN_MAX : LINE_BYTES);
			return -1;
		}
		memcpy(one, text, len);
		one[len] = '\0';
		if ((*wrong = parse_one(arena, one, &found[n], &count)) != NULL)
			return -1;
		n += count;
		text += len;
	}
	*wrong = "no address: write a port, ADDRESS:PORT or unix:/path";
	if (n == 0)
		return -1;
	*wrong = "out of memory";
	if ((all->item = arena_take(arena, n * sizeof *found)) == NULL)
		return -1;
	memcpy(all->item, found, n * sizeof *found);
	all->count = n;
	return 0;
}

void
address_ip_text(const struct in6_addr *ip, uint32_t scope, char text[ADDRESS_TEXT])
{
	char name[IF_NAMESIZE];

	if (address_is_mapped(ip)) {
		for (size_t i = 12; i < sizeof ip->s6_addr; i++) {
			text = decimal_put(text, ip->s6_addr[i]);
			if (i < sizeof ip->s6_addr - 1)
				*text++ = '.';
		}
		return;
	}
	inet_ntop(AF_INET6, ip, text, ADDRESS_TEXT);
	if (scope == 0)
		return;
	if (if_indextoname(scope, name) == NULL)
		snprintf(name, sizeof name, "%u", scope);
	strcat(strcat(text, "%"), name);
}

void
address_text(const struct address *address, char text[ADDRESS_TEXT])
{
	const char *scheme = address->kind == ADDRESS_UDP ? "udp:" : "";
	char ip[ADDRESS_TEXT];

	address_ip_text(&address->ip, address->scope, ip);
	if (address->kind == ADDRESS_UNIX)
		snprintf(text, ADDRESS_TEXT, "unix:%.*s", UNIX_PATH_BYTES, address->path);
	else if (address->family == FAMILY_DUAL)
		snprintf(text, ADDRESS_TEXT, "%s*:%u", scheme, address->port);
	else
		snprintf(text, ADDRESS_TEXT, address->family == FAMILY_4 ? "%s%.90s:%u" : "%s[%.90s]:%u",
		    scheme, ip, address->port);
}

void
address_peer_text(const struct peer *peer, char text[ADDRESS_TEXT])
{
	bool four = address_is_mapped(&peer->ip);
	char ip[ADDRESS_TEXT];

	if (peer->local) {
		snprintf(text, ADDRESS_TEXT, "unix:uid=%u,pid=%d", peer->uid, (int)peer->pid);
		return;
	}
	address_ip_text(&peer->ip, peer->scope, ip);
	text = stpcpy(stpcpy(stpcpy(text, four ? "" : "["), ip), four ? ":" : "]:");
	decimal_put(text, peer->port);
}

bool
address_is_wildcard(const struct address *a)
{
	return a->kind != ADDRESS_UNIX && memcmp(&a->ip,
	    a->family == FAMILY_4 ? &any_4 : &in6addr_any, sizeof a->ip) == 0;
}

bool
address_equal(const struct address *a, const struct address *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == ADDRESS_UNIX)
		return strcmp(a->path, b->path) == 0;
	return a->family == b->family && a->port == b->port && a->scope == b->scope &&
	    memcmp(&a->ip, &b->ip, sizeof a->ip) == 0;
}

bool
address_conflicts(const struct address *a, const struct address *b)
{
	if (a->kind == ADDRESS_UNIX || b->kind == ADDRESS_UNIX)
		return address_equal(a, b);
	if (a->kind != b->kind || a->port != b->port || a->port == 0)
		return false;
	if (address_equal(a, b))
		return true;
	if (a->family == FAMILY_DUAL || b->family == FAMILY_DUAL)
		return true;
	return a->family == b->family && (address_is_wildcard(a) || address_is_wildcard(b));
}

int
address_compare(const struct address *a, const struct address *b)
{
	int order = (a->kind > b->kind) - (a->kind < b->kind);

	if (order == 0 && a->kind == ADDRESS_UNIX)
		return strcmp(a->path, b->path);
	if (order == 0)
		order = (a->port > b->port) - (a->port < b->port);
	if (order == 0)
		order = address_is_wildcard(b) - address_is_wildcard(a);
	if (order == 0)
		order = (a->family > b->family) - (a->family < b->family);
	if (order == 0)
		order = memcmp(&a->ip, &b->ip, sizeof a->ip);
	return order != 0 ? order : (a->scope > b->scope) - (a->scope < b->scope);
}

int
address_af(const struct address *address)
{
	if (address->kind == ADDRESS_UNIX)
		return AF_UNIX;
	return address->family == FAMILY_4 ? AF_INET : AF_INET6;
}

socklen_t
address_sockaddr(const struct address *address, int family, struct sockaddr_storage *storage)
{
	struct sockaddr_in *four = (struct sockaddr_in *)storage;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)storage;
	struct sockaddr_un *path = (struct sockaddr_un *)storage;
	size_t len;

	memset(storage, 0, sizeof *storage);
	storage->ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		four->sin_port = htons(address->port);
		if (address->family == FAMILY_4)
			memcpy(&four->sin_addr, &address->ip.s6_addr[12], sizeof four->sin_addr);
		return sizeof *four;
	}
	if (family == AF_INET6) {
		six->sin6_port = htons(address->port);
		six->sin6_addr = address->ip;
		six->sin6_scope_id = address->scope;
		return sizeof *six;
	}
	len = strlen(address->path);
	memcpy(path->sun_path, address->path, len);
	if (*address->path == '@')		/* abstract, unix(7): a NUL, the name, and no end */
		path->sun_path[0] = '\0';
	else
		len++;
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

void
address_of_sockaddr(const struct sockaddr_storage *storage, struct peer *peer)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)storage;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)storage;

	*peer = (struct peer){ .local = storage->ss_family == AF_UNIX };
	if (storage->ss_family == AF_INET) {
		peer->ip = any_4;
		memcpy(&peer->ip.s6_addr[12], &four->sin_addr, sizeof four->sin_addr);
		peer->port = ntohs(four->sin_port);
	} else if (storage->ss_family == AF_INET6) {
		peer->ip = six->sin6_addr;
		peer->scope = six->sin6_scope_id;
		peer->port = ntohs(six->sin6_port);
	}
}
