/* harness_xinetd.c - see harness_xinetd.h. */
#include "harness_xinetd.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether superd -t takes a UDP address. */
bool
can_serve_udp(void)
{
	static int can = -1;
	char path[256], out[1024];
	const char *const args[] = { "-t", "-s", services(), "-c", path, NULL };

	if (can != -1)
		return can;
	snprintf(path, sizeof path, "%s/udp.ini", getenv("TMPDIR"));
	write_file(path, "[services]\nx = udp:127.0.0.1:0 echo\n");
	can = superd_output(out, sizeof out, args) == 0;
	return can;
}

bool
have_names(void)
{
	static const char *const names[] = { "amanda", "amandaidx", "ftp", "git", "rsync", "telnet" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (getservbyname(names[i], "tcp") == NULL)
			return false;
	return getservbyname("tftp", "udp") != NULL && getpwnam("nobody") != NULL &&
	    getgrnam("daemon") != NULL;
}

static const struct { const char *attribute, *from, *to; } changes[] = {
	{ "user", "amandabackup", "nobody" }, { "user", "nagios", "nobody" },
	{ "group", "nagios", "daemon" }, { "group", "disk", "daemon" },
	{ "disable", "yes", "no" },
};

/* For files whose services xinetd's packages ship switched off. */
static bool
stays_off(const char *file)
{
	static const char *const off[] = { "amandaidx", "echo-dgram", "ftp-sensor" };

	for (size_t i = 0; i < sizeof off / sizeof *off; i++)
		if (strcmp(file, off[i]) == 0)
			return true;
	return false;
}

/* The folder's part of a path below d->dir is made; gives the whole path. */
const char *
make_place(struct daemon *d, const char *path)
{
	static char whole[256];

	snprintf(whole, sizeof whole, "%s%s", d->dir, path);
	for (char *slash = whole + strlen(d->dir) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		must(mkdir(whole, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	return whole;
}

/* Writes the line as it is, or with what is changed in it. */
static void
copy_line(struct daemon *d, FILE *to, const char *line, const char *file, bool dgram)
{
	char attribute[32], value[128], program[256];

	if (sscanf(line, " %31[a-z_] = %127s", attribute, value) != 2) {
		fputs(line, to);
		return;
	}
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
		if (strcmp(attribute, changes[i].attribute) == 0 && strcmp(value, changes[i].from) == 0 &&
		    (strcmp(attribute, "disable") != 0 || !stays_off(file))) {
			fprintf(to, "\t%s = %s\n", attribute, changes[i].to);
			return;
		}
	if (strcmp(attribute, "log_type") == 0) {
		fprintf(to, "\tlog_type = FILE %s/log\n", d->dir);
	} else if (strcmp(attribute, "server") == 0 || strcmp(attribute, "banner_fail") == 0) {
		fprintf(to, "\t%s = %s%s\n", attribute, d->dir, value);
		snprintf(program, sizeof program, "%s/%s", tools(), dgram ? "answerer" : "given");
		if (attribute[0] == 's')
			copy_program(program, make_place(d, value));
	} else {
		fputs(line, to);
	}
}

static void
copy_file(struct daemon *d, const char *name, const char *file)
{
	char path[512], line[512];
	const char *text;
	bool dgram;
	FILE *from, *to;

	snprintf(path, sizeof path, "%s/tests/xinetd/%s", getenv("SRCDIR"), name);
	text = read_file(path);
	dgram = strstr(text, "dgram\n") != NULL && strstr(text, "= dgram") != NULL;
	if (text[0] == '\0')
		flunk("%s is not there", path);
	if (dgram && !can_serve_udp())
		return;
	from = fopen(path, "re");
	snprintf(path, sizeof path, "%s/%s", d->dir, name);
	if (from == NULL || (to = fopen(path, "we")) == NULL)
		flunk("copy %s: %s", name, strerror(errno));
	while (fgets(line, sizeof line, from) != NULL)
		copy_line(d, to, line, file, dgram);
	fclose(from);
	fclose(to);
}

static void
copy_configuration(struct daemon *d)
{
	char path[512];
	const struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof path, "%s/packages.d", d->dir);
	must(mkdir(path, 0755) == 0);
	copy_file(d, "packages.conf", "packages.conf");
	snprintf(path, sizeof path, "%s/tests/xinetd/packages.d", getenv("SRCDIR"));
	if ((folder = opendir(path)) == NULL)
		flunk("%s: %s", path, strerror(errno));
	while ((entry = readdir(folder)) != NULL) {
		snprintf(path, sizeof path, "packages.d/%.200s", entry->d_name);
		/* xinetd itself skips names with dots. */
		if (strchr(entry->d_name, '.') == NULL && entry->d_name[strlen(entry->d_name) - 1] != '~')
			copy_file(d, path, entry->d_name);
	}
	closedir(folder);
}

/* xinetd2superd packages.conf >superd.ini; exit status 1 says that it has something to tell. */
static void
convert(struct daemon *d)
{
	char program[256];
	int status = -1;
	pid_t pid;

	snprintf(program, sizeof program, "%s/xinetd2superd", getenv("BIN"));
	if ((pid = fork()) == 0) {
		if (chdir(d->dir) == 0 && freopen(d->ini, "w", stdout) != NULL &&
		    freopen("told", "w", stderr) != NULL)
			execl(program, program, "packages.conf", (char *)NULL);
		_exit(127);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) > 1)
		flunk("xinetd2superd: wait status 0x%x", (unsigned)status);
}

struct daemon *
start_packages(void)
{
	struct daemon *d;

	enter_netns();
	add_address("192.0.2.1/32");		/* of the service web-proxy ... */
	add_address("10.0.0.5/32");		/* ... and of the server behind it */
	route_to_lo("10.0.0.0/8");
	route_to_lo("192.168.0.0/16");
	d = daemon_new();
	copy_configuration(d);
	convert(d);
	snprintf(d->log_path, sizeof d->log_path, "%s/log", d->dir);
	write_file(make_place(d, "/etc/vsftpd.busy_banner"), "busy\n");
	daemon_run(d, NULL);
	daemon_ready(d);
	return d;
}
