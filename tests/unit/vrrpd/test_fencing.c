/*
 * test_fencing.c - a thread that was away: what a master and a backup do when they wake up.
 */
#include "alone.h"

#include <string.h>

/* Away for longer than the peers wait: nothing is sent, the VIPs go, a full interval is listened. */
static void
test_fence(void **state)
{
	become_master();
	world_run_ms(world, 10000);
	node->running = false;
	world_run_ms(world, 5000);
	node_forget(node);
	node->running = true;
	world_step(world);
	assert_string_equal(node->trace, "urBd");
	assert_int_equal(node_view(node).fenced, 1);
	assert_int_equal(strncmp(node->reason, "this thread was away for 5.", 27), 0);
	node_forget(node);
	assert_int_equal(until(VRRP_STATE_MASTER), 3609);
	assert_string_equal(node->trace, "dcswM");
}

/* What the peer said meanwhile is known when the election begins anew. */
static void
test_fence_hears_the_peer(void **state)
{
	struct node *peer = world_add(world, 90);

	world->nodes_n = 1;
	become_master();
	node->running = false;
	world_run_ms(world, 5000);
	node_forget(node);
	world->nodes_n = 2;
	node_start(peer); /* has taken over meanwhile */
	assert_int_not_equal(WORLD_RUN_UNTIL(world, node_state(peer) == VRRP_STATE_MASTER, 5000),
			     -1);
	world_run_ms(world, 1);
	node->running = true;
	world_step(world);
	assert_string_equal(node->trace, "urBd");
	assert_int_equal(node_view(node).peer_priority, 90);
}

/* Shorter absences are not punished. */
static void
test_no_fence_for_a_hiccup(void **state)
{
	become_master();
	node->running = false;
	world_run_ms(world, 3000);
	node->running = true;
	world_step(world);
	assert_state(VRRP_STATE_MASTER);
	assert_int_equal(node_view(node).fenced, 0);
}

/* The receive queue is heard before a down timer promotes: the master's advertisement was there. */
static void
test_drain_before_promotion(void **state)
{
	struct node *peer = world_add(world, 150);

	world->nodes_n = 1;
	follow(150);
	world_run_ms(world, 3000);
	node->running = false;
	world->nodes_n = 2;
	node_start(peer);
	peer->instance.priority = 150;
	world_run_ms(world, 4000); /* it becomes master at 3.4 s, and advertises */
	assert_int_equal(node_state(peer), VRRP_STATE_MASTER);
	world_run_ms(world, 2);
	/* the timer runs before the socket is looked at */
	node_forget(node);
	timer_heap_run(&node->timers, node->world->now);
	assert_state(VRRP_STATE_BACKUP);
	assert_int_equal(strchr(node->trace, 'c') == NULL, 1);
	node->running = true;
	world_run_ms(world, 10000);
	assert_state(VRRP_STATE_BACKUP);
}

/* A paused backup wakes up: silence while not listening is no silence. */
static void
test_late_down_timer_listens_again(void **state)
{
	follow(150);
	node->running = false;
	world_run_ms(world, 8000);
	node->running = true;
	world_step(world);
	assert_state(VRRP_STATE_BACKUP);
	assert_string_equal(node->trace, "");
	assert_int_equal(until(VRRP_STATE_MASTER), 3609);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(test_fence),
		ALONE(test_fence_hears_the_peer),
		ALONE(test_no_fence_for_a_hiccup),
		ALONE(test_drain_before_promotion),
		ALONE(test_late_down_timer_listens_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
