/*
 * sendfile's datagram protocol, for one client: standard input and output are
 * a socket that keeps datagrams apart. The client drives: each datagram is one
 * question, answered at once or never, and nothing is sent unasked. No answer
 * is longer than its question until the client has shown, by the token, that
 * it receives at its address.
 */
#include "io.h"
#include "sendfile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define OPEN_SIZE 128		/* of a question that may get any answer but bytes */
#define BLOCK_SIZE 1024		/* bytes of the file in an answer */
#define HEAD_SIZE 32		/* of "data OFFSET\n" */
#define TOKEN_SIZE 17		/* 16 hexadecimal digits and a NUL */
#define ANSWER_SIZE 128

/* The file that is served: the open file itself, so that all bytes are of one version. */
struct served {
	int         file;		/* -1: none */
	struct stat about;		/* when it was opened */
	char        token[TOKEN_SIZE];
};

/* What is served when it is asked for. */
struct offer {
	const char *path;		/* of the only file; NULL: those of the working folder */
	const char *name;		/* what clients may call that one */
	bool        told;		/* that it cannot be opened was logged: once is enough */
};

/* Sends an answer that nothing is known about the asker for. Returns 0, or -1 with errno. */
static int
answer(const char *text, size_t question_size)
{
	const size_t size = strlen(text);

	return size <= question_size ? io_write(STDOUT_FILENO, text, size) : 0;
}

static int
refuse(const char *reason, size_t question_size)
{
	char text[ANSWER_SIZE];

	snprintf(text, sizeof text, "error %s", reason);
	return answer(text, question_size);
}

static bool
same_version(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void
forget(struct served *served)
{
	if (served->file != -1)
		close(served->file);
	served->file = -1;
}

/* Opens what the client names; NULL is no name. Returns -1 with errno. */
static int
offer_open(struct offer *offer, const char *name, struct stat *about)
{
	int file, reason;

	if (offer->path == NULL && name != NULL)
		return sendfile_open_beneath(name, about);
	if (offer->path == NULL || (name != NULL && strcmp(name, offer->name) != 0)) {
		errno = ENOENT;
		return -1;
	}
	file = sendfile_open(offer->path, about);
	reason = errno;
	if (file == -1 && !offer->told)
		io_complain(offer->path);
	offer->told = file == -1;
	errno = reason;
	return file;
}

/*
 * Serves the file from now on. A question that was sent twice must not make the
 * token of the first answer worthless, so the same version keeps its token.
 */
static int
serve(struct served *served, int file, const struct stat *about)
{
	uint64_t random;

	if (served->file != -1 && same_version(&served->about, about)) {
		close(file);
		return 0;
	}
	forget(served);
	if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) {
		close(file);
		return -1;
	}
	snprintf(served->token, sizeof served->token, "%016llx", (unsigned long long)random);
	served->file = file;
	served->about = *about;
	return 0;
}

/* Answers "open NAME"; returns 0, or -1 with errno where no answer can be sent. */
static int
answer_open(struct served *served, struct offer *offer, char *rest, size_t question_size)
{
	char text[ANSWER_SIZE];
	struct stat about;
	const char *name;
	int file;

	if (question_size < OPEN_SIZE)
		return refuse("the question is shorter than 128 bytes", question_size);
	name = sendfile_name(rest);
	if (name == NULL && *rest != '\0')
		return refuse("unknown request", question_size);
	file = offer_open(offer, name, &about);
	if (file == -1)
		return refuse(sendfile_refusal(errno), question_size);
	if (serve(served, file, &about) == -1)
		return refuse("no random number", question_size);
	snprintf(text, sizeof text, "ok %lld %s %lld", (long long)about.st_size, served->token,
	    (long long)about.st_mtime);
	return answer(text, question_size);
}

/*
 * Sends the block at the offset. Returns 0; -1 with errno where it cannot be
 * sent; 1 where the file is no longer what the client was told that it is.
 */
static int
send_block(const struct served *served, off_t offset)
{
	static char data[HEAD_SIZE + BLOCK_SIZE];
	const off_t left = served->about.st_size - offset;
	const size_t want = left <= 0 ? 0 : left < BLOCK_SIZE ? (size_t)left : BLOCK_SIZE;
	const size_t head = (size_t)snprintf(data, HEAD_SIZE, "data %lld\n", (long long)offset);
	struct stat now;

	if (want > 0 && pread(served->file, data + head, want, offset) != (ssize_t)want)
		return 1;
	/* Looked at after the bytes were read: so they are older than any change. */
	if (fstat(served->file, &now) == -1 || !same_version(&served->about, &now))
		return 1;
	return io_write(STDOUT_FILENO, data, head + want);
}

/* Answers "get TOKEN OFFSET"; returns 0, or -1 with errno. */
static int
answer_get(struct served *served, char *rest, size_t question_size)
{
	char *digits = strchr(rest, ' ');
	off_t offset;
	int sent;

	if (digits == NULL)
		return refuse("unknown request", question_size);
	*digits++ = '\0';
	if (!io_number(digits, strlen(digits), &offset))
		return refuse("unknown request", question_size);
	if (served->file == -1 || strcmp(rest, served->token) != 0)
		return refuse("token", question_size);
	sent = send_block(served, offset);
	if (sent != 1)
		return sent;
	forget(served);
	return refuse("token", question_size);
}

/* Answers one datagram, of which text has a NUL behind it. Returns 0, or -1 with errno. */
static int
answer_datagram(struct served *served, struct offer *offer, char *text, size_t size)
{
	char *rest;

	if (size == IO_LINE_SIZE)
		return refuse("the request is too long", size);
	if (strlen(text) != size)
		return refuse("unknown request", size);	/* a NUL would cut a name short */
	for (size_t end = size; end > 0 && strchr("\r\n", text[end - 1]) != NULL; end--)
		text[end - 1] = '\0';
	text = sendfile_trim(text);
	rest = text + strcspn(text, " ");
	if (*rest != '\0')
		*rest++ = '\0';
	rest = sendfile_trim(rest);
	if (strcmp(text, "open") == 0)
		return answer_open(served, offer, rest, size);
	if (strcmp(text, "get") == 0)
		return answer_get(served, rest, size);
	return refuse("unknown request", size);
}

int
sendfile_datagrams(const char *path, const char *folder)
{
	static char text[IO_LINE_SIZE + 1];
	struct served served = { .file = -1 };
	struct offer offer = { .path = path };
	ssize_t n;

	if (folder != NULL && chdir(folder) == -1) {
		io_complain(folder);
		return IO_FAILED;
	}
	if (path != NULL)
		offer.name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
	while ((n = io_read(STDIN_FILENO, text, IO_LINE_SIZE)) > 0) {
		text[n] = '\0';
		if (answer_datagram(&served, &offer, text, (size_t)n) == -1)
			break;
	}
	forget(&served);
	return n == 0 ? IO_OK : io_status("answer");
}
