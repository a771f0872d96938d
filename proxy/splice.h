/*
 * splice.h - pipes for splice(2): long transfers without copying through user memory.
 *
 * A pipe is held by a direction of a session only while it carries data or the transfer runs; idle
 * ones wait in the thread's pool.  A pipe that still holds bytes is closed, never pooled.
 */
#pragma once

#include "proxy/conn.h"

#include <stdint.h>

struct pipe {
	struct pipe *next;
	int read_fd, write_fd;
	uint32_t held; /* bytes in it */
	uint32_t size;
};

struct pipe_pool {
	struct pipe *first;
	uint32_t kept_n, keep_n;
	uint32_t live_n, live_max; /* with those kept: each is two descriptors */
};

void pipe_pool_fini(struct pipe_pool *pool);

/* NULL when there is none to be had: the transfer goes on through buffers. */
struct pipe *pipe_get(struct pipe_pool *pool);

/* NULL is fine. */
void pipe_put(struct pipe_pool *pool, struct pipe *pipe);

/* Socket to pipe, which is empty.  As conn_ops.read; -EINVAL if the socket cannot splice. */
ssize_t splice_read(struct conn *c, struct pipe *pipe);

/* Pipe to socket.  As conn_ops.write. */
ssize_t splice_write(struct conn *c, struct pipe *pipe, bool more);
