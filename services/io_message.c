/*
 * Messages of a stream or of datagrams; io_message.h says what they are.
 */
#include "io_message.h"

#include "io_datagram.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define LINE_REST_MS 500	/* how long the rest of a line may take, see receive() */

/* The length without a telnet client's CR, or the NUL that some programs send with their text. */
static size_t
trimmed(const char *text, size_t size)
{
	while (size > 0 && (text[size - 1] == '\r' || text[size - 1] == '\0'))
		size--;
	return size;
}

/* A line end alone that follows bare text only ends that message, which was handed out. */
static void
skip_line_end(struct io_messages *messages)
{
	if (messages->held >= 2 && messages->data[0] == '\r' && messages->data[1] == '\n')
		messages->next = 2;
	else if (messages->data[0] == '\n')
		messages->next = 1;
}

/*
 * Reads once. A read with a newline comes from a client that sends lines, so what
 * follows its last newline is the beginning of a line and waits for its rest. But
 * not for ever: a line and then bare text may have met in one read, and a client
 * that waits for the answer would wait in vain. Returns 0, or -1 with errno.
 */
static int
receive(struct io_messages *messages)
{
	char *rest;
	size_t room;
	ssize_t n;

	messages->held -= messages->next;
	memmove(messages->data, messages->data + messages->next, messages->held);
	messages->next = 0;
	rest = messages->data + messages->held;
	room = sizeof messages->data - messages->held;
	n = messages->held == 0 ? io_read(STDIN_FILENO, rest, room)
	    : io_read_until(STDIN_FILENO, rest, room, io_now_ms() + LINE_REST_MS);
	if (n == -1 && errno != ETIME)
		return -1;
	messages->over = n == 0;
	if (n <= 0) {
		messages->bare = true;
		return 0;
	}
	messages->held += (size_t)n;
	if (messages->bare)
		skip_line_end(messages);
	messages->bare = memchr(rest, '\n', (size_t)n) == NULL;
	return 0;
}

/* Returns the next message that is here as a whole, or NULL. */
static const char *
held_message(struct io_messages *messages, size_t *size)
{
	const char *text = messages->data + messages->next;
	const size_t left = messages->held - messages->next;
	const char *newline = memchr(text, '\n', left);

	if (newline == NULL && (left == 0 || !messages->bare))
		return NULL;
	*size = newline != NULL ? (size_t)(newline - text) : left;
	messages->next += *size + (newline != NULL);
	return text;
}

static const char *
datagram_message(struct io_messages *messages, size_t *size)
{
	const ssize_t n = io_datagram(messages->data, sizeof messages->data, false);

	if (n == -1)
		return NULL;
	*size = (size_t)n;
	if (*size > 0 && messages->data[*size - 1] == '\n')
		--*size;
	return messages->data;
}

const char *
io_message(struct io_messages *messages, struct io_out *out, size_t *size)
{
	const bool datagrams = io_datagrams();
	const char *text;

	while (datagrams || (text = held_message(messages, size)) == NULL) {
		if (io_flush(out) == -1)
			return NULL;
		errno = 0;
		if (datagrams) {
			text = datagram_message(messages, size);
			break;
		}
		if (messages->over || receive(messages) == -1)
			return NULL;
	}
	if (text != NULL)
		*size = trimmed(text, *size);
	return text;
}
