/*
 * test_proxy_servers.c - which server a session gets in a whole proxy: alternation, redispatch,
 * queues, limits, checks, names.
 */
#include "tests/unit/proxy/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <poll.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

static void
alternates_over_threads(void **state)
{
	struct origin a, b;
	struct site site;
	char text[16], last = 0;

	origin_start(&a, ORIGIN_NAME, "a", 0);
	origin_start(&b, ORIGIN_NAME, "b", 0);
	site_init(&site);
	site_add_server(&site, "s1", a.port);
	site_add_server(&site, "s2", b.port);
	site_start(&site, 2);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(site_fetch(&site, text, sizeof text), 1);
		assert_int_not_equal(text[0], last);
		last = text[0];
	}
	assert_int_equal(site_server(&site, 0).sessions_total, 50);
	site_stop(&site);
	origin_stop(&a);
	origin_stop(&b);
}

/* No client notices a server that refuses. */
static void
redispatches_from_a_dead_server(void **state)
{
	struct origin a;
	struct site site;
	char text[16];

	for (enum conf_balance balance = CONF_BALANCE_ROUNDROBIN; balance <= CONF_BALANCE_SOURCE;
	     balance++) {
		origin_start(&a, ORIGIN_NAME, "a", 0);
		site_init(&site);
		site_add_server(&site, "dead1", unused_port());
		site_add_server(&site, "s1", a.port);
		site_add_server(&site, "dead2", unused_port());
		site.proxies[1].balance = balance;
		site_start(&site, 1);
		for (int i = 0; i < 50; i++)
			assert_int_equal(site_fetch(&site, text, sizeof text), 1);
		assert_int_equal(a.accepted, 50);
		if (balance != CONF_BALANCE_SOURCE)
			assert_true(site_server(&site, 0).connect_errors > 0);
		site_stop(&site);
		origin_stop(&a);
	}
}

static void
closes_when_all_are_dead(void **state)
{
	struct site site;
	char text[16];

	site_init(&site);
	site_add_server(&site, "dead1", unused_port());
	site_add_server(&site, "dead2", unused_port());
	site.proxies[1].retries = 1;
	site_start(&site, 1);
	assert_true(site_fetch(&site, text, sizeof text) <= 0);
	WAIT_UNTIL(proxy_sessions(site.proxy) == 0);
	assert_int_equal(site_server(&site, 0).connect_errors, 1);
	assert_int_equal(site_server(&site, 1).connect_errors, 1);
	site_stop(&site);
}

/* The only server comes back while the session waits for another try. */
static void
retries_the_only_server(void **state)
{
	uint16_t port = unused_port();
	struct origin a;
	struct site site;
	char text[16];
	int fd;

	site_init(&site);
	site_add_server(&site, "s1", port);
	site_start(&site, 1);
	fd = site_connect(&site);
	WAIT_UNTIL(site_server(&site, 0).connect_errors == 1);
	origin_start(&a, ORIGIN_NAME, "a", port);
	assert_int_equal(recv(fd, text, 1, MSG_WAITALL), 1);
	assert_int_equal(site_server(&site, 0).retries, 1);
	close(fd);
	site_stop(&site);
	origin_stop(&a);
}

static void
no_server_at_all(void **state)
{
	struct site site;
	char text[16];

	site_init(&site);
	site_start(&site, 1);
	assert_true(site_fetch(&site, text, sizeof text) <= 0);
	site.proxies[0].default_backend = CONF_NONE;
	WAIT_UNTIL(proxy_sessions(site.proxy) == 0);
	site_stop(&site);
}

