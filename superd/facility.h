/* facility.h - the names of syslog(3)'s facilities. */
#ifndef FACILITY_H
#define FACILITY_H

/* LOG_DAEMON for "daemon" and so on; -1: no such name. */
int	facility_find(const char *name);

#endif
