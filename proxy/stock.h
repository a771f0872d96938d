/*
 * stock.h - sockets that may speak from addresses that are not this host's (`source … usesrc`).
 *
 * Such a socket has IP_TRANSPARENT, which takes a privilege the worker does not have: the guardian
 * makes them.  So that no session waits for it, each proxy thread has some in stock, on one shelf for
 * each family.  A shelf is a ring: the thread takes, the main thread (proxy_stock_*) puts and asks
 * for more before it is empty.  No locks.
 */
#pragma once

#include "common/health.h"

#define STOCK_SHELF    256 /* sockets a shelf holds */
#define STOCK_BATCH    64  /* so many at once are asked for: what one message carries */
#define STOCK_FAMILIES 2   /* IPv4, IPv6 */

struct stock_shelf {
	_Atomic uint32_t put, taken; /* ever */
	int fds[STOCK_SHELF];
};

struct stock {
	struct health_board *board; /* rung when there is room for a batch */
	_Atomic uint64_t shortages; /* how often there was none left */
	struct stock_shelf shelves[STOCK_FAMILIES];
};

/* Which shelf: 0 or 1. */
uint32_t stock_family(int family);

/* NULL = out of memory. */
struct stock *stock_new(struct health_board *board);
/* With all that is in it.  NULL is fine. */
void stock_free(struct stock *stock);

/* By the thread: a socket of that family (AF_INET, AF_INET6), the caller's from now on; -ENOBUFS if
 * there is none left. */
int stock_take(struct stock *stock, int family);

/* By who fills it: for how many there is room on a shelf; puts one there if there is. */
uint32_t stock_room(const struct stock *stock, uint32_t shelf);
bool stock_put(struct stock *stock, uint32_t shelf, int fd);
