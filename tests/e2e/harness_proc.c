/*
 * What /proc tells of the daemon and its sessions, limits changed from outside,
 * and the running of suites with cases that need more than every machine has.
 */
#include "harness_faults.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

unsigned
open_descriptors(pid_t pid)
{
	char path[64];
	const struct dirent *entry;
	unsigned count = 0;
	DIR *dir;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	if ((dir = opendir(path)) == NULL)
		flunk("%s: %s", path, strerror(errno));
	while ((entry = readdir(dir)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

struct stat_line {
	char name[32];
	char state;
	int parent;
	unsigned long user, system;
};

static bool
read_stat(pid_t pid, struct stat_line *s)
{
	char path[64], text[1024];
	const char *name, *after;
	size_t len;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if ((f = fopen(path, "re")) == NULL)
		return false;
	len = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	text[len] = '\0';
	name = strchr(text, '(');
	after = strrchr(text, ')');	/* the name before it may hold anything */
	if (name == NULL || after == NULL)
		return false;
	snprintf(s->name, sizeof s->name, "%.*s", (int)(after - name - 1), name + 1);
	return sscanf(after, ") %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
	    &s->state, &s->parent, &s->user, &s->system) == 4;
}

static unsigned
scan_children(pid_t pid, char state, const char *name, pid_t *last)
{
	const struct dirent *entry;
	struct stat_line s;
	unsigned count = 0;
	DIR *dir = opendir("/proc");

	if (dir == NULL)
		flunk("/proc: %s", strerror(errno));
	*last = 0;
	while ((entry = readdir(dir)) != NULL) {
		pid_t each = (pid_t)strtol(entry->d_name, NULL, 10);

		if (each <= 0 || !read_stat(each, &s) || s.parent != pid ||
		    (state != 0 && s.state != state) ||
		    (name != NULL && strcmp(s.name, name) != 0))
			continue;
		*last = each;
		count++;
	}
	closedir(dir);
	return count;
}

unsigned
children_of(pid_t pid, char state)
{
	pid_t last;

	return scan_children(pid, state, NULL, &last);
}

unsigned
children_named(pid_t pid, const char *name)
{
	pid_t last;

	return scan_children(pid, 0, name, &last);
}

pid_t
child_of(pid_t pid)
{
	pid_t last;

	scan_children(pid, 0, NULL, &last);
	return last;
}

uid_t
owner_of(pid_t pid)
{
	char path[64], line[256];
	unsigned uid = (unsigned)-1;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	if ((f = fopen(path, "re")) == NULL)
		return (uid_t)-1;
	while (fgets(line, sizeof line, f) != NULL && sscanf(line, "Uid: %*u %u", &uid) != 1)
		continue;
	fclose(f);
	return uid;
}

long
context_switches(pid_t pid)
{
	char path[64], line[256];
	long count = -1;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	if ((f = fopen(path, "re")) == NULL)
		flunk("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, "voluntary_ctxt_switches:", 24) == 0)
			count = strtol(line + 24, NULL, 10);
	fclose(f);
	return count;
}

uid_t
unused_uid(void)
{
	return 30000 + (uid_t)getpid() % 30000;
}

char
state_of(pid_t pid)
{
	struct stat_line s;

	return read_stat(pid, &s) ? s.state : '\0';
}

long
cpu_ticks(pid_t pid)
{
	struct stat_line s;

	if (!read_stat(pid, &s))
		flunk("process %d is gone", (int)pid);
	return (long)(s.user + s.system);
}

/*
 * Changes the soft limit as the process's own user: root may lack the right to
 * change another's.
 */
#define SET_SOFT_LIMIT(pid, resource, soft)                                        \
	do {                                                                       \
		struct rlimit limit_;                                              \
		if (prlimit(pid, resource, NULL, &limit_) == -1)                   \
			_exit(1);                                                  \
		limit_.rlim_cur = soft < limit_.rlim_max ? soft : limit_.rlim_max; \
		_exit(prlimit(pid, resource, &limit_, NULL) == -1);                \
	} while (0)

static void
become_owner(pid_t pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof path, "/proc/%d", (int)pid);
	if (geteuid() != 0 || stat(path, &st) == -1 || st.st_uid == 0)
		return;
	if (setresgid(st.st_gid, st.st_gid, st.st_gid) == -1 ||
	    setresuid(st.st_uid, st.st_uid, st.st_uid) == -1)
		_exit(1);
}

static void
must_end_well(pid_t pid)
{
	int status;

	if (pid == -1 || waitpid(pid, &status, 0) != pid || status != 0)
		flunk("the limit could not be changed");
}

void
limit_descriptors(pid_t pid, uint64_t soft)
{
	pid_t helper = fork();

	if (helper == 0) {
		become_owner(pid);
		SET_SOFT_LIMIT(pid, RLIMIT_NOFILE, soft);
	}
	must_end_well(helper);
}

void
limit_processes(pid_t pid, uint64_t soft)
{
	pid_t helper = fork();

	if (helper == 0) {
		become_owner(pid);
		SET_SOFT_LIMIT(pid, RLIMIT_NPROC, soft);
	}
	must_end_well(helper);
}

bool
has_right(int capability)
{
	char path[] = "/proc/self/status", line[256];
	unsigned long long effective = 0;
	FILE *f = fopen(path, "re");

	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "CapEff: %llx", &effective) == 1)
			break;
	if (f != NULL)
		fclose(f);
	return (effective >> capability & 1) != 0;
}

unsigned
open_sockets(pid_t pid)
{
	char path[64], where[128], link[64];
	const struct dirent *entry;
	unsigned count = 0;
	DIR *dir;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	if ((dir = opendir(path)) == NULL)
		flunk("%s: %s", path, strerror(errno));
	while ((entry = readdir(dir)) != NULL) {
		snprintf(where, sizeof where, "%s/%.16s", path, entry->d_name);
		if (readlink(where, link, sizeof link) > 7)
			count += strncmp(link, "socket:", 7) == 0;
	}
	closedir(dir);
	return count;
}

/* --- suites */

static bool
can_unshare(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) == -1);
	return waitpid(pid, &status, 0) == pid && status == 0;
}

