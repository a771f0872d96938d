/*
 * test_proxy_access.c - what a whole proxy logs: how sessions end, and what becomes of servers.
 * A UDP socket of the test is the log server.
 */
#include "tests/unit/proxy/logged.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
normal_end(void **state)
{
	struct logged l;
	char text[16];

	logged_init(&l, ORIGIN_NAME);
	site_add_server(&l.site, "s1", l.origin.port);
	site_start(&l.site, 1);
	assert_int_equal(site_fetch(&l.site, text, sizeof text), 5);
	assert_string_equal(logged_end(&l), "app/s1 5 -- 1/1/0/0/0 0/0");
	logged_fini(&l);
}

static void
client_resets(void **state)
{
	struct logged l;
	char text[16];
	int fd;

	logged_init(&l, ORIGIN_HOLD);
	site_add_server(&l.site, "s1", l.origin.port);
	site_start(&l.site, 1);
	fd = site_connect(&l.site);
	assert_int_equal(recv(fd, text, 5, MSG_WAITALL), 5);
	logged_reset(fd);
	assert_string_equal(logged_end(&l), "app/s1 5 CD 1/1/0/0/0 0/0");
	WAIT_UNTIL(atomic_load(&l.origin.open) == 0);
	logged_fini(&l);
}

static void
timeouts(void **state)
{
	struct logged l;
	char text[16];

	for (int server_side = 0; server_side < 2; server_side++) {
		logged_init(&l, ORIGIN_HOLD);
		site_add_server(&l.site, "s1", l.origin.port);
		if (server_side)
			l.site.proxies[1].timeout_server_ms = 500;
		else
			l.site.proxies[0].timeout_client_ms = 500;
		site_start(&l.site, 1);
		assert_int_equal(site_fetch(&l.site, text, sizeof text), 5);
		assert_string_equal(logged_end(&l), server_side ? "app/s1 5 sD 1/1/0/0/0 0/0"
								: "app/s1 5 cD 1/1/0/0/0 0/0");
		logged_fini(&l);
	}
}

static void
servers_refuse(void **state)
{
	struct logged l;
	char text[16];

	logged_init(&l, ORIGIN_NAME);
	site_add_server(&l.site, "dead1", unused_port());
	site_add_server(&l.site, "dead2", unused_port());
	l.site.proxies[1].retries = 1;
	site_start(&l.site, 1);
	assert_true(site_fetch(&l.site, text, sizeof text) <= 0);
	assert_string_equal(logged_end(&l), "app/dead2 0 SC 1/1/0/0/+1 0/0");
	logged_fini(&l);
}

static void
no_server(void **state)
{
	struct logged l;
	char text[16];

	logged_init(&l, ORIGIN_NAME);
	site_start(&l.site, 1);
	assert_true(site_fetch(&l.site, text, sizeof text) <= 0);
	assert_non_null(strstr(logged_line(&l), " main app/<NOSRV> -1/-1/0 0 SC 1/1/0/0/0 0/0"));
	logged_fini(&l);
}

static void
queue(void **state)
{
	struct logged l;
	char text[16];
	int holder, fd;

	logged_init(&l, ORIGIN_HOLD);
	site_add_server(&l.site, "s1", l.origin.port)->maxconn = 1;
	site_start(&l.site, 1);
	holder = site_connect(&l.site);
	assert_int_equal(recv(holder, text, 5, MSG_WAITALL), 5);
	assert_true(site_fetch(&l.site, text, sizeof text) <= 0);
	assert_string_equal(logged_end(&l), "app/<NOSRV> 0 sQ 2/2/1/0/0 0/1");
	fd = site_connect(&l.site);
	WAIT_UNTIL(site_backend(&l.site).queued == 1);
	logged_reset(fd);
	assert_string_equal(logged_end(&l), "app/<NOSRV> 0 CQ 2/2/1/0/0 0/1");
	close(holder);
	assert_string_equal(logged_end(&l), "app/s1 5 -- 1/1/0/0/0 0/0");
	logged_fini(&l);
}

