/*
 * What the parts of sendfile share. Its protocols are in files of their own;
 * the one for a single file is in sendfile.c.
 */
#ifndef SERVICES_SENDFILE_H
#define SERVICES_SENDFILE_H

#include "io.h"

#include <sys/stat.h>

/*
 * Both open a regular file for reading and tell about it. The path is the
 * administrator's own; the name comes from a client, and is resolved beneath
 * the working folder, never leaving it, and through no link. Return -1 with
 * errno, EINVAL for anything but a regular file.
 */
int sendfile_open(const char *path, struct stat *about);
int sendfile_open_beneath(const char *name, struct stat *about);

/*
 * Why a client does not get a file, of errno after sendfile_open_beneath. What
 * a client cannot cause is told on standard error too.
 */
const char *sendfile_refusal(int reason);

/* The text without the blanks around it, which are cut off in place. */
char *sendfile_trim(char *text);

/* The name in a text: all of it, or what stands in its double quotes. NULL: there is none. */
const char *sendfile_name(char *text);

/*
 * The exit status after an answer failed with errno. The connection is reset:
 * an orderly end would tell the client that it has the whole file.
 */
int sendfile_cut_off(const char *what);

/* Serves the files of a folder by the line protocol. Returns the exit status. */
int sendfile_lines(const char *folder, int stall_s);

/*
 * Serves one client by the datagram protocol: one file, or where path is NULL
 * the files of a folder. Returns the exit status.
 */
int sendfile_datagrams(const char *path, const char *folder);

#endif
