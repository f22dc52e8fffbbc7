/*
 * The lists allow and deny as text: mistakes are told with their place, and a
 * list may stand in a file, which is read again on reload.
 */
#include "harness_admission.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- mistakes */

/* Checks the configuration, which must be refused; what superd says is returned. */
static const char *
refused(struct daemon *d, const char *lines)
{
	static char out[16384];
	const char *const args[] = { "-t", "-c", d->ini, "-s", services(), NULL };
	int status;

	daemon_write(d, "[services]\nx = 127.0.0.1:0 cat\n[x]\n%s", lines);
	if ((status = superd_output(out, sizeof out, args)) != 78)
		flunk("superd -t exits %d, wanted 78, for\n%s\n%s", status, lines, out);
	return out;
}

static void
must_say(const char *out, const char *text)
{
	if (strstr(out, text) == NULL)
		flunk("'%s' is not in\n%s", text, out);
}

START_TEST(wrong_items_are_refused_with_their_line)
{
	static const char *const items[] = { "127.0.0.0/33", "127.0.0.0/-1", "127.0.0.0/", "::/129",
		"::ffff:127.0.0.0/95", "127.0.0.1/8", "2001:db8::1/32", "127.0.0", "127.0.0.256",
		"0127.0.0.1", "1.2.3.4.5", "example.org", "10.0.0.1-10.0.0.9", "10.0.0.*", ":::", "fe80::1%lo",
		"ALL", "@list", "@", "/24", "127.0.0.0/8/8", "127.0.0.1,127.0.0.2", "0.0.0.0", "::", "!1.2.3.4",
		"127.0.0.0/255.0.0.0", "127.0.0.0/0x8" };
	static const char *const keys[] = { "allow", "deny" };
	struct daemon *d = daemon_new();
	char lines[256], place[256];

	for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
		snprintf(lines, sizeof lines, "nice = 1\n%s = 192.0.2.1 %s 192.0.2.2\n", keys[i % 2], items[i]);
		snprintf(place, sizeof place, "superd.ini:5: [x] %s: ", keys[i % 2]);
		must_say(refused(d, lines), place);
		must_say(refused(d, lines), items[i]);
	}
}
END_TEST

START_TEST(all_wrong_items_are_told_at_once)
{
	struct daemon *d = daemon_new();
	const char *out = refused(d, "allow = 127.0.0.0/33 127.0.0.1 nonsense\ndeny = ::/129 @list\n");

	must_say(out, "superd.ini:4: [x] allow: '127.0.0.0/33'");
	must_say(out, "superd.ini:4: [x] allow: 'nonsense'");
	must_say(out, "superd.ini:5: [x] deny: '::/129'");
	must_say(out, "superd.ini:5: [x] deny: '@list': an '@'");
}
END_TEST

START_TEST(wrong_item_of_defaults_is_told_where_it_stands)
{
	struct daemon *d = daemon_new();

	must_say(refused(d, "nice = 1\n[defaults]\nallow = 127.0.0.0/33\n"), "superd.ini:6: ");
	must_say(refused(d, "deny = + 127.0.0.1\n[defaults]\ndeny = + 127.0.0.2\n"),
	    "superd.ini:6: [defaults] deny: ");
}
END_TEST

START_TEST(plus_has_a_meaning_only_as_the_first_item)
{
	struct daemon *d = daemon_new();

	must_say(refused(d, "allow = 127.0.0.1 +\n"), "superd.ini:4: [x] allow: ");
	must_say(refused(d, "allow = + + 127.0.0.1\n"), "superd.ini:4: [x] allow: ");
	must_say(refused(d, "allow = +127.0.0.1\n"), "superd.ini:4: [x] allow: ");
}
END_TEST

START_TEST(lists_are_an_error_for_a_unix_socket)
{
	static const char *const lines[] = { "allow = 127.0.0.1", "deny = 127.0.0.1", "allow = all",
		"sensor = 1h" };
	struct daemon *d = daemon_new();
	char text[512], place[64];

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		snprintf(text, sizeof text, "[y]\nlisten = unix:%s/sock\nexec = cat\n%s\n", d->dir, lines[i]);
		snprintf(place, sizeof place, "superd.ini:7: [y] %.*s: ", (int)strcspn(lines[i], " "), lines[i]);
		must_say(refused(d, text), place);
	}
}
END_TEST

