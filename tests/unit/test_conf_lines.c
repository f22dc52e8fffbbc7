/* The lines of an INI file: counted, joined, and none taken for what it is not. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bounds.h"
#include "conf_lines.h"
#include "unit.h"

#define TEN		"aaaaaaaaaa"
#define FIFTY		TEN TEN TEN TEN TEN
#define LONGEST		"k = " FIFTY FIFTY FIFTY TEN TEN TEN TEN "aaaa"	/* 198 bytes */
#define LONGEST_VALUE	FIFTY FIFTY FIFTY TEN TEN TEN TEN "aaaa"
#define TOO_LONG	"!longer than 199 bytes with its newline; an indented line continues a value\n"
#define A_NUL		"!a NUL byte in the line\n"
#define NO_VALUE	"!is not 'key = value', [section] or a comment\n"
#define NO_KEY		"!there is no key before the '='\n"
#define NO_SECTION	"!a key without a section: [services] or [NAME] must stand above\n"
#define NO_END		"!the section's heading has no ']'\n"
#define TEXT_AFTER	"!text after the ']' of a heading\n"
#define NAME_LENGTH	"!a section's name has 1 to 32 bytes\n"
#define INDENTED_HEAD	"!an indented '[' would continue the value above; " \
	"a heading begins at the start of its line\n"
#define NOTHING_ABOVE	"!an indented line continues the value above, but there is none; " \
	"begin at the start of the line\n"

/*
 * A file, and what is called for it, a line each: "LINE[section]",
 * "LINE section.key=value" (+= for a continuation) or "LINE!mistake".
 */
