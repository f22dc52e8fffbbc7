/*
 * The harness of the service programs' tests; filter.h says what it promises.
 */
#include "filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_S 30
#define SHOWN 200		/* bytes of unexpected output in a message */
#define DESCRIPTORS 1024	/* that the test may have inherited */

static void
pipes_open(int ours[2], int theirs[2])
{
	int to[2], from[2];

	ck_assert_int_eq(pipe2(to, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(from, O_CLOEXEC), 0);
	ours[0] = from[0];
	ours[1] = to[1];
	theirs[0] = to[0];
	theirs[1] = from[1];
}

static void
tcp_open(int ends[2])
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	struct sockaddr *any = (struct sockaddr *)&address;
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(listener, any, size), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(getsockname(listener, any, &size), 0);
	ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(ends[0], any, size), 0);
	ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(ends[1], 0);
	close(listener);
}

static void
sockets_open(enum channel channel, int ours[2], int theirs[2])
{
	const int type = channel == PACKETS ? SOCK_SEQPACKET : SOCK_STREAM;
	const int smallest = 1;
	int ends[2];

	if (channel == TCP)
		tcp_open(ends);
	else
		ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends), 0);
	for (int i = 0; channel == NARROW && i < 2; i++)
		setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &smallest, sizeof smallest);
	ours[0] = ours[1] = ends[0];
	theirs[0] = theirs[1] = ends[1];
}

static _Noreturn void
become(const char *const argv[], const int ends[2], void (*prepare)(void))
{
	const char *const folders[] = { getenv("SERVICES"), getenv("BIN") };
	union { const char *const *given; char *const *taken; } words = { .given = argv };
	char path[4096];

	if (dup2(ends[0], 0) == -1 || dup2(ends[1], 1) == -1 ||
	    dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 2) == -1)
		_exit(126);
	/* Nothing of what the test was started with; prepare may still use it. */
	for (int fd = 3; fd < DESCRIPTORS; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	clearenv();
	/* libcheck's own disposition would be inherited; superd gives defaults. */
	signal(SIGTERM, SIG_DFL);
	if (prepare != NULL)
		prepare();
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		snprintf(path, sizeof path, "%s/%s", folders[i] != NULL ? folders[i] : ".", argv[0]);
		execv(path, words.taken);
	}
	_exit(127);
}

struct filter
filter_start_with(enum channel channel, const char *const argv[],
    void (*prepare)(void))
{
	struct filter filter;
	int ours[2], theirs[2];

	signal(SIGPIPE, SIG_IGN);
	if (channel == PIPES)
		pipes_open(ours, theirs);
	else
		sockets_open(channel, ours, theirs);
	filter.pid = fork();
	ck_assert_int_ge(filter.pid, 0);
	if (filter.pid == 0) {
		signal(SIGPIPE, SIG_DFL);
		become(argv, theirs, prepare);
	}
	close(theirs[0]);
	if (theirs[1] != theirs[0])
		close(theirs[1]);
	filter.packets = channel == PACKETS;
	filter.out = ours[0];
	filter.in = ours[1];
	return filter;
}

struct filter
filter_start(enum channel channel, const char *const argv[])
{
	return filter_start_with(channel, argv, NULL);
}

void
filter_as_stream(void)
{
	setenv("PROTO", "TCP", 1);
}

void
filter_send(const struct filter *filter, const void *data, size_t size)
{
	const char *from = data;

	for (size_t sent = 0; sent < size;) {
		ssize_t n = write(filter->in, from + sent, size - sent);

		ck_assert_msg(n > 0, "write: %s", strerror(errno));
		sent += (size_t)n;
	}
}

void
filter_send_text(const struct filter *filter, const char *text)
{
	filter_send(filter, text, strlen(text));
}

void
filter_end_input(struct filter *filter)
{
	if (filter->in == filter->out) {
		shutdown(filter->in, SHUT_WR);
	} else {
		close(filter->in);
		filter->in = -1;
	}
}

void
filter_expect(const struct filter *filter, const void *data, size_t size)
{
	const char *wanted = data;
	char got[65536];

	for (size_t have = 0; have < size;) {
		size_t left = size - have;
		size_t room = filter->packets || left > sizeof got ? sizeof got : left;
		ssize_t n = read(filter->out, got, room);
		int shown = (int)(n < SHOWN ? n : SHOWN);

		ck_assert_msg(n > 0, "after %zu of %zu bytes: %s", have, size,
		    n == 0 ? "end of output" : strerror(errno));
		ck_assert_msg((size_t)n <= left, "a packet of %zd bytes, not %zu", n, left);
		ck_assert_msg(memcmp(got, wanted + have, (size_t)n) == 0,
		    "at %zu: '%.*s', not '%.*s'", have, shown, got, shown, wanted + have);
		have += (size_t)n;
	}
}

