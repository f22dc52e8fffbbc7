/*
 * addresses.c: only_from and no_access. xinetd's forms of an address become
 * ADDRESS/BITS when they are read, so that -= finds them; what is none of them,
 * a name above all, stays as it is and is told when the service is written.
 */
#include "xinetd2superd.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

struct net {
	int family;
	unsigned char address[16];
	unsigned bits;
};

struct nets {
	struct net *item;
	unsigned count;
};

static const char *
net_text(const struct net *net, const unsigned char *address)
{
	char shown[INET6_ADDRSTRLEN] = "";

	inet_ntop(net->family, address, shown, sizeof shown);
	if (net->bits == (net->family == AF_INET ? 32 : 128))
		return text("%s", shown);
	return text("%s/%u", shown, net->bits);
}

/* inet_aton's forms too, as xinetd takes them: "10.1" is 10.0.0.1. */
static bool
parse_address(const char *shown, struct net *net)
{
	struct in_addr four;

	if (inet_pton(AF_INET6, shown, net->address) == 1) {
		net->family = AF_INET6;
		net->bits = 128;
		return true;
	}
	if (strspn(shown, "0123456789abcdefABCDEFxX.") != strlen(shown) ||
	    inet_aton(shown, &four) == 0)
		return false;
	memcpy(net->address, &four, sizeof four);
	net->family = AF_INET;
	net->bits = 32;
	return true;
}

/* ADDRESS or ADDRESS/BITS. More bits than there are is all of them, as for xinetd. */
static bool
parse_net(const char *item, struct net *net)
{
	size_t length = strcspn(item, "/");
	unsigned long bits;

	if (!parse_address(text("%.*s", (int)length, item), net))
		return false;
	if (item[length] == '\0')
		return true;
	if (!parse_count(item + length + 1, 1000, &bits))
		return false;
	if (bits < net->bits)
		net->bits = (unsigned)bits;
	return true;
}

/* The last parts that are 0 stand for any: 10.1.0.0 is 10.1.0.0/16. */
static void
widen(struct net *net)
{
	static const unsigned char zero[16];

	if (net->family == AF_INET6) {
		if (memcmp(net->address, zero, sizeof zero) == 0)
			net->bits = 0;
		return;
	}
	while (net->bits > 0 && net->address[net->bits / 8 - 1] == 0)
		net->bits -= 8;
}

/* "10.1.{2,3}": NULL, or what is wrong. */
static const char *
expand_factorised(struct values *values, const char *item)
{
	const char *brace = strchr(item, '{'), *at = item;
	struct net net = { .family = AF_INET };
	unsigned parts = 0;
	unsigned long number;

	while (at < brace) {
		size_t length = strcspn(at, ".{");

		if (parts == 3 || at[length] != '.' ||
		    !parse_count(text("%.*s", (int)length, at), 255, &number))
			return "is not a.b.c.{d,e}";
		net.address[parts++] = (unsigned char)number;
		at += length + 1;
	}
	net.bits = (parts + 1) * 8;
	do {
		size_t length = strcspn(++at, ",}");

		if (at[length] == '\0' || !parse_count(text("%.*s", (int)length, at), 255, &number))
			return "is not a.b.c.{d,e}";
		net.address[parts] = (unsigned char)number;
		add_value(values, net_text(&net, net.address));
		at += length;
	} while (*at == ',');
	return at[1] != '\0' ? "goes on behind its '}'" : NULL;
}

void
expand_address(struct entry *entry, enum attribute id, struct values *values, const char *item,
    struct place at)
{
	const char *name = attribute_names[id], *wrong;
	struct net net;

	if (strchr(item, '{') != NULL) {
		if ((wrong = expand_factorised(values, item)) != NULL)
			add_note(entry, name, at, true, "'%s' %s", item, wrong);
	} else if (strchr(item, ',') != NULL) {
		add_note(entry, name, at, true, "'%s' has a comma; blanks part addresses", item);
	} else if (strcasecmp(item, "localhost") == 0 ||
	    strcasecmp(item, "localhost.localdomain") == 0) {
		add_value(values, "127.0.0.1");
		add_value(values, "::1");
	} else if (parse_net(item, &net)) {
		if (strchr(item, '/') == NULL)
			widen(&net);
		add_value(values, net_text(&net, net.address));
	} else {
		add_value(values, item);
	}
}

static void
mask(struct net *net)
{
	unsigned size = net->family == AF_INET ? 4 : 16;

	for (unsigned i = 0; i < size; i++) {
		unsigned bits = net->bits > i * 8 ? net->bits - i * 8 : 0;

		if (bits < 8)
			net->address[i] &= (unsigned char)(0xff00U >> bits);
	}
}

static bool
contains(const struct net *outer, const struct net *inner)
{
	struct net cut = *inner;

	if (outer->family != inner->family || outer->bits > inner->bits)
		return false;
	cut.bits = outer->bits;
	mask(&cut);
	return memcmp(cut.address, outer->address, outer->family == AF_INET ? 4 : 16) == 0;
}

static bool
is_among(const struct nets *nets, const struct net *net)
{
	for (unsigned i = 0; i < nets->count; i++)
		if (nets->item[i].bits == net->bits && contains(&nets->item[i], net))
			return true;
	return false;
}

/* The items that are addresses, each once; the others are given to tell. */
static struct nets
nets_of(
    struct section *section, enum attribute id, void (*tell)(struct section *, const char *item))
{
	const struct values *values = held(section, id);
	unsigned count = values != NULL ? values->count : 0;
	struct nets nets = { take((count + 1) * sizeof *nets.item), 0 };

