/*
 * test_proxy_lb.c - balancing without a network: schedules, maps, picks, limits, backups.
 */
#include "proxy/lb.h"
#include "proxy/lb_hash.h"
#include "proxy/lb_schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#define SERVERS_MAX 8

struct farm {
	struct conf_proxy conf;
	struct lb_server servers[SERVERS_MAX];
	struct lb_server *all[SERVERS_MAX];
	struct lb_farm farm;
	uint32_t n;
	struct lb_set *set;
};

static void
farm_init(struct farm *farm, const uint32_t *weights, uint32_t n)
{
	memset(farm, 0, sizeof *farm);
	farm->n = n;
	for (uint32_t i = 0; i < n; i++) {
		farm->servers[i].index = i;
		farm->servers[i].id = i + 1;
		farm->servers[i].farm = &farm->farm;
		farm->servers[i].weight = weights[i];
		lb_weigh(&farm->servers[i], weights[i]);
		farm->servers[i].usable = true;
		farm->all[i] = &farm->servers[i];
	}
}

static void
farm_build(struct farm *farm, enum conf_balance balance, bool allbackups)
{
	lb_set_free(farm->set);
	lb_farm_fini(&farm->farm);
	farm->conf.balance = balance;
	farm->conf.allbackups = allbackups;
	memset(&farm->farm, 0, sizeof farm->farm);
	assert_int_equal(lb_farm_init(&farm->farm, &farm->conf, farm->all, farm->n), 0);
	farm->set = lb_set_new(&farm->farm);
	assert_non_null(farm->set);
}

static void
farm_fini(struct farm *farm)
{
	lb_set_free(farm->set);
	lb_farm_fini(&farm->farm);
}

/* Something has been changed behind the farm's back. */
static void
refresh(struct farm *farm)
{
	for (uint32_t i = 0; i < farm->n; i++)
		lb_farm_refresh(&farm->farm, farm->all[i]);
	assert_int_equal(lb_set_follow(farm->set), 0);
}

/* Index of the server picked; -1 = full, -2 = none. */
static int
pick(struct farm *farm, uint32_t hash, uint64_t tried)
{
	struct lb_ask ask = { .tried = tried, .hashed = true, .hash = hash };
	struct lb_server *server;

	switch (lb_pick(farm->set, &ask, &server)) {
	case LB_PICKED:
		return (int)server->index;
	case LB_FULL:
		return -1;
	case LB_NONE:
		return -2;
	}
	return -3;
}

static void
assert_order(const uint32_t *weights, uint32_t n, const char *expected)
{
	uint16_t order[64];
	char text[65] = "";

	lb_interleave(weights, n, order);
	for (size_t i = 0; expected[i]; i++)
		text[i] = (char)('a' + order[i]);
	assert_string_equal(text, expected);
}

static void
interleave(void **state)
{
	assert_order((uint32_t[]){ 1, 1 }, 2, "ab");
	assert_order((uint32_t[]){ 1, 1, 1 }, 3, "abc");
	assert_order((uint32_t[]){ 2, 1 }, 2, "aba");
	assert_order((uint32_t[]){ 1, 2 }, 2, "bab");
	assert_order((uint32_t[]){ 5, 1 }, 2, "aaabaa");
	assert_order((uint32_t[]){ 3, 2, 1 }, 3, "abacba");
	assert_order((uint32_t[]){ 0, 2, 0 }, 3, "bb");
}

/* However weights are, nobody is ever two turns away from his share. */
static void
interleave_is_even(void **state)
{
	static uint16_t order[4 * 256];
	static const uint32_t weights[][4] = {
		{ 256, 1, 1, 1 },    { 10, 20, 30, 40 }, { 7, 7, 7, 7 },
		{ 255, 256, 3, 99 }, { 1, 0, 0, 2 },
	};

	for (size_t k = 0; k < sizeof weights / sizeof weights[0]; k++) {
		uint32_t total = 0, got[4] = { 0 };

		for (int i = 0; i < 4; i++)
			total += weights[k][i];
		lb_interleave(weights[k], 4, order);
		for (uint32_t at = 0; at < total; at++) {
			got[order[at]]++;
			for (int i = 0; i < 4; i++) {
				double due = (double)weights[k][i] * (at + 1) / total;

				assert_true(got[i] < due + 2 && got[i] > due - 2);
			}
		}
		for (int i = 0; i < 4; i++)
			assert_int_equal(got[i], weights[k][i]);
	}
}

