/* The table of keys: complete, consistent, and a help for who mistypes one. */
#include <string.h>

#include "bounds.h"
#include "conf_keys.h"
#include "unit.h"

static const struct conf_key *const tables[] = { settings_keys, service_keys };

static union {
	struct settings	settings;
	struct service	service;
} object;

START_TEST(every_row_is_complete)
{
	const struct conf_key *table = tables[_i];
	size_t size = _i == 0 ? sizeof(struct settings) : sizeof(struct service);

	for (const struct conf_key *key = table; key->name != NULL; key++) {
		ck_assert_uint_gt(strlen(key->name), 0);
		ck_assert_uint_le(strlen(key->name), NAME_BYTES);	/* longer ones get no hint */
		ck_assert_uint_lt(key->at, size);
		ck_assert_msg((key->kind == KEY_CHOICE) == (key->words != NULL), "%s", key->name);
		ck_assert_msg(key->least <= key->most, "%s", key->name);
		ck_assert_ptr_eq(conf_key_find(table, key->name), key);
		for (const struct conf_key *other = table; other < key; other++) {
			ck_assert_str_ne(other->name, key->name);
			ck_assert_msg(other->at != key->at, "%s and %s share a field", other->name, key->name);
		}
	}
}
END_TEST

START_TEST(every_default_can_be_read)
{
	struct arena arena = { .blocks = NULL };

	for (const struct conf_key *key = tables[_i]; key->name != NULL; key++) {
		const char *wrong, *text;

		if (key->initial == NULL)
			continue;
		wrong = conf_key_parse(key, &arena, key->initial, &object);
		ck_assert_msg(wrong == NULL, "%s = %s: %s", key->name, key->initial, wrong);
		text = conf_key_text(key, &arena, &object);
		ck_assert_msg(text != NULL && *text != '\0', "%s has no text", key->name);
		if (key->kind != KEY_MODE)	/* 022 reads better than 0022 */
			ck_assert_str_eq(text, key->initial);
	}
	arena_free(&arena);
}
END_TEST

START_TEST(a_key_that_is_not_set_has_no_text)
{
	struct arena arena = { .blocks = NULL };

	memset(&object, 0, sizeof object);
	for (const struct conf_key *key = tables[_i]; key->name != NULL; key++)
		/* Of idle_timeout 0 is a value. */
		if (key->initial == NULL && strcmp(key->name, "idle_timeout") != 0 &&
		    (key->kind == KEY_TEXT || key->kind == KEY_PATH ||
		    key->kind == KEY_WORDS || key->kind == KEY_NAMES || key->kind == KEY_ASSIGNMENTS ||
		    key->kind == KEY_LISTEN || key->kind == KEY_DURATION || key->kind == KEY_LIMIT))
			ck_assert_msg(conf_key_text(key, &arena, &object) == NULL, "%s", key->name);
	arena_free(&arena);
}
END_TEST

START_TEST(every_service_key_has_a_bit_of_its_own)
{
	uint64_t all = 0;

	for (const struct conf_key *key = service_keys; key->name != NULL; key++) {
		uint64_t bit = conf_key_bit(key);

		ck_assert_uint_ne(bit, 0);
		ck_assert_uint_eq(bit & (bit - 1), 0);
		ck_assert_uint_eq(all & bit, 0);
		all |= bit;
	}
}
END_TEST

START_TEST(every_limit_is_one_of_its_own)
{
	for (int i = 0; i < LIMIT_COUNT; i++) {
		struct rlimit now;

		ck_assert_int_eq(getrlimit(limit_resources[i], &now), 0);
		for (int j = 0; j < i; j++)
			ck_assert_int_ne((int)limit_resources[i], (int)limit_resources[j]);
	}
}
END_TEST

static const struct {
	const char	*key;
	size_t		 at;
	int		 which;
} limits[] = {
	{ "limit_cpu", LIMIT_CPU, RLIMIT_CPU }, { "limit_as", LIMIT_AS, RLIMIT_AS },
	{ "limit_data", LIMIT_DATA, RLIMIT_DATA }, { "limit_stack", LIMIT_STACK, RLIMIT_STACK },
	{ "limit_nofile", LIMIT_NOFILE, RLIMIT_NOFILE }, { "limit_nproc", LIMIT_NPROC, RLIMIT_NPROC },
	{ "limit_fsize", LIMIT_FSIZE, RLIMIT_FSIZE }, { "limit_core", LIMIT_CORE, RLIMIT_CORE },
	{ "limit_memlock", LIMIT_MEMLOCK, RLIMIT_MEMLOCK },
};

START_TEST(a_limit_sets_its_resource)
{
	const struct conf_key *key = conf_key_find(service_keys, limits[_i].key);

	ck_assert_ptr_nonnull(key);
	ck_assert_uint_eq(key->at, offsetof(struct service, limit) +
	    limits[_i].at * sizeof(struct limit *));
	ck_assert_int_eq((int)limit_resources[limits[_i].at], limits[_i].which);
}
END_TEST

