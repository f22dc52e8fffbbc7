/*
 * udpclient against servers of the test's own.
 */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUIET_MS 100		/* who says nothing in this time waits for something */

struct udp {
	int  fd;
	char port[8];
	struct sockaddr_storage client;		/* who sent last */
	socklen_t size;
};

static struct udp
udp_open(int family)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
	struct sockaddr *any = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
	socklen_t size = family == AF_INET ? sizeof v4 : sizeof v6;
	struct udp udp = { .fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0) };

	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(udp.fd, any, size), 0);
	ck_assert_int_eq(getsockname(udp.fd, any, &size), 0);
	snprintf(udp.port, sizeof udp.port, "%d",
	    ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port));
	return udp;
}

static void
udp_expect(struct udp *udp, const char *text)
{
	char got[1024];
	ssize_t n;

	udp->size = sizeof udp->client;
	n = recvfrom(udp->fd, got, sizeof got - 1, 0, (struct sockaddr *)&udp->client, &udp->size);
	ck_assert_int_ge(n, 0);
	got[n] = '\0';
	ck_assert_str_eq(got, text);
}

static void
udp_answer(int fd, const struct udp *udp, const char *text)
{
	ck_assert_int_eq(sendto(fd, text, strlen(text), 0, (const struct sockaddr *)&udp->client,
		udp->size), (ssize_t)strlen(text));
}

/* It sends again after so many seconds. */
static struct filter
udp_start(const struct udp *udp, const char *seconds)
{
	return filter_start(PIPES, ARGS("udpclient", "-t", seconds, "-r", "20", "127.0.0.1", udp->port));
}

START_TEST(udp_line_by_line)
{
	struct udp udp = udp_open(AF_INET);
	struct filter client = udp_start(&udp, "60");

	filter_send_text(&client, "one\ntwo");
	filter_end_input(&client);
	udp_expect(&udp, "one\n");
	udp_answer(udp.fd, &udp, "ONE\n");
	filter_expect_text(&client, "ONE\n");
	udp_expect(&udp, "two");
	udp_answer(udp.fd, &udp, "no newline");
	filter_expect_text(&client, "no newline\n");
	filter_expect_end(&client);
	ck_assert_int_eq(filter_wait(&client), 0);
}
END_TEST

START_TEST(udp_sends_again)
{
	struct udp udp = udp_open(AF_INET);
	struct filter client = udp_start(&udp, "1");

	filter_send_text(&client, "lost\n");
	for (int i = 0; i < 3; i++)
		udp_expect(&udp, "lost\n");
	udp_answer(udp.fd, &udp, "found\n");
	filter_expect_text(&client, "found\n");
	ck_assert_int_eq(filter_finish(&client), 0);
}
END_TEST

START_TEST(udp_late_reply_is_thrown_away)
{
	struct udp udp = udp_open(AF_INET);
	struct filter client = udp_start(&udp, "60");

	filter_send_text(&client, "one\n");
	udp_expect(&udp, "one\n");
	for (int i = 0; i < 3; i++)
		udp_answer(udp.fd, &udp, "reply to one\n");
	filter_expect_text(&client, "reply to one\n");
	filter_send_text(&client, "two\n");
	udp_expect(&udp, "two\n");
	udp_answer(udp.fd, &udp, "reply to two\n");
	filter_expect_text(&client, "reply to two\n");
	ck_assert_int_eq(filter_finish(&client), 0);
}
END_TEST

START_TEST(udp_reply_of_another_is_none)
{
	struct udp udp = udp_open(AF_INET), other = udp_open(AF_INET);
	struct filter client = udp_start(&udp, "60");

	filter_send_text(&client, "who?\n");
	udp_expect(&udp, "who?\n");
	udp_answer(other.fd, &udp, "me\n");
	udp_answer(udp.fd, &udp, "the right one\n");
	filter_expect_text(&client, "the right one\n");
	ck_assert_int_eq(filter_finish(&client), 0);
}
END_TEST

