/* Address lists: what is told of mistakes, and what is read from the lines of a file. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "acl.h"
#include "unit.h"

static struct in6_addr
ip_of(const char *text)
{
	struct in6_addr ip = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	if (inet_pton(AF_INET, text, &ip.s6_addr[12]) != 1)
		ck_assert_msg(inet_pton(AF_INET6, text, &ip) == 1, "%s", text);
	return ip;
}

#define JUNK	" is not an address, a block such as 192.0.2.0/24 or 2001:db8::/32, or 'all' " \
	"(host names are not looked up)"

static const struct {
	const char	*text, *wrong;
} mistakes[] = {
	{ "192.0.2.0/33", "'192.0.2.0/33': what follows '/' is the number of bits of the prefix, "
	    "0 to 32 for this address" },
	{ "192.0.2.0/", "'192.0.2.0/': what follows '/' is the number of bits of the prefix, 0 to 32 for this address" },
	{ "10.0.0.0/255.0.0.0", "'10.0.0.0/255.0.0.0': what follows '/' is the number of bits of the prefix, "
	    "0 to 32 for this address" },
	{ "10.0.0.0/-1", "'10.0.0.0/-1': what follows '/' is the number of bits of the prefix, 0 to 32 for this address" },
	{ "10.0.0.0/+8", "'10.0.0.0/+8': what follows '/' is the number of bits of the prefix, 0 to 32 for this address" },
	{ "10.0.0.0/8/8", "'10.0.0.0/8/8': what follows '/' is the number of bits of the prefix, 0 to 32 for this address" },
	{ "10.0.0.0/8x", "'10.0.0.0/8x': what follows '/' is the number of bits of the prefix, 0 to 32 for this address" },
	{ "10.0.0.0/4294967304", "'10.0.0.0/4294967304': what follows '/' is the number of bits of the prefix, "
	    "0 to 32 for this address" },
	{ "2001:db8::/129", "'2001:db8::/129': what follows '/' is the number of bits of the prefix, "
	    "0 to 128 for this address" },
	{ "::ffff:10.0.0.0/8", "'::ffff:10.0.0.0/8': what follows '/' is the number of bits of the prefix, "
	    "96 to 128 for this address" },
	{ "10.1.2.3/8", "'10.1.2.3/8' has bits set beyond its prefix: write 10.0.0.0/8, or 10.1.2.3 for that one address" },
	{ "192.0.2.1/31", "'192.0.2.1/31' has bits set beyond its prefix: write 192.0.2.0/31, or 192.0.2.1 for "
	    "that one address" },
	{ "1.2.3.4/0", "'1.2.3.4/0' has bits set beyond its prefix: write 0.0.0.0/0, or 1.2.3.4 for that one address" },
	{ "2001:db8::1/32", "'2001:db8::1/32' has bits set beyond its prefix: write 2001:db8::/32, or 2001:db8::1 "
	    "for that one address" },
	{ "2001:db8:8000::/32", "'2001:db8:8000::/32' has bits set beyond its prefix: write 2001:db8::/32, or "
	    "2001:db8:8000:: for that one address" },
	{ "::1/0", "'::1/0' has bits set beyond its prefix: write ::/0, or ::1 for that one address" },
	{ "0.0.0.0", "'0.0.0.0' is the address of no host: write 0.0.0.0/0, or 'all'" },
	{ "::", "'::' is the address of no host: write ::/0, or 'all'" },
	{ "", "''" JUNK }, { "/8", "'/8'" JUNK }, { "foo", "'foo'" JUNK }, { "ALL", "'ALL'" JUNK },
	{ "example.org", "'example.org'" JUNK }, { ".example.org", "'.example.org'" JUNK },
	{ "10", "'10'" JUNK }, { "10.", "'10.'" JUNK }, { "10.1", "'10.1'" JUNK }, { "10.1.2.3.4", "'10.1.2.3.4'" JUNK },
	{ "10.1.2.256", "'10.1.2.256'" JUNK }, { "010.1.2.3", "'010.1.2.3'" JUNK },
	{ "10.0.0.1-10.0.0.9", "'10.0.0.1-10.0.0.9'" JUNK }, { "10.0.0.0/8 ", "'10.0.0.0/8 ': what follows '/' is the "
	    "number of bits of the prefix, 0 to 32 for this address" },
	{ "[::1]", "'[::1]'" JUNK }, { "12345::", "'12345::'" JUNK }, { "1::2::3", "'1::2::3'" JUNK },
	{ "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001",
	    "'0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001'" JUNK },
	{ "::1/00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001",
	    "'::1/00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001'" JUNK },
	{ "10.0.0.0/8,192.168.0.0/16", "'10.0.0.0/8,192.168.0.0/16': what follows '/' is the number of bits of the "
	    "prefix, 0 to 32 for this address" },
	{ "10.0.0.1,10.0.0.2", "'10.0.0.1,10.0.0.2': items are separated by blanks, not by commas" },
	{ "fe80::1%eth0", "'fe80::1%eth0': an address of a list has no interface; leave out what follows '%'" },
	{ "@/etc/list", "'@/etc/list': '@' has no meaning here" },
	{ "+", "'+': a '+' stands by itself before all other items, and adds them to the list of [defaults]" },
};

START_TEST(a_mistake_is_told_and_adds_nothing)
{
	struct arena arena = { .used = 0 };
	struct acl_builder builder = { .count = 0 };
	const struct in6_addr some = ip_of("192.0.2.1");
	const char *text = mistakes[_i].text;

	ck_assert_pstr_eq(acl_add(&builder, &arena, text, true), mistakes[_i].wrong);
	ck_assert_pstr_eq(acl_add(&builder, &arena, text, false), mistakes[_i].wrong);
	ck_assert(acl_admits(acl_build(&builder, &arena), &some));
	ck_assert(!builder.allow_given);
	arena_free(&arena);
}
END_TEST

/* Each line of a list file, and whom it denies; wrong as a text that begins so. */
static const struct {
	const char	*line;
	size_t		 len;
	const char	*denies, *wrong;
} lines[] = {
	{ BYTES(""), NULL, NULL }, { BYTES("\n"), NULL, NULL }, { BYTES(" \t\r\n"), NULL, NULL },
	{ BYTES("# 192.0.2.1\n"), NULL, NULL }, { BYTES("  ; 192.0.2.1"), NULL, NULL },
	{ BYTES("192.0.2.1"), "192.0.2.1", NULL }, { BYTES("192.0.2.1\r\n"), "192.0.2.1", NULL },
	{ BYTES("\t192.0.2.0/24 ; SBL1\n"), "192.0.2.77", NULL }, { BYTES("192.0.2.1#x y z"), "192.0.2.1", NULL },
	{ BYTES("192.0.2.1 # x\n"), "192.0.2.1", NULL }, { BYTES("all\n"), "::1", NULL },
	{ BYTES("2001:db8::/32;x"), "2001:db8::1", NULL },
	{ BYTES("192.0.2.1 192.0.2.2\n"), NULL, "'192.0.2.1' is followed by '192.0.2.2': a line holds one entry" },
	{ BYTES("192.0.2.1 x # y"), NULL, "'192.0.2.1' is followed by 'x': a line holds one entry" },
	{ BYTES("192.0.2.1\0"), NULL, "a NUL byte" }, { BYTES("#\0"), NULL, "a NUL byte" },
	{ BYTES("@/etc/other\n"), NULL, "'@/etc/other': '@' has no meaning here" },
	{ BYTES("example.org\n"), NULL, "'example.org' is not an address" },
	{ BYTES("192.0.2.1/33 # x"), NULL, "'192.0.2.1/33': what follows '/'" },
	{ BYTES("\xef\xbb\xbf""192.0.2.1\n"), NULL, "'\xef\xbb\xbf""192.0.2.1' is not an address" },
};

