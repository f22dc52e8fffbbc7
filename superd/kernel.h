/* kernel.h - whether the kernel has what superd cannot do without. */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>

#define KERNEL_TEXT	256

/* True; or what is missing and what would be right, in text. */
bool	kernel_suffices(char text[KERNEL_TEXT]);

#endif
