/*
 * reload.h - SIGHUP: the configuration is read anew and comes into force, or is
 * told why not.  In steps, each in a turn of the loop of its own, so that superd
 * serves all the while: a child rehearses the load (rehearsal.h), superd reads
 * the files, makes and checks the services, a few in a turn, and takes the
 * configuration over (apply.c).
 */
#ifndef RELOAD_H
#define RELOAD_H

#include "conf_steps.h"
#include "rehearsal.h"

struct superd;

struct reload {
	struct rehearsal rehearsal;
	struct timer	 turn;
	struct draft	*draft;		/* owned; while it is loaded */
	struct conf	*conf;		/* owned; when it is */
	struct mistakes	 wrong;
	uint64_t	 until;		/* ms; then names are not waited for any longer */
	bool		 under_way;
	bool		 again;		/* asked for once more meanwhile */
};

/*
 * Opens the log anew, whatever comes of the rest, and begins; or begins once
 * more, when the one that is under way is done.
 */
void	superd_reload(struct superd *);
/* As if it had not been begun, if one is under way. */
void	superd_reload_abandon(struct superd *);
/* Where the configuration in force wants it. */
void	superd_reopen_log(const struct superd *);

#endif
