/*
 * test_proxy_access.c - what a whole proxy logs: how sessions end, and what becomes of servers.
 * A UDP socket of the test is the log server.
 */
#include "tests/unit/proxy/fixture.h"
#include "tests/unit/proxy/format_conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct logged {
	struct arena *formats;
	struct site site;
	struct origin origin;
	struct conf_log target, own[2];
	int fd;
};

static void
logged_init(struct logged *l, enum origin_mode mode)
{
	struct timeval limit = { .tv_sec = 10 };
	struct ip loopback;

	ip_parse("127.0.0.1", &loopback);
	origin_start(&l->origin, mode, "hello", 0);
	site_init(&l->site);
	l->target = (struct conf_log){
		.address = sock_addr_from_ip(&loopback, 0),
		.fd = -1,
		.format = CONF_LOG_RFC3164,
		.facility = 16,
		.level = 7,
		.length = 1024,
	};
	l->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(l->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	assert_int_equal(bind(l->fd, &l->target.address.any, l->target.address.len), 0);
	getsockname(l->fd, &l->target.address.any, &l->target.address.len);
	l->site.conf.logs = &l->target;
	l->site.conf.logs_n = 1;
	for (int i = 0; i < 2; i++) {
		l->own[i].global = true;
		l->site.proxies[i].logs = &l->own[i];
		l->site.proxies[i].logs_n = 1;
	}
	l->formats = arena_new();
	l->site.proxies[0].log_format = format_conf(l->formats, "option tcplog")->log_format;
	l->site.proxies[1].timeout_queue_ms = 200;
}

static void
logged_fini(struct logged *l)
{
	site_stop(&l->site);
	origin_stop(&l->origin);
	close(l->fd);
	arena_free(l->formats);
}

/* The next message without its header and newline, and with checks that take no time. */
static const char *
next_line(struct logged *l)
{
	static char line[2048];
	char *text, *duration;
	ssize_t n = recv(l->fd, line, sizeof line - 1, 0);

	assert_true(n > 1 && line[n - 1] == '\n');
	line[n - 1] = '\0';
	text = strstr(line, "]: ");
	assert_non_null(text);
	duration = strstr(text, "check duration: ");
	if (duration) {
		duration += strlen("check duration: ");
		*duration = '0';
		memmove(duration + 1, strstr(duration, "ms"), strlen(strstr(duration, "ms")) + 1);
	}
	return text + 3;
}

/* What follows the date, but for the three times. */
static const char *
next_end(struct logged *l)
{
	static char end[512];
	char names[128], rest[128];
	const char *text = strstr(next_line(l), "] ");

	assert_non_null(text);
	assert_int_equal(sscanf(text + 2, "main %127s %*s %127[^\n]", names, rest), 2);
	snprintf(end, sizeof end, "%.100s %.100s", names, rest);
	return end;
}

static void
reset(int fd)
{
	struct linger linger = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	close(fd);
}

static void
normal_end(void **state)
{
	struct logged l;
	char text[16];

	logged_init(&l, ORIGIN_NAME);
	site_add_server(&l.site, "s1", l.origin.port);
	site_start(&l.site, 1);
	assert_int_equal(site_fetch(&l.site, text, sizeof text), 5);
	assert_string_equal(next_end(&l), "app/s1 5 -- 1/1/0/0/0 0/0");
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
	reset(fd);
	assert_string_equal(next_end(&l), "app/s1 5 CD 1/1/0/0/0 0/0");
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
			l.site.proxies[1].timeout_server_ms = 100;
		else
			l.site.proxies[0].timeout_client_ms = 100;
		site_start(&l.site, 1);
		assert_int_equal(site_fetch(&l.site, text, sizeof text), 5);
		assert_string_equal(next_end(&l), server_side ? "app/s1 5 sD 1/1/0/0/0 0/0"
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
	assert_string_equal(next_end(&l), "app/dead2 0 SC 1/1/0/0/+1 0/0");
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
	assert_non_null(strstr(next_line(&l), " main app/<NOSRV> -1/-1/0 0 SC 1/1/0/0/0 0/0"));
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
	assert_string_equal(next_end(&l), "app/<NOSRV> 0 sQ 2/2/1/0/0 0/1");
	fd = site_connect(&l.site);
	WAIT_UNTIL(site_backend(&l.site).queued == 1);
	reset(fd);
	assert_string_equal(next_end(&l), "app/<NOSRV> 0 CQ 2/2/1/0/0 0/1");
	close(holder);
	assert_string_equal(next_end(&l), "app/s1 5 -- 1/1/0/0/0 0/0");
	logged_fini(&l);
}

/* Which sessions are logged at all. */
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
	assert_string_equal(next_end(&l), "app/s1 4 -- 1/1/0/0/0 0/0");
	logged_fini(&l);

	logged_init(&l, ORIGIN_HOLD);
	site_add_server(&l.site, "s1", l.origin.port);
	l.site.proxies[0].dontlog_normal = true;
	site_start(&l.site, 1);
	close(site_connect(&l.site));
	WAIT_UNTIL(site_backend(&l.site).sessions_total == 1 && proxy_sessions(l.site.proxy) == 0);
	fd = site_connect(&l.site);
	assert_int_equal(recv(fd, text, 5, MSG_WAITALL), 5);
	reset(fd);
	assert_string_equal(next_end(&l), "app/s1 5 CD 1/1/0/0/0 0/0");
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
	assert_string_equal(next_end(&l), "app/s1 +0 -- 1/1/1/1/0 0/0");
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
	line = next_line(&l);
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
	assert_string_equal(next_line(&l),
			    "Server app/app1 is DOWN, reason: Layer4 connection problem, info: "
			    "\"Connection refused\", check duration: 0ms. 0 active and 0 backup "
			    "servers left. 0 sessions active, 0 requeued, 0 remaining in queue.");
	assert_string_equal(next_line(&l), "backend app has no server available!");
	origin_start(&l.origin, ORIGIN_NAME, "a", port);
	assert_string_equal(
		next_line(&l),
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
		next_line(&l),
		"Health check for server app/app1 succeeded, reason: Layer4 check passed, "
		"check duration: 0ms, status: 3/3 UP.");
	logged_fini(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normal_end),     cmocka_unit_test(client_resets),
		cmocka_unit_test(timeouts),       cmocka_unit_test(servers_refuse),
		cmocka_unit_test(no_server),      cmocka_unit_test(queue),
		cmocka_unit_test(filters),        cmocka_unit_test(logasap),
		cmocka_unit_test(without_tcplog), cmocka_unit_test(servers_go_and_come),
		cmocka_unit_test(health_checks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
