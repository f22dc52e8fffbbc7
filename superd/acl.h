/*
 * acl.h - who may connect: the lists allow and deny of superd.ini(5), made into
 * one table.  Pure: no system call; reading the file of an "@/file" item is the
 * caller's, which gives its lines to acl_add_line.
 *
 * The most specific entry that matches an address decides, a tie is denied.
 * "all" is less specific than any block, 0.0.0.0/0 and ::/0 included.  Who
 * matches nothing is denied where an allow list is given, else admitted.
 *
 * IPv4 is IPv4 however it is written or arrives: an IPv4-mapped address matches
 * blocks of IPv4 only, and no other block of IPv6 (::/0, ::/80) matches it.
 */
#ifndef ACL_H
#define ACL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "arena.h"

/* The entries of both lists; all zero is empty.  What it takes lies in the arena of acl_add. */
struct acl_builder {
	struct acl_entry	*entries;
	size_t			 count, room;
	const char		*doubt;		/* of the last item: right, but hardly meant; or NULL */
	bool			 allow_given;	/* acl_add sets it; for an empty list the caller does */
	bool			 allow_all, deny_all;
};

/*
 * Adds one item: an address, a CIDR block, "all", or "localhost" for 127.0.0.1
 * and ::1.  NULL, or what is wrong and how it would be right, a text of the
 * arena; then nothing was added.
 */
const char *acl_add(struct acl_builder *, struct arena *, const char *text, bool allow);

/*
 * Adds what one line of a list file holds: blanks around one item or none, and
 * a comment from '#' or ';' on.  The line may hold its newline, and anything else.
 */
const char *acl_add_line(struct acl_builder *, struct arena *, const char *line, size_t len, bool allow);

/* Adds one of the two lists of another builder as if its items were given again: "+". */
const char *acl_add_list(struct acl_builder *, struct arena *, const struct acl_builder *from, bool allow);

/*
 * The table, which belongs to the arena (another than the builder's, where that
 * memory is to go: 16 bytes for each end of a range stay).  Entries are sorted
 * in place.  NULL: out of memory.  Where nobody is denied, or everybody, it
 * takes no memory.
 */
const struct acl *acl_build(struct acl_builder *, struct arena *);

/* The address as struct peer has it. */
bool	acl_admits(const struct acl *, const struct in6_addr *ip);
/* Whether both admit the same addresses, however that was written. */
bool	acl_equal(const struct acl *, const struct acl *);

#endif