/* maxconn 1: one after the other, in the order of their coming, whichever thread they are on. */
static void
queues_for_a_slot(void **state)
{
	struct origin a;
	struct site site;
	int fds[10];
	char text[4];

	origin_start(&a, ORIGIN_HOLD, "a", 0);
	site_init(&site);
	site_add_server(&site, "s1", a.port)->maxconn = 1;
	site_start(&site, 3);
	for (uint32_t i = 0; i < 10; i++) {
		fds[i] = site_connect(&site);
		WAIT_UNTIL(site_server(&site, 0).sessions == 1 && site_backend(&site).queued == i);
	}
	for (int i = 0; i < 10; i++) {
		assert_int_equal(recv(fds[i], text, 1, 0), 1);
		assert_int_equal(atomic_load(&a.open), 1);
		for (int k = i + 1; k < 10; k++)
			assert_int_equal(recv(fds[k], text, 1, MSG_DONTWAIT), -1);
		close(fds[i]);
	}
	WAIT_UNTIL(proxy_sessions(site.proxy) == 0);
	assert_int_equal(site_server(&site, 0).sessions, 0);
	site_stop(&site);
	origin_stop(&a);
}

static void
timeout_queue(void **state)
{
	struct origin a;
	struct site site;
	struct mono began;
	int holder, fd;
	char c;

	origin_start(&a, ORIGIN_HOLD, "a", 0);
	site_init(&site);
	site_add_server(&site, "s1", a.port)->maxconn = 1;
	site.proxies[1].timeout_queue_ms = 200;
	site_start(&site, 1);
	holder = site_connect(&site);
	assert_int_equal(recv(holder, &c, 1, MSG_WAITALL), 1);
	began = mono_now();
	fd = site_connect(&site);
	assert_true(recv(fd, &c, 1, 0) <= 0);
	assert_in_range(mono_since_ms(mono_now(), began), 100, MARGIN_MS(200));
	assert_int_equal(site_backend(&site).queued, 0);
	close(fd);
	close(holder);
	site_stop(&site);
	origin_stop(&a);
}

/* Beyond maxconn connections wait in the kernel, and all are served in the end. */
static void
frontend_maxconn_holds(void **state)
{
	struct origin a;
	struct site site;
	int fds[12];
	char text[4];

	origin_start(&a, ORIGIN_HOLD, "a", 0);
	site_init(&site);
	site_add_server(&site, "s1", a.port);
	site.proxies[0].maxconn = 3;
	site_start(&site, 2);
	for (int i = 0; i < 12; i++)
		fds[i] = site_connect(&site);
	WAIT_UNTIL(atomic_load(&a.open) == 3);
	for (int left = 12; left > 0;) {
		struct pollfd set[12];
		int answered = 0;

		assert_true(proxy_sessions(site.proxy) <= 3);
		for (int i = 0; i < 12; i++)
			set[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
		assert_true(poll(set, 12, WAIT_MS) > 0);
		for (int i = 0; i < 12; i++) {
			if (fds[i] < 0 || !set[i].revents)
				continue;
			assert_int_equal(recv(fds[i], text, 1, 0), 1);
			close(fds[i]);
			fds[i] = -1;
			answered++;
		}
		assert_true(answered <= 3 && answered > 0);
		left -= answered;
	}
	WAIT_UNTIL(proxy_sessions(site.proxy) == 0);
	site_stop(&site);
	origin_stop(&a);
}

static void
checks_see_a_server_die_and_return(void **state)
{
	struct origin a, b;
	struct site site;
	struct server_view view;
	char text[16];
	uint16_t port;

	origin_start(&a, ORIGIN_NAME, "a", 0);
	origin_start(&b, ORIGIN_NAME, "b", 0);
	port = b.port;
	site_init(&site);
	site_add_server(&site, "s1", a.port)->check = true;
	site_add_server(&site, "s2", b.port)->check = true;
	site_start(&site, 2);
	WAIT_UNTIL(atomic_load(&site.board.backends[1].settled));
	WAIT_UNTIL(atomic_load(&site.board.backends[1].in_transition) == 0);
	assert_int_equal(site.board.backends[1].usable, 2);
	assert_int_equal(site.board.backends[1].total, 2);
	assert_string_equal(site_server(&site, 1).check_status, "L4OK");
	assert_int_equal(site_server(&site, 1).health, 3);

	origin_stop(&b);
	WAIT_UNTIL(atomic_load(&site.board.backends[1].usable) == 1);
	view = site_server(&site, 1);
	assert_int_equal(view.state, SERVER_DOWN);
	assert_string_equal(view.check_status, "L4CON");
	assert_string_equal(view.check_detail, "Connection refused");
	assert_int_equal(view.health, 0);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(site_fetch(&site, text, sizeof text), 1);
		assert_int_equal(text[0], 'a');
	}
	origin_start(&b, ORIGIN_NAME, "b", port);
	WAIT_UNTIL(atomic_load(&site.board.backends[1].usable) == 2);
	assert_int_equal(site_server(&site, 1).state, SERVER_UP);
	origin_stop(&a);
	WAIT_UNTIL(atomic_load(&site.board.backends[1].usable) == 1);
	assert_int_equal(site_fetch(&site, text, sizeof text), 1);
	assert_int_equal(text[0], 'b');
	origin_stop(&b);
	WAIT_UNTIL(atomic_load(&site.board.backends[1].usable) == 0);
	site_stop(&site);
}

