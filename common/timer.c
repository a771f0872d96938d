/*
 * timer.c - a binary heap of intrusive timers.  Belongs to one thread, usually through its loop;
 * the array is the heap's, the timers are their owners'.
 *
 * Slots are ordered by (key, seq), seq being the order of arming.  While a run is going on, a timer
 * armed for its `now` or before gets the key `now` and, as always, a seq above all others: it sorts
 * behind everything that was due when the run began, and the run ends at the first slot whose seq is
 * not below the one it started with.  So a run needs neither a list of its own nor a mark on timers,
 * and callbacks may arm and disarm whatever they like.
 */
#include "common/timer.h"

#include "common/log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static inline bool
before(const struct timer_slot *a, const struct timer_slot *b)
{
	return a->key != b->key ? a->key < b->key : a->seq < b->seq;
}

static inline void
put(struct timer_heap *heap, uint32_t i, const struct timer_slot *slot)
{
	heap->at[i] = *slot;
	slot->timer->place = i + 1;
}

/* Finds the place of `slot`, beginning at the hole `i`, and puts it there. */
static void
settle(struct timer_heap *heap, uint32_t i, const struct timer_slot *slot)
{
	uint32_t child;

	while (i > 0 && before(slot, &heap->at[(i - 1) / 2])) {
		put(heap, i, &heap->at[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	/* If it rose, it is before all below it: the first comparison ends this loop. */
	while ((child = 2 * i + 1) < heap->n) {
		if (child + 1 < heap->n && before(&heap->at[child + 1], &heap->at[child]))
			child++;
		if (!before(&heap->at[child], slot))
			break;
		put(heap, i, &heap->at[child]);
		i = child;
	}
	put(heap, i, slot);
}

static void
reserve_one(struct timer_heap *heap)
{
	uint32_t size = heap->size ? heap->size * 2 : 32;
	struct timer_slot *at;

	if (heap->n < heap->size)
		return;
	at = size > heap->size ? reallocarray(heap->at, size, sizeof *at) : NULL;
	if (!at) {
		/* A timer that is not armed is a session or a VRRP state that never ends. */
		log_alert("out of memory for %u timers", heap->n);
		abort();
	}
	heap->at = at;
	heap->size = size;
}

void
timer_heap_fini(struct timer_heap *heap)
{
	for (uint32_t i = 0; i < heap->n; i++)
		heap->at[i].timer->place = 0;
	free(heap->at);
	memset(heap, 0, sizeof *heap);
}

void
timer_arm(struct timer_heap *heap, struct timer *t, struct mono when)
{
	struct timer_slot slot = { .key = when.ns, .seq = heap->seq++, .timer = t };
	uint32_t i;

	if (heap->running && slot.key < heap->run_ns)
		slot.key = heap->run_ns;
	t->when = when;

	if (t->place) {
		i = t->place - 1;
		assert(i < heap->n && heap->at[i].timer == t);
	} else {
		reserve_one(heap);
		i = heap->n++;
	}
	settle(heap, i, &slot);
}

void
timer_disarm(struct timer_heap *heap, struct timer *t)
{
	uint32_t i;

	if (!t->place)
		return;
	i = t->place - 1;
	assert(i < heap->n && heap->at[i].timer == t);
	t->place = 0;
	heap->n--;
	if (i < heap->n) {
		struct timer_slot last = heap->at[heap->n];

		settle(heap, i, &last);
	}
}

void
timer_heap_run(struct timer_heap *heap, struct mono now)
{
	uint64_t seq_end = heap->seq;

	assert(!heap->running);
	heap->running = true;
	heap->run_ns = now.ns;
	while (heap->n && heap->at[0].key <= now.ns && heap->at[0].seq < seq_end) {
		struct timer *t = heap->at[0].timer;

		timer_disarm(heap, t);
		t->fire(t, now);
	}
	heap->running = false;
}
