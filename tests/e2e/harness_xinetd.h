/*
 * A whole xinetd configuration, converted and served: tests/xinetd/packages.conf
 * with the files that packages put beside it.  Changed before xinetd2superd sees
 * it are only the users that not every machine has, the place of the log, the
 * folder of the programs, and what is switched off without a reason of its own.
 */
#ifndef E2E_HARNESS_XINETD_H
#define E2E_HARNESS_XINETD_H

#include "harness_admission.h"

/*
 * In a network of the test's own, where all of 10.0.0.0/8 and 192.168.0.0/16 can
 * be a client.  The programs are tests/tools/given, which tells what it was
 * given, and answerer for UDP.  Without UDP its services are left out.
 */
struct daemon *start_packages(void);
/* The path below d->dir, where a program of the configuration is; its folder is there then. */
const char *make_place(struct daemon *d, const char *path);

/* Whether superd -t takes a UDP address. */
bool can_serve_udp(void);
/* Whether services(5) and passwd(5) have what the configuration names. */
bool have_names(void);

#endif