START_TEST(lists_of_defaults_do_not_concern_a_unix_socket)
{
	struct daemon *d = daemon_start("[services]\nu = unix:@superd-test-%ld hold\n"
	    "both = 127.0.0.1:0,unix:@superd-test-both-%ld hold\n[defaults]\ndeny = all\n",
	    (long)getpid(), (long)getpid());

	must(was_served(dial(d, "u")));
	must(was_served(dial_to(address_of(d, "both", 1))));
	must_refuse(d, "both", "127.0.0.7", "denied");
	daemon_stop(d);
}
END_TEST

/* --- a list in a file */

/* A service whose allow is an item of its own, and the file. */
static void
write_listed(struct daemon *d)
{
	daemon_write(d, "[services]\nhold = 127.0.0.1:0 hold\n[hold]\nnice = 1\n"
	    "allow = 127.0.0.7 @%s/list\n", d->dir);
}

static struct daemon *
start_listed(const char *list)
{
	struct daemon *d = daemon_new();

	put_file(d, "list", list);
	write_listed(d);
	daemon_run(d, NULL);
	daemon_ready(d);
	return d;
}

static void
reload(struct daemon *d)
{
	log_mark(d);
	kill(d->pid, SIGHUP);
	await_log(d, "reload", "kept=*");
}

START_TEST(file_holds_one_entry_a_line_with_comments)
{
	struct daemon *d = start_listed("# who may come in\n\n127.0.1.0/24\t# a network\r\n"
	    "  127.0.0.9  ; a host\n;127.0.0.10\n#127.0.0.11\n127.0.0.12");

	close(must_serve(d, "hold", "127.0.0.7"));
	close(must_serve(d, "hold", "127.0.1.77"));
	close(must_serve(d, "hold", "127.0.0.9"));
	must_refuse(d, "hold", "127.0.0.10", "denied");
	must_refuse(d, "hold", "127.0.0.11", "denied");
	close(must_serve(d, "hold", "127.0.0.12"));	/* the last line has no newline */
	daemon_stop(d);
}
END_TEST

START_TEST(empty_file_allows_nobody)
{
	struct daemon *d = daemon_new();

	put_file(d, "list", "# nobody yet\n");
	daemon_write(d, "[services]\nhold = 127.0.0.1:0 hold\n[hold]\nallow = @%s/list\n", d->dir);
	daemon_run(d, NULL);
	daemon_ready(d);
	must_refuse(d, "hold", "127.0.0.7", "denied");
	daemon_stop(d);
}
END_TEST

START_TEST(bad_line_is_told_with_its_own_number)
{
	struct daemon *d = daemon_new();
	char want[512], lines[256];
	const char *out, *path = put_file(d, "list", "# one\n127.0.0.1\n127.0.0.0/33\n\n"
	    "127.0.0.2 127.0.0.3\n127.0.0.4\nexample.org\n");

	snprintf(lines, sizeof lines, "nice = 1\ndeny = @%s\n", path);
	out = refused(d, lines);
	must_say(out, "superd.ini:5: [x] deny: ");
	snprintf(want, sizeof want, "%s:3: '127.0.0.0/33'", path);
	must_say(out, want);
	snprintf(want, sizeof want, "%s:5: '127.0.0.2'", path);
	must_say(out, want);
	snprintf(want, sizeof want, "%s:7: 'example.org'", path);
	must_say(out, want);
	snprintf(want, sizeof want, "%s:4:", path);
	must(strstr(out, want) == NULL);
	snprintf(want, sizeof want, "%s:6:", path);
	must(strstr(out, want) == NULL);
}
END_TEST

START_TEST(file_that_cannot_be_read_is_an_error_and_no_wait)
{
	struct daemon *d = daemon_new();
	char path[256], lines[512];

	snprintf(lines, sizeof lines, "allow = @%s/absent\n", d->dir);
	must_say(refused(d, lines), "No such file or directory");
	snprintf(path, sizeof path, "%s/fifo", d->dir);
	must(mkfifo(path, 0600) == 0);
	snprintf(lines, sizeof lines, "allow = @%s\n", path);
	must_say(refused(d, lines), "superd.ini:4: [x] allow: ");
	snprintf(lines, sizeof lines, "deny = @%s\n", d->dir);
	must_say(refused(d, lines), "superd.ini:4: [x] deny: ");
	must_say(refused(d, "deny = @/dev/zero\n"), "superd.ini:4: [x] deny: ");
}
END_TEST

