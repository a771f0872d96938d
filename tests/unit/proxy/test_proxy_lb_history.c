/*
 * test_proxy_lb_history.c - balancing through random histories: servers fill and empty, go and come
 * back, warm up, get other weights and limits; and every pick is the one that a plain look at each server
 * comes to.
 */
#include "proxy/lb.h"
#include "proxy/lb_hash.h"
#include "proxy/lb_schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define SERVERS_MAX 150
#define ORDER_ROOM  (SERVERS_MAX * 16 * LB_WEIGHT_SCALE)

struct history {
	struct conf_proxy conf;
	struct lb_server servers[SERVERS_MAX];
	struct lb_server *all[SERVERS_MAX];
	uint32_t n;
	struct lb_farm farm;
	struct lb_set *set;
	uint64_t random;

	/* The look at each has its own idea of whose turn it is. */
	uint32_t turn;
	uint32_t load[SERVERS_MAX], since[SERVERS_MAX], now; /* leastconn: since when so loaded */
	struct lb_server *playing[SERVERS_MAX]; /* the servers in play, in the file's order */
	uint32_t playing_n;
	uint16_t order[ORDER_ROOM];
	struct lb_point points[2 * ORDER_ROOM];
};

/* 0 … below - 1 */
static uint32_t
draw(struct history *h, uint32_t below)
{
	h->random = h->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(h->random >> 32) % below;
}

/* ------------------------------------------------------------------ a look at each */

static void
find_playing(struct history *h, bool backup)
{
	h->playing_n = 0;
	for (uint32_t i = 0; i < h->n; i++)
		if (h->all[i]->backup == backup && lb_in_play(h->all[i]))
			h->playing[h->playing_n++] = h->all[i];
}

static bool
has_slot(const struct lb_server *s)
{
	return s->served < lb_limit(s);
}

static bool
is_tried(const struct lb_server *s, uint64_t tried)
{
	return lb_bit(s) & tried;
}

/* Nobody has a slot, or nobody is left. */
static enum lb_result
nobody(const struct history *h, uint64_t tried)
{
	for (uint32_t i = 0; i < h->playing_n; i++)
		if (!is_tried(h->playing[i], tried))
			return LB_FULL;
	return LB_NONE;
}

static enum lb_result
look_from(const struct history *h, uint32_t start, uint64_t tried, struct lb_server **server)
{
	for (uint32_t i = 0; i < h->playing_n; i++) {
		struct lb_server *s = h->playing[(start + i) % h->playing_n];

		if (!is_tried(s, tried) && has_slot(s)) {
			*server = s;
			return LB_PICKED;
		}
	}
	return nobody(h, tried);
}

static uint32_t
gcd(uint32_t a, uint32_t b)
{
	return b ? gcd(b, a % b) : a;
}

/* The round or the map of those in play; its length. */
static uint32_t
make_order(struct history *h)
{
	uint32_t weights[SERVERS_MAX], unit = 0, total = 0;

	for (uint32_t i = 0; i < h->n; i++)
		unit = gcd(unit, h->all[i]->weight);
	for (uint32_t i = 0; i < h->playing_n; i++) {
		weights[i] = lb_is_static(&h->conf) ? h->playing[i]->weight / unit
						    : h->playing[i]->effective_weight;
		total += weights[i];
	}
	assert_in_range(total, 1, ORDER_ROOM);
	if (lb_is_static(&h->conf))
		lb_map(weights, h->playing_n, h->order);
	else
		lb_interleave(weights, h->playing_n, h->order);
	return total;
}

static enum lb_result
look_in_turn(struct history *h, uint64_t tried, struct lb_server **server)
{
	uint32_t total = make_order(h);

	return look_from(h, h->order[h->turn++ % total], tried, server);
}

/* Leastconn: who is loaded otherwise than before, or has been changed, is the last of his like. */
static void
note_loads(struct history *h, const struct lb_server *changed)
{
	for (uint32_t i = 0; i < h->n; i++) {
		const struct lb_server *s = h->all[i];
		uint32_t sessions = s->served + s->queued, load = 0;

		if (sessions && s->effective_weight)
			load = (sessions + 1) * 4096 / s->effective_weight;
		if (load != h->load[i] || s == changed)
			h->since[i] = ++h->now;
		h->load[i] = load;
	}
}

