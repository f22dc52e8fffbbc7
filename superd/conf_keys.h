/*
 * conf_keys.h - the one table of keys.  Reading, -T, the manual's test and
 * "did you mean" all walk it.
 */
#ifndef CONF_KEYS_H
#define CONF_KEYS_H

#include <stddef.h>

#include "conf.h"

enum key_kind {			/* the field's type */
	KEY_TEXT,		/* const char * */
	KEY_PATH,		/* const char *, absolute */
	KEY_WORDS,		/* char **, quoted as in sh */
	KEY_NAMES,		/* char **, separated by blanks */
	KEY_ASSIGNMENTS,	/* char **, NAME=value, quoted as in sh */
	KEY_LISTEN,		/* struct addresses */
	KEY_BOOL,		/* bool */
	KEY_CHOICE,		/* uint8_t, an index of .words */
	KEY_COUNT,		/* uint32_t, "unlimited" is UNLIMITED where .most says so */
	KEY_INTEGER,		/* int */
	KEY_SIZE,		/* int, bytes */
	KEY_DURATION,		/* int64_t, ms */
	KEY_MODE,		/* mode_t, octal */
	KEY_LIMIT,		/* const struct limit * */
	KEY_LIST,		/* char **, separated by blanks; a first "+" adds to [defaults] */
	KEY_HOURS,		/* const struct hours * */
	KEY_RATE,		/* struct rate */
	KEY_LOAD,		/* uint32_t, hundredths; 0 is unlimited */
	KEY_PREFIX,		/* struct source_prefix */
};

enum key_of {			/* addresses that a key means something for */
	OF_ANY,
	OF_INET,
	OF_TCP,
	OF_STREAM,		/* TCP and Unix sockets */
	OF_PATH,		/* unix:/path */
};

struct conf_key {
	const char	*name;
	enum key_kind	 kind;
	size_t		 at;		/* offset of the field in struct settings or struct service */
	enum key_of	 of;
	bool		 own;		/* not in [defaults] */
	int64_t		 least, most;	/* of numbers; durations in ms */
	const char	*initial;	/* as a file would say it; NULL: none, the field stays zero */
	const char	*const *words;	/* of KEY_CHOICE, ends in NULL */
	const char	*xinetd;	/* names under which others know it, separated by blanks */
};

extern const struct conf_key settings_keys[];	/* both end in a NULL name */
extern const struct conf_key service_keys[];

const struct conf_key *conf_key_find(const struct conf_key *table, const char *name);
/* "did you mean 'x'?" for a name that is no key, or NULL. */
const char *conf_key_hint(struct arena *, const struct conf_key *table, const char *name);
/* The bit of a service key in service->given. */
uint64_t conf_key_bit(const struct conf_key *);

/* Whether it means something for one of the service's addresses. */
bool	conf_key_applies(const struct conf_key *, const struct service *);

/* Sets the field in object from text.  NULL, or what is wrong and how it would be right. */
const char *conf_key_parse(const struct conf_key *, struct arena *, const char *text, void *object);
/* The field as text that conf_key_parse reads back; NULL where the key has no value. */
const char *conf_key_text(const struct conf_key *, struct arena *, const void *object);
bool	conf_key_equal(const struct conf_key *, const void *object, const void *other);

#endif
