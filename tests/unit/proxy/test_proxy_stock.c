/*
 * test_proxy_stock.c - sockets for `source … usesrc`: the shelves, and sessions that find one empty.
 * Clients come from 127.0.0.1, so that sockets without IP_TRANSPARENT do.
 */
#include "tests/unit/proxy/fixture.h"

#include "proxy/stock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int
make(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	return fd;
}

static bool
rang(const struct health_board *board)
{
	uint64_t count;

	return read(board->wake_fd, &count, sizeof count) == sizeof count;
}

/* First in, first out, round and round; the bell rings for every batch that could be put there. */
static void
shelf_turns(void **state)
{
	struct health_board board;
	struct stock *stock;
	int fds[STOCK_SHELF];

	assert_int_equal(health_board_init(&board, 1, 0), 0);
	stock = stock_new(&board);
	assert_non_null(stock);
	for (int round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < STOCK_SHELF; i++) {
			assert_int_equal(stock_room(stock, 0), STOCK_SHELF - i);
			fds[i] = make(AF_INET);
			assert_true(stock_put(stock, 0, fds[i]));
		}
		assert_false(stock_put(stock, 0, fds[0]));
		for (uint32_t i = 0; i < STOCK_SHELF; i++) {
			assert_int_equal(stock_take(stock, AF_INET), fds[i]);
			assert_int_equal(rang(&board), (i + 1) % STOCK_BATCH == 0);
			close(fds[i]);
		}
	}
	assert_int_equal(atomic_load(&stock->shortages), 0);
	assert_int_equal(stock_take(stock, AF_INET), -ENOBUFS);
	assert_true(rang(&board));
	assert_int_equal(atomic_load(&stock->shortages), 1);
	stock_free(stock);
	health_board_fini(&board);
}

/* The families have a shelf each; what is left there is closed with it. */
static void
families_are_apart(void **state)
{
	struct health_board board;
	struct stock *stock;
	int v4 = make(AF_INET), v6 = make(AF_INET6);

	assert_int_equal(health_board_init(&board, 1, 0), 0);
	stock = stock_new(&board);
	assert_non_null(stock);
	assert_true(stock_put(stock, stock_family(AF_INET6), v6));
	assert_int_equal(stock_take(stock, AF_INET), -ENOBUFS);
	assert_true(stock_put(stock, stock_family(AF_INET), v4));
	assert_int_equal(stock_take(stock, AF_INET6), v6);
	close(v6);
	stock_free(stock);
	assert_int_equal(fcntl(v4, F_GETFD), -1);
	health_board_fini(&board);
}

/* A session that finds none tries again later; all of them are in vain if none comes. */
static void
sessions_wait_for_sockets(void **state)
{
	struct origin origin;
	struct site site;
	char text[16];
	uint32_t family;
	int fds[STOCK_BATCH];

	origin_start(&origin, ORIGIN_NAME, "o", 0);
	site_init(&site);
	for (int i = 0; i < 3; i++)
		site_add_server(&site, i ? "other" : "s", origin.port)->outbound =
			(struct conf_outbound){ .source = { .family = AF_INET },
						.usesrc = CONF_USESRC_CLIENTIP };
	site.conf.uses_usesrc = true;
	site.proxies[1].retries = 1;
	site.proxies[1].timeout_connect_ms = 200;
	site_start(&site, 2);
	assert_int_equal(site_fetch(&site, text, sizeof text), 0);
	/* One attempt, then a pause although there are other servers, then the second one. */
	assert_int_equal(proxy_stock_shortages(site.proxy), 2);
	assert_int_equal(atomic_load(&origin.accepted), 0);
	/* Each family is asked for once, and again when it has come. */
	assert_true(proxy_stock_wanted(site.proxy, &family));
	assert_int_equal(family, 0);
	assert_true(proxy_stock_wanted(site.proxy, &family));
	assert_int_equal(family, 1);
	assert_false(proxy_stock_wanted(site.proxy, &family));
	for (int i = 0; i < STOCK_BATCH; i++)
		fds[i] = make(AF_INET);
	proxy_stock_add(site.proxy, 0, fds, STOCK_BATCH);
	assert_true(proxy_stock_wanted(site.proxy, &family));
	assert_int_equal(family, 0);
	/* Whichever thread it is, it has its share. */
	for (int i = 0; i < STOCK_BATCH / 4; i++)
		assert_int_equal(site_fetch(&site, text, sizeof text), 1);
	assert_int_equal(proxy_stock_shortages(site.proxy), 2);
	site_stop(&site);
	origin_stop(&origin);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shelf_turns),
		cmocka_unit_test(families_are_apart),
		cmocka_unit_test(sessions_wait_for_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
