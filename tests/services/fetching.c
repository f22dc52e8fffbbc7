/*
 * The harness of fetch's tests; fetching.h says what it promises.
 */
#include "fetching.h"
#include "folder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *
variable(const char *name)
{
	const char *value = getenv(name);

	ck_assert_msg(value != NULL, "%s is not set; run these tests by 'make check-services'", name);
	return value;
}

/*
 * Starts a program of a folder; puts the other ends of its input and of out_fd,
 * its standard output or error. errors is its standard error, unless it is -1.
 */
static pid_t
start(const char *folder, const char *const argv[], int *in, int *out, int out_fd, int errors)
{
	union { const char *const *given; char *const *taken; } words = { .given = argv };
	int to[2], from[2];
	char path[4096];
	pid_t pid;

	snprintf(path, sizeof path, "%s/%s", folder, argv[0]);
	ck_assert_int_eq(pipe2(to, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(from, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGTERM, SIG_DFL);
		dup2(to[0], 0);
		dup2(from[1], out_fd);
		if (errors != -1)
			dup2(errors, 2);
		execv(path, words.taken);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	*in = to[1];
	*out = from[0];
	return pid;
}

/* Reads to the end; a NUL is behind it. */
static char *
read_all(int fd)
{
	char *text = malloc(4096);
	size_t size = 0;
	ssize_t n;

	while ((n = read(fd, text + size, 4095 - size)) > 0)
		size += (size_t)n;
	text[size] = '\0';
	close(fd);
	return text;
}

struct tool
tool_start(const char *const argv[])
{
	struct tool tool;
	size_t size = 0;

	tool.pid = start(variable("TOOLS"), argv, &tool.in, &tool.out, 1, -1);
	while (size == 0 || tool.port[size - 1] != '\n') {
		ck_assert_uint_lt(size, sizeof tool.port);
		ck_assert_msg(read(tool.out, &tool.port[size], 1) == 1, "%s says no port", argv[0]);
		size++;
	}
	tool.port[size - 1] = '\0';
	return tool;
}

char *
tool_stop(struct tool *tool)
{
	int status;
	char *text;

	close(tool->in);
	text = read_all(tool->out);
	ck_assert_int_eq(waitpid(tool->pid, &status, 0), tool->pid);
	ck_assert_int_eq(status, 0);
	return text;
}

struct tool
sendfile_start(const char *port, const char *folder, const char *file)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/sendfile", variable("SERVICES"));
	if (folder == NULL)
		return tool_start(ARGS("peers", port, path, file));
	return tool_start(ARGS("peers", port, path, "-d", folder));
}

struct fetching
fetch_start(const char *const args[])
{
	return fetch_start_on(args, -1);
}

struct fetching
fetch_start_on(const char *const args[], int errors)
{
	const char *argv[16] = { "fetch" };
	struct fetching fetching;
	int in;

	for (size_t i = 0; args[i] != NULL; i++)
		argv[i + 1] = args[i];
	fetching.pid = start(variable("BIN"), argv, &in, &fetching.errors, errors == -1 ? 2 : 1,
	    errors);
	close(in);
	return fetching;
}

int
fetch_end(struct fetching *fetching, char text[4096])
{
	char *said = read_all(fetching->errors);
	int status;

	if (text != NULL)
		strcpy(text, said);
	free(said);
	ck_assert_int_eq(waitpid(fetching->pid, &status, 0), fetching->pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
fetch_run(const char *const args[], char text[4096])
{
	struct fetching fetching = fetch_start(args);

	return fetch_end(&fetching, text);
}

void
file_make(const char *name, const char *data, size_t size, long seconds)
{
	const struct timespec times[] = { { seconds, 0 }, { seconds, 0 } };
	int file = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_msg(file >= 0, "%s: %s", name, strerror(errno));
	ck_assert_int_eq(write(file, data, size), (ssize_t)size);
	ck_assert_int_eq(futimens(file, times), 0);
	close(file);
}

size_t
expect_beginning(const char *name, const char *data, size_t size)
{
	char *got = malloc(size + 1);
	int file = open(name, O_RDONLY | O_CLOEXEC);
	struct stat about;
	ssize_t n;

	ck_assert_msg(file >= 0, "%s: %s", name, strerror(errno));
	n = read(file, got, size + 1);
	ck_assert_int_ge(n, 0);
	ck_assert_uint_le((size_t)n, size);
	ck_assert_msg(memcmp(got, data, (size_t)n) == 0, "%s has other bytes", name);
	ck_assert_int_eq(fstat(file, &about), 0);
	ck_assert_int_eq(about.st_mtime, 1700000000);
	close(file);
	free(got);
	return (size_t)n;
}

void
expect_file(const char *name, const char *data, size_t size)
{
	ck_assert_uint_eq(expect_beginning(name, data, size), size);
}

static struct sockaddr_in
loopback(const char *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	return address;
}

int
loopback_open(int type, char port[16])
{
	struct sockaddr_in address = loopback("0");
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 8), 0);
	snprintf(port, 16, "%u", (unsigned)ntohs(address.sin_port));
	return fd;
}

struct middle
middle_open(const char *server_port)
{
	const struct sockaddr_in server = loopback(server_port);
	struct middle middle = { .front = -1 };

	middle.front = loopback_open(SOCK_DGRAM, middle.port);
	middle.back = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(middle.back, (const struct sockaddr *)&server, sizeof server), 0);
	return middle;
}

