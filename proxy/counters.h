/*
 * counters.h - numbers one thread writes and any thread reads.
 *
 * Each proxy thread has its own set; a reader sums over the threads.  So an increment is a plain
 * load and store: no locked instruction, no cache line that travels between threads.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

typedef _Atomic uint64_t counter_t;

/* By the owning thread only. */
static inline void
counter_add(counter_t *c, uint64_t n)
{
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

static inline uint64_t
counter_get(const counter_t *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

/* What passed through a frontend, a backend or a server, as one thread saw it. */
struct tally {
	counter_t sessions;  /* ever */
	counter_t ended;     /* of these */
	counter_t bytes_in;  /* from clients */
	counter_t bytes_out; /* to clients */
	counter_t connect_errors, retries, redispatches;
	counter_t denied; /* by rules */
	counter_t logged; /* lines */
};
