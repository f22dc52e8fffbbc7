/*
 * names.c - see names.h.
 *
 * A question and its answer go through a socket pair, each with its length.  A
 * child that has taken too long, for all answers together, is killed, and
 * everything else that this load asks fails at once.
 */
#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bounds.h"
#include "names.h"

enum kind { ASK_USER, ASK_USER_BY_UID, ASK_GROUP, ASK_GROUPS, ASK_PORT_TCP, ASK_PORT_UDP };

struct question {
	enum kind	kind;
	unsigned	id;		/* of a user; for ASK_GROUPS of a group */
	char		name[NAMES_BYTES];
};

struct answer {
	bool		found;
	unsigned	id, gid;	/* what was asked for; of a user also his group */
	size_t		bytes;		/* that follow: three texts, or ids of groups */
};

static struct {
	pid_t		 pid;		/* of the child; 0: none yet */
	int		 fd;
	int		 left_ms;	/* that may still be spent waiting */
	const char	*trouble;	/* why nothing more is asked */
	char		*bytes;		/* owned; what followed the last answer */
} self;

/* --- the child */

static void
send_all(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;
	ssize_t done;

	for (; len > 0; at += done, len -= (size_t)done)
		if ((done = send(fd, at, len, MSG_NOSIGNAL)) == -1)
			_exit(1);
}

static void
answer_user(int fd, const struct passwd *user)
{
	struct answer answer = { .found = user != NULL };
	char texts[3 * NAMES_BYTES];
	int len;

	if (user != NULL) {
		answer.id = user->pw_uid;
		answer.gid = user->pw_gid;
		len = snprintf(texts, sizeof texts, "%s%c%s%c%s", user->pw_name, '\0', user->pw_dir, '\0',
		    user->pw_shell);
		answer.found = len >= 0 && (size_t)len < sizeof texts;
		answer.bytes = answer.found ? (size_t)len + 1 : 0;
	}
	send_all(fd, &answer, sizeof answer);
	send_all(fd, texts, answer.bytes);
}

static void
answer_groups(int fd, const struct question *question)
{
	struct answer answer = { .found = false };
	gid_t *list = NULL, *larger;
	int room = 64, count = 0;

	for (; room <= NAMES_GROUPS_MAX && !answer.found; room *= 2) {
		if ((larger = reallocarray(list, (size_t)room, sizeof *list)) == NULL)
			break;
		list = larger;
		count = room;
		answer.found = getgrouplist(question->name, question->id, list, &count) >= 0;
	}
	answer.bytes = answer.found ? (size_t)count * sizeof *list : 0;
	send_all(fd, &answer, sizeof answer);
	send_all(fd, list, answer.bytes);
	free(list);
}

static void
answer_number(int fd, bool found, unsigned id)
{
	const struct answer answer = { .found = found, .id = id };

	send_all(fd, &answer, sizeof answer);
}

static void
answer_port(int fd, const struct question *question)
{
	const struct servent *known = getservbyname(question->name,
	    question->kind == ASK_PORT_UDP ? "udp" : "tcp");

	answer_number(fd, known != NULL, known != NULL ? ntohs((uint16_t)known->s_port) : 0);
}

static _Noreturn void
serve(int fd)
{
	struct question question;
	const struct group *group;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(fd, STDERR_FILENO + 1) == -1)
		_exit(1);
	fd = STDERR_FILENO + 1;
	(void)syscall(SYS_close_range, (unsigned)fd + 1, ~0U, 0);
	while (recv(fd, &question, sizeof question, MSG_WAITALL) == (ssize_t)sizeof question)
		switch (question.kind) {
		case ASK_USER:
			answer_user(fd, getpwnam(question.name));
			break;
		case ASK_USER_BY_UID:
			answer_user(fd, getpwuid(question.id));
			break;
		case ASK_GROUP:
			group = getgrnam(question.name);
			answer_number(fd, group != NULL, group != NULL ? group->gr_gid : 0);
			break;
		case ASK_GROUPS:
			answer_groups(fd, &question);
			break;
		case ASK_PORT_TCP:
		case ASK_PORT_UDP:
			answer_port(fd, &question);
			break;
		}
	_exit(0);
}

/* --- superd */

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

/* superd stands still meanwhile, so the time is bounded for all questions of a load together. */
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
ask(enum kind kind, const char *name, unsigned id, struct answer *answer)
{
	struct question question = { .kind = kind, .id = id };

	if (strlen(name) >= sizeof question.name || self.trouble != NULL || !begin())
		return false;
	memcpy(question.name, name, strlen(name) + 1);
	if (send(self.fd, &question, sizeof question, MSG_NOSIGNAL) != (ssize_t)sizeof question) {
		self.trouble = "who looks them up has died";
		return false;
	}
	free(self.bytes);
	self.bytes = NULL;
	if (!receive(answer, sizeof *answer) || !answer->found)
		return false;
	if (answer->bytes == 0)
		return true;
	self.bytes = malloc(answer->bytes);
	if (self.bytes == NULL)
		self.trouble = strerror(errno);
	return self.bytes != NULL && receive(self.bytes, answer->bytes);
}

static bool
ask_user(enum kind kind, const char *login, uid_t uid, struct name_user *user)
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
	return ask_user(ASK_USER, login, 0, user);
}

bool
names_user_by_uid(uid_t uid, struct name_user *user)
{
	return ask_user(ASK_USER_BY_UID, "", uid, user);
}

bool
names_group(const char *name, gid_t *gid)
{
	struct answer answer;

	if (!ask(ASK_GROUP, name, 0, &answer))
		return false;
	*gid = answer.id;
	return true;
}

const gid_t *
names_groups(const char *login, gid_t gid, size_t *count)
{
	struct answer answer;

	if (!ask(ASK_GROUPS, login, gid, &answer))
		return NULL;
	*count = answer.bytes / sizeof(gid_t);
	return (const gid_t *)(const void *)self.bytes;
}

bool
names_port(const char *service, bool udp, in_port_t *port)
{
	struct answer answer;

	if (!ask(udp ? ASK_PORT_UDP : ASK_PORT_TCP, service, 0, &answer))
		return false;
	*port = (in_port_t)answer.id;
	return true;
}

const char *
names_end(void)
{
	const char *trouble = self.trouble;

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
