/*
 * sendfile's line protocol: the files of a folder. Requests are answered in
 * turn until the client ends.
 */
#include "io.h"
#include "sendfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIST_MAX 65536		/* files in a list; bounds its memory */
#define LIST_LINE 48		/* of a line of the list without the name */

enum verb { GET, SIZE, LIST };

struct request {
	enum verb   verb;
	const char *name;	/* within the line; NULL for LIST */
	off_t       offset;
};

static int stall_s;		/* a client that stalls for so long is cut off */

static int
send_text(const char *text, bool more)
{
	struct io_load load = { .memory = text, .end = (off_t)strlen(text), .more = more };

	return io_send(&load, stall_s);
}

/* Reads NAME [OFFSET]; NAME may stand in quotes, which is how one ends in a word of digits. */
static bool
name_read(char *text, struct request *request)
{
	char *last = strrchr(text, ' ');

	if (request->verb == GET && last != NULL &&
	    io_number(last + 1, strlen(last + 1), &request->offset))
		*last = '\0';
	request->name = sendfile_name(text);
	return request->name != NULL;
}

/* Reads a line without its newline; the name stays within it. */
static bool
request_read(char *line, size_t size, struct request *request)
{
	static const char *const verbs[] = { [GET] = "get", [SIZE] = "size", [LIST] = "list" };
	char *rest;

	*request = (struct request){ .verb = GET };
	if (strlen(line) != size)
		return false;			/* a NUL would cut a name short */
	if (size > 0 && line[size - 1] == '\r')
		line[size - 1] = '\0';
	line = sendfile_trim(line);
	rest = line + strcspn(line, " ");
	if (*rest != '\0')
		*rest++ = '\0';
	while (strcmp(line, verbs[request->verb]) != 0)
		if (request->verb++ == LIST)
			return false;
	rest = sendfile_trim(rest);
	return request->verb == LIST ? *rest == '\0' : name_read(rest, request);
}

static int
refuse(const char *reason)
{
	char line[80];

	snprintf(line, sizeof line, "error %s\n", reason);
	return send_text(line, false);
}

static int
accept_request(off_t size, time_t changed, bool more)
{
	char line[64];

	snprintf(line, sizeof line, "ok %lld %lld\n", (long long)size, (long long)changed);
	return send_text(line, more);
}

static int
answer_file(const struct request *request)
{
	struct io_load load = { .next = request->offset };
	struct stat about;
	int sent;

	load.file = sendfile_open_beneath(request->name, &about);
	if (load.file == -1)
		return refuse(sendfile_refusal(errno));
	load.end = about.st_size;
	if (load.next > load.end)
		load.next = load.end;
	if (request->verb == SIZE)
		load.next = load.end;
	sent = accept_request(request->verb == SIZE ? load.end : load.end - load.next,
	    about.st_mtime, load.next < load.end);
	if (sent == 0)
		sent = io_send(&load, stall_s);
	close(load.file);
	return sent;
}

static size_t list_count;	/* names chosen for the list, as scandir(3) carries no argument */

/*
 * Chooses the names for the list: at most LIST_MAX, none hidden, and none that
 * a line cannot carry.
 */
static int
list_wants(const struct dirent *entry)
{
	for (const char *c = entry->d_name; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return 0;
	return entry->d_name[0] != '.' && list_count++ < LIST_MAX;
}

/* Writes the lines of the regular files among the names; returns them allocated, or NULL. */
static char *
list_write(struct dirent **names, int count)
{
	size_t room = 1, used = 0;
	struct stat about;
	char *text;

	for (int i = 0; i < count; i++)
		room += strlen(names[i]->d_name) + LIST_LINE;
	if ((text = malloc(room)) == NULL)
		return NULL;
	*text = '\0';
	for (int i = 0; i < count; i++)
		if (fstatat(AT_FDCWD, names[i]->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(about.st_mode))
			used += (size_t)snprintf(text + used, room - used, "%lld %lld %s\n",
			    (long long)about.st_size, (long long)about.st_mtime,
			    names[i]->d_name);
	return text;
}

static int
answer_list(void)
{
	struct dirent **names;
	struct stat about;
	char *text;
	int count, sent;

	list_count = 0;
	count = stat(".", &about) == 0 ? scandir(".", &names, list_wants, alphasort) : -1;
	if (count == -1)
		return refuse(sendfile_refusal(errno));
	text = list_write(names, count);
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
	if (text == NULL)
		return refuse("out of memory");
	sent = accept_request((off_t)strlen(text), about.st_mtime, *text != '\0');
	if (sent == 0)
		sent = send_text(text, false);
	free(text);
	return sent;
}

static int
answer(char *line, size_t size)
{
	struct request request;

	if (!request_read(line, size, &request))
		return refuse("unknown request");
	return request.verb == LIST ? answer_list() : answer_file(&request);
}

/* The next request, which has to be there as a whole in time. */
static char *
next_line(struct io_lines *lines, size_t *size)
{
	return io_line(lines, size, io_now_ms() + stall_s * INT64_C(1000));
}

int
sendfile_lines(const char *folder, int stall_seconds)
{
	static struct io_lines lines;
	size_t size;
	char *line;

	stall_s = stall_seconds;
	if (chdir(folder) == -1)
		return sendfile_cut_off(folder);
	while ((line = next_line(&lines, &size)) != NULL)
		if (answer(line, size) == -1)
			return sendfile_cut_off("answer");
	if (errno == 0)
		return IO_OK;
	if (errno != EMSGSIZE)
		return sendfile_cut_off("request");
	if (refuse("the request is too long") == 0)
		io_linger();
	return IO_FAILED;
}
