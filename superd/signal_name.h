/* signal_name.h - "KILL" for 9: not every C library can tell. */
#ifndef SIGNAL_NAME_H
#define SIGNAL_NAME_H

/* Never NULL; a number where a signal has no name.  Valid until the next call. */
const char *signal_name(int number);

#endif
