/*
 * test_proxy_lb_keys.c - hashes, the ring, draws, moving averages, growing limits, turns among many
 * servers, and many threads at once, without a network.
 */
#include "proxy/lb.h"
#include "proxy/lb_hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MANY 1000

struct farm {
	struct conf_proxy conf;
	struct lb_server servers[MANY];
	struct lb_server *all[MANY];
	struct lb_farm farm;
	struct lb_set *set;
	uint64_t random;
};

static void
build(struct farm *f, uint32_t n)
{
	f->random = 1;
	for (uint32_t i = 0; i < n; i++) {
		struct lb_server *s = &f->servers[i];

		s->farm = &f->farm;
		s->index = i;
		s->id = i + 1;
		if (!s->weight)
			s->weight = 1;
		lb_weigh(s, s->weight);
		s->usable = true;
		f->all[i] = s;
	}
	assert_int_equal(lb_farm_init(&f->farm, &f->conf, f->all, n), 0);
	f->set = lb_set_new(&f->farm);
	assert_non_null(f->set);
}

static struct farm *
farm_new(enum conf_balance balance)
{
	struct farm *f = calloc(1, sizeof *f);

	assert_non_null(f);
	f->conf.balance = balance;
	f->conf.balance_draws = 2;
	return f;
}

static void
farm_free(struct farm *f)
{
	lb_set_free(f->set);
	lb_farm_fini(&f->farm);
	free(f);
}

static uint64_t
draw(struct farm *f)
{
	f->random = f->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return f->random;
}

static enum lb_result
ask_for(struct farm *f, const struct lb_ask *ask, struct lb_server **server)
{
	return lb_pick(f->set, ask, server);
}

/* The server picked, which must be one. */
static struct lb_server *
pick(struct farm *f, uint32_t hash)
{
	struct lb_ask ask = { .hashed = true, .hash = hash, .random = draw(f) };
	struct lb_server *server;

	assert_int_equal(ask_for(f, &ask, &server), LB_PICKED);
	return server;
}

/* What HAProxy's converters of these names yield. */
static void
hash_functions(void **state)
{
	static const char key[] = "www.example.org";
	static const struct {
		enum conf_hash function;
		uint32_t plain, avalanche;
	} known[] = {
		{ CONF_HASH_SDBM, 2817551433, 1451380669 },
		{ CONF_HASH_WT6, 2767111386, 71431130 },
		{ CONF_HASH_DJB2, 2843260570, 3806023260 },
		{ CONF_HASH_CRC32, 947207901, 1392363548 },
	};
	struct conf_proxy conf = { 0 };

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		conf.hash_function = known[i].function;
		conf.hash_avalanche = false;
		assert_int_equal(lb_hash_key(&conf, key, strlen(key)), known[i].plain);
		conf.hash_avalanche = true;
		assert_int_equal(lb_hash_key(&conf, key, strlen(key)), known[i].avalanche);
	}
	conf = (struct conf_proxy){ .hash_function = CONF_HASH_NONE };
	assert_int_equal(lb_hash_key(&conf, "4711x", 5), 4711);
	assert_int_equal(lb_hash_key(&conf, "", 0), 0);
}

/* Of a ring that loses a server only that server's keys move. */
static void
ring_moves_little(void **state)
{
	struct farm *f = farm_new(CONF_BALANCE_SOURCE);
	uint32_t before[MANY], moved = 0, got[5] = { 0 };

	f->conf.hash_consistent = true;
	build(f, 5);
	for (uint32_t i = 0; i < MANY; i++) {
		struct lb_server *s = pick(f, i * 2654435761U);

		before[i] = s->index;
		got[s->index]++;
	}
	for (int i = 0; i < 5; i++)
		assert_true(got[i] > MANY / 20);
	f->servers[2].usable = false;
	lb_farm_refresh(&f->farm, &f->servers[2]);
	assert_true(lb_set_is_behind(f->set));
	assert_int_equal(lb_set_follow(f->set), 0);
	for (uint32_t i = 0; i < MANY; i++) {
		struct lb_server *s = pick(f, i * 2654435761U);

		assert_int_not_equal(s->index, 2);
		if (s->index != before[i])
			moved++;
	}
	assert_int_equal(moved, got[2]);
	farm_free(f);
}

/* Points of many servers stand in order, each as often as its weight says. */
static void
ring_is_sorted(void **state)
{
	struct farm *f = farm_new(CONF_BALANCE_SOURCE);
	const struct lb_rota *ring;
	uint32_t got[MANY] = { 0 };

	f->conf.hash_consistent = true;
	for (uint32_t i = 0; i < MANY; i++)
		f->servers[i].weight = 1 + i % 3;
	build(f, MANY);
	ring = &f->set->rings[LB_CREW_MAIN];
	assert_int_equal(ring->count, ring->n);
	for (uint32_t point = 0; point < ring->n; point++) {
		got[ring->order[point]]++;
		if (point)
			assert_true(ring->circle[point - 1] <= ring->circle[point]);
	}
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(got[i], (1 + i % 3) * LB_WEIGHT_SCALE);
	farm_free(f);
}

