/*
 * main.c - options, the order of starting up, exit statuses; the only exit.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "background.h"
#include "events.h"
#include "kernel.h"
#include "log.h"
#include "memory.h"
#include "notify.h"
#include "pid_file.h"
#include "superd.h"

extern char **environ;

struct options {
	const char	*file, *service_dir, *pid_file;
	bool		 test, print, daemon, verbose;
};

static int
usage(FILE *to, int status)
{
	fputs("usage: superd [-t | -T] [-D] [-c FILE] [-s DIR] [-p FILE] [-v] [-V] [-h]\n"
	    "  -c FILE  configuration (" SUPERD_SYSCONFDIR "/superd.ini)\n"
	    "  -s DIR   service directory (" SUPERD_LIBEXECDIR ")\n"
	    "  -t       check the configuration and exit\n"
	    "  -T       print the effective configuration and exit\n"
	    "  -D       become a daemon\n"
	    "  -p FILE  pid file\n"
	    "  -v       more log\n"
	    "  -V, -h   version, help\n"
	    "See superd(8) and superd.ini(5).\n", to);
	return fflush(to) == EOF ? EX_OSERR : status;
}

/* -1: go on; else the status to exit with. */
static int
read_options(int argc, char **argv, struct options *options)
{
	int option;

	*options = (struct options){ .file = SUPERD_SYSCONFDIR "/superd.ini" };
	while ((option = getopt(argc, argv, "c:s:tTDp:vVh")) != -1)
		switch (option) {
		case 'c': options->file = optarg; break;
		case 's': options->service_dir = optarg; break;
		case 't': options->test = true; break;
		case 'T': options->print = true; break;
		case 'D': options->daemon = true; break;
		case 'p': options->pid_file = optarg; break;
		case 'v': options->verbose = true; break;
		case 'V': return puts("superd " SUPERD_VERSION) == EOF || fflush(stdout) == EOF ? EX_OSERR : 0;
		case 'h': return usage(stdout, 0);
		default: return usage(stderr, EX_USAGE);
		}
	if (optind < argc) {
		fprintf(stderr, "superd: '%s' is not an option\n", argv[optind]);
		return usage(stderr, EX_USAGE);
	}
	return -1;
}

/* A daemon leaves its folder, and a reload must find the file again. */
static const char *
absolute(const char *path, char room[PATH_MAX])
{
	char folder[PATH_MAX];

	if (path == NULL || *path == '/' || getcwd(folder, sizeof folder) == NULL)
		return path;
	if (snprintf(room, PATH_MAX, "%s/%s", folder, path) >= PATH_MAX)
		return path;
	return room;
}

/*
 * What superd's parent left behind does not matter: descriptors are closed
 * (those of LISTEN_FDS aside), and dispositions are the default.  A signal that
 * asks superd for something waits until superd is ready; one that ends it may
 * do so while the configuration is read.  SIGPIPE and SIGXFSZ (a log file at its
 * limit is a full disk, not the end) are never looked at: the error will do.
 */
static int
clean_slate(void)
{
	static const int blocked[] = { SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, SIGXFSZ };
	sigset_t set;
	int fd;

	for (int i = 1; i < NSIG; i++)
		(void)signal(i, SIG_DFL);
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof blocked / sizeof *blocked; i++)
		sigaddset(&set, blocked[i]);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
	umask(022);
	do {
		fd = open("/dev/null", O_RDWR);
		if (fd == -1)
			return -1;
	} while (fd <= STDERR_FILENO);
	close(fd);
	notify_take_sockets();
	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fd == -1)
			return -1;
	} while (fd < CHILD_FREE);
	return close(fd);
}

/* Mistakes go to standard error; warnings too, or into the log where one is kept. */
static struct conf *
load(const struct conf_base *base, struct mistakes *wrong)
{
	struct conf *conf = conf_load(base, wrong);

	for (const struct mistake *m = wrong->first; m != NULL; m = m->next)
		fprintf(stderr, "%s\n", m->text);
	for (const struct mistake *m = wrong->first_warning; m != NULL && base->test; m = m->next)
		fprintf(stderr, "%s (warning)\n", m->text);
	return conf;
}

/* -t and -T */
static int
check(const struct conf_base *base, const struct options *options)
{
	struct mistakes mistakes = { .count = 0 };
	struct conf *conf = load(base, &mistakes);
	const char *wrong = "standard output cannot be written";
	int result, status = 0;

	mistakes_free(&mistakes);
	if (conf == NULL)
		return EX_CONFIG;
	if (options->print) {
		result = conf_print(conf, &wrong);
	} else {
		printf("%s: %u services, ok\n", options->file, conf->count);
		result = fflush(stdout);
	}
	if (result != 0) {
		fprintf(stderr, "superd: -%c: %s\n", options->print ? 'T' : 't', wrong);
		status = ferror(stdout) ? EX_OSERR : EX_CONFIG;
	}
	conf_release(conf);
	return status;
}

