/*
 * lb.c - balancing.  lb_pick and what it calls run on every proxy thread at once; sets are built
 * and freed by the thread that uses them.
 */
#include "proxy/lb.h"

#include "proxy/lb_hash.h"
#include "proxy/lb_tree.h"

#include <errno.h>
#include <stdlib.h>

/* From so many servers on a tree costs less than looking at each. */
#define TREE_FROM 32

/* lb_server.cold counts in parts of this. */
#define COLD_WHOLE 1000

bool
lb_is_sticky(enum conf_balance balance)
{
	switch (balance) {
	case CONF_BALANCE_SOURCE:
	case CONF_BALANCE_RDP_COOKIE:
	case CONF_BALANCE_HASH:
		return true;
	case CONF_BALANCE_ROUNDROBIN:
	case CONF_BALANCE_STATIC_RR:
	case CONF_BALANCE_LEASTCONN:
	case CONF_BALANCE_FIRST:
	case CONF_BALANCE_RANDOM:
	case CONF_BALANCE_P2C_EWMA:
		return false;
	}
	return false;
}

int
lb_farm_init(struct lb_farm *farm, const struct conf_proxy *conf, struct lb_server *const *servers,
	     uint32_t n)
{
	bool ranked =
		     conf->balance == CONF_BALANCE_LEASTCONN || conf->balance == CONF_BALANCE_FIRST,
	     grows = false, slots;

	farm->conf = conf;
	farm->servers = servers;
	farm->servers_n = n;
	for (uint32_t i = 0; i < n; i++)
		grows |= servers[i]->minconn != 0;
	farm->counts = grows || conf->hash_balance_factor;
	slots = !ranked || grows;
	if (n < TREE_FROM)
		return 0;
	if (ranked)
		farm->merit = lb_tree_new(farm, LB_TREE_MERIT);
	if (slots)
		farm->slots = lb_tree_new(farm, LB_TREE_SLOTS);
	if (ranked == (farm->merit != NULL) && slots == (farm->slots != NULL))
		return 0;
	lb_farm_fini(farm);
	return -ENOMEM;
}

void
lb_farm_fini(struct lb_farm *farm)
{
	lb_tree_free(farm->merit);
	lb_tree_free(farm->slots);
	farm->merit = farm->slots = NULL;
}

void
lb_farm_refresh(struct lb_farm *farm, const struct lb_server *server)
{
	if (farm->merit)
		lb_tree_refresh(farm->merit, server);
	if (farm->slots)
		lb_tree_refresh(farm->slots, server);
}

/* Slots taken were `before`: seldom does that close or open anything. */
static void
note_served(const struct lb_server *server, uint32_t before, uint32_t after)
{
	const struct lb_farm *farm = server->farm;

	if (farm->merit)
		lb_tree_refresh(farm->merit, server);
	if (farm->slots && lb_opens_at(server, before) != lb_opens_at(server, after))
		lb_tree_refresh(farm->slots, server);
}

uint64_t
lb_load(const struct lb_farm *farm)
{
	return (uint64_t)atomic_load(&farm->served) + atomic_load(&farm->queued);
}

/* With `minconn`: what the backend's load makes of it. */
static uint32_t
grown_limit(const struct lb_server *server)
{
	uint32_t fullconn = server->farm->fullconn;
	uint64_t load, limit;

	if (server->minconn == 0)
		return server->maxconn;
	load = lb_load(server->farm);
	if (load >= fullconn)
		return server->maxconn;
	limit = load * server->maxconn / fullconn;
	return limit > server->minconn ? (uint32_t)limit : server->minconn;
}

uint32_t
lb_limit(const struct lb_server *server)
{
	uint32_t cold, limit;

	if (server->maxconn == 0)
		return UINT32_MAX;
	limit = grown_limit(server);
	cold = atomic_load_explicit(&server->cold, memory_order_relaxed);
	if (cold == 0)
		return limit;
	limit = (uint32_t)((uint64_t)limit * (COLD_WHOLE - cold) / COLD_WHOLE);
	return limit ? limit : 1;
}