/* Which sessions are logged at all. */
/* A server of the test's own; `full`: it takes no connection any more. */
static int
raw_server(uint16_t *port, bool full)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(fd, full ? 0 : 16), 0);
	getsockname(fd, (struct sockaddr *)&at, &len);
	*port = ntohs(at.sin_port);
	return fd;
}

/* Fills its queue: those behind wait until they give up. */
static void
fill_queue(uint16_t port, int *fds, size_t n)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (size_t i = 0; i < n; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		connect(fds[i], (struct sockaddr *)&to, sizeof to);
	}
}

static void
connecting_comes_to_nothing(void **state)
{
	int server, fd, fillers[4];
	struct logged l;
	uint16_t port;
	char text[16];

	logged_init(&l, ORIGIN_NAME);
	server = raw_server(&port, true);
	fill_queue(port, fillers, 4);
	site_add_server(&l.site, "s1", port);
	l.site.proxies[1].timeout_connect_ms = 100;
	l.site.proxies[1].retries = 0;
	site_start(&l.site, 1);
	assert_true(site_fetch(&l.site, text, sizeof text) <= 0);
	assert_string_equal(logged_end(&l), "app/s1 0 sC 1/1/0/0/0 0/0");
	site_stop(&l.site);
	l.site.proxies[1].timeout_connect_ms = 10000;
	site_start(&l.site, 1);
	fd = site_connect(&l.site);
	WAIT_UNTIL(site_server(&l.site, 0).sessions == 1);
	logged_reset(fd);
	assert_string_equal(logged_end(&l), "app/s1 0 CC 1/1/0/0/0 0/0");
	for (size_t i = 0; i < 4; i++)
		close(fillers[i]);
	close(server);
	logged_fini(&l);
}

static void
server_resets(void **state)
{
	struct logged l;
	uint16_t port;
	int server, fd, peer;
	char c;

	logged_init(&l, ORIGIN_NAME);
	server = raw_server(&port, false);
	site_add_server(&l.site, "s1", port);
	site_start(&l.site, 1);
	fd = site_connect(&l.site);
	peer = accept(server, NULL, NULL);
	assert_int_equal(send(peer, "abc", 3, 0), 3);
	assert_int_equal(recv(fd, &c, 1, 0), 1);
	logged_reset(peer);
	while (recv(fd, &c, 1, 0) > 0)
		continue;
	assert_string_equal(logged_end(&l), "app/s1 3 SD 1/1/0/0/0 0/0");
	close(fd);
	close(server);
	logged_fini(&l);
}

static void
filters(void **state)
{
	struct logged l;
	char text[16];
	int fd;

	logged_init(&l, ORIGIN_ECHO);
	site_add_server(&l.site, "s1", l.origin.port);
	l.site.proxies[0].dontlognull = true;
	site_start(&l.site, 1);
	close(site_connect(&l.site));
	WAIT_UNTIL(site_backend(&l.site).sessions_total == 1 && proxy_sessions(l.site.proxy) == 0);
	fd = site_connect(&l.site);
	assert_int_equal(send(fd, "four", 4, 0), 4);
	assert_int_equal(recv(fd, text, 4, MSG_WAITALL), 4);
	close(fd);
	assert_string_equal(logged_end(&l), "app/s1 4 -- 1/1/0/0/0 0/0");
	logged_fini(&l);

	logged_init(&l, ORIGIN_HOLD);
	site_add_server(&l.site, "s1", l.origin.port);
	l.site.proxies[0].dontlog_normal = true;
	site_start(&l.site, 1);
	close(site_connect(&l.site));
	WAIT_UNTIL(site_backend(&l.site).sessions_total == 1 && proxy_sessions(l.site.proxy) == 0);
	fd = site_connect(&l.site);
	assert_int_equal(recv(fd, text, 5, MSG_WAITALL), 5);
	logged_reset(fd);
	assert_string_equal(logged_end(&l), "app/s1 5 CD 1/1/0/0/0 0/0");
	logged_fini(&l);
}

