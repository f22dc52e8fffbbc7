/*
 * A client that sends datagrams, as superd gives it to a program: for each peer
 * one SOCK_SEQPACKET socket, where a read takes a datagram and a write sends
 * one; or for each datagram a process with pipes. Sources of datagrams can be
 * forged, so the answers are guarded: two services must never talk to each
 * other for ever, and nobody must get more than was asked with his address.
 */
#ifndef SERVICES_IO_DATAGRAM_H
#define SERVICES_IO_DATAGRAM_H

#include "io.h"

#define IO_DATAGRAM_SIZE 65536	/* no datagram is longer */
#define IO_ANSWERS 10		/* that one peer gets in a second, where they are rated */

/*
 * Reads the next datagram that may be answered: nothing is said to a port below
 * 1024 or to the service's own, and where it is rated, not more often than
 * IO_ANSWERS in a second; what must not be answered is read and dropped. Returns
 * its size: 0 is a datagram too, an empty one that started this process. Returns
 * -1 with errno: 0 at the end. What does not fit is lost.
 */
ssize_t io_datagram(void *data, size_t size, bool rated);

/*
 * Answers the datagrams, rated, until the end. answer finds the question of
 * size bytes in data, which has room for IO_DATAGRAM_SIZE, and puts the answer in
 * its place. It returns the size of that; 0: nothing is sent; -1 after it told
 * why it failed. Returns the exit status.
 */
int io_datagrams_answer(ssize_t (*answer)(char *data, size_t size));

#endif
