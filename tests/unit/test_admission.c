/* Who may have a process: whether there is room, each verdict and its turn, and the counts behind them. */
#include <string.h>

#include "admission_moments.h"
#include "bounds.h"

START_TEST(every_verdict_has_a_word_of_its_own)
{
	for (int i = 0; i < VERDICT_COUNT; i++) {
		ck_assert_ptr_nonnull(verdict_word[i]);
		ck_assert_str_ne(verdict_word[i], "");
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(verdict_word[i], verdict_word[j]);
	}
}
END_TEST

/* --- room, before accept */

static const struct {
	uint8_t		 when_full;
	uint32_t	 max, live;		/* of the service */
	uint32_t	 all_max, all_live;
	bool		 token;			/* rate has one */
	enum room	 room;
	enum verdict	 verdict;
} rooms[] = {
	{ FULL_QUEUE,  1, 0,  10, 0,   true,  ROOM,                ADMIT },
	{ FULL_QUEUE,  1, 1,  10, 1,   true,  ROOM_NOT_IN_SERVICE, REFUSE_MAX_SESSIONS },
	{ FULL_QUEUE,  2, 1,  10, 9,   true,  ROOM,                ADMIT },
	{ FULL_QUEUE,  2, 1,  10, 10,  true,  ROOM_NOT_AT_ALL,     REFUSE_GLOBAL },
	{ FULL_QUEUE,  2, 2,  10, 10,  true,  ROOM_NOT_IN_SERVICE, REFUSE_MAX_SESSIONS },
	{ FULL_QUEUE,  2, 5,  10, 5,   true,  ROOM_NOT_IN_SERVICE, REFUSE_MAX_SESSIONS }, /* lowered by a reload */
	{ FULL_QUEUE,  2, 1,  10, 12,  true,  ROOM_NOT_AT_ALL,     REFUSE_GLOBAL },
	{ FULL_QUEUE,  UNLIMITED, 90000, 100000, 90000, true, ROOM, ADMIT },
	{ FULL_QUEUE,  UNLIMITED, 5, 5, 5, true, ROOM_NOT_AT_ALL,  REFUSE_GLOBAL },
	{ FULL_QUEUE,  2, 1,  10, 1,   false, ROOM_NOT_YET,        REFUSE_RATE },
	{ FULL_QUEUE,  2, 2,  10, 2,   false, ROOM_NOT_IN_SERVICE, REFUSE_MAX_SESSIONS },
	{ FULL_QUEUE,  2, 1,  10, 10,  false, ROOM_NOT_AT_ALL,     REFUSE_GLOBAL },
	{ FULL_REFUSE, 1, 0,  10, 0,   true,  ROOM,                ADMIT },
	{ FULL_REFUSE, 1, 1,  10, 1,   true,  ROOM,                REFUSE_MAX_SESSIONS },
	{ FULL_REFUSE, 2, 1,  10, 10,  true,  ROOM,                REFUSE_GLOBAL },
	{ FULL_REFUSE, 2, 2,  10, 10,  true,  ROOM,                REFUSE_MAX_SESSIONS },
	{ FULL_REFUSE, 2, 1,  10, 1,   false, ROOM,                REFUSE_RATE },
};

START_TEST(room_and_verdict_agree_with_the_counts)
{
	const struct service service = { .when_full = rooms[_i].when_full, .max_sessions = rooms[_i].max,
		.max_per_source = UNLIMITED, .rate = { 1, 1, 1000 } };
	struct tally tally = { .live = rooms[_i].live, .number = 1 };
	struct admission admission = new_admission(rooms[_i].all_max);
	const bool admitted = rooms[_i].verdict == ADMIT;
	const struct peer peer = peer_of("192.0.2.1");
	const struct moment moment = { .ms = start };
	struct account *ticket;

	admission.live = rooms[_i].all_live;
	if (!rooms[_i].token)
		ck_assert(rate_take(&service.rate, &tally.bucket, start));
	ck_assert_int_eq(admission_room(&admission, &service, &tally, start), rooms[_i].room);
	ck_assert_uint_eq(admission_wait_ms(&service, &tally, start), rooms[_i].token ? 0 : 1000);
	ck_assert_int_eq(admission_request(&admission, &service, &tally, &peer, &moment, &ticket),
	    rooms[_i].verdict);
	ck_assert_uint_eq(tally.live, rooms[_i].live + admitted);
	ck_assert_uint_eq(admission.live, rooms[_i].all_live + admitted);
	if (admitted)
		admission_release(&admission, &service, &tally, ticket, start);
	ck_assert_uint_eq(tally.live, rooms[_i].live);
	ck_assert_uint_eq(admission.live, rooms[_i].all_live);
	admission_finish(&admission);
}
END_TEST

