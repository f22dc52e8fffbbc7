/*
 * What depends on the moment, hours and max_load, and what is said to who comes:
 * banner and banner_refused.
 */
#include "harness_admission.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* --- hours: superd's time zone is chosen so that it is about noon there, whenever the test runs */

static char zone[32];
static int weekday;		/* there; 0 is Sunday */
static const char *const day_names[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };

static void
live_in_zone(void)
{
	setenv("TZ", zone, 1);
}

/* "X-05:13" is 5:13 before UTC. */
static void
choose_zone(void)
{
	const time_t now = time(NULL);
	const int ahead = 12 * 60 - (int)(now / 60 % (24 * 60));	/* minutes, -719 to 720 */
	const int size = ahead < 0 ? -ahead : ahead;

	if (zone[0] != '\0')		/* midnight of UTC must not pass between two answers */
		return;
	snprintf(zone, sizeof zone, "XXX%c%02d:%02d", ahead < 0 ? '+' : '-', size / 60, size % 60);
	weekday = (int)((now + ahead * 60) / (24 * 60 * 60) + 4) % 7;	/* 1970 began on a Thursday */
}

static struct daemon *
start_at_noon(const char *ini)
{
	static const struct start how = { .prepare = live_in_zone };
	struct daemon *d = daemon_new();

	choose_zone();
	daemon_write(d, "%s", ini);
	daemon_run(d, &how);
	daemon_ready(d);
	return d;
}

START_TEST(hours_decide_at_noon)
{
	struct daemon *d = start_at_noon("[services]\nnow = 127.0.0.1:0 hold\n"
	    "later = 127.0.0.1:0 hold\nnight = 127.0.0.1:0 hold\nnotnoon = 127.0.0.1:0 hold\n"
	    "two = 127.0.0.1:0 hold\nalways = 127.0.0.1:0 hold\n[defaults]\nhours = 10:00-14:00\n"
	    "[later]\nhours = 15:00-24:00\n[night]\nhours = 20:00-14:00\n[notnoon]\nhours = 14:00-10:00\n"
	    "[two]\nhours = 06:00-08:00, 10:00-14:00\n[always]\nhours = always\n");

	close(must_serve(d, "now", "127.0.0.7"));
	close(must_serve(d, "night", "127.0.0.7"));
	close(must_serve(d, "two", "127.0.0.7"));
	close(must_serve(d, "always", "127.0.0.7"));
	must_refuse(d, "later", "127.0.0.7", "hours");
	must_refuse(d, "notnoon", "127.0.0.7", "hours");
	must(status_number(d, "later", "refused_hours") == 1);
	must(status_number(d, "now", "refused_hours") == 0);
	daemon_stop(d);
}
END_TEST

START_TEST(days_of_hours_are_those_of_local_time)
{
	char ini[512];
	struct daemon *d;

	choose_zone();
	snprintf(ini, sizeof ini, "[services]\ntoday = 127.0.0.1:0 hold\nother = 127.0.0.1:0 hold\n"
	    "since = 127.0.0.1:0 hold\n[today]\nhours = %s 10:00-14:00\n"
	    "[other]\nhours = %s-%s 00:00-24:00\n[since]\nhours = %s 22:00-14:00\n", day_names[weekday],
	    day_names[(weekday + 1) % 7], day_names[(weekday + 6) % 7], day_names[(weekday + 6) % 7]);
	d = start_at_noon(ini);
	close(must_serve(d, "today", "127.0.0.7"));
	must_refuse(d, "other", "127.0.0.7", "hours");		/* every day but this */
	close(must_serve(d, "since", "127.0.0.7"));		/* it began yesterday */
	daemon_stop(d);
}
END_TEST

START_TEST(hours_changed_by_a_reload_count_from_then_on)
{
	static const char text[] = "[services]\nhold = 127.0.0.1:0 hold\n[hold]\nhours = %s\n";
	char ini[256];
	struct daemon *d;
	int fd;

	snprintf(ini, sizeof ini, text, "10:00-14:00");
	d = start_at_noon(ini);
	fd = must_serve(d, "hold", "127.0.0.7");
	daemon_reload(d, text, "14:00-10:00");
	must_refuse(d, "hold", "127.0.0.7", "hours");
	must(silent(fd));				/* who came in time may stay */
	daemon_reload(d, text, "always");
	close(must_serve(d, "hold", "127.0.0.7"));
	daemon_stop(d);
}
END_TEST

