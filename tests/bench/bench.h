/*
 * bench.h - what all of the benchmark shares: how it was called, and how it
 * speaks.  HACKING.md tells how to read the figures.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SERVER_NET	2	/* servers listen on 127.0.2.1, where hardly anybody else is */
#define CLIENT_NET	1	/* clients come from 127.0.1.x ... */
#define STRANGER_NET	3	/* ... and those that are refused from 127.0.3.x */

#define GREETING	"Hello, World!\n"	/* the 14 bytes of programs/greet.c */

#define LENGTH(a)	(sizeof(a) / sizeof *(a))

struct bench {
	const char *stage;	/* a directory that every user can reach; sbin/, libexec/, bench/ */
	const char *out;	/* where tables go */
	bool quick;
	unsigned rounds;	/* pairs of one comparison */
	double seconds;		/* of one load */
};

extern struct bench bench;

struct scenario {
	const char *name;
	const char *what;
	void (*run)(void);
};

void scenario_throughput(void);
void scenario_ports(void);
void scenario_live(void);
void scenario_refuse(void);
void scenario_reload(void);
void scenario_start(void);
void scenario_slow(void);
void scenario_flood(void);
void scenario_memory(void);
void scenario_bulk(void);
void scenario_udp(void);

/* Seconds of the monotonic clock. */
double now(void);
void doze(double seconds);

/* DIR/NAME below the stage; the memory is never given back. */
char *staged(const char *dir, const char *name);
char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The benchmark itself cannot go on: tells why, with errno, and ends it. */
_Noreturn void fail(const char *what);

/*
 * fork(2).  Children made by this are known; others are what a server left
 * behind, and are killed when it is stopped.
 */
pid_t child_make(void);
bool child_known(pid_t pid);
/* Ends and reaps one that was made so. */
void child_end(pid_t pid, int signal);
void child_forget(pid_t pid);

/*
 * Short turns of the processor come sooner; 0: the usual ones, which child_make
 * gives its children.  Before Linux 6.12 nothing changes.
 */
void turns(unsigned long ns);

/* Raises the limit of open files to as many as are asked for, if allowed; returns what there is. */
unsigned long nofile_raise(unsigned long wanted);

#endif
