/* Values: from text to field and back, every kind of key with its bounds. */
#include <stdio.h>
#include <string.h>

#include "bounds.h"
#include "conf_keys.h"
#include "unit.h"

#define KEY(name)	"service", name
#define SETTING(name)	"superd", name

static union {
	struct settings	settings;
	struct service	service;
} object, other;

static const struct conf_key *
find(const char *table, const char *name)
{
	const struct conf_key *key = conf_key_find(*table == 's' && table[1] == 'e' ? service_keys :
	    settings_keys, name);

	ck_assert_msg(key != NULL, "no key %s", name);
	return key;
}

/* What is written, and what -T writes for it; NULL: nothing. */
static const struct {
	const char	*table, *key, *text, *back;
} good[] = {
	{ KEY("enabled"), "yes", "yes" }, { KEY("enabled"), "no", "no" },
	{ KEY("enabled"), "on", "yes" }, { KEY("enabled"), "off", "no" },
	{ KEY("enabled"), "true", "yes" }, { KEY("enabled"), "false", "no" },
	{ KEY("enabled"), "1", "yes" }, { KEY("enabled"), "0", "no" },
	{ KEY("timeout"), "250ms", "250ms" }, { KEY("timeout"), "30s", "30s" },
	{ KEY("timeout"), "30", "30s" }, { KEY("timeout"), "5m", "5m" },
	{ KEY("timeout"), "2h", "2h" }, { KEY("timeout"), "1d", "1d" },
	{ KEY("timeout"), "60", "1m" }, { KEY("timeout"), "1000ms", "1s" },
	{ KEY("timeout"), "1500ms", "1500ms" }, { KEY("timeout"), "86400", "1d" },
	{ KEY("timeout"), "90m", "90m" }, { KEY("timeout"), "007", "7s" },
	{ KEY("timeout"), "none", NULL }, { KEY("user_timeout"), "none", NULL },
	{ SETTING("grace"), "0", "0" }, { SETTING("grace"), "0ms", "0" },
	{ KEY("rcvbuf"), "1", "1" }, { KEY("rcvbuf"), "1000", "1000" },
	{ KEY("rcvbuf"), "64k", "64k" }, { KEY("rcvbuf"), "10M", "10M" },
	{ KEY("rcvbuf"), "1024k", "1M" }, { KEY("rcvbuf"), "65536", "64k" },
	{ KEY("sndbuf"), "1536", "1536" },
	{ KEY("max_sessions"), "1", "1" }, { KEY("max_sessions"), "unlimited", "unlimited" },
	{ KEY("nice"), "-20", "-20" }, { KEY("nice"), "0", "0" }, { KEY("nice"), "19", "19" },
	{ KEY("dscp"), "0", "0" }, { KEY("backlog"), "007", "7" },
	{ KEY("umask"), "022", "022" }, { KEY("umask"), "77", "077" }, { KEY("umask"), "0777", "0777" },
	{ KEY("socket_mode"), "0777", "0777" },
	{ KEY("stderr"), "log", "log" }, { KEY("stderr"), "socket", "socket" },
	{ KEY("stderr"), "null", "null" }, { KEY("when_full"), "refuse", "refuse" },
	{ KEY("log_remote"), "none", "none" }, { KEY("log_sessions"), "none", "none" },
	{ SETTING("log_level"), "debug", "debug" }, { SETTING("log_format"), "json", "json" },
	{ KEY("chdir"), "/", "/" }, { KEY("chroot"), "/srv/x", "/srv/x" },
	{ KEY("chroot"), "none", NULL }, { SETTING("pid_file"), "none", NULL },
	{ KEY("user"), "www-data", "www-data" }, { KEY("user"), "none", NULL },
	{ KEY("device"), "none", NULL }, { SETTING("log"), "syslog:local0", "syslog:local0" },
	{ KEY("limit_cpu"), "10", "10:10" }, { KEY("limit_cpu"), "10:20", "10:20" },
	{ KEY("limit_as"), "64k:10M", "65536:10485760" }, { KEY("limit_as"), "2G", "2147483648:2147483648" },
	{ KEY("limit_core"), "0", "0:0" }, { KEY("limit_core"), "unlimited", "unlimited:unlimited" },
	{ KEY("limit_core"), "5:unlimited", "5:unlimited" },
	{ KEY("exec"), "/bin/prog 'a b'  c\\ d \"\"", "/bin/prog 'a b' 'c d' ''" },
	{ KEY("exec"), "prog ' '';'", "prog ' '';'" },
	{ KEY("env"), "", "" }, { KEY("env"), "A=", "A=" }, { KEY("env"), "A=1 _b2='x y'", "A=1 '_b2=x y'" },
	{ KEY("env"), "A=b=c", "A=b=c" },
	{ KEY("pass_env"), "", "" }, { KEY("pass_env"), "PATH  TZ", "PATH TZ" },
	{ KEY("listen"), "80", "*:80" },
};

