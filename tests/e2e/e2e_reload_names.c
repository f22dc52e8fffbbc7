/*
 * A reload asks who its users are, and nobody waits for the answer.  In a mount
 * namespace of the test's own /etc/passwd is what the test says: other users,
 * or a FIFO, on which every look-up hangs.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char one_hold[] = "[services]\nhold = 127.0.0.1:0 hold\n";
static const char inspected[] = "[services]\ninspect = 127.0.0.1:0 inspect\n[inspect]\nuser = %s\n";

/* /etc/passwd is this file from now on. */
static void
cover(const char *path)
{
	must(mount(path, "/etc/passwd", NULL, MS_BIND, NULL) == 0);
}

/* The users of this machine and one more.  A file that is mounted cannot be replaced: each is a new one. */
static void
know(struct daemon *d, const char *line)
{
	static char usual[1 << 15];
	static unsigned count;
	char path[256], text[1 << 16];

	if (*usual == '\0')
		snprintf(usual, sizeof usual, "%s", read_file("/etc/passwd"));
	snprintf(path, sizeof path, "%s/passwd%u", d->dir, count++);
	snprintf(text, sizeof text, "%s%s", usual, line);
	write_file(path, text);
	cover(path);
}

static struct daemon *
start_among(const char *users, const char *text)
{
	struct daemon *d = daemon_new();
	char path[256];

	must(unshare(CLONE_NEWNS) == 0 && mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	snprintf(path, sizeof path, "%s/nsswitch.conf", d->dir);
	write_file(path, "passwd: files\ngroup: files\nservices: files\n");
	must(mount(path, "/etc/nsswitch.conf", NULL, MS_BIND, NULL) == 0 || errno == ENOENT);
	know(d, users);
	daemon_write(d, "%s", text);
	daemon_run(d, NULL);
	daemon_ready(d);
	return d;
}

/* SIGHUP; what superd has besides its sessions then is a child that waits in open(2). */
static void
reload_that_hangs(struct daemon *d)
{
	unsigned sessions = children_of(d->pid, 0);
	char path[256];

	snprintf(path, sizeof path, "%s/fifo", d->dir);
	must(mkfifo(path, 0644) == 0);
	cover(path);
	log_mark(d);
	must(kill(d->pid, SIGHUP) == 0);
	await(children_of(d->pid, 'S') == sessions + 1);
}

/* There are users again; who waits finds none in the FIFO, and goes on. */
static void
unhang(struct daemon *d)
{
	char path[256];
	int fifo = -1;

	snprintf(path, sizeof path, "%s/fifo", d->dir);
	know(d, "superd-a:x:31301:31302::/:/bin/sh\n");
	await((fifo = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)) != -1);
	close(fifo);
}

START_TEST(clients_are_served_while_a_look_up_hangs)
{
	struct daemon *d = start_among("", one_hold);

	daemon_write(d, "%s[defaults]\nuser = superd-a\ngroup = nogroup\n", one_hold);
	reload_that_hangs(d);
	for (int i = 0; i < 3; i++)
		expect(dial(d, "hold"), "held\n");
	must(kill(d->pid, SIGUSR1) == 0);
	await_log(d, NULL, "~service=hold", "~live=");
	must(log_find(d, "reload", "kept=*", NULL) == NULL && log_find(d, "error", NULL) == NULL);
	must(notified(d, "RELOADING=1"));
	daemon_stop(d);
}
END_TEST

/* Who has read the file hangs with it; superd goes by that which is there when it reads. */
START_TEST(file_that_changes_meanwhile_is_taken_as_it_is_then)
{
	struct daemon *d = start_among("", one_hold);

	daemon_write(d, "[services]\nother = 127.0.0.1:0 hold\n");
	reload_that_hangs(d);
	daemon_write(d, inspected, "superd-a");
	unhang(d);
	await_log(d, "reload", "added=1", "removed=1");
	must(log_find(d, "error", NULL) == NULL);
	must_be(drain(dial(d, "inspect")), "uid", "31301");
	daemon_stop(d);
}
END_TEST

START_TEST(hangup_in_the_middle_is_a_reload_of_its_own)
{
	struct daemon *d = start_among("", one_hold);

	reload_that_hangs(d);
	d->notified[0] = '\0';
	daemon_write(d, inspected, "superd-a");
	for (int i = 0; i < 3; i++)
		must(kill(d->pid, SIGHUP) == 0);
	expect(dial(d, "hold"), "held\n");
	unhang(d);
	await_count(d, 2, "reload", "kept=*");
	await(notified(d, "RELOADING=1") && notified(d, "READY=1"));
	must_be(drain(dial(d, "inspect")), "uid", "31301");
	daemon_stop(d);
}
END_TEST

START_TEST(stop_in_the_middle_does_not_wait_for_look_ups)
{
	struct daemon *d = start_among("", one_hold);
	pid_t child;

	reload_that_hangs(d);
	child = child_of(d->pid);
	must(child != 0 && kill(d->pid, SIGTERM) == 0);
	must(daemon_exit_status(d) == 0);
	await_log(d, "stop", "text=*");
	must(log_find(d, "error", NULL) == NULL && log_find(d, "reload", NULL) == NULL);
	await(state_of(child) == 0 || state_of(child) == 'Z');
}
END_TEST

