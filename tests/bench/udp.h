/*
 * udp.h - datagrams in a closed loop: each of N peers sends the next one when
 * its last has come back, byte for byte.
 */
#ifndef UDP_H
#define UDP_H

#include "load.h"

struct udp_load {
	int port;
	unsigned peers;
	double seconds;
};

/*
 * Seconds begin when every peer has had an answer, so that its process runs.
 * In the result a connection is a round trip; failed are those that
 * were lost or wrong, from the first one on.
 */
void udp_run(const struct udp_load *load, struct load_result *result);

/* One round trip of a new peer, with patience: 1 it came back, 0 not. */
int udp_answers(int port);

#endif
