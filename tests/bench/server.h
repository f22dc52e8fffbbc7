/*
 * server.h - a server as a child of the benchmark: started, found ready by a
 * whole exchange, measured, ended, and all that it made reaped.
 */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>
#include <sys/types.h>

struct candidate;

struct service {
	int port;
	const char *program;	/* absolute path and arguments, no quoting */
};

/* What a server shall serve; the first service is the one that is measured. */
struct plan {
	const struct service *services;
	unsigned count;
	const char *say;	/* what a client of the first service says first, or NULL */
	bool udp;		/* ready when a datagram came back */
	unsigned long nofile;	/* limit of open files; 0: what the services need, and some */
	unsigned live;		/* sessions that there will be besides the load's */
};

struct server {
	pid_t pid;		/* 0: not running */
	double ready;		/* seconds from its start until it had served a client */
	double spent;		/* CPU seconds until then */
};

/*
 * 0, or -1 when it does not start; the reason has been told on standard error
 * then.  One that is started must be stopped.
 */
int server_start(struct server *server, const struct candidate *candidate, const struct plan *plan);

/* Ends it, and returns the CPU seconds that it and all its children took since it was ready. */
double server_stop(struct server *server);

/* Proportional set size in kB of the server and its children; 0: the kernel does not tell. */
unsigned long server_pss(const struct server *server);
/* The same of the server's own process alone. */
unsigned long server_own_pss(const struct server *server);

/* Gives COUNT ports of the servers' address that nobody has now. */
void ports_take(int *ports, unsigned count);

/* A plan of COUNT services that all run PROGRAM; its memory is never given back. */
struct plan plan_make(const char *program, unsigned count);

#endif