uint64_t
lb_opens_at(const struct lb_server *server, uint32_t served)
{
	uint32_t cold, maxconn = server->maxconn;
	uint64_t needed = served + 1ULL, fullconn = server->farm->fullconn;

	if (maxconn == 0)
		return 0;
	cold = atomic_load_explicit(&server->cold, memory_order_relaxed);
	if (cold) {
		/* One slot is there always. */
		if (served == 0)
			return 0;
		if (cold >= COLD_WHOLE)
			return LB_NEVER;
		needed = (needed * COLD_WHOLE + COLD_WHOLE - cold - 1) / (COLD_WHOLE - cold);
	}
	if (server->minconn && needed <= server->minconn)
		return 0;
	if (needed > maxconn)
		return LB_NEVER;
	return server->minconn ? (needed * fullconn + maxconn - 1) / maxconn : 0;
}

void
lb_warm(struct lb_server *server, uint64_t elapsed_ms, uint32_t whole_ms)
{
	uint64_t part = LB_WEIGHT_SCALE, warm = COLD_WHOLE;

	if (elapsed_ms < whole_ms) {
		part = 1 + elapsed_ms * LB_WEIGHT_SCALE / whole_ms;
		warm = elapsed_ms * COLD_WHOLE / whole_ms;
	}
	atomic_store(&server->cold, (uint32_t)(COLD_WHOLE - warm));
	if (!lb_is_static(server->farm->conf))
		atomic_store(&server->effective_weight,
			     (uint32_t)(atomic_load(&server->present_weight) * part));
}

void
lb_weigh(struct lb_server *server, uint32_t weight)
{
	atomic_store(&server->present_weight, weight);
	atomic_store(&server->effective_weight, weight * LB_WEIGHT_SCALE);
}

bool
lb_take(struct lb_server *server)
{
	uint32_t limit, served;

	if (server->maxconn == 0) {
		served = atomic_fetch_add(&server->served, 1);
	} else {
		limit = lb_limit(server);
		served = atomic_load(&server->served);
		do {
			if (served >= limit)
				return false;
		} while (!atomic_compare_exchange_weak(&server->served, &served, served + 1));
	}
	if (server->farm->counts)
		atomic_fetch_add(&server->farm->served, 1);
	note_served(server, served, served + 1);
	return true;
}

void
lb_release(struct lb_server *server)
{
	uint32_t served = atomic_fetch_sub(&server->served, 1);

	if (server->farm->counts)
		atomic_fetch_sub(&server->farm->served, 1);
	note_served(server, served, served - 1);
}

bool
lb_in_play(const struct lb_server *server)
{
	return atomic_load(&server->effective_weight) > 0 && atomic_load(&server->usable);
}

/* The first with a slot among all servers, beginning at `start`: by looking at each. */
static enum lb_result
walk_from(const struct lb_set *set, uint32_t start, uint64_t tried, struct lb_server **server)
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

/* Takes a slot of one of those from `index` to before `end` that have one. */
static bool
take_between(const struct lb_set *set, uint32_t index, uint32_t end, uint64_t tried,
	     struct lb_server **server)
{
	bool backup = set->servers[0]->backup;
	struct lb_server *s;

	while ((s = lb_tree_next(set->farm->slots, index, backup)) && s->index < end) {
		if (!(lb_bit(s) & tried) && lb_take(s)) {
			*server = s;
			return true;
		}
		index = s->index + 1;
	}
	return false;
}

/* Have those in play all been tried?  Neighbours have different bits: seldom a long look. */
static bool
all_tried(const struct lb_set *set, uint64_t tried)
{
	for (uint32_t i = 0; i < set->servers_n; i++)
		if (!(lb_bit(set->servers[i]) & tried))
			return false;
	return true;
}

