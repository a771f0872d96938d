/*
 * pool.h - memory of one size, kept for the next use: a thread's buffers and sessions.
 *
 * The last one given back is the first one handed out, still warm in the cache.  At most `keep_n`
 * unused pieces are kept; the rest goes back to the allocator, so that a burst does not stay.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct pool {
	struct pool_piece *first;
	size_t size; /* of a piece */
	uint32_t kept_n, keep_n;
};

struct pool_piece {
	struct pool_piece *next;
};

void pool_init(struct pool *pool, size_t size, uint32_t keep_n);

/* Frees what is kept; pieces in use stay their users'. */
void pool_fini(struct pool *pool);

/* A piece with undefined contents, or NULL. */
void *pool_get(struct pool *pool);
void pool_put(struct pool *pool, void *piece);

/* A piece of data on its way: what `begin`…`end` marks is still to be written. */
#define BUFFER_SIZE (32 << 10)

struct buffer {
	uint32_t begin, end;
	unsigned char data[BUFFER_SIZE - 2 * sizeof(uint32_t)];
};
