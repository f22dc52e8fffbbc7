/*
 * answerer [WORD...]: a datagram server for wait = yes.  Answers the first
 * datagram of the socket that it was given with its ids and its words, and ends.
 */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	char text[1024], ignored[1024];
	struct sockaddr_storage from;
	socklen_t size = sizeof from;
	int len = snprintf(text, sizeof text, "%u:%u", (unsigned)getuid(), (unsigned)getgid());

	for (int i = 1; i < argc && len < (int)sizeof text; i++)
		len += snprintf(text + len, sizeof text - (size_t)len, " %s", argv[i]);
	if (len >= (int)sizeof text ||
	    recvfrom(STDIN_FILENO, ignored, sizeof ignored, 0, (struct sockaddr *)&from, &size) == -1)
		return 1;
	return sendto(STDIN_FILENO, text, (size_t)len, 0, (struct sockaddr *)&from, size) == -1;
}
