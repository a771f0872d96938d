/*
 * test_pair.c - two and three engines on an invented network: the faults a pair has to survive.
 *
 * What counts after each fault: how long nobody was master, whether two were, and who is at the end.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world *world;
static struct node *a, *b;

static int
setup(void **state)
{
	world = calloc(1, sizeof *world);
	a = world_add(world, 150);
	b = world_add(world, 100);
	return 0;
}

static int
teardown(void **state)
{
	world_free(world);
	return 0;
}

static bool
is_master(const struct node *node)
{
	return node_state(node) == VRRP_STATE_MASTER;
}

static unsigned
masters(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < world->nodes_n; i++)
		n += world->nodes[i].running && is_master(&world->nodes[i]);
	return n;
}

/* Starts all and lets them settle; node 0 is the best. */
static void
elect(void)
{
	world_start(world);
	world_run_ms(world, 10000);
	assert_true(is_master(a));
	assert_int_equal(masters(), 1);
	for (unsigned i = 0; i < world->nodes_n; i++)
		node_forget(&world->nodes[i]);
}

static int
until_master(struct node *node)
{
	return WORLD_RUN_UNTIL(world, is_master(node), 30000);
}

/* ------------------------------------------------------------------ election */

/* Started one after the other, over all offsets: the better one is master at the end, and alone. */
static void
test_start_together(void **state)
{
	for (int offset_ms = -2000; offset_ms <= 2000; offset_ms += 40) {
		setup(NULL);
		node_start(offset_ms < 0 ? a : b);
		world_run_ms(world, abs(offset_ms));
		node_start(offset_ms < 0 ? b : a);
		world_run_ms(world, 15000);
		assert_true(is_master(a));
		assert_int_equal(masters(), 1);
		if (offset_ms <= 0)
			assert_int_equal(node_view(b).became_master, 0);
		teardown(NULL);
	}
}

/* Equal priorities: one master, whoever it is. */
static void
test_start_together_with_equal_priorities(void **state)
{
	a->instance.priority = 100;
	world_start(world);
	world_run_ms(world, 10000);
	assert_int_equal(masters(), 1);
}

static void
test_three(void **state)
{
	struct node *c = world_add(world, 120);

	world_unicast(world);
	elect();
	a->running = false; /* vanishes */
	assert_in_range(until_master(c), 2500, 3532);
	world_run_ms(world, 5000);
	assert_int_equal(masters(), 1);
	vrrp_stop(c->vrrp, world->now, "stop");
	assert_in_range(until_master(b), 600, 611); /* its skew: two peers, so no short cut */
	assert_int_equal(masters(), 1);
}

/* ------------------------------------------------------------------ faults */

/* Make before break: somebody holds the address all the time. */
static void
stop_master(int limit_ms)
{
	elect();
	vrrp_stop(a->vrrp, world->now, "SIGTERM");
	while (!vrrp_stopped(a->vrrp)) {
		assert_true(a->holds || b->holds);
		world_step(world);
	}
	assert_true(is_master(b));
	assert_in_range(mono_since_ms(world->now, a->sent), 0, limit_ms);
	world_run_ms(world, 2000);
	assert_true(b->holds && !a->holds);
}

static void
test_stop_unicast(void **state)
{
	world_unicast(world);
	stop_master(2);
}

static void
test_stop_multicast(void **state)
{
	stop_master(612);
}

/* Killed, host and all: one down interval. */
static void
test_master_vanishes(void **state)
{
	elect();
	a->running = false;
	assert_in_range(until_master(b), 2600, 3612);
}

static void
test_master_vanishes_at_10_ms(void **state)
{
	world_v3(world, 1);
	elect();
	a->running = false;
	assert_in_range(until_master(b), 26, 37);
}

static void
test_link_down(void **state)
{
	elect();
	a->cut = true;
	node_link(a, false);
	assert_in_range(until_master(b), 2600, 3612);
	assert_int_equal(masters(), 1);
	a->cut = false;
	node_link(a, true);
	assert_in_range(until_master(a), 3000, 3420); /* a full down interval of a lower master */
	world_run_ms(world, 1);
	assert_int_equal(masters(), 1);
	assert_int_equal(node_view(b).became_master, 1);
}

/* A switch that forgets a port: two masters while it lasts, one interval later one, which announces
 * itself to the neighbours whoever spoke first. */
static void
test_split_and_heal(void **state)
{
	elect();
	for (int phase_ms = 0; phase_ms < 1000; phase_ms += 50) {
		world_run_ms(world, 5000 + phase_ms);
		a->cut = true;
		assert_in_range(until_master(b), 2600, 3612);
		world_run_ms(world, 10000);
		assert_int_equal(masters(), 2);
		node_forget(a);
		a->cut = false;
		assert_in_range(WORLD_RUN_UNTIL(world, masters() == 1, 5000), 0, 1000);
		world_run_ms(world, 1);
		assert_true(is_master(a));
		assert_non_null(strchr(a->trace, 'a'));
	}
}