START_TEST(room_comes_back_when_the_wait_is_over)
{
	struct service service = new_service();
	struct tally tally = { .number = 1 };
	struct admission admission = new_admission(10);

	service.when_full = FULL_QUEUE;
	service.rate = (struct rate){ 3, 1, 1000 };
	ck_assert_int_eq(request(&admission, &service, &tally, "192.0.2.1", start), ADMIT);
	ck_assert_int_eq(admission_room(&admission, &service, &tally, start), ROOM_NOT_YET);
	ck_assert_uint_eq(admission_wait_ms(&service, &tally, start), 334);
	ck_assert_int_eq(admission_room(&admission, &service, &tally, start + 333), ROOM_NOT_YET);
	ck_assert_int_eq(admission_room(&admission, &service, &tally, start + 334), ROOM);
	ck_assert_int_eq(request(&admission, &service, &tally, "192.0.2.1", start + 334), ADMIT);
	admission_finish(&admission);
}
END_TEST

/* --- the verdicts in their order: everything is wrong at first, and put right one by one */

struct scene {
	struct arena arena;
	struct admission admission;
	struct service service;
	struct tally tally;
	struct peer peer;
	struct moment moment;
};

/* Puts right what makes superd answer so. */
static void
put_right(struct scene *scene, enum verdict verdict)
{
	switch (verdict) {
	case REFUSE_DENIED:
		scene->service.acl = NULL;
		break;
	case REFUSE_SENSOR:
		scene->moment.ms += 2 * HOUR;
		break;
	case REFUSE_HOURS:
		scene->moment.minute = 12 * 60;
		break;
	case REFUSE_LOAD:
		scene->moment.load = scene->service.max_load;
		break;
	case REFUSE_MAX_SESSIONS:
		scene->service.max_sessions++;
		break;
	case REFUSE_GLOBAL:
		scene->admission.max_sessions++;
		break;
	case REFUSE_MAX_PER_SOURCE:
		scene->service.max_per_source++;
		break;
	case REFUSE_RATE_PER_SOURCE:
		scene->service.rate_per_source.burst++;
		break;
	case REFUSE_RATE:
		scene->service.rate.burst++;
		break;
	case ADMIT:
	case VERDICT_COUNT:
		ck_abort();
	}
}

static void
set_scene(struct scene *scene)
{
	struct holder holder;
	struct account *first;

	*scene = (struct scene){ .admission = new_admission(1), .service = new_service(),
		.tally = { .number = 1 }, .peer = peer_of("192.0.2.1"), .moment = { .ms = start } };
	/* The only session that there may be, with the only tokens. */
	scene->service.rate = scene->service.rate_per_source = (struct rate){ 1, 1, 24 * HOUR };
	ck_assert_int_eq(admission_request(&scene->admission, &scene->service, &scene->tally,
	    &scene->peer, &scene->moment, &first), ADMIT);
	scene->service.max_sessions = scene->service.max_per_source = 1;
	scene->service.acl = denying(&scene->arena, "192.0.2.0/24");
	ck_assert_ptr_null(hours_parse(&scene->arena, "Mon 08:00-18:00", &scene->service.hours));
	scene->moment.weekday = 1;
	scene->moment.minute = 18 * 60;
	scene->service.max_load = 150;
	scene->moment.load = 151;
	holder = holder_of(&scene->peer, 0, &scene->admission.prefix);
	sources_ban(scene->admission.sensor, &holder, HOUR, start);
}

