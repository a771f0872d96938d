/*
 * pool.c - memory of one size.  A pool belongs to one thread.
 */
#include "proxy/pool.h"

#include <stdlib.h>

void
pool_init(struct pool *pool, size_t size, uint32_t keep_n)
{
	*pool = (struct pool){ .size = size, .keep_n = keep_n };
}

void
pool_fini(struct pool *pool)
{
	while (pool->first) {
		struct pool_piece *piece = pool->first;

		pool->first = piece->next;
		free(piece);
	}
	pool->kept_n = 0;
}

void *
pool_get(struct pool *pool)
{
	struct pool_piece *piece = pool->first;

	if (!piece)
		return malloc(pool->size);
	pool->first = piece->next;
	pool->kept_n--;
	return piece;
}

void
pool_put(struct pool *pool, void *data)
{
	struct pool_piece *piece = data;

	if (pool->kept_n >= pool->keep_n) {
		free(piece);
		return;
	}
	piece->next = pool->first;
	pool->first = piece;
	pool->kept_n++;
}