/* Paused for 5 s and continued: steps down before it sends anything, then returns by election. */
static void
test_master_paused(void **state)
{
	elect();
	a->running = false;
	assert_in_range(until_master(b), 2600, 3612);
	world_run_ms(world, 2000);
	node_forget(a);
	a->running = true;
	world_step(world);
	assert_string_equal(a->trace, "urBd");
	assert_true(is_master(b));
	assert_in_range(until_master(a), 3000, 3420);
	world_run_ms(world, 5);
	assert_int_equal(masters(), 1);
	assert_int_equal(node_view(a).fenced, 1);
}

/* Both paused, as two virtual machines on one host: one master again, soon. */
static void
test_both_paused(void **state)
{
	elect();
	a->running = b->running = false;
	world_run_ms(world, 20000);
	a->running = b->running = true;
	world_step(world);
	assert_int_equal(masters(), 0);
	assert_in_range(until_master(a), 3000, 3420);
	world_run_ms(world, 10000);
	assert_int_equal(masters(), 1);
}

/* A paused backup is no trouble to anybody. */
static void
test_backup_paused(void **state)
{
	elect();
	b->running = false;
	world_run_ms(world, 20000);
	b->running = true;
	world_run_ms(world, 10000);
	assert_true(is_master(a));
	assert_int_equal(node_view(b).became_master, 0);
}

/* The backup restarts under a running master. */
static void
test_backup_restarts(void **state)
{
	elect();
	vrrp_free(b->vrrp);
	b->queue_n = 0;
	node_start(b);
	world_run_ms(world, 20000);
	assert_true(is_master(a));
	assert_int_equal(node_view(b).became_master, 0);
}

/* ------------------------------------------------------------------ health */

/* Only the master loses its servers: the skew and no more, then back when they return. */
static void
test_master_loses_its_servers(void **state)
{
	node_track_backend(a, 0);
	node_track_backend(b, 0);
	node_backend(a, 2, 0, true);
	node_backend(b, 2, 0, true);
	elect();
	node_backend(a, 0, 0, true);
	assert_in_range(until_master(b), 600, 612);
	world_run_ms(world, 1);
	assert_int_equal(masters(), 1);
	assert_string_equal(node_view(a).why,
			    "10.0.0.12 advertises 100, we have 10; backend app has no usable "
			    "server: priority 150 -> 10");
	world_run_ms(world, 20000);
	node_backend(a, 2, 0, true);
	assert_int_not_equal(until_master(a), -1);
	world_run_ms(world, 1);
	assert_int_equal(masters(), 1);
}

/* Both lose them, seen at different times: two broken nodes hold still. */
static void
test_both_lose_their_servers(void **state)
{
	node_track_backend(a, 0);
	node_track_backend(b, 0);
	node_backend(a, 2, 0, true);
	node_backend(b, 2, 0, true);
	elect();
	node_backend(b, 2, 2, true); /* sees failing checks, not down yet */
	node_backend(a, 0, 0, true);
	world_run_ms(world, 700);
	node_backend(b, 0, 0, true);
	world_run_ms(world, 20000);
	assert_true(is_master(a));
	assert_int_equal(node_view(b).became_master, 0);
}

/* With nopreempt on both it is a fail-over all the same, and no way back by itself. */
static void
test_nopreempt_pair(void **state)
{
	a->instance.nopreempt = b->instance.nopreempt = CONF_NOPREEMPT;
	node_track_backend(a, 0);
	node_track_backend(b, 0);
	node_backend(a, 2, 0, true);
	node_backend(b, 2, 0, true);
	elect();
	node_backend(a, 0, 0, true);
	assert_in_range(until_master(b), 600, 612);
	world_run_ms(world, 10);
	node_backend(a, 2, 0, true);
	world_run_ms(world, 30000);
	assert_true(is_master(b));
	assert_int_equal(masters(), 1);
}

/* ------------------------------------------------------------------ the guardian */

/* A master whose lease nobody renews leaves before the kernel takes the address. */
static void
test_guardian_deaf(void **state)
{
	a->conf.vip_lease_s = b->conf.vip_lease_s = 3;
	world_unicast(world);
	elect();
	a->guardian_deaf = true;
	assert_in_range(until_master(b), 700, 2260); /* 3/4 of the lease at most */
	world_run_ms(world, 20000);
	assert_true(is_master(b));
	assert_int_equal(node_state(a), VRRP_STATE_FAULT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_start_together_with_equal_priorities),
		TEST(test_three),
		TEST(test_stop_unicast),
		TEST(test_stop_multicast),
		TEST(test_master_vanishes),
		TEST(test_master_vanishes_at_10_ms),
		TEST(test_link_down),
		TEST(test_split_and_heal),
		TEST(test_master_paused),
		TEST(test_both_paused),
		TEST(test_backup_paused),
		TEST(test_backup_restarts),
		TEST(test_master_loses_its_servers),
		TEST(test_both_lose_their_servers),
		TEST(test_nopreempt_pair),
		TEST(test_guardian_deaf),
		cmocka_unit_test(test_start_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