/* The beat of checks: counted from their starts, not from their ends. */
static void
checks_keep_their_beat(void **state)
{
	/* With RST instead of FIN the server's program would not learn of them. */
	struct conf_step connect = { .kind = CONF_STEP_CONNECT, .linger = true };
	struct origin a;
	struct site site;
	struct mono began;
	uint32_t n;

	origin_start(&a, ORIGIN_NAME, "a", 0);
	site_init(&site);
	site_add_server(&site, "s1", a.port)->check = true;
	site.servers[0].inter_ms = 20;
	site.proxies[1].health.steps = &connect;
	site.proxies[1].health.steps_n = 1;
	site_start(&site, 1);
	WAIT_UNTIL(atomic_load(&a.accepted) >= 2);
	began = mono_now();
	n = atomic_load(&a.accepted);
	WAIT_UNTIL(atomic_load(&a.accepted) >= n + 50);
	assert_in_range(mono_since_ms(mono_now(), began), 900, MARGIN_MS(1000));
	site_stop(&site);
	origin_stop(&a);
}

static void
names_are_resolved(void **state)
{
	struct origin a;
	struct site site;
	char text[16];

	origin_start(&a, ORIGIN_NAME, "a", 0);
	site_init(&site);
	site_add_server(&site, "s1", a.port)->host = "localhost";
	site.servers[0].address.len = 0;
	site_start(&site, 1);
	WAIT_UNTIL(site_server(&site, 0).state == SERVER_NOCHECK);
	assert_int_equal(site.board.backends[1].usable, 1);
	if (site_server(&site, 0).address.any.sa_family == AF_INET)
		assert_int_equal(site_fetch(&site, text, sizeof text), 1);
	site_stop(&site);
	origin_stop(&a);
}

/* Its address is never found: that settles the matter, and stopping does not wait for it. */
static void
names_that_do_not_resolve(void **state)
{
	struct site site;

	site_init(&site);
	site_add_server(&site, "s1", 1)->host = "no such name";
	site.servers[0].address.len = 0;
	site.servers[0].check = true;
	site_start(&site, 1);
	assert_int_equal(site_server(&site, 0).state, SERVER_UNRESOLVED);
	WAIT_UNTIL(atomic_load(&site.board.backends[1].settled));
	assert_int_equal(site.board.backends[1].usable, 0);
	site_stop(&site);
}

/* A server without a port is asked on the one the client came to. */
static void
port_of_the_client(void **state)
{
	struct origin a;
	struct site site;
	char text[16];

	origin_start(&a, ORIGIN_NAME, "a", 0);
	site_init(&site);
	site.port = unused_port();
	site_add_server(&site, "s1", 0)->port_relative = true;
	site.servers[0].port_offset = a.port - site.port;
	site_start(&site, 1);
	assert_int_equal(site_fetch(&site, text, sizeof text), 1);
	site_stop(&site);
	origin_stop(&a);
}

