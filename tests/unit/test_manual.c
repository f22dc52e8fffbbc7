/* The manual names what there is: keys, options, events, words of the log, services, exit statuses. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admission.h"
#include "conf_keys.h"
#include "launch.h"
#include "session.h"
#include "unit.h"

static char *
source_file(const char *name)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", unit_env("SRCDIR"), name);
	return unit_read(path);
}

static bool
is_word_byte(char byte)
{
	return byte != '\0' && strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_",
	    byte) != NULL;
}

/* As a word of its own: "log" is not named by "log_level". */
static bool
names(const char *page, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = page; (at = strstr(at, word)) != NULL; at++)
		if ((at == page || !is_word_byte(at[-1])) && !is_word_byte(at[len]))
			return true;
	return false;
}

static void
must_name(const char *file, const char *word)
{
	char *page = source_file(file);

	ck_assert_msg(names(page, word), "%s does not name '%s'", file, word);
	free(page);
}

START_TEST(every_key_has_its_place)
{
	for (const struct conf_key *key = settings_keys; key->name != NULL; key++)
		must_name("superd/superd.ini.5", key->name);
	for (const struct conf_key *key = service_keys; key->name != NULL; key++)
		must_name("superd/superd.ini.5", key->name);
}
END_TEST

/* In mdoc an option is ".Fl c"; the letters are those that main.c gives to getopt(3). */
START_TEST(every_option_has_its_place)
{
	char *main_file = source_file("superd/main.c"), *page = source_file("superd/superd.8");
	char *letters = strstr(main_file, "getopt(argc, argv, \""), *end, option[8];

	ck_assert_ptr_nonnull(letters);
	letters += strlen("getopt(argc, argv, \"");
	end = strchr(letters, '"');
	ck_assert_ptr_nonnull(end);
	ck_assert_int_gt(end - letters, 5);
	for (; letters < end; letters++) {
		if (*letters == ':')
			continue;
		snprintf(option, sizeof option, "Fl %c", *letters);
		ck_assert_msg(names(page, option), "superd.8 does not name -%c", *letters);
	}
	free(main_file);
	free(page);
}
END_TEST

/* Names of events stand in events.c, as the text behind a level. */
START_TEST(every_event_has_its_place)
{
	char *events = source_file("superd/events.c"), *at = events, name[64];
	int found = 0;

	while ((at = strstr(at, "LOG_LEVEL_")) != NULL) {
		at += strcspn(at, ",)");
		if (sscanf(at, ", \"%63[a-z]\"", name) != 1)
			continue;
		found++;
		must_name("superd/superd.8", name);
	}
	ck_assert_int_gt(found, 12);
	must_name("superd/superd.8", "start");
	must_name("superd/superd.8", "exit");
	free(events);
}
END_TEST

START_TEST(every_word_of_the_log_has_its_place)
{
	for (int verdict = ADMIT + 1; verdict < VERDICT_COUNT; verdict++)
		must_name("superd/superd.8", verdict_word[verdict]);
	for (int stage = STAGE_NONE + 1; stage < STAGE_COUNT; stage++)
		must_name("superd/superd.8", stage_word[stage]);
	for (int cause = CAUSE_NONE + 1; cause < CAUSE_COUNT; cause++)
		must_name("superd/superd.8", cause_word[cause]);
}
END_TEST

START_TEST(signals_and_exit_statuses_have_their_place)
{
	static const char *const words[] = { "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGTERM", "SIGINT", "SIGQUIT",
		"64", "71", "78" };

	for (int i = 0; i < ROWS(words); i++)
		must_name("superd/superd.8", words[i]);
}
END_TEST

START_TEST(every_bundled_program_has_its_place)
{
	char path[4096];
	struct dirent *entry;
	DIR *folder;
	int found = 0;

	snprintf(path, sizeof path, "%s/services", unit_env("SRCDIR"));
	ck_assert_ptr_nonnull(folder = opendir(path));
	while ((entry = readdir(folder)) != NULL) {
		size_t len = strlen(entry->d_name);

		if (len < 3 || strcmp(entry->d_name + len - 2, ".c") != 0 ||
		    strcmp(entry->d_name, "io.c") == 0 || strchr(entry->d_name, '_') != NULL)
			continue;		/* what all share, or a part of a program */
		entry->d_name[len - 2] = '\0';
		must_name("services/superd-services.8", entry->d_name);
		found++;
	}
	closedir(folder);
	ck_assert_int_ge(found, 5);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("manual");
	TCase *tcase = unit_case(suite, "manual");

	tcase_add_test(tcase, every_key_has_its_place);
	tcase_add_test(tcase, every_option_has_its_place);
	tcase_add_test(tcase, every_event_has_its_place);
	tcase_add_test(tcase, every_word_of_the_log_has_its_place);
	tcase_add_test(tcase, signals_and_exit_statuses_have_their_place);
	tcase_add_test(tcase, every_bundled_program_has_its_place);
	return unit_run(suite);
}
