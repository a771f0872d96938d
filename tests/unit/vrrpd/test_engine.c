/*
 * test_engine.c - one node that hears what the test lets it hear: each rule of the engine by itself.
 */
#include "world.h"

#include "vrrpd/timing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world *world;
static struct node *node;

static int
setup(void **state)
{
	world = calloc(1, sizeof *world);
	node = world_add(world, 100);
	return 0;
}

static int
teardown(void **state)
{
	world_free(world);
	return 0;
}

static void
assert_state(enum vrrp_state state)
{
	assert_string_equal(vrrp_state_name(node_state(node)), vrrp_state_name(state));
}

static void
assert_why(const char *expected)
{
	assert_string_equal(node_view(node).why, expected);
}

/* Until the node is in `state`; how long that took in ms. */
static int
until(enum vrrp_state state)
{
	return WORLD_RUN_UNTIL(world, node_state(node) == state, 60000);
}

static void
become_master(void)
{
	node_start(node);
	assert_int_not_equal(until(VRRP_STATE_MASTER), -1);
	world_run_ms(world, 1);
	node_forget(node);
}

/* Follows a master at 10.0.0.12, heard just now. */
static void
follow(uint8_t priority)
{
	node_start(node);
	node_hear(node, 12, priority);
	node_forget(node);
}

/* ------------------------------------------------------------------ election */

/* A full down interval of silence, the queue drained, then everything in order. */
static void
test_take_over(void **state)
{
	node_start(node);
	assert_state(VRRP_STATE_BACKUP);
	assert_why("no master heard yet, waiting 3.6 s more for one");
	assert_int_equal(until(VRRP_STATE_MASTER), 3609);
	assert_string_equal(node->trace, "BdcswM");
	assert_string_equal(node->reason, "no master was heard");
	assert_int_equal(node->sent_priority, 100);
	assert_true(node_view(node).vips_held && node_view(node).will_lodged);
	assert_int_equal(node_view(node).became_master, 1);
}

static void
test_owner_starts_as_master(void **state)
{
	node->instance.priority = 255;
	node_start(node);
	assert_string_equal(node->trace, "cswM");
	assert_int_equal(node->sent_priority, 255);
}

static void
test_startup_delay(void **state)
{
	node->conf.startup_delay_ms = 2000;
	node_start(node);
	assert_state(VRRP_STATE_INIT);
	assert_why("startup delay, 2.0 s more");
	assert_int_equal(until(VRRP_STATE_BACKUP), 2000);
}

/* Nor is anything taken over during it. */
static void
test_no_lone_take_over_during_startup_delay(void **state)
{
	node->conf.startup_delay_ms = 2000;
	world_add(world, 150);
	world_unicast(world);
	node_start(node);
	node_hear(node, 12, 0);
	assert_string_equal(node->trace, "");
	world->nodes_n = 1;
}

/* The cadence has no drift: the 1,000th advertisement is 1,000 intervals after the first. */
static void
test_cadence(void **state)
{
	struct mono first;

	world_v3(world, 1);
	node_start(node);
	assert_int_equal(until(VRRP_STATE_MASTER), 36);
	first = node->sent;
	node_forget(node);
	while (node->sent_n < 1000)
		world_step(world);
	assert_int_equal(mono_since(node->sent, first), 1000 * 10 * NS_PER_MS);
}

/* Late by less than an interval: back on the beat.  By more: on from now, without a burst. */
static void
test_cadence_when_late(void **state)
{
	struct mono beat;

	become_master();
	world_run_ms(world, 1000);
	beat = node->sent;
	node->running = false;
	world_run_ms(world, 1300);
	node->running = true;
	world_step(world);
	assert_true(mono_since_ms(node->sent, beat) >= 1300);
	node_forget(node);
	world_run_ms(world, 800);
	assert_int_equal(mono_since_ms(node->sent, beat), 2000);

	beat = node->sent;
	node->running = false;
	world_run_ms(world, 2500);
	node->running = true;
	node_forget(node);
	world_run_ms(world, 1010);
	assert_int_equal(node->sent_n, 2);
	assert_state(VRRP_STATE_MASTER);
}

