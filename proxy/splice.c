/*
 * splice.c - pipes and splice(2).  A pool belongs to one thread.
 */
#include "proxy/splice.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* A socket's receive buffer is rarely fuller; the kernel may grant less. */
#define PIPE_SIZE (256 << 10)

/* Who has used up his share of pipe memory gets pipes of two pages: copying is faster. */
#define PIPE_SIZE_MIN (64 << 10)

static void
pipe_close(struct pipe_pool *pool, struct pipe *pipe)
{
	pool->live_n--;
	close(pipe->read_fd);
	close(pipe->write_fd);
	free(pipe);
}

void
pipe_pool_fini(struct pipe_pool *pool)
{
	while (pool->first) {
		struct pipe *pipe = pool->first;

		pool->first = pipe->next;
		pipe_close(pool, pipe);
	}
	pool->kept_n = 0;
}

struct pipe *
pipe_get(struct pipe_pool *pool)
{
	struct pipe *pipe = pool->first;
	int fds[2], size;

	if (pipe) {
		pool->first = pipe->next;
		pool->kept_n--;
		return pipe;
	}
	if (pool->live_n >= pool->live_max || pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0)
		return NULL;
	size = fcntl(fds[1], F_SETPIPE_SZ, PIPE_SIZE);
	if (size < 0)
		size = fcntl(fds[1], F_GETPIPE_SZ);
	pipe = size < PIPE_SIZE_MIN ? NULL : malloc(sizeof *pipe);
	if (!pipe) {
		close(fds[0]);
		close(fds[1]);
		return NULL;
	}
	*pipe = (struct pipe){ .read_fd = fds[0], .write_fd = fds[1], .size = (uint32_t)size };
	pool->live_n++;
	return pipe;
}

void
pipe_put(struct pipe_pool *pool, struct pipe *pipe)
{
	if (!pipe)
		return;
	if (pipe->held || pool->kept_n >= pool->keep_n) {
		pipe_close(pool, pipe);
		return;
	}
	pipe->next = pool->first;
	pool->first = pipe;
	pool->kept_n++;
}

ssize_t
splice_read(struct conn *c, struct pipe *pipe)
{
	ssize_t n;

	if (c->flags & CONN_URGENT)
		return -EINVAL;
	do
		n = splice(c->lf.fd, NULL, pipe->write_fd, NULL, pipe->size,
			   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	while (n < 0 && errno == EINTR);

	if (n > 0) {
		/* Unlike recv, a short count proves nothing: the pipe's slots may have run out. */
		pipe->held += (uint32_t)n;
		return n;
	}
	/* Before urgent data it returns 0, too: a read tells that from the end. */
	if (n == 0)
		return -EINVAL;
	if (errno != EAGAIN)
		return -errno;
	c->flags &= ~CONN_CAN_READ;
	return 0;
}

ssize_t
splice_write(struct conn *c, struct pipe *pipe, bool more)
{
	ssize_t n;

	conn_prepare_write(c);
	do
		n = splice(pipe->read_fd, NULL, c->lf.fd, NULL, pipe->held,
			   SPLICE_F_MOVE | SPLICE_F_NONBLOCK | (more ? SPLICE_F_MORE : 0));
	while (n < 0 && errno == EINTR);

	if (n > 0) {
		pipe->held -= (uint32_t)n;
		if (pipe->held)
			c->flags &= ~CONN_CAN_WRITE;
		return n;
	}
	c->flags &= ~CONN_CAN_WRITE;
	if (n < 0 && errno != EAGAIN)
		return -errno;
	return 0;
}
