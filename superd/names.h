/*
 * names.h - users, groups and services by their names, while a configuration is
 * loaded.  What the C library loads for such questions would stay in memory, and
 * may hang: so a child asks.
 *
 * At the start that child answers one question after the other, and superd waits
 * for it: nobody is served yet.  For a reload, superd's answers come from the
 * recording of a child that has loaded the same files before (rehearsal.h).
 */
#ifndef NAMES_H
#define NAMES_H

#include <stdbool.h>
#include <netinet/in.h>
#include <sys/types.h>

/* An entry of passwd(5).  The texts are valid until the next call. */
struct name_user {
	uid_t		 uid;
	gid_t		 gid;
	const char	*login, *home, *shell;
};

/* False: there is none, or nobody answers; see names_end. */
bool	names_user(const char *login, struct name_user *);
bool	names_user_by_uid(uid_t, struct name_user *);
bool	names_group(const char *name, gid_t *);
/* The groups of a user, gid included, and how many they are; NULL: too many, or nobody answers. */
const gid_t *names_groups(const char *login, gid_t gid, size_t *count);
/* A port by its name in services(5). */
bool	names_port(const char *service, bool udp, in_port_t *port);

/* Nothing more is asked.  NULL, or why some of the answers are wrong. */
const char *names_end(void);

/* In a child, until names_end: it asks by itself, and fd gets each question with its answer. */
void	names_record(int fd);
/* Behind names_end: that was all. */
void	names_record_end(int fd);
/*
 * Whether these bytes of a recording are all of it.  *seen, 0 at first, is how
 * far they have been looked at: there it goes on the next time.
 */
bool	names_recorded(const char *recording, size_t len, size_t *seen);
/*
 * Until names_end the same questions are asked in the same order, and the
 * answers come from the recording, which stays the caller's.
 */
void	names_replay(const char *recording, size_t len);
/* Another question was asked: the recording is of other files. */
bool	names_strayed(void);

#endif
