/*
 * What the parts of fetch share. Data goes down: fetch.c knows what is wanted,
 * fetch_tcp.c and fetch_udp.c speak the protocols, and these are the things
 * that both need. Functions that return -1 have told why unless said otherwise.
 */
#ifndef CLIENTS_FETCH_H
#define CLIENTS_FETCH_H

#define _FILE_OFFSET_BITS 64	/* off_t, on 32-bit systems too */
#define _TIME_BITS 64		/* and time_t, beyond 2038 */

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum fetch_status { FETCH_WHOLE = 0, FETCH_FAILED = 1, FETCH_USAGE = 64 };

#define FETCH_CHANGES_MAX 8	/* so often a file may change under way */
#define FETCH_NAME_MAX 4000	/* bytes of a name; the server's lines are not much longer */

struct fetch_job {
	const char *host;
	const char *port;
	const char *name;	/* NULL: the server's only file */
	const char *path;	/* of FILE */
	bool        anew;	/* -f */
	bool        quiet;	/* -q */
	int         patience_s;	/* the longest silence */
};

/* What the server says of a file: when both are the same, so is the file. */
struct fetch_version {
	off_t   total;
	int64_t changed;	/* seconds since 1970 */
};

/*
 * FILE. It has always a beginning of the server's file, and no hole; its time
 * is that of the server's file after each write, which is how the next run
 * knows what it has.
 */
struct fetch_file {
	const char *path;
	int         fd;		/* -1: not there yet */
	off_t       held;	/* bytes */
	int64_t     changed;	/* its time */
	bool        anew;	/* what it holds is of no use */
	bool        stamped;	/* its time is to be that of the server's file */
	bool        plain;	/* not a regular file: neither resumed nor cut */
};

/* fetch_file.c: FILE. Looks at it, which creates nothing yet. Return -1 on failure. */
int fetch_file_look(struct fetch_file *file, const char *path, bool anew);
/* Makes it ready to be written behind what is of this version (NULL: of any) in it. */
int fetch_file_begin(struct fetch_file *file, const struct fetch_version *version);
int fetch_file_write(struct fetch_file *file, const void *data, size_t size);
int fetch_file_close(struct fetch_file *file);

/* fetch_net.c: the network and time. */
int64_t fetch_now_us(void);
/* All addresses of the server, to be freed by freeaddrinfo(3); NULL on failure. */
struct addrinfo *fetch_resolve(const struct fetch_job *job, int type);
/* A non-blocking socket, connected in time. -1 with errno, and nothing told. */
int fetch_connect(const struct addrinfo *address, int64_t deadline_us);
/*
 * Signals that end fetch wait from the first call on until the last, so that
 * FILE is in order when they do; fetch_wait sees them meanwhile.
 */
void fetch_signals_hold(void);
void fetch_signals_release(void);
/* Waits for the socket (-1: only for the time). -1 with errno: ETIME, EINTR for a signal. */
int fetch_wait(int fd, short events, int64_t deadline_us);
/* Reads decimal digits, with a sign if that is allowed, up to end. */
bool fetch_number(const char *text, const char *end, bool sign, int64_t *value);

/* fetch_progress.c: what a person sees. */
void fetch_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What the server says is told without its control characters. */
void fetch_say_server(const char *text, size_t size);
void fetch_progress_begin(const struct fetch_job *job, off_t held, off_t total);	/* -1: unknown */
void fetch_progress(off_t held);
void fetch_progress_end(void);

/* The protocols; each returns the exit status. */
int fetch_by_lines(const struct fetch_job *job, struct fetch_file *file);
int fetch_by_bytes(const struct fetch_job *job, struct fetch_file *file);
int fetch_by_datagrams(const struct fetch_job *job, struct fetch_file *file);

#endif