/* The line says why, not how; a header that is none has been said all the same. */
static void
no_header(void **state)
{
	struct logged l;
	int fd;

	logged_init(&l, ORIGIN_HOLD);
	site_add_server(&l.site, "s1", l.origin.port);
	l.site.bind.accept_proxy = true;
	l.site.proxies[0].dontlognull = true;
	site_start(&l.site, 1);
	close(site_connect(&l.site));
	fd = site_connect(&l.site);
	assert_int_equal(send(fd, "PROXY x", 7, 0), 7);
	shutdown(fd, SHUT_WR);
	assert_non_null(strstr(logged_line(&l), "/1: Truncated PROXY protocol header received"));
	close(fd);
	fd = site_connect(&l.site);
	assert_int_equal(send(fd, "GET / HTTP/1.0", 14, 0), 14);
	assert_non_null(strstr(logged_line(&l), "/1: Received something which does not "));
	close(fd);
	logged_fini(&l);
}

static void
logasap(void **state)
{
	struct logged l;
	int fd;

	logged_init(&l, ORIGIN_HOLD);
	site_add_server(&l.site, "s1", l.origin.port);
	l.site.proxies[0].logasap = true;
	site_start(&l.site, 1);
	fd = site_connect(&l.site);
	assert_string_equal(logged_end(&l), "app/s1 +0 -- 1/1/1/1/0 0/0");
	close(fd);
	logged_fini(&l);
}

static void
without_tcplog(void **state)
{
	char text[16], expected[128], *from;
	struct logged l;
	const char *line;

	logged_init(&l, ORIGIN_NAME);
	site_add_server(&l.site, "s1", l.origin.port);
	l.site.proxies[0].log_format = NULL;
	site_start(&l.site, 1);
	assert_int_equal(site_fetch(&l.site, text, sizeof text), 5);
	line = logged_line(&l);
	snprintf(expected, sizeof expected, " to 127.0.0.1:%u (main/TCP)", l.site.port);
	from = strstr(line, expected);
	assert_non_null(from);
	assert_int_equal(strncmp(line, "Connect from 127.0.0.1:", 23), 0);
	logged_fini(&l);
}

static void
servers_go_and_come(void **state)
{
	struct logged l;
	uint16_t port;

	logged_init(&l, ORIGIN_NAME);
	port = l.origin.port;
	site_add_server(&l.site, "app1", port)->check = true;
	origin_stop(&l.origin);
	site_start(&l.site, 1);
	assert_string_equal(logged_line(&l),
			    "Server app/app1 is DOWN, reason: Layer4 connection problem, info: "
			    "\"Connection refused\", check duration: 0ms. 0 active and 0 backup "
			    "servers left. 0 sessions active, 0 requeued, 0 remaining in queue.");
	assert_string_equal(logged_line(&l), "backend app has no server available!");
	origin_start(&l.origin, ORIGIN_NAME, "a", port);
	assert_string_equal(
		logged_line(&l),
		"Server app/app1 is UP, reason: Layer4 check passed, check duration: 0ms. "
		"1 active and 0 backup servers online. 0 sessions requeued, 0 total in "
		"queue.");
	logged_fini(&l);
}

static void
health_checks(void **state)
{
	struct logged l;

	logged_init(&l, ORIGIN_NAME);
	site_add_server(&l.site, "app1", l.origin.port)->check = true;
	l.site.proxies[1].log_health_checks = true;
	site_start(&l.site, 1);
	assert_string_equal(
		logged_line(&l),
		"Health check for server app/app1 succeeded, reason: Layer4 check passed, "
		"check duration: 0ms, status: 3/3 UP.");
	logged_fini(&l);
}

static void
expect_followers(struct logged *l, const char *state, const char *counts)
{
	char expected[256];

	for (int i = 2; i <= 3; i++) {
		snprintf(expected, sizeof expected, "Server app/app%d is %s via app/app%d. ", i,
			 state, i - 1);
		assert_int_equal(strncmp(logged_line(l), expected, strlen(expected)), 0);
	}
	assert_string_equal(logged_line(l), counts);
}

