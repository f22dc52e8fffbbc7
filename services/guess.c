/*
 * guess: a game. The client guesses a number, is told whether it is higher or
 * lower, and has as many tries as somebody needs who halves the range each time.
 * What is no number of the range costs no try. Messages are those of
 * io_message.h, so bare text and datagrams are played with as well.
 */
#include "guess.h"
#include "io_message.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define MOST_DEFAULT 6
#define MOST_MAX 1000000000

static const char usage[] =
    "usage: guess [-n N]\n"
    "  a game: guess a number from 1 to N; quit ends it\n"
    "  -n N  the highest number, 1 to 1000000000 (6)\n"
    "  -h    this help\n";

struct game {
	uint64_t most;
	uint64_t number;	/* what is to be guessed */
	unsigned tries;		/* made */
	unsigned allowed;
	bool     over;
};

static struct game game = { .most = MOST_DEFAULT };
static struct io_messages messages;
static struct io_out out;

static void
put_number(uint64_t number)
{
	io_put_number(&out, number, 10);
}

static void
put_tries(unsigned tries)
{
	put_number(tries);
	io_put_text(&out, tries == 1 ? " try" : " tries");
}

/* Returns 0, or -1 with errno. */
static int
choose_number(void)
{
	uint64_t random;

	do
		if (getrandom(&random, sizeof random, 0) != sizeof random)
			return -1;
	while (!guess_pick(random, game.most, &game.number));
	return 0;
}

static void
welcome(void)
{
	io_put_text(&out, "I think of a number from 1 to ");
	put_number(game.most);
	io_put_text(&out, ". You have ");
	put_tries(game.allowed);
	io_put_text(&out, ".\n");
}

static void
try_number(uint64_t guessed)
{
	game.tries++;
	game.over = guessed == game.number || game.tries == game.allowed;
	if (guessed == game.number) {
		io_put_text(&out, "You win: it is ");
		put_number(game.number);
		io_put_text(&out, ", in ");
		put_tries(game.tries);
		io_put_text(&out, ".\n");
		return;
	}
	io_put_text(&out, guessed < game.number ? "Higher" : "Lower");
	if (game.over) {
		io_put_text(&out, ". You lose: it was ");
		put_number(game.number);
	} else {
		io_put_text(&out, ", ");
		put_tries(game.allowed - game.tries);
		io_put_text(&out, " left");
	}
	io_put_text(&out, ".\n");
}

static void
answer(const char *text, size_t size)
{
	off_t guessed;

	while (size > 0 && (*text == ' ' || *text == '\t')) {
		text++;
		size--;
	}
	while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\t'))
		size--;
	if (size == strlen("quit") && memcmp(text, "quit", size) == 0) {
		io_put_text(&out, "Goodbye. It was ");
		put_number(game.number);
		io_put_text(&out, ".\n");
		game.over = true;
	} else if (io_number(text, size, &guessed) && guessed >= 1 &&
	    (uint64_t)guessed <= game.most) {
		try_number((uint64_t)guessed);
	} else {
		io_put_text(&out, "Type a number from 1 to ");
		put_number(game.most);
		io_put_text(&out, ", or quit.\n");
	}
}

static int
play(void)
{
	const bool datagrams = io_datagrams();
	const char *text;
	size_t size;
	bool first = true;

	if (choose_number() == -1) {
		io_complain("no random number");
		return IO_FAILED;
	}
	game.allowed = guess_tries(game.most);
	if (!datagrams)
		welcome();
	while (!game.over) {
		if ((text = io_message(&messages, &out, &size)) == NULL)
			return errno == 0 ? IO_OK : io_status("the client");
		/* A datagram begins the game, whatever it says; it may be a guess already. */
		if (datagrams && first)
			welcome();
		if (!datagrams || !first || size > 0)
			answer(text, size);
		first = false;
	}
	if (io_flush(&out) == -1)
		return io_status("write");
	io_linger();
	return IO_OK;
}

int
main(int argc, char *argv[])
{
	off_t most;
	int option;

	io_init("guess", usage);
	opterr = 0;
	while ((option = getopt(argc, argv, "n:h")) != -1)
		switch (option) {
		case 'n':
			if (!io_number(optarg, strlen(optarg), &most) || most < 1 || most > MOST_MAX)
				return io_usage("-n is 1 to 1000000000");
			game.most = (uint64_t)most;
			break;
		case 'h':
			return io_help();
		default:
			return io_usage("unknown option, or -n without N");
		}
	if (optind < argc)
		return io_usage("no arguments are expected");
	return play();
}