static bool
precedes(const struct history *h, const struct lb_server *a, const struct lb_server *b)
{
	if (h->conf.balance == CONF_BALANCE_FIRST)
		return a->id < b->id;
	if (h->load[a->index] != h->load[b->index])
		return h->load[a->index] < h->load[b->index];
	if (h->since[a->index] != h->since[b->index])
		return h->since[a->index] < h->since[b->index];
	return a->index < b->index;
}

static enum lb_result
look_for_best(const struct history *h, uint64_t tried, struct lb_server **server)
{
	struct lb_server *best = NULL;

	for (uint32_t i = 0; i < h->playing_n; i++) {
		struct lb_server *s = h->playing[i];

		if (!is_tried(s, tried) && has_slot(s) && (!best || precedes(h, s, best)))
			best = s;
	}
	if (!best)
		return nobody(h, tried);
	*server = best;
	return LB_PICKED;
}

/* The servers at these places of an order or a ring: the first that takes the key, or lets it wait. */
static enum lb_result
look_along(const struct history *h, const struct lb_ask *ask, uint32_t start, uint32_t total,
	   struct lb_server **server)
{
	bool ring = h->conf.hash_consistent;
	enum lb_result result = LB_NONE;
	uint64_t tried = ask->tried;

	for (uint32_t i = 0; i < total; i++) {
		uint32_t at = (start + i) % total;
		struct lb_server *s = h->playing[ring ? h->points[at].server : h->order[at]];
		uint64_t slots = (h->farm.served + 1ULL) * h->conf.hash_balance_factor;
		uint64_t whole = 100ULL * total;
		uint64_t share = (slots * s->effective_weight + whole - 1) / whole;

		if (is_tried(s, tried))
			continue;
		if (ring && h->conf.hash_balance_factor && s->served >= (share ? share : 1))
			continue;
		*server = s;
		if (has_slot(s))
			return LB_PICKED;
		result = LB_FULL;
		if (s->maxqueue == 0 || s->queued < s->maxqueue)
			return result;
		tried |= lb_bit(s);
	}
	return result;
}

static uint32_t
distance(uint32_t a, uint32_t b)
{
	return a - b < b - a ? a - b : b - a;
}

static enum lb_result
look_by_key(struct history *h, const struct lb_ask *ask, struct lb_server **server)
{
	uint32_t counts[SERVERS_MAX] = { 0 }, total = 0, closest = 0;

	if (!h->conf.hash_consistent) {
		total = make_order(h);
		return look_along(h, ask, ask->hash % total, total, server);
	}
	for (uint32_t i = 0; i < h->playing_n; i++)
		total += counts[i] = h->playing[i]->effective_weight;
	lb_ring_make(h->playing, counts, h->playing_n, h->points);
	for (uint32_t i = 1; i < total; i++)
		if (distance(h->points[i].place, ask->hash) <
		    distance(h->points[closest].place, ask->hash))
			closest = i;
	return look_along(h, ask, closest, total, server);
}

static enum lb_result
look_at_draws(struct history *h, const struct lb_ask *ask, struct lb_server **server)
{
	uint32_t total = make_order(h), chosen = SERVERS_MAX;
	uint64_t random = ask->random;

	for (uint32_t i = 0; i < h->conf.balance_draws; i++) {
		uint32_t drawn = h->order[(random >> 32) % total];

		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		if (chosen == SERVERS_MAX ||
		    lb_compare_load(h->playing[drawn], h->playing[chosen]) < 0)
			chosen = drawn;
	}
	return look_from(h, chosen, ask->tried, server);
}

static double
cost(const struct lb_server *s)
{
	return lb_ewma_ns(&s->connect, 0) * (s->served + 1) / s->effective_weight;
}

static enum lb_result
look_at_two(const struct history *h, const struct lb_ask *ask, struct lb_server **server)
{
	uint32_t n = h->playing_n, a = (uint32_t)(ask->random >> 32) % n, b = a;
	struct lb_server *two[2];

	if (n > 1)
		b = (a + 1 + (uint32_t)ask->random % (n - 1)) % n;
	two[0] = h->playing[a];
	two[1] = h->playing[b];
	if (cost(two[1]) < cost(two[0])) {
		two[0] = h->playing[b];
		two[1] = h->playing[a];
	}
	for (int i = 0; i < 2; i++) {
		if (!is_tried(two[i], ask->tried) && has_slot(two[i])) {
			*server = two[i];
			return LB_PICKED;
		}
	}
	return look_from(h, a, ask->tried, server);
}

