/*
 * relay.c - the hot path: read, write, and know when there is nothing left to do without asking
 * the kernel.  Run by the session's thread; buffers and pipes come from that thread's store.
 */
#include "proxy/relay.h"

#include <errno.h>

/* What one direction may move before others get their turn. */
#define SHARE (512 << 10)

static enum relay_result
pump_buffer(struct channel *ch, struct conn *src, struct conn *dst, struct relay_store *store,
	    int *error)
{
	struct buffer *b = ch->buffer;
	ssize_t n;

	if (!b) {
		b = pool_get(&store->buffers);
		if (!b)
			return RELAY_NO_MEMORY;
		n = src->ops->read(src, b->data, sizeof b->data);
		if (n <= 0) {
			pool_put(&store->buffers, b);
			*error = (int)-n;
			return n < 0 ? RELAY_SRC_FAILED : RELAY_IDLE;
		}
		b->begin = 0;
		b->end = (uint32_t)n;
		if (n < (ssize_t)sizeof b->data)
			ch->full_reads = 0;
		else if (ch->full_reads < UINT8_MAX)
			ch->full_reads++;
	}
	n = dst->ops->write(dst, b->data + b->begin, b->end - b->begin, src->flags & CONN_EOF);
	if (n < 0) {
		ch->buffer = b;
		*error = (int)-n;
		return RELAY_DST_FAILED;
	}
	ch->bytes += (uint64_t)n;
	b->begin += (uint32_t)n;
	if (b->begin == b->end) {
		pool_put(&store->buffers, b);
		b = NULL;
	}
	ch->buffer = b;
	return RELAY_MORE;
}

static enum relay_result
pump_pipe(struct channel *ch, struct conn *src, struct conn *dst, struct relay_store *store,
	  int *error)
{
	ssize_t n;

	if (!ch->pipe)
		ch->pipe = pipe_get(&store->pipes);
	if (!ch->pipe) {
		/* None to be had: through the buffer, until the transfer looks long again. */
		ch->splicing = false;
		ch->full_reads = 0;
		return RELAY_MORE;
	}
	if (ch->pipe->held == 0) {
		n = splice_read(src, ch->pipe);
		if (n == -EINVAL) {
			ch->splicing = false;
			ch->no_splice = true;
			pipe_put(&store->pipes, ch->pipe);
			ch->pipe = NULL;
			return RELAY_MORE;
		}
		if (n < 0) {
			*error = (int)-n;
			return RELAY_SRC_FAILED;
		}
		if (n == 0)
			return RELAY_IDLE;
		/* Crumbs are cheaper to copy. */
		if (n < BUFFER_SIZE / 8) {
			if (ch->full_reads == 0)
				ch->splicing = false;
			else
				ch->full_reads--;
		} else {
			ch->full_reads = 2;
		}
	}
	n = splice_write(dst, ch->pipe, false);
	if (n < 0) {
		*error = (int)-n;
		return RELAY_DST_FAILED;
	}
	ch->bytes += (uint64_t)n;
	return RELAY_MORE;
}

static inline bool
movable(const struct channel *ch, const struct conn *src, const struct conn *dst)
{
	if (!(dst->flags & CONN_CAN_WRITE))
		return false;
	return (src->flags & (CONN_CAN_READ | CONN_EOF)) == CONN_CAN_READ || !channel_empty(ch);
}

enum relay_result
relay_pump(struct channel *ch, struct conn *src, struct conn *dst, struct relay_store *store,
	   unsigned full_reads, struct mono now, int *error)
{
	uint64_t before = ch->bytes;
	enum relay_result result = RELAY_IDLE;

	if (!movable(ch, src, dst))
		return RELAY_IDLE;
	do {
		bool piped = ch->pipe && ch->pipe->held;

		if (ch->full_reads >= full_reads && !ch->splicing && !ch->no_splice)
			ch->splicing = src->ops->can_splice && dst->ops->can_splice;
		if (piped || (ch->splicing && !ch->buffer))
			result = pump_pipe(ch, src, dst, store, error);
		else
			result = pump_buffer(ch, src, dst, store, error);
		if (result == RELAY_MORE && !movable(ch, src, dst))
			result = RELAY_IDLE;
	} while (result == RELAY_MORE && ch->bytes - before < SHARE);

	if (ch->pipe && ch->pipe->held == 0 && result == RELAY_IDLE) {
		pipe_put(&store->pipes, ch->pipe);
		ch->pipe = NULL;
	}
	if (ch->bytes != before)
		src->active = dst->active = now;
	return result;
}

int
channel_fill(struct channel *ch, struct conn *src, struct relay_store *store, struct mono now)
{
	while ((src->flags & (CONN_CAN_READ | CONN_EOF)) == CONN_CAN_READ) {
		struct buffer *b = ch->buffer;
		ssize_t n;

		if (!b) {
			b = pool_get(&store->buffers);
			if (!b)
				return -ENOMEM;
			b->begin = b->end = 0;
		}
		if (b->end == sizeof b->data)
			return 0;
		n = src->ops->read(src, b->data + b->end, sizeof b->data - b->end);
		if (n > 0) {
			b->end += (uint32_t)n;
			src->active = now;
			ch->buffer = b;
			continue;
		}
		if (!ch->buffer)
			pool_put(&store->buffers, b);
		return (int)n;
	}
	return 0;
}

void
channel_drop(struct channel *ch, struct relay_store *store)
{
	if (ch->buffer)
		pool_put(&store->buffers, ch->buffer);
	pipe_put(&store->pipes, ch->pipe);
	ch->buffer = NULL;
	ch->pipe = NULL;
}
