/*
 * output.c: lines of superd.ini, which has at most LINE_BYTES in one and goes
 * on with a value on indented lines; comments; and what is told to the person.
 */
#include "xinetd2superd.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../../superd/bounds.h"

#define WIDE 98		      /* where a line is better broken */
#define MOST (LINE_BYTES - 2) /* of a word behind a tabulator, the newline counted */
#define COMMENT_WIDE 78

bool told;

/* At the start of a line "key = value" would be taken for a key of its own. */
static const char *
fit_to_begin(const char *word)
{
	size_t length = strspn(word, "abcdefghijklmnopqrstuvwxyz_0123456789");

	return word[length] == '=' ? text("'%s'", word) : word;
}

bool
put_words(FILE *out, const char *key, const char *const *words, unsigned count)
{
	size_t used = strlen(key) + strlen(" =");

	for (unsigned i = 0; i < count; i++)
		if (strlen(fit_to_begin(words[i])) > MOST)
			return false;
	fprintf(out, "%s =", key);
	for (unsigned i = 0; i < count; i++) {
		const char *word = words[i];

		if (used + 1 + strlen(word) > (i == 0 ? MOST : WIDE)) {
			word = fit_to_begin(word);
			fputs("\n\t", out);
			used = strlen(word) + 1;
		} else {
			fputc(' ', out);
			used += strlen(word) + 1;
		}
		fputs(word, out);
	}
	fputc('\n', out);
	return true;
}

void
put(struct section *section, enum attribute id, const char *key, const char *format, ...)
{
	char *value;
	const char *word;
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&value, format, args);
	va_end(args);
	if (length < 0)
		return;
	word = text("%s", value);
	free(value);
	/* Without quotes a semicolon behind a blank is a comment. */
	if (*word != ';' && put_words(section->body, key, &word, 1))
		return;
	if (strcmp(key, "listen") == 0) /* without which there is no section */
		leave_out(section, id, "'%.20s ...' cannot be written into superd.ini", word);
	else
		turn_off(section, id, "'%.20s ...' cannot be written into superd.ini", word);
}

/* Nothing of a file may do something to a terminal or begin a line of its own. */
static void
clean(char *line)
{
	for (; *line != '\0'; line++)
		if ((unsigned char)*line < ' ' || *line == 0x7f)
			*line = '?';
}

static void
write_comment(FILE *out, const char *line)
{
	size_t used = 0;

	for (line += strspn(line, " "); *line != '\0'; line += strspn(line, " ")) {
		size_t length = strcspn(line, " ");

		if (length > MOST - 1) /* cut: this is for people only */
			length = MOST - 1;
		if (used > 0 && used + 1 + length > COMMENT_WIDE) {
			fputc('\n', out);
			used = 0;
		}
		used += (size_t)fprintf(out, "%s%.*s", used == 0 ? "; " : " ", (int)length, line);
		line += length;
	}
	fputc('\n', out);
}

void
comment(FILE *out, const char *format, ...)
{
	char *line;
	va_list args;

	va_start(args, format);
	if (vasprintf(&line, format, args) >= 0) {
		clean(line);
		write_comment(out, line);
		free(line);
	}
	va_end(args);
}

enum where { BODY, REASONS };

static void tell(struct section *section, enum where where, enum attribute id, bool aloud,
    const char *format, va_list args) __attribute__((format(printf, 5, 0)));

static void
tell(struct section *section, enum where where, enum attribute id, bool aloud,
    const char *format, va_list args)
{
	const struct values *values = held(section, id);
	struct place at = values != NULL ? values->at : section->entry->at;
	char *what;

	if (vasprintf(&what, format, args) < 0)
		return;
	clean(what);
	comment(
	    where == BODY ? section->body : section->reasons, "%s: %s", attribute_names[id], what);
	if (aloud) {
		told = true;
		fprintf(stderr, "%s:%u: [%s] %s: %s\n", at.file, at.line, section->name,
		    attribute_names[id], what);
	}
	free(what);
}

#define TELL(where, aloud)                                         \
	do {                                                       \
		va_list args;                                      \
		va_start(args, format);                            \
		tell(section, (where), id, (aloud), format, args); \
		va_end(args);                                      \
	} while (0)

void
remark(struct section *section, enum attribute id, const char *format, ...)
{
	TELL(BODY, false);
}

void
lose(struct section *section, enum attribute id, const char *format, ...)
{
	TELL(BODY, true);
}

void
turn_off(struct section *section, enum attribute id, const char *format, ...)
{
	section->off = true;
	TELL(REASONS, true);
}

void
leave_out(struct section *section, enum attribute id, const char *format, ...)
{
	section->left_out = true;
	TELL(REASONS, true);
}

void
hole(struct section *section, enum attribute id, const char *format, ...)
{
	if (!section->force)
		section->off = true;
	TELL(section->force ? BODY : REASONS, true);
}
