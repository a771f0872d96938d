/*
 * lb.c - balancing.  lb_pick and what it calls run on every proxy thread at once; sets are built
 * and freed by the thread that uses them.
 */
#include "proxy/lb.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

bool
lb_take(struct lb_server *server)
{
	uint32_t served;

	if (server->maxconn == 0) {
		atomic_fetch_add(&server->served, 1);
		return true;
	}
	served = atomic_load(&server->served);
	do {
		if (served >= server->maxconn)
			return false;
	} while (!atomic_compare_exchange_weak(&server->served, &served, served + 1));
	return true;
}

void
lb_release(struct lb_server *server)
{
	atomic_fetch_sub(&server->served, 1);
}

uint32_t
lb_hash_source(const struct ip *ip)
{
	uint32_t hash = 0, word_be;

	if (ip->family == AF_UNSPEC)
		return 0;
	for (unsigned at = 0; at < ip_len(ip); at += sizeof word_be) {
		memcpy(&word_be, ip->bytes + at, sizeof word_be);
		hash ^= ntohl(word_be);
	}
	return hash;
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

void
lb_map(const uint32_t *weights, uint32_t n, uint16_t *order)
{
	int64_t *credit = calloc(n ? n : 1, sizeof *credit);
	int64_t total = 0;

	if (!credit)
		abort();
	for (uint32_t i = 0; i < n; i++)
		total += weights[i];
	/*
	 * Each server earns its weight at every step and pays the whole round when it is chosen.
	 * Credit counts in whole rounds: within one the first declared server wins.
	 */
	for (int64_t at = 0; at < total; at++) {
		uint32_t best = 0;
		int64_t best_rounds = -1;

		for (uint32_t i = 0; i < n; i++) {
			int64_t rounds;

			if (weights[i] == 0)
				continue;
			credit[i] += weights[i];
			rounds = (credit[i] + total) / total;
			if (rounds > best_rounds) {
				best_rounds = rounds;
				best = i;
			}
		}
		credit[best] -= total;
		order[at] = (uint16_t)best;
	}
	free(credit);
}

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

static int
by_id(const void *a, const void *b)
{
	const struct lb_server *const *left = a, *const *right = b;

	return (*left)->id < (*right)->id ? -1 : (*left)->id > (*right)->id;
}

static uint32_t
collect(struct lb_server **into, struct lb_server *const *all, uint32_t n, bool backup)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < n; i++)
		if (all[i]->backup == backup && all[i]->weight > 0 && atomic_load(&all[i]->usable))
			into[found++] = all[i];
	return found;
}

struct lb_set *
lb_set_new(enum conf_balance balance, bool allbackups, uint32_t generation,
	   struct lb_server *const *all, uint32_t n)
{
	struct lb_set *set = calloc(1, sizeof *set);
	uint32_t *weights = calloc(n ? n : 1, sizeof *weights);
	uint32_t unit = 0;

	if (set)
		set->servers = calloc(n ? n : 1, sizeof(struct lb_server *));
	if (!set || !weights || !set->servers)
		goto fail;
	set->balance = balance;
	set->generation = generation;
	set->servers_n = collect(set->servers, all, n, false);
	if (set->servers_n == 0) {
		set->servers_n = collect(set->servers, all, n, true);
		if (set->servers_n > 1 && !allbackups)
			set->servers_n = 1;
	}
	if (balance == CONF_BALANCE_FIRST)
		qsort(set->servers, set->servers_n, sizeof(struct lb_server *), by_id);

	/* Over all servers, not only those in play: a map must not depend on who is down. */
	for (uint32_t i = 0; i < n; i++)
		unit = gcd(unit, all[i]->weight);
	for (uint32_t i = 0; i < set->servers_n; i++) {
		weights[i] = set->servers[i]->weight / unit;
		set->order_n += weights[i];
	}
	set->order = calloc(set->order_n ? set->order_n : 1, sizeof *set->order);
	if (!set->order)
		goto fail;
	if (balance == CONF_BALANCE_SOURCE)
		lb_map(weights, set->servers_n, set->order);
	else
		lb_interleave(weights, set->servers_n, set->order);
	free(weights);
	return set;

fail:
	free(weights);
	lb_set_free(set);
	return NULL;
}