/* Servers that `track`, in a chain: HAProxy's words and order, and no checks of their own. */
static void
followers_go_and_come(void **state)
{
	struct conf_server *app2, *app3, *spare;
	struct logged l;
	uint16_t port;

	logged_init(&l, ORIGIN_NAME);
	port = l.origin.port;
	site_add_server(&l.site, "app1", port)->check = true;
	app2 = site_add_server(&l.site, "app2", unused_port());
	app3 = site_add_server(&l.site, "app3", unused_port());
	spare = site_add_server(&l.site, "spare", unused_port());
	app2->track = "app1";
	app3->track = "app/app2";
	spare->track = "app3";
	app2->track_proxy = app3->track_proxy = spare->track_proxy = 1;
	app3->track_server = 1;
	spare->track_server = 2;
	app3->slowstart_ms = 100;
	spare->backup = true;
	origin_stop(&l.origin);
	site_start(&l.site, 2);
	assert_int_equal(strncmp(logged_line(&l), "Server app/app1 is DOWN, reason", 31), 0);
	expect_followers(&l, "DOWN",
			 "Backup Server app/spare is DOWN via app/app3. 0 active and 0 backup "
			 "servers left. 0 sessions active, 0 requeued, 0 remaining in queue.");
	assert_string_equal(logged_line(&l), "backend app has no server available!");
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(site_server(&l.site, i).state, SERVER_DOWN);
	assert_int_equal(site_backend(&l.site).usable, 0);
	origin_start(&l.origin, ORIGIN_NAME, "a", port);
	assert_int_equal(strncmp(logged_line(&l), "Server app/app1 is UP, reason", 29), 0);
	expect_followers(&l, "UP",
			 "Backup Server app/spare is UP via app/app3. 3 active and 1 backup "
			 "servers online. 0 sessions requeued, 0 total in queue.");
	WAIT_UNTIL(site_server(&l.site, 2).weight == 16);
	assert_string_equal(site_server(&l.site, 3).check_status, "L4OK");
	assert_int_equal(site_backend(&l.site).usable, 4);
	logged_fini(&l);
}

/* Before the first check, and where the one that is followed is out of service. */
static void
followers_begin_as_their_leader(void **state)
{
	struct conf_server *s;
	struct site site;

	site_init(&site);
	s = site_add_server(&site, "down", unused_port());
	s->check = true;
	s->init_state = CONF_INIT_FULLY_DOWN;
	s = site_add_server(&site, "disabled", unused_port());
	s->check = s->disabled = true;
	s = site_add_server(&site, "follows-down", unused_port());
	s->track = "down";
	s->track_proxy = 1;
	s = site_add_server(&site, "follows-disabled", unused_port());
	s->track = "disabled";
	s->track_proxy = s->track_server = 1;
	site_start(&site, 1);
	assert_int_equal(site_server(&site, 2).state, SERVER_DOWN);
	assert_int_equal(site_server(&site, 3).state, SERVER_DISABLED);
	assert_int_equal(site_backend(&site).usable, 0);
	site_stop(&site);
}

/* A server whose check passes elsewhere and to which no session gets through. */
static struct conf_server *
add_observed(struct logged *l, enum conf_on_error on_error)
{
	struct conf_server *s = site_add_server(&l->site, "app1", unused_port());

	s->check = s->observe = true;
	s->check_port = l->origin.port;
	s->inter_ms = 60000;
	s->error_limit = 3;
	s->on_error = on_error;
	l->site.proxies[0].log_format = NULL;
	l->site.proxies[0].logs_n = 0;
	l->site.proxies[1].retries = 0;
	return s;
}

