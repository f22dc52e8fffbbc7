/*
 * child.h - the life of a child until it is its program: a list of stages that
 * ends in execve(2).  The first that fails is reported, and is the end.
 *
 * The child may share superd's memory.  So child.c makes raw system calls only,
 * and what it reads must stay as it is until the child has executed.
 */
#ifndef CHILD_H
#define CHILD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

struct service;

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

/*
 * The descriptors 0 to 5 are a child's own: superd has nothing there but what
 * is named here, so that dup2(2) onto them overwrites nothing that is needed.
 */
enum {
	CHILD_PASSED = 3,	/* with wait = yes the program finds its socket there */
	CHILD_CALL = 3,		/* in superd an eventfd: a child writes to it when superd waits for it */
	CHILD_REPORT = 4,	/* in superd too: the pipe that all children report to */
	CHILD_PROGRAM = 5,	/* if it is executed by descriptor; in superd /dev/null */
	CHILD_NULL = 5,
	CHILD_FREE = 6		/* from here on everything is closed */
};

struct child {
	const struct service	*service;
	char			**environment;
	char			*pid_digits;	/* in it: where the child writes its own number; or NULL */
	const struct rlimit	*nofile;	/* what superd was started with */
	uint64_t		 session;
	int			 in, out, err;	/* become 0, 1 and 2 */
	int			 program;	/* to execute; -1: by its path */
	bool			 lent;		/* in is also passed as CHILD_PASSED */
	/* Of a child that shares superd's memory; NULL otherwise. */
	atomic_bool		*unsafe;	/* set by the child: sharing is not safe here */
	/* Of a child that shares superd's descriptors too; 0 otherwise. */
	unsigned		 below;		/* those that it needs are below this number */
	atomic_bool		 apart;		/* it has descriptors of its own; the child sets it */
	atomic_bool		*awaited;	/* superd sleeps until some child is apart, and is to be called */
};

/* The child has descriptors of its own.  True: superd is to be called; see slots_settle. */
static inline bool
child_is_apart(struct child *self)
{
	atomic_store(&self->apart, true);
	return atomic_exchange(self->awaited, false);	/* in this order */
}

/* Takes a struct child, as the start of a child on a stack of its own does. */
void	child_run(void *) __attribute__((noreturn));

#endif