START_TEST(verdicts_come_in_their_order_and_leave_no_trace)
{
	struct account *ticket = NULL;
	struct scene scene;

	set_scene(&scene);
	for (enum verdict want = ADMIT + 1; want < VERDICT_COUNT; want++) {
		const struct tally before = scene.tally;

		for (int i = 0; i < 3; i++)
			ck_assert_str_eq(verdict_word[admission_request(&scene.admission, &scene.service,
			    &scene.tally, &scene.peer, &scene.moment, &ticket)], verdict_word[want]);
		ck_assert_mem_eq(&scene.tally, &before, sizeof before);
		ck_assert_uint_eq(scene.admission.live, 1);
		ck_assert_uint_eq(sources_count(scene.admission.sources), 1);
		ck_assert_ptr_null(ticket);
		put_right(&scene, want);
	}
	ck_assert_int_eq(admission_request(&scene.admission, &scene.service, &scene.tally, &scene.peer,
	    &scene.moment, &ticket), ADMIT);
	ck_assert_ptr_nonnull(ticket);
	ck_assert_uint_eq(scene.tally.live, 2);
	ck_assert_uint_eq(scene.admission.live, 2);
	admission_finish(&scene.admission);
	arena_free(&scene.arena);
}
END_TEST

/* For who can wait for room: all but the counts and the rate, which time puts right. */
START_TEST(ask_says_what_request_would_say_if_there_were_room)
{
	struct account *ticket = NULL;
	struct scene scene;

	set_scene(&scene);
	for (enum verdict now = ADMIT + 1; now < VERDICT_COUNT; now++) {
		const bool room = now == REFUSE_MAX_SESSIONS || now == REFUSE_GLOBAL;
		const enum verdict want = room ? REFUSE_MAX_PER_SOURCE : now == REFUSE_RATE ? ADMIT : now;
		const struct tally before = scene.tally;

		for (int i = 0; i < 3; i++)
			ck_assert_str_eq(verdict_word[admission_ask(&scene.admission, &scene.service,
			    &scene.tally, &scene.peer, &scene.moment)], verdict_word[want]);
		ck_assert_mem_eq(&scene.tally, &before, sizeof before);
		ck_assert_uint_eq(scene.admission.live, 1);
		ck_assert_uint_eq(sources_count(scene.admission.sources), 1);
		ck_assert_int_eq(admission_request(&scene.admission, &scene.service, &scene.tally,
		    &scene.peer, &scene.moment, &ticket), now);
		put_right(&scene, now);
	}
	ck_assert_int_eq(admission_request(&scene.admission, &scene.service, &scene.tally, &scene.peer,
	    &scene.moment, &ticket), ADMIT);
	admission_finish(&scene.admission);
	arena_free(&scene.arena);
}
END_TEST

START_TEST(load_is_refused_above_its_limit_only)
{
	static const struct { uint32_t most, load; bool admitted; } rows[] = {
		{ 150, 150, true }, { 150, 151, false }, { 150, 0, true }, { 1, 2, false },
		{ 0, 0, true }, { 0, UINT32_MAX, true }, { 10000 * 100, UINT32_MAX, false } };
	struct admission admission = new_admission(100);
	const struct peer peer = peer_of("192.0.2.1");
	struct service service = new_service();
	struct tally tally = { .number = 1 };
	struct account *ticket;

	for (int i = 0; i < ROWS(rows); i++) {
		const struct moment moment = { .ms = start, .load = rows[i].load };

		service.max_load = rows[i].most;
		ck_assert_int_eq(admission_request(&admission, &service, &tally, &peer, &moment, &ticket),
		    rows[i].admitted ? ADMIT : REFUSE_LOAD);
	}
	admission_finish(&admission);
}
END_TEST

/* --- sources */

START_TEST(a_64_of_ipv6_is_one_source_and_a_mapped_client_is_ipv4)
{
	struct admission admission = new_admission(100);
	struct service service = new_service();
	struct tally tally = { .number = 1 }, other = { .number = 2 };

	service.max_per_source = 1;
	ck_assert_int_eq(request(&admission, &service, &tally, "2001:db8::1", start), ADMIT);
	ck_assert_int_eq(request(&admission, &service, &tally, "2001:db8::ffff:1:2:3", start),
	    REFUSE_MAX_PER_SOURCE);
	ck_assert_int_eq(request(&admission, &service, &tally, "2001:db8:0:1::1", start), ADMIT);
	ck_assert_int_eq(request(&admission, &service, &tally, "192.0.2.1", start), ADMIT);
	ck_assert_int_eq(request(&admission, &service, &tally, "::ffff:192.0.2.1", start),
	    REFUSE_MAX_PER_SOURCE);
	ck_assert_int_eq(request(&admission, &service, &tally, "192.0.2.2", start), ADMIT);
	ck_assert_int_eq(request(&admission, &service, &other, "2001:db8::1", start), ADMIT);
	admission_finish(&admission);
}
END_TEST