/* Sessions' errors in a row: HAProxy's words for each of its four actions. */
static void
errors_of_sessions_count(void **state)
{
	static const struct {
		enum conf_on_error on_error;
		const char *score;
	} cases[] = {
		{ CONF_ON_ERROR_FAIL_CHECK, "2/3 UP." },
		{ CONF_ON_ERROR_SUDDEN_DEATH, "1/3 UP." },
		{ CONF_ON_ERROR_MARK_DOWN, "0/2 DOWN." },
	};
	char text[8];

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct logged l;
		char expected[256];

		logged_init(&l, ORIGIN_NAME);
		add_observed(&l, cases[i].on_error);
		l.site.proxies[1].log_health_checks = true;
		site_start(&l.site, 2);
		assert_non_null(strstr(logged_line(&l), "status: 3/3 UP."));
		for (int k = 0; k < 3; k++)
			site_fetch(&l.site, text, sizeof text);
		snprintf(expected, sizeof expected,
			 "Health check for server app/app1 failed, reason: Health analyze, info: "
			 "\"Detected 3 consecutive errors, last one was: L4 unsuccessful "
			 "connection\", status: %s",
			 cases[i].score);
		assert_string_equal(logged_line(&l), expected);
		logged_fini(&l);
	}
}

/* `fastinter` changes nothing but when the next check comes: minutes before its time. */
static void
errors_of_sessions_hurry_the_check(void **state)
{
	struct conf_server *s;
	struct mono first;
	struct logged l;
	char text[8];

	logged_init(&l, ORIGIN_NAME);
	s = add_observed(&l, CONF_ON_ERROR_FASTINTER);
	s->fastinter_ms = 20;
	site_start(&l.site, 2);
	WAIT_UNTIL(site_server(&l.site, 0).health == 3);
	first = site_server(&l.site, 0).checked;
	for (int k = 0; k < 3; k++)
		site_fetch(&l.site, text, sizeof text);
	WAIT_UNTIL(site_server(&l.site, 0).checked.ns > first.ns);
	assert_int_equal(site_server(&l.site, 0).health, 3);
	assert_string_equal(site_server(&l.site, 0).check_status, "L4OK");
	logged_fini(&l);
}

/* One that gets through begins the count anew. */
static void
success_forgives_errors(void **state)
{
	struct conf_server *s;
	struct origin a;
	struct logged l;
	char text[8];
	uint16_t port;

	logged_init(&l, ORIGIN_NAME);
	s = add_observed(&l, CONF_ON_ERROR_MARK_DOWN);
	port = s->port;
	site_start(&l.site, 1);
	WAIT_UNTIL(site_server(&l.site, 0).health == 3);
	for (int round = 0; round < 3; round++) {
		site_fetch(&l.site, text, sizeof text);
		site_fetch(&l.site, text, sizeof text);
		origin_start(&a, ORIGIN_NAME, "a", port);
		assert_int_equal(site_fetch(&l.site, text, sizeof text), 1);
		origin_stop(&a);
		assert_int_equal(site_server(&l.site, 0).state, SERVER_UP);
	}
	for (int k = 0; k < 3; k++)
		site_fetch(&l.site, text, sizeof text);
	WAIT_UNTIL(site_server(&l.site, 0).state == SERVER_DOWN);
	assert_string_equal(site_server(&l.site, 0).check_status, "HANA");
	logged_fini(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normal_end),
		cmocka_unit_test(client_resets),
		cmocka_unit_test(timeouts),
		cmocka_unit_test(servers_refuse),
		cmocka_unit_test(no_server),
		cmocka_unit_test(queue),
		cmocka_unit_test(filters),
		cmocka_unit_test(no_header),
		cmocka_unit_test(logasap),
		cmocka_unit_test(connecting_comes_to_nothing),
		cmocka_unit_test(server_resets),
		cmocka_unit_test(without_tcplog),
		cmocka_unit_test(servers_go_and_come),
		cmocka_unit_test(health_checks),
		cmocka_unit_test(errors_of_sessions_count),
		cmocka_unit_test(errors_of_sessions_hurry_the_check),
		cmocka_unit_test(success_forgives_errors),
		cmocka_unit_test(followers_go_and_come),
		cmocka_unit_test(followers_begin_as_their_leader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
