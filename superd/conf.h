/*
 * conf.h - what superd.ini(5) declares.  A configuration is read, checked and
 * from then on constant; what happens at run time lives elsewhere and points
 * here.
 */
#ifndef CONF_H
#define CONF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "acl.h"
#include "address.h"
#include "hours.h"
#include "mistakes.h"
#include "rate.h"
#include "sources.h"

#define UNLIMITED	UINT32_MAX	/* of a count */
#define IDLE_NONE	(-1)		/* idle_timeout = none */
#define IDLE_DEFAULT	(-2)		/* idle_timeout is not given: depends on the kind of address */

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE, LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };
enum when_full { FULL_QUEUE, FULL_REFUSE };
enum stderr_to { STDERR_LOG, STDERR_SOCKET, STDERR_NULL };
enum log_remote { REMOTE_FULL, REMOTE_PREFIX, REMOTE_NONE };
enum log_sessions { SESSIONS_ALL, SESSIONS_NONE };

/* [superd] */
struct settings {
	const char	*include, *inetd_conf;
	const char	*log;			/* NULL: stderr, with -D syslog */
	const char	*pid_file;
	const char	*service_dir;
	int64_t		 grace_ms;
	uint32_t	 max_sessions;
	struct source_prefix source_prefix;
	uint8_t		 log_format;
	uint8_t		 log_level;
};

/* What is sent to a client before a program has its turn, or in place of one. */
struct banner {
	const char	*bytes;
	size_t		 len;
};

/* A resource limit, setrlimit(2). */
struct limit {
	rlim_t	soft, hard;
};

enum { LIMIT_CPU, LIMIT_AS, LIMIT_DATA, LIMIT_STACK, LIMIT_NOFILE, LIMIT_NPROC, LIMIT_FSIZE,
	LIMIT_CORE, LIMIT_MEMLOCK, LIMIT_COUNT };
#ifdef __GLIBC__
typedef __rlimit_resource_t limit_resource;
#else
typedef int limit_resource;
#endif
extern const limit_resource limit_resources[LIMIT_COUNT];	/* RLIMIT_... */

#define IDENTITY_VARIABLES	4	/* HOME USER LOGNAME SHELL */

/* Who a program runs as.  Looked up once for each name, shared by the services. */
struct identity {
	const char	*name;		/* as written */
	const char	*login;		/* NULL: not in passwd(5) */
	char		*variables[IDENTITY_VARIABLES];	/* "HOME=..." and so on, if it is */
	uid_t		 uid;
	gid_t		 gid;
	gid_t		*groups;	/* supplementary ones, gid among them */
	size_t		 ngroups;
	bool		 change;	/* superd is root and must become this user ... */
	bool		 changes_group;	/* ... whose group is not superd's */
};

/* One service as the files declare it. */
struct service {
	const char	*name;
	struct addresses listen;
	char		**exec;		/* the program as written, and its arguments */
	const char	*argv0;
	const char	*user, *group;
	const char	*chdir, *chroot;
	char		**env, **pass_env;
	const struct limit *limit[LIMIT_COUNT];	/* NULL: what superd was started with */
	const char	*device;
	const char	*socket_user, *socket_group;
	char		**allow, **deny; /* as written, "+" already joined; NULL: not given */
	const struct hours *hours;	/* NULL: always */
	const char	*banner, *banner_refused;
	struct rate	 rate, rate_per_source;
	uint32_t	 max_per_source;
	uint32_t	 max_load;	/* hundredths; 0: unlimited */
	int64_t		 sensor_ms;	/* 0: off */
	int64_t		 timeout_ms;	/* 0: none */
	int64_t		 idle_timeout_ms; /* 0 (UDP only): a process for each datagram; or IDLE_... */
	int64_t		 defer_accept_ms, user_timeout_ms;	/* 0: not set */
	uint32_t	 max_sessions;
	int		 backlog;
	int		 rcvbuf, sndbuf, dscp;	/* 0: the kernel's */
	int		 nice;
	mode_t		 umask, socket_mode;
	uint8_t		 when_full, stderr_to, log_remote, log_sessions;
	bool		 enabled, keepalive, nodelay, no_new_privs, traffic, wait;
	uint64_t	 given;		/* bit per key of service_keys[]: the files have a value */

	/* What conf_check made of it: nothing is left to look up when a connection comes. */
	const struct identity *identity;
	int64_t		 flow_idle_ms;	/* idle_timeout of a UDP peer; 0: none */
	bool		 per_datagram;	/* UDP: a process for each */
	const struct acl *acl;		/* NULL: everyone */
	const struct banner *banner_bytes, *banner_refused_bytes;	/* NULL: none */
	uid_t		 socket_uid;	/* (uid_t)-1: superd's */
	gid_t		 socket_gid;
	const char	*program;	/* path to execute, inside chroot where there is one */
	int		 program_fd;	/* -1, or O_PATH of a bundled program to execute inside chroot */
	bool		 change_nice;	/* nice is given */
	char		**argv;		/* argv0 and the arguments */
	char		**environ;	/* what every connection's program gets alike */
	unsigned	 environ_count;
};

struct conf {
	struct arena	 arena;		/* owns everything below */
	struct settings	 settings;
	const char	*file;		/* absolute */
	struct service	**services;	/* the enabled ones, in the order of the files */
	unsigned	 count;
	struct service	**disabled;	/* told by -T only */
	unsigned	 disabled_count;
	bool		 blank;		/* the main file has no heading at all: is it being written? */
	unsigned	 descriptors;	/* needed at the most */
	unsigned	 references;	/* of conf_hold */
};

/* What the command line and the process say before any file is read. */
struct conf_base {
	const char	*file;		/* -c */
	const char	*service_dir;	/* -s, NULL: the key or the compiled-in one */
	const char	*pid_file;	/* -p, NULL: the key */
	bool		 daemon;	/* -D */
	bool		 test;		/* -t: what only root could know or do is a warning */
	bool		 verbose;	/* -v */
	rlim_t		 nofile;	/* hard limit of descriptors */
	char		**environ;	/* that superd was started with, for pass_env */
};

/*
 * Reads and checks a configuration.  NULL: it has mistakes, all of which are
 * in *wrong; nothing else has been changed.  Warnings come in *wrong as well.
 */
struct conf *conf_load(const struct conf_base *, struct mistakes *wrong);

/* Where the log goes, for log_open. */
const char *conf_log_place(const struct conf_base *, const struct conf *);

/* Where the process id is to stand; NULL: nowhere. */
const char *conf_pid_file(const struct conf_base *, const struct conf *);

/* Counted: the last conf_release closes what it holds and frees it.  NULL is allowed. */
struct conf *conf_hold(struct conf *);
void	conf_release(struct conf *);

/* The effective configuration as an INI file on stdout; -1 with *wrong: it cannot be written as one. */
int	conf_print(const struct conf *, const char **wrong);

#endif
