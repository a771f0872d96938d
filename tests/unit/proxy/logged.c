/*
 * logged.c - see logged.h.
 */
#include "tests/unit/proxy/logged.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void
logged_init(struct logged *l, enum origin_mode mode)
{
	struct timeval limit = { .tv_sec = WAIT_MS / 1000 };
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
		l->own[i] = (struct conf_log){ .global = true };
		l->site.proxies[i].logs = &l->own[i];
		l->site.proxies[i].logs_n = 1;
	}
	l->formats = arena_new();
	l->site.proxies[0].log_format = format_conf(l->formats, "option tcplog")->log_format;
	l->site.proxies[1].timeout_queue_ms = 1000;
}

void
logged_fini(struct logged *l)
{
	site_stop(&l->site);
	origin_stop(&l->origin);
	close(l->fd);
	arena_free(l->formats);
}

const char *
logged_line(struct logged *l)
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

const char *
logged_end(struct logged *l)
{
	static char end[512];
	char names[128], rest[128];
	const char *text = strstr(logged_line(l), "] ");

	assert_non_null(text);
	assert_int_equal(sscanf(text + 2, "main %127s %*s %127[^\n]", names, rest), 2);
	snprintf(end, sizeof end, "%.100s %.100s", names, rest);
	return end;
}

void
logged_reset(int fd)
{
	struct linger linger = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	close(fd);
}
