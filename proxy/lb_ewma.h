/*
 * lb_ewma.h - how long connecting to a server takes, as a peak-sensitive moving average.
 *
 * A longer time counts at once, a shorter one slowly, and without news an old peak fades: a server
 * that has become slow is avoided after one connection and tried again later.  Shared by all
 * threads without a lock: a measurement lost to another thread's is one among many.  Pure.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

struct lb_ewma {
	_Atomic int64_t value_ns; /* 0 = never measured */
	_Atomic int64_t at_ns;    /* monotonic, of the last measurement */
};

/* Connecting took so long.  A failed attempt should be told as much longer than it took. */
void lb_ewma_add(struct lb_ewma *ewma, int64_t took_ns, int64_t now_ns);

/* The average as it stands now; at least 1 µs, so that load counts between the unmeasured too. */
double lb_ewma_ns(const struct lb_ewma *ewma, int64_t now_ns);
