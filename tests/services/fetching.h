/*
 * fetch in its tests: run it, look at what it wrote, and be the network that it
 * downloads through. Every failure fails the test.
 */
#ifndef TESTS_SERVICES_FETCHING_H
#define TESTS_SERVICES_FETCHING_H

#include "filter.h"

#include <netinet/in.h>

/* A program of tests/tools that says its port and lives until its input ends. */
struct tool {
	pid_t pid;
	int   in, out;
	char  port[16];
};

struct tool tool_start(const char *const argv[]);
/* Ends it and returns what it said last; free() it. */
char *tool_stop(struct tool *tool);

/* peers with sendfile behind it: port is "0" or one that was had before, folder NULL for a file. */
struct tool sendfile_start(const char *port, const char *folder, const char *file);

/* A running fetch; standard error comes from errors. */
struct fetching {
	pid_t pid;
	int   errors;
};

struct fetching fetch_start(const char *const args[]);
/* With standard error on a descriptor of the test's. */
struct fetching fetch_start_on(const char *const args[], int errors);
/* Waits for its end: the exit status, or 128 and the signal. What it said is in text. */
int fetch_end(struct fetching *fetching, char text[4096]);
int fetch_run(const char *const args[], char text[4096]);

/* Demands that a file has exactly these bytes, and the time of all files of the folder. */
void expect_file(const char *name, const char *data, size_t size);
void file_make(const char *name, const char *data, size_t size, long seconds);
/* Demands that a file is a beginning of data; returns its size. */
size_t expect_beginning(const char *name, const char *data, size_t size);

/*
 * The test between fetch and a server: every datagram passes through its hands,
 * so that it can do things at an exact moment.
 */
#define MIDDLE_BLOCKS 8192	/* of 1024 bytes, what sendfile answers with */

struct middle {
	int  front, back;
	char port[16];			/* for fetch */
	struct sockaddr_in client;
	unsigned blocks;	/* different ones that were passed to the client */
	bool came[MIDDLE_BLOCKS];
};

struct middle middle_open(const char *server_port);
void middle_close(struct middle *middle);
/*
 * Waits for datagrams and passes them until one comes from fetch that asks for
 * an offset as large as this, which does not pass. Its text is in question.
 */
void middle_pass_until(struct middle *middle, long long offset, char question[4096]);
/* Passes until fetch has ended. */
void middle_pass_to_the_end(struct middle *middle, const struct fetching *fetching);

/* A loopback socket, listening where it is of streams; puts its port. */
int loopback_open(int type, char port[16]);

#endif