static const struct {
	const char	*file;
	size_t		 size;
	const char	*calls;
} files[] = {
	{ BYTES("\n"), "" },
	{ BYTES("\n\n; c\n# c\n  ; c\n\t# c\n \t \n"), "" },
	{ BYTES("[a]\nk = v\n"), "1[a]\n2 a.k=v\n" },
	{ BYTES("[a]\nk = v"), "1[a]\n2 a.k=v\n" },
	{ BYTES("[a]"), "1[a]\n" },
	{ BYTES("[a]\r\nk = v\r\n\r\n  w\r\n; c\r\n[b]\r\n"), "1[a]\n2 a.k=v\n4 a.k+=w\n6[b]\n" },
	{ BYTES("\xEF\xBB\xBF[a]\nk=v\n"), "1[a]\n2 a.k=v\n" },
	{ BYTES("\xEF\xBB\xBF; c\n[a]\n"), "2[a]\n" },
	{ BYTES("\n\xEF\xBB\xBF[a]\n"), "2" NO_VALUE },		/* only where a file begins */
	{ BYTES("[a]\nk=v\nk =v\nk= v\n  \n k\t=\tv  \n"),
	  "1[a]\n2 a.k=v\n3 a.k=v\n4 a.k=v\n6 a.k+=k\t=\tv\n" },
	{ BYTES("[a]\nk =\nl = \n"), "1[a]\n2 a.k=\n3 a.l=\n" },
	{ BYTES("[a]\nk = a=b:c=d\n"), "1[a]\n2 a.k=a=b:c=d\n" },
	{ BYTES("[a]\nk = \"v\" 'w'\n"), "1[a]\n2 a.k=\"v\" 'w'\n" },
	{ BYTES("[a]\n[b]\n[a]\n"), "1[a]\n2[b]\n3[a]\n" },		/* empty and repeated ones too */
	{ BYTES("[a b]\n"), "1[a b]\n" },
	/* Comments behind values. */
	{ BYTES("[a] ; c\nk = v ; c\n"), "1[a]\n2 a.k=v\n" },
	{ BYTES("[a]\t;c\nk = v\t;c\n"), "1[a]\n2 a.k=v\n" },
	{ BYTES("[a]\nk = v;w\nl = v #w\n"), "1[a]\n2 a.k=v;w\n3 a.l=v #w\n" },
	{ BYTES("[a]\nk = 'v ;w'\n"), "1[a]\n2 a.k='v\n" },
	{ BYTES("[a]\nk = ; c\nl = v\n"), "1[a]\n2 a.k=\n3 a.l=v\n" },
	{ BYTES("[a]\nk = v\n  w ; c\n  x;y\n  ; c\n  z\n"),
	  "1[a]\n2 a.k=v\n3 a.k+=w\n4 a.k+=x;y\n6 a.k+=z\n" },
	/* Continuation. */
	{ BYTES("[a]\nk = v\n w\n\tx y\n"), "1[a]\n2 a.k=v\n3 a.k+=w\n4 a.k+=x y\n" },
	{ BYTES("[a]\nk =\n  v\n"), "1[a]\n2 a.k=\n3 a.k+=v\n" },
	{ BYTES("[a]\nk = v\n\n  w\n; c\n  x\n"), "1[a]\n2 a.k=v\n4 a.k+=w\n6 a.k+=x\n" },
	{ BYTES("[a]\nk = v\n  l = w\n"), "1[a]\n2 a.k=v\n3 a.k+=l = w\n" },
	{ BYTES("[a]\nk = v\n  [b]\nl = w\n"), "1[a]\n2 a.k=v\n3" INDENTED_HEAD },
	{ BYTES("[a]\nk = v\n  [b]\nl = w\n m\n[c]\nn = x\n"), "1[a]\n2 a.k=v\n3" INDENTED_HEAD "6[c]\n7 c.n=x\n" },
	{ BYTES("  [b]\n"), "1" INDENTED_HEAD },
	{ BYTES("  k = v\n"), "1" NOTHING_ABOVE },
	{ BYTES("[a]\n  k = v\n"), "1[a]\n2" NOTHING_ABOVE },
	{ BYTES("[a]\nk = v\n[b]\n  l = w\n"), "1[a]\n2 a.k=v\n3[b]\n4" NOTHING_ABOVE },
	{ BYTES("[a]\nwrong\n  w\n"), "1[a]\n2" NO_VALUE "3" NOTHING_ABOVE },
	/* Headings. */
	{ BYTES("[a\nk = v\n"), "1" NO_END },		/* whose is k? it is left out */
	{ BYTES("[a ; c]\nk = v\n"), "1" NO_END },
	{ BYTES("[a] k = v\n"), "1" TEXT_AFTER },
	{ BYTES("[a]; c\n"), "1" TEXT_AFTER },
	{ BYTES("[a] # c\n"), "1" TEXT_AFTER },
	{ BYTES("[a]]\n"), "1" TEXT_AFTER },
	{ BYTES("[]\n"), "1" NAME_LENGTH },
	{ BYTES("[" TEN TEN TEN "aa]\n"), "1[" TEN TEN TEN "aa]\n" },
	{ BYTES("[" TEN TEN TEN "aaa]\n"), "1" NAME_LENGTH },
	{ BYTES("[" FIFTY "a]\nk = v\n"), "1" NAME_LENGTH },
	{ BYTES("[a\nk = v\n  w\nwrong\n[b]\nl = w\n"), "1" NO_END "4" NO_VALUE "5[b]\n6 b.l=w\n" },
	/* What is neither. */
	{ BYTES("k = v\n"), "1" NO_SECTION },
	{ BYTES("k = v\nl = w\n[a]\nm = x\n"), "1" NO_SECTION "2" NO_SECTION "3[a]\n4 a.m=x\n" },
	{ BYTES("[a]\nkey\n"), "1[a]\n2" NO_VALUE },
	{ BYTES("[a]\nk : v\n"), "1[a]\n2" NO_VALUE },	/* inih alone would take it */
	{ BYTES("[a]\nk: v = w\n"), "1[a]\n2" NO_VALUE },
	{ BYTES("[a]\nkey ; k = v\n"), "1[a]\n2" NO_VALUE },
	{ BYTES("[a]\n= v\n"), "1[a]\n2" NO_KEY },
	{ BYTES("[a]\nx\ny\nk = v\nz\n"), "1[a]\n2" NO_VALUE "3" NO_VALUE "4 a.k=v\n5" NO_VALUE },
	/* NUL bytes: in a value, in a comment, alone, and as the last byte. */
	{ BYTES("[a]\nk = v\0w\nl = x\n"), "1[a]\n2" A_NUL "3 a.l=x\n" },
	{ BYTES("; c\0\n[a]\n"), "1" A_NUL "2[a]\n" },
	{ BYTES("\0\n[a]\n"), "1" A_NUL "2[a]\n" },
	{ BYTES("[a]\nk = v\0"), "1[a]\n2" A_NUL },
	{ BYTES("[a]\nk = v\n\0 w\n  x\n"), "1[a]\n2 a.k=v\n3" A_NUL "4 a.k+=x\n" },
	/* 199 bytes with the newline are the most; without one, 198. */
	{ BYTES("[a]\n" LONGEST "\n"), "1[a]\n2 a.k=" LONGEST_VALUE "\n" },
	{ BYTES("[a]\n" LONGEST), "1[a]\n2 a.k=" LONGEST_VALUE "\n" },
	{ BYTES("[a]\n" LONGEST "a\nl = v\n"), "1[a]\n2" TOO_LONG "3 a.l=v\n" },
	{ BYTES("[a]\n" LONGEST "a"), "1[a]\n2" TOO_LONG },
	{ BYTES("[a]\n" LONGEST "aa"), "1[a]\n2" TOO_LONG },
	{ BYTES("[a]\n" LONGEST "\r\n"), "1[a]\n2" TOO_LONG },
	{ BYTES("[a]\n" LONGEST LONGEST LONGEST " = w\nl = v\n"), "1[a]\n2" TOO_LONG "3 a.l=v\n" },
	{ BYTES("; " LONGEST "\n[a]\n"), "1" TOO_LONG "2[a]\n" },
	{ BYTES("[a]\nk = v\n " LONGEST_VALUE "aaa\n"), "1[a]\n2 a.k=v\n3 a.k+=" LONGEST_VALUE "aaa\n" },
	{ BYTES("[a]\nk = v\n " LONGEST_VALUE "aaaa\n"), "1[a]\n2 a.k=v\n3" TOO_LONG },
};

