/*
 * rate_gate.h - no more than so many sessions within any second: `rate-limit sessions`.
 *
 * Counts as HAProxy does: those of this second, and of the second before the part that is less than
 * a second ago.  One atomic word, shared by all threads; zero = nothing has been counted.  No clock
 * here.
 */
#pragma once

#include "common/clock.h"

#include <stdatomic.h>
#include <stdint.h>

#define RATE_GATE_MAX 1000000 /* a count has 20 bits */

struct rate_gate {
	_Atomic uint64_t counts; /* the second, 24 bits; those of the one before; those of it */
};

/* Lets one more in and counts it: 0; or the milliseconds (>= 1) until it is worth asking again.
 * 1 <= limit <= RATE_GATE_MAX. */
uint32_t rate_gate_enter(struct rate_gate *gate, uint32_t limit, struct mono now);

/* The one let in at `now` did not come. */
void rate_gate_leave(struct rate_gate *gate, struct mono now);
