/* Names, asked through a child: what is known, what is not, and a child that dies. */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bounds.h"
#include "names.h"
#include "unit.h"

static int64_t slow_ms;		/* what each answer takes, besides what it really takes */
static int64_t waited_ms;	/* what was so taken; the clock is ahead of the real one by it */

/*
 * These two take the place of the C library's. The clock never goes back:
 * libcheck times the test by it too.
 */
int
clock_gettime(clockid_t clock, struct timespec *now)
{
	if (syscall(SYS_clock_gettime, clock, now) == -1)
		return -1;
	now->tv_sec += waited_ms / 1000;
	now->tv_nsec += waited_ms % 1000 * 1000000;
	if (now->tv_nsec >= 1000000000) {
		now->tv_sec++;
		now->tv_nsec -= 1000000000;
	}
	return 0;
}

int
poll(struct pollfd *fds, nfds_t count, int ms)
{
	if (slow_ms > ms) {
		waited_ms += ms;
		return 0;
	}
	waited_ms += slow_ms;
	return ppoll(fds, count, NULL, NULL);
}

static pid_t
child(void)
{
	char path[64], line[64] = "";
	FILE *f;

	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	f = fopen(path, "re");
	if (f != NULL) {
		(void)!fgets(line, sizeof line, f);
		fclose(f);
	}
	return (pid_t)strtol(line, NULL, 10);
}

START_TEST(user_is_known_by_name_and_number)
{
	struct name_user user;
	const struct passwd *known = getpwuid(0);

	ck_assert_ptr_nonnull(known);
	ck_assert(names_user(known->pw_name, &user));
	ck_assert_uint_eq(user.uid, 0);
	ck_assert_uint_eq(user.gid, known->pw_gid);
	ck_assert_str_eq(user.login, known->pw_name);
	ck_assert_str_eq(user.home, known->pw_dir);
	ck_assert_str_eq(user.shell, known->pw_shell);
	ck_assert(names_user_by_uid(0, &user));
	ck_assert_str_eq(user.login, known->pw_name);
	ck_assert_ptr_null(names_end());
}
END_TEST

START_TEST(what_nobody_knows_is_no_trouble)
{
	char name[NAMES_BYTES + 1];
	struct name_user user;
	in_port_t port;
	gid_t gid;

	ck_assert(!names_user("no such user", &user));
	ck_assert(!names_user_by_uid(3999999998U, &user));
	ck_assert(!names_group("no such group", &gid));
	ck_assert(!names_port("no such service", false, &port));
	memset(name, 'x', sizeof name);
	name[sizeof name - 1] = '\0';
	ck_assert(!names_user(name, &user));
	ck_assert(!names_user("", &user));
	ck_assert_ptr_null(names_end());
}
END_TEST

START_TEST(groups_include_the_given_one)
{
	const struct passwd *root = getpwuid(0);
	const struct group *group = getgrgid(0);
	const gid_t *groups;
	bool seen = false;
	size_t count = 0;
	gid_t gid = 1;

	ck_assert(root != NULL && group != NULL);
	ck_assert(names_group(group->gr_name, &gid));
	ck_assert_uint_eq(gid, 0);
	groups = names_groups(root->pw_name, 4711, &count);
	ck_assert_ptr_nonnull(groups);
	for (size_t i = 0; i < count; i++)
		seen |= groups[i] == 4711;
	ck_assert(seen);
	ck_assert_ptr_null(names_end());
}
END_TEST

