/*
 * Which files an include brings: exactly those that its glob names, links
 * followed; and what cannot be read of them is a mistake and never left out.
 */
#include "harness.h"

#include <sys/stat.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

static const char *
in_folder(struct daemon *d, const char *name)
{
	static char paths[4][256];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof paths[0], "%s/superd.d/%s", d->dir, name);
	return path;
}

/* A service of the name `service`, which says it. */
static void
write_service(struct daemon *d, const char *file, const char *service)
{
	char text[128];

	snprintf(text, sizeof text, "[%s]\nlisten = 127.0.0.1:0\nexec = hold %s\n", service, service);
	write_file(in_folder(d, file), text);
}

static struct daemon *
new_folder(const char *pattern)
{
	struct daemon *d = daemon_new();

	must(mkdir(in_folder(d, ""), 0755) == 0);
	daemon_write(d, "[superd]\ninclude = superd.d/%s\n", pattern);
	return d;
}

static const struct { const char *file, *service; bool all, ini; } names[] = {
	{ "plain.ini", "plain", true, true }, { "two.dots.ini", "two-dots", true, true },
	{ "UPPER.ini", "upper", true, true }, { "10 blank.ini", "blank", true, true },
	{ "saved.ini~", "saved", true, false }, { "package.ini.dpkg-new", "package", true, false },
	{ "no-suffix", "no-suffix", true, false }, { ".hidden.ini", "hidden", false, false },
};

static void
must_serve_those(const char *pattern, bool all)
{
	struct daemon *d = new_folder(pattern);
	unsigned wanted = 0;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		write_service(d, names[i].file, names[i].service);
		wanted += all ? names[i].all : names[i].ini;
	}
	daemon_run(d, NULL);
	daemon_ready(d);
	await_count(d, wanted, "listen");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (all ? names[i].all : names[i].ini)
			(void)address_of(d, names[i].service, 0);
	daemon_stop(d);
}

START_TEST(names_are_those_of_the_glob)
{
	must_serve_those("*.ini", false);
	must_serve_those("*", true);
}
END_TEST

START_TEST(link_is_followed)
{
	struct daemon *d = new_folder("*.ini");
	char target[256];

	snprintf(target, sizeof target, "%s/elsewhere", d->dir);
	write_service(d, "file", "linked");
	must(rename(in_folder(d, "file"), target) == 0);
	must(symlink(target, in_folder(d, "link.ini")) == 0);
	daemon_run(d, NULL);
	daemon_ready(d);
	expect(dial(d, "linked"), "linked\n");
	daemon_stop(d);
}
END_TEST

static void
make_folder(const char *path)
{
	must(mkdir(path, 0755) == 0);
}

static void
make_dangling(const char *path)
{
	must(symlink("/no/such/file", path) == 0);
}

static void
make_closed(const char *path)
{
	write_file(path, "[closed]\nlisten = 127.0.0.1:0\nexec = hold\n");
	must(chmod(path, 0) == 0);
}

static void
make_fifo(const char *path)
{
	must(mkfifo(path, 0644) == 0);
}

static const struct { void (*make)(const char *path); const char *told; } obstacles[] = {
	{ make_folder, "~is a folder" }, { make_dangling, "~No such file" },
	{ make_closed, "~Permission denied" }, { make_fifo, "~file" },
};

/* Root may read anything, so this superd is not root. */
START_TEST(what_cannot_be_read_is_a_mistake)
{
	const struct start how = { .uid = geteuid() == 0 ? unused_uid() : 0 };
	struct daemon *d = new_folder("*.ini");

	write_service(d, "good.ini", "good");
	daemon_run(d, &how);
	daemon_ready(d);
	obstacles[_i].make(in_folder(d, "obstacle.ini"));
	must(kill(d->pid, SIGHUP) == 0);
	await_log(d, "error", "~obstacle.ini", obstacles[_i].told);
	must(log_find(d, "reload", "kept=*", NULL) == NULL);
	expect(dial(d, "good"), "good\n");
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_include");

	add_case(suite, "names", NEEDS_NOTHING, TESTS(names_are_those_of_the_glob, link_is_followed));
	add_loop(suite, "obstacles", NEEDS_NOTHING, what_cannot_be_read_is_a_mistake,
	    (int)(sizeof obstacles / sizeof *obstacles));
	return run_suite(suite);
}
