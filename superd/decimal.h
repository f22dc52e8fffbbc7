/* decimal.h - numbers as text, where printf(3) would cost a connection more than all the rest of its text. */
#ifndef DECIMAL_H
#define DECIMAL_H

#include <stdint.h>

#define DECIMAL_TEXT	21	/* room for any number, and a NUL */

/* Writes the digits and a NUL, and returns where that is, as stpcpy(3) does. */
char	*decimal_put(char *at, uint64_t number);
/* Always so many digits, at the most 9; what does not fit them is cut. */
char	*decimal_put_padded(char *at, uint64_t number, unsigned digits);

#endif
