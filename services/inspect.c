/*
 * inspect: prints what this process was given, one fact a line: environment,
 * descriptors, ids, limits, signals, arguments. superd-services(8) is exact
 * about the format, as tests compare it. Needs no /proc, so that it also tells
 * the truth in an empty root; reads nothing of standard input.
 */
#include "io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define DESCRIPTORS_TRIED 1024	/* without /proc none above is found */
#define GROUPS_SHOWN 1024
#define SIGNALS 64

static const char usage[] =
    "usage: inspect [-h] [ARGUMENT ...]\n"
    "  prints what it was given, one NAME=value a line\n"
    "  -h  this help\n";

static struct io_out out;

/* Text of any bytes in one line: a backslash and control bytes are escaped. */
static void
put_escaped(const char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '\n')
			io_put_text(&out, "\\n");
		else if (c == '\\')
			io_put_text(&out, "\\\\");
		else if (c < ' ' || c == 0x7f)
			io_put(&out, (char[]){ '\\', 'x', digits[c >> 4], digits[c & 15] }, 4);
		else
			io_put(&out, text, 1);
	}
}

static void
fact_text(const char *name, const char *value)
{
	io_put_text(&out, name);
	io_put_text(&out, "=");
	put_escaped(value);
	io_put_text(&out, "\n");
}

static void
fact_number(const char *name, int64_t value)
{
	io_put_text(&out, name);
	io_put_text(&out, value < 0 ? "=-" : "=");
	io_put_number(&out, value < 0 ? -(uint64_t)value : (uint64_t)value, 10);
	io_put_text(&out, "\n");
}

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
show_environment(void)
{
	size_t count = 0;

	while (environ[count] != NULL)
		count++;
	if (count > 0)
		qsort(environ, count, sizeof *environ, compare_texts);
	for (size_t i = 0; i < count; i++) {
		put_escaped(environ[i]);
		io_put_text(&out, "\n");
	}
	fact_number("environment", (int64_t)count);
}

static const char *
kind_word(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFSOCK:
		return "socket";
	case S_IFIFO:
		return "pipe";
	case S_IFREG:
		return "file";
	case S_IFDIR:
		return "directory";
	case S_IFCHR:
		return "character";
	case S_IFBLK:
		return "block";
	case S_IFLNK:
		return "link";
	default:		/* epoll, signalfd, eventfd and their like have no type */
		return "other";
	}
}

static const char *
family_word(int family)
{
	return family == AF_INET ? "inet" : family == AF_INET6 ? "inet6" :
	    family == AF_UNIX ? "unix" : "other";
}

static const char *
type_word(int type)
{
	return type == SOCK_STREAM ? "stream" : type == SOCK_DGRAM ? "datagram" :
	    type == SOCK_SEQPACKET ? "seqpacket" : "other";
}

static int
socket_number(int fd, int option)
{
	int value = -1;
	socklen_t size = sizeof value;

	getsockopt(fd, SOL_SOCKET, option, &value, &size);
	return value;
}

static void
show_descriptor(int fd)
{
	struct stat about;
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1)
		return;
	io_put_text(&out, "fd.");
	io_put_number(&out, (uint64_t)fd, 10);
	io_put_text(&out, "=");
	io_put_text(&out, fstat(fd, &about) == 0 ? kind_word(about.st_mode) : "other");
	if (socket_number(fd, SO_TYPE) != -1) {
		io_put_text(&out, " ");
		io_put_text(&out, family_word(socket_number(fd, SO_DOMAIN)));
		io_put_text(&out, " ");
		io_put_text(&out, type_word(socket_number(fd, SO_TYPE)));
	}
	io_put_text(&out, (flags & O_ACCMODE) == O_RDONLY ? " read" :
	    (flags & O_ACCMODE) == O_WRONLY ? " write" : " read write");
	io_put_text(&out, (flags & O_NONBLOCK) != 0 ? " nonblocking\n" : "\n");
}

/* Descriptors that the first round did not reach, where the system lists them. */
static void
show_high_descriptors(void)
{
	DIR *list = opendir("/proc/self/fd");
	const struct dirent *entry;

	if (list == NULL)
		return;
	while ((entry = readdir(list)) != NULL) {
		int fd = atoi(entry->d_name);	/* 0 for "." and ".." */

		if (fd >= DESCRIPTORS_TRIED && fd != dirfd(list))
			show_descriptor(fd);
	}
	closedir(list);
}

