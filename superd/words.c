/* words.c - see words.h. */
#include <ctype.h>
#include <string.h>

#include "words.h"

/* In "..." a backslash quotes only what would mean something there, as in sh. */
static const char *
word_double_quoted(const char *at, char **out)
{
	for (at++; *at != '"'; at++) {
		if (*at == '\\' && at[1] != '\0' && strchr("\"\\$`", at[1]) != NULL)
			at++;
		if (*at == '\0')
			return NULL;
		*(*out)++ = *at;
	}
	return at + 1;
}

static const char *
word_single_quoted(const char *at, char **out)
{
	for (at++; *at != '\''; at++) {
		if (*at == '\0')
			return NULL;
		*(*out)++ = *at;
	}
	return at + 1;
}

/* Copies one word without its quotes to *out; gives what follows it, or NULL. */
static const char *
word_copy(const char *at, char **out, const char **wrong)
{
	while (*at != '\0' && *at != ' ' && *at != '\t') {
		if (*at == '"') {
			at = word_double_quoted(at, out);
			*wrong = "a \" that is not closed";
		} else if (*at == '\'') {
			at = word_single_quoted(at, out);
			*wrong = "a ' that is not closed";
		} else if (*at == '\\' && at[1] == '\0') {
			*wrong = "a \\ at the end quotes nothing";
			return NULL;
		} else {
			at += *at == '\\';
			*(*out)++ = *at++;
		}
		if (at == NULL)
			return NULL;
	}
	*(*out)++ = '\0';
	return at;
}

/* As many as there are without quotes, which only join. */
static size_t
most_words(const char *text)
{
	size_t count = 0;

	for (text += strspn(text, " \t"); *text != '\0'; text += strspn(text, " \t")) {
		text += strcspn(text, " \t");
		count++;
	}
	return count;
}

char **
words_split(struct arena *arena, const char *text, const char **wrong)
{
	size_t count = 0;
	char **words = arena_take(arena, (most_words(text) + 1) * sizeof *words);
	char *out = arena_text(arena, text);	/* as much room as the words need */

	*wrong = "out of memory";
	if (words == NULL || out == NULL)
		return NULL;
	for (text += strspn(text, " \t"); *text != '\0'; text += strspn(text, " \t")) {
		words[count++] = out;
		if ((text = word_copy(text, &out, wrong)) == NULL)
			return NULL;
	}
	return words;
}

unsigned
words_count(char *const *words)
{
	unsigned count = 0;

	while (words[count] != NULL)
		count++;
	return count;
}

static bool
word_is_plain(const char *word)
{
	static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789%+,-./:=@_^~{}()*?&|<>!$]";

	return *word != '\0' && strspn(word, safe) == strlen(word);
}

char *
words_quote(struct arena *arena, const char *word)
{
	char *quoted, *out;

	if (word_is_plain(word))
		return arena_text(arena, word);
	/* Each byte becomes four at the most: ' -> '\'' */
	if ((quoted = arena_take(arena, strlen(word) * 4 + 3)) == NULL)
		return NULL;
	out = quoted;
	*out++ = '\'';
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			out = stpcpy(out, "'\\''");
		else if (*word == ';' && isspace((unsigned char)out[-1]))
			out = stpcpy(out, "'';");
		else
			*out++ = *word;
	}
	stpcpy(out, "'");
	return quoted;
}
