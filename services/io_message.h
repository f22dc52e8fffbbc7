/*
 * What a client says, message by message. A message is a line, or what one read
 * brought where no newline came, so that both people with telnet and programs
 * that send bare text are served; or it is a datagram. Memory is one fixed
 * buffer; a line too long for it is several messages.
 */
#ifndef SERVICES_IO_MESSAGE_H
#define SERVICES_IO_MESSAGE_H

#include "io.h"

#define IO_MESSAGE_SIZE 65536	/* longest message: no datagram is longer */

/* Starts as zeros. */
struct io_messages {
	size_t next;			/* first byte of data that is in no message yet */
	size_t held;			/* bytes of data */
	bool   bare;			/* the last message came without its line end */
	bool   over;			/* the client has ended */
	char   data[IO_MESSAGE_SIZE];
};

/*
 * Finds the next message and its size, without its line end and without a CR or
 * NUL there. What is in out is written before the client is waited for, so all
 * answers to one datagram are one datagram. Returns the message, valid until the
 * next call and not ended by a NUL; or NULL with errno, 0 at the end.
 */
const char *io_message(struct io_messages *messages, struct io_out *out, size_t *size);

#endif
