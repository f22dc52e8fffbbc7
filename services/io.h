/*
 * What the service programs share: reading and writing that is exact about
 * partial transfers, interruptions and clients that go away; a small output
 * buffer; help and diagnostics. No stdio: starting a process is the price of
 * a connection, so the programs stay small. No function here ends the process;
 * each returns what main() can return.
 */
#ifndef SERVICES_IO_H
#define SERVICES_IO_H

#define _FILE_OFFSET_BITS 64	/* off_t, on 32-bit systems too */
#define _TIME_BITS 64		/* and time_t, beyond 2038 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Exit statuses of every program. */
enum io_status {
	IO_OK = 0,		/* done, or the client went away */
	IO_FAILED = 1,		/* the system or the request failed */
	IO_USAGE = 64		/* called in a wrong way */
};

#define IO_OUT_SIZE 65536	/* bytes gathered before they are written: any datagram fits */
#define IO_LINE_SIZE 4608	/* longest line: a path, and room for the words around it */

/* Text for standard output, gathered to be written at once. Starts as zeros. */
struct io_out {
	int    error;			/* errno of the first failed write, 0 while none failed */
	size_t used;			/* bytes of data not yet written */
	char   data[IO_OUT_SIZE];
};

/* Bytes to be sent: of a file, or of memory where that is not NULL. */
struct io_load {
	const char *memory;
	int         file;
	off_t       next;	/* first byte not yet sent */
	off_t       end;	/* first byte not to be sent */
	bool        more;	/* another load follows at once */
	bool        copied;	/* set where sendfile(2) does not serve for these descriptors */
};

/* Lines of standard input; what follows the first waits for its turn. Starts as zeros. */
struct io_lines {
	size_t held;			/* bytes of data */
	size_t used;			/* those of the line handed out last */
	char   data[IO_LINE_SIZE];
};

/*
 * To be called first. Remembers both texts (not copied; usage is whole lines)
 * and ignores SIGPIPE, so that a write to a client that went away fails with
 * EPIPE: dying of the signal would look like a crash in the log.
 */
void io_init(const char *name, const char *usage);

/* Prints the usage to standard output; returns the exit status. */
int io_help(void);

/* Prints "NAME: MESSAGE" and the usage to standard error; returns IO_USAGE. */
int io_usage(const char *message);

/* Prints "NAME: WHAT: WHY" to standard error as one write; io_complain: why is that of errno. */
void io_say(const char *what, const char *why);
void io_complain(const char *what);

/*
 * Whether the client sends datagrams, as the environment says; where that is
 * silent, whether standard input keeps them apart. A program whose answers are
 * not bound to questions must not meet them unprepared; io_datagram.h has what
 * serves them.
 */
bool io_datagrams(void);

/*
 * The exit status after a transfer failed with errno: IO_OK and not a word
 * where the client went away (EPIPE, ECONNRESET, or the network lost it), else
 * IO_FAILED after io_complain(what).
 */
int io_status(const char *what);

/*
 * Reads size bytes of text as decimal digits; what is too large for an off_t is
 * its largest value. Returns false for any other text, an empty one included.
 */
bool io_number(const char *text, size_t size, off_t *value);

/* Milliseconds of the monotonic clock. */
int64_t io_now_ms(void);

/*
 * Reads once, again after an interruption; waits where fd is non-blocking.
 * Returns what read(2) returns: bytes, 0 at the end, -1 with errno.
 */
ssize_t io_read(int fd, void *data, size_t size);

/* As io_read, but fails with ETIME where nothing came until io_now_ms() is deadline. */
ssize_t io_read_until(int fd, void *data, size_t size, int64_t deadline);

/*
 * Finds the next line and gives its size. Returns it, valid until the next
 * call, ended by a NUL in place of its newline; NULL with errno: 0 at the end
 * of input, EMSGSIZE where a line is too long, ETIME where it was not whole at
 * the deadline. The last line may lack its newline.
 */
char *io_line(struct io_lines *lines, size_t *size, int64_t deadline);

/* Writes all of data, however many calls it takes. Returns 0, or -1 with errno. */
int io_write(int fd, const void *data, size_t size);

/*
 * Sends the whole load to standard output. Returns 0, or -1 with errno: ETIME
 * where the client took nothing for stall_s seconds, ENODATA where the file
 * ended early; load->next tells how far it came. Uses SIGALRM and its timer.
 */
int io_send(struct io_load *load, int stall_s);

/*
 * To be called before the program ends of its own accord while the client may
 * still be sending: closing a socket with unread input resets the connection,
 * and the reset would overtake answers that are still on their way. Where
 * input is unread, announces the end and reads on for a moment, else returns
 * at once. Harmless where standard input is no socket. A client of datagrams
 * is not waited for.
 */
void io_linger(void);

/* As io_linger, for a client that is known to be sending, even if nothing of it is here yet. */
void io_linger_on(void);

/*
 * Makes the end of this program reset the connection: an orderly end would
 * tell the client that it has everything. Harmless where fd is no socket.
 */
void io_reset_later(int fd);

/*
 * Connects a stream socket, blocking and close-on-exec. Returns it, or -1 with
 * errno: ETIMEDOUT where that took longer than patience_s seconds, which begin anew
 * where the process was stopped meanwhile.
 */
int io_connect(const struct sockaddr *address, socklen_t size, int patience_s);

/* Add to the buffer, writing it out whenever it is full. Errors wait for io_flush. */
void io_put(struct io_out *out, const void *data, size_t size);
void io_put_text(struct io_out *out, const char *text);
void io_put_number(struct io_out *out, uint64_t number, unsigned base);

/* Writes what is buffered. Returns 0, or -1 with errno of the first write that failed. */
int io_flush(struct io_out *out);

#endif
