/* Admission on a random day: sessions come and go, and a model that counts one by one agrees. */
#include "admission_moments.h"

enum { SERVICES = 4, SOURCES = 5, MOST = 20, BURST = 3, STEPS = 100000 };

struct visit {
	uint32_t	service, source;
	struct account	*ticket;
};

/* Counted anew each time; a token comes back each second. */
struct model {
	struct visit	visits[MOST];
	uint32_t	live;
	int64_t		missing_ms[SERVICES][SOURCES];
};

static enum verdict
model_verdict(const struct model *model, const struct service *service, uint32_t at, uint32_t source)
{
	uint32_t of_service = 0, of_source = 0;

	for (uint32_t i = 0; i < model->live; i++) {
		of_service += model->visits[i].service == at;
		of_source += model->visits[i].service == at && model->visits[i].source == source;
	}
	return service->acl != NULL && source == 0 ? REFUSE_DENIED :
	    of_service >= service->max_sessions ? REFUSE_MAX_SESSIONS :
	    model->live >= MOST ? REFUSE_GLOBAL :
	    of_source >= service->max_per_source ? REFUSE_MAX_PER_SOURCE :
	    service->rate_per_source.count != 0 && model->missing_ms[at][source] > (BURST - 1) * 1000 ?
	    REFUSE_RATE_PER_SOURCE : ADMIT;
}

static void
model_wait(struct model *model, int64_t ms)
{
	for (int i = 0; i < SERVICES * SOURCES; i++) {
		int64_t *missing = &model->missing_ms[i / SOURCES][i % SOURCES];

		*missing = *missing > ms ? *missing - ms : 0;
	}
}

START_TEST(a_random_day_agrees_with_a_model)
{
	static const uint32_t most[SERVICES] = { 3, 9, 15, UNLIMITED }, share[SERVICES] = { 3, 2, 5, UNLIMITED };
	static const char *const ips[SOURCES] = { "192.0.2.1", "192.0.2.2", "::1", "2001:db8::1", "fe80::1" };
	struct admission admission;
	struct service services[SERVICES];
	struct tally tallies[SERVICES] = { { .live = 0 } };
	struct model model = { .live = 0 };
	struct arena arena = { .used = 0 };
	uint32_t seed = 7 + (uint32_t)_i;
	unsigned seen[VERDICT_COUNT] = { 0 };
	uint64_t now = start;

	ck_assert_int_eq(admission_init(&admission, secret), 0);
	admission.prefix = (struct source_prefix){ 32, 64 };
	admission.max_sessions = MOST;
	for (uint32_t i = 0; i < SERVICES; i++) {
		services[i] = (struct service){ .max_sessions = most[i], .max_per_source = share[i],
			.acl = i == 1 ? denying(&arena, "192.0.2.1/32") : NULL,
			.rate_per_source = i == 2 ? (struct rate){ 1, BURST, 1000 } : (struct rate){ 0 } };
		tallies[i].number = i + 1;
	}
	for (int step = 0; step < STEPS; step++) {
		struct visit visit = { unit_random(&seed, SERVICES), unit_random(&seed, SOURCES), NULL };
		const struct peer peer = peer_of(ips[visit.source]);
		const uint32_t ms = unit_random(&seed, 60), end = unit_random(&seed, MOST * 2);
		const struct moment moment = { .ms = now += ms };
		enum verdict want;

		model_wait(&model, ms);
		if (end < model.live) {
			visit = model.visits[end];
			model.visits[end] = model.visits[--model.live];
			admission_release(&admission, &services[visit.service], &tallies[visit.service],
			    visit.ticket, now);
			continue;
		}
		want = model_verdict(&model, &services[visit.service], visit.service, visit.source);
		ck_assert_int_eq(admission_request(&admission, &services[visit.service],
		    &tallies[visit.service], &peer, &moment, &visit.ticket), want);
		if (want == ADMIT) {
			model.visits[model.live++] = visit;
			model.missing_ms[visit.service][visit.source] += visit.service == 2 ? 1000 : 0;
		}
		ck_assert_uint_eq(admission.live, model.live);
		seen[want]++;
	}
	for (enum verdict verdict = ADMIT; verdict < REFUSE_RATE; verdict++)
		if (verdict < REFUSE_SENSOR || verdict > REFUSE_LOAD)
			ck_assert_msg(seen[verdict] > 100, "%s: %u", verdict_word[verdict], seen[verdict]);
	admission_finish(&admission);
	arena_free(&arena);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("admission_day");
	TCase *tcase = unit_case(suite, "day");

	tcase_add_loop_test(tcase, a_random_day_agrees_with_a_model, 0, 3);
	return unit_run(suite);
}
