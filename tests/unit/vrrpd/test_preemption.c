/*
 * test_preemption.c - preempt, nopreempt in both forms, preempt_delay, and masters whose priority
 * falls.
 */
#include "alone.h"

/* A lower master does not stop the down timer. */
static void
test_preempt(void **state)
{
	node_start(node);
	for (int i = 0; i < 3; i++) {
		node_hear(node, 12, 50);
		world_run_ms(world, 1000);
	}
	assert_state(VRRP_STATE_BACKUP);
	assert_int_equal(until(VRRP_STATE_MASTER), 609);
	assert_string_equal(node->reason, "10.0.0.12 advertises 50, we have 100");
}

static void
test_nopreempt(void **state)
{
	node->instance.nopreempt = CONF_NOPREEMPT;
	node_start(node);
	for (int i = 0; i < 20; i++) {
		node_hear(node, 12, 50);
		world_run_ms(world, 1000);
	}
	assert_state(VRRP_STATE_BACKUP);
	assert_why("10.0.0.12 advertises 50, we have 100; nopreempt");
	assert_int_equal(until(VRRP_STATE_MASTER), 2609); /* but silence counts */
}

/* A master whose own priority fell below ours is no longer shielded: the skew, not three intervals. */
static void
test_nopreempt_fallen_master(void **state)
{
	node->instance.nopreempt = CONF_NOPREEMPT;
	follow(150);
	world_run_ms(world, 1000);
	node_hear(node, 12, 50);
	assert_why("10.0.0.12 advertises 50, we have 100; taking over in 0.61 s");
	assert_int_equal(until(VRRP_STATE_MASTER), 609);
}

/* It fell and got up again before the skew was over. */
static void
test_fallen_master_recovers(void **state)
{
	node->instance.nopreempt = CONF_NOPREEMPT;
	follow(150);
	node_hear(node, 12, 50);
	world_run_ms(world, 500);
	node_hear(node, 12, 150);
	assert_int_equal(until(VRRP_STATE_MASTER), 3609);
}

static void
test_nopreempt_strict(void **state)
{
	node->instance.nopreempt = CONF_NOPREEMPT_STRICT;
	follow(150);
	for (int i = 0; i < 20; i++) {
		node_hear(node, 12, 50);
		world_run_ms(world, 1000);
	}
	assert_state(VRRP_STATE_BACKUP);
}

/* Another master's lower priority is not a fall of the first. */
static void
test_peak_is_per_peer(void **state)
{
	node->instance.nopreempt = CONF_NOPREEMPT;
	follow(150);
	for (int i = 0; i < 5; i++) {
		node_hear(node, 13, 50);
		world_run_ms(world, 1000);
	}
	assert_state(VRRP_STATE_BACKUP);
}

static void
test_fallen_master(void **state)
{
	follow(150);
	world_run_ms(world, 500);
	node_hear(node, 12, 10);
	world_run_ms(world, 300);
	node_hear(node, 12, 10); /* saying it twice does not put it off */
	assert_int_equal(until(VRRP_STATE_MASTER), 309);
}

/* While a check of ours is moving, the same fault may be about to reach us. */
static void
test_fallen_master_while_moving(void **state)
{
	node_track_backend(node, 0);
	node_backend(node, 2, 0, true);
	follow(150);
	node_backend(node, 2, 1, true);
	node_hear(node, 12, 10);
	world_run_ms(world, 700);
	assert_state(VRRP_STATE_BACKUP);
	node_backend(node, 0, 0, true); /* it did: 7 against 10 */
	node_hear(node, 12, 10);
	world_run_ms(world, 3500);
	assert_state(VRRP_STATE_BACKUP);
	assert_int_equal(node_view(node).priority, 7);
}

/* We wait for a fallen master's skew, and fall as low: the take-over is off. */
static void
test_outranked(void **state)
{
	node_track_backend(node, 0);
	node_backend(node, 2, 0, true);
	follow(150);
	node_hear(node, 12, 10);
	world_run_ms(world, 300);
	node_backend(node, 0, 0, true);
	world_run_ms(world, 3600);
	assert_state(VRRP_STATE_BACKUP);
}

static void
test_preempt_delay(void **state)
{
	node->instance.preempt_delay_ms = 10000;
	node_start(node);
	for (int i = 0; i < 10; i++) {
		node_hear(node, 12, 50);
		world_run_ms(world, 1000);
	}
	assert_state(VRRP_STATE_BACKUP);
	for (int i = 0; i < 3; i++) {
		node_hear(node, 12, 50);
		world_run_ms(world, 1000);
	}
	assert_state(VRRP_STATE_MASTER);
}

static void
test_preempt_delay_is_said(void **state)
{
	node->instance.preempt_delay_ms = 10000;
	node_start(node);
	node_hear(node, 12, 50);
	assert_why("10.0.0.12 advertises 50, we have 100; preempt delay, 10.0 s more");
	world_run_ms(world, 3000);
	node_hear(node, 12, 150); /* one that outranks us starts it over */
	node_hear(node, 12, 150);
	assert_why("10.0.0.12 advertises 150, we have 100");
}

static void
test_owner_ignores_nopreempt(void **state)
{
	node->instance.priority = 255;
	node->instance.nopreempt = CONF_NOPREEMPT_STRICT;
	node_start(node);
	node_link(node, false);
	assert_state(VRRP_STATE_FAULT);
	node_link(node, true);
	assert_state(VRRP_STATE_MASTER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(test_preempt),
		ALONE(test_nopreempt),
		ALONE(test_nopreempt_fallen_master),
		ALONE(test_fallen_master_recovers),
		ALONE(test_nopreempt_strict),
		ALONE(test_peak_is_per_peer),
		ALONE(test_fallen_master),
		ALONE(test_fallen_master_while_moving),
		ALONE(test_outranked),
		ALONE(test_preempt_delay),
		ALONE(test_preempt_delay_is_said),
		ALONE(test_owner_ignores_nopreempt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