static void
tell_heading(void *arg, unsigned line, const char *section)
{
	fprintf(arg, "%u[%s]\n", line, section);
}

static void
tell_value(void *arg, unsigned line, const char *section, const char *key, const char *value,
    bool continues)
{
	fprintf(arg, "%u %s.%s%s%s\n", line, section, key, continues ? "+=" : "=", value);
}

static void
tell_mistake(void *arg, unsigned line, const char *what)
{
	fprintf(arg, "%u!%s\n", line, what);
}

static const char *
calls_for(FILE *file)
{
	static char calls[1 << 16];
	FILE *to = fmemopen(calls, sizeof calls, "w");
	const struct conf_lines lines = { .heading = tell_heading, .value = tell_value,
		.mistake = tell_mistake, .arg = to };

	ck_assert_ptr_nonnull(to);
	conf_lines_read(file, &lines);
	fclose(to);
	return calls;
}

START_TEST(lines_become_calls)
{
	char copy[2048];
	FILE *file;

	ck_assert_uint_lt(files[_i].size, sizeof copy);
	memcpy(copy, files[_i].file, files[_i].size);
	file = fmemopen(copy, files[_i].size, "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_str_eq(calls_for(file), files[_i].calls);
	fclose(file);
}
END_TEST

START_TEST(an_empty_file_is_no_mistake)
{
	FILE *file = fopen("/dev/null", "r");

	ck_assert_str_eq(calls_for(file), "");
	fclose(file);
}
END_TEST

/* A folder can be opened, and fails only when it is read. */
START_TEST(a_read_error_is_told)
{
	char want[256];
	FILE *file = fopen("/", "r");

	ck_assert_ptr_nonnull(file);
	snprintf(want, sizeof want, "0!%s\n", strerror(EISDIR));
	ck_assert_str_eq(calls_for(file), want);
	fclose(file);
}
END_TEST

START_TEST(a_value_of_any_length_comes_in_pieces)
{
	enum { LINES = 500 };
	static char text[LINES * 60 + 16];
	char want[64], *last;
	const char *calls;
	FILE *file;

	strcpy(text, "[a]\nk = v\n");
	for (int i = 0; i < LINES; i++)
		sprintf(text + strlen(text), "\tpiece-%d\n", i);
	file = fmemopen(text, strlen(text), "r");
	calls = calls_for(file);
	fclose(file);
	for (int i = 0; i < LINES; i++) {
		snprintf(want, sizeof want, "\n%d a.k+=piece-%d\n", i + 3, i);
		last = strstr(calls, want);
		ck_assert_msg(last != NULL, "no %s", want);
	}
	ck_assert_str_eq(last, want);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("conf_lines");
	TCase *tcase = unit_case(suite, "lines");

	tcase_add_loop_test(tcase, lines_become_calls, 0, ROWS(files));
	tcase_add_test(tcase, an_empty_file_is_no_mistake);
	tcase_add_test(tcase, a_read_error_is_told);
	tcase_add_test(tcase, a_value_of_any_length_comes_in_pieces);
	return unit_run(suite);
}
