/*
 * conf_lines.h - the lines of an INI file, on their way through inih.
 *
 * inih is the parser, but it reads through a line source of our own: this
 * counts lines and headings, knows which lines continue a value, and refuses
 * what inih would take silently (long lines, NUL bytes, broken headings,
 * lines without '=', read errors).  It works alike with every build of inih.
 */
#ifndef CONF_LINES_H
#define CONF_LINES_H

#include <stdbool.h>
#include <stdio.h>

/* What is called while a file is read; arg is handed on. */
struct conf_lines {
	/* A section begins; also an empty one, and one that was there before. */
	void	(*heading)(void *arg, unsigned line, const char *section);
	/* continues: value belongs behind the value above, joined by a blank. */
	void	(*value)(void *arg, unsigned line, const char *section, const char *key,
		    const char *value, bool continues);
	void	(*mistake)(void *arg, unsigned line, const char *what);
	void	*arg;
};

/* Reads the stream to its end.  All mistakes are told by the callback. */
void	conf_lines_read(FILE *, const struct conf_lines *);

#endif
