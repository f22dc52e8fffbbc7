/*
 * The harness of the end-to-end tests: it runs the real superd with a
 * configuration of the test's own, talks to it over real sockets and reads its
 * log.  Every waiting has a deadline, and whatever fails prints the whole log of
 * every daemon that the test started.  Ports are 0 and learned from the log.
 */
#ifndef E2E_HARNESS_H
#define E2E_HARNESS_H

#include <sys/types.h>

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
	DEADLINE_MS = 20000,	/* longest wait for anything that must happen */
};

struct daemon {
	pid_t pid;		/* 0: its end was seen */
	int wait_status;	/* as waitpid(2) gave it */
	char dir[160];		/* its own directory, 0755 */
	char ini[192];		/* dir/superd.ini */
	char log_path[192];	/* what log_find() reads: dir/stderr, or a file the test names */
	char *log;		/* all of it that was read so far */
	size_t log_len;
	size_t mark;		/* log_find() sees only what came after this offset */
	int notify_fd;		/* where NOTIFY_SOCKET leads */
	char notified[2048];	/* its datagrams, one after the other, each ended by a newline */
	struct daemon *next;
};

/* How to start a daemon; all zero is the usual way. */
struct start {
	uid_t uid;			/* 0: the test's own user */
	const char *const *args;	/* after -c FILE -s SERVICES */
	void (*prepare)(void);		/* runs in the child just before the exec */
	int stderr_fd;			/* 0: the file dir/stderr */
};

