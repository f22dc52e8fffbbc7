/*
 * bulk.h - bytes in bulk over one connection, both ways at once, every byte
 * compared.
 */
#ifndef BULK_H
#define BULK_H

#include <stddef.h>

enum bulk { BULK_SAME, BULK_FLIPPED };	/* what comes back: letters' case may be swapped */

struct bulk_transfer {
	int port;
	const char *request;	/* sent first, or NULL */
	size_t request_len;
	size_t send, expect;	/* bytes of the pattern to be sent, and to come */
	enum bulk what;
};

/* Writes LEN bytes of the pattern. */
int bulk_file(const char *path, size_t len);

/* GB/s of what came, or -1: wrong bytes, too few, too many, or none for ten seconds. */
double bulk_run(const struct bulk_transfer *transfer);

#endif
