/*
 * test_proxy_relay.c - bytes through a whole proxy: echo, half-close, long transfers, time-outs,
 * stopping with sessions open.
 */
#include "tests/unit/proxy/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void
echo(void **state)
{
	struct origin origin;
	struct site site;
	char text[16];
	int fd;

	origin_start(&origin, ORIGIN_ECHO, "a", 0);
	site_init(&site);
	site_add_server(&site, "s1", origin.port);
	site_start(&site, 1);
	fd = site_connect(&site);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(send(fd, "ping", 4, 0), 4);
		assert_int_equal(recv(fd, text, 4, MSG_WAITALL), 4);
		assert_memory_equal(text, "ping", 4);
	}
	WAIT_UNTIL(site_server(&site, 0).bytes_out == 400);
	assert_int_equal(site_server(&site, 0).bytes_in, 400);
	assert_int_equal(site_backend(&site).sessions, 1);
	assert_int_equal(proxy_sessions(site.proxy), 1);
	close(fd);
	WAIT_UNTIL(proxy_sessions(site.proxy) == 0);
	assert_int_equal(site_backend(&site).sessions, 0);
	assert_int_equal(site_server(&site, 0).sessions, 0);
	site_stop(&site);
	origin_stop(&origin);
}

static void
client_half_closes(void **state)
{
	struct origin origin;
	struct site site;
	char text[16];
	int fd;

	origin_start(&origin, ORIGIN_ECHO, "a", 0);
	site_init(&site);
	site_add_server(&site, "s1", origin.port);
	site_start(&site, 1);
	fd = site_connect(&site);
	assert_int_equal(send(fd, "last", 4, 0), 4);
	shutdown(fd, SHUT_WR);
	assert_int_equal(recv(fd, text, 4, MSG_WAITALL), 4);
	assert_int_equal(recv(fd, text, 4, 0), 0);
	assert_true(origin.got_fin);
	close(fd);
	WAIT_UNTIL(proxy_sessions(site.proxy) == 0);
	site_stop(&site);
	origin_stop(&origin);
}

