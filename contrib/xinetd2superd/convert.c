/*
 * convert.c: an entry into a section, key by key. A service that cannot be had
 * as it was is written with enabled = no; one that superd has no key for, RPC
 * for one, is only mentioned.
 */
#include "xinetd2superd.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "../../superd/bounds.h"

/* A name that is given. */
struct name {
	const char *name;
	struct name *next;
};

static struct name *names;

static bool
is_free(const char *name)
{
	static const char *const kept[] = { "superd", "services", "defaults" };

	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (strcmp(name, kept[i]) == 0)
			return false;
	for (const struct name *given = names; given != NULL; given = given->next)
		if (strcmp(name, given->name) == 0)
			return false;
	return true;
}

/* The id in letters, digits and ._- , and with something behind it where it is taken. */
static const char *
make_name(const char *id, const char *protocol)
{
	struct name *given = take(sizeof *given);
	const char *behind = "";
	char name[NAME_BYTES + 1];

	for (unsigned number = 1;; number++) {
		snprintf(
		    name, sizeof name, "%.*s%s", (int)(NAME_BYTES - strlen(behind)), id, behind);
		for (char *at = name; *at != '\0'; at++)
			if (!isalnum((unsigned char)*at) && strchr("._-", *at) == NULL)
				*at = '-';
		if (is_free(name))
			break;
		behind = number == 1 ? protocol : text("-%u", number);
	}
	given->name = text("%s", name);
	given->next = names;
	names = given;
	return given->name;
}

void
tell_notes(struct section *section)
{
	for (const struct note *note = section->entry->notes; note != NULL; note = note->next) {
		comment(note->fatal ? section->reasons : section->body, "%s: %s", note->attribute,
		    note->text);
		fprintf(stderr, "%s:%u: [%s] %s: %s\n", note->at.file, note->at.line, section->name,
		    note->attribute, note->text);
		told = true;
		if (note->fatal)
			section->off = true;
	}
}

static bool
says(const char *word, const char *what)
{
	return word != NULL && strcasecmp(word, what) == 0;
}

/* Stream is TCP and dgram is UDP, whichever of the two attributes says so. */
static void
find_protocol(struct section *section)
{
	const char *type = one(section, A_SOCKET_TYPE), *protocol = one(section, A_PROTOCOL);

	section->udp = type != NULL ? says(type, "dgram") : says(protocol, "udp");
	if (type == NULL && protocol == NULL)
		leave_out(section, A_SOCKET_TYPE, "is missing, and xinetd would not run it either");
	else if (type != NULL && !says(type, "stream") && !says(type, "dgram"))
		leave_out(section, A_SOCKET_TYPE,
		    "'%s': superd has streams (TCP) and datagrams (UDP)", type);
	else if (protocol != NULL && !says(protocol, section->udp ? "udp" : "tcp"))
		leave_out(section, A_PROTOCOL,
		    "'%s': superd has TCP for streams and UDP for datagrams", protocol);
}

static void
find_wait(struct section *section)
{
	bool redirect = held(section, A_REDIRECT) != NULL,
	     waits = parse_yes_no(section, A_WAIT, section->udp);

	if (one(section, A_WAIT) == NULL)
		turn_off(section, A_WAIT, "is missing, and xinetd would not run it either");
	if (redirect && waits)
		turn_off(section, A_WAIT, "with redirect, which xinetd would not run either");
	else if (section->bundled && waits && !section->udp)
		remark(section, A_WAIT, "this program serves each client by itself");
	else if (!section->bundled && section->udp && !waits)
		turn_off(section, A_WAIT,
		    "'no' with datagrams, which xinetd does not run; superd would start a "
		    "program for each client, see superd.ini(5)");
	section->waits = waits && !section->bundled;
}

static void
find_type(struct section *section)
{
	const struct values *type = held(section, A_TYPE);

	section->sensor = has_word(held(section, A_FLAGS), "SENSOR");
	section->bundled =
	    section->sensor || has_word(type, "INTERNAL") || held(section, A_REDIRECT) != NULL;
	for (unsigned i = 0; type != NULL && i < type->count; i++) {
		const char *word = type->item[i];

		if (says(word, "RPC"))
			leave_out(section, A_TYPE, "RPC: superd does not register with rpcbind(8)");
		else if (says(word, "TCPMUX") || says(word, "TCPMUXPLUS"))
			leave_out(section, A_TYPE,
			    "%s: superd has no TCPMUX (RFC 1078); give it a port", word);
		else if (!says(word, "INTERNAL") && !says(word, "UNLISTED"))
			leave_out(section, A_TYPE, "'%s' is no type that superd has", word);
	}
}