START_TEST(child_lives_until_the_end)
{
	struct name_user user;
	pid_t pid;

	ck_assert_int_eq(child(), 0);
	ck_assert(names_user_by_uid(0, &user));
	pid = child();
	ck_assert_int_ne(pid, 0);
	ck_assert(names_user_by_uid(0, &user));
	ck_assert_int_eq(child(), pid);
	ck_assert_ptr_null(names_end());
	ck_assert_int_eq(child(), 0);
	ck_assert(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
	ck_assert_ptr_null(names_end());
}
END_TEST

START_TEST(child_that_dies_is_trouble_until_the_end)
{
	struct name_user user;

	ck_assert(names_user_by_uid(0, &user));
	ck_assert_int_gt(child(), 0);
	ck_assert_int_eq(kill(child(), SIGKILL), 0);
	ck_assert(!names_user_by_uid(0, &user));
	ck_assert(!names_user_by_uid(0, &user));
	ck_assert_ptr_nonnull(names_end());
	ck_assert(names_user_by_uid(0, &user));		/* the next load has a child of its own */
	ck_assert_ptr_null(names_end());
}
END_TEST

/* Nobody is served meanwhile: what is waited is bounded for all questions together. */
START_TEST(slow_answers_are_waited_for_so_long_altogether)
{
	struct name_user user;
	int answers = 0;

	slow_ms = NAMES_MS / 3;
	while (answers < 100 && names_user_by_uid(0, &user))
		answers++;
	ck_assert_int_ge(answers, 1);
	ck_assert_int_le(waited_ms, NAMES_MS);
	ck_assert_str_eq(names_end(), "nobody answered in time");
	ck_assert(names_user_by_uid(0, &user));		/* the next load has all the time again */
	ck_assert_ptr_null(names_end());
}
END_TEST

/* --- recordings */

static char recording[1 << 16];

/* What a child would ask and record for a load; the bytes of it. */
static size_t
record(void)
{
	struct name_user user;
	in_port_t port;
	size_t count, len = 0;
	ssize_t some;
	gid_t gid;
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	names_record(ends[1]);
	ck_assert(names_user_by_uid(0, &user));
	ck_assert(!names_group("no such group", &gid));
	ck_assert_ptr_nonnull(names_groups("root", 4711, &count));
	ck_assert(!names_port("no such service", true, &port));
	ck_assert_ptr_null(names_end());
	names_record_end(ends[1]);
	close(ends[1]);
	while ((some = read(ends[0], recording + len, sizeof recording - len)) > 0)
		len += (size_t)some;
	close(ends[0]);
	return len;
}

START_TEST(recording_answers_what_was_asked)
{
	const struct passwd *root = getpwuid(0);
	size_t len = record(), count = 0;
	struct name_user user;
	const gid_t *groups;
	bool seen = false;
	in_port_t port;
	gid_t gid;

	ck_assert_ptr_nonnull(root);
	names_replay(recording, len);
	ck_assert(names_user_by_uid(0, &user));
	ck_assert_str_eq(user.login, root->pw_name);
	ck_assert_str_eq(user.shell, root->pw_shell);
	ck_assert(!names_group("no such group", &gid));
	groups = names_groups("root", 4711, &count);
	ck_assert_ptr_nonnull(groups);
	for (size_t i = 0; i < count; i++)
		seen |= groups[i] == 4711;
	ck_assert(seen);
	ck_assert(!names_port("no such service", true, &port));
	ck_assert(!names_strayed());
	ck_assert_int_eq(child(), 0);
	ck_assert_ptr_null(names_end());
}
END_TEST

START_TEST(recording_is_of_these_questions_in_this_order)
{
	static const struct {
		const char	*name;
		unsigned	 gid;
	} others[] = { { "root", 4712 }, { "roo", 4711 }, { "root2", 4711 }, { "", 4711 } };
	size_t len = record(), count;
	struct name_user user;
	gid_t gid;

	names_replay(recording, len);
	ck_assert(!names_user("root", &user));	/* it was asked for by its number */
	ck_assert(names_strayed());
	ck_assert(!names_user_by_uid(0, &user));	/* too late */
	ck_assert_str_eq(names_end(), "the files have changed meanwhile");
	ck_assert(!names_strayed());
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		names_replay(recording, len);
		ck_assert(names_user_by_uid(0, &user));
		ck_assert(!names_group("no such group", &gid));
		ck_assert(!names_strayed());
		ck_assert_ptr_null(names_groups(others[i].name, others[i].gid, &count));
		ck_assert(names_strayed());
		ck_assert_ptr_nonnull(names_end());
	}
	ck_assert(names_user_by_uid(0, &user));		/* the next load asks by itself */
	ck_assert_ptr_null(names_end());
}
END_TEST

START_TEST(question_behind_the_end_is_another_one)
{
	size_t len = record(), count;
	struct name_user user;
	in_port_t port;
	gid_t gid;

	names_replay(recording, len);
	(void)names_user_by_uid(0, &user);
	(void)names_group("no such group", &gid);
	(void)names_groups("root", 4711, &count);
	(void)names_port("no such service", true, &port);
	ck_assert(!names_strayed());
	ck_assert(!names_user("", &user));
	ck_assert(names_strayed());
	(void)names_end();
}
END_TEST

START_TEST(recording_is_whole_with_its_last_byte)
{
	size_t len = record(), kept = 0, seen;

	for (size_t some = 0; some < len; some++) {
		char *exact = malloc(some + 1);		/* a sanitizer sees who reads behind it */

		ck_assert_ptr_nonnull(exact);
		memcpy(exact, recording, some);
		seen = 0;
		ck_assert(!names_recorded(exact, some, &seen));
		ck_assert(!names_recorded(exact, some, &kept));
		ck_assert_uint_eq(kept, seen);
		free(exact);
	}
	ck_assert(names_recorded(recording, len, &kept));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("names");
	TCase *tc = tcase_create("names");

	tcase_add_test(tc, user_is_known_by_name_and_number);
	tcase_add_test(tc, what_nobody_knows_is_no_trouble);
	tcase_add_test(tc, groups_include_the_given_one);
	tcase_add_test(tc, child_lives_until_the_end);
	tcase_add_test(tc, child_that_dies_is_trouble_until_the_end);
	tcase_add_test(tc, slow_answers_are_waited_for_so_long_altogether);
	tcase_add_test(tc, recording_answers_what_was_asked);
	tcase_add_test(tc, recording_is_of_these_questions_in_this_order);
	tcase_add_test(tc, question_behind_the_end_is_another_one);
	tcase_add_test(tc, recording_is_whole_with_its_last_byte);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
