/* conf_lines.c - see conf_lines.h. */
#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "conf_lines.h"

#define TEXT(macro)	TEXT_OF(macro)
#define TEXT_OF(text)	#text

struct source {
	FILE			*file;
	const struct conf_lines	*to;
	char			*raw;		/* owned, of getline(3) */
	size_t			 raw_size;
	unsigned		 line;
	bool			 section;	/* some heading was seen */
	bool			 skip;		/* below a heading that is none: whose keys are these? */
	bool			 open;		/* a value stands above that can be continued */
	bool			 continues;	/* the line at hand does so */
};

static void
source_mistake(struct source *source, const char *what)
{
	source->to->mistake(source->to->arg, source->line, what);
}

/* The first place where " ;" or "\t;" begins a comment, or the end. */
static char *
comment_start(char *text)
{
	for (; *text != '\0'; text++)
		if (isspace((unsigned char)*text) && text[1] == ';')
			return text;
	return text;
}

static void
trim_end(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
}

/* "[name]", perhaps with a comment behind it.  Cuts text down to that. */
static void
check_heading(struct source *source, char *text)
{
	char *end;

	*comment_start(text) = '\0';
	trim_end(text);
	end = strchr(text, ']');
	source->skip = true;
	if (end == NULL) {
		source_mistake(source, "the section's heading has no ']'");
	} else if (end[1] != '\0') {
		source_mistake(source, "text after the ']' of a heading");
	} else if (end - text - 1 > NAME_BYTES || end == text + 1) {
		source_mistake(source, "a section's name has 1 to " TEXT(NAME_BYTES) " bytes");
	} else {
		source->skip = false;
		source->section = true;
		*end = '\0';
		source->to->heading(source->to->arg, source->line, text + 1);
		*end = ']';
	}
	if (source->skip)
		*text = '\0';
}

/* "key = value": inih would also take ':', which would cut addresses and names apart. */
static void
check_value(struct source *source, char *text)
{
	size_t name = strcspn(text, "=:");

	source->open = false;
	if (comment_start(text) < text + name || text[name] != '=')
		source_mistake(source, "is not 'key = value', [section] or a comment");
	else if (name == 0)
		source_mistake(source, "there is no key before the '='");
	else if (!source->section && !source->skip)
		source_mistake(source, "a key without a section: [services] or [NAME] must stand above");
	else if (!source->skip) {
		source->open = true;
		return;
	}
	*text = '\0';
}

/* An indented line.  Some builds of inih leave the comment in it, so it is cut here. */
static void
check_continuation(struct source *source, char *line, char *text)
{
	*comment_start(text) = '\0';
	trim_end(text);
	source->continues = true;
	if (*text == '[') {
		source_mistake(source, "an indented '[' would continue the value above; "
		    "a heading begins at the start of its line");
		source->skip = true;
		source->open = false;
	} else if (source->open) {
		return;
	} else if (!source->skip) {
		source_mistake(source, "an indented line continues the value above, "
		    "but there is none; begin at the start of the line");
	}
	*line = '\0';
}

/* Leaves in line what inih is to see: the line, or nothing where it was told as a mistake. */
static void
check_line(struct source *source, char *line)
{
	static const char mark[] = "\xEF\xBB\xBF";	/* that some editors begin a UTF-8 file with */
	char *text;

	if (source->line == 1 && strncmp(line, mark, strlen(mark)) == 0)
		memmove(line, line + strlen(mark), strlen(line + strlen(mark)) + 1);
	text = line + strspn(line, " \t\r\n\v\f");
	source->continues = false;
	if (*text == '\0' || *text == ';' || *text == '#') {
		*line = '\0';
	} else if (text > line) {
		check_continuation(source, line, text);
	} else if (*text == '[') {
		source->open = false;
		check_heading(source, text);
	} else {
		check_value(source, text);
	}
}

/* An ini_reader: the next line, as fgets(3) would give it. */
static char *
source_next(char *line, int size, void *arg)
{
	struct source *source = arg;
	ssize_t len;

	errno = 0;
	len = getline(&source->raw, &source->raw_size, source->file);
	if (len == -1) {
		if (ferror(source->file) || errno == ENOMEM)
			source_mistake(source, strerror(errno));
		return NULL;
	}
	source->line++;
	if (len > 0 && source->raw[len - 1] == '\n')
		source->raw[--len] = '\0';
	*line = '\0';
	if (memchr(source->raw, '\0', (size_t)len) != NULL)
		source_mistake(source, "a NUL byte in the line");
	else if (len >= LINE_BYTES || len >= size)
		source_mistake(source, "longer than " TEXT(LINE_BYTES) " bytes with its newline; "
		    "an indented line continues a value");
	else
		check_line(source, strcpy(line, source->raw));
	return line;
}

/* An ini_handler.  Newer builds of inih hand a line number on, behind what is declared here. */
static int
source_value(void *arg, const char *section, const char *key, const char *value
#if INI_HANDLER_LINENO
    , int line
#endif
    )
{
	struct source *source = arg;

#if INI_HANDLER_LINENO
	(void)line;
#endif
	source->to->value(source->to->arg, source->line, section, key, value, source->continues);
	return 1;
}

void
conf_lines_read(FILE *file, const struct conf_lines *to)
{
	struct source source = { .file = file, .to = to };

	/* Every mistake that inih could report has been told by check_line. */
	(void)ini_parse_stream(source_next, &source, source_value, &source);
	free(source.raw);
}
