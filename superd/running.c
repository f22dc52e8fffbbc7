/* running.c - what a service is counted for, and what of it passes its gates into the log. */
#include "events.h"
#include "log.h"
#include "running.h"

bool
running_has_newcomers(const struct running *running)
{
	return running->newcomers != NULL && running->newcomers->count > 0;
}

void
running_failed(struct running *running, uint64_t session, const struct peer *peer, enum stage stage,
    const char *error, uint64_t now_ms)
{
	running->failed++;
	if (log_wants(LOG_LEVEL_ERROR) && gate_passes(&running->failed_gate, now_ms))
		event_failed(running, session, peer, stage, error);
}

void
running_overlong(struct running *running, const struct session *session, uint64_t now_ms)
{
	running->dropped++;
	if (log_wants(LOG_LEVEL_WARNING) && gate_passes(&running->overlong_gate, now_ms))
		event_overlong(running, session);
}

void
running_refused(struct running *running, const struct peer *peer, enum verdict verdict,
    uint64_t now_ms)
{
	running->refused[verdict]++;
	if (log_wants(LOG_LEVEL_NOTICE) && gate_passes(&running->refuse_gate, now_ms))
		event_refuse(running, peer, verdict);
}