static void
check_flags(struct section *section)
{
	/* Met by what superd does anyway, or looked at elsewhere. */
	static const char *const met[] = { "REUSE", "NORETRY", "NOLIBWRAP", "NODELAY", "KEEPALIVE",
		"NAMEINARGS", "SENSOR", "IPv4", "IPv6" };
	const struct values *flags = held(section, A_FLAGS);

	for (unsigned i = 0; flags != NULL && i < flags->count; i++) {
		const char *flag = flags->item[i];
		bool fine = false;

		for (size_t j = 0; j < ARRAY_LEN(met); j++)
			fine = fine || says(flag, met[j]);
		if (says(flag, "INTERCEPT"))
			lose(section, A_FLAGS, "INTERCEPT: superd does not look at each datagram");
		else if (says(flag, "IDONLY") &&
		    !has_word(held(section, A_LOG_ON_SUCCESS), "USERID"))
			remark(section, A_FLAGS,
			    "IDONLY means nothing without USERID in log_on_success");
		else if (says(flag, "IDONLY"))
			hole(section, A_FLAGS,
			    "IDONLY: superd asks no identification server (RFC 1413): "
			    "WHO DOES NOT IDENTIFY COULD COME IN");
		else if (says(flag, "LABELED"))
			hole(section, A_FLAGS,
			    "LABELED: superd does not take the SELinux label of a connection: "
			    "THE PROGRAM WOULD RUN WITHOUT IT");
		else if (!fine)
			turn_off(section, A_FLAGS, "'%s' is no flag of xinetd", flag);
	}
}

static void
check_others(struct section *section)
{
	if (own(section, A_LIBWRAP))
		lose(section, A_LIBWRAP, "superd does not ask hosts.allow(5) and hosts.deny(5)");
	if (own(section, A_MDNS))
		lose(section, A_MDNS, "superd announces nothing");
	if (own(section, A_RPC_VERSION))
		lose(section, A_RPC_VERSION, "means nothing without type = RPC");
	if (own(section, A_RPC_NUMBER))
		lose(section, A_RPC_NUMBER, "means nothing without type = RPC");
	if (own(section, A_DENY_TIME) && !section->sensor)
		remark(section, A_DENY_TIME, "means nothing without the flag SENSOR");
}

/* disable, enabled and disabled, by the id as xinetd compares it. */
static void
check_enabled(struct section *section, const char *id)
{
	const struct values *enabled = &section->defaults->attribute[A_ENABLED];

	if (parse_yes_no(section, A_DISABLE, false))
		section->off = true;
	if (has_word(&section->defaults->attribute[A_DISABLED], id)) {
		comment(section->reasons, "disabled of defaults has it");
		section->off = true;
	} else if (enabled->given && !has_word(enabled, id)) {
		comment(section->reasons, "enabled of defaults does not have it");
		section->off = true;
	}
}

/* Copies a text to standard output. */
static void
finish(struct section *section, const char *body, const char *reasons)
{
	const struct entry *entry = section->entry;

	putchar('\n');
	if (section->left_out) {
		comment(stdout, "%s:%u: service %s is left out", entry->at.file, entry->at.line,
		    entry->name);
		fputs(reasons, stdout);
		return;
	}
	comment(stdout, "%s:%u: service %s", entry->at.file, entry->at.line, entry->name);
	printf("[%s]\n%s", section->name, reasons);
	if (section->off)
		puts("enabled = no");
	fputs(body, stdout);
}

static void
put_keys(struct section *section)
{
	put_listen(section);
	put_program(section);
	if (!section->sensor)
		put_user(section);
	put_access(section);
	put_hours(section);
	put_limits(section);
	put_banners(section);
	if (!section->sensor)
		put_environment(section);
	put_logs(section);
	check_flags(section);
	check_others(section);
}

void
convert(const struct xinetd *all, const struct entry *entry, bool force)
{
	struct section section = { .entry = entry, .defaults = &all->defaults, .force = force };
	const char *id = one(&section, A_ID) != NULL ? one(&section, A_ID) : entry->name;
	char *body = NULL, *reasons = NULL;
	size_t size;

	section.name = make_name(id,
	    says(one(&section, A_SOCKET_TYPE), "dgram") || says(one(&section, A_PROTOCOL), "udp")
		? "-udp"
		: "-tcp");
	section.body = open_memstream(&body, &size);
	section.reasons = open_memstream(&reasons, &size);
	if (section.body == NULL || section.reasons == NULL) {
		fputs("xinetd2superd: out of memory\n", stderr);
		exit(2);
	}
	if (strcmp(section.name, id) != 0)
		comment(section.body, "id: '%s' with xinetd", id);
	tell_notes(&section);
	find_type(&section);
	find_protocol(&section);
	if (!section.left_out)
		find_wait(&section);
	if (!section.left_out)
		put_keys(&section);
	check_enabled(&section, id);
	claim_address(&section);
	fclose(section.body);
	fclose(section.reasons);
	finish(&section, body, reasons);
	free(body);
	free(reasons);
}
