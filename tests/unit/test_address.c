/* LISTEN in all its forms, what conflicts with what, and texts. */
#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>
#include <sys/un.h>

#include "address.h"
#include "bounds.h"
#include "unit.h"

#define PORT_HELP " is not a port (0 to 65535, or a name in services(5))"
#define SCHEME_HELP "; there are tcp:, tcp4:, tcp6:, udp:, udp4:, udp6: and unix: " \
	"(and names of hosts are not looked up)"
#define FORM_HELP " is not PORT, ADDRESS:PORT or [IPV6]:PORT"
#define NAME_HELP " is not a numeric address (names are not looked up, 'localhost' excepted)"
#define UNIX_HELP "a Unix socket is unix:/absolute/path or unix:@name"
#define TEN	"0123456789"
#define HUNDRED	TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

/* LISTEN, and the texts of what it gives, separated by commas. */
static const struct {
	const char	*listen, *texts;
} good[] = {
	{ "1205", "*:1205" },
	{ "tcp:1205", "*:1205" },
	{ "*:1205", "*:1205" },
	{ "tcp:*:1205", "*:1205" },
	{ "0", "*:0" },
	{ "65535", "*:65535" },
	{ "127.0.0.1:1205", "127.0.0.1:1205" },
	{ "tcp4:127.0.0.1:1205", "127.0.0.1:1205" },
	{ "[::1]:1205", "[::1]:1205" },
	{ "tcp:[::1]:1205", "[::1]:1205" },
	{ "tcp6:[::1]:1205", "[::1]:1205" },
	{ "[2001:DB8:0::1]:80", "[2001:db8::1]:80" },
	{ "tcp4:1205", "0.0.0.0:1205" },
	{ "tcp4:*:1205", "0.0.0.0:1205" },
	{ "0.0.0.0:1205", "0.0.0.0:1205" },
	{ "tcp6:1205", "[::]:1205" },
	{ "tcp6:*:1205", "[::]:1205" },
	{ "[::]:1205", "[::]:1205" },
	{ "localhost:1205", "127.0.0.1:1205,[::1]:1205" },
	{ "tcp:localhost:1205", "127.0.0.1:1205,[::1]:1205" },
	{ "tcp4:localhost:1205", "127.0.0.1:1205" },
	{ "tcp6:localhost:1205", "[::1]:1205" },
	{ "[::ffff:192.0.2.7]:80", "192.0.2.7:80" },
	{ "tcp4:[::ffff:192.0.2.7]:80", "192.0.2.7:80" },
	{ "[fe80::1%lo]:80", "[fe80::1%lo]:80" },
	{ "udp:8888", "udp:*:8888" },
	{ "udp4:8888", "udp:0.0.0.0:8888" },
	{ "udp6:8888", "udp:[::]:8888" },
	{ "udp:[::1]:8888", "udp:[::1]:8888" },
	{ "udp:localhost:0", "udp:127.0.0.1:0,udp:[::1]:0" },
	{ "tcp:finger", "*:79" },
	{ "finger", "*:79" },
	{ "127.0.0.1:finger", "127.0.0.1:79" },
	{ "udp:tftp", "udp:*:69" },
	{ "unix:/run/x.sock", "unix:/run/x.sock" },
	{ "unix:@name", "unix:@name" },
	{ "unix:@/n:1", "unix:@/n:1" },
	{ "unix:/" HUNDRED "012345", "unix:/" HUNDRED "012345" },
	{ "80,81", "*:80,*:81" },
	{ " 80 , [::1]:81,\tunix:/x ", "*:80,[::1]:81,unix:/x" },
	{ "localhost:1,tcp4:2", "127.0.0.1:1,[::1]:1,0.0.0.0:2" },
};

static const char *
texts_of(struct arena *arena, const struct addresses *all)
{
	const char *texts = "";
	char one[ADDRESS_TEXT];

	for (unsigned i = 0; i < all->count; i++) {
		address_text(&all->item[i], one);
		texts = arena_print(arena, "%s%s%s", texts, i > 0 ? "," : "", one);
	}
	return texts;
}