START_TEST(a_value_is_understood)
{
	struct arena arena = { .blocks = NULL };
	const struct conf_key *key = find(good[_i].table, good[_i].key);
	const char *wrong = conf_key_parse(key, &arena, good[_i].text, &object), *back;

	ck_assert_msg(wrong == NULL, "%s = %s: %s", key->name, good[_i].text, wrong);
	back = conf_key_text(key, &arena, &object);
	if (good[_i].back == NULL) {
		ck_assert_msg(back == NULL, "%s = %s is %s", key->name, good[_i].text, back);
	} else {
		ck_assert_ptr_nonnull(back);
		ck_assert_str_eq(back, good[_i].back);
		ck_assert_ptr_null(conf_key_parse(key, &arena, back, &other));
		ck_assert(conf_key_equal(key, &object, &other));
	}
	arena_free(&arena);
}
END_TEST

#define NO_BOOL		" is not yes or no (on/off, true/false, 1/0)"
#define NO_DURATION	" is not a duration (250ms, 30s, 5m, 2h, 1d)"
#define NO_SIZE		" is not a size (64k, 10M, 2G)"
#define NO_LIMIT	" is not N or SOFT:HARD (numbers, with k, M or G, or 'unlimited')"
#define NO_MODE		" is not an octal mode up to 0777"

