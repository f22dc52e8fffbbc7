/* signal_name.c - see signal_name.h. */
#include <signal.h>
#include <stddef.h>
#include <stdio.h>

#include "signal_name.h"

const char *
signal_name(int number)
{
#define NAME(name)	[SIG##name] = #name
	static const char *const names[] = {
		NAME(HUP), NAME(INT), NAME(QUIT), NAME(ILL), NAME(TRAP), NAME(ABRT), NAME(BUS),
		NAME(FPE), NAME(KILL), NAME(USR1), NAME(SEGV), NAME(USR2), NAME(PIPE), NAME(ALRM),
		NAME(TERM), NAME(CHLD), NAME(CONT), NAME(STOP), NAME(TSTP), NAME(TTIN), NAME(TTOU),
		NAME(URG), NAME(XCPU), NAME(XFSZ), NAME(VTALRM), NAME(PROF), NAME(WINCH), NAME(IO),
		NAME(PWR), NAME(SYS),
	};
#undef NAME
	static char digits[16];

	if (number > 0 && (size_t)number < sizeof names / sizeof *names && names[number] != NULL)
		return names[number];
	snprintf(digits, sizeof digits, "%d", number);
	return digits;
}