static int
unix_listener(struct sock_addr *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*address = (struct sock_addr){ .len = sizeof(sa_family_t) };
	address->un.sun_family = AF_UNIX;
	/* Bound to nothing but the family, the kernel chooses an abstract name. */
	assert_int_equal(bind(fd, &address->any, address->len), 0);
	assert_int_equal(listen(fd, 16), 0);
	address->len = sizeof address->un;
	getsockname(fd, &address->any, &address->len);
	return fd;
}

static void
unix_server(void **state)
{
	struct sock_addr address;
	struct site site;
	int listen_fd = unix_listener(&address), fd, server;
	char text[4];

	site_init(&site);
	site_add_server(&site, "s1", 0)->address = address;
	site_start(&site, 1);
	fd = site_connect(&site);
	WAIT_UNTIL((server = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0);
	assert_int_equal(send(fd, "ping", 4, 0), 4);
	assert_int_equal(recv(server, text, 4, MSG_WAITALL), 4);
	assert_int_equal(send(server, "pong", 4, 0), 4);
	shutdown(server, SHUT_WR);
	assert_int_equal(recv(fd, text, 4, MSG_WAITALL), 4);
	assert_int_equal(recv(fd, text, 1, 0), 0);
	close(fd);
	assert_int_equal(recv(server, text, 1, 0), 0);
	close(server);
	WAIT_UNTIL(proxy_sessions(site.proxy) == 0);
	site_stop(&site);
	close(listen_fd);
}

/* A frontend on a unix socket, which has neither ports nor TCP options. */
static void
unix_bind(void **state)
{
	struct sock_addr address;
	struct origin a;
	struct site site;
	char text[16];
	int fd;

	origin_start(&a, ORIGIN_ECHO, "a", 0);
	site_init(&site);
	site_add_server(&site, "s1", a.port);
	site.listeners[site.listeners_n++].fd = unix_listener(&address);
	site_start(&site, 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, &address.any, address.len), 0);
	assert_int_equal(send(fd, "ping", 4, 0), 4);
	shutdown(fd, SHUT_WR);
	assert_int_equal(recv(fd, text, 4, MSG_WAITALL), 4);
	assert_int_equal(recv(fd, text, 1, 0), 0);
	close(fd);
	WAIT_UNTIL(proxy_sessions(site.proxy) == 0);
	site_stop(&site);
	origin_stop(&a);
}

static void
the_board_tells_of_threads(void **state)
{
	struct site site;
	struct mono began = mono_now();

	site_init(&site);
	site_start(&site, 2);
	WAIT_UNTIL(health_proxy_state(&site.board, mono_now(), NS_PER_S) == HEALTH_PROXY_SERVING);
	assert_int_equal(site.board.threads[0].listening, 1);
	assert_int_equal(site.board.threads[1].listening, 1);
	/* It beats with nothing to do. */
	WAIT_UNTIL(atomic_load(&site.board.threads[1].beat_ns) > began.ns + 400 * NS_PER_MS);
	/* A listening socket that ends is a loss, and the VRRP thread hears of it. */
	shutdown(site.listeners[1].fd, SHUT_RDWR);
	WAIT_UNTIL(atomic_load(&site.board.threads[1].lost) == 1);
	assert_int_equal(health_proxy_state(&site.board, mono_now(), WAIT_MS * NS_PER_MS),
			 HEALTH_PROXY_LISTENER_LOST);
	site_stop(&site);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alternates_over_threads),
		cmocka_unit_test(redispatches_from_a_dead_server),
		cmocka_unit_test(closes_when_all_are_dead),
		cmocka_unit_test(retries_the_only_server),
		cmocka_unit_test(no_server_at_all),
		cmocka_unit_test(queues_for_a_slot),
		cmocka_unit_test(timeout_queue),
		cmocka_unit_test(frontend_maxconn_holds),
		cmocka_unit_test(checks_see_a_server_die_and_return),
		cmocka_unit_test(checks_keep_their_beat),
		cmocka_unit_test(names_are_resolved),
		cmocka_unit_test(names_that_do_not_resolve),
		cmocka_unit_test(port_of_the_client),
		cmocka_unit_test(unix_server),
		cmocka_unit_test(unix_bind),
		cmocka_unit_test(the_board_tells_of_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