static enum lb_result
look(struct history *h, const struct lb_ask *ask, struct lb_server **server)
{
	*server = NULL;
	find_playing(h, false);
	if (h->playing_n == 0) {
		find_playing(h, true);
		if (h->playing_n > 1 && !h->conf.allbackups)
			h->playing_n = 1;
	}
	if (h->playing_n == 0)
		return LB_NONE;
	switch (h->conf.balance) {
	case CONF_BALANCE_ROUNDROBIN:
	case CONF_BALANCE_STATIC_RR:
		return look_in_turn(h, ask->tried, server);
	case CONF_BALANCE_LEASTCONN:
	case CONF_BALANCE_FIRST:
		return look_for_best(h, ask->tried, server);
	case CONF_BALANCE_SOURCE:
	case CONF_BALANCE_RDP_COOKIE:
	case CONF_BALANCE_HASH:
		return ask->hashed ? look_by_key(h, ask, server)
				   : look_in_turn(h, ask->tried, server);
	case CONF_BALANCE_RANDOM:
		return look_at_draws(h, ask, server);
	case CONF_BALANCE_P2C_EWMA:
		return look_at_two(h, ask, server);
	}
	return LB_NONE;
}

/* ------------------------------------------------------------------ histories */

static uint64_t
draw_tried(struct history *h)
{
	uint64_t tried = 0;

	if (draw(h, 3))
		return 0;
	if (draw(h, 50) == 0)
		return UINT64_MAX;
	for (uint32_t n = draw(h, 6); n > 0; n--)
		tried |= 1ULL << draw(h, 64);
	return tried;
}

static void
pick(struct history *h)
{
	struct lb_ask ask = { .tried = draw_tried(h),
			      .hashed = draw(h, 8) != 0,
			      .hash = draw(h, UINT32_MAX),
			      .random = (uint64_t)draw(h, UINT32_MAX) << 32 };
	struct lb_server *expected, *picked;
	enum lb_result result;

	ask.random |= draw(h, UINT32_MAX);
	/* Not until a rota's patience is at an end does it go by new weights. */
	while (lb_set_is_behind(h->set))
		assert_int_equal(lb_set_follow(h->set), 0);
	result = look(h, &ask, &expected);
	assert_int_equal(lb_pick(h->set, &ask, &picked), result);
	assert_ptr_equal(picked, expected);
	/* A backup server that is alone does not ask whose turn it is. */
	h->turn = h->farm.turn;
}

static void
change(struct history *h)
{
	struct lb_server *s = h->all[draw(h, h->n)];

	switch (draw(h, 6)) {
	case 0:
	case 1:
		s->usable = !s->usable;
		break;
	case 2:
		s->maxconn = draw(h, 2) ? s->minconn + draw(h, 4) : 0;
		break;
	case 3:
		lb_warm(s, draw(h, 10), 10);
		break;
	case 4:
		lb_warm(s, 10, 10);
		break;
	case 5:
		lb_weigh(s, lb_is_static(&h->conf) ? draw(h, 2) * s->weight : draw(h, 8));
		break;
	}
	lb_farm_refresh(&h->farm, s);
	note_loads(h, s);
}

static void
step(struct history *h, bool filling)
{
	struct lb_server *s = h->all[draw(h, h->n)];
	uint32_t kind = draw(h, filling ? 6 : 12);

	if (kind > 4) {
		if (s->served)
			lb_release(s);
	} else if (kind > 0) {
		pick(h);
	} else if (draw(h, 100) == 0) {
		/* More than a set can follow. */
		for (int i = 0; i < 2 * SERVERS_MAX; i++)
			change(h);
	} else if (draw(h, 4) == 0) {
		change(h);
	} else if (s->queued) {
		lb_leave(s);
	} else {
		lb_wait(s);
	}
	note_loads(h, NULL);
}

enum limits { NO_LIMITS, MAXCONN, MINCONN, LIMITS_N };

