/*
 * fetch: downloads a file from sendfile, by any of its protocols, and goes on
 * where an earlier fetch stopped.
 */
#include "client.h"
#include "fetch.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_S 30		/* default of -t */
#define PATIENCE_S_MAX 86400

static const char usage[] =
    "usage: fetch [-fqu] [-o FILE] [-t SECONDS] HOST PORT [NAME]\n"
    "  downloads NAME from sendfile; without NAME its only file\n"
    "  -f          start over, whatever FILE already holds\n"
    "  -o FILE     write to FILE, not to the last part of NAME\n"
    "  -q          no progress on a terminal\n"
    "  -t SECONDS  give up after such a silence (30)\n"
    "  -u          over UDP\n"
    "  -h          this help\n";

static int
wrong(const char *message)
{
	fprintf(stderr, "fetch: %s\n%s", message, usage);
	return FETCH_USAGE;
}

/* The number of seconds in a text, 0 where it is none. */
static int
seconds(const char *text)
{
	int64_t value;

	if (!fetch_number(text, text + strlen(text), false, &value) || value > PATIENCE_S_MAX)
		return 0;
	return (int)value;
}

/* Reads the arguments after the options. Returns NULL, or what is wrong with them. */
static const char *
read_words(struct fetch_job *job, int count, char *const words[])
{
	if (count < 2 || count > 3)
		return "HOST, PORT and perhaps NAME are expected";
	job->host = words[0];
	job->port = words[1];
	job->name = words[2];		/* NULL ends the words */
	if (client_no_port(job->port))
		return "PORT is 1 to 65535, or a name";
	if (job->name != NULL && *job->name == '\0')
		return "NAME is empty";
	if (job->name != NULL && strlen(job->name) > FETCH_NAME_MAX)
		return "NAME is too long";
	if (job->name != NULL && strpbrk(job->name, "\r\n") != NULL)
		return "NAME has a line end";
	if (job->path != NULL)
		return *job->path != '\0' ? NULL : "FILE is empty";
	if (job->name == NULL)
		return "without NAME, -o FILE is needed";
	job->path = strrchr(job->name, '/') != NULL ? strrchr(job->name, '/') + 1 : job->name;
	if (*job->path == '\0' || strcmp(job->path, ".") == 0 || strcmp(job->path, "..") == 0)
		return "NAME ends in no name for a file: -o FILE is needed";
	return NULL;
}

static int
fetch(const struct fetch_job *job, bool datagrams)
{
	struct fetch_file file;
	int status;

	signal(SIGPIPE, SIG_IGN);
	if (fetch_file_look(&file, job->path, job->anew) == -1)
		return FETCH_FAILED;
	if (datagrams)
		status = fetch_by_datagrams(job, &file);
	else
		status = job->name != NULL ? fetch_by_lines(job, &file) :
		    fetch_by_bytes(job, &file);
	fetch_progress_end();
	if (fetch_file_close(&file) == -1)
		status = FETCH_FAILED;
	fetch_signals_release();
	return status;
}

int
main(int argc, char *argv[])
{
	struct fetch_job job = { .patience_s = PATIENCE_S };
	bool datagrams = false;
	const char *mistake;
	int option;

	opterr = 0;
	while ((option = getopt(argc, argv, "fho:qt:u")) != -1)
		switch (option) {
		case 'f':
			job.anew = true;
			break;
		case 'h':
			return fputs(usage, stdout) == EOF || fflush(stdout) == EOF ?
			    FETCH_FAILED : FETCH_WHOLE;
		case 'o':
			job.path = optarg;
			break;
		case 'q':
			job.quiet = true;
			break;
		case 't':
			if ((job.patience_s = seconds(optarg)) == 0)
				return wrong("-t wants seconds, 1 to 86400");
			break;
		case 'u':
			datagrams = true;
			break;
		default:
			return wrong("unknown option, or one without its value");
		}
	if ((mistake = read_words(&job, argc - optind, argv + optind)) != NULL)
		return wrong(mistake);
	return fetch(&job, datagrams);
}
