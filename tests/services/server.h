/*
 * The server that relay connects to in its tests: a socket of the test itself.
 */
#ifndef TESTS_SERVICES_SERVER_H
#define TESTS_SERVICES_SERVER_H

#include "filter.h"

enum server_kind {
	SERVER_V4,		/* on the loopback, on a port of the kernel's choice */
	SERVER_V6,
	SERVER_PATH,		/* a Unix socket in the working folder */
	SERVER_ABSTRACT		/* a Unix socket without a file */
};
#define SERVER_KINDS 4

#define FLOOD 50331648		/* bytes; more than the buffers on the way ever hold */

struct server {
	int  listener;
	char host[160];		/* relay's arguments */
	char port[8];		/* "": host is all */
};

/* Binds and listens. backlog 0: one connection, not accepted, fills the queue; -1: no listening. */
struct server server_open(enum server_kind kind, int backlog);

/* Starts relay to the server, with an option and its value or NULL. */
struct filter server_relay(const struct server *server, enum channel channel, const char *option,
    const char *value);

/* The other end of relay: what goes in comes out at the client. Has no process of its own. */
struct filter server_accept(const struct server *server);

/* Fills the listener's queue, so that who connects now has to wait; returns its length. */
int server_fill(const struct server *server);

/*
 * Writes of FLOOD bytes to a non-blocking connection what is taken until nothing
 * is any more; returns how much that was.
 */
size_t flood(const struct filter *filter, const char *data);

/* Waits until relay has read all that was sent to it. */
void connection_drained(const struct filter *filter);

/* Closes both ways; or so that the other side sees a reset. */
void connection_close(struct filter *filter);
void connection_reset(struct filter *filter);

/* Demands that a process waits, rather than goes round and round. */
void process_idle(pid_t pid);
/* Waits for that, stops the process and lets it go on. */
void process_stop_and_go_on(pid_t pid);

/* Longer than a name can be, so that no network is asked for it. */
#define LONG_PART "a-name-that-there-is-not-anywhere-in-the-whole-wide-world."
#define NO_NAME LONG_PART LONG_PART LONG_PART LONG_PART LONG_PART

/*
 * Names: hosts_write makes a file of them, and a program prepared by hosts_own has
 * it for its /etc/hosts, where hosts_possible.
 */
void hosts_write(const char *text);
bool hosts_possible(void);
void hosts_own(void);
/* several.test with four addresses, of which any may be the one that is served; false: not possible here. */
bool hosts_several(void);

/* size bytes that do not repeat; free() them. */
char *noise_make(size_t size, unsigned seed);

#endif
