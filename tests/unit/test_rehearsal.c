/*
 * A load that a child rehearses, and the same one, in steps, with its answers;
 * a child that hangs, or dies; and a load that is given up in the middle.
 */
#include <sys/wait.h>

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bounds.h"
#include "conf_steps.h"
#include "names.h"
#include "rehearsal.h"
#include "unit.h"

#define SERVICES	2100
#define LONG_MS		20000

static enum { ANSWER, HANG, DIE } mood;
static unsigned asked;		/* in this process */

/* These take the place of the C library's. */
struct passwd *
getpwuid(uid_t uid)
{
	static char name[] = "somebody", home[] = "/", shell[] = "";
	static struct passwd user = { .pw_name = name, .pw_dir = home, .pw_shell = shell };

	asked++;
	user.pw_uid = uid;
	user.pw_gid = getegid();
	if (mood == HANG)
		for (;;)
			pause();
	if (mood == DIE)
		(void)kill(getpid(), SIGKILL);
	return &user;
}

struct passwd *
getpwnam(const char *name)
{
	struct passwd *user = getpwuid(geteuid());

	return strcmp(name, "nobody") == 0 || strcmp(name, user->pw_name) == 0 ? user : NULL;
}

static struct loop loop;
static struct rehearsal rehearsal;
static struct mistakes wrong;
static struct conf_base base;
static char *no_environment[] = { NULL };
static bool over;
static const char *told;

static void
done(struct rehearsal *one, const char *trouble)
{
	ck_assert_ptr_eq(one, &rehearsal);
	ck_assert(!over);
	over = true;
	told = trouble;
}

static void
configure(unsigned services, const char *more)
{
	const char *path = unit_path("superd.ini");
	FILE *file = fopen(path, "we");

	ck_assert_ptr_nonnull(file);
	fputs("[services]\n", file);
	for (unsigned i = 0; i < services; i++)
		fprintf(file, "s%u = unix:@rehearsal-%u /bin/sh\n", i, i);
	fputs(more, file);
	ck_assert_int_eq(fclose(file), 0);
	base = (struct conf_base){ .file = path, .service_dir = "/nonexistent", .nofile = 1 << 20,
		.environ = no_environment };
}

static void
begin(void)
{
	ck_assert_int_eq(loop_init(&loop), 0);
	mood = ANSWER;
}

/* Until the child has told all, or is given up after so many ms. */
static const char *
rehearse(uint64_t ms)
{
	over = false;
	ck_assert_int_eq(rehearsal_start(&rehearsal, &loop, &base, ms, done), 0);
	ck_assert_int_gt(rehearsal.pid, 0);
	ck_assert(!over);
	while (!over)
		ck_assert_int_eq(loop_turn(&loop, -1), 0);
	return told;
}

/* Whoever has not been waited for yet is dying. */
static void
finish(void)
{
	pid_t pid = rehearsal.pid;

	rehearsal_end(&rehearsal);
	if (rehearsal.pid != 0) {
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
		rehearsal_reaped(&rehearsal, pid + 1);
		ck_assert_int_eq(rehearsal.pid, pid);
		rehearsal_reaped(&rehearsal, pid);
	}
	ck_assert_int_eq(rehearsal.pid, 0);
	ck_assert(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
	ck_assert_uint_eq(loop.timers, 0);
	loop_finish(&loop);
	mistakes_free(&wrong);
}

START_TEST(what_the_child_was_told_answers_the_load)
{
	struct draft *draft;
	struct conf *conf;
	unsigned steps = 0;

	begin();
	configure(SERVICES, "");
	ck_assert_ptr_null(rehearse(LONG_MS));
	ck_assert_uint_eq(asked, 0);
	ck_assert_ptr_nonnull(draft = conf_begin(&base, &wrong));
	names_replay(rehearsal.bytes, rehearsal.len);
	while (conf_step(draft))
		steps++;
	ck_assert_uint_ge(steps, 3);	/* how many more is a matter of time */
	ck_assert(!names_strayed());
	conf = conf_end(draft);
	ck_assert_msg(conf != NULL, "%s", wrong.first != NULL ? wrong.first->text : "no mistake");
	ck_assert_uint_eq(asked, 0);
	ck_assert_uint_eq(conf->count, SERVICES);
	ck_assert_str_eq(conf->services[SERVICES - 1]->identity->login, "somebody");
	conf_release(conf);
	finish();
}
END_TEST

/* It tells its names, and superd will tell the mistakes. */
START_TEST(file_with_mistakes_can_be_rehearsed)
{
	begin();
	configure(3, "[s0]\nnonsense = 1\n[s4]\nlisten = unix:@rehearsal-4\nexec = /no/such/program\n");
	ck_assert_ptr_null(rehearse(LONG_MS));
	finish();
}
END_TEST

START_TEST(other_file_than_the_rehearsed_one_is_noticed)
{
	struct draft *draft;

	begin();
	configure(1, "");
	ck_assert_ptr_null(rehearse(LONG_MS));
	configure(1, "[s0]\ngroup = no such group\nuser = nobody2\n");
	ck_assert_ptr_nonnull(draft = conf_begin(&base, &wrong));
	names_replay(rehearsal.bytes, rehearsal.len);
	while (conf_step(draft))
		;
	ck_assert(names_strayed());
	ck_assert_ptr_null(conf_end(draft));
	ck_assert_uint_eq(asked, 0);
	finish();
}
END_TEST

START_TEST(child_that_hangs_is_given_up)
{
	begin();
	configure(1, "");
	mood = HANG;
	ck_assert_str_eq(rehearse(50), "it takes too long: a look-up of users, or a file system, hangs");
	finish();
}
END_TEST

START_TEST(child_that_dies_is_told_of)
{
	begin();
	configure(1, "");
	mood = DIE;
	ck_assert_str_eq(rehearse(LONG_MS), "that child has died");
	finish();
}
END_TEST

START_TEST(rehearsal_can_be_ended_at_once)
{
	begin();
	configure(1, "");
	mood = HANG;
	over = false;
	ck_assert_int_eq(rehearsal_start(&rehearsal, &loop, &base, LONG_MS, done), 0);
	finish();
	ck_assert(!over);
}
END_TEST

START_TEST(load_can_be_given_up_at_any_step)
{
	bool more = true;

	begin();
	configure(SERVICES, "");
	/* All of the first, then fewer and fewer: a slow machine has many of them. */
	for (unsigned steps = 0; more; steps += 1 + steps / 8) {
		struct draft *draft = conf_begin(&base, &wrong);

		ck_assert_ptr_nonnull(draft);
		for (unsigned i = 0; i < steps && more; i++)
			more = conf_step(draft);
		conf_release(conf_end(draft));
	}
	loop_finish(&loop);
	mistakes_free(&wrong);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rehearsal");
	TCase *tc = unit_case(suite, "rehearsal");

	tcase_add_test(tc, what_the_child_was_told_answers_the_load);
	tcase_add_test(tc, file_with_mistakes_can_be_rehearsed);
	tcase_add_test(tc, other_file_than_the_rehearsed_one_is_noticed);
	tcase_add_test(tc, child_that_hangs_is_given_up);
	tcase_add_test(tc, child_that_dies_is_told_of);
	tcase_add_test(tc, rehearsal_can_be_ended_at_once);
	tcase_add_test(tc, load_can_be_given_up_at_any_step);
	return unit_run(suite);
}