START_TEST(listen_reads_back_as_what_it_is)
{
	struct arena arena = { .blocks = NULL };
	struct addresses all, again;
	const char *wrong, *texts;

	ck_assert_msg(address_parse(&arena, good[_i].listen, &all, &wrong) == 0, "%s: %s",
	    good[_i].listen, wrong);
	texts = texts_of(&arena, &all);
	ck_assert_str_eq(texts, good[_i].texts);
	ck_assert_int_eq(address_parse(&arena, texts, &again, &wrong), 0);
	ck_assert_uint_eq(again.count, all.count);
	for (unsigned i = 0; i < all.count; i++)
		ck_assert(address_equal(&all.item[i], &again.item[i]));
	arena_free(&arena);
}
END_TEST

static const struct {
	const char	*listen, *wrong;
} bad[] = {
	{ "", "no address: write a port, ADDRESS:PORT or unix:/path" },
	{ " ,\t, ", "no address: write a port, ADDRESS:PORT or unix:/path" },
	{ "65536", "'65536'" PORT_HELP },
	{ "127.0.0.1:65536", "'127.0.0.1:65536': '65536'" PORT_HELP },
	{ "[::1]:99999999999999999999", "'[::1]:99999999999999999999': '99999999999999999999'" PORT_HELP },
	{ "1205x", "'1205x'" PORT_HELP }, { "-1", "'-1'" PORT_HELP },
	{ "tcp:", "'tcp:': ''" PORT_HELP },
	{ "127.0.0.1:", "'127.0.0.1:': ''" PORT_HELP },
	{ "127.0.0.1", "'127.0.0.1'" PORT_HELP }, { "no-such-port", "'no-such-port'" PORT_HELP },
	{ "80,no-such-port", "'no-such-port'" PORT_HELP },
	{ ":80", "':80'" FORM_HELP },
	{ "::1:80", "'::1:80'" FORM_HELP }, { "[::1]", "'[::1]'" FORM_HELP },
	{ "[::1]80", "'[::1]80'" FORM_HELP },
	{ "[127.0.0.1]:80", "'[127.0.0.1]:80'" FORM_HELP },
	{ "[]:80", "'[]:80'" FORM_HELP }, { "[*]:80", "'[*]:80'" FORM_HELP },
	{ "tcp:::1:80", "'tcp:::1:80'" FORM_HELP },
	{ "www.example.org:80", "'www.example.org'" NAME_HELP },
	{ "sctp:80", "'sctp:80': there is no 'sctp:'" SCHEME_HELP },
	{ "80,tcp5:[::1]:80", "'tcp5:[::1]:80': there is no 'tcp5:'" SCHEME_HELP },
	{ "host:80", "'host:80': there is no 'host:'" SCHEME_HELP },
	{ "localhosts:80", "'localhosts:80': there is no 'localhosts:'" SCHEME_HELP },
	{ "fe80::1:80", "'fe80::1:80'" FORM_HELP },
	{ "tcp:sctp:80", "'sctp'" NAME_HELP },
	{ "127.0.0:80", "'127.0.0'" NAME_HELP },
	{ "127.0.0.256:80", "'127.0.0.256'" NAME_HELP },
	{ "[::g]:80", "'::g'" NAME_HELP },
	{ "127.0.0.1%lo:80", "'127.0.0.1%lo'" NAME_HELP },
	{ "tcp4:[::1]:80", "'::1' is not an IPv4 address" },
	{ "tcp6:127.0.0.1:80", "'127.0.0.1' is not an IPv6 address" },
	{ "udp6:[::ffff:127.0.0.1]:80", "'::ffff:127.0.0.1' is not an IPv6 address" },
	{ "unix:", UNIX_HELP }, { "unix:run/x", UNIX_HELP }, { "unix:@", UNIX_HELP },
	{ "unix:/run/", "the path of a Unix socket ends in '/'" },
	{ "unix:/" HUNDRED "0123456", "the path of a Unix socket has at most 107 bytes, this one 108" },
	{ "unix:@" HUNDRED "0123456", "the path of a Unix socket has at most 107 bytes, this one 108" },
};

START_TEST(a_bad_listen_is_told_what_would_be_right)
{
	struct arena arena = { .blocks = NULL };
	struct addresses all;
	const char *wrong = "";

	ck_assert_int_eq(address_parse(&arena, bad[_i].listen, &all, &wrong), -1);
	ck_assert_str_eq(wrong, bad[_i].wrong);
	arena_free(&arena);
}
END_TEST

