/*
 * What the clients share. A line that a person or a script types is
 * sent as it is, its newline included, and what comes back is shown as it is.
 */
#ifndef CLIENTS_CLIENT_H
#define CLIENTS_CLIENT_H

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Exit statuses. */
#define CLIENT_OK 0
#define CLIENT_FAILED 1		/* not connected, or nobody answered */
#define CLIENT_USAGE 64

#define CLIENT_SECONDS_MAX 3600

static inline int64_t client_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Milliseconds until then for poll(2), not below 0. */
static inline int client_left_ms(int64_t deadline)
{
	const int64_t left = deadline - client_now_ms();

	return left > 0 ? (int)left : 0;
}

/* A whole number from 1 to most, or -1. */
static inline int client_number(const char *text, long most)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' && value >= 1 &&
	    value <= most ? (int)value : -1;
}

/* A number beyond all ports, of which getaddrinfo(3) would take the lower 16 bits. */
static inline bool client_no_port(const char *text)
{
	return text[strspn(text, "0123456789")] == '\0' && client_number(text, UINT16_MAX) == -1;
}

/* The addresses of host and port, for freeaddrinfo(3); NULL after telling why there are none. */
static inline struct addrinfo *client_addresses(const char *program, char *const words[], int type)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = type };
	struct addrinfo *list;
	const int error = getaddrinfo(words[0], words[1], &hints, &list);

	if (error == 0)
		return list;
	fprintf(stderr, "%s: %s %s: %s\n", program, words[0], words[1],
	    error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
	return NULL;
}

/* Whether a line of size bytes, its newline counted or not, is the word that ends the talk. */
static inline bool client_quits(const char *line, size_t size)
{
	return strncmp(line, "quit", 4) == 0 && (size == 4 || (size == 5 && line[4] == '\n'));
}

/* Shows bytes at once. Returns false where nobody looks any more. */
static inline bool client_show(const char *data, size_t size)
{
	return fwrite(data, 1, size, stdout) == size && fflush(stdout) == 0;
}

#endif
