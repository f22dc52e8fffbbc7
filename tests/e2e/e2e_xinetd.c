/*
 * What a whole xinetd configuration becomes (harness_xinetd.h): each service
 * gives its clients what it is to give, on the ports and to the addresses that
 * the files name.
 */
#include "harness_xinetd.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* --- what the services give */

static const struct row {
	const char *name;
	int port;
	const char *user, *group;	/* group NULL: the user's own */
	const char *nice;	/* NULL: superd's own */
	const char *argv[8];
	const char *variable;		/* of env; NULL: none */
	const char *served[3], *refused[3];
} rows[] = {
	{ "amanda", 10080, "nobody", "daemon", NULL, { "amandad", "-auth=bsdtcp", "amdump", "amindexd",
	    "amidxtaped", "senddiscover" }, NULL, { "10.1.2.3", "192.168.2.9" },
	    { "127.0.0.7", "192.168.3.1" } },
	{ "check_mk", 6556, "root", NULL, NULL, { "check_mk_agent" }, NULL,
	    { "127.0.0.1", "10.0.20.1", "10.0.20.2" }, { "127.0.0.7", "10.0.20.3" } },
	{ "cvspserver", 2401, "root", NULL, NULL, { "cvs", "-f", "--allow-root=/var/cvs", "pserver" },
	    "HOME=/var/cvs", { "127.0.0.7", "10.1.2.3" }, { NULL } },
	{ "git", 9418, "nobody", NULL, NULL, { "git-daemon", "--base-path=/var/lib/git", "--export-all",
	    "--user-path=public_git", "--syslog", "--inetd", "--verbose" }, NULL, { "127.0.0.7" },
	    { NULL } },
	{ "mysqlchk", 9200, "nobody", NULL, NULL, { "clustercheck" }, NULL, { "127.0.0.7" }, { "::1" } },
	{ "nrpe", 5666, "nobody", "daemon", NULL, { "nrpe", "-c", "/usr/local/nagios/etc/nrpe.cfg",
	    "--inetd" }, NULL, { "127.0.0.1", "::1" }, { "127.0.0.7", "10.1.2.3" } },
	{ "rsync", 873, "root", NULL, NULL, { "rsync", "--daemon" }, NULL, { "127.0.0.7", "::1" },
	    { NULL } },
	{ "swat", 901, "root", NULL, NULL, { "swat" }, NULL, { "127.0.0.1", "::1" }, { "127.0.0.7" } },
	{ "telnet", 23, "root", NULL, NULL, { "/usr/sbin/in.telnetd", "-h" }, NULL, { "127.0.0.7" },
	    { NULL } },
	{ "vsftpd", 21, "root", NULL, "10", { "vsftpd", "/etc/vsftpd/vsftpd.conf" }, NULL,
	    { "127.0.0.7", "192.168.1.4" }, { NULL } },
};

static void
must_have_line(const char *slate, const char *name, const char *value)
{
	char line[512];

	snprintf(line, sizeof line, "%s%s\n", name, value);
	if (strstr(slate, line) == NULL)
		flunk("no '%s%s' in:\n%s", name, value, slate);
}

static void
must_be_given(const char *slate, const struct row *row, const char *source)
{
	const struct passwd *user = getpwnam(row->user);
	const struct group *group = row->group != NULL ? getgrnam(row->group) : NULL;
	char text[32];
	unsigned i;

	for (i = 0; row->argv[i] != NULL; i++) {
		snprintf(text, sizeof text, "argv.%u", i);
		must_be(slate, text, row->argv[i]);
	}
	snprintf(text, sizeof text, "\nargv.%u=", i);
	must(strstr(slate, text) == NULL);
	must(user != NULL && (row->group == NULL || group != NULL));
	snprintf(text, sizeof text, "%u", (unsigned)user->pw_uid);
	must_be(slate, "uid", text);
	snprintf(text, sizeof text, "%u", (unsigned)(group != NULL ? group->gr_gid : user->pw_gid));
	must_be(slate, "gid", text);
	snprintf(text, sizeof text, "%d", getpriority(PRIO_PROCESS, 0));
	must_be(slate, "nice", row->nice != NULL ? row->nice : text);
	must_be(slate, "umask", "002");		/* of defaults */
	must_be(slate, "cwd", "/");
	must_have_line(slate, "REMOTE_HOST=", source);
	must_have_line(slate, "SUPERD_SERVICE=", row->name);
	if (row->variable != NULL)
		must_have_line(slate, row->variable, "");
}

