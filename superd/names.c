/*
 * names.c - see names.h.
 *
 * A question and its answer go through a socket pair, each with its length.  A
 * child that has taken too long, for all answers together, is killed, and
 * everything else that this load asks fails at once.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bounds.h"
#include "lookup.h"
#include "names.h"

/* Before each question of a recording; its name and what follows the answer come behind. */
struct record {
	struct answer	answer;
	size_t		name;		/* bytes */
	enum lookup	kind;
	unsigned	id;
	unsigned	end;		/* 1: no question, all has been asked */
};

static struct {
	enum { ASK, RECORD, REPLAY } mode;
	pid_t		 pid;		/* of the child; 0: none yet */
	int		 fd;		/* that leads to it; or where the recording goes */
	int		 left_ms;	/* that may still be spent waiting */
	const char	*recording;	/* what is left of it ... */
	size_t		 len;		/* ... and its bytes */
	bool		 strayed;
	const char	*trouble;	/* why nothing more is asked */
	char		*bytes;		/* owned; what followed the last answer */
} self;

/* --- a child that answers */

static void
send_all(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;
	ssize_t done;

	for (; len > 0; at += done, len -= (size_t)done)
		if ((done = send(fd, at, len, MSG_NOSIGNAL)) == -1)
			_exit(1);
}

static _Noreturn void
serve(int fd)
{
	struct question question;
	struct answer answer;
	void *bytes;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(fd, STDERR_FILENO + 1) == -1)
		_exit(1);
	fd = STDERR_FILENO + 1;
	(void)syscall(SYS_close_range, (unsigned)fd + 1, ~0U, 0);
	while (recv(fd, &question, sizeof question, MSG_WAITALL) == (ssize_t)sizeof question) {
		bytes = lookup(&question, &answer);
		send_all(fd, &answer, sizeof answer);
		send_all(fd, bytes, answer.bytes);
		free(bytes);
	}
	_exit(0);
}

/* --- superd asks it, and waits */

static bool
begin(void)
{
	int ends[2];

	if (self.pid != 0)
		return true;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1) {
		self.trouble = strerror(errno);
		return false;
	}
	self.left_ms = NAMES_MS;
	self.pid = fork();
	if (self.pid == 0)
		serve(ends[1]);
	close(ends[1]);
	self.fd = ends[0];
	if (self.pid != -1)
		return true;
	self.trouble = strerror(errno);
	self.pid = 0;
	close(ends[0]);
	return false;
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Nobody is served meanwhile, so the time is bounded for all questions of a load together. */
static int
wait_for_bytes(void)
{
	struct pollfd ready = { .fd = self.fd, .events = POLLIN };
	int64_t begun_ms = now_ms(), waited_ms;
	int some = poll(&ready, 1, self.left_ms);

	waited_ms = now_ms() - begun_ms;
	self.left_ms -= waited_ms < self.left_ms ? (int)waited_ms : self.left_ms;
	return some;
}

static bool
receive(void *bytes, size_t len)
{
	char *at = bytes;
	ssize_t done;

	for (; len > 0; at += done, len -= (size_t)done) {
		int some = wait_for_bytes();

		if (some == 0)
			self.trouble = "nobody answered in time";
		else if (some == -1)
			self.trouble = strerror(errno);
		if (some != 1)
			return false;
		done = recv(self.fd, at, len, MSG_DONTWAIT);
		if (done <= 0) {
			self.trouble = "who looks them up has died";
			return false;
		}
	}
	return true;
}

static bool
ask_child(const struct question *question, struct answer *answer)
{
	if (self.trouble != NULL || !begin())
		return false;
	if (send(self.fd, question, sizeof *question, MSG_NOSIGNAL) != (ssize_t)sizeof *question) {
		self.trouble = "who looks them up has died";
		return false;
	}
	if (!receive(answer, sizeof *answer) || !answer->found)
		return false;
	if (answer->bytes == 0)
		return true;
	self.bytes = malloc(answer->bytes);
	if (self.bytes == NULL)
		self.trouble = strerror(errno);
	return self.bytes != NULL && receive(self.bytes, answer->bytes);
}

/* --- recordings */

static bool
record(const struct question *question, struct answer *answer)
{
	struct record head;
	char *whole;

