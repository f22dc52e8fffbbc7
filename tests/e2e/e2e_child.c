/*
 * The keys that shape a service's process, each seen in the process itself.
 */
#include "harness.h"

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <grp.h>
#include <link.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What inspect tells as a service whose section is `keys`. */
static const char *
inspected(const char *keys)
{
	struct daemon *d = daemon_start("[services]\ninspect = 127.0.0.1:0 inspect\n"
	    "[inspect]\n%s", keys);
	const char *slate = drain(dial(d, "inspect"));

	await_log(d, "exit", "service=inspect", "status=0");
	daemon_stop(d);
	return slate;
}

static bool
has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *at = text; (at = strstr(at, line)) != NULL; at++)
		if ((at == text || at[-1] == '\n') && at[len] == '\n')
			return true;
	return false;
}

START_TEST(chdir_is_obeyed)
{
	must_be(inspected("chdir = /usr/bin\n"), "cwd", "/usr/bin");
}
END_TEST

START_TEST(umask_is_obeyed)
{
	must_be(inspected("umask = 027\n"), "umask", "027");
}
END_TEST

START_TEST(nice_is_obeyed)
{
	must_be(inspected("nice = 5\n"), "nice", "5");
}
END_TEST

START_TEST(argv0_is_the_base_name_by_default)
{
	const char *slate = inspected("");

	must_be(slate, "argv.0", "inspect");
	must(strstr(slate, "\nargv.1=") == NULL);
}
END_TEST

START_TEST(argv0_is_obeyed)
{
	must_be(inspected("argv0 = in.inspectd\n"), "argv.0", "in.inspectd");
}
END_TEST

START_TEST(env_is_set_with_quotes_as_in_exec)
{
	const char *slate = inspected("env = A=1 'B=two words' C=\"x'y\" D=\n");

	must(has_line(slate, "A=1") && has_line(slate, "B=two words"));
	must(has_line(slate, "C=x'y") && has_line(slate, "D="));
}
END_TEST

START_TEST(env_of_the_service_may_replace_what_is_passed_on)
{
	const char *slate = inspected("env = TZ=Europe/Vienna\n");

	must(has_line(slate, "TZ=Europe/Vienna") && !has_line(slate, "TZ=UTC"));
}
END_TEST

START_TEST(pass_env_replaces_the_default_list)
{
	const char *slate;

	setenv("SUPERD_E2E", "passed on", 1);
	setenv("SUPERD_E2E_OTHER", "not passed on", 1);
	slate = inspected("pass_env = SUPERD_E2E TZ SUPERD_E2E_ABSENT\n");
	must(has_line(slate, "SUPERD_E2E=passed on") && has_line(slate, "TZ=UTC"));
	must(strstr(slate, "SUPERD_E2E_OTHER") == NULL && strstr(slate, "\nLANG=") == NULL);
	must(strstr(slate, "SUPERD_E2E_ABSENT") == NULL && strstr(slate, "\nPATH=") == NULL);
}
END_TEST

START_TEST(nothing_of_superds_own_environment_leaks)
{
	const char *slate = inspected("pass_env = PATH\n");

	must(has_line(slate, "REMOTE_ADDR=127.0.0.1"));
	must(strstr(slate, "NOTIFY_SOCKET") == NULL && strstr(slate, "LISTEN_") == NULL);
}
END_TEST

START_TEST(limits_are_obeyed)
{
	const char *slate = inspected("limit_cpu = 100:200\nlimit_nofile = 32:64\n"
	    "limit_fsize = 1M\nlimit_core = 0\nlimit_stack = 1M:2M\nlimit_memlock = 0:16k\n"
	    "limit_nproc = 1000:2000\n");

	must_be(slate, "limit_cpu", "100:200");
	must_be(slate, "limit_nofile", "32:64");
	must_be(slate, "limit_fsize", "1048576:1048576");
	must_be(slate, "limit_core", "0:0");
	must_be(slate, "limit_stack", "1048576:2097152");
	must_be(slate, "limit_memlock", "0:16384");
	must_be(slate, "limit_nproc", "1000:2000");
}
END_TEST

/* Asked of sh, because a sanitized program would not start with so little. */
START_TEST(limits_of_memory_are_obeyed)
{
	struct daemon *d = daemon_start("[services]\nsh = 127.0.0.1:0 sh -c 'ulimit -v; ulimit -d'\n"
	    "[sh]\nlimit_as = 512M\nlimit_data = 1G\n");

	must(strcmp(drain(dial(d, "sh")), "524288\n1048576\n") == 0);
	daemon_stop(d);
}
END_TEST

START_TEST(new_privileges_may_be_allowed)
{
	must_be(inspected("no_new_privs = no\n"), "no_new_privs", "0");
}
END_TEST

START_TEST(stderr_to_the_socket)
{
	must_be(inspected("stderr = socket\n"), "fd.2", "socket inet stream read write");
}
END_TEST

START_TEST(stderr_to_null)
{
	must(strncmp(fact(inspected("stderr = null\n"), "fd.2"), "character", 9) == 0);
}
END_TEST

/* --- root */

