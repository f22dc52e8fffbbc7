/*
 * flip: standard input to standard output with the case of ASCII letters
 * swapped (-u: raised, -l: lowered), every other byte as it is. What one read
 * brought is written before the next read, so it answers as input arrives; in
 * bulk the vectors below cost little beside the two copies of the kernel.
 */
#include "io.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_SIZE 262144	/* only pages that input reaches become resident */
#define LETTERS 26
#define CASE_BIT 0x20

static const char usage[] =
    "usage: flip [-u | -l]\n"
    "  copies standard input to standard output, swapping the case of ASCII letters\n"
    "  -u  to upper case\n"
    "  -l  to lower case\n"
    "  -h  this help\n";

typedef uint8_t vector __attribute__((vector_size(16)));
_Static_assert(BUFFER_SIZE % sizeof(vector) == 0, "flipping goes by whole vectors");

/* The letters to change are those c with (c | fold) in first..first+25. */
struct flipping {
	uint8_t fold;		/* CASE_BIT: both cases are meant; 0: that of first alone */
	uint8_t first;
};

static union {
	vector  vectors[BUFFER_SIZE / sizeof(vector)];
	uint8_t bytes[BUFFER_SIZE];
} buffer;

/*
 * Flips at least size bytes of the buffer: the last vector whole, its tail is
 * never written out. Vectors are spelled out because -Os and gcc 12's -O2 would
 * not make them of a loop over bytes whose end is unknown.
 */
static void
flip_bytes(const struct flipping *how, size_t size)
{
	const vector zero = { 0 };
	const vector fold = zero + how->fold, first = zero + how->first;
	const vector bit = zero + CASE_BIT;
	vector *v = buffer.vectors;

	for (size_t n = (size + sizeof *v - 1) / sizeof *v; n > 0; n--, v++)
		*v ^= (vector)((*v | fold) - first < LETTERS) & bit;
}

static int
flip_all(const struct flipping *how)
{
	ssize_t n;

	while ((n = io_read(STDIN_FILENO, buffer.bytes, sizeof buffer.bytes)) > 0) {
		flip_bytes(how, (size_t)n);
		if (io_write(STDOUT_FILENO, buffer.bytes, (size_t)n) == -1)
			return io_status("write");
	}
	return n == 0 ? IO_OK : io_status("read");
}

int
main(int argc, char *argv[])
{
	struct flipping how = { .fold = CASE_BIT, .first = 'a' };
	int option, directions = 0;

	io_init("flip", usage);
	opterr = 0;
	while ((option = getopt(argc, argv, "ulh")) != -1)
		switch (option) {
		case 'u':
		case 'l':
			how = (struct flipping){ .fold = 0, .first = option == 'u' ? 'a' : 'A' };
			directions |= option == 'u' ? 1 : 2;
			break;
		case 'h':
			return io_help();
		default:
			return io_usage("unknown option");
		}
	if (directions == 3)
		return io_usage("-u and -l exclude each other");
	if (optind < argc)
		return io_usage("no arguments are expected");
	return flip_all(&how);
}
