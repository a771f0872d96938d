/*
 * relay.h - bytes from one side of a session to the other.
 *
 * A channel is one direction.  It holds a buffer or a pipe only while that carries data; an idle
 * connection costs neither.  Nothing is read that the other side cannot take.
 */
#pragma once

#include "proxy/conn.h"
#include "proxy/pool.h"
#include "proxy/splice.h"

struct channel {
	struct buffer *buffer; /* NULL = nothing held */
	struct pipe *pipe;
	uint64_t bytes;     /* handed to the receiving side, ever */
	uint8_t full_reads; /* in a row */
	bool splicing, no_splice;
};

/* What a thread lends its channels. */
struct relay_store {
	struct pool buffers;
	struct pipe_pool pipes;
};

enum relay_result {
	RELAY_IDLE,       /* waits for an edge */
	RELAY_MORE,       /* has used up its share of this turn: call again in the next one */
	RELAY_SRC_FAILED, /* error on the side read from… */
	RELAY_DST_FAILED, /* …or written to; *error tells which errno */
	RELAY_NO_MEMORY,
};

/*
 * Moves what can be moved, up to a share that leaves other sessions their turn.  `full_reads`:
 * how many full reads in a row make a transfer long enough for splice.
 */
enum relay_result relay_pump(struct channel *ch, struct conn *src, struct conn *dst,
			     struct relay_store *store, unsigned full_reads, struct mono now,
			     int *error);

static inline bool
channel_empty(const struct channel *ch)
{
	return !ch->buffer && (!ch->pipe || ch->pipe->held == 0);
}

/* Reads what a side has to say, as far as a buffer takes it, and keeps it there; 0, or -errno. */
int channel_fill(struct channel *ch, struct conn *src, struct relay_store *store, struct mono now);

/* Gives buffer and pipe back, data or not. */
void channel_drop(struct channel *ch, struct relay_store *store);
