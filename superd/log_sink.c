/*
 * log_sink.c - standard error, a file or syslog(3), never waited for.
 *
 * Lines to a descriptor are gathered for a moment: a busy superd writes once
 * for many lines.  A write is of at most PIPE_BUF bytes, which a pipe
 * takes whole or not at all, and never blocks: standard error, which others may
 * share, is opened anew for that.  syslog() of the C library would block, so its
 * datagrams (RFC 3164 as /dev/log takes it) are sent from here.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "bounds.h"
#include "facility.h"
#include "log_sink.h"

static const int priority[] = { LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

static struct {
	int		 fd;		/* of lines: standard error or the file; -1: nowhere */
	bool		 to_stderr;	/* fd is standard error, perhaps opened anew */
	int		 syslog;	/* socket; -1: none */
	bool		 to_syslog;
	bool		 started;	/* nobody waits at the terminal for an error any more */
	bool		 no_stderr;
	bool		 socket;	/* fd is a socket: it can be asked not to block */
	bool		 waits;		/* a write to fd may wait: it must be asked for room first */
	bool		 journal;	/* fd is journald: priorities, no time */
	int		 facility;
	uint64_t	 retry;		/* ms when syslog is tried again */
	bool		 torn;		/* the last write ended within a line (a full disk) */
	uint64_t	 dropped;	/* lines not yet told of */
	char		 buffer[LOG_BUFFER];
	size_t		 used;
	unsigned	 lines;		/* in the buffer */
} self = { .fd = STDERR_FILENO, .syslog = -1 };

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* journald tells by JOURNAL_STREAM, "device:inode", which descriptor is its own. */
static bool
is_journal(const struct stat *status)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;

	return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	    device == status->st_dev && inode == status->st_ino;
}

/*
 * Standard error by a description of superd's own, which does not block: a
 * terminal takes the first byte and then makes one wait for its reader.  Where
 * that is not to be had, poll(2) and whole writes must do.
 */
static int
reopen_stderr(void)
{
	int fd = open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return fd != -1 ? fd : STDERR_FILENO;
}

static void
look_at_descriptor(void)
{
	struct stat status;

	self.socket = self.journal = self.waits = false;
	if (self.fd == -1 || fstat(self.fd, &status) == -1)
		return;
	self.socket = S_ISSOCK(status.st_mode);
	self.journal = self.fd == STDERR_FILENO && is_journal(&status);
	if (self.fd == STDERR_FILENO && !self.socket && !S_ISREG(status.st_mode))
		self.fd = reopen_stderr();
	self.waits = self.fd == STDERR_FILENO && !self.socket && !S_ISREG(status.st_mode);
}

void
sink_init(void)
{
	self.to_stderr = true;
	look_at_descriptor();
}

static bool
sink_can_write(void)
{
	struct pollfd ready = { .fd = self.fd, .events = POLLOUT };

	return self.fd != -1 && poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0;
}

