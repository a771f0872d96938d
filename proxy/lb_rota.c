/*
 * lb_rota.c - the rota of lb_rota.h.  Made, followed and read by the thread whose it is.
 *
 * What counts is summed in a Fenwick tree.
 */
#include "proxy/lb_rota.h"

#include "proxy/lb.h"
#include "proxy/lb_hash.h"
#include "proxy/lb_schedule.h"

#include <errno.h>
#include <stdlib.h>

/* A round of the schedule is at most so long. */
#define ORDER_MAX (1 << 18)

/* A rota of so many servers has patience for n / PATIENCE picks. */
#define PATIENT_FROM 64
#define PATIENCE     4

/* ------------------------------------------------------------------ weights */

static uint32_t
gcd(uint32_t a, uint32_t b)
{
	while (b) {
		uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Made small, and no larger in all than a schedule is worth. */
static uint64_t
make_small(uint32_t *weights, uint32_t n)
{
	uint32_t unit = 0;
	uint64_t sum = 0, total = 0;

	for (uint32_t i = 0; i < n; i++) {
		unit = gcd(unit, weights[i]);
		sum += weights[i];
	}
	if (unit && sum / unit > ORDER_MAX)
		unit = (uint32_t)(sum / ORDER_MAX);
	for (uint32_t i = 0; i < n; i++) {
		if (weights[i])
			weights[i] = weights[i] > unit ? weights[i] / unit : 1;
		total += weights[i];
	}
	return total;
}

/* The file's weights of those in play, made small: over all servers, for a map must not depend on
 * who is down. */
static uint64_t
weigh_map(struct lb_rota *rota, uint32_t *weights)
{
	const struct lb_farm *farm = rota->farm;
	const struct lb_crew *crew = rota->crew;
	uint32_t unit = 0, any = 0;
	uint64_t total = 0;

	for (uint32_t i = 0; i < farm->servers_n; i++)
		unit = gcd(unit, farm->servers[i]->weight);
	for (uint32_t i = 0; i < crew->n; i++) {
		uint32_t weight = crew->servers[i]->weight;

		rota->uneven |= weight && any && weight != any;
		any = weight ? weight : any;
	}
	for (uint32_t i = 0; i < crew->n; i++) {
		const struct lb_server *s = crew->servers[i];

		if (!rota->uneven || lb_in_play(s))
			total += weights[i] = s->weight ? s->weight / unit : 0;
	}
	return total;
}

/* Room for all that a server may have once it is warm and its agent content. */
static uint32_t
points_of(const struct lb_server *s)
{
	uint32_t weight = atomic_load(&s->present_weight);

	return (weight > s->weight ? weight : s->weight) * LB_WEIGHT_SCALE;
}

/* How many places each server has; the sum. */
static uint64_t
weigh(struct lb_rota *rota, uint32_t *weights)
{
	const struct lb_crew *crew = rota->crew;
	uint64_t total = 0;

	switch (rota->kind) {
	case LB_ROTA_NONE:
	case LB_ROTA_ALIKE:
		for (uint32_t i = 0; i < crew->n; i++)
			total += weights[i] = 1;
		break;
	case LB_ROTA_TURNS:
		for (uint32_t i = 0; i < crew->n; i++)
			rota->weights[i] = weights[i] =
				atomic_load(&crew->servers[i]->effective_weight);
		total = make_small(weights, crew->n);
		break;
	case LB_ROTA_MAP:
		total = weigh_map(rota, weights);
		break;
	case LB_ROTA_RING:
		for (uint32_t i = 0; i < crew->n; i++)
			total += weights[i] = points_of(crew->servers[i]);
		break;
	}
	return total;
}

/* ------------------------------------------------------------------ places */

static void
place_points(struct lb_rota *rota, const uint32_t *weights, struct lb_point *points)
{
	lb_ring_make(rota->crew->servers, weights, rota->crew->n, points);
	for (uint32_t i = 0; i < rota->n; i++) {
		rota->circle[i] = points[i].place;
		rota->order[i] = (uint16_t)points[i].server;
		rota->own[rota->first[points[i].server] + points[i].k] = i;
	}
}

static void
place_order(struct lb_rota *rota, const uint32_t *weights, uint32_t *given)
{
	if (rota->kind == LB_ROTA_MAP)
		lb_map(weights, rota->crew->n, rota->order);
	else
		lb_interleave(weights, rota->crew->n, rota->order);
	for (uint32_t i = 0; i < rota->n; i++) {
		uint32_t server = rota->order[i];

		rota->own[rota->first[server] + given[server]++] = i;
	}
}

/* How many of its places count. */
static uint32_t
share_of(const struct lb_rota *rota, const struct lb_server *s)
{
	uint32_t room = rota->first[s->place + 1] - rota->first[s->place], weight;

	if (!lb_in_play(s))
		return 0;
	weight = atomic_load(&s->effective_weight);
	return rota->kind == LB_ROTA_RING && weight < room ? weight : room;
}

static void
note_share(struct lb_rota *rota, const struct lb_server *s, uint32_t share)
{
	uint16_t *sharers = &rota->sharers[s->index % 64];

	*sharers = (uint16_t)(*sharers + (share != 0) - (rota->shown[s->place] != 0));
	rota->bits = *sharers ? rota->bits | lb_bit(s) : rota->bits & ~lb_bit(s);
	rota->count += share - rota->shown[s->place];
	rota->shown[s->place] = share;
}

/* Sums what counts at the beginning, all at once. */
static void
show_all(struct lb_rota *rota)
{
	for (uint32_t i = 0; i < rota->crew->n; i++) {
		const struct lb_server *s = rota->crew->servers[i];

		note_share(rota, s, share_of(rota, s));
		for (uint32_t k = 0; k < rota->shown[i]; k++)
			rota->before[rota->own[rota->first[i] + k] + 1] = 1;
	}
	for (uint32_t i = 1; i <= rota->n; i++)
		if (i + (i & -i) <= rota->n)
			rota->before[i + (i & -i)] += rota->before[i];
	/* What is sought is never behind the end. */
	for (uint32_t i = rota->n + 1; i < rota->room; i++)
		rota->before[i] = UINT32_MAX;
}

static int
make(struct lb_rota *rota, uint32_t *weights, uint32_t *given)
{
	uint32_t n = rota->crew->n;
	struct lb_point *points;
	bool ring = rota->kind == LB_ROTA_RING;

	rota->n = (uint32_t)weigh(rota, weights);
	rota->order = calloc(rota->n + 1ULL, sizeof *rota->order);
	rota->own = calloc(rota->n + 1ULL, sizeof *rota->own);
	for (rota->room = 1; rota->room <= rota->n; rota->room *= 2)
		;
	rota->before = calloc(rota->room, sizeof *rota->before);
	rota->circle = ring ? calloc(rota->n + 1ULL, sizeof *rota->circle) : NULL;
	points = ring ? calloc(2ULL * rota->n + 1, sizeof *points) : NULL;
	if (!rota->order || !rota->own || !rota->before || ring != (rota->circle && points)) {
		free(points);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < n; i++)
		rota->first[i + 1] = rota->first[i] + weights[i];
	if (ring)
		place_points(rota, weights, points);
	else
		place_order(rota, weights, given);
	free(points);
	show_all(rota);
	return 0;
}

int
lb_rota_init(struct lb_rota *rota, const struct lb_farm *farm, const struct lb_crew *crew,
	     enum lb_rota_kind kind)
{
	uint32_t *weights, *given;
	int r = -ENOMEM;

	*rota = (struct lb_rota){ .farm = farm, .crew = crew };
	if (crew->n == 0 || kind == LB_ROTA_NONE)
		return 0;
	rota->kind = kind;
	rota->patience = crew->n < PATIENT_FROM ? 0 : crew->n / PATIENCE;
	weights = calloc(crew->n + 1ULL, sizeof *weights);
	given = calloc(crew->n + 1ULL, sizeof *given);
	rota->first = calloc(crew->n + 2ULL, sizeof *rota->first);
	rota->shown = calloc(crew->n + 1ULL, sizeof *rota->shown);
	rota->weights = calloc(crew->n + 1ULL, sizeof *rota->weights);
	if (weights && given && rota->first && rota->shown && rota->weights)
		r = make(rota, weights, given);
	free(weights);
	free(given);
	if (r < 0)
		lb_rota_fini(rota);
	return r;
}

void
lb_rota_fini(struct lb_rota *rota)
{
	free(rota->order);
	free(rota->circle);
	free(rota->before);
	free(rota->first);
	free(rota->own);
	free(rota->shown);
	free(rota->weights);
	*rota = (struct lb_rota){ 0 };
}

/* ------------------------------------------------------------------ changes */

static void
flip(struct lb_rota *rota, uint32_t place, bool counts)
{
	for (uint32_t i = place + 1; i <= rota->n; i += i & -i)
		rota->before[i] += counts ? 1U : -1U;
}

/* Are the places that it has not those that it is to have? */
static void
note_age(struct lb_rota *rota, const struct lb_server *s)
{
	uint32_t weight = atomic_load(&s->effective_weight);

	switch (rota->kind) {
	case LB_ROTA_NONE:
	case LB_ROTA_ALIKE:
		break;
	case LB_ROTA_TURNS:
		rota->aged |= lb_in_play(s) && rota->weights[s->place] != weight;
		break;
	case LB_ROTA_MAP:
		rota->stale |= rota->uneven && lb_in_play(s) != (rota->shown[s->place] != 0);
		break;
	case LB_ROTA_RING:
		rota->stale |= rota->first[s->place + 1] - rota->first[s->place] < weight;
		break;
	}
}

void
lb_rota_follow(struct lb_rota *rota, const struct lb_server *server)
{
	const uint32_t *own;
	uint32_t share, shown;

	if (rota->kind == LB_ROTA_NONE)
		return;
	note_age(rota, server);
	if (rota->stale)
		return;
	own = &rota->own[rota->first[server->place]];
	share = share_of(rota, server);
	shown = rota->shown[server->place];
	for (uint32_t k = shown; k < share; k++)
		flip(rota, own[k], true);
	for (uint32_t k = share; k < shown; k++)
		flip(rota, own[k], false);
	note_share(rota, server, share);
}

/* ------------------------------------------------------------------ places that count */

static uint32_t
nth_place(const struct lb_rota *rota, uint32_t nth)
{
	uint32_t at = 0;

	if (rota->count == rota->n)
		return nth;
	for (uint32_t step = rota->room / 2; step > 0; step /= 2) {
		uint32_t count = rota->before[at + step];
		bool behind = count <= nth;

		/* No branches: they could not be foretold. */
		at += behind ? step : 0;
		nth -= behind ? count : 0;
	}
	return at;
}

/* How many count before the place. */
static uint32_t
count_before(const struct lb_rota *rota, uint32_t place)
{
	uint32_t count = 0;

	if (rota->count == rota->n)
		return place;
	for (; place > 0; place -= place & -place)
		count += rota->before[place];
	return count;
}

struct lb_server *
lb_rota_server(const struct lb_rota *rota, uint32_t nth)
{
	return rota->crew->servers[rota->order[nth_place(rota, nth)]];
}

uint32_t
lb_rota_closest(const struct lb_rota *rota, uint32_t hash)
{
	uint32_t low = 0, high = rota->n, nth, after, before;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (rota->circle[middle] < hash)
			low = middle + 1;
		else
			high = middle;
	}
	nth = count_before(rota, low);
	after = nth < rota->count ? nth : 0;
	before = (after ? after : rota->count) - 1;
	/* Distances around the circle: unsigned differences wrap as it does. */
	if (hash - rota->circle[nth_place(rota, before)] <=
	    rota->circle[nth_place(rota, after)] - hash)
		return before;
	return after;
}