START_TEST(network_without_prefix_in_a_file_is_warned_of_once)
{
	static char out[16384];
	struct daemon *d = daemon_new();
	const char *const args[] = { "-t", "-c", d->ini, "-s", services(), NULL };
	const char *path = put_file(d, "list", "192.0.2.7\n10.1.0.0\n10.2.0.0\n\n");
	char want[512];

	daemon_write(d, "[services]\nx = 127.0.0.1:0 cat\n[x]\nallow = @%s\n", path);
	must(superd_output(out, sizeof out, args) == 0);
	snprintf(want, sizeof want, "superd.ini:4: [x] allow: %s:2: '10.1.0.0' is that one address: "
	    "write 10.1.0.0/16 for the network, or 10.1.0.0/32 (warning)\n", path);
	must_say(out, want);
	must(strstr(out, "10.2.0.0") == NULL);
}
END_TEST

/* superd -t as a user who is not root; what it says is returned. */
static const char *
checked_by_a_user(struct daemon *d, int *status)
{
	const uid_t uid = geteuid() == 0 ? unused_uid() : geteuid();
	const char *superd = getenv("SUPERD");
	char out[256];
	pid_t pid;

	snprintf(out, sizeof out, "%s/out", d->dir);
	write_file(out, "");
	if ((pid = fork()) == 0) {
		int fd = open(out, O_WRONLY | O_TRUNC);

		if (fd == -1 || dup2(fd, 1) == -1 || dup2(fd, 2) == -1 || (geteuid() == 0 &&
		    (setgroups(0, NULL) == -1 || setgid(uid) == -1 || setuid(uid) == -1)))
			_exit(126);
		execl(superd, "superd", "-t", "-c", d->ini, "-s", services(), (char *)NULL);
		_exit(127);
	}
	await(waitpid(pid, status, WNOHANG) == pid);
	return read_file(out);
}

/* To check a configuration is no business of root's alone: what only root can read is not known. */
START_TEST(file_that_is_closed_to_who_asks_is_a_warning)
{
	struct daemon *d = daemon_new();
	const char *out;
	char want[512];
	int status;

	must(chmod(put_file(d, "list", "127.0.0.8\n"), 0) == 0);
	must(chmod(put_file(d, "hello", "hello\n"), 0) == 0);
	daemon_write(d, "[services]\nx = 127.0.0.1:0 cat\n[x]\nallow = @%s/list\n"
	    "banner = %s/hello\n", d->dir, d->dir);
	out = checked_by_a_user(d, &status);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		flunk("superd -t: status %#x\n%s", (unsigned)status, out);
	snprintf(want, sizeof want, "superd.ini:4: [x] allow: @%s/list: Permission denied (warning)\n", d->dir);
	must_say(out, want);
	snprintf(want, sizeof want, "superd.ini:5: [x] banner: %s/hello: Permission denied (warning)\n", d->dir);
	must_say(out, want);
	/* That a file is missing can be known by everybody. */
	daemon_write(d, "[services]\nx = 127.0.0.1:0 cat\n[x]\nbanner = %s/none\n", d->dir);
	out = checked_by_a_user(d, &status);
	must(WIFEXITED(status) && WEXITSTATUS(status) == 78);
	must_say(out, "superd.ini:4: [x] banner: ");
}
END_TEST

START_TEST(file_is_read_again_on_reload)
{
	struct daemon *d = start_listed("127.0.0.8\n");
	int held = must_serve(d, "hold", "127.0.0.8");

	must_refuse(d, "hold", "127.0.0.9", "denied");
	put_file(d, "list", "127.0.0.9\n");
	must_refuse(d, "hold", "127.0.0.9", "denied");	/* not before the reload */
	reload(d);
	close(must_serve(d, "hold", "127.0.0.9"));
	close(must_serve(d, "hold", "127.0.0.7"));
	must_refuse(d, "hold", "127.0.0.8", "denied");
	must(silent(held));			/* who is served already lives on */
	daemon_stop(d);
}
END_TEST

START_TEST(broken_file_at_reload_keeps_everything)
{
	struct daemon *d = start_listed("127.0.0.8\n");
	int held = must_serve(d, "hold", "127.0.0.8");
	char path[256];

	put_file(d, "list", "127.0.0.9\n127.0.0.10/99\n");
	kill(d->pid, SIGHUP);
	snprintf(path, sizeof path, "~%s/list:2: '127.0.0.10/99'", d->dir);
	await_log(d, "error", path);
	await_log(d, "error", "~the old one stays in force");
	must(log_find(d, "reload", "kept=*", NULL) == NULL);
	must_refuse(d, "hold", "127.0.0.9", "denied");
	close(must_serve(d, "hold", "127.0.0.8"));
	must(silent(held));
	put_file(d, "list", "127.0.0.9\n");
	reload(d);
	close(must_serve(d, "hold", "127.0.0.9"));
	daemon_stop(d);
}
END_TEST

