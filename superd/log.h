/*
 * log.h - where log lines go, and how a line is built.  Nothing here waits: a
 * line that finds no room is dropped and counted, and the count is told with
 * the next line that gets through.  errno is kept.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"

/* Standard error, text, level info: before any configuration is read. */
void	log_init(void);
/*
 * Goes over to what the settings say; where is NULL for stderr, or as the key
 * log.  -1: the file cannot be opened (errno); then nothing has changed.
 * The same file is opened anew, which is how it is rotated.
 */
int	log_open(const char *where, enum log_format, enum log_level);
void	log_close(void);
/* Writes out what is waiting; see log_gathers. */
void	log_flush(void);
/* Whether lines have been gathered since: log_flush must not be long in coming. */
bool	log_gathers(void);
/* The start is over: until then errors are written to standard error too, wherever the log goes. */
void	log_started(void);
/* -D: the start is over and standard error is gone; what cannot go to its place is dropped. */
void	log_without_stderr(void);

bool	log_wants(enum log_level);

/* One line: begun, given its fields in order, and sent. */
void	log_begin(enum log_level, const char *event);
void	log_text(const char *key, const char *value);	/* quoted and escaped where needed */
void	log_number(const char *key, uint64_t value);
void	log_seconds(const char *key, uint64_t us);	/* "0.004s" */
void	log_end(void);

#endif