static int
compare_groups(const void *a, const void *b)
{
	const gid_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static void
show_groups(void)
{
	static gid_t groups[GROUPS_SHOWN];
	int count = getgroups(GROUPS_SHOWN, groups);

	if (count > 0)
		qsort(groups, (size_t)count, sizeof *groups, compare_groups);
	io_put_text(&out, "groups=");
	for (int i = 0; i < count; i++) {
		io_put_text(&out, i > 0 ? " " : "");
		io_put_number(&out, groups[i], 10);
	}
	io_put_text(&out, count == -1 ? "?\n" : "\n");
}

static void
show_ids(void)
{
	uid_t uid, euid, suid;
	gid_t gid, egid, sgid;

	if (getresuid(&uid, &euid, &suid) == 0) {
		fact_number("uid", uid);
		fact_number("euid", euid);
		fact_number("suid", suid);
	}
	if (getresgid(&gid, &egid, &sgid) == 0) {
		fact_number("gid", gid);
		fact_number("egid", egid);
		fact_number("sgid", sgid);
	}
	show_groups();
	fact_number("pid", getpid());
	fact_number("ppid", getppid());
	fact_number("sid", getsid(0));
	fact_number("pgid", getpgrp());
}

static void
show_place(void)
{
	char cwd[PATH_MAX];
	mode_t mask = umask(0);

	umask(mask);
	io_put_text(&out, mask < 0100 ? mask < 010 ? "umask=00" : "umask=0" : "umask=");
	io_put_number(&out, mask, 8);
	io_put_text(&out, "\n");
	fact_text("cwd", getcwd(cwd, sizeof cwd) != NULL ? cwd : "?");
	fact_number("nice", getpriority(PRIO_PROCESS, 0));
	fact_number("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

static void
put_limit(rlim_t limit)
{
	if (limit == RLIM_INFINITY)
		io_put_text(&out, "unlimited");
	else
		io_put_number(&out, limit, 10);
}

static void
show_limits(void)
{
	/* The small type converts without a word to glibc's enum and to musl's int. */
	static const struct {
		const char *name;
		uint8_t     resource;
	} limits[] = {
		{ "limit_cpu=", RLIMIT_CPU }, { "limit_as=", RLIMIT_AS },
		{ "limit_data=", RLIMIT_DATA }, { "limit_stack=", RLIMIT_STACK },
		{ "limit_nofile=", RLIMIT_NOFILE }, { "limit_nproc=", RLIMIT_NPROC },
		{ "limit_fsize=", RLIMIT_FSIZE }, { "limit_core=", RLIMIT_CORE },
		{ "limit_memlock=", RLIMIT_MEMLOCK },
	};
	struct rlimit value;

	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
		if (getrlimit(limits[i].resource, &value) == -1)
			continue;
		io_put_text(&out, limits[i].name);
		put_limit(value.rlim_cur);
		io_put_text(&out, ":");
		put_limit(value.rlim_max);
		io_put_text(&out, "\n");
	}
}

static void
put_signal(int number)
{
	static const char *const names[] = {
		[SIGHUP] = "HUP", [SIGINT] = "INT", [SIGQUIT] = "QUIT", [SIGILL] = "ILL",
		[SIGTRAP] = "TRAP", [SIGABRT] = "ABRT", [SIGBUS] = "BUS", [SIGFPE] = "FPE",
		[SIGKILL] = "KILL", [SIGUSR1] = "USR1", [SIGSEGV] = "SEGV", [SIGUSR2] = "USR2",
		[SIGPIPE] = "PIPE", [SIGALRM] = "ALRM", [SIGTERM] = "TERM", [SIGCHLD] = "CHLD",
		[SIGCONT] = "CONT", [SIGSTOP] = "STOP", [SIGTSTP] = "TSTP", [SIGTTIN] = "TTIN",
		[SIGTTOU] = "TTOU", [SIGURG] = "URG", [SIGXCPU] = "XCPU", [SIGXFSZ] = "XFSZ",
		[SIGVTALRM] = "VTALRM", [SIGPROF] = "PROF", [SIGWINCH] = "WINCH", [SIGIO] = "IO",
		[SIGPWR] = "PWR", [SIGSYS] = "SYS",
	};

	if (number < (int)(sizeof names / sizeof names[0]) && names[number] != NULL)
		io_put_text(&out, names[number]);
	else
		io_put_number(&out, (uint64_t)number, 10);
}

static void
show_signals(const char *name, const bool set[SIGNALS + 1])
{
	const char *blank = "";

	io_put_text(&out, name);
	for (int number = 1; number <= SIGNALS; number++)
		if (set[number]) {
			io_put_text(&out, blank);
			put_signal(number);
			blank = " ";
		}
	io_put_text(&out, "\n");
}

struct signals {
	bool ignored[SIGNALS + 1];
	bool blocked[SIGNALS + 1];
};

/* To be called before io_init, which ignores a signal itself. */
static void
find_signals(struct signals *found)
{
	struct sigaction action;
	sigset_t mask;

	sigemptyset(&mask);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int number = 1; number <= SIGNALS; number++) {
		found->blocked[number] = sigismember(&mask, number) == 1;
		found->ignored[number] = sigaction(number, NULL, &action) == 0 &&
		    action.sa_handler == SIG_IGN;
	}
}

static void
show_arguments(char *argv[])
{
	for (int i = 0; argv[i] != NULL; i++) {
		io_put_text(&out, "argv.");
		io_put_number(&out, (uint64_t)i, 10);
		fact_text("", argv[i]);
	}
}

int
main(int argc, char *argv[])
{
	static struct signals signals;

	find_signals(&signals);
	io_init("inspect", usage);
	if (argc > 1 && argv[1][0] == '-' && strcmp(argv[1], "--") != 0)
		return strcmp(argv[1], "-h") == 0 ? io_help() : io_usage("unknown option");
	show_environment();
	for (int fd = 0; fd < DESCRIPTORS_TRIED; fd++)
		show_descriptor(fd);
	show_high_descriptors();
	show_ids();
	show_place();
	show_limits();
	show_signals("signals_ignored=", signals.ignored);
	show_signals("signals_blocked=", signals.blocked);
	show_arguments(argv);
	if (io_flush(&out) == -1)
		return io_status("write");
	io_linger();
	return IO_OK;
}