START_TEST(too_many_addresses_are_refused)
{
	struct arena arena = { .blocks = NULL };
	static char text[4096];
	struct addresses all;
	const char *wrong;

	for (int i = 0; i < 1024; i++)
		strcat(text, "0,");
	ck_assert_int_eq(address_parse(&arena, text, &all, &wrong), 0);
	ck_assert_uint_eq(all.count, 1024);
	ck_assert_int_eq(address_parse(&arena, strcat(text, "1"), &all, &wrong), -1);
	ck_assert_str_eq(wrong, "more than 1024 addresses");
	arena_free(&arena);
}
END_TEST

static struct address
one(struct arena *arena, const char *listen)
{
	struct addresses all;
	const char *wrong;

	ck_assert_msg(address_parse(arena, listen, &all, &wrong) == 0, "%s: %s", listen, wrong);
	ck_assert_uint_eq(all.count, 1);
	return all.item[0];
}

static const struct {
	const char	*a, *b;
	bool		 conflict;
} pairs[] = {
	{ "80", "80", true },
	{ "80", "81", false },
	{ "80", "udp:80", false },
	{ "80", "tcp4:80", true },
	{ "80", "tcp6:80", true },
	{ "80", "127.0.0.1:80", true },
	{ "80", "[::1]:80", true },
	{ "80", "[::ffff:10.0.0.1]:80", true },
	{ "tcp4:80", "tcp4:80", true },
	{ "tcp4:80", "tcp6:80", false },
	{ "tcp4:80", "127.0.0.1:80", true },
	{ "tcp4:80", "[::1]:80", false },
	{ "tcp6:80", "[::1]:80", true },
	{ "tcp6:80", "127.0.0.1:80", false },
	{ "127.0.0.1:80", "127.0.0.1:80", true },
	{ "127.0.0.1:80", "127.0.0.1:81", false },
	{ "127.0.0.1:80", "127.0.0.2:80", false },
	{ "127.0.0.1:80", "[::ffff:127.0.0.1]:80", true },
	{ "127.0.0.1:80", "[::1]:80", false },
	{ "[::1]:80", "[0::0:1]:80", true },
	{ "[fe80::1%lo]:80", "[fe80::1%lo]:80", true },
	{ "0", "0", false },
	{ "127.0.0.1:0", "127.0.0.1:0", false },
	{ "127.0.0.1:0", "0", false },
	{ "udp:53", "udp:53", true },
	{ "udp4:53", "udp:127.0.0.1:53", true },
	{ "unix:/x", "unix:/x", true },
	{ "unix:/x", "unix:/y", false },
	{ "unix:/x", "unix:@/x", false },
	{ "unix:@x", "unix:@x", true },
	{ "unix:/x", "80", false },
};

START_TEST(conflicts_are_those_of_bind)
{
	struct arena arena = { .blocks = NULL };
	struct address a = one(&arena, pairs[_i].a), b = one(&arena, pairs[_i].b);

	ck_assert_int_eq(address_conflicts(&a, &b), pairs[_i].conflict);
	ck_assert_int_eq(address_conflicts(&b, &a), pairs[_i].conflict);
	arena_free(&arena);
}
END_TEST

START_TEST(the_same_address_on_two_interfaces_is_two_addresses)
{
	struct arena arena = { .blocks = NULL };
	struct address a = one(&arena, "[fe80::1%lo]:80"), b = a;

	b.scope++;
	ck_assert(!address_equal(&a, &b));
	ck_assert(!address_conflicts(&a, &b));
	ck_assert_int_lt(address_compare(&a, &b), 0);
	arena_free(&arena);
}
END_TEST

static const struct {
	const char	*listen;
	bool		 wildcard;
	int		 family;
} families[] = {
	{ "80", true, AF_INET6 },
	{ "tcp4:80", true, AF_INET },
	{ "tcp6:80", true, AF_INET6 },
	{ "0.0.0.0:80", true, AF_INET },
	{ "[::]:80", true, AF_INET6 },
	{ "127.0.0.1:80", false, AF_INET },
	{ "[::1]:80", false, AF_INET6 },
	{ "[::ffff:127.0.0.1]:80", false, AF_INET },
	{ "udp:80", true, AF_INET6 },
	{ "unix:/x", false, AF_UNIX },
	{ "unix:@x", false, AF_UNIX },
};

