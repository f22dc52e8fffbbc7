/*
 * hello: answers every message with a line and says goodbye to "quit". A
 * message is a line, or what one read brought where no newline came, so that
 * both people with telnet and programs that send bare text are served. Memory
 * is two fixed buffers; a line too long for them is several messages.
 */
#include "io.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_SIZE 65536	/* longest message: no datagram is longer */
#define LINE_REST_MS 500	/* how long the rest of a line may take, see converse() */

static const char usage[] =
    "usage: hello [-1] [-e] [-m TEXT]\n"
    "  answers every message with a greeting, quit with a goodbye\n"
    "  -1       greet once and end (with -e: answer one message and end)\n"
    "  -e       answer with the message itself\n"
    "  -m TEXT  greet with TEXT instead of Hello, World!\n"
    "  -h       this help\n";

struct manner {
	const char *text;	/* the greeting */
	bool        repeats;	/* answers with the message itself instead */
	bool        once;	/* one answer only */
};

struct talk {
	size_t held;			/* bytes of data not yet answered */
	bool   bare;			/* the last message came without its line end */
	bool   over;			/* nothing more is to be answered */
	char   data[MESSAGE_SIZE];
};

static struct manner manner = { .text = "Hello, World!" };
static struct talk talk;
static struct io_out out;

/* The length without a telnet client's CR, or the NUL that some programs send with their text. */
static size_t
trimmed(const char *text, size_t size)
{
	while (size > 0 && (text[size - 1] == '\r' || text[size - 1] == '\0'))
		size--;
	return size;
}

static void
say_goodbye(void)
{
	const char *address = getenv("REMOTE_ADDR");

	io_put_text(&out, "Goodbye, ");
	io_put_text(&out, address != NULL && *address != '\0' ? address : "stranger");
	io_put_text(&out, "\n");
	talk.over = true;
}

static void
answer(const char *text, size_t size)
{
	size = trimmed(text, size);
	if (size == strlen("quit") && memcmp(text, "quit", size) == 0) {
		say_goodbye();
		return;
	}
	if (manner.repeats)
		io_put(&out, text, size);
	else
		io_put_text(&out, manner.text);
	io_put_text(&out, "\n");
	talk.over = manner.once;
}

/* Answers the whole lines held and moves what follows them to the front. */
static void
answer_lines(void)
{
	const char *line = talk.data, *end = talk.data + talk.held, *newline;

	while (!talk.over && (newline = memchr(line, '\n', (size_t)(end - line))) != NULL) {
		answer(line, (size_t)(newline - line));
		line = newline + 1;
	}
	talk.held = (size_t)(end - line);
	memmove(talk.data, line, talk.held);
}

static void
answer_rest(void)
{
	if (talk.held > 0 && !talk.over)
		answer(talk.data, talk.held);
	talk.held = 0;
}

/* A line end alone that follows bare text only ends that message, which was answered. */
static void
skip_line_end(void)
{
	size_t skip = 0;

	if (talk.held >= 2 && talk.data[0] == '\r' && talk.data[1] == '\n')
		skip = 2;
	else if (talk.data[0] == '\n')
		skip = 1;
	talk.held -= skip;
	memmove(talk.data, talk.data + skip, talk.held);
}

/* Answers what a read of size bytes completed. */
static void
take(size_t size)
{
	bool newline = memchr(talk.data + talk.held, '\n', size) != NULL;

	talk.held += size;
	if (talk.bare)
		skip_line_end();
	answer_lines();
	talk.bare = !newline;
	if (!newline)
		answer_rest();
}

/*
 * A read with a newline comes from a client that sends lines, so what follows
 * its last newline is the beginning of a line and waits for its rest. But not
 * for ever: a line and then bare text may have met in one read, and a client
 * that waits for the answer would wait in vain.
 */
static int
converse(void)
{
	ssize_t n;

	while (!talk.over) {
		char *rest = talk.data + talk.held;
		size_t room = sizeof talk.data - talk.held;

		n = talk.held == 0 ? io_read(STDIN_FILENO, rest, room)
		    : io_read_until(STDIN_FILENO, rest, room, io_now_ms() + LINE_REST_MS);
		if (n > 0)
			take((size_t)n);
		else if (n == -1 && errno != ETIME)
			return io_status("read");
		else {
			talk.bare = true;
			answer_rest();
			talk.over = talk.over || n == 0;
		}
		if (io_flush(&out) == -1)
			return io_status("write");
	}
	io_linger();
	return IO_OK;
}

static int
greet_once(void)
{
	io_put_text(&out, manner.text);
	io_put_text(&out, "\n");
	if (io_flush(&out) == -1)
		return io_status("write");
	io_linger();
	return IO_OK;
}

int
main(int argc, char *argv[])
{
	int option;

	io_init("hello", usage);
	opterr = 0;
	while ((option = getopt(argc, argv, "1em:h")) != -1)
		switch (option) {
		case '1':
			manner.once = true;
			break;
		case 'e':
			manner.repeats = true;
			break;
		case 'm':
			manner.text = optarg;
			break;
		case 'h':
			return io_help();
		default:
			return io_usage("unknown option, or -m without TEXT");
		}
	if (optind < argc)
		return io_usage("no arguments are expected");
	return manner.once && !manner.repeats ? greet_once() : converse();
}