START_TEST(what_is_no_key_is_not_found)
{
	static const char *const names[] = { "", "Listen", "listen ", "max_session", "xyzzy" };

	for (int i = 0; i < ROWS(names); i++)
		ck_assert_ptr_null(conf_key_find(tables[_i], names[i]));
}
END_TEST

#define MEANT(key)	"; did you mean '" key "'?"

static const struct {
	const struct conf_key	*table;
	const char		*name, *hint;
} hints[] = {
	{ service_keys, "max_session", MEANT("max_sessions") },
	{ service_keys, "lisen", MEANT("listen") },
	{ service_keys, "exce", MEANT("exec") },
	{ service_keys, "when_ful", MEANT("when_full") },
	{ service_keys, "no_new_priv", MEANT("no_new_privs") },
	{ service_keys, "limit_cpus", MEANT("limit_cpu") },
	{ service_keys, "sockt_mod", MEANT("socket_mode") },
	{ service_keys, "port", MEANT("listen") },		/* names of xinetd's */
	{ service_keys, "bind", MEANT("listen") },
	{ service_keys, "server", MEANT("exec") },
	{ service_keys, "server_args", MEANT("exec") },
	{ service_keys, "instances", MEANT("max_sessions") },
	{ service_keys, "groups", MEANT("group") },
	{ service_keys, "passenv", MEANT("pass_env") },
	{ service_keys, "rlimit_files", MEANT("limit_nofile") },
	{ service_keys, "rlimit_as", MEANT("limit_as") },
	{ service_keys, "interface", MEANT("device") },
	{ service_keys, "log_on_success", MEANT("log_sessions") },
	{ service_keys, "nameinargs", MEANT("argv0") },
	{ service_keys, "grace", "; it belongs into [superd]" },
	{ service_keys, "log", "; it belongs into [superd]" },
	{ service_keys, "include", "; it belongs into [superd]" },
	{ service_keys, "pid_file", "; it belongs into [superd]" },
	{ service_keys, "xyzzy", "" },
	{ service_keys, "", "" },
	{ settings_keys, "includ", MEANT("include") },
	{ settings_keys, "includedir", MEANT("include") },
	{ settings_keys, "log_type", MEANT("log") },
	{ settings_keys, "pidfile", MEANT("pid_file") },
	{ settings_keys, "gracee", MEANT("grace") },
	{ settings_keys, "user", "; it belongs into a service's section or into [defaults]" },
	{ settings_keys, "backlog", "; it belongs into a service's section or into [defaults]" },
	{ settings_keys, "xyzzy", "" },
};

START_TEST(a_wrong_name_gets_a_hint)
{
	struct arena arena = { .blocks = NULL };

	ck_assert_str_eq(conf_key_hint(&arena, hints[_i].table, hints[_i].name), hints[_i].hint);
	arena_free(&arena);
}
END_TEST

/* But "disable": it means the opposite of "enabled", and a hint should say so. */
START_TEST(every_name_of_xinetd_leads_to_its_key)
{
	struct arena arena = { .blocks = NULL };

	for (const struct conf_key *key = tables[_i]; key->name != NULL; key++) {
		const char *at = key->xinetd != NULL ? key->xinetd : "";

		if (strcmp(key->name, "enabled") == 0)
			continue;
		for (; *at != '\0'; at += strspn(at, " ")) {
			size_t len = strcspn(at, " ");
			const char *name = arena_text_of(&arena, at, len);

			ck_assert_ptr_null(conf_key_find(tables[_i], name));
			ck_assert_str_eq(conf_key_hint(&arena, tables[_i], name),
			    arena_print(&arena, MEANT("%s"), key->name));
			at += len;
		}
	}
	arena_free(&arena);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("conf_keys");
	TCase *rows = unit_case(suite, "rows"), *help = unit_case(suite, "hints");

	tcase_add_loop_test(rows, every_row_is_complete, 0, ROWS(tables));
	tcase_add_loop_test(rows, every_default_can_be_read, 0, ROWS(tables));
	tcase_add_loop_test(rows, a_key_that_is_not_set_has_no_text, 0, ROWS(tables));
	tcase_add_test(rows, every_service_key_has_a_bit_of_its_own);
	tcase_add_test(rows, every_limit_is_one_of_its_own);
	tcase_add_loop_test(rows, a_limit_sets_its_resource, 0, ROWS(limits));
	tcase_add_loop_test(rows, what_is_no_key_is_not_found, 0, ROWS(tables));
	tcase_add_loop_test(help, a_wrong_name_gets_a_hint, 0, ROWS(hints));
	tcase_add_loop_test(help, every_name_of_xinetd_leads_to_its_key, 0, ROWS(tables));
	return unit_run(suite);
}
