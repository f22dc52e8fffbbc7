/* decimal.c - see decimal.h. */
#include <stddef.h>
#include <string.h>

#include "decimal.h"

char *
decimal_put(char *at, uint64_t number)
{
	char digits[DECIMAL_TEXT], *first = digits + sizeof digits;
	size_t len;

	do
		*--first = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	len = (size_t)(digits + sizeof digits - first);
	memcpy(at, first, len);
	at[len] = '\0';
	return at + len;
}

char *
decimal_put_padded(char *at, uint64_t number, unsigned digits)
{
	for (unsigned i = digits; i-- > 0; number /= 10)
		at[i] = (char)('0' + number % 10);
	at[digits] = '\0';
	return at + digits;
}
