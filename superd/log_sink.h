/* log_sink.h - where whole log lines go.  Known to log.c only. */
#ifndef LOG_SINK_H
#define LOG_SINK_H

#include <stdbool.h>
#include <stddef.h>

#include "conf.h"

void	sink_init(void);
int	sink_open(const char *where);
void	sink_close(void);
void	sink_flush(void);
bool	sink_gathers(void);
void	sink_started(void);
void	sink_without_stderr(void);

/* False where the reader stamps lines itself: syslog, journald. */
bool	sink_wants_time(void);
/* Lines lost and not yet told of; and whether there is room now to tell. */
uint64_t sink_dropped(void);
void	sink_set_dropped(uint64_t lines);
bool	sink_has_room(void);
/* A line with its newline. */
void	sink_line(const char *line, size_t len, enum log_level);

#endif
