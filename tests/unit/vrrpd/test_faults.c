/*
 * test_faults.c - link, address, scripts, proxy and backends: FAULT, priorities, and what a start
 * waits for.
 */
#include "alone.h"

static void
test_link_down(void **state)
{
	become_master();
	node_link(node, false);
	assert_string_equal(node->trace, "0urF");
	assert_string_equal(node->reason, "link eth1 is down");
	assert_why("link eth1 is down");
	world_run_ms(world, 10000);
	assert_string_equal(node->trace, "0urF");
	node_link(node, true);
	assert_state(VRRP_STATE_BACKUP);
	assert_int_equal(until(VRRP_STATE_MASTER), 3609);
}

/* The address goes away: the last word is still said from it. */
static void
test_address_lost(void **state)
{
	become_master();
	node->link.primary.family = AF_UNSPEC;
	vrrp_link(node->vrrp, 0, &node->link, world->now);
	assert_string_equal(node->trace, "0urF");
	assert_int_equal(node_view(node).source.family, AF_UNSPEC);
	assert_why("interface eth1 has no address of its own");
}

static void
test_starts_in_fault(void **state)
{
	node->link.up = false;
	node_start(node);
	assert_string_equal(node->trace, "F");
	node_link(node, true);
	assert_string_equal(node->trace, "FB");
}

static void
track_a_script(int32_t weight)
{
	node->script = (struct conf_script){ .name = "chk" };
	node->track_script = (struct conf_track){ .weight = weight };
	node->instance.track[CONF_TRACK_SCRIPT].at = &node->track_script;
	node->instance.track[CONF_TRACK_SCRIPT].n = 1;
	node->conf.scripts = &node->script;
	node->conf.scripts_n = 1;
}

static void
test_script_result(void **state)
{
	track_a_script(0);
	become_master();
	vrrp_script_result(node->vrrp, 0, false, world->now);
	assert_string_equal(node->trace, "0urF");
	assert_string_equal(node->reason, "script chk fails");
	vrrp_script_result(node->vrrp, 0, true, world->now);
	assert_state(VRRP_STATE_BACKUP);
}

/* What could be a fault is waited for, as in keepalived; what only has a weight is not. */
static void
test_startup_waits_for_scripts(void **state)
{
	track_a_script(0);
	node_start(node);
	assert_state(VRRP_STATE_INIT);
	assert_why("waiting for the first result of script chk");
	vrrp_script_result(node->vrrp, 0, true, world->now);
	assert_state(VRRP_STATE_BACKUP);
}

static void
test_startup_does_not_wait_for_a_weight(void **state)
{
	track_a_script(-20);
	node_start(node);
	assert_state(VRRP_STATE_BACKUP);
	vrrp_script_result(node->vrrp, 0, false, world->now);
	assert_int_equal(node_view(node).priority, 80);
	assert_string_equal(node->asides, "b");
	world_run_ms(world, 5000);
	assert_state(VRRP_STATE_MASTER);
	vrrp_script_result(node->vrrp, 0, true, world->now);
	assert_string_equal(node->asides, "bm");
}

/* One that cannot run has no say, whatever it was assumed to be. */
static void
test_disabled_script(void **state)
{
	track_a_script(0);
	node->script.init_fail = true;
	node_start(node);
	assert_state(VRRP_STATE_FAULT);
	vrrp_script_disabled(node->vrrp, 0, world->now);
	assert_state(VRRP_STATE_BACKUP);
}

static void
test_lower_priority_is_told(void **state)
{
	become_master();
	node_hear(node, 12, 50);
	assert_string_equal(node->asides, "l");
	node_hear(node, 12, 0); /* a resignation is no claim */
	node_hear(node, 12, 200);
	assert_string_equal(node->asides, "l");
}

/* init_fail: until told otherwise, it failed. */
static void
test_script_init_fail(void **state)
{
	track_a_script(0);
	node->script.init_fail = true;
	node_start(node);
	assert_state(VRRP_STATE_FAULT);
	vrrp_script_result(node->vrrp, 0, true, world->now);
	assert_state(VRRP_STATE_BACKUP);
}

/* A master whose priority changes says so at once, without losing the beat. */
static void
test_priority_change_is_advertised(void **state)
{
	struct mono beat;

	node_track_backend(node, 0);
	node_backend(node, 2, 0, true);
	become_master();
	world_run_ms(world, 5000);
	beat = node->sent;
	world_run_ms(world, 300);
	node_forget(node);
	node_backend(node, 0, 0, true);
	assert_int_equal(node->sent_n, 1);
	assert_int_equal(node->sent_priority, 7);
	assert_why("no master was heard; backend app has no usable server: priority 100 -> 7");
	world_run_ms(world, 700);
	assert_int_equal(node->sent_n, 2);
	assert_in_range(mono_since(node->sent, beat), 1000 * NS_PER_MS, 1001 * NS_PER_MS);
}

/* A starting node takes part once the proxy serves and the first checks are in. */
static void
test_startup_waits_for_health(void **state)
{
	node_with_proxy(node);
	node_track_backend(node, 0);
	node_start(node);
	assert_state(VRRP_STATE_INIT);
	assert_why("proxy is starting");
	world_run_ms(world, 300);
	atomic_store(&node->thread.ready, true);
	vrrp_health(node->vrrp, world->now);
	assert_state(VRRP_STATE_INIT);
	assert_why("waiting for the first checks of backend app");
	assert_string_equal(node->trace, "");
	node_backend(node, 0, 0, true);
	assert_state(VRRP_STATE_BACKUP);
	assert_int_equal(node_view(node).priority, 7); /* known from the first moment */
}

/* Checks that take for ever are not waited for, a proxy that never starts is a fault. */
static void
test_startup_does_not_wait_for_ever(void **state)
{
	node_track_backend(node, 0);
	node_start(node);
	assert_int_equal(until(VRRP_STATE_BACKUP), 5000);
	assert_int_equal(node_view(node).priority, 100);
}

static void
test_proxy_that_never_starts(void **state)
{
	node_with_proxy(node);
	node_start(node);
	assert_int_equal(until(VRRP_STATE_FAULT), 5000);
	assert_why("proxy is starting");
}

static void
test_proxy_stuck(void **state)
{
	node_with_proxy(node);
	atomic_store(&node->thread.ready, true);
	node->instance.priority = 255;
	node_start(node);
	assert_state(VRRP_STATE_MASTER);
	node_forget(node);
	world_run_ms(world, 2100);
	vrrp_health(node->vrrp, world->now);
	assert_state(VRRP_STATE_FAULT);
	assert_why("a proxy thread is stuck");
	health_beat(&node->board, 0, world->now);
	vrrp_health(node->vrrp, world->now);
	assert_state(VRRP_STATE_MASTER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(test_link_down),
		ALONE(test_address_lost),
		ALONE(test_starts_in_fault),
		ALONE(test_script_result),
		ALONE(test_script_init_fail),
		ALONE(test_startup_waits_for_scripts),
		ALONE(test_startup_does_not_wait_for_a_weight),
		ALONE(test_disabled_script),
		ALONE(test_lower_priority_is_told),
		ALONE(test_priority_change_is_advertised),
		ALONE(test_startup_waits_for_health),
		ALONE(test_startup_does_not_wait_for_ever),
		ALONE(test_proxy_that_never_starts),
		ALONE(test_proxy_stuck),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