void
filter_expect_text(const struct filter *filter, const char *text)
{
	filter_expect(filter, text, strlen(text));
}

void
filter_expect_end(const struct filter *filter)
{
	char got[SHOWN];
	ssize_t n = read(filter->out, got, sizeof got);

	ck_assert_msg(n <= 0, "'%.*s', not the end", (int)n, got);
	ck_assert_msg(n == 0, "%s, not the end", strerror(errno));
}

void
filter_expect_reset(const struct filter *filter)
{
	char got[4096];
	ssize_t n;

	while ((n = read(filter->out, got, sizeof got)) > 0)
		continue;
	ck_assert_msg(n == -1 && errno == ECONNRESET, "an orderly end");
}

static int
exit_status(const struct filter *filter)
{
	int status;

	ck_assert_int_eq(waitpid(filter->pid, &status, 0), filter->pid);
	ck_assert_msg(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

static void
ends_close(const struct filter *filter)
{
	if (filter->in != filter->out && filter->in != -1)
		close(filter->in);
	if (filter->out != -1)
		close(filter->out);
}

int
filter_finish(struct filter *filter)
{
	ends_close(filter);
	return exit_status(filter);
}

int
filter_wait(struct filter *filter)
{
	int status = exit_status(filter);

	ends_close(filter);
	return status;
}

/* Reads what there is; returns false at the end of the output. */
static bool
collect(const struct filter *filter, struct result *result)
{
	const size_t step = 65536;
	ssize_t n;

	result->data = realloc(result->data, result->size + step + 1);
	ck_assert_ptr_nonnull(result->data);
	n = read(filter->out, result->data + result->size, step);
	ck_assert_msg(n >= 0 || errno == ECONNRESET, "read: %s", strerror(errno));
	result->size += n > 0 ? (size_t)n : 0;
	result->data[result->size] = '\0';
	return n > 0;
}

struct result
filter_rest(struct filter *filter)
{
	struct result result = { .size = 0 };

	while (collect(filter, &result))
		continue;
	result.status = filter_wait(filter);
	return result;
}

struct result
filter_run(enum channel channel, const char *const argv[], const void *input,
    size_t size)
{
	struct filter filter = filter_start(channel, argv);
	struct result result = { .size = 0 };
	const char *from = input;
	bool open = true;

	ck_assert_int_eq(fcntl(filter.in, F_SETFL, O_NONBLOCK | O_RDWR), 0);
	while (open) {
		struct pollfd both[] = {
			{ .fd = filter.out, .events = POLLIN },
			{ .fd = size > 0 ? filter.in : -1, .events = POLLOUT },
		};

		if (size == 0 && from != NULL) {
			filter_end_input(&filter);
			from = NULL;
		}
		ck_assert_int_gt(poll(both, 2, -1), 0);
		if (both[0].revents != 0)
			open = collect(&filter, &result);
		if (both[1].revents != 0) {
			ssize_t n = write(filter.in, from, size);

			/* A program may end without reading all. */
			if (n > 0) {
				from += n;
				size -= (size_t)n;
			} else if (errno != EAGAIN)
				size = 0;
		}
	}
	result.status = filter_finish(&filter);
	return result;
}

void
filter_check(const char *const argv[], const void *input, size_t size, int status,
    const void *output, size_t output_size)
{
	struct result result = filter_run(PIPES, argv, input, size);

	ck_assert_msg(result.size == output_size && memcmp(result.data, output, output_size) == 0,
	    "%zu bytes '%s', not %zu bytes '%.*s'", result.size, result.data, output_size,
	    (int)output_size, (const char *)output);
	ck_assert_int_eq(result.status, status);
	free(result.data);
}

static void
errors_too(void)
{
	dup2(1, 2);
}

void
filter_check_usage(const char *const argv[])
{
	struct filter filter = filter_start_with(PIPES, argv, errors_too);

	filter_expect_text(&filter, argv[0]);
	filter_expect_text(&filter, ": ");
	ck_assert_int_eq(filter_wait(&filter), 64);
	filter_check(argv, "", 0, 64, "", 0);
}

void
filter_check_help(const char *program)
{
	struct filter filter = filter_start(PIPES, ARGS(program, "-h"));

	filter_expect_text(&filter, "usage: ");
	filter_expect_text(&filter, program);
	ck_assert_int_eq(filter_wait(&filter), 0);
}

int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

TCase *
filter_case(const char *name)
{
	TCase *tc = tcase_create(name);

	if (getenv("CK_DEFAULT_TIMEOUT") == NULL)
		tcase_set_timeout(tc, TIMEOUT_S);
	return tc;
}

int
filter_main(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