/* A hash beyond the last point is near the first, too. */
static void
ring_is_round(void **state)
{
	struct farm *f = farm_new(CONF_BALANCE_SOURCE);
	const struct lb_rota *ring;
	uint32_t point;

	f->conf.hash_consistent = true;
	build(f, 3);
	ring = &f->set->rings[LB_CREW_MAIN];
	assert_int_equal(ring->count, 3 * LB_WEIGHT_SCALE);
	point = lb_rota_closest(ring, 0);
	assert_true(point == 0 || point == ring->count - 1);
	assert_int_equal(lb_rota_closest(ring, UINT32_MAX), point);
	farm_free(f);
}

static void
ring_with_bounded_load(void **state)
{
	struct farm *f = farm_new(CONF_BALANCE_SOURCE);

	f->conf.hash_consistent = true;
	f->conf.hash_balance_factor = 150;
	build(f, 4);
	/* Everybody has the same key, and yet nobody has more than half as much again as is fair. */
	for (int i = 0; i < 100; i++)
		pick(f, 12345);
	for (int i = 0; i < 4; i++)
		assert_true(f->servers[i].served <= 38);
	assert_int_equal(f->farm.served, 100);
	farm_free(f);
}

static void
a_full_server_is_waited_for(void **state)
{
	struct farm *f = farm_new(CONF_BALANCE_SOURCE);
	struct lb_ask ask = { .hashed = true, .hash = 99 };
	struct lb_server *first, *server;

	f->conf.hash_consistent = true;
	f->servers[0].maxconn = f->servers[1].maxconn = f->servers[2].maxconn = 1;
	build(f, 3);
	first = pick(f, 99);
	assert_int_equal(ask_for(f, &ask, &server), LB_FULL);
	assert_ptr_equal(server, first);
	first->maxqueue = 1;
	first->queued = 1;
	assert_int_equal(ask_for(f, &ask, &server), LB_PICKED);
	assert_ptr_not_equal(server, first);
	/* Who has no key goes in turn. */
	ask.hashed = false;
	assert_int_equal(ask_for(f, &ask, &server), LB_PICKED);
	farm_free(f);
}

static void
random_follows_weights(void **state)
{
	struct farm *f = farm_new(CONF_BALANCE_RANDOM);
	uint32_t got[3] = { 0 };

	f->conf.balance_draws = 1;
	f->servers[0].weight = 10;
	f->servers[1].weight = 30;
	f->servers[2].weight = 60;
	build(f, 3);
	for (int i = 0; i < 10000; i++) {
		struct lb_server *s = pick(f, 0);

		got[s->index]++;
		lb_release(s);
	}
	assert_in_range(got[0], 700, 1300);
	assert_in_range(got[1], 2500, 3500);
	assert_in_range(got[2], 5300, 6700);
	farm_free(f);
}

/* Of two draws the less loaded wins: after n picks without a release all are near n / servers. */
static void
two_draws_even_out(void **state)
{
	static const enum conf_balance balances[] = { CONF_BALANCE_RANDOM, CONF_BALANCE_P2C_EWMA };

	for (int k = 0; k < 2; k++) {
		struct farm *f = farm_new(balances[k]);

		build(f, 10);
		for (int i = 0; i < 1000; i++)
			pick(f, 0);
		for (int i = 0; i < 10; i++)
			assert_in_range(f->servers[i].served, 80, 120);
		farm_free(f);
	}
}

static void
averages(void **state)
{
	struct lb_ewma ewma = { 0 };
	int64_t now = 1000000000;

	assert_true(lb_ewma_ns(&ewma, now) == 1e3);
	lb_ewma_add(&ewma, 200000, now);
	assert_true(lb_ewma_ns(&ewma, now) == 200000);
	/* A peak counts at once, what is quicker takes time. */
	lb_ewma_add(&ewma, 5000000, now);
	assert_true(lb_ewma_ns(&ewma, now) == 5000000);
	lb_ewma_add(&ewma, 200000, now + 1000000);
	assert_true(lb_ewma_ns(&ewma, now + 1000000) > 4900000);
	/* And without news it fades: after a time constant 1/e is left. */
	assert_in_range((uint64_t)lb_ewma_ns(&ewma, now + 10001000000), 1800000, 1850000);
	/* A clock that seems to go back changes nothing. */
	assert_true(lb_ewma_ns(&ewma, 0) > 4900000);
}

/* A server that became slow is left at once, and asked again when that has faded. */
static void
slow_servers_are_avoided(void **state)
{
	struct farm *f = farm_new(CONF_BALANCE_P2C_EWMA);
	struct lb_ask ask = { 0 };
	struct lb_server *server;

	build(f, 3);
	for (int i = 0; i < 3; i++)
		lb_ewma_add(&f->servers[i].connect, 300000, 1000000000);
	lb_ewma_add(&f->servers[1].connect, 50000000, 1000000000);
	for (int i = 0; i < 1000; i++) {
		ask = (struct lb_ask){ .random = draw(f), .now_ns = 1000000000 };
		assert_int_equal(ask_for(f, &ask, &server), LB_PICKED);
		assert_int_not_equal(server->index, 1);
		lb_release(server);
	}
	for (int i = 0; i < 1000; i++) {
		ask = (struct lb_ask){ .random = draw(f), .now_ns = 200000000000 };
		assert_int_equal(ask_for(f, &ask, &server), LB_PICKED);
		if (server->index == 1)
			break;
		lb_release(server);
	}
	assert_int_equal(server->index, 1);
	farm_free(f);
}