START_TEST(vanished_file_at_reload_keeps_everything)
{
	struct daemon *d = start_listed("127.0.0.8\n");
	char path[256];

	snprintf(path, sizeof path, "%s/list", d->dir);
	must(unlink(path) == 0);
	kill(d->pid, SIGHUP);
	await_log(d, "error", "~No such file or directory");
	await_log(d, "error", "~the old one stays in force");
	close(must_serve(d, "hold", "127.0.0.8"));
	must_refuse(d, "hold", "127.0.0.9", "denied");
	daemon_stop(d);
}
END_TEST

START_TEST(services_share_a_file_and_differ_in_the_rest)
{
	struct daemon *d = daemon_new();

	put_file(d, "list", "127.0.0.8\n");
	daemon_write(d, "[services]\na = 127.0.0.1:0 hold\nb = 127.0.0.1:0 hold\n"
	    "c = 127.0.0.1:0 hold\n[defaults]\nallow = @%s/list\n[b]\nallow = + 127.0.0.9\n"
	    "[c]\ndeny = @%s/list\n", d->dir, d->dir);
	daemon_run(d, NULL);
	daemon_ready(d);
	close(must_serve(d, "a", "127.0.0.8"));
	must_refuse(d, "a", "127.0.0.9", "denied");
	close(must_serve(d, "b", "127.0.0.8"));
	close(must_serve(d, "b", "127.0.0.9"));
	must_refuse(d, "c", "127.0.0.8", "denied");
	daemon_stop(d);
}
END_TEST

/* --- a large file */

enum { ENTRIES = 100000 };

/* Every second address from 127.1.0.0 on, less 3 of each 1000, which no other entry covers. */
static bool
listed(unsigned n)
{
	return n % 1000 >= 3;
}

static void
put_large_file(struct daemon *d)
{
	char *text = malloc(ENTRIES * sizeof "127.255.255.255\n"), *at = text;

	must(text != NULL);
	for (unsigned n = 0; n < ENTRIES; n++)
		if (listed(n))
			at += sprintf(at, "127.%u.%u.%u\n", 1 + (n * 2 >> 16), n * 2 >> 8 & 255, n * 2 & 255);
		else
			at += sprintf(at, "# 127, number %u\n", n);
	put_file(d, "list", text);
	free(text);
}

START_TEST(hundred_thousand_entries_decide_right)
{
	static const unsigned numbers[] = { 0, 2, 3, 999, 1000, 1002, 1003, 50000, 50003, 99002, 99003,
		99999 };
	struct daemon *d = daemon_new();
	char source[32];

	put_large_file(d);
	write_listed(d);
	daemon_run(d, NULL);
	daemon_ready(d);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		for (unsigned odd = 0; odd < 2; odd++) {
			unsigned n = numbers[i] * 2 + odd;

			snprintf(source, sizeof source, "127.%u.%u.%u", 1 + (n >> 16), n >> 8 & 255, n & 255);
			if (listed(numbers[i]) && odd == 0)
				close(must_serve(d, "hold", source));
			else
				must_refuse(d, "hold", source, "denied");
		}
	put_file(d, "list", "127.0.0.9\n");
	reload(d);
	close(must_serve(d, "hold", "127.0.0.9"));
	must_refuse(d, "hold", "127.1.0.6", "denied");
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_admission_files");

	add_case(suite, "mistakes", NEEDS_NOTHING, TESTS(wrong_items_are_refused_with_their_line,
	    all_wrong_items_are_told_at_once, wrong_item_of_defaults_is_told_where_it_stands,
	    plus_has_a_meaning_only_as_the_first_item, lists_are_an_error_for_a_unix_socket,
	    lists_of_defaults_do_not_concern_a_unix_socket));
	add_case(suite, "files", NEEDS_NOTHING, TESTS(file_holds_one_entry_a_line_with_comments,
	    empty_file_allows_nobody, bad_line_is_told_with_its_own_number,
	    file_that_cannot_be_read_is_an_error_and_no_wait,
	    network_without_prefix_in_a_file_is_warned_of_once,
	    file_that_is_closed_to_who_asks_is_a_warning,
	    services_share_a_file_and_differ_in_the_rest));
	add_case(suite, "reload", NEEDS_NOTHING, TESTS(file_is_read_again_on_reload,
	    broken_file_at_reload_keeps_everything, vanished_file_at_reload_keeps_everything,
	    hundred_thousand_entries_decide_right));
	return run_suite(suite);
}
