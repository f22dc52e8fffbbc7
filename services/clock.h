/*
 * What daytime and time answer, as functions of the time, so that the tests
 * can ask about any.
 */
#ifndef SERVICES_CLOCK_H
#define SERVICES_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_LINE_SIZE 64

/* Seconds since 1900 as four bytes, the highest first; from 2036 on they begin anew (RFC 868). */
static inline void clock_count(int64_t now, unsigned char bytes[4])
{
	const uint32_t count = (uint32_t)((uint64_t)now + UINT64_C(2208988800));

	for (int i = 0; i < 4; i++)
		bytes[i] = (unsigned char)(count >> (24 - 8 * i));
}

/* The local time as a line, "Sat Nov 21 10:04:05 2026" and CR LF. Returns its size. */
static inline size_t clock_line(const struct tm *local, char line[CLOCK_LINE_SIZE])
{
	return strftime(line, CLOCK_LINE_SIZE, "%a %b %e %H:%M:%S %Y\r\n", local);
}

#endif