static const struct {
	const char	*table, *key, *text, *wrong;
} bad[] = {
	{ KEY("enabled"), "", "has no value" },
	{ KEY("exec"), "", "has no value" },
	{ KEY("listen"), "", "has no value" },
	{ KEY("user"), "", "has no value" },
	{ KEY("limit_cpu"), "", "has no value" },
	{ KEY("enabled"), "maybe", "'maybe'" NO_BOOL },
	{ KEY("enabled"), "2", "'2'" NO_BOOL },
	{ KEY("enabled"), "yes no", "'yes no'" NO_BOOL },
	{ KEY("timeout"), "5 m", "'5 m'" NO_DURATION },
	{ KEY("timeout"), "5w", "'5w'" NO_DURATION },
	{ KEY("timeout"), "s", "'s'" NO_DURATION },
	{ KEY("timeout"), "1.5s", "'1.5s'" NO_DURATION },
	{ KEY("timeout"), "+5", "'+5'" NO_DURATION },
	{ KEY("timeout"), "5m5s", "'5m5s'" NO_DURATION },
	{ KEY("timeout"), "-", "'-'" NO_DURATION },
	{ KEY("timeout"), "0", "0 is out of range: 1ms to 365d" },
	{ KEY("timeout"), "-1s", "-1s is out of range: 1ms to 365d" },
	{ KEY("timeout"), "366d", "366d is out of range: 1ms to 365d" },
	{ KEY("defer_accept"), "999ms", "999ms is out of range: 1s to 1h" },
	{ KEY("defer_accept"), "3601", "3601 is out of range: 1s to 1h" },
	{ SETTING("grace"), "none", "'none'" NO_DURATION },
	{ SETTING("grace"), "-1", "-1 is out of range: 0 to 1d" },
	{ SETTING("grace"), "25h", "25h is out of range: 0 to 1d" },
	{ KEY("rcvbuf"), "64kB", "'64kB'" NO_SIZE },
	{ KEY("rcvbuf"), "k", "'k'" NO_SIZE },
	{ KEY("rcvbuf"), "1T", "'1T'" NO_SIZE },
	{ KEY("rcvbuf"), "0", "0 is out of range: 1 to 1073741823" },
	{ KEY("rcvbuf"), "1G", "1G is out of range: 1 to 1073741823" },
	{ KEY("max_sessions"), "many", "'many' is not a number or 'unlimited'" },
	{ KEY("max_sessions"), "10k", "'10k' is not a number or 'unlimited'" },
	{ SETTING("max_sessions"), "unlimited", "'unlimited' is not a number" },
	{ SETTING("max_sessions"), "0", "0 is out of range: 1 to 100000" },
	{ SETTING("max_sessions"), "100001", "100001 is out of range: 1 to 100000" },
	{ KEY("nice"), "high", "'high' is not a whole number" },
	{ KEY("nice"), "0.5", "'0.5' is not a whole number" },
	{ KEY("nice"), "-21", "-21 is out of range: -20 to 19" },
	{ KEY("nice"), "20", "20 is out of range: -20 to 19" },
	{ KEY("dscp"), "64", "64 is out of range: 0 to 63" },
	{ KEY("backlog"), "0", "0 is out of range: 1 to 65535" },
	{ KEY("backlog"), "65536", "65536 is out of range: 1 to 65535" },
	{ KEY("umask"), "8", "'8'" NO_MODE }, { KEY("umask"), "u=rwx", "'u=rwx'" NO_MODE },
	{ KEY("umask"), "1000", "'1000'" NO_MODE }, { KEY("umask"), "-1", "'-1'" NO_MODE },
	{ KEY("socket_mode"), "0o644", "'0o644'" NO_MODE },
	{ KEY("stderr"), "logs", "'logs' is none of log, socket, null; did you mean 'log'?" },
	{ KEY("stderr"), "syslog", "'syslog' is none of log, socket, null" },
	{ KEY("log_remote"), "some", "'some' is none of full, prefix, none" },
	{ KEY("when_full"), "Queue", "'Queue' is none of queue, refuse; did you mean 'queue'?" },
	{ KEY("log_sessions"), "failed", "'failed' is none of all, none" },
	{ SETTING("log_level"), "warn", "'warn' is none of error, warning, notice, info, debug" },
	{ SETTING("log_level"), "warnin",
	  "'warnin' is none of error, warning, notice, info, debug; did you mean 'warning'?" },
	{ KEY("chdir"), "srv", "'srv' is not an absolute path" },
	{ KEY("chdir"), "none", "'none' is not an absolute path" },
	{ KEY("chroot"), "./x", "'./x' is not an absolute path" },
	{ SETTING("pid_file"), "~/pid", "'~/pid' is not an absolute path" },
	{ KEY("limit_cpu"), "-1", "'-1'" NO_LIMIT }, { KEY("limit_cpu"), "1:", "'1:'" NO_LIMIT },
	{ KEY("limit_cpu"), ":1", "':1'" NO_LIMIT }, { KEY("limit_cpu"), "1:2:3", "'1:2:3'" NO_LIMIT },
	{ KEY("limit_cpu"), "5s", "'5s'" NO_LIMIT },
	{ KEY("limit_cpu"), "2:1", "2:1: the soft limit is above the hard one" },
	{ KEY("limit_cpu"), "unlimited:5", "unlimited:5: the soft limit is above the hard one" },
	{ KEY("exec"), "prog 'x", "a ' that is not closed" },
	{ KEY("exec"), "prog \"x", "a \" that is not closed" },
	{ KEY("exec"), "prog \\", "a \\ at the end quotes nothing" },
	{ KEY("env"), "A", "'A' is not NAME=value" },
	{ KEY("env"), "A=1 =2", "'=2' is not NAME=value" },
	{ KEY("env"), "1A=1", "'1A=1' is not NAME=value" },
	{ KEY("env"), "A-B=1", "'A-B=1' is not NAME=value" },
	{ KEY("env"), "A=x y", "'y' is not NAME=value" },
	{ KEY("env"), "A='1", "a ' that is not closed" },
	{ KEY("pass_env"), "A=1", "'A=1' is not the name of an environment variable" },
	{ KEY("pass_env"), "PATH,TZ", "'PATH,TZ' is not the name of an environment variable" },
	{ KEY("pass_env"), "''", "'' is not the name of an environment variable" },
	{ KEY("listen"), "80,x y", "'x' is not a port (0 to 65535, or a name in services(5))" },
};