START_TEST(udp_quit_is_the_last_line)
{
	struct udp udp = udp_open(AF_INET);
	struct filter client = udp_start(&udp, "60");

	filter_send_text(&client, "quit\nmore\n");
	udp_expect(&udp, "quit\n");
	udp_answer(udp.fd, &udp, "goodbye\n");
	filter_expect_text(&client, "goodbye\n");
	filter_expect_end(&client);
	ck_assert_int_eq(filter_wait(&client), 0);
	ck_assert_int_eq(recv(udp.fd, &(char){ 0 }, 1, MSG_DONTWAIT), -1);
}
END_TEST

START_TEST(udp_silence_fails)
{
	struct udp udp = udp_open(AF_INET);

	filter_check(ARGS("udpclient", "-t", "1", "-r", "2", "127.0.0.1", udp.port), "a\nb\n", 4, 1,
	    "", 0);
	udp_expect(&udp, "a\n");
	udp_expect(&udp, "a\n");
	ck_assert_int_eq(recv(udp.fd, &(char){ 0 }, 1, MSG_DONTWAIT), -1);
}
END_TEST

START_TEST(udp_dead_server_fails)
{
	struct udp udp = udp_open(AF_INET);

	close(udp.fd);
	filter_check(ARGS("udpclient", "-t", "3600", "127.0.0.1", udp.port), "a\n", 2, 1, "", 0);
	filter_check(ARGS("udpclient", NO_NAME, udp.port), "a\n", 2, 1, "", 0);
}
END_TEST

/* A server that was heard of may be starting again, and is waited for. */
START_TEST(udp_server_that_comes_back_is_found)
{
	struct udp udp = udp_open(AF_INET);
	struct filter client = udp_start(&udp, "1");
	struct sockaddr_in address;
	socklen_t size = sizeof address;

	filter_send_text(&client, "one\n");
	udp_expect(&udp, "one\n");
	udp_answer(udp.fd, &udp, "1\n");
	filter_expect_text(&client, "1\n");
	ck_assert_int_eq(getsockname(udp.fd, (struct sockaddr *)&address, &size), 0);
	close(udp.fd);
	filter_send_text(&client, "two\n");
	ck_assert_int_eq(poll(&(struct pollfd){ .fd = client.out, .events = POLLIN }, 1, QUIET_MS), 0);
	udp.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(udp.fd, (struct sockaddr *)&address, size), 0);
	udp_expect(&udp, "two\n");
	udp_answer(udp.fd, &udp, "2\n");
	filter_expect_text(&client, "2\n");
	ck_assert_int_eq(filter_finish(&client), 0);
}
END_TEST

START_TEST(udp_every_address_is_tried)
{
	struct udp udp = udp_open(_i == 0 ? AF_INET : AF_INET6);
	struct filter client;

	if (!hosts_several())
		return;
	client = filter_start_with(PIPES, ARGS("udpclient", "several.test", udp.port), hosts_own);
	filter_send_text(&client, "one\n");
	udp_expect(&udp, "one\n");
	udp_answer(udp.fd, &udp, "1\n");
	filter_expect_text(&client, "1\n");
	ck_assert_int_eq(filter_finish(&client), 0);
}
END_TEST

static Suite *
udpclient_suite(void)
{
	Suite *suite = suite_create("udpclient");
	TCase *tc = filter_case("udpclient");

	tcase_add_test(tc, udp_line_by_line);
	tcase_add_test(tc, udp_sends_again);
	tcase_add_test(tc, udp_late_reply_is_thrown_away);
	tcase_add_test(tc, udp_reply_of_another_is_none);
	tcase_add_test(tc, udp_quit_is_the_last_line);
	tcase_add_test(tc, udp_silence_fails);
	tcase_add_test(tc, udp_dead_server_fails);
	tcase_add_test(tc, udp_server_that_comes_back_is_found);
	tcase_add_loop_test(tc, udp_every_address_is_tried, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return filter_main(udpclient_suite());
}