START_TEST(reload_ends_where_stopping_begins)
{
	struct daemon *d = start_among("", one_hold);
	int fd = dial(d, "hold");

	expect(fd, "held\n");
	daemon_write(d, inspected, "nobody");
	reload_that_hangs(d);
	must(kill(d->pid, SIGTERM) == 0);
	await_log(d, "stop", "text=*");
	await(children_of(d->pid, 0) == 1);
	must(silent(fd));
	close(fd);
	must(daemon_exit_status(d) == 0);
	await_log(d, "exit", "service=hold", "status=0");
	must(log_find(d, "error", NULL) == NULL && log_find(d, "reload", NULL) == NULL);
}
END_TEST

START_TEST(quit_in_the_middle_does_not_wait_for_look_ups)
{
	struct daemon *d = start_among("", one_hold);
	pid_t child;

	reload_that_hangs(d);
	child = child_of(d->pid);
	must(child != 0 && kill(d->pid, SIGQUIT) == 0);
	must(daemon_exit_status(d) == 0);
	await(state_of(child) == 0 || state_of(child) == 'Z');
}
END_TEST

/* logrotate may compress the old file at once. */
START_TEST(renamed_log_file_is_left_before_look_ups_are_done)
{
	struct daemon *d = daemon_new();
	char log[sizeof d->log_path] = "", old[208], text[512];
	const char *address;

	snprintf(log, sizeof log, "%s/log", d->dir);
	snprintf(old, sizeof old, "%s.1", log);
	snprintf(text, sizeof text, "%s[superd]\nlog = %s\n", one_hold, log);
	d = start_among("", text);
	memcpy(d->log_path, log, sizeof log);
	address = address_of(d, "hold", 0);
	must(rename(log, old) == 0);
	reload_that_hangs(d);
	expect(dial_to(address), "held\n");
	await(strstr(read_file(log), " start ") != NULL);
	must(strstr(read_file(old), " start ") == NULL);
	must(kill(d->pid, SIGTERM) == 0);
	must(daemon_exit_status(d) == 0);
	must(strstr(read_file(log), " stop ") != NULL);
}
END_TEST

START_TEST(reload_is_refused_when_who_looks_up_names_is_killed)
{
	struct daemon *d = start_among("", one_hold);

	reload_that_hangs(d);
	d->notified[0] = '\0';
	must(kill(child_of(d->pid), SIGKILL) == 0);
	await_log(d, "error", "~a child could not read and check it: that child has died");
	await_log(d, "error", "~the old one stays in force");
	await(notified(d, "READY=1"));
	await(children_of(d->pid, 0) == 0);
	expect(dial(d, "hold"), "held\n");
	know(d, "superd-a:x:31301:31302::/:/bin/sh\n");
	daemon_reload(d, inspected, "superd-a");
	must_be(drain(dial(d, "inspect")), "uid", "31301");
	daemon_stop(d);
}
END_TEST

START_TEST(user_that_is_new_is_found_and_one_that_is_gone_is_missed)
{
	struct daemon *d = start_among("", one_hold);

	know(d, "superd-a:x:31301:31302::/:/bin/sh\n");
	daemon_reload(d, inspected, "superd-a");
	must_be(drain(dial(d, "inspect")), "uid", "31301");
	know(d, "superd-a:x:31303:31302::/:/bin/sh\n");
	daemon_reload(d, inspected, "superd-a");
	must_be(drain(dial(d, "inspect")), "uid", "31303");
	know(d, "");
	log_mark(d);
	must(kill(d->pid, SIGHUP) == 0);
	await_log(d, "error", "~there is no user 'superd-a'");
	await_log(d, "error", "~the old one stays in force");
	must_be(drain(dial(d, "inspect")), "uid", "31303");
	daemon_stop(d);
}
END_TEST

START_TEST(nothing_is_left_of_a_reload)
{
	struct daemon *d = start_among("", one_hold);
	unsigned before;

	daemon_reload(d, "%s", one_hold);
	await(children_of(d->pid, 0) == 0);
	before = open_descriptors(d->pid);
	for (int i = 0; i < 10; i++)
		daemon_reload(d, "%s", one_hold);
	await(children_of(d->pid, 0) == 0);
	must(open_descriptors(d->pid) == before);
	daemon_stop(d);
}
END_TEST

static bool
can_mount(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(CLONE_NEWNS) == -1 ||
		    mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1);
	return pid != -1 && waitpid(pid, &status, 0) == pid && status == 0;
}

int
main(void)
{
	Suite *suite = suite_create("e2e_reload_names");

	if (can_mount())
		add_case(suite, "names", NEEDS_ROOT | NEEDS_PROC,
		    TESTS(clients_are_served_while_a_look_up_hangs,
		    file_that_changes_meanwhile_is_taken_as_it_is_then,
		    hangup_in_the_middle_is_a_reload_of_its_own,
		    stop_in_the_middle_does_not_wait_for_look_ups,
		    reload_ends_where_stopping_begins,
		    quit_in_the_middle_does_not_wait_for_look_ups,
		    renamed_log_file_is_left_before_look_ups_are_done,
		    reload_is_refused_when_who_looks_up_names_is_killed,
		    user_that_is_new_is_found_and_one_that_is_gone_is_missed,
		    nothing_is_left_of_a_reload));
	else
		printf("SKIPPED: e2e_reload_names: no mount namespace\n");
	return run_suite(suite);
}