START_TEST(a_wrong_value_is_told_what_would_be_right)
{
	struct arena arena = { .blocks = NULL };
	const struct conf_key *key = find(bad[_i].table, bad[_i].key);
	const char *wrong;

	wrong = conf_key_parse(key, &arena, bad[_i].text, &object);
	ck_assert_msg(wrong != NULL, "%s = %s is taken", key->name, bad[_i].text);
	if (key->kind == KEY_LISTEN && *bad[_i].text != '\0')	/* test_address.c has the whole text */
		ck_assert_msg(strstr(wrong, bad[_i].wrong) != NULL, "%s", wrong);
	else
		ck_assert_str_eq(wrong, bad[_i].wrong);
	arena_free(&arena);
}
END_TEST

/* The bounds of every number of the table, a step to each side of them. */
static void
check_bound(const struct conf_key *key, int64_t number, bool taken)
{
	struct arena arena = { .blocks = NULL };
	const char *unit = key->kind == KEY_DURATION ? "ms" : "";
	const char *text = arena_print(&arena, "%lld%s", (long long)number, unit);
	const char *wrong = conf_key_parse(key, &arena, text, &object);

	ck_assert_msg((wrong == NULL) == taken, "%s = %s: %s", key->name, text,
	    wrong != NULL ? wrong : "is taken");
	ck_assert_msg(taken || strstr(wrong, "out of range: ") != NULL, "%s = %s: %s", key->name, text,
	    wrong);
	arena_free(&arena);
}

START_TEST(numbers_end_at_their_bounds)
{
	const struct conf_key *key = _i == 0 ? settings_keys : service_keys;

	for (; key->name != NULL; key++) {
		if (key->kind != KEY_COUNT && key->kind != KEY_INTEGER && key->kind != KEY_SIZE &&
		    key->kind != KEY_DURATION)
			continue;
		check_bound(key, key->least, true);
		check_bound(key, key->most, true);
		check_bound(key, key->least - 1, false);
		check_bound(key, key->most + 1, false);
	}
}
END_TEST

/* More digits than any number has: too large, and not "no number". */
static const char *const overflows[] = { "9223372036854775808", "99999999999999999999999",
	"-99999999999999999999999" };

START_TEST(a_huge_number_is_out_of_range)
{
	struct arena arena = { .blocks = NULL };
	const char *wrong = conf_key_parse(find(KEY("nice")), &arena, overflows[_i], &object);

	ck_assert_str_eq(wrong, arena_print(&arena, "%s is out of range: -20 to 19", overflows[_i]));
	arena_free(&arena);
}
END_TEST

