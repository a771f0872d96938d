/*
 * stock.c - see stock.h.  stock_take is run by the thread whose stock it is, the rest by the one that
 * owns struct proxy.
 */
#include "proxy/stock.h"

#include "common/clock.h"
#include "proxy/runtime.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* An answer that has not come by then never will: the guardian was short of memory. */
#define ANSWER_MS 1000

uint32_t
stock_family(int family)
{
	return family == AF_INET6;
}

struct stock *
stock_new(struct health_board *board)
{
	struct stock *stock = calloc(1, sizeof *stock);

	if (stock)
		stock->board = board;
	return stock;
}

static int
pick(struct stock_shelf *shelf, uint32_t *left)
{
	uint32_t taken = atomic_load_explicit(&shelf->taken, memory_order_relaxed);
	uint32_t put = atomic_load_explicit(&shelf->put, memory_order_acquire);
	int fd;

	if (put == taken)
		return -ENOBUFS;
	fd = shelf->fds[taken % STOCK_SHELF];
	atomic_store_explicit(&shelf->taken, taken + 1, memory_order_release);
	*left = put - taken - 1;
	return fd;
}

void
stock_free(struct stock *stock)
{
	uint32_t left;

	for (uint32_t i = 0; stock && i < STOCK_FAMILIES; i++)
		for (int fd; (fd = pick(&stock->shelves[i], &left)) >= 0;)
			close(fd);
	free(stock);
}

int
stock_take(struct stock *stock, int family)
{
	uint32_t left = 0;
	int fd = pick(&stock->shelves[stock_family(family)], &left);

	if (fd < 0)
		atomic_fetch_add_explicit(&stock->shortages, 1, memory_order_relaxed);
	if (left % STOCK_BATCH == 0)
		health_ring(stock->board);
	return fd;
}

uint32_t
stock_room(const struct stock *stock, uint32_t shelf)
{
	const struct stock_shelf *s = &stock->shelves[shelf];

	return STOCK_SHELF - (atomic_load_explicit(&s->put, memory_order_relaxed) -
			      atomic_load_explicit(&s->taken, memory_order_acquire));
}

bool
stock_put(struct stock *stock, uint32_t shelf, int fd)
{
	struct stock_shelf *s = &stock->shelves[shelf];
	uint32_t put = atomic_load_explicit(&s->put, memory_order_relaxed);

	if (stock_room(stock, shelf) == 0)
		return false;
	s->fds[put % STOCK_SHELF] = fd;
	atomic_store_explicit(&s->put, put + 1, memory_order_release);
	return true;
}

/* ---- of all threads ---- */

/* The thread whose shelf is the emptiest. */
static struct stock *
emptiest(const struct proxy *proxy, uint32_t shelf)
{
	struct stock *found = proxy->threads[0].stock;

	for (uint32_t i = 1; i < proxy->threads_n; i++) {
		struct stock *stock = proxy->threads[i].stock;

		if (stock_room(stock, shelf) > stock_room(found, shelf))
			found = stock;
	}
	return found;
}

bool
proxy_stock_wanted(struct proxy *proxy, uint32_t *family)
{
	struct mono now = mono_now();

	for (uint32_t i = 0; proxy->threads[0].stock && i < STOCK_FAMILIES; i++) {
		struct mono *asked = &proxy->stock_asked[i];

		if ((asked->ns && mono_since_ms(now, *asked) < ANSWER_MS) ||
		    stock_room(emptiest(proxy, i), i) < STOCK_BATCH)
			continue;
		*asked = now;
		*family = i;
		return true;
	}
	return false;
}

void
proxy_stock_add(struct proxy *proxy, uint32_t family, const int *fds, size_t n)
{
	proxy->stock_asked[family] = (struct mono){ 0 };
	for (size_t i = 0; i < n; i++)
		if (!proxy->threads[0].stock || !stock_put(emptiest(proxy, family), family, fds[i]))
			close(fds[i]);
}

uint64_t
proxy_stock_shortages(const struct proxy *proxy)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < proxy->threads_n && proxy->threads[i].stock; i++)
		n += atomic_load_explicit(&proxy->threads[i].stock->shortages,
					  memory_order_relaxed);
	return n;
}
