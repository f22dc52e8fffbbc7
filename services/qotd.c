/*
 * qotd: one quote, chosen at random, without waiting for a question (RFC 865),
 * or one for each datagram: of the few below or of a file in the format of
 * fortune(6). A file is read once for a choice, each quote in turn taking the
 * place of the chosen one with the right probability, so that memory does not
 * depend on the size of the file.
 */
#include "io_datagram.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define QUOTE_SIZE 512		/* the longest that RFC 865 allows */
#define DATAGRAM_SIZE 128	/* the longest as a datagram, as any question is enough */

static const char usage[] =
    "usage: qotd [-f FILE]\n"
    "  writes a quote\n"
    "  -f FILE  one of FILE, where lines of a single % stand between quotes\n"
    "  -h       this help\n";

/* At most DATAGRAM_SIZE each when sent. */
static const char *const sayings[] = {
	"The unexamined life is not worth living.\n\t-- Socrates\n",
	"Well begun is half done.\n\t-- Aristotle\n",
	"Nothing endures but change.\n\t-- Heraclitus\n",
	"Make haste slowly.\n\t-- Augustus\n",
	"Fortune favours the bold.\n\t-- Virgil\n",
	"Dripping water hollows out a stone.\n\t-- Ovid\n",
	"It is not because things are difficult that we do not dare.\n\t-- Seneca\n",
	"A journey of a thousand miles begins beneath one's feet.\n\t-- Laozi\n",
	"Brevity is the soul of wit.\n\t-- William Shakespeare, Hamlet\n",
	"What's in a name?\n\t-- William Shakespeare, Romeo and Juliet\n",
	"Knowledge itself is power.\n\t-- Francis Bacon\n",
	"I think, therefore I am.\n\t-- Rene Descartes\n",
	"The heart has its reasons, of which reason knows nothing.\n\t-- Blaise Pascal\n",
	"If I saw further, it was from the shoulders of giants.\n\t-- Isaac Newton\n",
	"To err is human; to forgive, divine.\n\t-- Alexander Pope\n",
	"Little strokes fell great oaks.\n\t-- Benjamin Franklin\n",
};

static const char *file_name;		/* NULL: the sayings serve */
static size_t longest = QUOTE_SIZE;

/* A quote as it is sent, its lines ended by CR LF. */
struct quote {
	size_t size;			/* QUOTE_SIZE + 1: it is too long */
	char   data[QUOTE_SIZE + 1];
};

struct choice {
	uint64_t     state;		/* of the random numbers */
	uint64_t     seen;		/* quotes among which was chosen */
	struct quote chosen;
};

static void
quote_add(struct quote *quote, char c)
{
	if (c == '\n' && (quote->size == 0 || quote->data[quote->size - 1] != '\r'))
		quote_add(quote, '\r');
	if (quote->size < sizeof quote->data)
		quote->data[quote->size++] = c;
}

static void
choice_start(struct choice *choice)
{
	*choice = (struct choice){ .state = 0 };
	if (getrandom(&choice->state, sizeof choice->state, GRND_NONBLOCK) == -1)
		choice->state = (uint64_t)io_now_ms();	/* shortly after the machine's start */
}

/* The next of a sequence of good random numbers (splitmix64), below limit. */
static uint64_t
choice_random(struct choice *choice, uint64_t limit)
{
	uint64_t z = choice->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % limit;
}

/* The n-th quote takes the place of the chosen one with probability 1/n. */
static void
choice_offer(struct choice *choice, const struct quote *quote)
{
	if (quote->size == 0 || quote->size > longest)
		return;
	if (choice_random(choice, ++choice->seen) == 0)
		choice->chosen = *quote;
}

static void
choose_saying(struct choice *choice)
{
	const char *text = sayings[choice_random(choice, sizeof sayings / sizeof sayings[0])];

	for (; *text != '\0'; text++)
		quote_add(&choice->chosen, *text);
}

/* A file is read a byte at a time; line is how the current line began. */
struct reading {
	struct quote quote;
	size_t       begun;		/* size of the quote where the line began */
	size_t       length;		/* bytes of the line so far, a CR at its end too */
	char         line[2];
};

/* The line is whole: a separator ends the quote before it, any other belongs to the quote. */
static void
reading_line(struct reading *reading, struct choice *choice)
{
	const bool separates = reading->line[0] == '%' &&
	    (reading->length == 1 || (reading->length == 2 && reading->line[1] == '\r'));

	if (separates) {
		reading->quote.size = reading->begun;
		choice_offer(choice, &reading->quote);
		reading->quote.size = 0;
	} else {
		quote_add(&reading->quote, '\n');
	}
	reading->begun = reading->quote.size;
	reading->length = 0;
}

static void
reading_byte(struct reading *reading, struct choice *choice, char c)
{
	if (c == '\n') {
		reading_line(reading, choice);
		return;
	}
	if (reading->length < sizeof reading->line)
		reading->line[reading->length] = c;
	reading->length++;
	quote_add(&reading->quote, c);
}

/* Returns 0, or -1 with errno. */
static int
choose_of_file(struct choice *choice, int file)
{
	static struct reading reading;
	static char buffer[65536];
	ssize_t n;

	reading = (struct reading){ .length = 0 };
	while ((n = io_read(file, buffer, sizeof buffer)) > 0)
		for (ssize_t i = 0; i < n; i++)
			reading_byte(&reading, choice, buffer[i]);
	if (n == -1)
		return -1;
	if (reading.length > 0)		/* the last line lacks its end */
		reading_line(&reading, choice);
	choice_offer(choice, &reading.quote);
	return 0;
}

/* Returns 0, or -1 after telling why there is no choice. */
static int
choose(struct choice *choice)
{
	int file, failed;

	choice_start(choice);
	if (file_name == NULL) {
		choose_saying(choice);
		return 0;
	}
	file = open(file_name, O_RDONLY | O_CLOEXEC);
	failed = file == -1 || choose_of_file(choice, file) == -1;
	if (failed)
		io_complain(file_name);
	else if (choice->seen == 0)
		io_say(file_name, longest == QUOTE_SIZE ? "no quote of at most 512 bytes"
		    : "no quote of at most 128 bytes, for a datagram");
	if (file != -1)
		close(file);
	return failed || choice->seen == 0 ? -1 : 0;
}

/* Returns the size of a quote, or -1 after telling why there is none. */
static ssize_t
answer(char *data, size_t size)
{
	static struct choice choice;

	(void)size;
	if (choose(&choice) == -1)
		return -1;
	memcpy(data, choice.chosen.data, choice.chosen.size);
	return (ssize_t)choice.chosen.size;
}

static int
answer_once(void)
{
	char quote[QUOTE_SIZE];
	ssize_t size = answer(quote, 0);

	if (size == -1)
		return IO_FAILED;
	if (io_write(STDOUT_FILENO, quote, (size_t)size) == -1)
		return io_status("write");
	io_linger();
	return IO_OK;
}

int
main(int argc, char *argv[])
{
	int option;

	io_init("qotd", usage);
	opterr = 0;
	while ((option = getopt(argc, argv, "f:h")) != -1)
		switch (option) {
		case 'f':
			file_name = optarg;
			break;
		case 'h':
			return io_help();
		default:
			return io_usage("unknown option, or -f without FILE");
		}
	if (optind < argc)
		return io_usage("no arguments are expected");
	if (!io_datagrams())
		return answer_once();
	longest = DATAGRAM_SIZE;
	return io_datagrams_answer(answer);
}