static void
test_backup_follows(void **state)
{
	follow(150);
	assert_why("10.0.0.12 advertises 150, we have 100");
	world_run_ms(world, 3000);
	assert_state(VRRP_STATE_BACKUP);
	assert_why("10.0.0.12 advertises 150, we have 100");
	node_hear(node, 12, 100); /* equal is enough for a backup, whatever the address */
	assert_int_equal(until(VRRP_STATE_MASTER), 3609);
	assert_string_equal(node->reason, "10.0.0.12 was silent for 3.61 s");
	assert_int_equal(node->note.peer_priority, 100);
	assert_in_range(node->note.took_ns, 3609 * NS_PER_MS, 3611 * NS_PER_MS);
}

static void
test_master_yields(void **state)
{
	become_master();
	node_hear(node, 12, 150);
	assert_string_equal(node->trace, "surB"); /* no priority 0: somebody is there */
	assert_int_equal(node->sent_priority, 100);
	assert_string_equal(node->reason, "10.0.0.12 advertises 150, we have 100");
	assert_int_equal(until(VRRP_STATE_MASTER), 3609);
}

static void
test_master_tie(void **state)
{
	become_master();
	node_hear(node, 10, 100);
	assert_state(VRRP_STATE_MASTER);
	node_hear(node, 12, 100);
	assert_state(VRRP_STATE_BACKUP);
}

/* After a split the neighbours may point at the loser: announced again, at most once a second. */
static void
test_master_reannounces(void **state)
{
	become_master();
	world_run_ms(world, 20000); /* past the schedule */
	node_forget(node);
	node_hear(node, 12, 90);
	assert_string_equal(node->trace, "a");
	node_hear(node, 12, 90);
	assert_string_equal(node->trace, "a");
	world_run_ms(world, 1100);
	node_forget(node);
	node_hear(node, 12, 90);
	assert_string_equal(node->trace, "a");
}

static void
test_v3_master_answers_lower(void **state)
{
	world_v3(world, 100);
	become_master();
	world_run_ms(world, 20000);
	node_forget(node);
	node_hear(node, 12, 90);
	assert_string_equal(node->trace, "sa");
}

static void
test_master_hears_resignation(void **state)
{
	become_master();
	node_hear(node, 12, 0);
	assert_string_equal(node->trace, "s");
	assert_int_equal(node_view(node).resigns_received, 1);
}

/* ------------------------------------------------------------------ preemption */

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

/* ------------------------------------------------------------------ resignation of the master */

static void
test_resignation_multicast(void **state)
{
	follow(150);
	node_hear(node, 12, 0);
	assert_why("10.0.0.12 resigned, taking over in 0.61 s");
	world_run_ms(world, 300);
	node_hear(node, 12, 0); /* a second one does not put it off */
	assert_int_equal(until(VRRP_STATE_MASTER), 309);
	assert_string_equal(node->reason, "10.0.0.12 resigned");
}

static void
test_resignation_of_only_peer(void **state)
{
	world_add(world, 150);
	world_unicast(world);
	world->nodes_n = 1;
	follow(150);
	node_hear(node, 12, 0);
	assert_string_equal(node->trace, "cswM");
	assert_string_equal(node->reason, "10.0.0.12 resigned");
}

static void
test_resignation_of_one_of_two(void **state)
{
	world_add(world, 150);
	world_add(world, 120);
	world_unicast(world);
	world->nodes_n = 1;
	follow(150);
	node_hear(node, 12, 0);
	assert_state(VRRP_STATE_BACKUP);
	assert_int_equal(until(VRRP_STATE_MASTER), 609);
}

/* ------------------------------------------------------------------ v3 */

static void
test_v3_learns_interval(void **state)
{
	struct conf_instance other;

	world_v3(world, 100);
	node_start(node);
	other = node->instance;
	node_hear_from(node, &other, 12, 150, 20);
	assert_int_equal(node_view(node).advert_int_cs, 20);
	assert_int_equal(node_view(node).interval_differs, 1);
	assert_int_equal(until(VRRP_STATE_MASTER), 721);      /* 3 x 200 ms and 156/256 of it */
	assert_int_equal(node_view(node).advert_int_cs, 100); /* a master's is its own */
}

/* From a master that we are about to replace nothing is learnt. */
static void
test_v3_does_not_learn_from_lower(void **state)
{
	world_v3(world, 100);
	node_start(node);
	node_hear_from(node, &node->instance, 12, 50, 4000);
	assert_int_equal(node_view(node).advert_int_cs, 100);
}