static void
roundrobin_alternates(void **state)
{
	struct farm farm;

	farm_init(&farm, (uint32_t[]){ 1, 1 }, 2);
	farm_build(&farm, CONF_BALANCE_ROUNDROBIN, false);
	for (int i = 0; i < 100; i++)
		assert_int_equal(pick(&farm, 0, 0), i % 2);
	farm_fini(&farm);
}

static void
roundrobin_weights(void **state)
{
	struct farm farm;
	uint32_t got[3] = { 0 };

	/* 30:20:10 is 3:2:1, and a weight of 0 gets nothing. */
	farm_init(&farm, (uint32_t[]){ 30, 20, 10, 0 }, 4);
	farm_build(&farm, CONF_BALANCE_ROUNDROBIN, false);
	assert_int_equal(farm.set->turns[LB_CREW_MAIN].count, 6);
	for (int i = 0; i < 600; i++)
		got[pick(&farm, 0, 0)]++;
	assert_int_equal(got[0], 300);
	assert_int_equal(got[1], 200);
	assert_int_equal(got[2], 100);
	farm_fini(&farm);
}

static void
tried_and_full_are_left_out(void **state)
{
	static const enum conf_balance balances[] = { CONF_BALANCE_ROUNDROBIN,
						      CONF_BALANCE_LEASTCONN, CONF_BALANCE_FIRST };
	struct farm farm;

	for (size_t k = 0; k < 3; k++) {
		farm_init(&farm, (uint32_t[]){ 1, 1, 1 }, 3);
		farm_build(&farm, balances[k], false);
		for (int i = 0; i < 10; i++)
			assert_int_equal(pick(&farm, 0, 1 << 0 | 1 << 2), 1);
		assert_int_equal(pick(&farm, 0, 7), -2);
		farm.servers[0].maxconn = farm.servers[2].maxconn = 1;
		farm.servers[0].served = farm.servers[2].served = 1;
		for (int i = 0; i < 10; i++)
			assert_int_equal(pick(&farm, 0, 0), 1);
		assert_int_equal(pick(&farm, 0, 1 << 1), -1);
		lb_release(&farm.servers[2]);
		assert_int_equal(pick(&farm, 0, 1 << 1), 2);
		assert_int_equal(pick(&farm, 0, 1 << 1), -1);
		assert_int_equal(farm.servers[2].served, 1);
		farm_fini(&farm);
	}
}

static void
leastconn(void **state)
{
	struct farm farm;

	farm_init(&farm, (uint32_t[]){ 1, 1, 1 }, 3);
	farm_build(&farm, CONF_BALANCE_LEASTCONN, false);
	/* Among equals in turn. */
	for (int i = 0; i < 9; i++) {
		int got = pick(&farm, 0, 0);

		assert_int_equal(got, i % 3);
		lb_release(&farm.servers[got]);
	}
	farm.servers[0].served = 5;
	farm.servers[1].served = 3;
	farm.servers[2].served = 3;
	farm.servers[2].queued = 1;
	refresh(&farm);
	assert_int_equal(pick(&farm, 0, 0), 1);
	farm_fini(&farm);

	/* (served + 1) / weight: 3/4 beats 2/1; but who is idle beats both. */
	farm_init(&farm, (uint32_t[]){ 1, 4 }, 2);
	farm_build(&farm, CONF_BALANCE_LEASTCONN, false);
	farm.servers[1].served = 2;
	refresh(&farm);
	assert_int_equal(pick(&farm, 0, 0), 0);
	assert_int_equal(pick(&farm, 0, 0), 1);
	farm.servers[1].served = 9;
	refresh(&farm);
	assert_int_equal(pick(&farm, 0, 0), 0);
	farm_fini(&farm);
}

/* Among those that are loaded as much it is the turn of who has been so for longest. */
static void
leastconn_is_first_in_first_out(void **state)
{
	struct farm farm;

	farm_init(&farm, (uint32_t[]){ 1, 1, 1 }, 3);
	farm_build(&farm, CONF_BALANCE_LEASTCONN, false);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pick(&farm, 0, 0), i);
	lb_release(&farm.servers[2]);
	lb_release(&farm.servers[0]);
	lb_release(&farm.servers[1]);
	assert_int_equal(pick(&farm, 0, 0), 2);
	assert_int_equal(pick(&farm, 0, 0), 0);
	/* Who comes back is the last. */
	lb_release(&farm.servers[0]);
	farm.servers[1].usable = false;
	refresh(&farm);
	farm.servers[1].usable = true;
	lb_farm_refresh(&farm.farm, &farm.servers[1]);
	assert_int_equal(lb_set_follow(farm.set), 0);
	assert_int_equal(pick(&farm, 0, 0), 0);
	assert_int_equal(pick(&farm, 0, 0), 1);
	farm_fini(&farm);
}