/* The first with a slot among all servers, beginning at `start`: of many, by the tree. */
static enum lb_result
take_from(const struct lb_set *set, uint32_t start, uint64_t tried, struct lb_server **server)
{
	struct lb_server *s = set->servers[start];

	if (!set->farm->slots || set->servers_n < TREE_FROM)
		return walk_from(set, start, tried, server);
	if (!(lb_bit(s) & tried) && lb_take(s)) {
		*server = s;
		return LB_PICKED;
	}
	if (take_between(set, s->index, UINT32_MAX, tried, server) ||
	    take_between(set, 0, s->index, tried, server))
		return LB_PICKED;
	return all_tried(set, tried) ? LB_NONE : LB_FULL;
}

static enum lb_result
pick_in_turn(const struct lb_set *set, uint32_t turn, uint64_t tried, struct lb_server **server)
{
	return take_from(set, set->order[turn % set->order_n], tried, server);
}

bool
lb_less_loaded(const struct lb_server *a, const struct lb_server *b)
{
	uint64_t left = (uint64_t)atomic_load(&a->served) + atomic_load(&a->queued) + 1;
	uint64_t right = (uint64_t)atomic_load(&b->served) + atomic_load(&b->queued) + 1;

	/* Without dividing. */
	return left * atomic_load(&b->effective_weight) < right * atomic_load(&a->effective_weight);
}