static const char *
missing_need(unsigned needs)
{
	if ((needs & NEEDS_ROOT) != 0 && geteuid() != 0)
		return "root";
	if ((needs & NEEDS_PROC) != 0 && access("/proc/self/fd", R_OK) == -1)
		return "/proc";
	if ((needs & NEEDS_IPV6) != 0 && !have_ipv6())
		return "IPv6";
	if ((needs & NEEDS_NO_VALGRIND) != 0 && getenv("VALGRIND") != NULL)
		return "superd itself, not valgrind";
	if ((needs & NEEDS_NETNS) != 0 && !can_unshare())
		return "a network namespace";
	if ((needs & NEEDS_FAULTS) != 0 && !faults_possible())
		return "seccomp(2)";
	return NULL;
}

/* NULL where the case is skipped, which is said. */
static TCase *
new_case(Suite *suite, const char *name, unsigned needs, size_t tests)
{
	const char *missing = missing_need(needs);
	TCase *tc;

	if (missing != NULL) {
		printf("SKIPPED: case '%s', %zu tests: needs %s\n", name, tests, missing);
		fflush(stdout);		/* or each test's process would print it again */
		return NULL;
	}
	tc = tcase_create(name);
	tcase_add_checked_fixture(tc, adopt_orphans, kill_daemons);
	suite_add_tcase(suite, tc);
	return tc;
}

void
add_case(Suite *suite, const char *name, unsigned needs, const TTest *const *tests)
{
	TCase *tc;
	size_t n = 0;

	while (tests[n] != NULL)
		n++;
	tc = new_case(suite, name, needs, n);
	for (size_t i = 0; tc != NULL && i < n; i++)
		tcase_add_test(tc, tests[i]);
}

/* The test once for each row of its table. */
void
add_loop(Suite *suite, const char *name, unsigned needs, const TTest *test, int rows)
{
	TCase *tc = new_case(suite, name, needs, (size_t)rows);

	if (tc != NULL)
		tcase_add_loop_test(tc, test, 0, rows);
}

int
run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