START_TEST(a_line_of_a_file_holds_one_entry)
{
	struct arena arena = { .used = 0 };
	struct acl_builder builder = { .count = 0 };
	char *line = malloc(lines[_i].len + 1);		/* no NUL behind it, for the sanitizer */
	const char *wrong;

	memcpy(line, lines[_i].line, lines[_i].len);
	line = realloc(line, lines[_i].len > 0 ? lines[_i].len : 1);
	wrong = acl_add_line(&builder, &arena, line, lines[_i].len, false);
	free(line);
	if (lines[_i].wrong == NULL)
		ck_assert_pstr_eq(wrong, NULL);
	else
		ck_assert_msg(wrong != NULL && strncmp(wrong, lines[_i].wrong, strlen(lines[_i].wrong)) == 0,
		    "%s", wrong);
	ck_assert_int_eq(builder.count == 0 && !builder.deny_all, lines[_i].denies == NULL);
	if (lines[_i].denies != NULL) {
		const struct in6_addr ip = ip_of(lines[_i].denies);

		ck_assert(!acl_admits(acl_build(&builder, &arena), &ip));
	}
	arena_free(&arena);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("acl_text");
	TCase *tcase = unit_case(suite, "acl_text");

	tcase_add_loop_test(tcase, a_mistake_is_told_and_adds_nothing, 0, ROWS(mistakes));
	tcase_add_loop_test(tcase, a_line_of_a_file_holds_one_entry, 0, ROWS(lines));
	return unit_run(suite);
}
