/*
 * conf_inetd.c - the lines of a classic inetd.conf(5), as update-inetd(8) keeps
 * them, become sections as if they stood in superd.ini:
 *
 *	[ADDRESS:]SERVICE TYPE PROTOCOL WAIT[.MAX] USER[.GROUP] PROGRAM [ARGV0 ARG ...]
 *
 * What inetd did differently and cannot be told by a key is a warning with the
 * number of its line; the other lines serve.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bounds.h"
#include "conf_draft.h"
#include "names.h"
#include "words.h"

#define INETD_ORDER	(FILES_MAX + 2)	/* its mistakes are told after those of all other files */
#define ARGUMENTS_MAX	256

enum { SERVICE, TYPE, PROTOCOL, WAIT, USER, PROGRAM, ARGV0, FIELDS_LEAST = ARGV0 };

struct inetd_line {
	struct draft	*draft;
	struct place	 at;
	char		*field[ARGUMENTS_MAX];	/* NULL behind the last */
	unsigned	 count;
	const char	*family;		/* "", "4" or "6" */
	char		*const *lines;		/* of the whole file */
	unsigned	 line_count;
};

static void
cannot(const struct inetd_line *line, const char *why)
{
	mistakes_warn(line->draft->wrong, line->at, NULL, line->field[SERVICE], "%s; the line is left out", why);
}

/* Blanks separate; inetd knows no quotes. */
static bool
split_line(struct inetd_line *line, char *text)
{
	char *rest = NULL, *field;

	line->count = 0;
	for (field = strtok_r(text, " \t\r\n", &rest); field != NULL;
	    field = strtok_r(NULL, " \t\r\n", &rest)) {
		if (line->count == ARGUMENTS_MAX - 1)
			return false;
		line->field[line->count++] = field;
	}
	line->field[line->count] = NULL;
	return true;
}

static bool
is_dgram(const struct inetd_line *line)
{
	return strcmp(line->field[TYPE], "dgram") == 0;
}

/* What follows "tcp" or "udp". */
static bool
is_family(const char *text)
{
	return *text == '\0' || strcmp(text, "4") == 0 || strcmp(text, "6") == 0 ||
	    strcmp(text, "46") == 0;
}

/* NULL, or why superd cannot serve the line. */
static const char *
unservable(struct inetd_line *line)
{
	const char *protocol = line->field[PROTOCOL], *type = line->field[TYPE];

	if (strncmp(protocol, "rpc/", 4) == 0)
		return "Sun RPC is not served";
	if (strncmp(line->field[SERVICE], "tcpmux", 6) == 0)
		return "tcpmux is not served";
	if (strcmp(line->field[PROGRAM], "internal") != 0 && access(line->field[PROGRAM], F_OK) == -1)
		return "there is no such program";	/* packages leave their lines behind */
	if (strcmp(type, "stream") != 0 && strcmp(type, "dgram") != 0)
		return "only stream and dgram sockets are served";
	if (strncmp(protocol, is_dgram(line) ? "udp" : "tcp", 3) != 0 || !is_family(protocol + 3))
		return is_dgram(line) ? "the protocol is none of udp, udp4 and udp6" :
		    "the protocol is none of tcp, tcp4 and tcp6";
	line->family = strcmp(protocol + 3, "46") == 0 ? "" : protocol + 3;
	return NULL;
}

/*
 * "tcp" means both families, as with OpenBSD's inetd.  Where a line for tcp6
 * stands beside it, it meant IPv4; and so does udp.
 */
static bool
has_six_twin(const struct inetd_line *line)
{
	const char *service = line->field[SERVICE];
	size_t len = strlen(service);

	for (unsigned i = 0; i < line->line_count; i++) {
		const char *at = line->lines[i] + strspn(line->lines[i], " \t");

		if (strncmp(at, service, len) != 0 || (at[len] != ' ' && at[len] != '\t'))
			continue;
		at += len + strspn(at + len, " \t");
		at += strcspn(at, " \t");
		at += strspn(at, " \t");
		if (strncmp(at, is_dgram(line) ? "udp6" : "tcp6", 4) == 0)
			return true;
	}
	return false;
}

/* The port's name, made unique; "127.0.0.1:smtp" is smtp. */
static const char *
name_section(const struct inetd_line *line)
{
	struct arena *arena = &line->draft->arena;
	const char *colon = strrchr(line->field[SERVICE], ':');
	const char *base = colon != NULL ? colon + 1 : line->field[SERVICE], *name = base;

	for (unsigned i = 2; name != NULL && draft_find_section(line->draft, name) != NULL; i++)
		name = i == 2 ? arena_print(arena, "%s-%s", base, line->field[PROTOCOL]) :
		    arena_print(arena, "%s-%s-%u", base, line->field[PROTOCOL], i);
	return name;
}

static const char *
listen_value(const struct inetd_line *line)
{
	const char *service = line->field[SERVICE];
	const char *family = *line->family == '\0' && has_six_twin(line) ? "4" : line->family;

	return arena_print(&line->draft->arena, "%s%s:%s", is_dgram(line) ? "udp" : "tcp", family,
	    strncmp(service, "*:", 2) == 0 ? service + 2 : service);
}

