/*
 * hello: answers every message with a line and says goodbye to "quit". What a
 * message is, is told in io_message.h; a datagram is answered by a datagram.
 */
#include "io_datagram.h"
#include "io_message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static struct manner manner = { .text = "Hello, World!" };
static struct io_messages messages;
static bool over;		/* nothing more is to be answered */
static struct io_out out;

static void
say_goodbye(void)
{
	const char *address = getenv("REMOTE_ADDR");

	io_put_text(&out, "Goodbye, ");
	io_put_text(&out, address != NULL && *address != '\0' ? address : "stranger");
	io_put_text(&out, "\n");
	over = true;
}

static void
answer(const char *text, size_t size)
{
	if (size == strlen("quit") && memcmp(text, "quit", size) == 0) {
		say_goodbye();
		return;
	}
	if (manner.repeats)
		io_put(&out, text, size);
	else
		io_put_text(&out, manner.text);
	io_put_text(&out, "\n");
	over = manner.once;
}

static int
converse(void)
{
	const char *text;
	size_t size;

	while (!over) {
		if ((text = io_message(&messages, &out, &size)) == NULL)
			return errno == 0 ? IO_OK : io_status("the client");
		answer(text, size);
	}
	if (io_flush(&out) == -1)
		return io_status("write");
	io_linger();
	return IO_OK;
}

static int
greet_once(void)
{
	if (io_datagrams() && io_datagram(messages.data, sizeof messages.data, false) == -1)
		return errno == 0 ? IO_OK : io_status("read");
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