static ssize_t
write_some(const char *text, size_t len)
{
	ssize_t done;

	if (self.socket)
		return send(self.fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	do
		done = write(self.fd, text, len);
	while (done == -1 && errno == EINTR);
	return done;
}

static bool
write_all(const char *text, size_t len)
{
	ssize_t done;

	if (self.fd == -1 || (self.waits && !sink_can_write()))
		return false;
	if (self.torn && write_some("\n", 1) != 1)
		return false;
	done = write_some(text, len);
	self.torn = done > 0 && done < (ssize_t)len;
	return done == (ssize_t)len;
}

bool
sink_has_room(void)
{
	return (self.to_syslog && self.syslog != -1) || sink_can_write();
}

uint64_t
sink_dropped(void)
{
	return self.dropped;
}

void
sink_set_dropped(uint64_t lines)
{
	self.dropped = lines;
}

bool
sink_gathers(void)
{
	return self.used > 0;
}

void
sink_flush(void)
{
	if (self.used == 0)
		return;
	if (!write_all(self.buffer, self.used))
		self.dropped += self.lines;
	self.used = 0;
	self.lines = 0;
}

static void
buffer_line(const char *line, size_t len, enum log_level level)
{
	size_t head = self.journal ? 3 : 0;

	if (len + head > sizeof self.buffer - self.used)
		sink_flush();
	if (self.journal) {
		memcpy(self.buffer + self.used, "<6>", head);
		self.buffer[self.used + 1] = (char)('0' + priority[level]);
	}
	memcpy(self.buffer + self.used + head, line, len);
	self.used += head + len;
	self.lines++;
	if (level <= LOG_LEVEL_WARNING)		/* what matters most is not kept back */
		sink_flush();
}

static int
syslog_connect(void)
{
	const struct sockaddr_un daemon = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1)
		return -1;
	if (connect(fd, (const struct sockaddr *)&daemon, sizeof daemon) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Whether the syslog daemon is there; asked again at most once a second while it is not. */
static bool
syslog_ready(void)
{
	uint64_t now;

	if (self.syslog != -1)
		return true;
	now = now_ms();
	if (now < self.retry)
		return false;
	self.retry = now + SYSLOG_RETRY_MS;
	self.syslog = syslog_connect();
	return self.syslog != -1;
}

static bool
syslog_send(const char *text, size_t len, enum log_level level)
{
	char message[LOG_LINE_BYTES + 100], stamp[32] = "";
	time_t now = time(NULL);
	struct tm parts;
	int head;

	if (localtime_r(&now, &parts) != NULL)
		strftime(stamp, sizeof stamp, "%b %e %H:%M:%S ", &parts);
	head = snprintf(message, sizeof message, "<%d>%ssuperd[%d]: ", self.facility | priority[level],
	    stamp, (int)getpid());
	memcpy(message + head, text, len - 1);	/* without the newline */
	return send(self.syslog, message, (size_t)head + len - 1, MSG_DONTWAIT | MSG_NOSIGNAL) != -1;
}

/* True: the line is gone, or lost and counted.  False: there is no daemon to take it. */
static bool
syslog_line(const char *line, size_t len, enum log_level level)
{
	for (int attempt = 0; attempt < 2; attempt++) {
		if (!syslog_ready())
			return false;
		if (syslog_send(line, len, level))
			return true;
		if (errno == EAGAIN || errno == ENOBUFS || errno == EMSGSIZE) {
			self.dropped++;
			return true;
		}
		close(self.syslog);	/* it was restarted: try the new one at once */
		self.syslog = -1;
		self.retry = 0;
	}
	return false;
}

void
sink_line(const char *line, size_t len, enum log_level level)
{
	const bool gone = self.to_syslog && syslog_line(line, len, level);

	if (!self.started && level == LOG_LEVEL_ERROR && (gone || !self.to_stderr))
		(void)!write(STDERR_FILENO, line, len);
	if (!gone)
		buffer_line(line, len, level);
}

bool
sink_wants_time(void)
{
	return !self.to_syslog && !self.journal;
}

void
sink_started(void)
{
	self.started = true;
}

void
sink_without_stderr(void)
{
	self.started = true;
	self.no_stderr = true;
	if (self.to_stderr) {
		sink_flush();
		if (self.fd > STDERR_FILENO)
			close(self.fd);
		self.fd = -1;
	}
}

void
sink_close(void)
{
	sink_flush();
	if (self.fd > STDERR_FILENO)
		close(self.fd);
	if (self.syslog != -1)
		close(self.syslog);
	self.syslog = -1;
	self.fd = self.no_stderr ? -1 : STDERR_FILENO;
	self.to_syslog = false;
}

int
sink_open(const char *where)
{
	int fd = self.no_stderr ? -1 : STDERR_FILENO;
	bool to_syslog = where != NULL && strncmp(where, "syslog", 6) == 0;

	if (where != NULL && *where == '/') {
		/* O_NONBLOCK: a FIFO without a reader is an error and never waited for. */
		fd = open(where, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
		if (fd == -1)
			return -1;
	}
	sink_close();
	self.fd = fd;
	self.to_stderr = fd == STDERR_FILENO;
	self.to_syslog = to_syslog;
	self.facility = to_syslog && where[6] == ':' ? facility_find(where + 7) : LOG_DAEMON;
	self.retry = 0;
	look_at_descriptor();
	return 0;
}
