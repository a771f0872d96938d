/*
 * lb_schedule.c - the orders of lb_schedule.h.  Pure.
 *
 * Servers of one weight take turns among themselves, in order: they are a stream.  Either order is
 * streams merged by a rule of its own: at each turn the stream that wins a tournament yields one
 * server.  There are seldom more than a few weights, however many servers.
 *
 * What the map yields is HAProxy's interface: clients must find their server after a move.
 */
#include "proxy/lb_schedule.h"

#include <stdbool.h>
#include <stdlib.h>

#define NOBODY UINT32_MAX

struct stream {
	uint32_t weight;
	uint32_t begin, end; /* its servers, in `members` */
	uint32_t at;         /* whose turn it is, there */
	uint32_t rounds;     /* how often each has had a turn; those before `at` once more */
	uint32_t earned;     /* the map's: whole rounds each has earned so far */
	uint32_t next;       /* the map's: of those that earn their next one at the same step */
};

struct streams {
	uint32_t n, leaves_n; /* a power of two */
	uint32_t total;       /* of all weights */
	uint16_t *members;    /* servers by weight, in order */
	struct stream *all;
	uint32_t *best; /* a tournament: [1] = whose turn it is; the children of i are 2i, 2i + 1 */
	bool (*precedes)(const struct streams *all, const struct stream *a, const struct stream *b);
};

static void *
must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

/* The servers by weight: by counting. */
static void
sort_by_weight(struct streams *s, const uint32_t *weights, uint32_t n)
{
	uint32_t most = 0, *begin;

	for (uint32_t i = 0; i < n; i++)
		most = weights[i] > most ? weights[i] : most;
	begin = must(calloc(most + 2ULL, sizeof *begin));
	for (uint32_t i = 0; i < n; i++)
		begin[weights[i] + 1]++;
	for (uint32_t weight = 1; weight <= most; weight++)
		s->n += begin[weight + 1] != 0;
	for (uint32_t weight = 0; weight <= most; weight++)
		begin[weight + 1] += begin[weight];
	s->members = must(calloc(n + 1ULL, sizeof *s->members));
	s->all = must(calloc(s->n + 1ULL, sizeof *s->all));
	s->n = 0;
	for (uint32_t weight = 1; weight <= most; weight++)
		if (begin[weight] < begin[weight + 1])
			s->all[s->n++] = (struct stream){ .weight = weight,
							  .begin = begin[weight],
							  .at = begin[weight],
							  .end = begin[weight + 1] };
	/* What begins a weight's servers is where its next one goes. */
	for (uint32_t i = 0; i < n; i++) {
		s->total += weights[i];
		s->members[begin[weights[i]]++] = (uint16_t)i;
	}
	free(begin);
}

static uint32_t
winner_of(const struct streams *s, uint32_t left, uint32_t right)
{
	if (left == NOBODY || right == NOBODY)
		return left == NOBODY ? right : left;
	return s->precedes(s, &s->all[right], &s->all[left]) ? right : left;
}

static void
replay(const struct streams *s, uint32_t i)
{
	for (uint32_t node = (s->leaves_n + i) / 2; node > 0; node /= 2)
		s->best[node] = winner_of(s, s->best[2 * node], s->best[2 * node + 1]);
}

static void
streams_init(struct streams *s, const uint32_t *weights, uint32_t n)
{
	sort_by_weight(s, weights, n);
	s->leaves_n = 1;
	while (s->leaves_n < s->n)
		s->leaves_n *= 2;
	s->best = must(calloc(2ULL * s->leaves_n, sizeof *s->best));
	for (uint32_t i = 0; i < s->leaves_n; i++)
		s->best[s->leaves_n + i] = i < s->n ? i : NOBODY;
	for (uint32_t node = s->leaves_n - 1; node > 0; node--)
		s->best[node] = winner_of(s, s->best[2 * node], s->best[2 * node + 1]);
}

static void
streams_fini(struct streams *s)
{
	free(s->members);
	free(s->all);
	free(s->best);
}

/* Who comes next in the order. */
static uint16_t
take_turn(const struct streams *s)
{
	uint32_t i = s->best[1];
	struct stream *best = &s->all[i];
	uint16_t server = s->members[best->at];

	if (++best->at == best->end) {
		best->at = best->begin;
		best->rounds++;
	}
	replay(s, i);
	return server;
}

static bool
comes_first(const struct streams *s, const struct stream *a, const struct stream *b)
{
	return s->members[a->at] < s->members[b->at];
}

/* (2k + 1) / 2w compared without dividing. */
static bool
stands_before(const struct streams *s, const struct stream *a, const struct stream *b)
{
	uint64_t left = (2ULL * a->rounds + 1) * b->weight;
	uint64_t right = (2ULL * b->rounds + 1) * a->weight;

	return left != right ? left < right : comes_first(s, a, b);
}

void
lb_interleave(const uint32_t *weights, uint32_t n, uint16_t *order)
{
	struct streams s = { .precedes = stands_before };

	streams_init(&s, weights, n);
	for (uint32_t at = 0; at < s.total; at++)
		order[at] = take_turn(&s);
	streams_fini(&s);
}

/* What it has earned of the map, in whole rounds, less those it has been chosen for. */
static bool
has_more_credit(const struct streams *s, const struct stream *a, const struct stream *b)
{
	int64_t left = (int64_t)a->earned - a->rounds, right = (int64_t)b->earned - b->rounds;

	return left != right ? left > right : comes_first(s, a, b);
}

/* Its next whole round is earned at the first step at which `steps * weight / total` has grown. */
static void
await_round(const struct streams *s, uint32_t *due, uint32_t i)
{
	struct stream *stream = &s->all[i];
	uint64_t rounds = stream->earned + 1ULL, weight = stream->weight;
	uint64_t step = (rounds * s->total + weight - 1) / weight;

	if (rounds > weight)
		return;
	stream->next = due[step];
	due[step] = i;
}

/*
 * Each server earns its weight at every step and pays the whole round, the sum of weights, when it
 * is chosen.  Credit counts in whole rounds: within one the first declared server wins.  A round's
 * worth is gathered `weight` times in all, and nothing but that and being chosen moves a stream in
 * the tournament.
 */
void
lb_map(const uint32_t *weights, uint32_t n, uint16_t *order)
{
	struct streams s = { .precedes = has_more_credit };
	uint32_t *due; /* by step: the first stream whose servers earn a round there */

	streams_init(&s, weights, n);
	due = must(calloc(s.total + 1ULL, sizeof *due));
	for (uint32_t step = 0; step <= s.total; step++)
		due[step] = NOBODY;
	for (uint32_t i = 0; i < s.n; i++)
		await_round(&s, due, i);
	for (uint32_t step = 1; step <= s.total; step++) {
		for (uint32_t i = due[step], next; i != NOBODY; i = next) {
			next = s.all[i].next;
			s.all[i].earned++;
			await_round(&s, due, i);
			replay(&s, i);
		}
		order[step - 1] = take_turn(&s);
	}
	free(due);
	streams_fini(&s);
}
