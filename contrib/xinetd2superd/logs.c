/*
 * logs.c: log_type and the two lists of what is logged. superd has one log, and
 * logs all that it knows of a session or nothing.
 */
#include "xinetd2superd.h"

#include <ctype.h>
#include <string.h>

#include "../../superd/facility.h"

/* Words that the two lists may have; xinetd does not run a service with others. */
static void
check_log_words(struct section *section, enum attribute id, const char *const *known)
{
	const struct values *words = held(section, id);

	for (unsigned i = 0; words != NULL && i < words->count; i++) {
		size_t j = 0;

		while (known[j] != NULL && strcasecmp(known[j], words->item[i]) != 0)
			j++;
		if (known[j] == NULL && strcasecmp(words->item[i], "RECORD") == 0)
			lose(section, id,
			    "RECORD is of an old xinetd; superd records nothing that clients say");
		else if (known[j] == NULL)
			turn_off(section, id, "'%s' is nothing that xinetd logs", words->item[i]);
		else if (strcasecmp(words->item[i], "USERID") == 0)
			lose(
			    section, id, "USERID: superd asks no identification server (RFC 1413)");
	}
}

/* The two lists, for one service or in [defaults]: what superd may leave out of its log. */
static void
put_log_words(struct section *section)
{
	static const char *const success[] = { "PID", "HOST", "USERID", "EXIT", "DURATION",
		"TRAFFIC", NULL };
	static const char *const failure[] = { "HOST", "USERID", "ATTEMPT", NULL };

	if (section->entry == section->defaults || own(section, A_LOG_ON_SUCCESS))
		check_log_words(section, A_LOG_ON_SUCCESS, success);
	if (section->entry == section->defaults || own(section, A_LOG_ON_FAILURE))
		check_log_words(section, A_LOG_ON_FAILURE, failure);
}

/* PID alone, say: no addresses. An empty list is silence, log_sessions = none. */
static bool
hides_host(const struct section *section)
{
	const struct values *words = held(section, A_LOG_ON_SUCCESS);

	return words != NULL && words->count > 0 && !has_word(words, "HOST") &&
	    !has_word(held(section, A_LOG_ON_FAILURE), "HOST");
}

static bool
is_silent(const struct section *section)
{
	const struct values *words = held(section, A_LOG_ON_SUCCESS);

	return words == NULL || words->count == 0;
}

static bool
same_values(const struct values *a, const struct values *b)
{
	for (unsigned i = 0; i < a->count && a->count == b->count; i++)
		if (strcasecmp(a->item[i], b->item[i]) != 0)
			return false;
	return a->count == b->count;
}

void
put_logs(struct section *section)
{
	bool defaults = section->entry == section->defaults;
	struct section common = { .entry = section->defaults, .defaults = section->defaults };
	bool traffic = has_word(held(section, A_LOG_ON_SUCCESS), "TRAFFIC");

	put_log_words(section);
	if (is_silent(section) && (defaults || !is_silent(&common)))
		put(section, A_LOG_ON_SUCCESS, "log_sessions", "none");
	else if (!defaults && !is_silent(section) && is_silent(&common))
		put(section, A_LOG_ON_SUCCESS, "log_sessions", "all");
	if (hides_host(section) && (defaults || !hides_host(&common)))
		put(section, A_LOG_ON_SUCCESS, "log_remote", "none");
	else if (!hides_host(section) && !defaults && hides_host(&common))
		put(section, A_LOG_ON_SUCCESS, "log_remote", "full");
	if (defaults)
		return;
	if (traffic && held(section, A_REDIRECT) != NULL)
		put(section, A_LOG_ON_SUCCESS, "traffic", "yes");
	else if (traffic)
		turn_off(section, A_LOG_ON_SUCCESS,
		    "TRAFFIC without redirect, which xinetd would not run either");
	if (own(section, A_LOG_TYPE) &&
	    !same_values(held(section, A_LOG_TYPE), &section->defaults->attribute[A_LOG_TYPE]))
		lose(section, A_LOG_TYPE, "superd has one log for all services, log of [superd]");
}

static const char *
lower(const char *word)
{
	char *copy = take(strlen(word) + 1);

	for (size_t i = 0; word[i] != '\0'; i++)
		copy[i] = (char)tolower((unsigned char)word[i]);
	return copy;
}

/* log of [superd], from the last FILE or SYSLOG of defaults. */
void
put_log(struct section *section)
{
	const struct values *type = held(section, A_LOG_TYPE);
	const char *where = type != NULL && type->count > 1 ? type->item[1] : "";

	if (type == NULL)
		return;
	if (strcasecmp(type->item[0], "FILE") == 0 && *where == '/') {
		put(section, A_LOG_TYPE, "log", "%s", where);
		if (type->count > 2)
			lose(section, A_LOG_TYPE, "the file has no limits of size; rotate it");
	} else if (strcasecmp(type->item[0], "SYSLOG") == 0 && facility_find(lower(where)) != -1) {
		put(section, A_LOG_TYPE, "log", "syslog:%s", lower(where));
		if (type->count > 2 && strcasecmp(type->item[2], "info") != 0)
			lose(section, A_LOG_TYPE, "'%s': superd gives each line a level of its own",
			    type->item[2]);
	} else {
		lose(section, A_LOG_TYPE, "'%s %s' is no log that superd could write",
		    type->item[0], where);
	}
}
