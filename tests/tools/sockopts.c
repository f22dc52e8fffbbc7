/*
 * sockopts: says which options the connection on its standard input has, one
 * NAME=value a line.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

static void
tell(const char *name, int level, int option)
{
	int value = -1;
	socklen_t size = sizeof value;

	if (getsockopt(0, level, option, &value, &size) == 0)
		printf("%s=%d\n", name, value);
}

int
main(void)
{
	tell("keepalive", SOL_SOCKET, SO_KEEPALIVE);
	tell("rcvbuf", SOL_SOCKET, SO_RCVBUF);
	tell("sndbuf", SOL_SOCKET, SO_SNDBUF);
	tell("nodelay", IPPROTO_TCP, TCP_NODELAY);
	tell("user_timeout", IPPROTO_TCP, TCP_USER_TIMEOUT);
	tell("tos", IPPROTO_IP, IP_TOS);
	tell("tclass", IPPROTO_IPV6, IPV6_TCLASS);
	return 0;
}
