/*
 * Large numbers: a million refusals leave superd as it was, and four thousand
 * services that nobody uses cost the one that is used nothing.  What is measured
 * is superd's own CPU time, one superd against another in the same minute, and
 * never how long something took.
 */
#include "harness_admission.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* --- a million refusals */

enum { CLIENTS = 4, WARM_UP = 5000, MILLION = 1000000, FEWER = 100000, GROWTH_KB = 512 };

/* Connects from this address, sees the end, and leaves nothing in TIME_WAIT. */
static bool
be_refused(const struct sockaddr_in *to, uint32_t from)
{
	const struct timeval limit = { .tv_sec = DEADLINE_MS / 1000 };
	const struct linger now = { .l_onoff = 1 };
	const int yes = 1;
	struct sockaddr_in self = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(from) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char byte;
	bool done = fd != -1 && setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0 &&
	    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes) == 0 &&
	    bind(fd, (struct sockaddr *)&self, sizeof self) == 0 &&
	    connect(fd, (const struct sockaddr *)to, sizeof *to) == 0 && receive(fd, &byte, 1, 0) == 0;

	if (fd != -1)
		close(fd);
	return done;
}

/* Each from an address of its own: 127.64.0.0 and on. */
static _Noreturn void
be_refused_often(int port, unsigned first, unsigned count)
{
	const struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	for (unsigned i = first; i < first + count; i++)
		if (!be_refused(&to, 0x7f400000 + i))
			_exit(1);
	_exit(0);
}

/* So many refusals, by several clients at once. */
static void
refuse_many(struct daemon *d, unsigned first, unsigned count)
{
	const int port = port_of(address_of(d, "hold", 0));
	pid_t pids[CLIENTS];
	int status;

	for (unsigned i = 0; i < CLIENTS; i++) {
		const unsigned from = count / CLIENTS * i, to = i + 1 == CLIENTS ? count :
		    count / CLIENTS * (i + 1);

		if ((pids[i] = fork()) == -1)
			flunk("fork: %s", strerror(errno));
		if (pids[i] == 0)
			be_refused_often(port, first + from, to - from);
	}
	for (unsigned i = 0; i < CLIENTS; i++)
		if (waitpid(pids[i], &status, 0) != pids[i] || status != 0)
			flunk("a client was not refused as it should be");
}

/* Where memory cannot be judged anyway, fewer do: they take several times as long there. */
START_TEST(million_refusals_leave_neither_memory_nor_descriptors)
{
	struct daemon *d = daemon_start("[services]\n"
	    "hold = 127.0.0.1:0 hold\n[hold]\nallow = 127.0.0.7\nrate_per_source = 1/s\n");
	const unsigned count = memory_is_superds_own() ? MILLION : FEWER;
	unsigned descriptors;
	long writable;

	refuse_many(d, 0, WARM_UP);
	descriptors = open_descriptors(d->pid);
	writable = writable_kb(d->pid);
	refuse_many(d, WARM_UP, count);
	must(status_number(d, "hold", "refused_denied") == (long)(WARM_UP + count));
	must(open_descriptors(d->pid) == descriptors);
	must(!memory_is_superds_own() || writable_kb(d->pid) - writable < GROWTH_KB);
	must(children_of(d->pid, 0) == 0);
	hang_up_and_wait(d, must_serve(d, "hold", "127.0.0.7"));
	daemon_stop(d);
}
END_TEST

/* --- four thousand services */

enum { SERVICES = 4000, ROUNDS = 7, EACH = 200 };

static uint64_t
cpu_ns(pid_t pid)
{
	struct timespec used;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) == -1)
		flunk("the CPU time of process %d is not told", (int)pid);
	return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

/* Two services that are used, and so many that are not. */
static struct daemon *
start_among(unsigned others)
{
	struct daemon *d = daemon_new();
	size_t size;
	char *text;
	FILE *f = open_memstream(&text, &size);

	if (f == NULL)
		flunk("out of memory");
	fprintf(f, "[defaults]\nstderr = null\n[services]\ntrue = 127.0.0.1:0 true\n"
	    "shut = 127.0.0.1:0 true\n");
	for (unsigned i = 0; i < others; i++)
		fprintf(f, "idle%u = 127.0.0.1:0 true\n", i);
	fprintf(f, "[shut]\ndeny = all\n");
	fclose(f);
	write_file(d->ini, text);
	free(text);
	daemon_run(d, NULL);
	daemon_ready(d);
	return d;
}

/* CPU time of superd for so many connections, the reaping of their processes included. */
static uint64_t
cost(struct daemon *d, const char *service)
{
	const char *address = address_of(d, service, 0);
	const uint64_t before = cpu_ns(d->pid);

	for (int i = 0; i < EACH; i++)
		expect_end(dial_to(address));
	await(children_of(d->pid, 0) == 0);
	return cpu_ns(d->pid) - before;
}

/*
 * The least of several rounds, taken in turn: whatever else the machine does can
 * only add to it.  On one that does much else it may take more of them.
 */
static void
must_cost_alike(struct daemon *few, struct daemon *many, const char *service, unsigned factor)
{
	uint64_t least_few = UINT64_MAX, least_many = UINT64_MAX, ns;

	for (int round = 0; round < ROUNDS ||
	    (round < 10 * ROUNDS && least_many > least_few * factor); round++) {
		if ((ns = cost(few, service)) < least_few)
			least_few = ns;
		if ((ns = cost(many, service)) < least_many)
			least_many = ns;
	}
	if (least_many > least_few * factor)
		flunk("'%s' costs %llu ns of CPU among 2 services and %llu ns among %d", service,
		    (unsigned long long)least_few / EACH, (unsigned long long)least_many / EACH,
		    SERVICES + 2);
}

static bool
have_descriptors(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max > SERVICES + 200;
}

START_TEST(services_that_nobody_uses_cost_a_connection_nothing)
{
	struct daemon *few = start_among(0), *many = start_among(SERVICES);

	must_cost_alike(few, many, "shut", 2);
	/* fork(2) copies the tables of superd's memory, of which four thousand services have more. */
	must_cost_alike(few, many, "true", 3);
	daemon_stop(many);
	daemon_stop(few);
}
END_TEST

int
main(void)
{
	Suite *suite;

	setenv("CK_DEFAULT_TIMEOUT", "540", 1);		/* a million takes its time */
	suite = suite_create("e2e_scale");
	add_case(suite, "refusals", NEEDS_PROC | NEEDS_NO_VALGRIND,
	    TESTS(million_refusals_leave_neither_memory_nor_descriptors));
	if (have_descriptors())
		add_case(suite, "services", NEEDS_PROC | NEEDS_NO_VALGRIND,
		    TESTS(services_that_nobody_uses_cost_a_connection_nothing));
	else
		printf("SKIPPED: case 'services', 1 test: needs a hard limit of 4200 descriptors\n");
	return run_suite(suite);
}