/* ------------------------------------------------------------------ self-fencing */

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

/* ------------------------------------------------------------------ stop */

static void
test_stop_is_make_before_break(void **state)
{
	become_master();
	vrrp_stop(node->vrrp, world->now, "SIGTERM");
	assert_string_equal(node->trace, "0X");
	assert_string_equal(node->reason, "SIGTERM");
	assert_false(vrrp_stopped(node->vrrp));
	assert_why("resigned (SIGTERM): the VIPs stay until a peer advertises, at most 1.0 s");
	node_hear(node, 12, 0); /* no successor */
	assert_state(VRRP_STATE_RESIGNED);
	node_hear(node, 12, 1); /* any priority will do */
	assert_string_equal(node->trace, "0XurI");
	assert_true(vrrp_stopped(node->vrrp));
	world_run_ms(world, 10000);
	assert_string_equal(node->trace, "0XurI");
	assert_why("stopped: 10.0.0.12 advertises 1, we have 100");
}

static void
test_stop_alone(void **state)
{
	become_master();
	vrrp_stop(node->vrrp, world->now, "SIGTERM");
	assert_int_equal(until(VRRP_STATE_INIT), 1000);
	assert_string_equal(node->trace, "0XurI"); /* and no announcement in between */
	assert_true(vrrp_stopped(node->vrrp));
}

static void
test_stop_of_a_backup(void **state)
{
	follow(150);
	vrrp_stop(node->vrrp, world->now, "SIGTERM");
	assert_string_equal(node->trace, "I");
	assert_true(vrrp_stopped(node->vrrp));
	node_link(node, false);
	node_link(node, true);
	world_run_ms(world, 10000);
	assert_state(VRRP_STATE_INIT);
}

static void
test_stop_during_startup_delay(void **state)
{
	node->conf.startup_delay_ms = 2000;
	node_start(node);
	vrrp_stop(node->vrrp, world->now, "SIGTERM");
	assert_true(vrrp_stopped(node->vrrp));
	world_run_ms(world, 10000);
	assert_string_equal(node->trace, "");
}

static void
test_link_down_while_resigned(void **state)
{
	become_master();
	vrrp_stop(node->vrrp, world->now, "SIGTERM");
	node_link(node, false);
	assert_string_equal(node->trace, "0XurI");
}

/* ------------------------------------------------------------------ faults */

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
test_script_result(void **state)
{
	node->script = (struct conf_script){ .name = "chk", .weight = 0 };
	node->instance.track_scripts = &node->track_script;
	node->instance.track_scripts_n = 1;
	node->conf.scripts = &node->script;
	node->conf.scripts_n = 1;
	become_master();
	vrrp_script_result(node->vrrp, 0, false, world->now);
	assert_string_equal(node->trace, "0urF");
	assert_string_equal(node->reason, "script chk fails");
	vrrp_script_result(node->vrrp, 0, true, world->now);
	assert_state(VRRP_STATE_BACKUP);
}