START_TEST(family_and_wildcard)
{
	struct arena arena = { .blocks = NULL };
	struct address address = one(&arena, families[_i].listen);

	ck_assert_int_eq(address_is_wildcard(&address), families[_i].wildcard);
	ck_assert_int_eq(address_af(&address), families[_i].family);
	arena_free(&arena);
}
END_TEST

/* Wildcards of a port first, so that conf_check finds conflicts next to them. */
START_TEST(the_order_is_total_and_has_wildcards_first)
{
	struct arena arena = { .blocks = NULL };
	struct address a = one(&arena, families[_i].listen), b;

	for (int i = 0; i < ROWS(pairs); i++) {
		int order;

		b = one(&arena, pairs[i].a);
		order = address_compare(&a, &b);
		ck_assert_int_eq((order > 0) - (order < 0),
		    (address_compare(&b, &a) < 0) - (address_compare(&b, &a) > 0));
		ck_assert_int_eq(order == 0, address_equal(&a, &b));
		if (a.kind == b.kind && a.port == b.port && address_is_wildcard(&a) &&
		    !address_is_wildcard(&b))
			ck_assert_int_lt(order, 0);
	}
	arena_free(&arena);
}
END_TEST

static const char *const inet[] = { "127.0.0.1:80", "[::1]:65535", "[2001:db8::1]:1",
	"[fe80::1%lo]:9", "0.0.0.0:0", "[::]:7", "[::ffff:192.0.2.7]:80" };

START_TEST(a_socket_address_reads_back)
{
	struct arena arena = { .blocks = NULL };
	struct address address = one(&arena, inet[_i]);
	struct sockaddr_storage storage;
	socklen_t len;
	struct peer peer;

	memset(&storage, 0xff, sizeof storage);
	len = address_sockaddr(&address, address_af(&address), &storage);
	ck_assert_uint_eq(len, address_af(&address) == AF_INET ? sizeof(struct sockaddr_in) :
	    sizeof(struct sockaddr_in6));
	address_of_sockaddr(&storage, &peer);
	ck_assert_mem_eq(&peer.ip, &address.ip, sizeof peer.ip);
	ck_assert_uint_eq(peer.port, address.port);
	ck_assert_uint_eq(peer.scope, address.scope);
	ck_assert(!peer.local);
	arena_free(&arena);
}
END_TEST

START_TEST(a_dual_address_can_fall_back_to_ipv4)
{
	struct arena arena = { .blocks = NULL };
	struct address address = one(&arena, "1205");
	struct sockaddr_storage storage;
	const struct sockaddr_in *four = (const struct sockaddr_in *)&storage;

	ck_assert_uint_eq(address_sockaddr(&address, AF_INET, &storage), sizeof *four);
	ck_assert_int_eq(four->sin_family, AF_INET);
	ck_assert_uint_eq(four->sin_addr.s_addr, htonl(INADDR_ANY));
	ck_assert_uint_eq(ntohs(four->sin_port), 1205);
	arena_free(&arena);
}
END_TEST

/* unix(7): a path with its NUL; an abstract name is a NUL and the name, and no end. */
static const struct {
	const char	*listen, *path;
	socklen_t	 len;
} paths[] = {
	{ "unix:/x", "/x\0", 3 },
	{ "unix:@x", "\0x\0", 2 },
	{ "unix:@" HUNDRED "012345", "\0" HUNDRED "012345", UNIX_PATH_BYTES },
};

START_TEST(a_unix_address_has_the_right_length)
{
	struct arena arena = { .blocks = NULL };
	struct address address = one(&arena, paths[_i].listen);
	struct sockaddr_storage storage;
	socklen_t head = offsetof(struct sockaddr_un, sun_path);
	struct peer peer;

	ck_assert_uint_eq(address_sockaddr(&address, AF_UNIX, &storage), head + paths[_i].len);
	ck_assert_mem_eq((const char *)&storage + head, paths[_i].path, paths[_i].len);
	address_of_sockaddr(&storage, &peer);
	ck_assert(peer.local);
	arena_free(&arena);
}
END_TEST

