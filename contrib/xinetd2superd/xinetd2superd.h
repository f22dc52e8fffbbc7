/*
 * xinetd2superd.h: what the files of the converter share. read.c gives the
 * entries of the xinetd configuration as xinetd itself would have them;
 * convert.c makes a section of superd.ini of each, with the help of the others.
 */
#ifndef XINETD2SUPERD_H
#define XINETD2SUPERD_H

#include <stdbool.h>
#include <stdio.h>

#include "attributes.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

enum attribute {
#define X(id, name, values, traits) id,
	ATTRIBUTES_OF(X)
#undef X
	    ATTRIBUTES
};

struct place {
	const char *file;
	unsigned line;
};

struct values {
	const char **item;
	unsigned count;
	bool given;	 /* by the entry itself, perhaps without a value */
	bool copied;	 /* from defaults, when the entry began */
	struct place at; /* where it was given last */
};

/* Something wrong with a line; fatal: xinetd does not run the service then. */
struct note {
	const char *attribute, *text;
	struct place at;
	bool fatal;
	struct note *next;
};

struct entry {
	const char *name; /* of the service */
	struct place at;
	struct values attribute[ATTRIBUTES];
	struct note *notes, **last_note;
	struct entry *next;
};

struct xinetd {
	struct entry defaults; /* of all files together */
	struct entry *first, **last;
	struct entry files; /* only notes, about what could not be read */
};

/* A section in the making; the bodies of sections are written when all is known. */
struct section {
	const struct entry *entry, *defaults;
	const char *name; /* in superd.ini */
	FILE *body, *reasons;
	bool off;      /* enabled = no, for the reasons */
	bool left_out; /* no section at all, for the reasons */
	bool force;    /* option -f */
	bool waits, udp, sensor;
	bool bundled;	     /* a program that comes with superd */
	struct claim *claim; /* of listen.c: its address */
};

/* memory.c: one arena for all. Who gets no memory ends the program. */
void *take(size_t size);
const char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *quoted(const char *word);
void give_all_back(void);

/* read.c; false, and told: path itself cannot be read. */
bool read_configuration(struct xinetd *all, const char *path);

/* values.c */
extern const char *const attribute_names[ATTRIBUTES];
void add_value(struct values *values, const char *word);
void add_note(struct entry *entry, const char *attribute, struct place at, bool fatal,
    const char *format, ...) __attribute__((format(printf, 5, 6)));
bool has_word(const struct values *values, const char *word);
/* As xinetd has it for the service, whether its own or of defaults; NULL: not given. */
const struct values *held(const struct section *section, enum attribute id);
/* The first value of that, or NULL. */
const char *one(const struct section *section, enum attribute id);
bool own(const struct section *section, enum attribute id);
bool parse_count(const char *digits, unsigned long most, unsigned long *number);
bool parse_yes_no(struct section *section, enum attribute id, bool otherwise);

/* addresses.c */
void expand_address(struct entry *entry, enum attribute id, struct values *values, const char *item,
    struct place at);
void put_access(struct section *section);
void put_hours(struct section *section);
/* What the lists leave of a service whose clients superd cannot ask: all, all of IPv4, or less. */
enum admitted { ALL, ALL_OF_IPV4, FEWER } admitted(const struct section *section);

/* listen.c, program.c, limits.c, logs.c: keys of a section */
void put_listen(struct section *section);
/* Last: a service that is off claims nothing; one whose address is taken is turned off. */
void claim_address(struct section *section);
void put_program(struct section *section);
void put_user(struct section *section);
void put_environment(struct section *section);
void put_limits(struct section *section);
void put_umask(struct section *section);
void put_banners(struct section *section);
void put_log(struct section *section);
void put_logs(struct section *section);

/* convert.c */
void convert(const struct xinetd *all, const struct entry *entry, bool force);
void tell_notes(struct section *section);

/* output.c */
extern bool told; /* something could not be kept */
void put(struct section *section, enum attribute id, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
bool put_words(FILE *out, const char *key, const char *const *words, unsigned count);
void comment(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* For what is kept in another way: a comment. */
void remark(struct section *section, enum attribute id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* For what is not kept: a comment and a line on standard error. */
void lose(struct section *section, enum attribute id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, and the service is written disabled, or not at all. */
void turn_off(struct section *section, enum attribute id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void leave_out(struct section *section, enum attribute id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* For a restriction that would be lost: turn_off, with option -f only lose. */
void hole(struct section *section, enum attribute id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
