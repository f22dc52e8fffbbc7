/*
 * What the tests of admission share: clients that come from a certain address,
 * being served or refused, and foreign addresses in a network of the test's own.
 */
#ifndef E2E_HARNESS_ADMISSION_H
#define E2E_HARNESS_ADMISSION_H

#include "harness.h"

/*
 * Connects from this address, "127.0.0.7" or "2001:db8::7", to a port of this
 * host's own loopback address, 127.0.0.1 or ::1.
 */
int dial_from(const char *source, int port);
/* To the first address of the service. */
int call(struct daemon *d, const char *service, const char *source);

/* Reads what comes first: true for "held\n", false for the end; then fd is closed. */
bool was_served(int fd);
/* The service is `hold`.  Gives the session's connection. */
int must_serve(struct daemon *d, const char *service, const char *source);
/* For so long that it is logged: the gate of refusals passes 20 a second. */
void must_refuse(struct daemon *d, const char *service, const char *source, const char *reason);
/* Ends the session from the client's side and waits until superd has seen it. */
void hang_up_and_wait(struct daemon *d, int fd);
/* The port that the client's socket has, as superd logs it: "127.0.0.7:40000". */
const char *name_of(int fd);

/* A number of the status, of a service or, with NULL, of superd; 0 where it is absent. */
long status_number(struct daemon *d, const char *service, const char *key);
/*
 * kB that are resident of the memory it can write to.  Of the rest, which is
 * read from files, as much is resident as the kernel's page cache pleases.
 */
long writable_kb(pid_t pid);
/* Sanitizers and valgrind keep what is freed for a while: their memory is not superd's. */
bool memory_is_superds_own(void);

/* Every address of the block reaches lo, and none of them is an address of the host's. */
void route_to_lo(const char *block);
/* Writes dir/name and gives its path. */
const char *put_file(struct daemon *d, const char *name, const char *text);

#endif
