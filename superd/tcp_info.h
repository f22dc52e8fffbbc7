/* tcp_info.h - what the kernel knows of a TCP connection: TCP_INFO of tcp(7). */
#ifndef TCP_INFO_H
#define TCP_INFO_H

#include <stdbool.h>
#include <stdint.h>

/* ms since the last byte came or went.  False: it is no TCP connection. */
bool	tcp_idle_ms(int fd, uint64_t *ms);
/*
 * Bytes of the client, and bytes for it, those that wait to be sent included;
 * the ends of the two streams, which TCP counts as a byte each, are not.
 */
bool	tcp_traffic(int fd, uint64_t *in, uint64_t *out);

#endif
