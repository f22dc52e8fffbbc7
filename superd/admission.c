/* admission.c - see admission.h. */
#include "admission.h"

#define VERDICT_WORD(name, word)	[name] = word,
const char *const verdict_word[VERDICT_COUNT] = { VERDICTS(VERDICT_WORD) };
#undef VERDICT_WORD

static bool
full(const struct tally *tally, uint32_t most)
{
	return most != UNLIMITED && tally->live >= most;
}

enum room
admission_room(const struct admission *admission, const struct service *service,
    const struct tally *tally)
{
	if (service->when_full == FULL_REFUSE)
		return ROOM;
	if (full(tally, service->max_sessions))
		return ROOM_NOT_IN_SERVICE;
	return full(&admission->all, admission->max_sessions) ? ROOM_NOT_AT_ALL : ROOM;
}

enum verdict
admission_request(struct admission *admission, const struct service *service, struct tally *tally)
{
	if (full(tally, service->max_sessions))
		return REFUSE_MAX_SESSIONS;
	if (full(&admission->all, admission->max_sessions))
		return REFUSE_GLOBAL;
	tally->live++;
	admission->all.live++;
	return ADMIT;
}

void
admission_release(struct admission *admission, struct tally *tally)
{
	tally->live--;
	admission->all.live--;
}