static void
first(void **state)
{
	struct farm farm;

	farm_init(&farm, (uint32_t[]){ 1, 1, 1 }, 3);
	farm.servers[0].id = 30;
	farm.servers[1].id = 10;
	farm.servers[2].id = 20;
	farm.servers[1].maxconn = 2;
	farm_build(&farm, CONF_BALANCE_FIRST, false);
	assert_int_equal(pick(&farm, 0, 0), 1);
	assert_int_equal(pick(&farm, 0, 0), 1);
	assert_int_equal(pick(&farm, 0, 0), 2);
	assert_int_equal(pick(&farm, 0, 0), 2);
	lb_release(&farm.servers[1]);
	assert_int_equal(pick(&farm, 0, 0), 1);
	farm_fini(&farm);
}

static uint32_t
hash_of(const char *text)
{
	struct conf_proxy conf = { 0 };
	struct ip ip;

	assert_int_equal(ip_parse(text, &ip), 0);
	return lb_hash_source(&conf, &ip);
}

static void
source_hash(void **state)
{
	assert_int_equal(hash_of("10.0.0.1"), 0x0a000001);
	assert_int_equal(hash_of("2001:db8::1"), 0x20010db8 ^ 1);
	assert_int_equal(hash_of("::"), 0);
}

static void
assert_map(const uint32_t *weights, uint32_t n, const char *expected)
{
	uint16_t order[64];
	char text[65] = "";

	lb_map(weights, n, order);
	for (size_t i = 0; expected[i]; i++)
		text[i] = (char)('a' + order[i]);
	assert_string_equal(text, expected);
}

/* The maps HAProxy 2.6 makes of these weights. */
static void
source_map(void **state)
{
	assert_map((uint32_t[]){ 1, 1 }, 2, "ab");
	assert_map((uint32_t[]){ 1, 1, 1 }, 3, "abc");
	assert_map((uint32_t[]){ 3, 1 }, 2, "aaab");
	assert_map((uint32_t[]){ 1, 3 }, 2, "abbb");
	assert_map((uint32_t[]){ 3, 2, 1 }, 3, "aababc");
}

/* The rule of the round, said as it is: at every step look at each server's next place. */
static void
naive_interleave(const uint32_t *weights, uint32_t n, uint16_t *order)
{
	uint32_t turns[300] = { 0 }, total = 0;

	for (uint32_t i = 0; i < n; i++)
		total += weights[i];
	for (uint32_t at = 0; at < total; at++) {
		uint32_t best = n;

		for (uint32_t i = 0; i < n; i++)
			if (turns[i] < weights[i] &&
			    (best == n || (2 * turns[i] + 1) * weights[best] <
						  (2 * turns[best] + 1) * weights[i]))
				best = i;
		order[at] = (uint16_t)best;
		turns[best]++;
	}
}

/* The rule of the map, said as it is: at every step look at each. */
static void
naive_map(const uint32_t *weights, uint32_t n, uint16_t *order)
{
	int64_t credit[300] = { 0 }, total = 0;

	for (uint32_t i = 0; i < n; i++)
		total += weights[i];
	for (int64_t at = 0; at < total; at++) {
		int64_t best_rounds = -1;

		for (uint32_t i = 0; i < n; i++) {
			if (weights[i] == 0)
				continue;
			credit[i] += weights[i];
			if ((credit[i] + total) / total > best_rounds) {
				best_rounds = (credit[i] + total) / total;
				order[at] = (uint16_t)i;
			}
		}
		credit[order[at]] -= total;
	}
}

static void
orders_of_any_weights(void **state)
{
	static uint16_t order[300 * 257], expected[300 * 257];
	uint64_t random = 1;

	for (int round = 0; round < 500; round++) {
		uint32_t weights[300], n, most, total = 0;

		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		n = round % 50 ? 1 + (uint32_t)(random >> 32) % 20 : 300;
		most = (uint32_t[]){ 2, 3, 10, 257 }[random >> 60 & 3];
		for (uint32_t i = 0; i < n; i++) {
			random = random * 6364136223846793005ULL + 1442695040888963407ULL;
			total += weights[i] = (uint32_t)(random >> 32) % most;
		}
		lb_map(weights, n, order);
		naive_map(weights, n, expected);
		assert_memory_equal(order, expected, total * sizeof order[0]);
		lb_interleave(weights, n, order);
		naive_interleave(weights, n, expected);
		assert_memory_equal(order, expected, total * sizeof order[0]);
	}
}

