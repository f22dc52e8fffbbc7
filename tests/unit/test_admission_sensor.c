/* Admission and sensors: who is banned, from what, and who never is. */
#include "admission_moments.h"

START_TEST(a_sensor_bans_its_visitor_from_everything_for_its_duration)
{
	struct admission admission = new_admission(100);
	struct service service = new_service(), trap = new_service();
	struct tally tally = { .number = 1 }, trapped = { .number = 2 };

	trap.sensor_ms = HOUR;
	ck_assert_int_eq(request(&admission, &service, &tally, "2001:db8::1", start), ADMIT);
	ck_assert_int_eq(request(&admission, &trap, &trapped, "2001:db8::1", start), REFUSE_SENSOR);
	ck_assert_int_eq(request(&admission, &service, &tally, "2001:db8::2", start), REFUSE_SENSOR);
	ck_assert_int_eq(request(&admission, &service, &tally, "2001:db8:0:1::1", start), ADMIT);
	ck_assert_int_eq(request(&admission, &service, &tally, "2001:db8::1", start + HOUR - 1), REFUSE_SENSOR);
	ck_assert_int_eq(request(&admission, &service, &tally, "2001:db8::1", start + HOUR), ADMIT);
	ck_assert_uint_eq(trapped.live, 0);
	ck_assert_uint_eq(tally.live, 3);
	admission_finish(&admission);
}
END_TEST

START_TEST(a_sensor_bans_neither_the_host_nor_the_denied_nor_a_local_client)
{
	struct admission admission = new_admission(100);
	struct service service = new_service(), trap = new_service();
	struct tally tally = { .number = 1 }, trapped = { .number = 2 };
	const struct peer own = peer_of("192.0.2.9"), local = { .local = true };
	const struct moment moment = { .ms = start, .own = true }, foreign = { .ms = start };
	struct arena arena = { .used = 0 };
	struct account *ticket;

	trap.sensor_ms = HOUR;
	trap.acl = denying(&arena, "192.0.2.1");
	ck_assert_int_eq(admission_request(&admission, &trap, &trapped, &own, &moment, &ticket), ADMIT);
	ck_assert_int_eq(admission_request(&admission, &trap, &trapped, &local, &foreign, &ticket), ADMIT);
	ck_assert_int_eq(request(&admission, &trap, &trapped, "192.0.2.1", start), REFUSE_DENIED);
	ck_assert_int_eq(request(&admission, &service, &tally, "192.0.2.9", start), ADMIT);
	ck_assert_int_eq(request(&admission, &service, &tally, "192.0.2.1", start), ADMIT);
	ck_assert_uint_eq(sources_count(admission.sensor), 0);
	admission_finish(&admission);
	arena_free(&arena);
}
END_TEST

START_TEST(the_hosts_own_addresses_matter_only_to_sensors_and_bans)
{
	struct admission admission = new_admission(100);
	struct service service = new_service(), trap = new_service(), denies = new_service();
	struct tally tally = { .number = 1 };
	struct arena arena = { .used = 0 };
	const struct peer peer = peer_of("2001:db8::1"), same = peer_of("2001:db8::2");
	const struct peer other = peer_of("2001:db8:0:1::1"), local = { .local = true };
	const struct moment own = { .ms = start, .own = true };
	struct account *ticket;

	trap.sensor_ms = HOUR;
	denies.sensor_ms = HOUR;
	denies.acl = denying(&arena, "2001:db8::/32");
	ck_assert(!admission_minds_own(&admission, &service, &peer, start));
	ck_assert(admission_minds_own(&admission, &trap, &peer, start));
	ck_assert(!admission_minds_own(&admission, &trap, &local, start));
	ck_assert(!admission_minds_own(&admission, &denies, &peer, start));
	ck_assert_int_eq(request(&admission, &trap, &tally, "2001:db8::1", start), REFUSE_SENSOR);
	ck_assert(admission_minds_own(&admission, &service, &same, start));
	ck_assert(!admission_minds_own(&admission, &service, &same, start + HOUR));
	ck_assert(!admission_minds_own(&admission, &service, &other, start));
	ck_assert(!admission_minds_own(&admission, &denies, &same, start));
	/* The network is banned; the host's own address in it is not. */
	ck_assert_int_eq(admission_request(&admission, &service, &tally, &same, &own, &ticket), ADMIT);
	ck_assert_int_eq(request(&admission, &service, &tally, "2001:db8::3", start), REFUSE_SENSOR);
	admission_finish(&admission);
	arena_free(&arena);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("admission_sensor");
	TCase *tcase = unit_case(suite, "sensor");

	tcase_add_test(tcase, a_sensor_bans_its_visitor_from_everything_for_its_duration);
	tcase_add_test(tcase, a_sensor_bans_neither_the_host_nor_the_denied_nor_a_local_client);
	tcase_add_test(tcase, the_hosts_own_addresses_matter_only_to_sensors_and_bans);
	return unit_run(suite);
}
