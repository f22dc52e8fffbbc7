/* Names of syslog's facilities. */
#include <syslog.h>

#include "facility.h"
#include "unit.h"

static const struct {
	const char	*name;
	int		 facility;
} facilities[] = {
	{ "auth", LOG_AUTH }, { "authpriv", LOG_AUTHPRIV }, { "cron", LOG_CRON },
	{ "daemon", LOG_DAEMON }, { "ftp", LOG_FTP }, { "mail", LOG_MAIL }, { "user", LOG_USER },
	{ "local0", LOG_LOCAL0 }, { "local1", LOG_LOCAL1 }, { "local2", LOG_LOCAL2 },
	{ "local3", LOG_LOCAL3 }, { "local4", LOG_LOCAL4 }, { "local5", LOG_LOCAL5 },
	{ "local6", LOG_LOCAL6 }, { "local7", LOG_LOCAL7 },
	{ "local8", -1 }, { "", -1 }, { "daemons", -1 }, { "kern", -1 },	/* the kernel's own */
};

START_TEST(a_facility_is_found_by_name)
{
	ck_assert_int_eq(facility_find(facilities[_i].name), facilities[_i].facility);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("facility");
	TCase *tcase = unit_case(suite, "names");

	tcase_add_loop_test(tcase, a_facility_is_found_by_name, 0, ROWS(facilities));
	return unit_run(suite);
}
