/*
 * What the tests of UDP share: clients that send and receive whole datagrams.
 * Their sockets are connected, so an answer from another address or port than
 * that which was asked never arrives.
 */
#ifndef E2E_HARNESS_UDP_H
#define E2E_HARNESS_UDP_H

#include "harness.h"

enum { DATAGRAM_MOST = 65507 };

/* A socket of the address source (NULL: the kernel's choice) for this host's address ip. */
int udp_from(const char *source, const char *ip, int port);
/* To the first address of the service, by 127.0.0.1 where that is a wildcard. */
int udp_dial(struct daemon *d, const char *service);
/* The same, from this source. */
int udp_call(struct daemon *d, const char *service, const char *source);
/* A socket of this port of 127.0.0.1; -1 where another has it. */
int udp_bind(int port);
/* A port that was free a moment ago, and not one of those that the kernel gives to who asks for none. */
int udp_free_port(void);
/* One datagram. */
void udp_put(int fd, const char *text);
void udp_put_bytes(int fd, const void *bytes, size_t len);
/* The next datagram is exactly this one. */
void udp_expect(int fd, const char *text);
void udp_expect_bytes(int fd, const void *bytes, size_t len);
/* One there, and this one back. */
void udp_ask(int fd, const char *question, const char *answer);
/* The next datagram as a text, in a buffer that the eighth call from now uses again. */
const char *udp_text(int fd);
/* Asks a puppet which process it is. */
pid_t udp_pid(int fd);
/* As many bytes, which tell each place from its neighbours; valid until the next call. */
const char *pattern(size_t len);
/* superd has taken all that was sent to it so far, and dealt with it. */
void settle(struct daemon *d);

#endif
