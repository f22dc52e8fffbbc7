/*
 * load.h - the load generator: a closed loop of N connections, each of which
 * is followed by the next as soon as its last byte was seen.  Every byte is
 * compared.  Sources rotate over 127.0.NET.1 to .250.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <sys/types.h>

struct load {
	int port;		/* of 127.0.SERVER_NET.1 */
	unsigned concurrency;
	double seconds;		/* no new connection after this ... */
	unsigned long most;	/* ... or after so many; 0: as many as memory was taken for */
	unsigned char net;	/* where clients come from */
	const char *say;	/* bytes sent first, or NULL */
	const char *expect;	/* what must come, and then the end */
	bool reset_is_end;	/* a refused client may see ECONNRESET in place of the end */
	double every;		/* seconds between two calls of ... */
	void (*tick)(void *);	/* ... this, from within the loop, or NULL */
	void *arg;
};

struct load_result {
	unsigned long done;	/* connections that went as they must */
	unsigned long failed;	/* others: refused, reset, short, wrong, or stalled */
	double seconds;		/* from the first connect to the last end */
	double p50, p99, worst;	/* microseconds from connect to the end */
};

void load_run(const struct load *load, struct load_result *result);

/* The same in a process of its own, until load_end or for ten minutes at most. */
pid_t load_begin(const struct load *load);
void load_end(pid_t pid);

/* A blocking connection from CLIENT_NET, or -1 and errno. */
int load_connect(int port);

#endif
