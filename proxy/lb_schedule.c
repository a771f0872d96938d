/*
 * lb_schedule.c - the order of weighted round-robin.  Pure.
 */
#include "proxy/lb_schedule.h"

#include <stdbool.h>
#include <stdlib.h>

/* One server's next turn in the round. */
struct place {
	uint32_t index, weight, k;
};

/* (2k + 1) / 2w compared without dividing. */
static bool
place_before(const struct place *a, const struct place *b)
{
	uint64_t left = (2ULL * a->k + 1) * b->weight, right = (2ULL * b->k + 1) * a->weight;

	return left != right ? left < right : a->index < b->index;
}

static void
sink(struct place *heap, uint32_t n, uint32_t at)
{
	struct place moving = heap[at];
	uint32_t child;

	while ((child = 2 * at + 1) < n) {
		if (child + 1 < n && place_before(&heap[child + 1], &heap[child]))
			child++;
		if (!place_before(&heap[child], &moving))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moving;
}

void
lb_interleave(const uint32_t *weights, uint32_t n, uint16_t *order)
{
	struct place *heap = calloc(n ? n : 1, sizeof *heap);
	uint32_t total = 0, heap_n = 0;

	if (!heap)
		abort();
	for (uint32_t i = 0; i < n; i++) {
		total += weights[i];
		if (weights[i])
			heap[heap_n++] = (struct place){ .index = i, .weight = weights[i] };
	}
	for (uint32_t i = heap_n / 2; i-- > 0;)
		sink(heap, heap_n, i);
	for (uint32_t at = 0; at < total; at++) {
		order[at] = (uint16_t)heap[0].index;
		if (++heap[0].k == heap[0].weight)
			heap[0] = heap[--heap_n];
		sink(heap, heap_n, 0);
	}
	free(heap);
}
