/*
 * lb.h - balancing: which of a backend's servers gets the next connection.
 *
 * A set is built once from the servers that are usable at the moment and never changes; each thread
 * has its own and builds a new one when the backend's generation has moved.  What threads share are
 * the counts in struct lb_server and one turn counter a backend: picking takes no lock.  No I/O and
 * no clock in here.
 */
#pragma once

#include "conf/model.h"

#include <stdatomic.h>

/* What balancing knows of a server.  Shared by all threads; the first five never change. */
struct lb_server {
	uint32_t index;   /* in its backend; bit index % 64 in a `tried` mask */
	uint32_t id;      /* 1…; balance first goes by it */
	uint32_t weight;  /* 0…256; 0 = no new connections */
	uint32_t maxconn; /* 0 = unlimited */
	uint32_t maxqueue;
	bool backup;
	_Atomic bool usable;
	_Atomic uint32_t served; /* slots taken */
	_Atomic uint32_t queued; /* sessions that wait for this very server */
};

struct lb_set {
	enum conf_balance balance;
	uint32_t generation; /* of the backend when the set was built */
	uint32_t servers_n, order_n;
	struct lb_server **servers; /* in play, by id with balance first */
	uint16_t *order;            /* indexes in `servers`, one round of the schedule */
};

enum lb_result {
	LB_PICKED, /* a slot of *server is taken: give it back with lb_release */
	LB_FULL,   /* there are servers, none has a slot; *server = the one to wait for, or NULL */
	LB_NONE,   /* no usable server but those tried */
};

/*
 * The servers in play: usable ones with a weight; if there is none, the backup servers (only the
 * first unless `allbackups`).  Free with lb_set_free; NULL when out of memory.
 */
struct lb_set *lb_set_new(enum conf_balance balance, bool allbackups, uint32_t generation,
			  struct lb_server *const *all, uint32_t n);
void lb_set_free(struct lb_set *set);

/*
 * Picks a server and takes one of its slots.  `turn` is shared by all threads; `hash` matters to
 * balance source; servers whose bit is set in `tried` are left out.
 */
enum lb_result lb_pick(const struct lb_set *set, _Atomic uint32_t *turn, uint32_t hash,
		       uint64_t tried, struct lb_server **server);

/* Takes a slot; false if the server is full. */
bool lb_take(struct lb_server *server);
void lb_release(struct lb_server *server);

/* The bit of a server in a `tried` mask. */
static inline uint64_t
lb_bit(const struct lb_server *server)
{
	return 1ULL << (server->index % 64);
}

/* HAProxy's hash of a source address: its 32-bit words in host order, XORed. */
uint32_t lb_hash_source(const struct ip *ip);

/*
 * Fills one round of weighted round-robin: server i stands at (k + 1/2) / weights[i] of the round,
 * k = 0 … weights[i] - 1, so that every server's turns are as even as they can be.  `order` has room
 * for the sum of the weights.  Ties go to the lower index.
 */
void lb_interleave(const uint32_t *weights, uint32_t n, uint16_t *order);

/* Fills HAProxy's map of balance source, as long as the sum of the weights. */
void lb_map(const uint32_t *weights, uint32_t n, uint16_t *order);