static void
source(void **state)
{
	struct farm farm;

	farm_init(&farm, (uint32_t[]){ 1, 1, 1 }, 3);
	farm_build(&farm, CONF_BALANCE_SOURCE, false);
	for (uint32_t hash = 0; hash < 30; hash++)
		assert_int_equal(pick(&farm, hash, 0), hash % 3);
	/* The only usable one gets them all. */
	farm.servers[0].usable = farm.servers[2].usable = false;
	farm_build(&farm, CONF_BALANCE_SOURCE, false);
	for (uint32_t hash = 0; hash < 30; hash++)
		assert_int_equal(pick(&farm, hash, 0), 1);
	farm_fini(&farm);
}

/* A client waits for its own server, up to maxqueue of them. */
static void
source_waits_for_its_server(void **state)
{
	struct lb_ask ask = { .hashed = true };
	struct lb_server *server;
	struct farm farm;

	farm_init(&farm, (uint32_t[]){ 1, 1 }, 2);
	farm.servers[0].maxconn = 1;
	farm.servers[0].maxqueue = 1;
	farm_build(&farm, CONF_BALANCE_SOURCE, false);
	assert_int_equal(pick(&farm, 0, 0), 0);
	assert_int_equal(lb_pick(farm.set, &ask, &server), LB_FULL);
	assert_ptr_equal(server, &farm.servers[0]);
	farm.servers[0].queued = 1;
	assert_int_equal(pick(&farm, 0, 0), 1);
	farm_fini(&farm);
}

static void
backups(void **state)
{
	struct farm farm;

	farm_init(&farm, (uint32_t[]){ 1, 1, 1, 1 }, 4);
	farm.servers[1].backup = farm.servers[2].backup = farm.servers[3].backup = true;
	farm_build(&farm, CONF_BALANCE_ROUNDROBIN, false);
	for (int i = 0; i < 5; i++)
		assert_int_equal(pick(&farm, 0, 0), 0);
	farm.servers[0].usable = farm.servers[1].usable = false;
	farm_build(&farm, CONF_BALANCE_ROUNDROBIN, false);
	for (int i = 0; i < 5; i++)
		assert_int_equal(pick(&farm, 0, 0), 2);
	farm_build(&farm, CONF_BALANCE_ROUNDROBIN, true);
	assert_int_equal(farm.set->turns[LB_CREW_BACKUP].count, 2);
	assert_int_not_equal(pick(&farm, 0, 0), pick(&farm, 0, 0));
	farm.servers[2].usable = farm.servers[3].usable = false;
	farm_build(&farm, CONF_BALANCE_ROUNDROBIN, true);
	assert_int_equal(pick(&farm, 0, 0), -2);
	farm_fini(&farm);
}

static void
all_weights_zero(void **state)
{
	struct farm farm;

	farm_init(&farm, (uint32_t[]){ 0, 0 }, 2);
	farm_build(&farm, CONF_BALANCE_ROUNDROBIN, false);
	assert_int_equal(pick(&farm, 0, 0), -2);
	farm_fini(&farm);
	farm_init(&farm, NULL, 0);
	farm_build(&farm, CONF_BALANCE_SOURCE, false);
	assert_int_equal(pick(&farm, 0, 0), -2);
	farm_fini(&farm);
}

/* After coming back: from a sixteenth of the weight and one connection to all of both. */
static void
warms_up(void **state)
{
	const uint32_t weight = 10;
	struct farm farm;
	struct lb_server *s = &farm.servers[0];
	uint32_t last_weight = 0, last_limit = 0;

	farm_init(&farm, &weight, 1);
	farm_build(&farm, CONF_BALANCE_ROUNDROBIN, false);
	s->maxconn = 200;
	for (uint32_t ms = 0; ms <= 1000; ms++) {
		lb_warm(s, ms, 1000);
		assert_int_equal(lb_limit(s), ms < 5 ? 1 : ms / 5);
		assert_true(lb_limit(s) >= last_limit && s->effective_weight >= last_weight);
		last_limit = lb_limit(s);
		last_weight = s->effective_weight;
		if (ms % 125 == 0 && ms < 1000)
			assert_int_equal(s->effective_weight, weight * (1 + ms * 16 / 1000));
	}
	assert_int_equal(s->effective_weight, weight * LB_WEIGHT_SCALE);
	assert_int_equal(s->cold, 0);
	/* A limit that the load moves is warmed up where it stands. */
	s->minconn = 20;
	farm.farm.fullconn = 100;
	lb_warm(s, 500, 1000);
	assert_int_equal(lb_limit(s), 10);
	farm.farm.served = 50;
	assert_int_equal(lb_limit(s), 50);
	/* No limit stays none. */
	s->maxconn = s->minconn = 0;
	assert_int_equal(lb_limit(s), UINT32_MAX);
	farm_fini(&farm);
}