START_TEST(closed_service_refuses_and_does_not_queue)
{
	struct daemon *d = start_at_noon("[services]\nhold = 127.0.0.1:0 hold\n"
	    "[hold]\nhours = 14:00-10:00\nmax_sessions = 1\nwhen_full = queue\nrate = 1/d:1\n");

	for (int i = 0; i < 5; i++)
		must_refuse(d, "hold", "127.0.0.7", "hours");
	must(log_find(d, "full", NULL) == NULL);
	must(children_of(d->pid, 0) == 0);
	daemon_stop(d);
}
END_TEST

/* --- max_load */

START_TEST(load_below_the_limit_is_served)
{
	struct daemon *d = daemon_start("[services]\nhigh = 127.0.0.1:0 hold\nnone = 127.0.0.1:0 hold\n"
	    "[high]\nmax_load = 10000\n[none]\nmax_load = unlimited\n");

	close(must_serve(d, "high", "127.0.0.7"));
	close(must_serve(d, "none", "127.0.0.7"));
	must(log_find(d, "refuse", NULL) == NULL);
	daemon_stop(d);
}
END_TEST

/* --- banner */

/* A service "hold" whose key, banner or banner_refused, names a file with this text. */
static struct daemon *
start_banner(const char *key, const char *text, const char *more)
{
	struct daemon *d = daemon_new();

	put_file(d, "banner", text);
	daemon_write(d, "[services]\nhold = 127.0.0.1:0 hold\n[hold]\n%s = %s/banner\n%s", key, d->dir,
	    more);
	daemon_run(d, NULL);
	daemon_ready(d);
	return d;
}

static void
expect_only(int fd, const char *text)
{
	expect(fd, text);
	expect_end(fd);
}

START_TEST(banner_comes_first)
{
	struct daemon *d = start_banner("banner", "Welcome.\nWork hours only.\n", "");
	int fd = call(d, "hold", "127.0.0.7");

	expect(fd, "Welcome.\nWork hours only.\nheld\n");
	close(fd);
	daemon_stop(d);
}
END_TEST

START_TEST(banner_is_not_for_who_is_refused)
{
	struct daemon *d = start_banner("banner", "Welcome.\n", "deny = 127.0.0.8\n");

	expect_end(call(d, "hold", "127.0.0.8"));
	expect(call(d, "hold", "127.0.0.7"), "Welcome.\nheld\n");
	daemon_stop(d);
}
END_TEST

START_TEST(refused_client_gets_its_banner_and_the_end)
{
	struct daemon *d = start_banner("banner_refused", "Not for you.\n", "allow = 127.0.0.7 127.0.0.6\n"
	    "max_sessions = 1\nmax_per_source = 1\nwhen_full = refuse\n");
	int fd = must_serve(d, "hold", "127.0.0.7");	/* who is served sees none */

	expect_only(call(d, "hold", "127.0.0.8"), "Not for you.\n");
	await_log(d, "refuse", "service=hold", "remote=127.0.0.8:*", "reason=denied");
	expect_only(call(d, "hold", "127.0.0.6"), "Not for you.\n");
	await_log(d, "refuse", "service=hold", "remote=127.0.0.6:*", "reason=max_sessions");
	must(silent(fd));
	must(children_of(d->pid, 0) == 1);
	daemon_stop(d);
}
END_TEST

static bool
was_reset(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	must(poll(&p, 1, 0) != -1);
	return (p.revents & (POLLERR | POLLHUP)) != 0;
}

/* Unread bytes in superd's socket would turn its close into a reset, which can overtake the banner. */
START_TEST(refused_client_that_spoke_first_gets_its_banner_too)
{
	struct daemon *d = start_banner("banner_refused", "Not for you.\n", "deny = all\n");
	int fds[5];

	must(kill(d->pid, SIGSTOP) == 0);
	for (int i = 0; i < 5; i++) {
		fds[i] = call(d, "hold", "127.0.0.7");
		put(fds[i], "GET / HTTP/1.0\r\n\r\n");
	}
	must(kill(d->pid, SIGCONT) == 0);
	await_count(d, 5, "refuse", "service=hold");
	must(status_number(d, "hold", "refused_denied") == 5);	/* and by now all are closed */
	for (int i = 0; i < 5; i++) {
		must(!was_reset(fds[i]));
		expect_only(fds[i], "Not for you.\n");
	}
	daemon_stop(d);
}
END_TEST

/* Makes a text of so many bytes. */
static char *
long_text(size_t len)
{
	static char text[8192];

	must(len < sizeof text);
	memset(text, 'x', len);
	text[len] = '\0';
	return text;
}