START_TEST(every_service_gives_what_it_is_to_give)
{
	const struct row *row = &rows[_i];
	struct daemon *d = start_packages();

	for (int i = 0; i < 3 && row->served[i] != NULL; i++)
		must_be_given(drain(dial_from(row->served[i], row->port)), row, row->served[i]);
	for (int i = 0; i < 3 && row->refused[i] != NULL; i++)
		must_refuse(d, row->name, row->refused[i], "denied");
	daemon_stop(d);
}
END_TEST

/* The other INTERNAL services are bundled programs too. */
START_TEST(internal_services_are_served)
{
	struct daemon *d = start_packages();
	int fd = dial_from("127.0.0.7", 7);
	uint32_t seconds;

	put(fd, "heard");
	expect(fd, "heard");
	close(fd);
	fd = dial_from("::1", 37);
	must(receive(fd, &seconds, sizeof seconds, MSG_WAITALL) == sizeof seconds);
	must(ntohl(seconds) - (uint32_t)(time(NULL) + 2208988800) + 5 <= 10);	/* RFC 868 */
	expect_end(fd);
	daemon_stop(d);
}
END_TEST

START_TEST(redirect_is_served)
{
	struct daemon *d = start_packages();
	int server = bind_to("10.0.0.5:80"), client = dial_to("192.0.2.1:8080"), accepted;

	must((accepted = accept(server, NULL, NULL)) != -1);
	put(client, "GET / HTTP/1.0\r\n\r\n");
	expect(accepted, "GET / HTTP/1.0\r\n\r\n");
	put(accepted, "HTTP/1.0 200 OK\r\n\r\n");
	close(accepted);
	expect(client, "HTTP/1.0 200 OK\r\n\r\n");
	expect_end(client);
	await_log(d, "exit", "service=web-proxy", "in=18", "out=19");	/* log_on_success += TRAFFIC */
	must(try_dial("127.0.0.1:8080") == -1);		/* bind */
	daemon_stop(d);
}
END_TEST

START_TEST(refused_client_gets_its_banner)
{
	struct daemon *d = start_packages();
	int fd = dial_from("192.168.1.3", 21);

	expect(fd, "busy\n");
	expect_end(fd);
	await_log(d, "refuse", "service=vsftpd", "remote=192.168.1.3:*", "reason=denied");
	daemon_stop(d);
}
END_TEST

/* The program says "held" and lives until its client hangs up. */
static void
hold_instead(struct daemon *d, const char *program)
{
	write_file(make_place(d, program), "#!/bin/sh\necho held\nexec cat >/dev/null\n");
	must(chmod(make_place(d, program), 0755) == 0);
}

/* per_source = 5 and instances = 200 of vsftpd, 10 and 50 of the defaults. */
START_TEST(limits_are_those_of_the_file)
{
	enum { INSTANCES = 50, PER_SOURCE = 10 };
	struct daemon *d = start_packages();
	char source[32];

	hold_instead(d, "/usr/sbin/vsftpd");
	hold_instead(d, "/usr/bin/cvs");
	for (int i = 0; i < 5; i++)
		must(was_served(dial_from("127.0.0.7", 21)));
	must(was_served(dial_from("127.0.0.8", 21)));
	expect(dial_from("127.0.0.7", 21), "busy\n");
	await_log(d, "refuse", "service=vsftpd", "remote=127.0.0.7:*", "reason=max_per_source");
	for (int i = 0; i < INSTANCES; i++) {
		snprintf(source, sizeof source, "127.0.1.%d", 1 + i / PER_SOURCE);
		must(was_served(dial_from(source, 2401)));
		if (i == PER_SOURCE - 1)
			must_refuse(d, "cvspserver", source, "max_per_source");
	}
	must_refuse(d, "cvspserver", "127.0.2.1", "max_sessions");
	daemon_stop(d);
}
END_TEST

