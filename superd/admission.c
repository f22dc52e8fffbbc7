/* admission.c - see admission.h. */
#include "admission.h"
#include "bounds.h"

#define VERDICT_WORD(name, word)	[name] = word,
const char *const verdict_word[VERDICT_COUNT] = { VERDICTS(VERDICT_WORD) };
#undef VERDICT_WORD

int
admission_init(struct admission *admission, const uint64_t seed[2])
{
	*admission = (struct admission){ .sources = sources_new(ACCOUNTS, seed),
		.sensor = sources_new(SENSOR_ACCOUNTS, seed) };
	return admission->sources != NULL && admission->sensor != NULL ? 0 : -1;
}

void
admission_finish(struct admission *admission)
{
	sources_free(admission->sources);
	sources_free(admission->sensor);
	*admission = (struct admission){ .sources = NULL };
}

static bool
full(uint32_t live, uint32_t most)
{
	return most != UNLIMITED && live >= most;
}

enum room
admission_room(const struct admission *admission, const struct service *service,
    const struct tally *tally, uint64_t now_ms)
{
	if (service->when_full == FULL_REFUSE)
		return ROOM;
	if (full(tally->live, service->max_sessions))
		return ROOM_NOT_IN_SERVICE;
	if (full(admission->live, admission->max_sessions))
		return ROOM_NOT_AT_ALL;
	return rate_ready(&service->rate, &tally->bucket, now_ms) ? ROOM : ROOM_NOT_YET;
}

uint64_t
admission_wait_ms(const struct service *service, const struct tally *tally, uint64_t now_ms)
{
	return rate_wait_ms(&service->rate, &tally->bucket, now_ms);
}

static bool
denied(const struct service *service, const struct peer *peer)
{
	return service->acl != NULL && !acl_admits(service->acl, &peer->ip);
}

bool
admission_minds_own(const struct admission *admission, const struct service *service,
    const struct peer *peer, uint64_t now_ms)
{
	struct holder holder;

	if (peer->local || (service->sensor_ms == 0 && sources_count(admission->sensor) == 0) ||
	    denied(service, peer))
		return false;
	holder = holder_of(peer, 0, &admission->prefix);
	return service->sensor_ms != 0 || sources_banned(admission->sensor, &holder, now_ms);
}

/* Who it is: decided by lists, and by sensors that it has touched.  A Unix socket has its mode instead. */
static enum verdict
ask_identity(const struct admission *admission, const struct service *service, const struct peer *peer,
    const struct moment *moment)
{
	struct holder holder = holder_of(peer, 0, &admission->prefix);

	if (peer->local)
		return ADMIT;
	if (denied(service, peer))
		return REFUSE_DENIED;
	if (moment->own)
		return ADMIT;
	if (sources_banned(admission->sensor, &holder, moment->ms))
		return REFUSE_SENSOR;
	if (service->sensor_ms == 0)
		return ADMIT;
	sources_ban(admission->sensor, &holder, (uint64_t)service->sensor_ms, moment->ms);
	return REFUSE_SENSOR;
}

/* What it is like here. */
static enum verdict
ask_circumstances(const struct service *service, const struct moment *moment)
{
	if (service->hours != NULL && !hours_contain(service->hours, moment->weekday, moment->minute))
		return REFUSE_HOURS;
	if (service->max_load != 0 && moment->load > service->max_load)
		return REFUSE_LOAD;
	return ADMIT;
}

static enum verdict
ask_counts(const struct admission *admission, const struct service *service, const struct tally *tally)
{
	if (full(tally->live, service->max_sessions))
		return REFUSE_MAX_SESSIONS;
	if (full(admission->live, admission->max_sessions))
		return REFUSE_GLOBAL;
	return ADMIT;
}

static enum verdict
ask_source(const struct admission *admission, const struct service *service,
    const struct holder *holder, uint64_t now_ms)
{
	switch (sources_ask(admission->sources, holder, service->max_per_source,
	    &service->rate_per_source, now_ms)) {
	case SOURCE_ADMIT:
		return ADMIT;
	case SOURCE_AT_LIMIT:
		return REFUSE_MAX_PER_SOURCE;
	case SOURCE_TOO_FAST:
		return REFUSE_RATE_PER_SOURCE;
	case SOURCES_FULL:
		break;
	}
	return REFUSE_GLOBAL;
}

enum verdict
admission_ask(const struct admission *admission, const struct service *service,
    const struct tally *tally, const struct peer *peer, const struct moment *moment)
{
	struct holder holder = holder_of(peer, tally->number, &admission->prefix);
	enum verdict verdict = ask_identity(admission, service, peer, moment);

	if (verdict == ADMIT)
		verdict = ask_circumstances(service, moment);
	return verdict == ADMIT ? ask_source(admission, service, &holder, moment->ms) : verdict;
}

enum verdict
admission_request(struct admission *admission, const struct service *service, struct tally *tally,
    const struct peer *peer, const struct moment *moment, struct account **ticket)
{
	struct holder holder = holder_of(peer, tally->number, &admission->prefix);
	enum verdict verdict = ask_identity(admission, service, peer, moment);

	if (verdict == ADMIT)
		verdict = ask_circumstances(service, moment);
	if (verdict == ADMIT)
		verdict = ask_counts(admission, service, tally);
	if (verdict == ADMIT)
		verdict = ask_source(admission, service, &holder, moment->ms);
	/* The last question, since its answer takes a token. */
	if (verdict == ADMIT && !rate_take(&service->rate, &tally->bucket, moment->ms))
		verdict = REFUSE_RATE;
	if (verdict != ADMIT)
		return verdict;
	*ticket = sources_enter(admission->sources, &holder, &service->rate_per_source, moment->ms);
	if (*ticket == NULL)
		return REFUSE_GLOBAL;
	tally->live++;
	admission->live++;
	return ADMIT;
}

void
admission_release(struct admission *admission, const struct service *service, struct tally *tally,
    struct account *ticket, uint64_t now_ms)
{
	sources_leave(admission->sources, ticket, &service->rate_per_source, now_ms);
	tally->live--;
	admission->live--;
}

void
admission_cancel(struct admission *admission, const struct service *service, struct tally *tally,
    struct account *ticket, uint64_t now_ms)
{
	rate_return(&service->rate, &tally->bucket, now_ms);
	sources_cancel(admission->sources, ticket, &service->rate_per_source, now_ms);
	tally->live--;
	admission->live--;
}
