/*
 * launch.h - a connection and a service become a process.  How the child is
 * made is this module's secret; whoever calls never waits for the child, not
 * even for its exec.
 */
#ifndef LAUNCH_H
#define LAUNCH_H

#include <sys/resource.h>

#include "environ.h"

/* Where the setting up of a child can fail; the words are in superd(8). */
#define STAGES(X)				\
	X(STAGE_NONE,		"")		\
	X(STAGE_FORK,		"fork")		\
	X(STAGE_SESSION,	"session")	\
	X(STAGE_DESCRIPTORS,	"descriptors")	\
	X(STAGE_SIGNALS,	"signals")	\
	X(STAGE_LIMITS,		"limits")	\
	X(STAGE_NICE,		"nice")		\
	X(STAGE_CHROOT,		"chroot")	\
	X(STAGE_GROUP,		"group")	\
	X(STAGE_CHDIR,		"chdir")	\
	X(STAGE_USER,		"user")		\
	X(STAGE_NO_NEW_PRIVS,	"no_new_privs")	\
	X(STAGE_EXEC,		"exec")
#define STAGE_NAME(name, word)	name,
enum stage { STAGES(STAGE_NAME) STAGE_COUNT };
#undef STAGE_NAME
extern const char *const stage_word[STAGE_COUNT];

#define LAUNCH_FAILED	127	/* exit status of a child that wrote a report (or of a program, by chance) */

/* What a child says that cannot become the program. */
struct launch_report {
	uint64_t	session;	/* id */
	int32_t		pid;
	int16_t		error;		/* errno */
	int16_t		stage;
};

struct launcher {
	int		reports[2];	/* pipe: all children write, superd reads */
	int		null;		/* /dev/null */
	struct rlimit	nofile;		/* that superd was started with: programs get it back */
	struct environ	environ;
};

struct launch_request {
	const struct service	*service;
	int			 in, out;	/* the connection, often the same; they stay the caller's */
	int			 stderr_fd;	/* for stderr = log; -1 otherwise */
	uint64_t		 session;
	const struct peer	*remote, *local;
};

/* -1 with errno: no descriptors. */
int	launch_init(struct launcher *, const struct rlimit *nofile);
void	launch_finish(struct launcher *);

/* The child's pid, or -1 with errno: there is none. */
pid_t	launch(struct launcher *, const struct launch_request *);

/* The next report, if there is one; a child's is there before its exit is seen. */
bool	launch_next_report(struct launcher *, struct launch_report *);

/* Whether the child has become its program.  A zombie's past is known too.  True where /proc is missing. */
bool	launch_executed(pid_t);

#endif