START_TEST(clients_that_never_read_hinder_nobody)
{
	enum { MANY = 30 };
	struct daemon *d = start_banner("banner_refused", long_text(4096), "deny = 127.0.0.8\n");
	int deaf[MANY], fd;

	for (int i = 0; i < MANY; i++)
		deaf[i] = call(d, "hold", "127.0.0.8");
	fd = must_serve(d, "hold", "127.0.0.7");
	await(log_total(d, "refuse", "service=hold") == MANY);
	must(children_of(d->pid, 0) == 1);
	for (int i = 0; i < MANY; i++)		/* it was sent as a whole all the same */
		expect_only(deaf[i], long_text(4096));
	must(silent(fd));
	daemon_stop(d);
}
END_TEST

START_TEST(served_client_that_never_reads_its_banner_hinders_nobody)
{
	struct daemon *d = start_banner("banner", long_text(4096), "sndbuf = 1k\nmax_sessions = 3\n"
	    "max_per_source = 2\n");
	int deaf = call(d, "hold", "127.0.0.7"), fd;

	await_count(d, 1, "start");
	fd = call(d, "hold", "127.0.0.8");
	expect(fd, long_text(4096));
	expect(fd, "held\n");
	hang_up_and_wait(d, fd);
	hang_up_and_wait(d, deaf);
	must(status_number(d, "hold", "live") == 0);
	daemon_stop(d);
}
END_TEST

START_TEST(banner_is_read_again_on_reload_only)
{
	struct daemon *d = start_banner("banner", "one\n", "");

	expect(call(d, "hold", "127.0.0.7"), "one\nheld\n");
	put_file(d, "banner", "two\n");
	expect(call(d, "hold", "127.0.0.7"), "one\nheld\n");
	log_mark(d);
	kill(d->pid, SIGHUP);
	await_log(d, "reload", "kept=*");
	expect(call(d, "hold", "127.0.0.7"), "two\nheld\n");
	daemon_stop(d);
}
END_TEST

START_TEST(banner_may_be_empty)
{
	struct daemon *d = start_banner("banner", "", "");

	expect(call(d, "hold", "127.0.0.7"), "held\n");
	daemon_stop(d);
}
END_TEST

START_TEST(banner_that_cannot_be_used_is_refused_with_its_line)
{
	struct daemon *d = daemon_new();
	const char *const args[] = { "-t", "-c", d->ini, "-s", services(), NULL };
	const char *path = put_file(d, "banner", long_text(4097));
	const char *const paths[] = { path, "/no/such/banner", "/dev/zero", d->dir };
	static char out[8192];

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		daemon_write(d, "[services]\nx = 127.0.0.1:0 cat\n[x]\nnice = 1\nbanner = %s\n"
		    "banner_refused = %s\n", paths[i], paths[i]);
		must(superd_output(out, sizeof out, args) == 78);
		must(strstr(out, "superd.ini:5: [x] banner: ") != NULL && strstr(out, paths[i]) != NULL);
		must(strstr(out, "superd.ini:6: [x] banner_refused: ") != NULL);
	}
	put_file(d, "banner", long_text(4096));
	daemon_write(d, "[services]\nx = 127.0.0.1:0 cat\n[x]\nbanner = %s\n", path);
	must(superd_output(out, sizeof out, args) == 0);
}
END_TEST

START_TEST(banner_of_a_unix_socket_comes_first_too)
{
	struct daemon *d = daemon_new();

	put_file(d, "banner", "Welcome.\n");
	daemon_write(d, "[services]\nhold = unix:@superd-banner-%ld hold\n[hold]\nbanner = %s/banner\n",
	    (long)getpid(), d->dir);
	daemon_run(d, NULL);
	daemon_ready(d);
	expect(dial(d, "hold"), "Welcome.\nheld\n");
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_admission_moment");

	add_case(suite, "hours", NEEDS_NOTHING, TESTS(hours_decide_at_noon,
	    days_of_hours_are_those_of_local_time, hours_changed_by_a_reload_count_from_then_on));
	add_case(suite, "hours and processes", NEEDS_PROC,
	    TESTS(closed_service_refuses_and_does_not_queue));
	add_case(suite, "load", NEEDS_NOTHING, TESTS(load_below_the_limit_is_served));
	add_case(suite, "banner", NEEDS_NOTHING, TESTS(banner_comes_first,
	    banner_is_not_for_who_is_refused, refused_client_that_spoke_first_gets_its_banner_too,
	    served_client_that_never_reads_its_banner_hinders_nobody,
	    banner_is_read_again_on_reload_only, banner_may_be_empty,
	    banner_that_cannot_be_used_is_refused_with_its_line,
	    banner_of_a_unix_socket_comes_first_too));
	add_case(suite, "banner and processes", NEEDS_PROC,
	    TESTS(refused_client_gets_its_banner_and_the_end, clients_that_never_read_hinder_nobody));
	return run_suite(suite);
}