/* minconn while idle, maxconn at fullconn, in proportion between. */
static void
limits_grow_with_load(void **state)
{
	struct farm *f = farm_new(CONF_BALANCE_ROUNDROBIN);
	struct lb_server *s = &f->servers[0];

	s->maxconn = 100;
	s->minconn = 10;
	build(f, 2);
	f->farm.fullconn = 1000;
	assert_int_equal(lb_limit(s), 10);
	f->farm.served = 90;
	assert_int_equal(lb_limit(s), 10);
	f->farm.queued = 410;
	assert_int_equal(lb_limit(s), 50);
	f->farm.served = 5000;
	assert_int_equal(lb_limit(s), 100);
	assert_int_equal(lb_limit(&f->servers[1]), UINT32_MAX);
	s->minconn = 0;
	f->farm.served = 0;
	assert_int_equal(lb_limit(s), 100);
	farm_free(f);
}

/* ------------------------------------------------------------------ many */

static void
tree_goes_round_among_equals(void **state)
{
	struct farm *f = farm_new(CONF_BALANCE_LEASTCONN);
	uint32_t got[100] = { 0 };

	build(f, 100);
	for (int i = 0; i < 1000; i++) {
		struct lb_server *s = pick(f, 0);

		got[s->index]++;
		lb_release(s);
	}
	for (int i = 0; i < 100; i++)
		assert_int_equal(got[i], 10);
	farm_free(f);
}

static void *
take_and_release(void *arg)
{
	struct farm *f = arg;
	struct lb_set *set = lb_set_new(&f->farm);
	struct lb_ask ask = { 0 };
	struct lb_server *held[16] = { 0 };

	for (int i = 0; set && i < 20000; i++) {
		struct lb_server **slot = &held[i % 16];

		if (*slot)
			lb_release(*slot);
		*slot = NULL;
		if (lb_set_is_behind(set) && lb_set_follow(set) < 0)
			break;
		if (lb_pick(set, &ask, slot) != LB_PICKED)
			*slot = NULL;
	}
	for (int i = 0; i < 16; i++)
		if (held[i])
			lb_release(held[i]);
	lb_set_free(set);
	return NULL;
}

/* Servers go and come back; in the end all are there. */
static void *
flap(void *arg)
{
	struct farm *f = arg;

	for (uint32_t i = 0; i < 40000; i++) {
		struct lb_server *s = f->all[i * 7 % 40];

		s->usable = i >= 40000 - 40 || !s->usable;
		lb_farm_refresh(&f->farm, s);
	}
	return NULL;
}

/* After a storm of five threads nothing is stale: the tree knows the best, and who has a slot. */
static void
tree_survives_a_storm(void **state)
{
	static const enum conf_balance balances[] = { CONF_BALANCE_LEASTCONN,
						      CONF_BALANCE_ROUNDROBIN };

	for (int k = 0; k < 2; k++) {
		struct farm *f = farm_new(balances[k]);
		struct lb_server *none;
		pthread_t threads[5];

		/* 50 slots, fewer than the 64 that the threads want. */
		for (uint32_t i = 0; i < 40; i++)
			f->servers[i].maxconn = i < 20 ? 1 : 2 - i % 2;
		build(f, 40);
		for (int i = 0; i < 4; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, take_and_release, f), 0);
		assert_int_equal(pthread_create(&threads[4], NULL, flap, f), 0);
		for (int i = 0; i < 5; i++)
			pthread_join(threads[i], NULL);
		assert_int_equal(lb_set_follow(f->set), 0);
		for (uint32_t i = 0; i < 40; i++)
			assert_int_equal(f->servers[i].served, 0);
		/* Each slot can be taken, one after the other, those of idle servers first; then there is none. */
		for (int i = 0; i < 50; i++)
			assert_true(pick(f, 0)->served == 1 || i >= 40 || k > 0);
		assert_int_equal(ask_for(f, &(struct lb_ask){ 0 }, &none), LB_FULL);
		farm_free(f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_functions),
		cmocka_unit_test(ring_moves_little),
		cmocka_unit_test(ring_is_sorted),
		cmocka_unit_test(ring_is_round),
		cmocka_unit_test(ring_with_bounded_load),
		cmocka_unit_test(a_full_server_is_waited_for),
		cmocka_unit_test(random_follows_weights),
		cmocka_unit_test(two_draws_even_out),
		cmocka_unit_test(averages),
		cmocka_unit_test(slow_servers_are_avoided),
		cmocka_unit_test(limits_grow_with_load),
		cmocka_unit_test(tree_goes_round_among_equals),
		cmocka_unit_test(tree_survives_a_storm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