static const char *
number(unsigned value)
{
	static char text[4][16];
	static unsigned turn;

	snprintf(text[++turn % 4], sizeof text[0], "%u", value);
	return text[turn % 4];
}

static void
must_be_user(const char *slate, uid_t uid, gid_t gid)
{
	must_be(slate, "uid", number(uid));
	must_be(slate, "euid", number(uid));
	must_be(slate, "suid", number(uid));
	must_be(slate, "gid", number(gid));
	must_be(slate, "egid", number(gid));
	must_be(slate, "sgid", number(gid));
}

START_TEST(services_of_root_run_as_nobody)
{
	const struct passwd *nobody = getpwnam("nobody");

	must(nobody != NULL);
	must_be_user(inspected(""), nobody->pw_uid, nobody->pw_gid);
}
END_TEST

START_TEST(user_is_obeyed)
{
	const struct passwd *daemon = getpwnam("daemon");
	const char *slate;

	must(daemon != NULL);
	slate = inspected("user = daemon\n");
	must_be_user(slate, daemon->pw_uid, daemon->pw_gid);
	must(has_line(slate, "USER=daemon") && has_line(slate, "LOGNAME=daemon"));
}
END_TEST

START_TEST(numeric_user_and_group_are_obeyed)
{
	const char *slate = inspected("user = 31234\ngroup = 31235\n");

	must_be_user(slate, 31234, 31235);
	must_be(slate, "groups", "31235");
}
END_TEST

START_TEST(group_is_obeyed)
{
	const struct passwd *daemon = getpwnam("daemon");

	must(daemon != NULL);
	must_be_user(inspected("user = daemon\ngroup = 31235\n"), daemon->pw_uid, 31235);
}
END_TEST

START_TEST(root_runs_only_where_it_is_named)
{
	const char *slate = inspected("user = root\n");

	must_be_user(slate, 0, 0);
	must_be(slate, "no_new_privs", "0");
	must(has_line(slate, "HOME=/root"));
}
END_TEST

/* In a mount namespace of the test's own the user nobody is in two more groups. */
START_TEST(supplementary_groups_of_the_user_are_set)
{
	const struct passwd *nobody = getpwnam("nobody");
	char path[256], text[1 << 15];
	struct daemon *d;
	const char *slate;

	must(nobody != NULL);
	if (unshare(CLONE_NEWNS) == -1 || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1) {
		printf("SKIPPED: supplementary_groups_of_the_user_are_set: no mount namespace\n");
		return;
	}
	d = daemon_new();
	snprintf(path, sizeof path, "%s/group", d->dir);
	snprintf(text, sizeof text, "%ssuperd-a:x:31301:nobody\nsuperd-b:x:31302:daemon,nobody\n",
	    read_file("/etc/group"));
	write_file(path, text);
	must(mount(path, "/etc/group", NULL, MS_BIND, NULL) == 0);
	daemon_write(d, "[services]\ninspect = 127.0.0.1:0 inspect\n");
	daemon_run(d, NULL);
	daemon_ready(d);
	slate = drain(dial(d, "inspect"));
	snprintf(text, sizeof text, "31301 31302 %u", (unsigned)nobody->pw_gid);
	must_be(slate, "groups", text);
	daemon_stop(d);
}
END_TEST

START_TEST(negative_nice_is_obeyed)
{
	if (!has_right(CAP_SYS_NICE)) {
		printf("SKIPPED: negative_nice_is_obeyed: this root has no CAP_SYS_NICE\n");
		return;
	}
	must_be(inspected("nice = -5\n"), "nice", "-5");
}
END_TEST

static void
lower_core_limit(void)
{
	const struct rlimit low = { .rlim_cur = 0, .rlim_max = 4096 };

	setrlimit(RLIMIT_CORE, &low);
}

START_TEST(hard_limit_is_raised)
{
	const struct start how = { .prepare = lower_core_limit };
	struct daemon *d;

	if (!has_right(CAP_SYS_RESOURCE)) {
		printf("SKIPPED: hard_limit_is_raised: this root has no CAP_SYS_RESOURCE\n");
		return;
	}
	d = daemon_new();
	daemon_write(d, "[services]\ninspect = 127.0.0.1:0 inspect\n"
	    "[inspect]\nlimit_core = 1M:2M\n");
	daemon_run(d, &how);
	daemon_ready(d);
	must_be(drain(dial(d, "inspect")), "limit_core", "1048576:2097152");
	daemon_stop(d);
}
END_TEST

/* As root of a container often is. */
static void
drop_rights(void)
{
	lower_core_limit();
	prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE);
	prctl(PR_CAPBSET_DROP, CAP_SYS_NICE);
}

START_TEST(root_without_the_right_cannot_promise_it)
{
	static const char *const keys[] = { "limit_core = 1M", "nice = -5" };
	const struct start how = { .prepare = drop_rights };

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		struct daemon *d = daemon_new();

		daemon_write(d, "[services]\na = 127.0.0.1:0 inspect\n[a]\n%s\n", keys[i]);
		daemon_run(d, &how);
		await(daemon_ended(d) || notified(d, "READY=1"));
		if (!daemon_ended(d))
			flunk("'%s' without the right is no error", keys[i]);
		must(daemon_exit_status(d) == 78);
		await_log(d, NULL, "~superd.ini:4: [a] ");
	}
}
END_TEST

