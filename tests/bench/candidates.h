/*
 * candidates.h - everything that can be measured: the floor, superd in two
 * configurations, and the peers, as one table.
 */
#ifndef CANDIDATES_H
#define CANDIDATES_H

#include <stdbool.h>

struct plan;

/*
 * How a server is run.  In the texts %A is the address, %C the configuration
 * file, %L a file for the log, %N the number of a service, %P its port, %S its
 * program with arguments, %0 without them, %U the user that
 * runs the benchmark, %V who serves where a choice is possible (nobody for
 * root).  In a command %P and %S are those of the first service.
 */
struct candidate {
	const char *name;
	const char *binary;	/* a name that is looked for, or a file of the stage */
	const char *applet;	/* of busybox, or NULL */
	const char *command;	/* its arguments */
	const char *head;	/* configuration: once ... */
	const char *service;	/* ... and for each service; NULL: it serves one port */
	const char *idle;	/* ... for all but the first, where that differs */
	const char *packages;	/* who has it: Debian, Alpine, Fedora */
	char *path;		/* where it was found; NULL: it is not here */
};

extern struct candidate candidate_floor, candidate_full, candidate_min;

/* The floor whose child does what superd full promises, see floor.c. */
extern struct candidate candidate_floor_full;

/* The peers, ended by one without a name; candidates_find sees which of them are here. */
extern struct candidate peers[];

/* Looks in FOLDERS, and in PATH and where system programs are. */
void candidates_find(const char *folders);

/* Where the peer of that name was found, or NULL. */
char *candidate_path(const char *name);

/* The command line, for the caller to free; writes what files it needs. */
char *candidate_command(const struct candidate *candidate, const struct plan *plan,
    unsigned number);

#endif
