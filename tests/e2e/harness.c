/*
 * The daemon under test: its directory, its start, its end, and the one waiting
 * loop of the suite.  What it logs is in harness_log.c, who talks to it in
 * harness_net.c, what /proc tells of it in harness_proc.c.
 */
#include "harness.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct daemon *daemons;	/* all that this test started */

static const char *
required_env(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL || value[0] == '\0') {
		fprintf(stderr, "%s is not set; run these tests by 'make check-e2e'\n", name);
		exit(EXIT_FAILURE);
	}
	return value;
}

const char *
tools(void)
{
	return required_env("TOOLS");
}

const char *
services(void)
{
	return required_env("SERVICES");
}

int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
adopt_orphans(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void
kill_daemons(void)
{
	for (struct daemon *d = daemons; d != NULL; d = d->next) {
		if (d->pid <= 0)
			continue;
		kill(d->pid, SIGKILL);
		waitpid(d->pid, NULL, 0);
		d->pid = 0;
	}
}

_Noreturn void
fail_at(const char *file, int line, const char *format, ...)
{
	char text[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	for (struct daemon *d = daemons; d != NULL; d = d->next) {
		log_read(d);
		fprintf(stderr, "--- log of the daemon in %s\n%s--- end of log\n", d->dir, d->log);
	}
	kill_daemons();
	ck_abort_msg("%s:%d: %s", strrchr(file, '/') != NULL ? strrchr(file, '/') + 1 : file, line,
	    text);
	abort();	/* not reached: the line above ends the test */
}

void
await_step(int64_t begun, const char *file, int line, const char *what)
{
	if (now_ms() - begun > DEADLINE_MS)
		fail_at(file, line, "waited %d s in vain: %s", DEADLINE_MS / 1000, what);
	nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
}

/* --- files */

void
write_file(const char *path, const char *text)
{
	char fresh[256];
	FILE *f;

	snprintf(fresh, sizeof fresh, "%s.new", path);
	if ((f = fopen(fresh, "we")) == NULL || fputs(text, f) == EOF || fclose(f) == EOF ||
	    rename(fresh, path) == -1)
		flunk("write %s: %s", path, strerror(errno));
}

char *
read_file(const char *path)
{
	static char text[1 << 18];
	size_t len = 0;
	FILE *f = fopen(path, "re");

	if (f != NULL) {
		len = fread(text, 1, sizeof text - 1, f);
		fclose(f);
	}
	text[len] = '\0';
	return text;
}

void
copy_program(const char *from, const char *to)
{
	char block[65536];
	ssize_t got;
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	if (in == -1 || out == -1)
		flunk("copy %s to %s: %s", from, to, strerror(errno));
	while ((got = read(in, block, sizeof block)) > 0)
		if (write(out, block, (size_t)got) != got)
			flunk("write %s: %s", to, strerror(errno));
	close(in);
	close(out);
	if (chmod(to, 0755) == -1)
		flunk("chmod %s: %s", to, strerror(errno));
}

/* --- start */

static int
notify_socket(struct daemon *d)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int len = snprintf(sun.sun_path, sizeof sun.sun_path, "%s/notify", d->dir);

	if (len < 0 || (size_t)len >= sizeof sun.sun_path)
		flunk("TMPDIR is too long for a Unix socket: %s", d->dir);
	if (fd == -1 || bind(fd, (struct sockaddr *)&sun, sizeof sun) == -1 ||
	    chmod(sun.sun_path, 0666) == -1)
		flunk("notify socket %s: %s", sun.sun_path, strerror(errno));
	return fd;
}

struct daemon *
daemon_new(void)
{
	struct daemon *d = calloc(1, sizeof *d);
	int len;

	if (d == NULL)
		flunk("out of memory");
	len = snprintf(d->dir, sizeof d->dir, "%s/dXXXXXX", required_env("TMPDIR"));
	if (len < 0 || (size_t)len >= sizeof d->dir)
		flunk("TMPDIR is too long");
	if (mkdtemp(d->dir) == NULL || chmod(d->dir, 0755) == -1)
		flunk("mkdtemp %s: %s", d->dir, strerror(errno));
	snprintf(d->ini, sizeof d->ini, "%s/superd.ini", d->dir);
	snprintf(d->log_path, sizeof d->log_path, "%s/stderr", d->dir);
	d->notify_fd = notify_socket(d);
	d->log = calloc(1, 1);
	d->next = daemons;
	daemons = d;
	return d;
}

static void __attribute__((format(printf, 2, 0)))
write_ini(struct daemon *d, const char *format, va_list args)
{
	char text[16384];
	int len = vsnprintf(text, sizeof text, format, args);

	if (len < 0 || (size_t)len >= sizeof text)
		flunk("the configuration is too long for the harness");
	write_file(d->ini, text);
}

void
daemon_write(struct daemon *d, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_ini(d, format, args);
	va_end(args);
}

/* What the tester's own session says must not reach the daemon. */
static void
set_environment(const struct daemon *d)
{
	static const char *const foreign[] = { "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES",
		"LISTEN_PIDFDID", "JOURNAL_STREAM", "INVOCATION_ID", "WATCHDOG_USEC", "WATCHDOG_PID" };
	char text[4096];

	for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
		unsetenv(foreign[i]);
	snprintf(text, sizeof text, "%s/notify", d->dir);
	setenv("NOTIFY_SOCKET", text, 1);
	snprintf(text, sizeof text, "%s:/usr/local/bin:/usr/bin:/bin", tools());
	setenv("PATH", text, 1);
	setenv("TZ", "UTC", 1);
	setenv("LANG", "C", 1);
}

static void
become(uid_t uid)
{
	if (setgroups(0, NULL) == -1 || setresgid(uid, uid, uid) == -1 ||
	    setresuid(uid, uid, uid) == -1)
		flunk("become user %u: %s", (unsigned)uid, strerror(errno));
}

static void
exec_daemon(const struct daemon *d, const struct start *how, int err)
{
	const char *argv[24] = { "superd", "-c", d->ini, "-s", services() };
	size_t n = 5;

	for (size_t i = 0; how->args != NULL && how->args[i] != NULL; i++)
		argv[n++] = how->args[i];
	set_environment(d);
	if (how->uid != 0 && geteuid() == 0)
		become(how->uid);
	prctl(PR_SET_PDEATHSIG, SIGKILL);	/* nobody outlives a test that failed */
	dup2(err, STDERR_FILENO);
	if (how->prepare != NULL)
		how->prepare();
	execv(required_env("SUPERD"), (char *const *)(uintptr_t)argv);
	_exit(127);
}

void
daemon_run(struct daemon *d, const struct start *how)
{
	static const struct start usual;
	int err;

	if (how == NULL)
		how = &usual;
	if (how->uid != 0 && geteuid() == 0 && chown(d->dir, how->uid, how->uid) == -1)
		flunk("chown %s: %s", d->dir, strerror(errno));
	err = how->stderr_fd != 0 ? how->stderr_fd :
	    open(d->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (err == -1)
		flunk("open %s: %s", d->log_path, strerror(errno));
	if ((d->pid = fork()) == -1)
		flunk("fork: %s", strerror(errno));
	if (d->pid == 0)
		exec_daemon(d, how, err);
	if (how->stderr_fd == 0)
		close(err);
}

bool
notified(struct daemon *d, const char *line)
{
	char want[256], packet[512];
	size_t len = strlen(d->notified);
	ssize_t got;

	while ((got = receive(d->notify_fd, packet, sizeof packet, 0)) > 0 &&
	    len + (size_t)got + 2 < sizeof d->notified) {
		memcpy(d->notified + len, packet, (size_t)got);
		len += (size_t)got;
		if (d->notified[len - 1] != '\n')
			d->notified[len++] = '\n';
		d->notified[len] = '\0';
	}
	snprintf(want, sizeof want, "%s\n", line);
	for (const char *at = d->notified; (at = strstr(at, want)) != NULL; at++)
		if (at == d->notified || at[-1] == '\n')
			return true;
	return false;
}

void
daemon_ready(struct daemon *d)
{
	await(notified(d, "READY=1") || daemon_ended(d));
	if (!notified(d, "READY=1"))
		flunk("superd ended before it was ready (wait status 0x%x)", (unsigned)d->wait_status);
}

struct daemon *
daemon_start(const char *format, ...)
{
	struct daemon *d = daemon_new();
	va_list args;

	va_start(args, format);
	write_ini(d, format, args);
	va_end(args);
	daemon_run(d, NULL);
	daemon_ready(d);
	return d;
}

void
daemon_reload(struct daemon *d, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_ini(d, format, args);
	va_end(args);
	log_mark(d);
	kill(d->pid, SIGHUP);
	await_log(d, "reload", "kept=*");
}

/* --- end */

bool
daemon_ended(struct daemon *d)
{
	if (d->pid > 0 && waitpid(d->pid, &d->wait_status, WNOHANG) == d->pid)
		d->pid = 0;
	return d->pid == 0;
}

int
daemon_exit_status(struct daemon *d)
{
	await(daemon_ended(d));
	if (!WIFEXITED(d->wait_status))
		flunk("superd was killed by signal %d", WTERMSIG(d->wait_status));
	return WEXITSTATUS(d->wait_status);
}

/* Sessions end when their clients are gone; those that are open would use up the grace. */
static void
hang_up(void)
{
	struct sockaddr_storage peer;
	socklen_t len;

	for (int fd = STDERR_FILENO + 1; fd < 2048; fd++) {
		len = sizeof peer;
		if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0)
			close(fd);
	}
}

void
daemon_stop(struct daemon *d)
{
	int status;

	if (daemon_ended(d))
		flunk("superd ended by itself (wait status 0x%x)", (unsigned)d->wait_status);
	hang_up();
	kill(d->pid, SIGTERM);
	if ((status = daemon_exit_status(d)) != 0)
		flunk("superd exited %d on SIGTERM", status);
}

int
superd_output(char *out, size_t size, const char *const *args)
{
	const char *argv[24] = { "superd" };
	size_t n = 1, len = 0;
	ssize_t got;
	int fds[2], status;
	pid_t pid;

	for (size_t i = 0; args[i] != NULL; i++)
		argv[n++] = args[i];
	if (pipe2(fds, O_CLOEXEC) == -1 || (pid = fork()) == -1)
		flunk("pipe or fork: %s", strerror(errno));
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		unsetenv("NOTIFY_SOCKET");
		execv(required_env("SUPERD"), (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(fds[1]);
	while (len < size - 1 && (got = read(fds[0], out + len, size - 1 - len)) > 0)
		len += (size_t)got;
	out[len] = '\0';
	close(fds[0]);
	await(waitpid(pid, &status, WNOHANG) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
