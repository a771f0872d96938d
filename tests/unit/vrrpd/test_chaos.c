/*
 * test_chaos.c - random faults on three nodes, a hundred histories.
 *
 * Whatever happens: two masters that can hear each other do not stay so for longer than an interval,
 * and once every fault is over there is exactly one, which holds the VIP alone.  A failure names the
 * seed of its history.
 */
#include "world.h"

#include "common/log.h"

#include <stdio.h>
#include <stdlib.h>

#define SEEDS   100
#define ACTIONS 40

static uint32_t dice_state;

/* 0 … n-1; the same on every machine. */
static unsigned
dice(unsigned n)
{
	dice_state ^= dice_state << 13;
	dice_state ^= dice_state >> 17;
	dice_state ^= dice_state << 5;
	return dice_state % n;
}

static bool
hears(const struct node *node)
{
	return node->running && !node->cut;
}

/* Masters that hear each other, and since when there is more than one. */
static void
watch(struct world *world, struct mono *since, uint32_t interval_ms, unsigned seed)
{
	unsigned masters = 0;

	for (unsigned i = 0; i < world->nodes_n; i++)
		masters += hears(&world->nodes[i]) &&
			   node_state(&world->nodes[i]) == VRRP_STATE_MASTER;
	if (masters < 2) {
		*since = (struct mono){ 0 };
		return;
	}
	if (since->ns == 0)
		*since = world->now;
	if (mono_since_ms(world->now, *since) > interval_ms + 2)
		fail_msg("seed %u: %u masters hear each other for %lld ms", seed, masters,
			 (long long)mono_since_ms(world->now, *since));
}

static void
act(struct node *node)
{
	switch (dice(8)) {
	case 0:
	case 1:
		node->running = !node->running;
		break;
	case 2:
		node->cut = !node->cut;
		break;
	case 3:
		node_link(node, !node->link.up);
		break;
	case 4:
		node_backend(node, dice(3), dice(2), true);
		break;
	case 5:
		node->guardian_deaf = !node->guardian_deaf;
		break;
	case 6:
		node->claim_error = node->claim_error ? 0 : -1;
		break;
	case 7:
		vrrp_released(node->vrrp, 0, node->world->now);
		break;
	}
}

static void
mend(struct node *node)
{
	node->running = true;
	node->cut = node->guardian_deaf = false;
	node->claim_error = 0;
	node_backend(node, 2, 0, true);
	node_link(node, true);
}

static void
build(struct world *world)
{
	static const uint8_t priorities[] = { 100, 100, 101, 150, 200, 254 };
	static const uint32_t intervals_cs[] = { 1, 10, 100 };
	enum conf_nopreempt nopreempt = (enum conf_nopreempt)dice(3);

	for (unsigned i = 0; i < NODES_MAX; i++) {
		struct node *node = world_add(world, priorities[dice(6)]);

		node->conf.vip_lease_s = 3;
		node->instance.nopreempt = nopreempt;
		node->instance.preempt_delay_ms = dice(2) * 1500;
		node_track_backend(node, dice(2) ? 0 : -60);
		node_backend(node, 2, 0, true);
	}
	if (dice(2))
		world_unicast(world);
	if (dice(2))
		world_v3(world, intervals_cs[dice(3)]);
	world_start(world);
}

static void
run(struct world *world, int64_t ms, struct mono *since, unsigned seed)
{
	struct mono end = mono_add_ms(world->now, ms);
	uint32_t interval_ms = world->nodes[0].instance.advert_int_cs * 10;

	while (mono_before(world->now, end)) {
		world_step(world);
		watch(world, since, interval_ms, seed);
	}
}

static void
history(unsigned seed)
{
	struct world *world = calloc(1, sizeof *world);
	struct mono since = { 0 };
	unsigned masters = 0, holders = 0;

	assert_non_null(world);
	dice_state = seed * 2654435761u + 1;
	build(world);
	for (int i = 0; i < ACTIONS; i++) {
		run(world, dice(4) ? dice(300) : dice(6000), &since, seed);
		act(&world->nodes[dice(NODES_MAX)]);
		since = (struct mono){ 0 }; /* who hears whom has just changed */
	}
	for (unsigned i = 0; i < NODES_MAX; i++)
		mend(&world->nodes[i]);
	since = (struct mono){ 0 };
	run(world, 20000, &since, seed);
	for (unsigned i = 0; i < NODES_MAX; i++) {
		masters += node_state(&world->nodes[i]) == VRRP_STATE_MASTER;
		holders += world->nodes[i].holds;
	}
	if (masters != 1 || holders != 1)
		fail_msg("seed %u: %u masters, %u holders at the end", seed, masters, holders);
	world_free(world);
}

static void
test_histories(void **state)
{
	for (unsigned seed = 1; seed <= SEEDS; seed++)
		history(seed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_histories),
	};

	log_init(&(struct log_setup){ .ident = "chaos", .level = LOG_EMERG });
	return cmocka_run_group_tests(tests, NULL, NULL);
}