/* Sockets that were passed and that no service wants: left open they would take connections and never answer. */
static void
close_unwanted(void)
{
	int at = 0, fd;

	while ((fd = notify_next_socket(&at)) != -1) {
		struct sockaddr_storage name;
		socklen_t len = sizeof name;
		char text[ADDRESS_TEXT] = "a socket";
		struct peer peer;

		if (getsockname(fd, (struct sockaddr *)&name, &len) == 0) {
			address_of_sockaddr(&name, &peer);
			if (!peer.local)
				address_peer_text(&peer, text);
		}
		event_warning("%s was passed by LISTEN_FDS and belongs to no service: closed", text);
		notify_socket_taken(fd);
		close(fd);
	}
}

/* From here on superd serves.  The status to exit with. */
static int
serve(struct superd *superd, const char *pid_file, int ready)
{
	int status = 0;

	if (pid_file != NULL && pid_file_take(pid_file) == -1) {
		event_error("pid file %s: %s", pid_file, errno == EWOULDBLOCK ?
		    "another superd has it" : strerror(errno));
		return EX_OSERR;
	}
	if (superd->base->daemon) {
		background_ready(ready);
		log_without_stderr();
	} else {
		log_started();
	}
	log_flush();		/* what listens is in the log when it is said to be ready */
	notify_send("READY=1");
	memory_give_back();
	if (superd_run(superd) == -1) {
		event_error("the loop cannot go on: %s", strerror(errno));
		status = EX_OSERR;
	}
	if (superd->broken)
		status = EX_OSERR;
	if (pid_file != NULL)
		pid_file_leave(pid_file);
	return status;
}

static int
start(const struct conf_base *base, const struct rlimit *nofile)
{
	static struct superd superd;
	static char pid_file[PATH_MAX];		/* outlives the configuration that names it */
	struct mistakes mistakes = { .count = 0 };
	struct conf *conf = load(base, &mistakes);
	int ready = -1, status = mistakes.fatal ? EX_OSERR : EX_CONFIG;

	if (conf == NULL) {
		mistakes_free(&mistakes);
		return status;
	}
	if (base->daemon && (status = background_start(&ready)) != -1) {
		mistakes_free(&mistakes);
		conf_release(conf);
		return status;
	}
	if (log_open(conf_log_place(base, conf), conf->settings.log_format,
	    base->verbose ? LOG_LEVEL_DEBUG : conf->settings.log_level) == -1) {
		fprintf(stderr, "superd: %s: %s\n", conf->settings.log, strerror(errno));
		return EX_OSERR;
	}
	if (chdir("/") == -1 || superd_init(&superd, base, nofile) == -1) {
		fprintf(stderr, "superd: cannot start: %s\n", strerror(errno));
		return EX_OSERR;
	}
	for (const struct mistake *m = mistakes.first_warning; m != NULL; m = m->next)
		event_warning("%s", m->text);
	mistakes_free(&mistakes);
	if (conf_pid_file(base, conf) != NULL) {
		snprintf(pid_file, sizeof pid_file, "%s", conf_pid_file(base, conf));
		superd.pid_file = pid_file;
	}
	if (superd_apply(&superd, conf) == -1) {
		conf_release(conf);
		status = EX_OSERR;
	} else {
		close_unwanted();
		status = serve(&superd, superd.pid_file, ready);
	}
	superd_finish(&superd);
	log_close();
	return status;
}

int
main(int argc, char **argv)
{
	static char file[PATH_MAX], service_dir[PATH_MAX], pid_file[PATH_MAX];
	char missing[KERNEL_TEXT];
	struct options options;
	struct conf_base base;
	struct rlimit nofile;
	int status = read_options(argc, argv, &options);

	if (status != -1)
		return status;
	if (clean_slate() == -1 || getrlimit(RLIMIT_NOFILE, &nofile) == -1) {
		fprintf(stderr, "superd: /dev/null: %s\n", strerror(errno));
		return EX_OSERR;
	}
	if (!kernel_suffices(missing)) {
		fprintf(stderr, "superd: %s\n", missing);
		return EX_OSERR;
	}
	memory_init();
	log_init();
	base = (struct conf_base){ .file = absolute(options.file, file),
		.service_dir = absolute(options.service_dir, service_dir),
		.pid_file = absolute(options.pid_file, pid_file), .daemon = options.daemon,
		.test = options.test || options.print, .verbose = options.verbose,
		.nofile = nofile.rlim_max, .environ = environ };
	if (options.test || options.print)
		return check(&base, &options);
	return start(&base, &nofile);
}
