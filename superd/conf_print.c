/*
 * conf_print.c - the effective configuration (-T), as an INI file that reads
 * back to the same thing.  It walks the table of keys.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bounds.h"
#include "conf_keys.h"

#define INDENT	"\t"

/* Whether an indented line may begin with this: no heading, no comment, no "key =". */
static bool
may_begin(const char *text)
{
	char name[NAME_BYTES + 1];
	size_t len = strcspn(text, "= \t");

	if (strchr("[;#", *text) != NULL || isspace((unsigned char)*text))
		return false;
	if (len > NAME_BYTES || text[len + strspn(text + len, " \t")] != '=')
		return true;
	memcpy(name, text, len);
	name[len] = '\0';
	return conf_key_find(service_keys, name) == NULL && conf_key_find(settings_keys, name) == NULL;
}

/*
 * "key = value", continued on indented lines where it is too long for one:
 * a line break reads as a blank, so it can only stand in place of a single
 * one.
 */
static int
print_value(const char *key, const char *value)
{
	size_t room = LINE_BYTES - 1, used = strlen(key) + 3;

	printf("%s =%s", key, *value != '\0' ? " " : "");
	if (used + strlen(value) > room && strcspn(value, " ") > room - used && may_begin(value)) {
		fputs("\n" INDENT, stdout);
		used = strlen(INDENT);
	}
	while (used + strlen(value) > room) {
		size_t cut = room - used;

		while (cut > 0 && (value[cut] != ' ' || isspace((unsigned char)value[cut - 1]) ||
		    !may_begin(value + cut + 1)))
			cut--;
		if (cut == 0)
			return -1;
		printf("%.*s\n" INDENT, (int)cut, value);
		value += cut + 1;
		used = strlen(INDENT);
	}
	puts(value);
	return 0;
}

/* What nobody has given and has no default, or a default that conf_check works out when it reads this back. */
static bool
is_left_out(const struct conf_key *key, const struct service *service)
{
	if (strcmp(key->name, "argv0") == 0)
		return true;
	if (key->kind == KEY_BOOL)
		return key->initial == NULL && !service->enabled;
	return key->initial == NULL && (key->kind == KEY_INTEGER || key->kind == KEY_SIZE ||
	    key->kind == KEY_DURATION);
}

static int
print_keys(const struct conf_key *table, struct arena *arena, const void *object,
    const struct service *service)
{
	const char *text;

	for (const struct conf_key *key = table; key->name != NULL; key++) {
		if (strcmp(key->name, "include") == 0 || strcmp(key->name, "inetd_conf") == 0)
			continue;	/* what they brought stands here itself */
		if (service != NULL && (!conf_key_applies(key, service) ||
		    ((service->given & conf_key_bit(key)) == 0 && is_left_out(key, service))))
			continue;
		text = conf_key_text(key, arena, object);
		if (text != NULL && print_value(key->name, text) == -1)
			return -1;
	}
	return 0;
}

static int
print_service(const struct service *service, struct arena *arena)
{
	printf("\n[%s]\n", service->name);
	return print_keys(service_keys, arena, service, service);
}

int
conf_print(const struct conf *conf, const char **wrong)
{
	struct arena scratch = { .blocks = NULL };
	int result;

	printf("[superd]\n");
	result = print_keys(settings_keys, &scratch, &conf->settings, NULL);
	for (unsigned i = 0; result == 0 && i < conf->count; i++)
		result = print_service(conf->services[i], &scratch);
	for (unsigned i = 0; result == 0 && i < conf->disabled_count; i++)
		result = print_service(conf->disabled[i], &scratch);
	*wrong = scratch.failed ? "out of memory" :
	    "a word too long for a line, in which no blank would do for a line break";
	if (scratch.failed)
		result = -1;
	arena_free(&scratch);
	if (fflush(stdout) == EOF || ferror(stdout)) {
		*wrong = "standard output cannot be written";
		result = -1;
	}
	return result;
}
