/*
 * lb.c - what balancing knows of servers: limits, weights, slots; and who is picked.  Run by every
 * proxy thread at once.
 */
#include "proxy/lb.h"

#include "proxy/lb_tree.h"

#include <errno.h>
#include <stdlib.h>

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

/* Slots taken were `before`: seldom does that close or open anything. */
static void
note_served(const struct lb_server *server, uint32_t before, uint32_t after)
{
	const struct lb_crew *crew = &server->farm->crews[server->backup];

	if (crew->n >= LB_TREE_FROM && lb_opens_at(server, before) != lb_opens_at(server, after))
		lb_tree_reopen(crew->tree, server);
	if (server->farm->conf->balance == CONF_BALANCE_LEASTCONN)
		lb_tree_rank(crew->tree, server);
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

uint32_t
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
	return server->minconn ? (uint32_t)((needed * fullconn + maxconn - 1) / maxconn) : 0;
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

void
lb_wait(struct lb_server *server)
{
	atomic_fetch_add(&server->queued, 1);
	lb_tree_rank(server->farm->crews[server->backup].tree, server);
}

void
lb_leave(struct lb_server *server)
{
	atomic_fetch_sub(&server->queued, 1);
	lb_tree_rank(server->farm->crews[server->backup].tree, server);
}

/* Takes a slot of one of the crew from `place` to before `end`. */
static bool
take_between(const struct lb_crew *crew, uint32_t place, uint32_t end, uint64_t tried,
	     struct lb_server **server)
{
	struct lb_server *s;

	while ((s = lb_tree_next(crew->tree, place)) && s->place < end) {
		if (!(lb_bit(s) & tried) && lb_take(s)) {
			*server = s;
			return true;
		}
		place = s->place + 1;
	}
	return false;
}

/* Nobody has had a slot: are there servers that have not been tried? */
static enum lb_result
full_or_none(const struct lb_rota *turns, uint64_t tried)
{
	return turns->bits & ~tried ? LB_FULL : LB_NONE;
}

/* The server, or the first behind it that has a slot, round the crew. */
static enum lb_result
take_from(const struct lb_rota *turns, struct lb_server *s, uint64_t tried,
	  struct lb_server **server)
{
	if (!(lb_bit(s) & tried) && lb_take(s)) {
		*server = s;
		return LB_PICKED;
	}
	if (take_between(turns->crew, s->place + 1, UINT32_MAX, tried, server) ||
	    take_between(turns->crew, 0, s->place, tried, server))
		return LB_PICKED;
	return full_or_none(turns, tried);
}

static enum lb_result
pick_in_turn(const struct lb_rota *turns, struct lb_farm *farm, uint64_t tried,
	     struct lb_server **server)
{
	uint32_t turn = atomic_fetch_add(&farm->turn, 1);

	return take_from(turns, lb_rota_server(turns, turn % turns->count), tried, server);
}

static enum lb_result
pick_least_loaded(const struct lb_rota *turns, uint64_t tried, struct lb_server **server)
{
	struct lb_server *least;

	/* A slot seen free may be gone when it is to be taken: then look again. */
	while ((least = lb_tree_least(turns->crew->tree, tried))) {
		if (lb_take(least)) {
			*server = least;
			return LB_PICKED;
		}
		/* Whoever took the last one may not be done with telling. */
		lb_tree_reopen(turns->crew->tree, least);
		lb_tree_rank(turns->crew->tree, least);
	}
	return full_or_none(turns, tried);
}

static enum lb_result
pick_first(const struct lb_rota *turns, uint64_t tried, struct lb_server **server)
{
	if (take_between(turns->crew, 0, UINT32_MAX, tried, server))
		return LB_PICKED;
	return full_or_none(turns, tried);
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
pick_mapped(const struct lb_rota *map, uint32_t hash, uint64_t tried, struct lb_server **server)
{
	enum lb_result result = LB_NONE;
	uint32_t at = hash % map->count;

	for (uint32_t i = 0; i < map->count && map->bits & ~tried; i++) {
		struct lb_server *s = lb_rota_server(map, at);

		at = at + 1 < map->count ? at + 1 : 0;
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
within_share(const struct lb_rota *ring, const struct lb_server *s)
{
	uint64_t slots = ((uint64_t)atomic_load(&ring->farm->served) + 1) *
			 ring->farm->conf->hash_balance_factor;
	uint64_t whole = 100ULL * ring->count;
	uint64_t share = (slots * atomic_load(&s->effective_weight) + whole - 1) / whole;

	return atomic_load(&s->served) < (share ? share : 1);
}

static enum lb_result
pick_from_ring(const struct lb_rota *ring, uint32_t hash, uint64_t tried, struct lb_server **server)
{
	uint32_t at = lb_rota_closest(ring, hash);
	bool bounded = ring->farm->conf->hash_balance_factor != 0;
	enum lb_result result = LB_NONE;

	for (uint32_t i = 0; i < ring->count && ring->bits & ~tried; i++) {
		struct lb_server *s = lb_rota_server(ring, at);

		at = at + 1 < ring->count ? at + 1 : 0;
		if (lb_bit(s) & tried || (bounded && !within_share(ring, s)))
			continue;
		if (take_sticky(s, server, &result))
			return result;
		tried |= lb_bit(s);
	}
	return result;
}

static enum lb_result
pick_by_key(const struct lb_set *set, enum lb_crew_kind kind, const struct lb_ask *ask,
	    struct lb_server **server)
{
	if (!ask->hashed)
		return pick_in_turn(&set->turns[kind], set->farm, ask->tried, server);
	if (set->farm->conf->hash_consistent)
		return pick_from_ring(&set->rings[kind], ask->hash, ask->tried, server);
	return pick_mapped(&set->turns[kind], ask->hash, ask->tried, server);
}

/* The less loaded of `hash_draws` servers drawn by weight. */
static enum lb_result
pick_random(const struct lb_rota *turns, const struct lb_ask *ask, struct lb_server **server)
{
	uint64_t random = ask->random;
	struct lb_server *chosen = NULL;

	for (uint32_t i = 0; i < turns->farm->conf->balance_draws; i++) {
		struct lb_server *drawn =
			lb_rota_server(turns, (uint32_t)(random >> 32) % turns->count);

		/* Knuth's multiplier: a draw is used up, the next one is another. */
		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		if (!chosen || lb_compare_load(drawn, chosen) < 0)
			chosen = drawn;
	}
	return take_from(turns, chosen, ask->tried, server);
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
pick_quicker(const struct lb_rota *turns, const struct lb_ask *ask, struct lb_server **server)
{
	uint32_t n = turns->count, a = (uint32_t)(ask->random >> 32) % n, b;
	struct lb_server *first = lb_rota_server(turns, a), *quicker = first, *other;

	if (n == 1)
		return take_from(turns, first, ask->tried, server);
	b = (a + 1 + (uint32_t)ask->random % (n - 1)) % n;
	other = lb_rota_server(turns, b);
	if (expected_ns(other, ask->now_ns) < expected_ns(quicker, ask->now_ns)) {
		quicker = other;
		other = first;
	}
	*server = quicker;
	if (!(lb_bit(quicker) & ask->tried) && lb_take(quicker))
		return LB_PICKED;
	*server = other;
	if (!(lb_bit(other) & ask->tried) && lb_take(other))
		return LB_PICKED;
	*server = NULL;
	return take_from(turns, first, ask->tried, server);
}

/* Who does all the work of its crew; a key's sessions wait for it. */
static enum lb_result
pick_only(struct lb_server *only, const struct conf_proxy *conf, const struct lb_ask *ask,
	  struct lb_server **server)
{
	if (lb_bit(only) & ask->tried)
		return LB_NONE;
	if (lb_take(only)) {
		*server = only;
		return LB_PICKED;
	}
	if (ask->hashed && lb_is_sticky(conf->balance))
		*server = only;
	return LB_FULL;
}

enum lb_result
lb_pick(const struct lb_set *set, const struct lb_ask *ask, struct lb_server **server)
{
	enum lb_crew_kind kind = set->turns[LB_CREW_MAIN].count ? LB_CREW_MAIN : LB_CREW_BACKUP;
	const struct lb_rota *turns = &set->turns[kind];
	const struct conf_proxy *conf = set->farm->conf;

	*server = NULL;
	if (turns->count == 0)
		return LB_NONE;
	if (turns->crew->only_first)
		return pick_only(lb_rota_server(turns, 0), conf, ask, server);
	switch (conf->balance) {
	case CONF_BALANCE_ROUNDROBIN:
	case CONF_BALANCE_STATIC_RR:
		return pick_in_turn(turns, set->farm, ask->tried, server);
	case CONF_BALANCE_LEASTCONN:
		return pick_least_loaded(turns, ask->tried, server);
	case CONF_BALANCE_FIRST:
		return pick_first(turns, ask->tried, server);
	case CONF_BALANCE_SOURCE:
	case CONF_BALANCE_RDP_COOKIE:
	case CONF_BALANCE_HASH:
		return pick_by_key(set, kind, ask, server);
	case CONF_BALANCE_RANDOM:
		return pick_random(turns, ask, server);
	case CONF_BALANCE_P2C_EWMA:
		return pick_quicker(turns, ask, server);
	}
	return LB_NONE;
}
