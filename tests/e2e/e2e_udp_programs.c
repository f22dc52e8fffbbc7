/*
 * UDP with the programs of others: their clients here, and their servers under
 * superd.  What is not installed is skipped, and said.
 */
#include "harness_admission.h"
#include "harness_udp.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a command writes, which ends well; it has a time limit of its own. */
static const char *
__attribute__((format(printf, 1, 2))) output(const char *format, ...)
{
	static char text[65536];
	char command[1024];
	va_list args;
	size_t len;
	FILE *f;

	va_start(args, format);
	vsnprintf(command, sizeof command, format, args);
	va_end(args);
	if ((f = popen(command, "re")) == NULL)
		flunk("popen");
	len = fread(text, 1, sizeof text - 1, f);
	text[len] = '\0';
	if (pclose(f) != 0)
		flunk("'%s' failed and wrote: %s", command, text);
	return text;
}

static const char *
find(const char *name)
{
	static const char *const folders[] = { "/usr/bin", "/usr/sbin", "/usr/local/bin",
		"/usr/local/sbin", "/bin" };
	static char paths[4][64];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		snprintf(path, sizeof paths[0], "%s/%s", folders[i], name);
		if (access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}

/* --- nc */

START_TEST(nc_talks_to_a_session_and_to_a_filter)
{
	struct daemon *d = daemon_start("[services]\nx = udp:127.0.0.1:0 cat\n"
	    "y = udp:127.0.0.1:0 tr a-z A-Z\n[y]\nidle_timeout = 0\n");
	const char *text = output("printf 'hello' | nc -u -w 1 127.0.0.1 %d",
	    port_of(address_of(d, "x", 0)));

	if (strcmp(text, "hello") != 0)
		flunk("got '%s'", text);
	text = output("printf 'hello' | nc -u -w 1 127.0.0.1 %d", port_of(address_of(d, "y", 0)));
	if (strcmp(text, "HELLO") != 0)
		flunk("got '%s'", text);
	daemon_stop(d);
}
END_TEST

/* --- dig */

/* Identity and question of the query, and one address. */
static const char answerer[] = "dd bs=1 count=2 2>/dev/null\n"
    "printf '\\201\\200\\0\\1\\0\\1\\0\\0\\0\\0'\n"
    "dd bs=1 count=10 of=/dev/null 2>/dev/null\ncat\n"
    "printf '\\300\\014\\0\\1\\0\\1\\0\\0\\0\\074\\0\\4\\300\\0\\2\\7'\n";

START_TEST(dig_asks_a_shell_script)
{
	struct daemon *d = daemon_new();
	const char *script = put_file(d, "answerer", answerer), *text;

	daemon_write(d, "[services]\ndns = udp:127.0.0.1:0 sh %s\n[dns]\nidle_timeout = 0\n", script);
	daemon_run(d, NULL);
	daemon_ready(d);
	for (int i = 0; i < 3; i++) {
		text = output("dig +noedns +short +time=15 +tries=1 -p %d @127.0.0.1 name%d.example A",
		    port_of(address_of(d, "dns", 0)), i);
		if (strcmp(text, "192.0.2.7\n") != 0)
			flunk("got '%s'", text);
	}
	daemon_stop(d);
}
END_TEST

/* --- tftp */

/* curl fetches a file of many blocks, more than once, from a server that waits. */
static void
must_serve_files(const char *server, const char *options)
{
	struct daemon *d = daemon_new();
	const char *file = put_file(d, "file", pattern(60000));

	daemon_write(d, "[superd]\ngrace = 0\n[services]\ntftp = udp:127.0.0.1:0 %s %s %s\n"
	    "[tftp]\nwait = yes\nuser = root\n", server, options, d->dir);
	daemon_run(d, NULL);
	daemon_ready(d);
	for (int i = 0; i < 3; i++) {
		const char *text = output("curl -s -m 15 tftp://127.0.0.1:%d/%s",
		    port_of(address_of(d, "tftp", 0)), file);

		if (strcmp(text, pattern(60000)) != 0)
			flunk("got %zu bytes of 60000", strlen(text));
	}
	must(log_find(d, "warning", NULL) == NULL);
	daemon_stop(d);
}

START_TEST(tftpd_hpa_serves_files)
{
	must_serve_files(find("in.tftpd"), "-t 5");
}
END_TEST

START_TEST(atftpd_serves_files)
{
	must_serve_files(find("atftpd"), "--tftpd-timeout 5 --logfile /dev/stderr");
}
END_TEST

static bool
curl_knows_tftp(void)
{
	return find("curl") != NULL && strstr(output("curl -V"), "tftp") != NULL;
}

/* Both servers of files are known by that name; the other one has its own as well. */
static bool
is_hpa(const char *path)
{
	return path != NULL && strstr(output("%s -V 2>&1 || :", path), "tftp-hpa") != NULL;
}

static void
add(Suite *suite, bool there, const char *name, unsigned needs, const TTest *test)
{
	if (there)
		add_case(suite, name, needs, TESTS(test));
	else
		printf("SKIPPED: case '%s', 1 tests: needs what is not installed\n", name);
	fflush(stdout);
}

int
main(void)
{
	Suite *suite = suite_create("e2e_udp_programs");

	add(suite, find("nc") != NULL, "nc", NEEDS_NOTHING, nc_talks_to_a_session_and_to_a_filter);
	add(suite, find("dig") != NULL, "dig", NEEDS_NOTHING, dig_asks_a_shell_script);
	add(suite, curl_knows_tftp() && is_hpa(find("in.tftpd")), "curl and tftpd-hpa", NEEDS_ROOT,
	    tftpd_hpa_serves_files);
	add(suite, curl_knows_tftp() && find("atftpd") != NULL, "curl and atftpd", NEEDS_ROOT,
	    atftpd_serves_files);
	return run_suite(suite);
}