static void
server_half_closes(void **state)
{
	struct origin origin;
	struct site site;
	char text[1000] = "";
	int fd;

	origin_start(&origin, ORIGIN_GREET, "hello", 0);
	site_init(&site);
	site_add_server(&site, "s1", origin.port);
	site_start(&site, 1);
	fd = site_connect(&site);
	assert_int_equal(recv(fd, text, 5, MSG_WAITALL), 5);
	assert_int_equal(recv(fd, text, 1, 0), 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(send(fd, text, sizeof text, MSG_NOSIGNAL), sizeof text);
	WAIT_UNTIL(atomic_load(&origin.received) == 10000);
	assert_false(origin.got_fin);
	shutdown(fd, SHUT_WR);
	WAIT_UNTIL(atomic_load(&origin.got_fin));
	WAIT_UNTIL(proxy_sessions(site.proxy) == 0);
	close(fd);
	site_stop(&site);
	origin_stop(&origin);
}

#define BULK (50u << 20)

/* The byte at a position: no period that a lost or doubled page would keep. */
static unsigned char
pattern(uint64_t at)
{
	return (unsigned char)((at * 2654435761u >> 13) ^ at >> 24);
}

static void *
bulk_writer(void *arg)
{
	static unsigned char data[100000];
	int fd = *(int *)arg;

	for (uint64_t at = 0; at < BULK;) {
		size_t len = BULK - at < sizeof data ? BULK - at : sizeof data;

		for (size_t i = 0; i < len; i++)
			data[i] = pattern(at + i);
		for (size_t done = 0; done < len;) {
			ssize_t n = send(fd, data + done, len - done, MSG_NOSIGNAL);

			if (n <= 0)
				return NULL;
			done += (size_t)n;
		}
		at += len;
	}
	shutdown(fd, SHUT_WR);
	return NULL;
}

static void
bulk_both_ways(bool splice_auto)
{
	static unsigned char data[100000];
	struct origin origin;
	struct site site;
	pthread_t writer;
	uint64_t at = 0;
	ssize_t n;
	int fd;

	origin_start(&origin, ORIGIN_ECHO, "a", 0);
	site_init(&site);
	site_add_server(&site, "s1", origin.port);
	site.proxies[1].splice_auto = splice_auto;
	site_start(&site, 1);
	fd = site_connect(&site);
	assert_int_equal(pthread_create(&writer, NULL, bulk_writer, &fd), 0);
	while ((n = recv(fd, data, sizeof data, 0)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			if (data[i] != pattern(at + (uint64_t)i))
				fail_msg("byte %llu differs", (unsigned long long)at + i);
		at += (uint64_t)n;
	}
	assert_int_equal(n, 0);
	assert_int_equal(at, BULK);
	pthread_join(writer, NULL);
	close(fd);
	WAIT_UNTIL(proxy_sessions(site.proxy) == 0);
	assert_int_equal(site_server(&site, 0).bytes_in, BULK);
	assert_int_equal(site_server(&site, 0).bytes_out, BULK);
	site_stop(&site);
	origin_stop(&origin);
}

static void
bulk(void **state)
{
	bulk_both_ways(false);
}

static void
bulk_splice_auto(void **state)
{
	bulk_both_ways(true);
}

/* While one session moves all it can, another gets its answers. */
static void
bulk_is_fair(void **state)
{
	static unsigned char data[100000];
	struct origin origin;
	struct site site;
	pthread_t writer;
	int bulk_fd, fd, answers = 0;
	char text[4];

	origin_start(&origin, ORIGIN_ECHO, "a", 0);
	site_init(&site);
	site_add_server(&site, "s1", origin.port);
	site_start(&site, 1);
	bulk_fd = site_connect(&site);
	assert_int_equal(pthread_create(&writer, NULL, bulk_writer, &bulk_fd), 0);
	fd = site_connect(&site);
	while (recv(bulk_fd, data, sizeof data, 0) > 0) {
		if (answers < 20) {
			assert_int_equal(send(fd, "ping", 4, 0), 4);
			answers++;
		}
	}
	for (int i = 0; i < answers; i++)
		assert_int_equal(recv(fd, text, 4, MSG_WAITALL), 4);
	assert_int_equal(answers, 20);
	pthread_join(writer, NULL);
	close(bulk_fd);
	close(fd);
	site_stop(&site);
	origin_stop(&origin);
}

/* The proxy reads no more than the other side takes. */
static void
backpressure(void **state)
{
	static char data[65536];
	struct origin origin;
	struct site site;
	uint64_t sent = 0;
	ssize_t n;
	int fd;

	origin_start(&origin, ORIGIN_ECHO, "a", 0);
	site_init(&site);
	site_add_server(&site, "s1", origin.port);
	site_start(&site, 1);
	fd = site_connect(&site);
	/* Nobody reads the echo: sooner or later nothing more can be sent. */
	for (int quiet = 0; quiet < 200;) {
		n = send(fd, data, sizeof data, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0) {
			sent += (uint64_t)n;
			quiet = 0;
			continue;
		}
		assert_int_equal(errno, EAGAIN);
		quiet++;
		nap();
	}
	shutdown(fd, SHUT_WR);
	while (sent > 0 && (n = recv(fd, data, sizeof data, 0)) > 0)
		sent -= (uint64_t)n;
	assert_int_equal(sent, 0);
	assert_int_equal(recv(fd, data, 1, 0), 0);
	close(fd);
	site_stop(&site);
	origin_stop(&origin);
}

/* Milliseconds until the proxy closes a connection on which nothing happens. */
static int64_t
silence_ms(struct site *site)
{
	char c;
	struct mono began = mono_now();
	int fd = site_connect(site);

	assert_int_equal(send(fd, "x", 1, 0), 1);
	assert_true(recv(fd, &c, 1, 0) <= 0);
	close(fd);
	return mono_since_ms(mono_now(), began);
}

static void
timeouts(void **state)
{
	struct origin origin;
	struct site site;
	int64_t ms;

	for (int which = 0; which < 3; which++) {
		origin_start(&origin, ORIGIN_SILENT, "a", 0);
		site_init(&site);
		site_add_server(&site, "s1", origin.port);
		if (which == 0)
			site.proxies[0].timeout_client_ms = 300;
		else
			site.proxies[1].timeout_server_ms = 300;
		/* The tunnel's replaces both. */
		if (which == 2)
			site.proxies[1].timeout_tunnel_ms = 600;
		site_start(&site, 1);
		ms = silence_ms(&site);
		assert_in_range(ms, which == 2 ? 500 : 200, MARGIN_MS(600));
		site_stop(&site);
		origin_stop(&origin);
	}
}

/* After the client's FIN was handed on, the server has `timeout server-fin` to answer it. */
static void
timeout_server_fin(void **state)
{
	struct origin origin;
	struct site site;
	struct mono began;
	char c;
	int fd;

	origin_start(&origin, ORIGIN_SILENT, "a", 0);
	site_init(&site);
	site_add_server(&site, "s1", origin.port);
	site.proxies[1].timeout_server_fin_ms = 300;
	site_start(&site, 1);
	fd = site_connect(&site);
	began = mono_now();
	shutdown(fd, SHUT_WR);
	assert_true(recv(fd, &c, 1, 0) <= 0);
	assert_in_range(mono_since_ms(mono_now(), began), 200, MARGIN_MS(300));
	/* A server that does not mind the FIN is told by RST. */
	WAIT_UNTIL(atomic_load(&origin.open) == 0);
	close(fd);
	site_stop(&site);
	origin_stop(&origin);
}

static void
stop_with_open_sessions(void **state)
{
	struct origin origin;
	struct site site;
	char text[16];
	int fds[20];

	origin_start(&origin, ORIGIN_HOLD, "a", 0);
	site_init(&site);
	site_add_server(&site, "s1", origin.port);
	site_start(&site, 2);
	for (int i = 0; i < 20; i++) {
		fds[i] = site_connect(&site);
		assert_int_equal(recv(fds[i], text, 1, MSG_WAITALL), 1);
	}
	assert_int_equal(proxy_sessions(site.proxy), 20);
	site_stop(&site);
	for (int i = 0; i < 20; i++) {
		assert_true(recv(fds[i], text, 1, 0) <= 0);
		close(fds[i]);
	}
	origin_stop(&origin);
}

/* Urgent data stands in the way of splice, which then looks as if the end had come.  Of the urgent
 * bytes the kernel leaves those in the stream that another one overtakes. */
static void
urgent_data_is_not_the_end(void **state)
{
	static char data[300000];
	struct origin o;
	struct site site;
	int fd;

	origin_start(&o, ORIGIN_GREET, "o", 0);
	site_init(&site);
	site_add_server(&site, "s", o.port);
	site_start(&site, 1);
	fd = site_connect(&site);
	for (int i = 0; i < 20; i++) {
		for (size_t sent = 0; sent < sizeof data;) {
			ssize_t n = send(fd, data + sent, sizeof data - sent, MSG_NOSIGNAL);

			assert_true(n > 0);
			sent += (size_t)n;
		}
		assert_int_equal(send(fd, "!", 1, MSG_OOB), 1);
	}
	shutdown(fd, SHUT_WR);
	WAIT_UNTIL(atomic_load(&o.got_fin));
	assert_in_range(atomic_load(&o.received), 20 * sizeof data, 20 * sizeof data + 19);
	close(fd);
	site_stop(&site);
	origin_stop(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urgent_data_is_not_the_end),
		cmocka_unit_test(echo),
		cmocka_unit_test(client_half_closes),
		cmocka_unit_test(server_half_closes),
		cmocka_unit_test(bulk),
		cmocka_unit_test(bulk_splice_auto),
		cmocka_unit_test(bulk_is_fair),
		cmocka_unit_test(backpressure),
		cmocka_unit_test(timeouts),
		cmocka_unit_test(timeout_server_fin),
		cmocka_unit_test(stop_with_open_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