START_TEST(a_refused_source_heals_however_often_it_comes)
{
	struct admission admission = new_admission(100);
	struct service service = new_service();
	struct tally tally = { .number = 1 };

	service.rate_per_source = (struct rate){ 1, 1, 1000 };
	ck_assert_int_eq(request(&admission, &service, &tally, "192.0.2.1", start), ADMIT);
	for (uint64_t ms = 0; ms < 1000; ms++)
		ck_assert_int_eq(request(&admission, &service, &tally, "192.0.2.1", start + ms),
		    REFUSE_RATE_PER_SOURCE);
	ck_assert_int_eq(request(&admission, &service, &tally, "192.0.2.2", start + 999), ADMIT);
	ck_assert_int_eq(request(&admission, &service, &tally, "192.0.2.1", start + 1000), ADMIT);
	admission_finish(&admission);
}
END_TEST

START_TEST(who_finds_no_account_is_refused_and_takes_no_token)
{
	struct admission admission = new_admission(UNLIMITED);
	struct service service = new_service();
	struct tally tally = { .number = 1 };
	struct account *first = NULL;

	for (uint32_t i = 0; i < ACCOUNTS; i++) {
		const struct holder holder = { .scope = i + 1, .service = 9 };
		struct account *account = sources_enter(admission.sources, &holder, &service.rate, start);

		ck_assert_ptr_nonnull(account);
		first = first != NULL ? first : account;
	}
	service.rate = (struct rate){ 1, 1, HOUR };
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(request(&admission, &service, &tally, "192.0.2.1", start), REFUSE_GLOBAL);
	ck_assert_uint_eq(tally.live + admission.live, 0);
	sources_leave(admission.sources, first, &service.rate_per_source, start);
	ck_assert_int_eq(request(&admission, &service, &tally, "192.0.2.1", start), ADMIT);
	admission_finish(&admission);
}
END_TEST

START_TEST(who_got_no_process_has_his_tokens_back)
{
	struct admission admission = new_admission(100);
	struct service service = new_service();
	struct tally tally = { .number = 1 };
	const struct peer peer = peer_of("192.0.2.1");
	const struct moment moment = { .ms = start };
	struct account *ticket;

	service.rate = (struct rate){ 1, 2, HOUR };
	service.rate_per_source = (struct rate){ 1, 1, HOUR };
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(admission_request(&admission, &service, &tally, &peer, &moment, &ticket), ADMIT);
		admission_cancel(&admission, &service, &tally, ticket, start);
		ck_assert_uint_eq(tally.live + admission.live, 0);
		ck_assert_uint_eq(sources_count(admission.sources), 0);
	}
	ck_assert_int_eq(request(&admission, &service, &tally, "192.0.2.1", start), ADMIT);
	ck_assert_int_eq(request(&admission, &service, &tally, "192.0.2.1", start), REFUSE_RATE_PER_SOURCE);
	ck_assert_int_eq(request(&admission, &service, &tally, "192.0.2.2", start), ADMIT);
	ck_assert_int_eq(request(&admission, &service, &tally, "192.0.2.3", start), REFUSE_RATE);
	admission_finish(&admission);
}
END_TEST

START_TEST(finishing_twice_is_allowed)
{
	struct admission admission = new_admission(1);

	admission_finish(&admission);
	admission_finish(&admission);
	ck_assert_ptr_null(admission.sources);
	ck_assert_ptr_null(admission.sensor);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("admission");
	TCase *tcase = unit_case(suite, "admission");

	tcase_add_test(tcase, every_verdict_has_a_word_of_its_own);
	tcase_add_loop_test(tcase, room_and_verdict_agree_with_the_counts, 0, ROWS(rooms));
	tcase_add_test(tcase, room_comes_back_when_the_wait_is_over);
	tcase_add_test(tcase, verdicts_come_in_their_order_and_leave_no_trace);
	tcase_add_test(tcase, ask_says_what_request_would_say_if_there_were_room);
	tcase_add_test(tcase, load_is_refused_above_its_limit_only);
	tcase_add_test(tcase, a_64_of_ipv6_is_one_source_and_a_mapped_client_is_ipv4);
	tcase_add_test(tcase, a_refused_source_heals_however_often_it_comes);
	tcase_add_test(tcase, who_finds_no_account_is_refused_and_takes_no_token);
	tcase_add_test(tcase, who_got_no_process_has_his_tokens_back);
	tcase_add_test(tcase, finishing_twice_is_allowed);
	return unit_run(suite);
}