void
lb_set_free(struct lb_set *set)
{
	if (!set)
		return;
	free(set->servers);
	free(set->order);
	free(set);
}

/* The first with a slot among all servers, beginning at `start`. */
static enum lb_result
take_from(const struct lb_set *set, uint32_t start, uint64_t tried, struct lb_server **server)
{
	bool full = false;

	for (uint32_t i = 0; i < set->servers_n; i++) {
		struct lb_server *s = set->servers[(start + i) % set->servers_n];

		if (lb_bit(s) & tried)
			continue;
		if (lb_take(s)) {
			*server = s;
			return LB_PICKED;
		}
		full = true;
	}
	return full ? LB_FULL : LB_NONE;
}

static enum lb_result
pick_roundrobin(const struct lb_set *set, uint32_t turn, uint64_t tried, struct lb_server **server)
{
	uint32_t start = set->order[turn % set->order_n];

	return take_from(set, start, tried, server);
}

/* Is `a` less loaded than `b`?  (served + queued + 1) / weight, without dividing. */
static bool
less_loaded(const struct lb_server *a, const struct lb_server *b)
{
	uint64_t left = (uint64_t)atomic_load(&a->served) + atomic_load(&a->queued) + 1;
	uint64_t right = (uint64_t)atomic_load(&b->served) + atomic_load(&b->queued) + 1;

	return left * b->weight < right * a->weight;
}

static enum lb_result
pick_leastconn(const struct lb_set *set, uint32_t turn, uint64_t tried, struct lb_server **server)
{
	/* A slot seen free may be gone when it is to be taken: then look again. */
	for (;;) {
		struct lb_server *best = NULL;
		bool full = false;

		for (uint32_t i = 0; i < set->servers_n; i++) {
			struct lb_server *s = set->servers[(turn + i) % set->servers_n];

			if (lb_bit(s) & tried)
				continue;
			if (s->maxconn && atomic_load(&s->served) >= s->maxconn)
				full = true;
			else if (!best || less_loaded(s, best))
				best = s;
		}
		if (!best)
			return full ? LB_FULL : LB_NONE;
		if (lb_take(best)) {
			*server = best;
			return LB_PICKED;
		}
	}
}

static enum lb_result
pick_source(const struct lb_set *set, uint32_t hash, uint64_t tried, struct lb_server **server)
{
	for (uint32_t i = 0; i < set->order_n; i++) {
		struct lb_server *s =
			set->servers[set->order[(hash % set->order_n + i) % set->order_n]];

		if (lb_bit(s) & tried)
			continue;
		*server = s;
		if (lb_take(s))
			return LB_PICKED;
		if (s->maxqueue == 0 || atomic_load(&s->queued) < s->maxqueue)
			return LB_FULL;
		tried |= lb_bit(s);
	}
	return *server ? LB_FULL : LB_NONE;
}

enum lb_result
lb_pick(const struct lb_set *set, _Atomic uint32_t *turn, uint32_t hash, uint64_t tried,
	struct lb_server **server)
{
	*server = NULL;
	if (set->servers_n == 0)
		return LB_NONE;
	switch (set->balance) {
	case CONF_BALANCE_ROUNDROBIN:
		return pick_roundrobin(set, atomic_fetch_add(turn, 1), tried, server);
	case CONF_BALANCE_LEASTCONN:
		return pick_leastconn(set, atomic_fetch_add(turn, 1), tried, server);
	case CONF_BALANCE_FIRST:
		return take_from(set, 0, tried, server);
	case CONF_BALANCE_SOURCE:
		return pick_source(set, hash, tried, server);
	}
	return LB_NONE;
}
