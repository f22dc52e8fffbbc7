/*
 * Reload: what stays loses nothing, what is new listens, what is gone ends
 * gently, and a file with a mistake changes nothing at all.
 */
#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char one_hold[] = "[services]\nhold = 127.0.0.1:0 hold\n[hold]\nmax_sessions = 1\n";

static bool
refused_now(const char *address)
{
	int fd = try_dial(address);

	if (fd == -1)
		return errno == ECONNREFUSED;
	reset(fd);
	return false;
}

START_TEST(queued_client_survives_a_reload)
{
	struct daemon *d = daemon_start("%s", one_hold);
	int a = dial(d, "hold"), b;

	expect(a, "held\n");
	b = dial(d, "hold");
	await_log(d, "full", "service=hold");
	daemon_reload(d, "%s", one_hold);
	await_log(d, "reload", "kept=1", "changed=0", "added=0", "removed=0");
	must(silent(a) && silent(b));
	close(a);
	expect(b, "held\n");
	daemon_stop(d);
}
END_TEST

START_TEST(unchanged_listener_keeps_its_chosen_port)
{
	struct daemon *d = daemon_start("%s", one_hold);

	address_of(d, "hold", 0);	/* the line of the start is written: it does not count */
	daemon_reload(d, "%s", one_hold);
	must(log_find(d, "listen", NULL) == NULL && log_find(d, "unlisten", NULL) == NULL);
	expect(dial(d, "hold"), "held\n");
	daemon_stop(d);
}
END_TEST

START_TEST(sigusr2_reloads_too)
{
	struct daemon *d = daemon_start("%s", one_hold);

	kill(d->pid, SIGUSR2);
	await_log(d, "reload", "kept=1");
	daemon_stop(d);
}
END_TEST

/* Connects without pause until told to stop; its exit status says whether it was ever refused. */
static pid_t
start_probing(const char *address, int stop)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	do {
		int fd = try_dial(address);

		if (fd == -1)
			_exit(2);
		expect(fd, "probed\n");
		expect_end(fd);
	} while (silent(stop));
	_exit(0);
}