static bool
is_full(const struct lb_server *s)
{
	return s->maxconn && atomic_load(&s->served) >= lb_limit(s);
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
			if (is_full(s))
				full = true;
			else if (!best || lb_less_loaded(s, best))
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
pick_by_walking(const struct lb_set *set, struct lb_farm *farm, uint64_t tried,
		struct lb_server **server)
{
	if (farm->conf->balance == CONF_BALANCE_FIRST)
		return walk_from(set, 0, tried, server);
	return pick_leastconn(set, atomic_fetch_add(&farm->turn, 1), tried, server);
}

static enum lb_result
pick_by_merit(const struct lb_set *set, struct lb_farm *farm, uint64_t tried,
	      struct lb_server **server)
{
	for (;;) {
		struct lb_server *best = lb_tree_best(farm->merit, tried);

		if (!best)
			return LB_NONE;
		if (is_full(best)) {
			/*
			 * Limits that move with the backend's load are nothing a tree could keep in order: the
			 * best has no slot at this load, another may.
			 */
			if (farm->slots && lb_tree_next(farm->slots, 0, best->backup))
				return pick_by_walking(set, farm, tried, server);
			return LB_FULL;
		}
		atomic_store(&best->last_turn, atomic_fetch_add(&farm->turn, 1) + 1);
		if (lb_take(best)) {
			*server = best;
			return LB_PICKED;
		}
	}
}

/* The key's server takes it, or is waited for; true unless the next one is to be asked. */
static bool
take_sticky(struct lb_server *s, struct lb_server **server, enum lb_result *result)
{
	*server = s;
	*result = LB_PICKED;
	if (lb_take(s))
		return true;
	*result = LB_FULL;
	return s->maxqueue == 0 || atomic_load(&s->queued) < s->maxqueue;
}

static enum lb_result
pick_mapped(const struct lb_set *set, uint32_t hash, uint64_t tried, struct lb_server **server)
{
	enum lb_result result = LB_NONE;

	for (uint32_t i = 0; i < set->order_n; i++) {
		struct lb_server *s =
			set->servers[set->order[(hash % set->order_n + i) % set->order_n]];

		if (lb_bit(s) & tried)
			continue;
		if (take_sticky(s, server, &result))
			return result;
		tried |= lb_bit(s);
	}
	return result;
}

/*
 * May the server have one more under `hash-balance-factor`?  Its share of all sessions, this one included, times the
 * factor, rounded up; at least one.
 */
static bool
within_share(const struct lb_set *set, const struct lb_server *s)
{
	uint64_t slots = ((uint64_t)atomic_load(&set->farm->served) + 1) *
			 set->farm->conf->hash_balance_factor;
	uint64_t whole = 100ULL * lb_ring_points(set->ring);
	uint64_t share = (slots * atomic_load(&s->effective_weight) + whole - 1) / whole;

	return atomic_load(&s->served) < (share ? share : 1);
}

static enum lb_result
pick_from_ring(const struct lb_set *set, uint32_t hash, uint64_t tried, struct lb_server **server)
{
	uint32_t first = lb_ring_find(set->ring, hash), point = first;
	bool bounded = set->farm->conf->hash_balance_factor != 0;
	enum lb_result result = LB_NONE;

	do {
		struct lb_server *s = set->servers[lb_ring_server(set->ring, point)];

		point = lb_ring_next(set->ring, point);
		if (lb_bit(s) & tried || (bounded && !within_share(set, s)))
			continue;
		if (take_sticky(s, server, &result))
			return result;
		tried |= lb_bit(s);
	} while (point != first);
	return result;
}

/* The less loaded of `hash_draws` servers drawn by weight. */
static enum lb_result
pick_random(const struct lb_set *set, const struct lb_ask *ask, struct lb_server **server)
{
	uint64_t random = ask->random;
	uint32_t chosen = UINT32_MAX;

	for (uint32_t i = 0; i < set->farm->conf->balance_draws; i++) {
		uint32_t drawn = set->order[(uint32_t)(random >> 32) % set->order_n];

		/* Knuth's multiplier: a draw is used up, the next one is another. */
		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		if (chosen == UINT32_MAX ||
		    lb_less_loaded(set->servers[drawn], set->servers[chosen]))
			chosen = drawn;
	}
	return take_from(set, chosen, ask->tried, server);
}

/* What a session on the server is expected to cost. */
static double
expected_ns(const struct lb_server *s, int64_t now_ns)
{
	return lb_ewma_ns(&s->connect, now_ns) * (atomic_load(&s->served) + 1) /
	       atomic_load(&s->effective_weight);
}

/* The power of two choices: of two different servers the one that promises to be quicker. */
static enum lb_result
pick_quicker(const struct lb_set *set, const struct lb_ask *ask, struct lb_server **server)
{
	uint32_t n = set->servers_n, a = (uint32_t)(ask->random >> 32) % n, b;
	struct lb_server *quicker, *other;

	if (n == 1)
		return take_from(set, 0, ask->tried, server);
	b = (a + 1 + (uint32_t)ask->random % (n - 1)) % n;
	quicker = set->servers[a];
	other = set->servers[b];
	if (expected_ns(other, ask->now_ns) < expected_ns(quicker, ask->now_ns)) {
		struct lb_server *swap = quicker;

		quicker = other;
		other = swap;
	}
	*server = quicker;
	if (!(lb_bit(quicker) & ask->tried) && lb_take(quicker))
		return LB_PICKED;
	*server = other;
	if (!(lb_bit(other) & ask->tried) && lb_take(other))
		return LB_PICKED;
	*server = NULL;
	return take_from(set, a, ask->tried, server);
}

enum lb_result
lb_pick(const struct lb_set *set, struct lb_farm *farm, const struct lb_ask *ask,
	struct lb_server **server)
{
	*server = NULL;
	if (set->servers_n == 0)
		return LB_NONE;
	if (farm->merit)
		return pick_by_merit(set, farm, ask->tried, server);
	switch (farm->conf->balance) {
	case CONF_BALANCE_ROUNDROBIN:
	case CONF_BALANCE_STATIC_RR:
		return pick_in_turn(set, atomic_fetch_add(&farm->turn, 1), ask->tried, server);
	case CONF_BALANCE_LEASTCONN:
	case CONF_BALANCE_FIRST:
		return pick_by_walking(set, farm, ask->tried, server);
	case CONF_BALANCE_SOURCE:
	case CONF_BALANCE_RDP_COOKIE:
	case CONF_BALANCE_HASH:
		if (!ask->hashed)
			return pick_in_turn(set, atomic_fetch_add(&farm->turn, 1), ask->tried,
					    server);
		if (set->ring)
			return pick_from_ring(set, ask->hash, ask->tried, server);
		return pick_mapped(set, ask->hash, ask->tried, server);
	case CONF_BALANCE_RANDOM:
		return pick_random(set, ask, server);
	case CONF_BALANCE_P2C_EWMA:
		return pick_quicker(set, ask, server);
	}
	return LB_NONE;
}
