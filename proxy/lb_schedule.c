/*
 * lb_schedule.c - the orders of lb_schedule.h.  Pure.
 *
 * What the map yields is HAProxy's interface: clients must find their server after a move.
 */
#include "proxy/lb_schedule.h"

#include <stdbool.h>
#include <stdlib.h>

static bool
is_even(const uint32_t *weights, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (weights[i] != weights[0])
			return false;
	return true;
}

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
	/* All alike take turns in order: what the rule comes to, in less time. */
	if (is_even(weights, n)) {
		for (uint32_t at = 0; at < total; at++)
			order[at] = (uint16_t)(at % n);
		total = 0;
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

/* What a server has earned of the map, in whole rounds less those it has been chosen for. */
struct earner {
	int64_t credit;
	uint32_t earned; /* whole rounds, so far */
	uint32_t next; /* of those that earn their next one at the same step; 0 = none, else + 1 */
};

struct earners {
	const uint32_t *weights;
	uint32_t total, leaves_n; /* a power of two */
	struct earner *all;       /* a leaf each */
	uint32_t *due;            /* by step: the first who earns a round there, as in `next` */
	uint32_t *best; /* a tournament: [1] has the most credit, the lower index if equal */
};

static void
replay(const struct earners *e, uint32_t i)
{
	for (uint32_t node = (e->leaves_n + i) / 2; node > 0; node /= 2) {
		uint32_t left = e->best[2 * node], right = e->best[2 * node + 1];

		e->best[node] = e->all[right].credit > e->all[left].credit ? right : left;
	}
}

/* Its next whole round is earned at the first step at which `steps * weight / total` has grown. */
static void
await_round(const struct earners *e, uint32_t i)
{
	uint64_t rounds = e->all[i].earned + 1ULL, weight = e->weights[i];
	uint64_t step = (rounds * e->total + weight - 1) / weight;

	if (rounds > weight)
		return;
	e->all[i].next = e->due[step];
	e->due[step] = i + 1;
}

/*
 * Each server earns its weight at every step and pays the whole round, the sum of weights, when it
 * is chosen.  Credit counts in whole rounds: within one the first declared server wins.  A round's
 * worth is gathered `weight` times in all, and nothing but that and being chosen moves a server in
 * the tournament.
 */
static void
fill_map(const struct earners *e, uint32_t n, uint16_t *order)
{
	for (uint32_t i = 0; i < e->leaves_n; i++) {
		e->best[e->leaves_n + i] = i;
		if (i >= n || e->weights[i] == 0)
			e->all[i].credit = INT64_MIN;
		else
			await_round(e, i);
	}
	for (uint32_t i = 0; i < e->leaves_n; i += 2)
		replay(e, i);
	for (uint32_t step = 1; step <= e->total; step++) {
		uint32_t due = e->due[step], best;

		while (due) {
			uint32_t i = due - 1;

			due = e->all[i].next;
			e->all[i].credit++;
			e->all[i].earned++;
			await_round(e, i);
			replay(e, i);
		}
		best = e->best[1];
		order[step - 1] = (uint16_t)best;
		e->all[best].credit--;
		replay(e, best);
	}
}

void
lb_map(const uint32_t *weights, uint32_t n, uint16_t *order)
{
	struct earners e = { .weights = weights, .leaves_n = 1 };

	for (uint32_t i = 0; i < n; i++)
		e.total += weights[i];
	/* All alike, each has one place, in order: what the rule comes to, in less time. */
	if (e.total == n && is_even(weights, n)) {
		for (uint32_t i = 0; i < n; i++)
			order[i] = (uint16_t)i;
		return;
	}
	while (e.leaves_n < n)
		e.leaves_n *= 2;
	e.all = calloc(e.leaves_n, sizeof *e.all);
	e.due = calloc(e.total + 1, sizeof *e.due);
	e.best = calloc(2 * e.leaves_n, sizeof *e.best);
	if (!e.all || !e.due || !e.best)
		abort();
	fill_map(&e, n, order);
	free(e.all);
	free(e.due);
	free(e.best);
}
