/*
 * puppet: a program for a session of UDP that does what each datagram tells it:
 *	pid		answers "pid PID"
 *	say TEXT	answers TEXT
 *	long N		answers N bytes
 *	many N [TEXT]	answers "1" to "N", and ends; with TEXT each third is empty
 *	last		once another datagram waits: answers "last", and ends without reading it
 *	exit		ends at once
 *	close		closes its input and output, and lives on
 *	shut		closes its half of the connection, and reads on
 *	flood		has a child that answers for ever
 *	deaf		reads nothing any more
 *	stay		will ignore the end of its input
 * At the end of its input it answers "bye".  SIGTERM it answers with "term" and ends.
 */
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool stays;

static void
say(const char *text, size_t len)
{
	if (write(STDOUT_FILENO, text, len) != (ssize_t)len)
		_exit(3);
}

static void
say_text(const char *text)
{
	say(text, strlen(text));
}

static void
on_term(int signo)
{
	(void)signo;
	(void)!write(STDOUT_FILENO, "term", 4);
	_exit(0);
}

static _Noreturn void
sleep_on(void)
{
	for (;;)
		pause();
}

static void
say_long(const char *count)
{
	static char bytes[70000];
	size_t len = strtoul(count, NULL, 10);

	memset(bytes, 'x', sizeof bytes);
	say(bytes, len < sizeof bytes ? len : sizeof bytes);
}

static _Noreturn void
say_many(const char *count)
{
	char *rest, text[16];
	unsigned long most = strtoul(count, &rest, 10);

	for (unsigned long i = 1; i <= most; i++) {
		snprintf(text, sizeof text, "%lu", i);
		say_text(*rest != '\0' && i % 3 == 0 ? "" : text);
	}
	exit(0);
}

static _Noreturn void
say_last(void)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

	(void)poll(&input, 1, -1);
	say_text("last");
	exit(0);
}

static void
make_flood(void)
{
	if (fork() == 0)
		for (;;)
			say("x", 1);
}

static void
obey(const char *order)
{
	char text[32];

	if (strcmp(order, "pid") == 0) {
		snprintf(text, sizeof text, "pid %ld", (long)getpid());
		say_text(text);
	} else if (strncmp(order, "say ", 4) == 0) {
		say_text(order + 4);
	} else if (strncmp(order, "long ", 5) == 0) {
		say_long(order + 5);
	} else if (strncmp(order, "many ", 5) == 0) {
		say_many(order + 5);
	} else if (strcmp(order, "last") == 0) {
		say_last();
	} else if (strcmp(order, "exit") == 0) {
		exit(0);
	} else if (strcmp(order, "flood") == 0) {
		make_flood();
	} else if (strcmp(order, "close") == 0) {
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		sleep_on();
	} else if (strcmp(order, "shut") == 0) {
		(void)shutdown(STDOUT_FILENO, SHUT_WR);
	} else if (strcmp(order, "deaf") == 0) {
		sleep_on();
	} else if (strcmp(order, "stay") == 0) {
		stays = true;
		say_text("staying");
	}
}

int
main(void)
{
	static char order[70000];
	ssize_t len;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGTERM, on_term);
	while ((len = read(STDIN_FILENO, order, sizeof order - 1)) > 0) {
		order[len] = '\0';
		obey(order);
	}
	if (stays) {
		say_text("stays");
		sleep_on();
	}
	say_text("bye");
	return 0;
}
