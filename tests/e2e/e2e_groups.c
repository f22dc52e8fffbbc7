/*
 * superd's own groups, which it lays down to look at programs with a user's
 * eyes: it has them back, however many, or does not go on.
 */
#include "harness.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GROUPS_OF_ITS_OWN = 300 };

/* The kernel will refuse to give them back, as if it had no memory. */
static void
lose_groups_for_ever(void)
{
	static gid_t groups[GROUPS_OF_ITS_OWN];
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setgroups, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, GROUPS_OF_ITS_OWN, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOMEM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog rules = { .len = 6, .filter = filter };

	for (gid_t i = 0; i < GROUPS_OF_ITS_OWN; i++)
		groups[i] = 50000 + i;
	if (setgroups(GROUPS_OF_ITS_OWN, groups) == -1 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &rules) == -1)
		_exit(126);
}

static void
have_many_groups(void)
{
	static gid_t groups[GROUPS_OF_ITS_OWN];

	for (gid_t i = 0; i < GROUPS_OF_ITS_OWN; i++)
		groups[i] = 50000 + i;
	if (setgroups(GROUPS_OF_ITS_OWN, groups) == -1)
		_exit(126);
}

/* How many supplementary groups a process has. */
static unsigned
groups_of(pid_t pid)
{
	char path[64], *line, *end;
	unsigned count = 0;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	must((line = strstr(read_file(path), "\nGroups:")) != NULL);
	for (line += strlen("\nGroups:"); (void)strtoul(line, &end, 10), end != line; line = end)
		count++;
	return count;
}

START_TEST(superd_has_its_own_groups_after_a_load)
{
	const struct start how = { .prepare = have_many_groups };
	struct daemon *d = daemon_new();

	daemon_write(d, "[services]\nhold = 127.0.0.1:0 hold\n");
	daemon_run(d, &how);
	daemon_ready(d);
	must(groups_of(d->pid) == GROUPS_OF_ITS_OWN);
	daemon_reload(d, "[services]\nhold = 127.0.0.1:0 hold\nmore = 127.0.0.1:0 hold\n");
	must(groups_of(d->pid) == GROUPS_OF_ITS_OWN);
	daemon_stop(d);
}
END_TEST

START_TEST(superd_does_not_start_with_the_groups_of_a_user)
{
	const struct start how = { .prepare = lose_groups_for_ever };
	struct daemon *d = daemon_new();

	daemon_write(d, "[services]\nhold = 127.0.0.1:0 hold\n");
	daemon_run(d, &how);
	must(daemon_exit_status(d) == 71);
	log_read(d);
	must(strstr(d->log, "its own groups back: Cannot allocate memory") != NULL);
}
END_TEST

START_TEST(superd_does_not_go_on_with_the_groups_of_a_user)
{
	const struct start how = { .prepare = lose_groups_for_ever };
	struct daemon *d = daemon_new();

	daemon_write(d, "[services]\n");
	daemon_run(d, &how);
	daemon_ready(d);
	daemon_write(d, "[services]\nhold = 127.0.0.1:0 hold\n");
	must(kill(d->pid, SIGHUP) == 0);
	must(daemon_exit_status(d) == 71);
	await_log(d, "error", "~its own groups back: Cannot allocate memory");
	await_log(d, "stop", "text=*");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_groups");

	add_case(suite, "groups", NEEDS_ROOT | NEEDS_PROC | NEEDS_NO_VALGRIND,
	    TESTS(superd_has_its_own_groups_after_a_load,
	    superd_does_not_start_with_the_groups_of_a_user,
	    superd_does_not_go_on_with_the_groups_of_a_user));
	return run_suite(suite);
}
