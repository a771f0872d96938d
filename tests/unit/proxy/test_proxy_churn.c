/*
 * test_proxy_churn.c - everything at once: several threads, limits everywhere, clients that abort,
 * a server that comes and goes.  In the end every place, slot and queue must be accounted for.
 */
#include "tests/unit/proxy/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#define CLIENTS 6
#define ROUNDS  500

struct client {
	const struct site *site;
	pthread_t thread;
	unsigned random;
	uint32_t answered, asked;
};

static void
abort_connection(int fd)
{
	struct linger linger = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	close(fd);
}

static void *
client_main(void *arg)
{
	struct client *c = arg;
	char text[64];

	for (int i = 0; i < ROUNDS; i++) {
		int fd = site_connect(c->site);

		switch (rand_r(&c->random) % 5) {
		case 0:
			abort_connection(fd);
			continue;
		case 1:
			send(fd, text, sizeof text, MSG_NOSIGNAL);
			abort_connection(fd);
			continue;
		}
		c->asked++;
		send(fd, text, sizeof text, MSG_NOSIGNAL);
		if (rand_r(&c->random) % 4 == 0)
			shutdown(fd, SHUT_WR);
		c->answered += recv(fd, text, sizeof text, 0) > 0;
		close(fd);
	}
	return NULL;
}

static void
churn(enum conf_balance balance)
{
	struct client clients[CLIENTS];
	struct origin steady, fickle;
	uint32_t answered = 0, asked = 0;
	struct site site;
	uint16_t port;

	origin_start(&steady, ORIGIN_NAME, "a", 0);
	origin_start(&fickle, ORIGIN_NAME, "b", 0);
	port = fickle.port;
	site_init(&site);
	site_add_server(&site, "steady", steady.port)->maxconn = 2;
	site_add_server(&site, "fickle", port)->maxconn = 1;
	site_add_server(&site, "dead", unused_port())->maxconn = 1;
	site.servers[1].check = true;
	site.servers[1].inter_ms = 5;
	site.proxies[0].maxconn = 5;
	site.proxies[1].balance = balance;
	site_start(&site, 3);
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = (struct client){ .site = &site, .random = (unsigned)i + 1 };
		assert_int_equal(pthread_create(&clients[i].thread, NULL, client_main, &clients[i]),
				 0);
	}
	for (int i = 0; i < 20; i++) {
		uint64_t seen = site_backend(&site).sessions_total + 10;

		origin_stop(&fickle);
		WAIT_UNTIL(site_backend(&site).sessions_total >= seen ||
			   proxy_sessions(site.proxy) == 0);
		origin_start(&fickle, ORIGIN_NAME, "b", port);
	}
	for (int i = 0; i < CLIENTS; i++) {
		pthread_join(clients[i].thread, NULL);
		answered += clients[i].answered;
		asked += clients[i].asked;
	}
	WAIT_UNTIL(proxy_sessions(site.proxy) == 0);
	assert_int_equal(site_backend(&site).queued, 0);
	assert_int_equal(site_backend(&site).sessions, 0);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(site_server(&site, i).sessions, 0);
		assert_int_equal(site_server(&site, i).queued, 0);
	}
	/* Only a connection that was just being served by the server that went may have failed. */
	assert_true(answered + 40 >= asked);
	site_stop(&site);
	origin_stop(&steady);
	origin_stop(&fickle);
}

static void
roundrobin(void **state)
{
	churn(CONF_BALANCE_ROUNDROBIN);
}

static void
leastconn(void **state)
{
	churn(CONF_BALANCE_LEASTCONN);
}

static void
first(void **state)
{
	churn(CONF_BALANCE_FIRST);
}

static void
source(void **state)
{
	churn(CONF_BALANCE_SOURCE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roundrobin),
		cmocka_unit_test(leastconn),
		cmocka_unit_test(first),
		cmocka_unit_test(source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