/* --- UDP */

/* Sends a datagram to the port from this address, and gives the answer. */
static char *
ask(const char *source, int port, size_t *len)
{
	static char answer[2048];
	const struct timeval limit = { .tv_sec = DEADLINE_MS / 1000 };
	struct sockaddr_in from = { .sin_family = AF_INET }, to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ssize_t got;

	must(inet_pton(AF_INET, source, &from.sin_addr) == 1);
	must(fd != -1 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0 &&
	    bind(fd, (struct sockaddr *)&from, sizeof from) == 0 &&
	    connect(fd, (struct sockaddr *)&to, sizeof to) == 0 && send(fd, "?", 1, 0) == 1);
	if ((got = receive(fd, answer, sizeof answer - 1, 0)) == -1)
		flunk("no answer from port %d: %s", port, strerror(errno));
	answer[got] = '\0';
	*len = (size_t)got;
	close(fd);
	return answer;
}

static const struct { int port; const char *user, *group, *words; } datagrams[] = {
	{ 69, "root", NULL, " -s /var/lib/tftpboot" },
	{ 10080, "nobody", "daemon", " -auth=bsd amdump amindexd amidxtaped" },
};

/* Twice: the socket comes back from the first process. */
START_TEST(udp_service_with_wait_answers)
{
	const struct passwd *user = getpwnam(datagrams[_i].user);
	const char *group = datagrams[_i].group;
	struct daemon *d = start_packages();
	char wanted[256];
	size_t len;

	must(user != NULL && (group == NULL || getgrnam(group) != NULL));
	snprintf(wanted, sizeof wanted, "%u:%u%s", (unsigned)user->pw_uid,
	    (unsigned)(group != NULL ? getgrnam(group)->gr_gid : user->pw_gid), datagrams[_i].words);
	for (int i = 0; i < 2; i++) {
		const char *answer = ask("127.0.0.7", datagrams[_i].port, &len);

		if (strcmp(answer, wanted) != 0)
			flunk("answered '%s', wanted '%s'", answer, wanted);
	}
	daemon_stop(d);
}
END_TEST

START_TEST(time_is_told_by_datagram)
{
	struct daemon *d = start_packages();
	uint32_t seconds;
	size_t len;

	memcpy(&seconds, ask("127.0.0.7", 37, &len), sizeof seconds);
	must(len == sizeof seconds);
	must(ntohl(seconds) - (uint32_t)(time(NULL) + 2208988800) + 5 <= 10);
	daemon_stop(d);
}
END_TEST

int
main(void)
{
	const unsigned needs = NEEDS_ROOT | NEEDS_NETNS | NEEDS_IPV6;
	Suite *suite = suite_create("e2e_xinetd");

	if (!have_names()) {
		puts("SKIPPED: suite 'e2e_xinetd': needs services(5) with amanda, git, rsync and others");
		return run_suite(suite);
	}
	add_loop(suite, "services", needs, every_service_gives_what_it_is_to_give,
	    (int)(sizeof rows / sizeof *rows));
	add_case(suite, "inside", needs, TESTS(internal_services_are_served, redirect_is_served));
	add_case(suite, "limits", needs, TESTS(refused_client_gets_its_banner,
	    limits_are_those_of_the_file));
	if (!can_serve_udp()) {
		puts("SKIPPED: case 'UDP', 3 tests: needs a superd that serves UDP");
		return run_suite(suite);
	}
	add_loop(suite, "UDP with wait", needs, udp_service_with_wait_answers,
	    (int)(sizeof datagrams / sizeof *datagrams));
	add_case(suite, "UDP", needs, TESTS(time_is_told_by_datagram));
	return run_suite(suite);
}
