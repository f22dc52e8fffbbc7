/* pid_file.h - tells others superd's number, and keeps a second superd from telling its own there. */
#ifndef PID_FILE_H
#define PID_FILE_H

/*
 * Writes the file, and keeps it locked while superd runs.  -1 with errno;
 * EWOULDBLOCK: another one has it.
 */
int	pid_file_take(const char *path);
/* Removes it, if it is still the one that was written. */
void	pid_file_leave(const char *path);

#endif