START_TEST(constant_probing_is_never_refused)
{
	struct daemon *d;
	int stop[2], status;
	pid_t prober;

	d = daemon_start("[probe]\nlisten = 127.0.0.1:0\nexec = sh -c 'echo probed'\n");
	must(pipe(stop) == 0);
	prober = start_probing(address_of(d, "probe", 0), stop[0]);
	for (int i = 0; i < 30; i++)
		daemon_reload(d, "[services]\nother%d = 127.0.0.1:0 hold\n"
		    "[probe]\nlisten = 127.0.0.1:0\nexec = sh -c 'echo probed'\nenv = ROUND=%d\n",
		    i, i);
	must(write(stop[1], "x", 1) == 1);
	await(waitpid(prober, &status, WNOHANG) == prober);
	must(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	daemon_stop(d);
}
END_TEST

/* Three live sessions: of a service that stays, one that gets another address, one that goes. */
START_TEST(sessions_live_on_while_addresses_change_and_go)
{
	static const char text[] = "[probe]\nlisten = 127.0.0.1:0\nexec = sh -c 'echo probed'\n"
	    "[services]\nstays = 127.0.0.1:0 hold\nmoves = %s:0 hold\n%s";
	static const char *const names[] = { "stays", "moves", "goes" };
	struct daemon *d = daemon_start(text, "127.0.0.1", "goes = 127.0.0.1:0 hold\n");
	const char *olds[3];
	int stop[2], fds[3], status;
	pid_t prober;

	for (int i = 0; i < 3; i++) {
		olds[i] = address_of(d, names[i], 0);
		expect(fds[i] = dial_to(olds[i]), "held\n");
	}
	must(pipe(stop) == 0);
	prober = start_probing(address_of(d, "probe", 0), stop[0]);
	daemon_reload(d, text, "127.0.0.2", "");
	await(refused_now(olds[1]) && refused_now(olds[2]));
	expect(dial_to(olds[0]), "held\n");
	expect(dial_to(address_of(d, "moves", 1)), "held\n");
	must(write(stop[1], "x", 1) == 1);
	await(waitpid(prober, &status, WNOHANG) == prober);
	must(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	must(log_find(d, "exit", "service=stays", NULL) == NULL &&
	    log_find(d, "exit", "service=moves", NULL) == NULL &&
	    log_find(d, "exit", "service=goes", NULL) == NULL);
	for (int i = 0; i < 3; i++) {
		must(silent(fds[i]));
		close(fds[i]);
	}
	await_log(d, "exit", "service=goes", "status=0");
	daemon_stop(d);
}
END_TEST

START_TEST(storm_of_hangups_is_survived)
{
	struct daemon *d = daemon_start("%s", one_hold);

	for (int i = 0; i < 100; i++) {
		int fd = dial(d, "hold");

		kill(d->pid, SIGHUP);
		expect(fd, "held\n");
		close(fd);
	}
	await_log(d, "reload", "kept=1");
	daemon_stop(d);
}
END_TEST

START_TEST(new_service_listens_after_a_reload)
{
	struct daemon *d = daemon_start("%s", one_hold);

	daemon_reload(d, "%s[services2]\nlisten = 127.0.0.1:0\nexec = hold new\n", one_hold);
	await_log(d, "reload", "kept=1", "added=1", "removed=0");
	expect(dial(d, "services2"), "new\n");
	expect(dial(d, "hold"), "held\n");
	daemon_stop(d);
}
END_TEST

START_TEST(removed_service_is_refused_and_its_session_lives_on)
{
	struct daemon *d = daemon_start("[services]\nstay = 127.0.0.1:0 hold\n"
	    "gone = 127.0.0.1:0 flip\n");
	int fd = dial(d, "gone");

	put(fd, "a");
	expect(fd, "A");
	daemon_reload(d, "[services]\nstay = 127.0.0.1:0 hold\n");
	await_log(d, "reload", "kept=1", "removed=1");
	await_log(d, "unlisten", "service=gone", "address=127.0.0.1:*");
	await(refused_now(address_of(d, "gone", 0)));
	put(fd, "b");
	expect(fd, "B");
	close(fd);
	await_log(d, "exit", "service=gone", "status=0");
	expect(dial(d, "stay"), "held\n");
	daemon_stop(d);
}
END_TEST

START_TEST(queue_of_a_removed_service_is_served)
{
	enum { QUEUED = 5 };
	struct daemon *d = daemon_start("[services]\nstay = 127.0.0.1:0 hold\n"
	    "gone = 127.0.0.1:0 hold gone\n");
	const char *address = address_of(d, "gone", 0);
	int fds[QUEUED];

	must(kill(d->pid, SIGSTOP) == 0);
	for (int i = 0; i < QUEUED; i++)
		fds[i] = dial_to(address);
	daemon_write(d, "[services]\nstay = 127.0.0.1:0 hold\n");
	must(kill(d->pid, SIGHUP) == 0 && kill(d->pid, SIGCONT) == 0);
	await_log(d, "reload", "removed=1");
	for (int i = 0; i < QUEUED; i++)
		expect(fds[i], "gone\n");
	await(refused_now(address_of(d, "gone", 0)));
	daemon_stop(d);
}
END_TEST

START_TEST(disabled_service_is_removed)
{
	struct daemon *d = daemon_start("%s", one_hold);

	daemon_reload(d, "%senabled = no\n", one_hold);
	await(refused_now(address_of(d, "hold", 0)));
	daemon_stop(d);
}
END_TEST

/* --- changed settings */

START_TEST(new_sessions_get_the_new_settings)
{
	struct daemon *d = daemon_start("[services]\nx = 127.0.0.1:0 hold old\n");
	int old = dial(d, "x"), fresh;

	expect(old, "old\n");
	daemon_reload(d, "[services]\nx = 127.0.0.1:0 hold new\n");
	await_log(d, "reload", "changed=1", "added=0", "removed=0");
	must(log_find(d, "unlisten", NULL) == NULL);
	fresh = dial(d, "x");
	expect(fresh, "new\n");
	must(silent(old));
	close(old);
	await_log(d, "exit", "service=x", "status=0");
	daemon_stop(d);
}
END_TEST

START_TEST(raised_limit_admits_the_queued_at_once)
{
	struct daemon *d = daemon_start("%s", one_hold);
	int a = dial(d, "hold"), b;

	expect(a, "held\n");
	b = dial(d, "hold");
	await_log(d, "full", "service=hold");
	daemon_reload(d, "[services]\nhold = 127.0.0.1:0 hold\n[hold]\nmax_sessions = 2\n");
	expect(b, "held\n");
	must(silent(a));
	daemon_stop(d);
}
END_TEST

START_TEST(lowered_limit_counts_the_sessions_that_are_there)
{
	struct daemon *d = daemon_start("[services]\nhold = 127.0.0.1:0 hold\n"
	    "[hold]\nmax_sessions = 3\n");
	int a = dial(d, "hold"), b = dial(d, "hold"), c;

	expect(a, "held\n");
	expect(b, "held\n");
	daemon_reload(d, "%s", one_hold);
	c = dial(d, "hold");
	await_log(d, "full", "service=hold");
	close(a);
	await_log(d, "exit", "service=hold");
	must(silent(b) && silent(c));
	close(b);
	expect(c, "held\n");
	daemon_stop(d);
}
END_TEST

START_TEST(mode_of_a_kept_unix_socket_changes)
{
	struct daemon *d = daemon_new();
	char path[224];
	struct stat before, after;

	snprintf(path, sizeof path, "%s/s", d->dir);
	daemon_write(d, "[services]\nx = unix:%s hold\n", path);
	daemon_run(d, NULL);
	daemon_ready(d);
	must(stat(path, &before) == 0 && (before.st_mode & 0777) == 0666);
	daemon_reload(d, "[services]\nx = unix:%s hold\n[x]\nsocket_mode = 0600\n", path);
	must(stat(path, &after) == 0 && (after.st_mode & 0777) == 0600);
	must(before.st_ino == after.st_ino);
	expect(dial(d, "x"), "held\n");
	daemon_stop(d);
}
END_TEST

/* --- mistakes */

static void
keeps_everything(const char *broken, const char *told, const char *told_too)
{
	struct daemon *d = daemon_start("%s", one_hold);
	int a = dial(d, "hold"), b;

	expect(a, "held\n");
	b = dial(d, "hold");
	await_log(d, "full", "service=hold");
	log_mark(d);
	if (broken != NULL)
		daemon_write(d, "%s", broken);
	else
		unlink(d->ini);
	kill(d->pid, SIGHUP);
	await_log(d, "error", told);
	await_log(d, "error", told_too);
	must(log_find(d, "reload", "kept=*", NULL) == NULL);
	must(log_find(d, "unlisten", NULL) == NULL);
	must(silent(a) && silent(b));
	close(a);
	expect(b, "held\n");
	daemon_reload(d, "%s", one_hold);	/* and it still can */
	daemon_stop(d);
}

START_TEST(broken_file_changes_nothing_and_every_mistake_is_told)
{
	keeps_everything("[services]\nhold = 127.0.0.1:0 hold\n[hold]\nmax_sesions = 1\n"
	    "umask = 9\n", "~superd.ini:4:", "~superd.ini:5:");
}
END_TEST

START_TEST(absent_file_changes_nothing)
{
	keeps_everything(NULL, "~superd.ini", "~No such file or directory");
}
END_TEST

START_TEST(truncated_file_changes_nothing)
{
	keeps_everything("[services]\nhold = 127.0.0.1:0 hold\n[hol", "~superd.ini:3:", "~section");
}
END_TEST

START_TEST(address_given_twice_changes_nothing)
{
	keeps_everything("[services]\nhold = 127.0.0.1:0 hold\na = 127.0.0.1:4711 hold\n"
	    "b = 127.0.0.1:4711 hold\n", "~superd.ini:4:", "~127.0.0.1:4711");
}
END_TEST

/* Root may read anything, so this superd is not root. */
START_TEST(unreadable_file_changes_nothing)
{
	const struct start how = { .uid = geteuid() == 0 ? unused_uid() : 0 };
	struct daemon *d = daemon_new();

	daemon_write(d, "%s", one_hold);
	daemon_run(d, &how);
	daemon_ready(d);
	must(chmod(d->ini, 0) == 0 && kill(d->pid, SIGHUP) == 0);
	await_log(d, "error", "~superd.ini", "~Permission denied");
	must(log_find(d, "reload", "kept=*", NULL) == NULL);
	expect(dial(d, "hold"), "held\n");
	must(chmod(d->ini, 0644) == 0 && kill(d->pid, SIGHUP) == 0);
	await_log(d, "reload", "kept=1");
	daemon_stop(d);
}
END_TEST

START_TEST(broken_include_changes_nothing)
{
	struct daemon *d = daemon_new();
	char path[224];

	snprintf(path, sizeof path, "%s/more.ini", d->dir);
	write_file(path, "[a]\nlisten = 127.0.0.1:0\nexec = hold\n");
	daemon_write(d, "[superd]\ninclude = more*\n");
	daemon_run(d, NULL);
	daemon_ready(d);
	write_file(path, "[a]\nlisten = 127.0.0.1:0\nexec = /no/such/program\n");
	kill(d->pid, SIGHUP);
	await_log(d, "error", "~more.ini:3:");
	expect(dial(d, "a"), "held\n");
	daemon_stop(d);
}
END_TEST

START_TEST(service_manager_is_told_of_each_reload)
{
	struct daemon *d = daemon_start("%s", one_hold);

	must(!notified(d, "RELOADING=1"));
	d->notified[0] = '\0';
	daemon_reload(d, "%s", one_hold);
	await(notified(d, "RELOADING=1") && notified(d, "READY=1"));
	d->notified[0] = '\0';
	daemon_write(d, "[nonsense\n");
	kill(d->pid, SIGHUP);
	await(notified(d, "RELOADING=1") && notified(d, "READY=1"));
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_reload");

	add_case(suite, "unchanged", NEEDS_NOTHING, TESTS(queued_client_survives_a_reload,
	    unchanged_listener_keeps_its_chosen_port, sigusr2_reloads_too,
	    constant_probing_is_never_refused, sessions_live_on_while_addresses_change_and_go,
	    storm_of_hangups_is_survived));
	add_case(suite, "added and removed", NEEDS_NOTHING, TESTS(new_service_listens_after_a_reload,
	    removed_service_is_refused_and_its_session_lives_on,
	    queue_of_a_removed_service_is_served, disabled_service_is_removed));
	add_case(suite, "changed", NEEDS_NOTHING, TESTS(new_sessions_get_the_new_settings,
	    raised_limit_admits_the_queued_at_once,
	    lowered_limit_counts_the_sessions_that_are_there, mode_of_a_kept_unix_socket_changes));
	add_case(suite, "mistakes", NEEDS_NOTHING,
	    TESTS(broken_file_changes_nothing_and_every_mistake_is_told,
	    absent_file_changes_nothing, truncated_file_changes_nothing,
	    address_given_twice_changes_nothing, unreadable_file_changes_nothing,
	    broken_include_changes_nothing, service_manager_is_told_of_each_reload));
	return run_suite(suite);
}