	for (unsigned i = 0; i < count; i++) {
		struct net *net = &nets.item[nets.count];

		memset(net, 0, sizeof *net);
		if (parse_net(values->item[i], net)) {
			mask(net);
			nets.count += !is_among(&nets, net);
		} else if (tell != NULL) {
			tell(section, values->item[i]);
		}
	}
	return nets;
}

static bool
has_all_of(const struct nets *nets, int family)
{
	for (unsigned i = 0; i < nets->count; i++)
		if (nets->item[i].family == family && nets->item[i].bits == 0)
			return true;
	return false;
}

enum admitted
admitted(const struct section *section)
{
	const struct values *denied = held(section, A_NO_ACCESS),
			    *values = held(section, A_ONLY_FROM);
	struct section quiet = *section;
	struct nets allowed = nets_of(&quiet, A_ONLY_FROM, NULL);

	if (denied != NULL && denied->count > 0)
		return FEWER;
	if (values == NULL || (has_all_of(&allowed, AF_INET) && has_all_of(&allowed, AF_INET6)))
		return ALL;
	for (unsigned i = 0; i < allowed.count; i++)
		if (allowed.item[i].family == AF_INET6)
			return FEWER;
	return has_all_of(&allowed, AF_INET) ? ALL_OF_IPV4 : FEWER;
}

static void
tell_allowed(struct section *section, const char *item)
{
	lose(section, A_ONLY_FROM,
	    "'%s' is not a numeric address: left out, so it is refused; give allow its addresses",
	    item);
}

static void
tell_denied(struct section *section, const char *item)
{
	hole(section, A_NO_ACCESS,
	    "'%s' is not a numeric address: WITHOUT IT THOSE WHO WERE SHUT OUT COULD "
	    "COME IN; give deny its addresses",
	    item);
}

/* xinetd refuses whoever is in both lists; with superd the narrower block would win. */
static void
drop_denied(struct section *section, struct nets *allowed, const struct nets *denied)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < allowed->count; i++) {
		const struct net *net = &allowed->item[i], *by = NULL;

		for (unsigned j = 0; j < denied->count && by == NULL; j++)
			if (contains(&denied->item[j], net))
				by = &denied->item[j];
		if (by == NULL)
			allowed->item[kept++] = *net;
		else
			remark(section, A_ONLY_FROM,
			    "%s is left out: it lies in %s of no_access, and xinetd "
			    "refuses what is in both",
			    net_text(net, net->address), net_text(by, by->address));
	}
	allowed->count = kept;
}

static void
put_list(struct section *section, const char *key, const struct nets *nets)
{
	const char **words = take((nets->count + 1) * sizeof *words);

	for (unsigned i = 0; i < nets->count; i++)
		words[i] = net_text(&nets->item[i], nets->item[i].address);
	put_words(section->body, key, words, nets->count);
}

void
put_access(struct section *section)
{
	struct nets allowed, denied;

	if (section->sensor) {
		if (own(section, A_ONLY_FROM) || own(section, A_NO_ACCESS))
			remark(section, own(section, A_ONLY_FROM) ? A_ONLY_FROM : A_NO_ACCESS,
			    "a sensor asks no lists");
		return;
	}
	if (section->waits) {
		if (admitted(section) == FEWER)
			hole(section,
			    held(section, A_ONLY_FROM) != NULL ? A_ONLY_FROM : A_NO_ACCESS,
			    "superd cannot ask who the client is with wait = yes: IT WOULD BE OPEN "
			    "TO ALL; "
			    "use a packet filter or the program's own lists");
		return;
	}
	allowed = nets_of(section, A_ONLY_FROM, tell_allowed);
	denied = nets_of(section, A_NO_ACCESS, tell_denied);
	drop_denied(section, &allowed, &denied);
	if (allowed.count > 0)
		put_list(section, "allow", &allowed);
	if (allowed.count == 0 && held(section, A_ONLY_FROM) != NULL)
		put(section, A_ONLY_FROM, "deny", "all");
	else if (denied.count > 0)
		put_list(section, "deny", &denied);
}

/* "8:00-17:30" of xinetd, whose last minute counts; false: xinetd does not take it. */
static bool
parse_span(const char *span, unsigned *begin, unsigned *end)
{
	unsigned hour[2], minute[2];
	char more;

	if (strspn(span, "0123456789:-") != strlen(span) ||
	    sscanf(span, "%2u:%2u-%2u:%2u%c", &hour[0], &minute[0], &hour[1], &minute[1], &more) !=
		4)
		return false;
	*begin = hour[0] * 60 + minute[0];
	*end = hour[1] * 60 + minute[1];
	return hour[0] < 24 && hour[1] < 24 && minute[0] < 60 && minute[1] < 60 && *begin < *end;
}

void
put_hours(struct section *section)
{
	const struct values *spans = held(section, A_ACCESS_TIMES);
	const char **words;
	unsigned begin, end;

	if (spans == NULL)
		return;
	words = take((spans->count + 1) * sizeof *words);
	for (unsigned i = 0; i < spans->count; i++) {
		if (!parse_span(spans->item[i], &begin, &end)) {
			turn_off(section, A_ACCESS_TIMES, "'%s' is no span of hours to xinetd",
			    spans->item[i]);
			return;
		}
		if (end == 23 * 60 + 59)
			end++;
		words[i] = text("%02u:%02u-%02u:%02u%s", begin / 60, begin % 60, end / 60, end % 60,
		    i + 1 < spans->count ? "," : "");
	}
	put_words(section->body, "hours", words, spans->count);
}