static const struct {
	const char	*ip;
	in_port_t	 port;
	const char	*text, *peer;
} ips[] = {
	{ "::ffff:127.0.0.1", 80, "127.0.0.1", "127.0.0.1:80" },
	{ "::ffff:0.0.0.0", 0, "0.0.0.0", "0.0.0.0:0" },
	{ "::1", 65535, "::1", "[::1]:65535" },
	{ "2001:db8::ff", 1, "2001:db8::ff", "[2001:db8::ff]:1" },
	{ "::127.0.0.1", 2, "::127.0.0.1", "[::127.0.0.1]:2" },	/* compatible is not mapped */
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 3, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	  "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:3" },
};

START_TEST(a_peer_is_written_in_its_own_family)
{
	struct peer peer = { .port = ips[_i].port };
	char text[ADDRESS_TEXT];

	ck_assert_int_eq(inet_pton(AF_INET6, ips[_i].ip, &peer.ip), 1);
	ck_assert_int_eq(address_is_mapped(&peer.ip), *ips[_i].peer != '[');
	address_ip_text(&peer.ip, 0, text);
	ck_assert_str_eq(text, ips[_i].text);
	address_peer_text(&peer, text);
	ck_assert_str_eq(text, ips[_i].peer);
}
END_TEST

START_TEST(a_local_peer_is_known_by_its_ids)
{
	struct peer peer = { .local = true, .uid = (uid_t)-2, .pid = 4242 };
	char text[ADDRESS_TEXT];

	address_peer_text(&peer, text);
	ck_assert_str_eq(text, "unix:uid=4294967294,pid=4242");
}
END_TEST

START_TEST(a_scope_is_written_by_name_or_by_number)
{
	struct peer peer = { .scope = if_nametoindex("lo"), .port = 7 };
	char text[ADDRESS_TEXT];

	ck_assert_int_eq(inet_pton(AF_INET6, "fe80::1", &peer.ip), 1);
	address_peer_text(&peer, text);
	ck_assert_str_eq(text, "[fe80::1%lo]:7");
	peer.scope = 999999;		/* the interface has gone */
	address_peer_text(&peer, text);
	ck_assert_str_eq(text, "[fe80::1%999999]:7");
}
END_TEST

/* RFC 4007, 11.2: an implementation should take the number too; -T may write it. */
START_TEST(a_scope_may_be_given_by_number)
{
	struct arena arena = { .blocks = NULL };
	const char *text = arena_print(&arena, "[fe80::1%%%u]:80", if_nametoindex("lo"));
	struct address address = one(&arena, text);

	ck_assert_uint_eq(address.scope, if_nametoindex("lo"));
	arena_free(&arena);
}
END_TEST

static void
add_texts(Suite *suite)
{
	TCase *tcase = unit_case(suite, "texts");

	tcase_add_loop_test(tcase, a_peer_is_written_in_its_own_family, 0, ROWS(ips));
	tcase_add_test(tcase, a_local_peer_is_known_by_its_ids);
	tcase_add_test(tcase, a_scope_is_written_by_name_or_by_number);
	tcase_add_test(tcase, a_scope_may_be_given_by_number);
}

int
main(void)
{
	Suite *suite = suite_create("address");
	TCase *tcase = unit_case(suite, "listen");

	tcase_add_loop_test(tcase, listen_reads_back_as_what_it_is, 0, ROWS(good));
	tcase_add_loop_test(tcase, a_bad_listen_is_told_what_would_be_right, 0, ROWS(bad));
	tcase_add_test(tcase, too_many_addresses_are_refused);
	tcase = unit_case(suite, "order");
	tcase_add_loop_test(tcase, conflicts_are_those_of_bind, 0, ROWS(pairs));
	tcase_add_test(tcase, the_same_address_on_two_interfaces_is_two_addresses);
	tcase_add_loop_test(tcase, family_and_wildcard, 0, ROWS(families));
	tcase_add_loop_test(tcase, the_order_is_total_and_has_wildcards_first, 0, ROWS(families));
	tcase = unit_case(suite, "sockaddr");
	tcase_add_loop_test(tcase, a_socket_address_reads_back, 0, ROWS(inet));
	tcase_add_test(tcase, a_dual_address_can_fall_back_to_ipv4);
	tcase_add_loop_test(tcase, a_unix_address_has_the_right_length, 0, ROWS(paths));
	add_texts(suite);
	return unit_run(suite);
}