/* --- starting, changing and ending a daemon (harness.c) */
struct daemon *daemon_new(void);
void daemon_write(struct daemon *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
void daemon_run(struct daemon *d, const struct start *how);
void daemon_ready(struct daemon *d);
struct daemon *daemon_start(const char *format, ...) __attribute__((format(printf, 1, 2)));
void daemon_reload(struct daemon *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool daemon_ended(struct daemon *d);
int daemon_exit_status(struct daemon *d);	/* waits for the end */
void daemon_stop(struct daemon *d);		/* all clients hang up; SIGTERM; it must exit 0 */
void adopt_orphans(void);			/* before each test: daemons that fork become children */
void kill_daemons(void);			/* after each test, and when one fails */
bool notified(struct daemon *d, const char *line);
/* Runs superd to its end and returns its exit status; standard output and error go to `out`. */
int superd_output(char *out, size_t size, const char *const *args);
const char *tools(void);
const char *services(void);
void write_file(const char *path, const char *text);
char *read_file(const char *path);		/* in a buffer that the next call uses again */
void copy_program(const char *from, const char *to);

/* --- waiting and failing (harness.c) */
_Noreturn void fail_at(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define flunk(...) fail_at(__FILE__, __LINE__, __VA_ARGS__)
#define must(condition) ((condition) ? (void)0 : flunk("not so: %s", #condition))
int64_t now_ms(void);
void await_step(int64_t begun, const char *file, int line, const char *what);
/* Polls until the condition holds; the only place of the suite that sleeps. */
#define await(condition)                                                         \
	do {                                                                     \
		const int64_t begun_ = now_ms();                                 \
		while (!(condition))                                             \
			await_step(begun_, __FILE__, __LINE__, #condition);      \
	} while (0)

/*
 * --- the log (harness_log.c).  A line fits when its event is `event` (NULL: any) and it has
 * every field of the list that NULL ends.  A field is "key=value"; a trailing '*' stands for
 * any rest, and a leading '~' looks for the text anywhere in the line.
 */
const char *log_find(struct daemon *d, const char *event, ...) __attribute__((sentinel));
/* The same, when it is there: a busy superd gathers its lines. */
const char *log_line(struct daemon *d, const char *event, ...) __attribute__((sentinel));
unsigned log_count(struct daemon *d, const char *event, ...) __attribute__((sentinel));
unsigned log_total(struct daemon *d, const char *event, const char *field);
/* So many, and no more are on their way. */
#define await_count(d, count, ...)                                               \
	do {                                                                     \
		await(log_count(d, __VA_ARGS__, NULL) == (count));               \
		log_settle(d);                                                   \
		must(log_count(d, __VA_ARGS__, NULL) == (count));                \
	} while (0)
/* All that superd has to say of what has happened is in the log: it is asked for its status. */
void log_settle(struct daemon *d);
#define await_log(d, ...) await(log_find(d, __VA_ARGS__, NULL) != NULL)
void log_mark(struct daemon *d);
void log_read(struct daemon *d);
const char *log_value(const char *line, const char *key);	/* "" where it is absent */
long log_number(const char *line, const char *key);

/* --- clients (harness_net.c) */
const char *address_of(struct daemon *d, const char *service, unsigned nth);
int port_of(const char *address);
int try_dial(const char *address);	/* -1 and errno where nobody listens */
int dial_to(const char *address);
int dial(struct daemon *d, const char *service);
int bind_to(const char *address);	/* a listening socket of the test's own */
void reset(int fd);			/* closes the connection by RST */
void put(int fd, const char *text);
void put_bytes(int fd, const void *bytes, size_t len);
void expect(int fd, const char *text);
void expect_bytes(int fd, const void *bytes, size_t len);
void expect_end(int fd);		/* end-of-file and not one byte before it; closes */
char *drain(int fd);			/* all up to end-of-file, in a buffer used again; closes */
ssize_t receive(int fd, void *bytes, size_t len, int flags);	/* recv(2), and a stop does not interrupt it */
size_t must_receive(int fd, void *bytes, size_t len);	/* 0 at end-of-file */
bool silent(int fd);			/* neither bytes nor end-of-file are there now */
void enter_netns(void);			/* a network of the test's own with lo up */
bool have_ipv6(void);
void add_address(const char *address);	/* A.B.C.D/N to lo, with ip(8), in a network of one's own; it works */

/* --- what the service `inspect` told of itself (harness_slate.c) */
const char *fact(const char *slate, const char *name);	/* the value; fails where it is absent */
void must_be(const char *slate, const char *name, const char *value);
/* Exactly these variables, in any order; the list ends with NULL. */
void must_have_environment(const char *slate, const char *const *variables);
/* Only 0, 1 and 2 are open: the first two are the connection, the third is `error`. */
void must_have_descriptors(const char *slate, const char *connection, const char *error);
/* Signals, session, mask and ids' company: what every program gets alike. */
void must_be_clean(const char *slate, struct daemon *d);

/* --- processes (harness_proc.c) */
unsigned open_descriptors(pid_t pid);
unsigned open_sockets(pid_t pid);
unsigned children_of(pid_t pid, char state);	/* state 0: in any state */
unsigned children_named(pid_t pid, const char *name);
pid_t child_of(pid_t pid);			/* any child of it, 0 without one */
uid_t owner_of(pid_t pid);			/* its effective user; -1: there is no such process */
char state_of(pid_t pid);			/* 0: there is no such process */
long cpu_ticks(pid_t pid);
long context_switches(pid_t pid);		/* those that it made by waiting */
bool has_right(int capability);			/* CAP_...: root may lack it, in a container */
uid_t unused_uid(void);				/* of no user and no process; another one for each test */
void limit_descriptors(pid_t pid, uint64_t soft);	/* of a running process */
void limit_processes(pid_t pid, uint64_t soft);

/* --- suites (harness_proc.c): a case whose needs are not met is told as skipped. */
enum need { NEEDS_NOTHING = 0, NEEDS_ROOT = 1, NEEDS_PROC = 2, NEEDS_NETNS = 4, NEEDS_IPV6 = 8,
	NEEDS_NO_VALGRIND = 16,		/* which needs descriptors, memory and signals of its own */
	NEEDS_FAULTS = 32 };		/* harness_faults.h */
#define TESTS(...) ((const TTest *const[]){ __VA_ARGS__, NULL })
void add_case(Suite *suite, const char *name, unsigned needs, const TTest *const *tests);
void add_loop(Suite *suite, const char *name, unsigned needs, const TTest *test, int rows);
int run_suite(Suite *suite);

#endif