static void
set_up(struct history *h, enum limits limits)
{
	uint32_t kinds = 1 + draw(h, 3), backups = draw(h, 3) ? h->n : h->n / 2 + 1;
	uint32_t weight = 1 + draw(h, 4);

	h->farm.fullconn = 1 + draw(h, 4 * h->n);
	for (uint32_t i = 0; i < h->n; i++) {
		struct lb_server *s = h->all[i] = &h->servers[i];

		s->farm = &h->farm;
		s->index = i;
		/* Ids neither in the file's order nor against it. */
		s->id = 1 + i * 7 % 151;
		s->weight = weight + i % kinds;
		lb_weigh(s, s->weight);
		s->maxconn = limits != NO_LIMITS && i % 5 ? 3 : 0;
		s->minconn = limits == MINCONN && i % 5 ? 1 + i % 2 : 0;
		s->maxqueue = i % 3;
		s->backup = i >= backups;
		s->usable = draw(h, 5) != 0;
		lb_ewma_add(&s->connect, 1000 * (1 + draw(h, 1000)), 0);
	}
	assert_int_equal(lb_farm_init(&h->farm, &h->conf, h->all, h->n), 0);
	h->set = lb_set_new(&h->farm);
	assert_non_null(h->set);
}

static void
run(const struct conf_proxy *conf, uint32_t n, enum limits limits, uint32_t seed)
{
	struct history *h = calloc(1, sizeof *h);

	assert_non_null(h);
	h->conf = *conf;
	h->conf.balance_draws = 2;
	h->n = n;
	h->random = seed;
	h->conf.allbackups = draw(h, 2);
	set_up(h, limits);
	for (int i = 0; i < 400; i++)
		step(h, i / 100 % 2 == 0);
	lb_set_free(h->set);
	lb_farm_fini(&h->farm);
	free(h);
}

/* Few servers, which are looked at one by one, and more, which are not. */
static void
run_all(const struct conf_proxy *conf)
{
	static const uint32_t sizes[] = { 1, 2, 3, 10, 31, 32, 70, SERVERS_MAX };

	for (uint32_t seed = 0; seed < 5; seed++)
		for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
			for (enum limits limits = NO_LIMITS; limits < LIMITS_N; limits++)
				run(conf, sizes[i], limits, 1000 * seed + sizes[i]);
}

static void
picks_whom_a_look_at_each_would(void **state)
{
	for (enum conf_balance balance = CONF_BALANCE_ROUNDROBIN; balance <= CONF_BALANCE_P2C_EWMA;
	     balance++)
		run_all(&(struct conf_proxy){ .balance = balance });
}

static void
so_it_does_on_a_ring(void **state)
{
	struct conf_proxy conf = { .balance = CONF_BALANCE_SOURCE, .hash_consistent = true };

	run_all(&conf);
	conf.hash_balance_factor = 130;
	run_all(&conf);
}

/* New weights of many servers wait for a quarter of a round; who goes is gone at once. */
static void
weights_of_many_take_their_time(void **state)
{
	struct history *h = calloc(1, sizeof *h);
	uint32_t picks = 0;

	assert_non_null(h);
	h->conf.balance = CONF_BALANCE_ROUNDROBIN;
	h->n = SERVERS_MAX;
	h->random = 1;
	set_up(h, NO_LIMITS);
	for (uint32_t i = 0; i < h->n; i++) {
		h->servers[i].usable = i != 0;
		lb_weigh(&h->servers[i], i ? 2 : 7);
		lb_farm_refresh(&h->farm, &h->servers[i]);
	}
	while (lb_set_is_behind(h->set)) {
		struct lb_ask ask = { 0 };
		struct lb_server *s;

		assert_int_equal(lb_set_follow(h->set), 0);
		assert_int_equal(lb_pick(h->set, &ask, &s), LB_PICKED);
		assert_int_not_equal(s->index, 0);
		picks++;
	}
	assert_in_range(picks, 2, SERVERS_MAX / 4 + 1);
	lb_set_free(h->set);
	lb_farm_fini(&h->farm);
	free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(picks_whom_a_look_at_each_would),
		cmocka_unit_test(so_it_does_on_a_ring),
		cmocka_unit_test(weights_of_many_take_their_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
