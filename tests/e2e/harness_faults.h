/*
 * System calls of superd that fail on demand.  A seccomp(2) filter, put in force
 * before superd is executed, makes the kernel ask the test about each of the
 * calls it names; the test lets it happen, or answers with an error.  So superd
 * meets what cannot be brought about otherwise: a machine without memory.
 */
#ifndef E2E_HARNESS_FAULTS_H
#define E2E_HARNESS_FAULTS_H

#include "harness.h"

enum { CALLS_MAX = 16 };

/* Whether the kernel can do that here. */
bool faults_possible(void);
/* Those that make a process, whichever the C library uses. */
extern const long fork_calls[];
/* daemon_run, and about each of these calls (the list ends with -1) the test is asked from now on. */
void faults_run(struct daemon *d, const long *calls);
/* The next `times` of superd's calls fail like this; its children's never do. */
void faults_set(int error, unsigned times);
/* How many failed since then; how many there were at all, those of its children too. */
unsigned faults_failed(void);
unsigned faults_seen(void);
/* With SYS_prlimit64 among the calls: all believe that they have so many descriptors. */
void faults_pretend_descriptors(uint64_t limit);

#endif