/* A map is made of the file's weights: only the limit grows. */
static void
warms_up_only_the_limit_of_static_algorithms(void **state)
{
	const uint32_t weight = 10;
	struct farm farm;

	farm_init(&farm, &weight, 1);
	farm.servers[0].maxconn = 200;
	for (enum conf_balance balance = CONF_BALANCE_ROUNDROBIN; balance <= CONF_BALANCE_P2C_EWMA;
	     balance++) {
		lb_weigh(&farm.servers[0], weight);
		farm_build(&farm, balance, false);
		lb_warm(&farm.servers[0], 250, 1000);
		assert_int_equal(farm.servers[0].effective_weight,
				 weight * (lb_is_static(&farm.conf) ? 16 : 5));
		assert_int_equal(lb_limit(&farm.servers[0]), 50);
		assert_int_equal(lb_is_static(&farm.conf), balance == CONF_BALANCE_STATIC_RR ||
								   balance == CONF_BALANCE_SOURCE);
	}
	farm_fini(&farm);
}

/* How many of 100 connections, or keys, each of two servers gets. */
static void
share_out(struct farm *farm, enum conf_balance balance, int got[2])
{
	farm_build(farm, balance, false);
	got[0] = got[1] = 0;
	for (uint32_t i = 0; i < 100; i++) {
		int server = pick(farm, i, 0);

		assert_in_range(server, 0, 1);
		got[server]++;
		lb_release(&farm->servers[server]);
	}
}

/* An agent's per cents move what comes next, and 0 leaves a server out; static algorithms know that
 * and the file's weight only. */
static void
weighs_anew(void **state)
{
	static const enum conf_balance balances[] = { CONF_BALANCE_ROUNDROBIN,
						      CONF_BALANCE_STATIC_RR, CONF_BALANCE_SOURCE,
						      CONF_BALANCE_LEASTCONN, CONF_BALANCE_FIRST };
	struct farm farm;
	int before[2], got[2];

	for (size_t i = 0; i < sizeof balances / sizeof balances[0]; i++) {
		farm_init(&farm, (uint32_t[]){ 100, 100 }, 2);
		share_out(&farm, balances[i], before);
		lb_weigh(&farm.servers[0], 0);
		assert_false(lb_in_play(&farm.servers[0]));
		share_out(&farm, balances[i], got);
		assert_int_equal(got[0], 0);
		lb_weigh(&farm.servers[0], 100);
		share_out(&farm, balances[i], got);
		assert_int_equal(got[0], before[0]);
		farm_fini(&farm);
	}
	farm_init(&farm, (uint32_t[]){ 100, 100 }, 2);
	lb_weigh(&farm.servers[0], 25);
	share_out(&farm, CONF_BALANCE_ROUNDROBIN, got);
	assert_int_equal(got[0], 20);
	/* Warming up is up to what it has now, not to what the file says. */
	lb_warm(&farm.servers[0], 500, 1000);
	assert_int_equal(farm.servers[0].effective_weight, 25 * (LB_WEIGHT_SCALE / 2 + 1));
	farm_fini(&farm);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interleave),
		cmocka_unit_test(interleave_is_even),
		cmocka_unit_test(roundrobin_alternates),
		cmocka_unit_test(roundrobin_weights),
		cmocka_unit_test(tried_and_full_are_left_out),
		cmocka_unit_test(leastconn),
		cmocka_unit_test(leastconn_is_first_in_first_out),
		cmocka_unit_test(first),
		cmocka_unit_test(source_hash),
		cmocka_unit_test(source_map),
		cmocka_unit_test(orders_of_any_weights),
		cmocka_unit_test(source),
		cmocka_unit_test(source_waits_for_its_server),
		cmocka_unit_test(backups),
		cmocka_unit_test(all_weights_zero),
		cmocka_unit_test(weighs_anew),
		cmocka_unit_test(warms_up),
		cmocka_unit_test(warms_up_only_the_limit_of_static_algorithms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
