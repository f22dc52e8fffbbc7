/*
 * candidates.c - see candidates.h.
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "candidates.h"
#include "server.h"

#define SYSTEM_FOLDERS \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/systemd"

struct candidate candidate_floor = {
	.name = "floor", .binary = "bench/floor", .command = "%A %P %S"
};

struct candidate candidate_floor_full = {
	.name = "floor, full", .binary = "bench/floor", .command = "-f %A %P %S"
};

/*
 * What a careful administrator switches on.  Clients of 127.0.3.x are denied.
 * Standard error of services that nobody calls is left out: superd counts two
 * descriptors for each, and few systems allow so many.
 */
struct candidate candidate_full = {
	.name = "superd full", .binary = "sbin/superd", .command = "-c %C",
	.head = "[superd]\nlog = %L\ngrace = 1s\nmax_sessions = 50000\n[defaults]\nuser = %V\n"
	    "limit_cpu = 600\nlimit_as = 1G\nlimit_nofile = 256\nlimit_fsize = 1G\nlimit_core = 0\n"
	    "allow = 127.0.1.0/24 127.0.0.1\nmax_sessions = 50000\nmax_per_source = 5000\n"
	    "rate_per_source = 1000000/s\n",
	.service = "[s%N]\nlisten = %A:%P\nexec = %S\n",
	.idle = "[s%N]\nlisten = %A:%P\nexec = %S\nstderr = null\n"
};

/* As little as superd can do; the user of the benchmark serves. */
struct candidate candidate_min = {
	.name = "superd min", .binary = "sbin/superd", .command = "-c %C",
	.head = "[superd]\ngrace = 1s\nmax_sessions = 50000\n[defaults]\nuser = %U\n"
	    "log_sessions = none\nstderr = null\nmax_sessions = 50000\nmax_per_source = unlimited\n"
	    "keepalive = no\nnodelay = no\nno_new_privs = no\npass_env =\n",
	.service = "[s%N]\nlisten = %A:%P\nexec = %S\n"
};

struct filling {
	const struct candidate *candidate;
	const struct plan *plan;
	unsigned number;	/* of the server */
	unsigned service;
};

static const char *
user_name(void)
{
	const struct passwd *entry = getpwuid(getuid());

	return entry != NULL ? entry->pw_name : text("%u", getuid());
}

static void
fill_in(FILE *out, char what, const struct filling *filling)
{
	const struct service *service = &filling->plan->services[filling->service];
	size_t first = strcspn(service->program, " ");

	switch (what) {
	case 'A': fprintf(out, "127.0.%d.1", SERVER_NET); break;
	case 'C': fprintf(out, "%s/run/conf.%u", bench.stage, filling->number); break;
	case 'L': fprintf(out, "%s/run/log.%u", bench.stage, filling->number); break;
	case 'N': fprintf(out, "%u", filling->service); break;
	case 'P': fprintf(out, "%d", service->port); break;
	case 'S': fputs(service->program, out); break;
	case 'U': fputs(user_name(), out); break;
	case 'V': fputs(getuid() == 0 ? "nobody" : user_name(), out); break;
	case '0': fprintf(out, "%.*s", (int)first, service->program); break;
	default: fputc(what, out);
	}
}

static void
expand(FILE *out, const char *template, const struct filling *filling)
{
	for (; template != NULL && *template != '\0'; template++)
		if (*template == '%' && template[1] != '\0')
			fill_in(out, *++template, filling);
		else
			fputc(*template, out);
}

static void
configure(struct filling filling)
{
	char *path = staged("run", text("conf.%u", filling.number));
	FILE *out = fopen(path, "w");

	if (out == NULL)
		fail(path);
	expand(out, filling.candidate->head, &filling);
	for (filling.service = 0; filling.service < filling.plan->count; filling.service++)
		expand(out, filling.service > 0 && filling.candidate->idle != NULL ?
		    filling.candidate->idle : filling.candidate->service, &filling);
	if (fclose(out) == EOF)
		fail(path);
}

char *
candidate_command(const struct candidate *candidate, const struct plan *plan, unsigned number)
{
	struct filling filling = { candidate, plan, number, 0 };
	char *command = NULL;
	size_t len;
	FILE *out = open_memstream(&command, &len);

	if (out == NULL)
		fail("open_memstream");
	if (candidate->service != NULL)
		configure(filling);
	fprintf(out, "%s %s ", candidate->path, candidate->applet != NULL ? candidate->applet : "");
	expand(out, candidate->command, &filling);
	if (fclose(out) == EOF)
		fail("a command");
	return command;
}

/* busybox has what it was built with. */
static bool
has_applet(const char *path, const char *applet)
{
	char line[128];
	bool has = false;
	FILE *list = popen(text("'%s' --list 2>/dev/null", path), "r");

	if (list == NULL)
		return false;
	while (fgets(line, sizeof line, list) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		has = has || strcmp(line, applet) == 0;
	}
	pclose(list);
	return has;
}

static char *
find(const struct candidate *candidate, const char *folders)
{
	for (const char *folder = folders; *folder != '\0';) {
		int len = (int)strcspn(folder, ":");
		char *path = text("%.*s/%s", len, folder, candidate->binary);
		struct stat there;

		if (stat(path, &there) == 0 && S_ISREG(there.st_mode) && access(path, X_OK) == 0 &&
		    (candidate->applet == NULL || has_applet(path, candidate->applet)))
			return path;
		free(path);
		folder += len + (folder[len] == ':');
	}
	return NULL;
}

char *
candidate_path(const char *name)
{
	for (const struct candidate *peer = peers; peer->name != NULL; peer++)
		if (strcmp(peer->name, name) == 0)
			return peer->path;
	return NULL;
}

void
candidates_find(const char *folders)
{
	const char *path = getenv("PATH");
	char *all = text("%s%s%s:%s", folders, *folders != '\0' ? ":" : "",
	    path != NULL ? path : "", SYSTEM_FOLDERS);

	setenv("PATH", all, 1);		/* s6-tcpserver is several programs */
	setenv("SYSTEMD_LOG_LEVEL", "err", 1);
	candidate_floor.path = staged("bench", "floor");
	candidate_floor_full.path = candidate_floor.path;
	candidate_full.path = staged("sbin", "superd");
	candidate_min.path = candidate_full.path;
	for (struct candidate *peer = peers; peer->name != NULL; peer++)
		if ((peer->path = find(peer, all)) == NULL)
			printf("not here: %-24s %s\n", peer->name, peer->packages);
}
