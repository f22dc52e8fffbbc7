/*
 * launch.h - a connection and a service become a process.  How the child is
 * made is this module's secret; whoever calls never waits for the child, not
 * even for its exec.
 */
#ifndef LAUNCH_H
#define LAUNCH_H

#include "slots.h"

struct launcher {
	int		reports;	/* pipe that all children write to; superd's end */
	struct rlimit	nofile;		/* that superd was started with: programs get it back */
	struct environ	environ;	/* of a forked child */
	struct slots	slots;		/* of those that share superd's memory */
	bool		 many;		/* descriptors: they are shared too, not copied for each child */
	const char	*forks;		/* why all children are forked; NULL: they share superd's memory */
	atomic_bool	unsafe;		/* a child found that sharing is not safe (any more) */
	uint64_t	shared, forked;	/* children made by either way */
};

struct launch_request {
	const struct service	*service;
	struct conf		*conf;		/* that the service belongs to */
	int			 in, out;	/* the connection twice, or two pipes; they stay the caller's */
	int			 stderr_fd;	/* for stderr = log; -1 otherwise */
	uint64_t		 session;
	const struct peer	*remote, *local;
};

/* superd has the descriptors 0 to 5 taken already.  -1 with errno: no descriptors or no memory. */
int	launch_init(struct launcher *, const struct rlimit *nofile);
void	launch_finish(struct launcher *);
/* Finds out how children can be made; descriptors: how many superd may have.  At each (re)load. */
void	launch_choose(struct launcher *, unsigned descriptors);

/* The child's pid, or -1 with errno: there is none. */
pid_t	launch(struct launcher *, const struct launch_request *);
/* Closes in or out of a request that was launched, once the child has its copy. */
void	launch_close(struct launcher *, int fd);
/* To be called before superd waits, which CHILD_CALL ends when there is something to close. */
void	launch_settle(struct launcher *);

/* The next report, if there is one; a child's is there before its exit is seen. */
bool	launch_next_report(struct launcher *, struct launch_report *);

/* Whether the child has become its program.  A zombie's past is known too.  True where /proc is missing. */
bool	launch_executed(pid_t);

#endif