/* Two values for each kind that differ, valid for every key of the kind. */
static const struct {
	const char	*one, *two;
} samples[] = {
	[KEY_TEXT] = { "some", "thing" },
	[KEY_PATH] = { "/some/path", "/" },
	[KEY_WORDS] = { "prog 'a b' ' '';' x", "prog 'a b'" },
	[KEY_NAMES] = { "A B C", "A B" },
	[KEY_ASSIGNMENTS] = { "A='x '';' B=2", "B=2 A='x '';'" },
	[KEY_LISTEN] = { "localhost:80,unix:/x", "80" },
	[KEY_BOOL] = { "yes", "no" },
	[KEY_COUNT] = { "99", "98" },
	[KEY_INTEGER] = { "7", "8" },
	[KEY_SIZE] = { "96k", "97k" },
	[KEY_DURATION] = { "90s", "1m" },
	[KEY_MODE] = { "0640", "0600" },
	[KEY_LIMIT] = { "64k:unlimited", "64k" },
	[KEY_LIST] = { "10.0.0.0/8 @/some/file all", "10.0.0.0/8" },
	[KEY_HOURS] = { "Mon-Fri 08:00-18:00", "22:00-06:00" },
	[KEY_RATE] = { "50/s:100", "600/m" },
	[KEY_LOAD] = { "2.5", "unlimited" },
	[KEY_PREFIX] = { "24 48", "32 64" },
};

static void
check_round(const struct conf_key *key, const char *text, const char *different)
{
	struct arena arena = { .blocks = NULL };
	const char *wrong = conf_key_parse(key, &arena, text, &object), *back;

	ck_assert_msg(wrong == NULL, "%s = %s: %s", key->name, text, wrong);
	back = conf_key_text(key, &arena, &object);
	ck_assert_msg(back != NULL, "%s = %s has no text", key->name, text);
	memset(&other, 0xff, sizeof other);
	wrong = conf_key_parse(key, &arena, back, &other);
	ck_assert_msg(wrong == NULL, "%s = %s: %s", key->name, back, wrong);
	ck_assert_msg(conf_key_equal(key, &object, &other), "%s: %s became %s", key->name, text, back);
	ck_assert_str_eq(conf_key_text(key, &arena, &other), back);
	ck_assert_ptr_null(conf_key_parse(key, &arena, different, &other));
	ck_assert_msg(!conf_key_equal(key, &object, &other), "%s: %s equals %s", key->name, text, different);
	arena_free(&arena);
}

START_TEST(every_key_reads_back_what_it_writes)
{
	const struct conf_key *key = _i == 0 ? settings_keys : service_keys;

	for (; key->name != NULL; key++) {
		if (key->kind != KEY_CHOICE) {
			check_round(key, samples[key->kind].one, samples[key->kind].two);
			check_round(key, samples[key->kind].two, samples[key->kind].one);
			continue;
		}
		for (int i = 0; key->words[i] != NULL; i++)
			check_round(key, key->words[i], key->words[i == 0]);
	}
}
END_TEST

START_TEST(none_takes_back_what_defaults_say)
{
	const struct conf_key *key = _i == 0 ? settings_keys : service_keys;
	struct arena arena = { .blocks = NULL };

	for (; key->name != NULL; key++) {
		if (key->initial != NULL || (key->kind != KEY_TEXT && key->kind != KEY_PATH &&
		    key->kind != KEY_DURATION))
			continue;
		ck_assert_ptr_null(conf_key_parse(key, &arena, samples[key->kind].one, &object));
		ck_assert_ptr_null(conf_key_parse(key, &arena, "none", &object));
		if (strcmp(key->name, "idle_timeout") == 0)	/* UDP has one where nothing is said */
			ck_assert_str_eq(conf_key_text(key, &arena, &object), "none");
		else
			ck_assert_msg(conf_key_text(key, &arena, &object) == NULL, "%s", key->name);
	}
	arena_free(&arena);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("conf_values");
	TCase *tcase = unit_case(suite, "values");

	tcase_add_loop_test(tcase, a_value_is_understood, 0, ROWS(good));
	tcase_add_loop_test(tcase, a_wrong_value_is_told_what_would_be_right, 0, ROWS(bad));
	tcase_add_loop_test(tcase, numbers_end_at_their_bounds, 0, 2);
	tcase_add_loop_test(tcase, a_huge_number_is_out_of_range, 0, ROWS(overflows));
	tcase_add_loop_test(tcase, every_key_reads_back_what_it_writes, 0, 2);
	tcase_add_loop_test(tcase, none_takes_back_what_defaults_say, 0, 2);
	return unit_run(suite);
}