	/* Checking a program as its user (setfsuid) has undone this; and now it may hang. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	self.bytes = lookup(question, answer);
	memset(&head, 0, sizeof head);
	memcpy(&head.answer, answer, sizeof *answer);
	head.name = strlen(question->name);
	head.kind = question->kind;
	head.id = question->id;
	whole = malloc(sizeof head + head.name + answer->bytes);
	if (whole == NULL)
		_exit(1);
	memcpy(whole, &head, sizeof head);
	memcpy(whole + sizeof head, question->name, head.name);
	if (answer->bytes > 0)
		memcpy(whole + sizeof head + head.name, self.bytes, answer->bytes);
	send_all(self.fd, whole, sizeof head + head.name + answer->bytes);
	free(whole);
	return answer->found;
}

/* The bytes of the record there, and its head; 0: it is not complete. */
static size_t
measure(const char *recording, size_t len, struct record *head)
{
	if (len < sizeof *head)
		return 0;
	memcpy(head, recording, sizeof *head);
	len -= sizeof *head;
	if (head->name > len || head->answer.bytes > len - head->name)
		return 0;
	return sizeof *head + head->name + head->answer.bytes;
}

static bool
replay(const struct question *question, struct answer *answer)
{
	struct record head;
	size_t size = measure(self.recording, self.len, &head);
	const char *name = self.recording + sizeof head;

	if (self.trouble != NULL)
		return false;
	if (size == 0 || head.end || head.kind != question->kind || head.id != question->id ||
	    head.name != strlen(question->name) || memcmp(name, question->name, head.name) != 0)
		self.strayed = true;
	if (self.strayed)
		return false;
	self.recording += size;
	self.len -= size;
	*answer = head.answer;
	if (answer->found && answer->bytes > 0) {
		if ((self.bytes = malloc(answer->bytes)) == NULL)
			self.trouble = strerror(errno);
		else
			memcpy(self.bytes, name + head.name, answer->bytes);
	}
	return answer->found && self.trouble == NULL;
}

void
names_record(int fd)
{
	(void)names_end();
	self.mode = RECORD;
	self.fd = fd;
}

void
names_record_end(int fd)
{
	struct record head;

	memset(&head, 0, sizeof head);
	head.end = 1;
	send_all(fd, &head, sizeof head);
}

bool
names_recorded(const char *recording, size_t len, size_t *seen)
{
	struct record head;
	size_t size;

	while ((size = measure(recording + *seen, len - *seen, &head)) != 0 && !head.end)
		*seen += size;
	return size != 0;
}

void
names_replay(const char *recording, size_t len)
{
	(void)names_end();
	self.mode = REPLAY;
	self.recording = recording;
	self.len = len;
}

bool
names_strayed(void)
{
	return self.strayed;
}

/* --- what is asked */

static bool
ask(enum lookup kind, const char *name, unsigned id, struct answer *answer)
{
	struct question question = { .kind = kind, .id = id };

	if (strlen(name) >= sizeof question.name)
		return false;
	memcpy(question.name, name, strlen(name) + 1);
	free(self.bytes);
	self.bytes = NULL;
	switch (self.mode) {
	case ASK:
		return ask_child(&question, answer);
	case RECORD:
		return record(&question, answer);
	case REPLAY:
		return replay(&question, answer);
	}
	return false;
}

static bool
ask_user(enum lookup kind, const char *login, uid_t uid, struct name_user *user)
{
	struct answer answer;

	if (!ask(kind, login, uid, &answer))
		return false;
	user->uid = answer.id;
	user->gid = answer.gid;
	user->login = self.bytes;
	user->home = user->login + strlen(user->login) + 1;
	user->shell = user->home + strlen(user->home) + 1;
	return true;
}

bool
names_user(const char *login, struct name_user *user)
{
	return ask_user(LOOKUP_USER, login, 0, user);
}

bool
names_user_by_uid(uid_t uid, struct name_user *user)
{
	return ask_user(LOOKUP_USER_BY_UID, "", uid, user);
}

bool
names_group(const char *name, gid_t *gid)
{
	struct answer answer;

	if (!ask(LOOKUP_GROUP, name, 0, &answer))
		return false;
	*gid = answer.id;
	return true;
}

const gid_t *
names_groups(const char *login, gid_t gid, size_t *count)
{
	struct answer answer;

	if (!ask(LOOKUP_GROUPS, login, gid, &answer))
		return NULL;
	*count = answer.bytes / sizeof(gid_t);
	return (const gid_t *)(const void *)self.bytes;
}

bool
names_port(const char *service, bool udp, in_port_t *port)
{
	struct answer answer;

	if (!ask(udp ? LOOKUP_PORT_UDP : LOOKUP_PORT_TCP, service, 0, &answer))
		return false;
	*port = (in_port_t)answer.id;
	return true;
}

const char *
names_end(void)
{
	const char *trouble = self.strayed ? "the files have changed meanwhile" : self.trouble;

	if (self.pid != 0) {
		close(self.fd);
		(void)kill(self.pid, SIGKILL);
		/* One that hangs in the kernel is left to whoever reaps superd's children. */
		(void)waitpid(self.pid, NULL, trouble == NULL ? 0 : WNOHANG);
	}
	free(self.bytes);
	memset(&self, 0, sizeof self);
	return trouble;
}
