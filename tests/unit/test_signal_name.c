/* Names of signals, as the log tells them. */
#include <signal.h>

#include "signal_name.h"
#include "unit.h"

static const struct {
	int		 number;
	const char	*name;
} signals[] = {
	{ SIGHUP, "HUP" }, { SIGINT, "INT" }, { SIGQUIT, "QUIT" }, { SIGILL, "ILL" },
	{ SIGABRT, "ABRT" }, { SIGBUS, "BUS" }, { SIGFPE, "FPE" }, { SIGKILL, "KILL" },
	{ SIGUSR1, "USR1" }, { SIGSEGV, "SEGV" }, { SIGUSR2, "USR2" }, { SIGPIPE, "PIPE" },
	{ SIGALRM, "ALRM" }, { SIGTERM, "TERM" }, { SIGXCPU, "XCPU" }, { SIGXFSZ, "XFSZ" },
	{ SIGSYS, "SYS" }, { 9, "KILL" }, { 15, "TERM" },
	{ 0, "0" }, { -1, "-1" }, { 40, "40" }, { 64, "64" }, { 1000000, "1000000" },
};

START_TEST(a_signal_has_a_name_or_a_number)
{
	ck_assert_str_eq(signal_name(signals[_i].number), signals[_i].name);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("signal_name");
	TCase *tcase = unit_case(suite, "names");

	tcase_add_loop_test(tcase, a_signal_has_a_name_or_a_number, 0, ROWS(signals));
	return unit_run(suite);
}
