/* The environment of a program: what the service has, and what the connection adds. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "environ.h"
#include "unit.h"

static struct peer
peer_of(const char *ip, in_port_t port)
{
	struct peer peer = { .port = port };

	ck_assert_int_eq(inet_pton(AF_INET6, ip, &peer.ip), 1);
	return peer;
}

static const struct {
	const char	*remote, *local, *variables;
} rows[] = {
	{ "::ffff:192.0.2.7", "::ffff:127.0.0.1",
	  "A=1|B=2|PROTO=TCP|TCPLOCALIP=127.0.0.1|TCPLOCALPORT=7|"
	  "TCPREMOTEIP=192.0.2.7|TCPREMOTEPORT=50312|REMOTE_ADDR=192.0.2.7|REMOTE_HOST=192.0.2.7|"
	  "REMOTE_PORT=50312|SUPERD_SERVICE=echo|SUPERD_SESSION=18446744073709551615|" },
	{ "2001:db8::1", "::1",
	  "A=1|B=2|PROTO=TCP|TCPLOCALIP=::1|TCPLOCALPORT=7|"
	  "TCPREMOTEIP=2001:db8::1|TCPREMOTEPORT=50312|REMOTE_ADDR=2001:db8::1|"
	  "REMOTE_HOST=2001:db8::1|REMOTE_PORT=50312|SUPERD_SERVICE=echo|SUPERD_SESSION=18446744073709551615|" },
	{ "udp ::ffff:192.0.2.7", "::ffff:127.0.0.1",
	  "A=1|B=2|PROTO=UDP|UDPLOCALIP=127.0.0.1|UDPLOCALPORT=7|"
	  "UDPREMOTEIP=192.0.2.7|UDPREMOTEPORT=50312|REMOTE_ADDR=192.0.2.7|REMOTE_HOST=192.0.2.7|"
	  "REMOTE_PORT=50312|SUPERD_SERVICE=echo|SUPERD_SESSION=18446744073709551615|" },
	{ NULL, NULL,
	  "A=1|B=2|PROTO=UNIX|UNIXREMOTEPID=4242|UNIXREMOTEUID=4294967294|"
	  "UNIXREMOTEGID=100|SUPERD_SERVICE=echo|SUPERD_SESSION=18446744073709551615|" },
};

static char a_variable[] = "A=1", other_variable[] = "B=2";

static void
join(char **list, char *text)
{
	*text = '\0';
	for (; *list != NULL; list++)
		strcat(strcat(text, *list), "|");
}

START_TEST(a_connection_adds_the_ucspi_variables)
{
	char *common[] = { a_variable, other_variable, NULL }, text[4096];
	const struct service service = { .name = "echo", .environ = common, .environ_count = 2 };
	struct peer remote = { .local = true, .pid = 4242, .uid = (uid_t)-2, .gid = 100 };
	struct peer local = { .local = true };
	struct environ environ = { .list = NULL };

	if (rows[_i].remote != NULL) {
		bool datagram = strncmp(rows[_i].remote, "udp ", 4) == 0;

		remote = peer_of(rows[_i].remote + (datagram ? 4 : 0), 50312);
		local = peer_of(rows[_i].local, 7);
		remote.datagram = local.datagram = datagram;
	}
	ck_assert_int_eq(environ_reserve(&environ, 2), 0);
	join(environ_make(&environ, &service, UINT64_MAX, &remote, &local), text);
	ck_assert_str_eq(text, rows[_i].variables);
	environ_free(&environ);
	ck_assert_ptr_null(environ.list);
	environ_free(&environ);
}
END_TEST

START_TEST(a_link_local_peer_tells_its_interface)
{
	char *none[] = { NULL }, text[4096];
	const struct service service = { .name = "echo", .environ = none };
	struct peer remote = peer_of("fe80::1", 1), local = peer_of("fe80::2", 2);
	struct environ environ = { .list = NULL };

	remote.scope = local.scope = 1;		/* lo */
	ck_assert_int_eq(environ_reserve(&environ, 0), 0);
	join(environ_make(&environ, &service, 1, &remote, &local), text);
	ck_assert_ptr_nonnull(strstr(text, "|TCPLOCALIP=fe80::2%lo|"));
	ck_assert_ptr_nonnull(strstr(text, "|REMOTE_ADDR=fe80::1%lo|"));
	environ_free(&environ);
}
END_TEST

/* One connection must not see anything of the one before, of whatever service. */
START_TEST(each_connection_gets_its_own)
{
	enum { MANY = 500 };
	static char many_texts[MANY][16];
	static char *many[MANY + 1], *few[] = { a_variable, NULL };
	static char text[65536];
	const struct service large = { .name = "large", .environ = many, .environ_count = MANY };
	const struct service small = { .name = "small", .environ = few, .environ_count = 1 };
	struct peer tcp = peer_of("::1", 80), unix_peer = { .local = true };
	struct environ environ = { .list = NULL };

	for (int i = 0; i < MANY; i++) {
		snprintf(many_texts[i], sizeof many_texts[i], "V%d=x", i);
		many[i] = many_texts[i];
	}
	ck_assert_int_eq(environ_reserve(&environ, MANY), 0);
	ck_assert_int_eq(environ_reserve(&environ, 1), 0);	/* never less */
	join(environ_make(&environ, &large, 1, &tcp, &tcp), text);
	ck_assert_ptr_nonnull(strstr(text, "|V499=x|PROTO=TCP|"));
	join(environ_make(&environ, &small, 2, &unix_peer, &unix_peer), text);
	ck_assert_str_eq(text, "A=1|PROTO=UNIX|UNIXREMOTEPID=0|UNIXREMOTEUID=0|UNIXREMOTEGID=0|"
	    "SUPERD_SERVICE=small|SUPERD_SESSION=2|");
	environ_free(&environ);
}
END_TEST

/* The longest texts there are must all find room: a variable that does not fit is left out. */
START_TEST(the_longest_variables_fit)
{
	char *none[] = { NULL }, text[4096];
	const struct service service = { .name = "a-service.with_the_longest_name1", .environ = none };
	struct peer peer = peer_of("fe80:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535);
	struct environ environ = { .list = NULL };
	unsigned count = 0;

	peer.scope = UINT32_MAX;
	ck_assert_int_eq(environ_reserve(&environ, 0), 0);
	for (char **list = environ_make(&environ, &service, UINT64_MAX, &peer, &peer); *list != NULL; list++)
		count++;
	ck_assert_uint_eq(count, 10);
	join(environ.list, text);
	ck_assert_ptr_nonnull(strstr(text, "|SUPERD_SESSION=18446744073709551615|"));
	environ_free(&environ);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("environ");
	TCase *tcase = unit_case(suite, "environ");

	tcase_add_loop_test(tcase, a_connection_adds_the_ucspi_variables, 0, ROWS(rows));
	tcase_add_test(tcase, a_link_local_peer_tells_its_interface);
	tcase_add_test(tcase, each_connection_gets_its_own);
	tcase_add_test(tcase, the_longest_variables_fit);
	return unit_run(suite);
}
