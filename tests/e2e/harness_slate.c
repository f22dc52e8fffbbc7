/*
 * Comparing what the bundled service `inspect` tells of the process that it is:
 * the lines of its environment first, then "environment=COUNT" and the facts.
 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

static const char *
find_fact(const char *slate, const char *name)
{
	char want[64];
	const char *at = strstr(slate, "\nenvironment=");

	if (at == NULL)
		flunk("this is no output of inspect: '%s'", slate);
	snprintf(want, sizeof want, "\n%s=", name);
	at = strstr(at, want);
	return at == NULL ? NULL : at + strlen(want);
}

const char *
fact(const char *slate, const char *name)
{
	static char values[8][512];
	static unsigned turn;
	char *value = values[turn++ % 8];
	const char *at = find_fact(slate, name);

	if (at == NULL)
		flunk("inspect tells no %s:\n%s", name, slate);
	snprintf(value, sizeof values[0], "%.*s", (int)strcspn(at, "\n"), at);
	return value;
}

void
must_be(const char *slate, const char *name, const char *value)
{
	const char *is = fact(slate, name);

	if (strcmp(is, value) != 0)
		flunk("%s is '%s', wanted '%s'", name, is, value);
}

static bool
listed(const char *line, size_t len, const char *const *variables)
{
	for (; *variables != NULL; variables++)
		if (strlen(*variables) == len && strncmp(*variables, line, len) == 0)
			return true;
	return false;
}

void
must_have_environment(const char *slate, const char *const *variables)
{
	const char *end = strstr(slate, "\nenvironment=");
	unsigned wanted = 0;
	char count[16];

	if (end == NULL)
		flunk("this is no output of inspect: '%s'", slate);
	while (variables[wanted] != NULL)
		wanted++;
	for (const char *line = slate; line < end; line = strchr(line, '\n') + 1) {
		size_t len = strcspn(line, "\n");

		if (!listed(line, len, variables))
			flunk("not wanted in the environment: %.*s", (int)len, line);
	}
	snprintf(count, sizeof count, "%u", wanted);
	if (strcmp(fact(slate, "environment"), count) == 0)
		return;
	for (; *variables != NULL; variables++) {
		char line[512];

		snprintf(line, sizeof line, "%s\n", *variables);
		if (strstr(slate, line) == NULL)
			flunk("missing in the environment: %s", *variables);
	}
	flunk("the environment has variables twice:\n%s", slate);
}

void
must_have_descriptors(const char *slate, const char *connection, const char *error)
{
	unsigned count = 0;

	must_be(slate, "fd.0", connection);
	must_be(slate, "fd.1", connection);
	must_be(slate, "fd.2", error);
	for (const char *at = slate; (at = strstr(at, "\nfd.")) != NULL; at++)
		count++;
	if (count != 3)
		flunk("%u descriptors are open:\n%s", count, slate);
}

void
must_be_clean(const char *slate, struct daemon *d)
{
	const char *pid = fact(slate, "pid");

	must_be(slate, "signals_ignored", "");
	must_be(slate, "signals_blocked", "");
	must_be(slate, "sid", pid);
	must_be(slate, "pgid", pid);
	must(strtol(fact(slate, "ppid"), NULL, 10) == d->pid);
	must_be(slate, "umask", "022");
	must_be(slate, "cwd", "/");
	must_be(slate, "nice", "0");
	must_be(slate, "no_new_privs", "1");
}
