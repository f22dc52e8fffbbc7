/*
 * conf_draft.h - a configuration while it is being read: what stood where.
 * Known to conf*.c only; gone with conf_end.
 */
#ifndef CONF_DRAFT_H
#define CONF_DRAFT_H

#include "conf_keys.h"

/* "key = value" with its continuation lines joined. */
struct entry {
	const struct conf_key	*key;
	const char		*value;
	struct place		 at;
	struct entry		*next;
};

/* A section, or a service that only a line of [services] names. */
struct section {
	const char	*name;
	struct place	 at;		/* of its heading, else of its line */
	bool		 heading;
	struct entry	*line;		/* its line in [services] */
	struct entry	*entries;	/* newest first */
	struct section	*next;		/* in the order of the files */
	struct section	*next_in_slot;
	struct service	*service;	/* what became of it */
};

/* What the system allows. */
struct system {
	struct rlimit	limit[LIMIT_COUNT];
	long long	nr_open, somaxconn;
	bool		raise;		/* superd may raise a hard limit */
};

#define DRAFT_SLOTS	16384

/* What is to be done next. */
enum load { LOAD_READ, LOAD_MAKE, LOAD_CHECK, LOAD_CHECK_ALL };

struct draft {
	const struct conf_base	*base;
	struct conf		*conf;
	struct mistakes		*wrong;
	enum load		 load;
	struct section		*at;		/* the service that is made or checked next */
	struct service		 initial;	/* what [defaults] makes of every service */
	struct arena		 arena;		/* of what is needed only while reading */
	gid_t			*groups;	/* superd's own; NULL: not asked for yet */
	int			 ngroups;
	const struct service	*last_environ;	/* the last one whose environment was made */
	const struct section	*same;		/* the last one whose program was looked at */
	struct section		 superd, defaults;
	struct system		 system;
	struct section		*first, **last;	/* the services */
	struct section		**slots;	/* DRAFT_SLOTS of them, by the hash of the name */
	struct place		 file;		/* at hand; line is not used */
	bool			 services_seen;	/* in the file at hand */
	struct entry		*open;		/* that a continuation line would extend */
};

/* Where a service's value stands and under which heading and key: its own section, its line, [defaults]. */
struct value_place {
	struct place	 at;
	const char	*section, *key;
};
struct value_place	draft_origin(const struct draft *, const struct section *, const char *key);

/* A mistake or a warning about a value of a service, told at the value's place. */
void	draft_mistake(struct draft *, const struct section *, const char *key, const char *format, ...)
	    __attribute__((format(printf, 4, 5)));
void	draft_warning(struct draft *, const struct section *, const char *key, const char *format, ...)
	    __attribute__((format(printf, 4, 5)));

/* conf_read.c: the files into draft->superd, ->defaults and the list of services. */
void	conf_read(struct draft *);
/* NULL: there is none of that name; no memory. */
struct section	*draft_find_section(struct draft *, const char *name);
struct section	*draft_add_section(struct draft *, const char *name, struct place);
/* [superd], [defaults] or [services], if a service's name looks like it; or NULL. */
const char	*draft_common_section(const char *name);
/* A value that no line of an INI file has; a key is not looked for twice. */
void	draft_add_value(struct draft *, struct section *, const char *key, const char *value,
	    struct place);
/* conf_inetd.c: the lines of the file that inetd_conf names, as sections. */
void	conf_read_inetd(struct draft *, const struct entry *);
/* conf_check.c: everything that asks the system, service by service; then all of them together. */
void	conf_check_begin(struct draft *);
void	conf_check_service(struct draft *, struct section *);
void	conf_check_all(struct draft *);
/* conf_program.c: finds service->program and tells why it cannot be run. */
void	conf_check_program(struct draft *, struct section *);
void	conf_check_folders(struct draft *, struct section *);
/* conf_conflicts.c: addresses that cannot be had side by side. */
void	conf_check_addresses(struct draft *);
/* conf_lists.c: service->acl and the banners. */
void	conf_check_lists(struct draft *, struct section *);
/* conf_users.c: service->identity, socket_uid and socket_gid. */
void	conf_check_users(struct draft *, struct section *);

#endif
