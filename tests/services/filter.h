/*
 * Runs a service program as superd or a shell would and talks to it: over
 * pipes, or over one socket on both sides. Every failure fails the test;
 * libcheck's limit ends what hangs.
 */
#ifndef TESTS_SERVICES_FILTER_H
#define TESTS_SERVICES_FILTER_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define ARGS(...) (const char *const[]){ __VA_ARGS__, NULL }
/* A string literal with its inner NULs, as (data, size). */
#define BYTES(text) (text), sizeof(text) - 1

enum channel {
	PIPES,
	STREAM,		/* a Unix stream socket */
	NARROW,		/* the same with the smallest buffers the kernel grants */
	PACKETS,	/* a SEQPACKET socket: each write of one side is one read of the other */
	TCP		/* a loopback connection */
};

struct filter {
	pid_t pid;
	int   in;		/* the test writes here */
	int   out;		/* and reads here; the same as in for sockets */
	bool  packets;		/* one read brings one write of the program */
};

/* What a program that ran to its end gave. */
struct result {
	int    status;		/* exit status */
	size_t size;
	char  *data;		/* standard output, with a NUL behind it; free() it */
};

/*
 * Starts argv[0] of the folder that the environment variable SERVICES or BIN
 * names, with nothing in its environment; standard error is thrown away.
 */
struct filter filter_start(enum channel channel, const char *const argv[]);

/* As filter_start; prepare runs in the child just before the program, and may setenv. */
struct filter filter_start_with(enum channel channel, const char *const argv[],
    void (*prepare)(void));

/* As prepare: the client is a stream, so that PACKETS are the reads of one. */
void filter_as_stream(void);

/* Writes all, fails where the program does not take it. */
void filter_send(const struct filter *filter, const void *data, size_t size);
void filter_send_text(const struct filter *filter, const char *text);

/* The program reads end-of-file after what was sent. */
void filter_end_input(struct filter *filter);

/* Reads exactly these bytes. */
void filter_expect(const struct filter *filter, const void *data, size_t size);
void filter_expect_text(const struct filter *filter, const char *text);

/* Reads end-of-file, and in filter_expect_reset a reset connection. */
void filter_expect_end(const struct filter *filter);
void filter_expect_reset(const struct filter *filter);

/* Reads to the end of the output, then as filter_wait. */
struct result filter_rest(struct filter *filter);

/* Closes the test's side, waits for the program and returns its exit status; a signal fails. */
int filter_finish(struct filter *filter);

/* As filter_finish, but the test's side stays open until the program has ended by itself. */
int filter_wait(struct filter *filter);

/* Runs a program on the whole input, writing and reading at once. */
struct result filter_run(enum channel channel, const char *const argv[], const void *input,
    size_t size);

/* Runs one and demands this exit status and this output. */
void filter_check(const char *const argv[], const void *input, size_t size, int status,
    const void *output, size_t output_size);

/* Demands that the call is refused: status 64, a message on standard error, no output. */
void filter_check_usage(const char *const argv[]);

/* Demands that -h prints the usage to standard output and succeeds. */
void filter_check_help(const char *program);

/* Of a clock that only goes forward. */
int64_t now_ms(void);

/* A test case with time for programs that wait a second or two, unless CK_DEFAULT_TIMEOUT says. */
TCase *filter_case(const char *name);

/* Runs the suite as libcheck's environment variables say; what main returns. */
int filter_main(Suite *suite);

#endif