void
middle_close(struct middle *middle)
{
	close(middle->front);
	close(middle->back);
}

/* A client that opens a new socket gets a new one to the server, too: another client there. */
static void
meet(struct middle *middle, const struct sockaddr_in *client)
{
	struct sockaddr_in server;
	socklen_t size = sizeof server;

	if (client->sin_port == middle->client.sin_port)
		return;
	middle->client = *client;
	ck_assert_int_eq(getpeername(middle->back, (struct sockaddr *)&server, &size), 0);
	close(middle->back);
	middle->back = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(middle->back, (const struct sockaddr *)&server, size), 0);
}

static void
count_block(struct middle *middle, const char *answer)
{
	long long offset;

	if (sscanf(answer, "data %lld\n", &offset) != 1 || offset / 1024 >= MIDDLE_BLOCKS)
		return;
	middle->blocks += !middle->came[offset / 1024];
	middle->came[offset / 1024] = true;
}

/* Passes what is there. Returns true, with the question, where that asks for the offset. */
static bool
middle_step(struct middle *middle, long long offset, char question[4096], int extra)
{
	struct pollfd polled[] = {
		{ .fd = middle->front, .events = POLLIN }, { .fd = middle->back, .events = POLLIN },
		{ .fd = extra, .events = POLLIN },
	};
	struct sockaddr_in from;
	socklen_t size = sizeof from;
	long long asked;
	ssize_t n;

	ck_assert_int_gt(poll(polled, 3, -1), 0);
	if (polled[1].revents != 0 && (n = recv(middle->back, question, 4095, 0)) > 0) {
		question[n] = '\0';
		if (sendto(middle->front, question, (size_t)n, 0, (struct sockaddr *)&middle->client,
		    sizeof middle->client) == n)
			count_block(middle, question);
	}
	if (polled[0].revents == 0)
		return false;
	n = recvfrom(middle->front, question, 4095, 0, (struct sockaddr *)&from, &size);
	ck_assert_int_gt(n, 0);
	question[n] = '\0';
	meet(middle, &from);
	if (sscanf(question, "get %*s %lld", &asked) == 1 && asked >= offset)
		return true;
	(void)!send(middle->back, question, (size_t)n, 0);
	return false;
}

void
middle_pass_until(struct middle *middle, long long offset, char question[4096])
{
	while (!middle_step(middle, offset, question, -1))
		continue;
}

void
middle_pass_to_the_end(struct middle *middle, const struct fetching *fetching)
{
	struct pollfd ended = { .fd = fetching->errors };
	char question[4096];

	while (poll(&ended, 1, 0) == 0)
		middle_step(middle, INT64_MAX, question, fetching->errors);
}