/* The bundled program in place of a built-in; else PROGRAM and the arguments behind argv[0]. */
static const char *
exec_value(const struct inetd_line *line)
{
	struct arena *arena = &line->draft->arena;
	const char *colon = strrchr(line->field[SERVICE], ':');
	const char *value;

	if (strcmp(line->field[PROGRAM], "internal") == 0)
		return colon != NULL ? colon + 1 : line->field[SERVICE];
	value = words_quote(arena, line->field[PROGRAM]);
	for (unsigned i = ARGV0 + 1; i < line->count && value != NULL; i++)
		value = arena_print(arena, "%s %s", value, words_quote(arena, line->field[i]));
	return value;
}

/* USER, USER.GROUP or USER:GROUP; a user's name may have a dot itself. */
static void
add_user(const struct inetd_line *line, struct section *section)
{
	char *user = line->field[USER], *mark = strpbrk(user, ":");
	struct name_user known;

	if (mark == NULL && !names_user(user, &known))
		mark = strrchr(user, '.');
	if (mark != NULL) {
		*mark = '\0';
		draft_add_value(line->draft, section, "group", mark + 1, line->at);
	}
	draft_add_value(line->draft, section, "user", user, line->at);
}

/* A program for datagrams wants the socket itself; the bundled ones have a process for each peer. */
static bool
takes_socket(const struct inetd_line *line, bool waits)
{
	if (!is_dgram(line))
		return waits;
	if (strcmp(line->field[PROGRAM], "internal") == 0)
		return false;
	if (!waits)
		mistakes_warn(line->draft->wrong, line->at, NULL, line->field[SERVICE],
		    "dgram with nowait gave one socket to several processes; it is served as wait");
	return true;
}

/* "nowait.40", "wait/1": at most so many starts in a minute. */
static bool
add_wait(const struct inetd_line *line, struct section *section)
{
	const char *wait = line->field[WAIT];
	size_t len = strcspn(wait, "./");
	bool yes = len == 4 && strncmp(wait, "wait", 4) == 0;
	unsigned long most;
	char *end;

	if (!yes && (len != 6 || strncmp(wait, "nowait", 6) != 0))
		return false;
	draft_add_value(line->draft, section, "wait", takes_socket(line, yes) ? "yes" : "no", line->at);
	if (wait[len] == '\0')
		return true;
	most = strtoul(wait + len + 1, &end, 10);
	if (end == wait + len + 1 || most == 0 || most > RATE_MOST)
		return false;
	draft_add_value(line->draft, section, "rate",
	    arena_print(&line->draft->arena, "%lu/m:%lu", most, most), line->at);
	return true;
}

static void
serve_line(struct inetd_line *line)
{
	struct draft *draft = line->draft;
	const char *why = line->count < FIELDS_LEAST ?
	    "is not SERVICE TYPE PROTOCOL WAIT USER PROGRAM" : unservable(line);
	struct section *section;
	const char *name;

	if (why != NULL) {
		cannot(line, why);
		return;
	}
	if ((name = name_section(line)) == NULL ||
	    (section = draft_add_section(draft, name, line->at)) == NULL)
		return;
	section->heading = true;
	draft_add_value(draft, section, "listen", listen_value(line), line->at);
	draft_add_value(draft, section, "exec", exec_value(line), line->at);
	if (line->count > ARGV0 && strcmp(line->field[PROGRAM], "internal") != 0)
		draft_add_value(draft, section, "argv0", line->field[ARGV0], line->at);
	add_user(line, section);
	draft_add_value(draft, section, "no_new_privs", "no", line->at);
	if (!add_wait(line, section))
		mistakes_add(draft->wrong, line->at, name, NULL,
		    "'%s' is not nowait, wait, nowait.MAX or wait.MAX", line->field[WAIT]);
}

static void
read_lines(struct draft *draft, FILE *file, const char *path)
{
	struct inetd_line line = { .draft = draft, .at = { .file = path, .order = INETD_ORDER } };
	char *text = NULL, **lines = NULL, **more;
	unsigned count = 0;
	size_t room = 0;

	while (getline(&text, &room, file) != -1) {
		more = reallocarray(lines, count + 1, sizeof *lines);
		if (more == NULL)
			break;
		lines = more;
		lines[count++] = text;
		text = NULL;
	}
	line.lines = lines;
	line.line_count = count;
	for (unsigned i = 0; i < count; i++) {
		char *start = lines[i] + strspn(lines[i], " \t\r\n");
		char *copy = arena_text(&draft->arena, start);

		line.at.line = i + 1;
		if (*start == '#' || *start == '\0' || copy == NULL)
			continue;
		if (!split_line(&line, copy)) {
			cannot(&line, "too many arguments");
			continue;
		}
		serve_line(&line);
	}
	for (unsigned i = 0; i < count; i++)
		free(lines[i]);
	free(lines);
	free(text);
}

void
conf_read_inetd(struct draft *draft, const struct entry *key)
{
	int fd = open(key->value, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	FILE *file;

	if (fd == -1 || fstat(fd, &status) == -1)
		mistakes_add(draft->wrong, key->at, "superd", "inetd_conf", "%s: %s", key->value, strerror(errno));
	else if (!S_ISREG(status.st_mode))
		mistakes_add(draft->wrong, key->at, "superd", "inetd_conf", "%s: is not a plain file", key->value);
	else if ((file = fdopen(fd, "r")) != NULL) {
		read_lines(draft, file, key->value);
		fclose(file);
		return;
	}
	if (fd != -1)
		close(fd);
}
