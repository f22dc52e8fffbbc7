/*
 * listen.c: the address of a service, from port, socket_type, bind, v6only and
 * the flags of the families; and whether an earlier service has it already.
 */
#include "xinetd2superd.h"

#include <arpa/inet.h>
#include <string.h>

/* An address that a service above has. */
struct claim {
	const char *service, *port, *host; /* host "": any */
	char family;			   /* '4', '6', or 'd' for both */
	bool udp;
	struct claim *next;
};

static struct claim *claims;

/* xinetd's own services have their numbers here, so that services(5) need not. */
static const char *
port_of(struct section *section)
{
	static const struct {
		const char *name, *port;
	} internal[] = { { "echo", "7" }, { "discard", "9" }, { "daytime", "13" },
		{ "chargen", "19" }, { "time", "37" } };
	const char *port = one(section, A_PORT), *name = section->entry->name;
	const struct values *type = held(section, A_TYPE);
	unsigned long number = 0;

	if (port != NULL) {
		if (!parse_count(port, 65535, &number))
			leave_out(section, A_PORT, "'%s' is not a port's number", port);
		return text("%lu", number);
	}
	if (has_word(type, "UNLISTED")) {
		leave_out(section, A_PORT, "an UNLISTED service has no port without it");
		return "0";
	}
	for (size_t i = 0; has_word(type, "INTERNAL") && i < ARRAY_LEN(internal); i++)
		if (strcasecmp(internal[i].name, name) == 0)
			return internal[i].port;
	if (name[strcspn(name, ",;:[]=\"'")] != '\0')
		leave_out(section, A_PORT, "'%s' is no name that services(5) could have", name);
	return name;
}

/* In a service alone: what defaults says of it has no effect, whatever the manual says. */
static bool
v6only(struct section *section, bool matters)
{
	bool only = own(section, A_V6ONLY) && parse_yes_no(section, A_V6ONLY, false);

	if (own(section, A_V6ONLY) && !only && matters)
		lose(section, A_V6ONLY,
		    "is taken as written, so IPv4 clients are served too; "
		    "xinetd leaves them out whenever the attribute is there");
	return only;
}

/* Where xinetd would listen on all addresses: the family of that. */
static char
wildcard_family(struct section *section)
{
	const struct values *flags = held(section, A_FLAGS);

	if (has_word(flags, "IPv4") && !has_word(flags, "IPv6")) {
		v6only(section, false);
		return '4';
	}
	if (v6only(section, true))
		return '6';
	if (section->waits && admitted(section) == ALL_OF_IPV4) {
		remark(section, A_ONLY_FROM,
		    "0.0.0.0 is every IPv4 address, so this listens for IPv4");
		return '4';
	}
	return 'd';
}

static void
find_host(struct section *section, struct claim *claim)
{
	const char *host = one(section, A_BIND);
	struct in6_addr six;
	struct in_addr four;

	claim->host = "";
	if (host == NULL) {
		claim->family = wildcard_family(section);
	} else if (inet_pton(AF_INET, host, &four) == 1) {
		claim->family = '4';
		if (four.s_addr != INADDR_ANY)
			claim->host = host;
		v6only(section, false);
	} else if (inet_pton(AF_INET6, host, &six) == 1) {
		bool any = IN6_IS_ADDR_UNSPECIFIED(&six);

		claim->family = v6only(section, any) || !any ? '6' : 'd';
		if (!any)
			claim->host = host;
	} else if (strcasecmp(host, "localhost") == 0) {
		claim->family = 'd';
		claim->host = "localhost";
	} else {
		hole(section, A_BIND,
		    "'%s' is not a numeric address: WITHOUT IT THE SERVICE WOULD LISTEN ON "
		    "ALL ADDRESSES; write ADDRESS:PORT, or device = for a network interface",
		    host);
		claim->family = wildcard_family(section);
	}
}

/* As superd sees it: an address twice, or beside the wildcard of its port. */
static bool
conflict(const struct claim *a, const struct claim *b)
{
	if (a->udp != b->udp || strcmp(a->port, b->port) != 0 || strcmp(a->port, "0") == 0)
		return false;
	if (strcmp(a->host, b->host) == 0 && a->family == b->family)
		return true;
	if (*a->host == '\0' && a->family == 'd')
		return true;
	if (*b->host == '\0' && b->family == 'd')
		return true;
	if (a->family != 'd' && b->family != 'd' && a->family != b->family)
		return false;
	return *a->host == '\0' || *b->host == '\0';
}

void
claim_address(struct section *section)
{
	struct claim *claim = claims;

	if (section->off || section->left_out)
		return;
	while (claim != NULL && !conflict(claim, section->claim))
		claim = claim->next;
	if (claim != NULL) {
		turn_off(section, A_PORT,
		    "[%s] above has this address; xinetd would not start it either",
		    claim->service);
		return;
	}
	section->claim->service = section->name;
	section->claim->next = claims;
	claims = section->claim;
}

void
put_listen(struct section *section)
{
	struct claim *claim = take(sizeof *claim);
	const char *scheme = section->udp ? "udp" : "tcp", *host;
	bool number;

	section->claim = claim;
	claim->port = port_of(section);
	claim->udp = section->udp;
	number = strspn(claim->port, "0123456789") == strlen(claim->port);
	find_host(section, claim);
	host = strchr(claim->host, ':') != NULL ? text("[%s]", claim->host) : claim->host;
	if (*host != '\0')
		put(section, A_PORT, "listen", "%s%s:%s", section->udp ? "udp:" : "", host,
		    claim->port);
	else if (claim->family != 'd')
		put(section, A_PORT, "listen", "%s%c:%s", scheme, claim->family, claim->port);
	else if (section->udp || !number)
		put(section, A_PORT, "listen", "%s:%s", scheme, claim->port);
	else
		put(section, A_PORT, "listen", "%s", claim->port);
}