/* --- chroot, root too */

static bool
is_static(const char *path)
{
	ElfW(Ehdr) head;
	bool interpreted = false;
	FILE *f = fopen(path, "re");

	if (f == NULL || fread(&head, sizeof head, 1, f) != 1)
		flunk("cannot read %s", path);
	for (unsigned i = 0; i < head.e_phnum; i++) {
		ElfW(Phdr) part;

		fseek(f, (long)head.e_phoff + (long)i * head.e_phentsize, SEEK_SET);
		interpreted |= fread(&part, sizeof part, 1, f) == 1 && part.p_type == PT_INTERP;
	}
	fclose(f);
	return !interpreted;
}

static bool
can_chroot_services(const char *test)
{
	char path[256];

	snprintf(path, sizeof path, "%s/inspect", services());
	if (is_static(path))
		return true;
	printf("SKIPPED: %s: the services of this build are not static\n", test);
	return false;
}

START_TEST(bundled_program_runs_in_an_empty_root)
{
	struct daemon *d;
	char root[200], link[64], seen[256];
	const char *slate;
	ssize_t len;
	int fd;

	if (!can_chroot_services("bundled_program_runs_in_an_empty_root"))
		return;
	d = daemon_new();
	snprintf(root, sizeof root, "%s/root", d->dir);
	must(mkdir(root, 0755) == 0);
	daemon_write(d, "[services]\ninspect = 127.0.0.1:0 inspect\nflip = 127.0.0.1:0 flip\n"
	    "[defaults]\nchroot = %s\n", root);
	daemon_run(d, NULL);
	daemon_ready(d);
	slate = drain(dial(d, "inspect"));
	must_be(slate, "cwd", "/");
	must_be(slate, "argv.0", "inspect");
	must_have_descriptors(slate, "socket inet stream read write", "pipe write");
	fd = dial(d, "flip");
	put(fd, "x");
	expect(fd, "X");
	await_log(d, "start", "service=flip");
	snprintf(link, sizeof link, "/proc/%s/root",
	    log_value(log_line(d, "start", "service=flip", NULL), "pid"));
	len = readlink(link, seen, sizeof seen - 1);
	must(len > 0);
	seen[len] = '\0';
	if (strcmp(seen, root) != 0)
		flunk("the program's root is %s, wanted %s", seen, root);
	daemon_stop(d);
}
END_TEST

START_TEST(paths_are_inside_the_chroot)
{
	struct daemon *d;
	char root[200], path[256], from[256];

	if (!can_chroot_services("paths_are_inside_the_chroot"))
		return;
	d = daemon_new();
	snprintf(root, sizeof root, "%s/root", d->dir);
	snprintf(path, sizeof path, "%s/bin", root);
	must(mkdir(root, 0755) == 0 && mkdir(path, 0755) == 0);
	snprintf(from, sizeof from, "%s/inspect", services());
	snprintf(path, sizeof path, "%s/bin/tell", root);
	copy_program(from, path);
	daemon_write(d, "[services]\ninspect = 127.0.0.1:0 /bin/tell one\n"
	    "[inspect]\nchroot = %s\nchdir = /bin\n", root);
	daemon_run(d, NULL);
	daemon_ready(d);
	must_be(drain(dial(d, "inspect")), "cwd", "/bin");
	must_be(drain(dial(d, "inspect")), "argv.0", "tell");
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("e2e_child");

	add_case(suite, "place", NEEDS_NOTHING, TESTS(chdir_is_obeyed, umask_is_obeyed,
	    nice_is_obeyed, argv0_is_the_base_name_by_default, argv0_is_obeyed));
	add_case(suite, "environment", NEEDS_NOTHING, TESTS(env_is_set_with_quotes_as_in_exec,
	    env_of_the_service_may_replace_what_is_passed_on, pass_env_replaces_the_default_list,
	    nothing_of_superds_own_environment_leaks));
	add_case(suite, "limits", NEEDS_NO_VALGRIND, TESTS(limits_are_obeyed,
	    limits_of_memory_are_obeyed));
	add_case(suite, "rest", NEEDS_NOTHING, TESTS(new_privileges_may_be_allowed,
	    stderr_to_the_socket, stderr_to_null));
	add_case(suite, "root", NEEDS_ROOT, TESTS(services_of_root_run_as_nobody, user_is_obeyed,
	    numeric_user_and_group_are_obeyed, group_is_obeyed, root_runs_only_where_it_is_named,
	    supplementary_groups_of_the_user_are_set, negative_nice_is_obeyed,
	    hard_limit_is_raised, root_without_the_right_cannot_promise_it));
	add_case(suite, "chroot", NEEDS_ROOT | NEEDS_PROC | NEEDS_NO_VALGRIND,
	    TESTS(bundled_program_runs_in_an_empty_root, paths_are_inside_the_chroot));
	return run_suite(suite);
}