/* init_fail: until told otherwise, it failed. */
static void
test_script_init_fail(void **state)
{
	node->script = (struct conf_script){ .name = "chk", .init_fail = true };
	node->instance.track_scripts = &node->track_script;
	node->instance.track_scripts_n = 1;
	node->conf.scripts = &node->script;
	node->conf.scripts_n = 1;
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

/* ------------------------------------------------------------------ tenure */

static unsigned
count(char letter)
{
	unsigned n = 0;

	for (const char *c = node->trace; *c; c++)
		n += *c == letter;
	return n;
}

/* Every 500 ms until a dead peer's lease is over, then keepalived's five after five seconds. */
static void
test_announcements(void **state)
{
	node->conf.vip_lease_s = 3;
	become_master();
	world_run_ms(world, 490);
	assert_int_equal(count('a'), 0);
	world_run_ms(world, 3100);
	assert_int_equal(count('a'), 7); /* 0.5, 1.0, … 3.5 s */
	world_run_ms(world, 1300);
	assert_int_equal(count('a'), 7);
	world_run_ms(world, 200);
	assert_int_equal(count('a'), 12);
	world_run_ms(world, 60000);
	assert_int_equal(count('a'), 12);
}

static void
test_refresh(void **state)
{
	node->instance.garp_master_delay_ms = 0;
	node->instance.garp_master_refresh_ms = 10000;
	node->instance.garp_master_refresh_repeat = 2;
	become_master();
	world_run_ms(world, 5000);
	node_forget(node);
	world_run_ms(world, 30000);
	assert_int_equal(count('a'), 6);
}

static void
test_lease_is_renewed(void **state)
{
	node->conf.vip_lease_s = 3;
	become_master();
	world_run_ms(world, 60000);
	assert_state(VRRP_STATE_MASTER);
	assert_int_not_equal(node_view(node).renewed.ns, 0);
}

/* No renewal for three quarters of the lease: resigns while the VIPs are still there, and stays away
 * until the guardian is heard. */
static void
test_lease_lapses(void **state)
{
	struct mono renewed;

	node->conf.vip_lease_s = 4;
	become_master();
	world_run_ms(world, 9000);
	renewed = node_view(node).renewed;
	node_forget(node);
	node->guardian_deaf = true;
	assert_int_not_equal(until(VRRP_STATE_FAULT), -1);
	assert_in_range(mono_since_ms(world->now, renewed), 3000, 3002);
	assert_int_equal(count('0'), 1);
	assert_why("the VIPs are about to lapse: their lease is not renewed");
	node_forget(node);
	world_run_ms(world, 60000);
	assert_string_equal(node->trace, "");
	vrrp_released(node->vrrp, 0, world->now);
	assert_state(VRRP_STATE_BACKUP);
}

/* A claim nobody answers is no better. */
static void
test_claim_unanswered(void **state)
{
	node->conf.vip_lease_s = 4;
	node->guardian_deaf = true;
	node_start(node);
	assert_int_not_equal(until(VRRP_STATE_MASTER), -1);
	assert_int_equal(until(VRRP_STATE_FAULT), 3000);
	node_link(node, true); /* a fact about a link is word from the guardian, too */
	assert_state(VRRP_STATE_BACKUP);
}

static void
test_claim_fails(void **state)
{
	node->claim_error = -EPERM;
	node_start(node);
	assert_int_not_equal(until(VRRP_STATE_MASTER), -1);
	world_run_ms(world, 2);
	assert_state(VRRP_STATE_FAULT);
	assert_why("the VIPs could not be added: Operation not permitted");
	node->claim_error = 0;
	assert_in_range(until(VRRP_STATE_BACKUP), 4990, 5000);
	assert_int_equal(until(VRRP_STATE_MASTER), 3609);
	world_run_ms(world, 1000);
	assert_state(VRRP_STATE_MASTER);
}

static void
test_restored(void **state)
{
	become_master();
	vrrp_restored(node->vrrp, 0, 2, world->now);
	assert_string_equal(node->trace, "a");
	assert_int_equal(node_view(node).vips_restored, 2);
}

static void
test_confirm(void **state)
{
	become_master();
	assert_true(vrrp_confirm(node->vrrp, 0, world->now));
	assert_string_equal(node->trace, "d");
	/* away too long: no */
	node->running = false;
	world_run_ms(world, 5000);
	assert_false(vrrp_confirm(node->vrrp, 0, world->now));
	assert_state(VRRP_STATE_BACKUP);
}

/* A better master's word waits in the queue: no, again. */
static void
test_confirm_drains(void **state)
{
	struct node *peer = world_add(world, 150);

	world->nodes_n = 1;
	become_master();
	world_run_ms(world, 600);
	world->nodes_n = 2;
	peer->instance.priority = 255;
	node_start(peer);
	world->now = mono_add_ms(world->now, 1);
	assert_state(VRRP_STATE_MASTER);
	assert_false(vrrp_confirm(node->vrrp, 0, world->now));
}

/* ------------------------------------------------------------------ drops */

static void
test_drops_are_counted(void **state)
{
	struct conf_instance other;
	static const uint8_t nonsense[] = { 1, 2, 3 };

	node_start(node);
	other = node->instance;
	other.vrid = 52;
	node_hear_from(node, &other, 12, 150, 100);
	other = node->instance;
	other.auth = CONF_AUTH_PASS;
	node_hear_from(node, &other, 12, 150, 100);
	other = node->instance;
	other.version = 3;
	node_hear_from(node, &other, 12, 150, 100);
	node_hear_from(node, &node->instance, 12, 150, 500);
	node_hear(node, 11, 150);
	vrrp_receive(node->vrrp, 0, nonsense, sizeof nonsense, world->now);

	assert_int_equal(node_view(node).drops[VRRP_DROP_VRID], 1);
	assert_int_equal(node_view(node).drops[VRRP_DROP_AUTH_TYPE], 1);
	assert_int_equal(node_view(node).drops[VRRP_DROP_VERSION], 1);
	assert_int_equal(node_view(node).drops[VRRP_DROP_ADVERT_INTERVAL], 1);
	assert_int_equal(node_view(node).drops[VRRP_DROP_OWN], 1);
	assert_int_equal(node_view(node).drops[VRRP_DROP_IP_HEADER], 1);
	assert_int_equal(node_view(node).adverts_received, 0);
	assert_int_equal(node_view(node).peer.family, AF_UNSPEC);
}

/* Another list of addresses is counted, and followed all the same: no two masters over a change. */
static void
test_list_differs(void **state)
{
	struct conf_vip vip = { .ip = ip4("10.0.0.99") };
	struct conf_instance other;

	node_start(node);
	other = node->instance;
	other.vips = &vip;
	node_hear_from(node, &other, 12, 150, 100);
	assert_int_equal(node_view(node).list_differs, 1);
	assert_int_equal(node_view(node).peer_priority, 150);
}

static void
test_transition_text(void **state)
{
	struct vrrp_transition_note note = { .to = VRRP_STATE_MASTER };
	char text[64];

	node_start(node);
	assert_string_equal(vrrp_transition_text(&node->conf, &note, text, sizeof text),
			    "(VI_1) Entering MASTER STATE");
	note.to = VRRP_STATE_RESIGNED;
	assert_string_equal(vrrp_transition_text(&node->conf, &note, text, sizeof text),
			    "(VI_1) sent 0 priority");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_take_over),
		TEST(test_owner_starts_as_master),
		TEST(test_startup_delay),
		TEST(test_no_lone_take_over_during_startup_delay),
		TEST(test_cadence),
		TEST(test_cadence_when_late),
		TEST(test_backup_follows),
		TEST(test_master_yields),
		TEST(test_master_tie),
		TEST(test_master_reannounces),
		TEST(test_v3_master_answers_lower),
		TEST(test_master_hears_resignation),
		TEST(test_preempt),
		TEST(test_nopreempt),
		TEST(test_nopreempt_fallen_master),
		TEST(test_fallen_master_recovers),
		TEST(test_nopreempt_strict),
		TEST(test_peak_is_per_peer),
		TEST(test_fallen_master),
		TEST(test_fallen_master_while_moving),
		TEST(test_outranked),
		TEST(test_preempt_delay),
		TEST(test_preempt_delay_is_said),
		TEST(test_owner_ignores_nopreempt),
		TEST(test_resignation_multicast),
		TEST(test_resignation_of_only_peer),
		TEST(test_resignation_of_one_of_two),
		TEST(test_v3_learns_interval),
		TEST(test_v3_does_not_learn_from_lower),
		TEST(test_fence),
		TEST(test_fence_hears_the_peer),
		TEST(test_no_fence_for_a_hiccup),
		TEST(test_drain_before_promotion),
		TEST(test_late_down_timer_listens_again),
		TEST(test_stop_is_make_before_break),
		TEST(test_stop_alone),
		TEST(test_stop_of_a_backup),
		TEST(test_stop_during_startup_delay),
		TEST(test_link_down_while_resigned),
		TEST(test_link_down),
		TEST(test_address_lost),
		TEST(test_starts_in_fault),
		TEST(test_script_result),
		TEST(test_script_init_fail),
		TEST(test_priority_change_is_advertised),
		TEST(test_startup_waits_for_health),
		TEST(test_startup_does_not_wait_for_ever),
		TEST(test_proxy_that_never_starts),
		TEST(test_proxy_stuck),
		TEST(test_announcements),
		TEST(test_refresh),
		TEST(test_lease_is_renewed),
		TEST(test_lease_lapses),
		TEST(test_claim_unanswered),
		TEST(test_claim_fails),
		TEST(test_restored),
		TEST(test_confirm),
		TEST(test_confirm_drains),
		TEST(test_drops_are_counted),
		TEST(test_list_differs),
		TEST(test_transition_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
