/*
 * timer.h - intrusive timers in a binary heap.
 *
 * A heap belongs to one thread.  A timer belongs to whoever embeds it, costs no allocation to arm
 * (the heap's array grows as timers are added, amortised) and must be disarmed before its memory
 * goes away.  There is no clock in here: simulations drive a heap with invented time.
 */
#pragma once

#include "common/clock.h"

#include <stddef.h>

struct timer;
typedef void timer_fire_fn(struct timer *t, struct mono now);

struct timer {
	struct mono when;
	timer_fire_fn *fire;
	uint32_t place; /* 1 + index in the heap; 0 = not armed */
};

/* Order and timer side by side: comparing does not touch the timers' own memory. */
struct timer_slot {
	int64_t key;  /* `when`, or the time of the run in which it was armed if that is later */
	uint64_t seq; /* order of arming: first in, first out among equal keys */
	struct timer *timer;
};

/* All zero is an empty heap. */
struct timer_heap {
	struct timer_slot *at;
	uint32_t n, size;
	uint64_t seq; /* of the next arming */
	bool running;
	int64_t run_ns; /* `now` of the present run */
};

/* Disarms what is still armed; the heap is empty afterwards and may be used again. */
void timer_heap_fini(struct timer_heap *heap);

static inline bool
timer_armed(const struct timer *t)
{
	return t->place != 0;
}

/* Arms or moves `t`.  It fires once, from timer_heap_run, with `t` disarmed already. */
void timer_arm(struct timer_heap *heap, struct timer *t, struct mono when);

/* Harmless if `t` is not armed. */
void timer_disarm(struct timer_heap *heap, struct timer *t);

/* The earliest armed timer or NULL. */
static inline struct timer *
timer_heap_first(const struct timer_heap *heap)
{
	return heap->n ? heap->at[0].timer : NULL;
}

/*
 * Fires every timer due at `now`, earliest first and in order of arming among equals.  A timer that
 * a callback arms for `now` or before waits for the next run, so that a run always ends; one that a
 * callback disarms does not fire.
 */
void timer_heap_run(struct timer_heap *heap, struct mono now);
