/*
 * test_election.c - one node that hears what the test lets it hear: who becomes master, and who
 * ceases to be.
 */
#include "alone.h"

#include <string.h>

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

/* Whatever is over last counts. */
static void
test_delay_after_boot(void **state)
{
	node->conf.boot_delay_ms = (uint32_t)(world->now.ns / NS_PER_MS) + 3000;
	node->conf.startup_delay_ms = 2000;
	node_start(node);
	assert_state(VRRP_STATE_INIT);
	assert_why("startup delay, 3.0 s more");
	assert_int_equal(until(VRRP_STATE_BACKUP), 3000);
}

static void
test_delay_after_boot_is_over(void **state)
{
	node->conf.boot_delay_ms = (uint32_t)(world->now.ns / NS_PER_MS);
	node_start(node);
	assert_state(VRRP_STATE_BACKUP);
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

/* After a split the neighbours may point at the loser, which announces until it hears us: announced
 * at once, at most once a second, and in rounds for two intervals after its last word. */
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

	node_forget(node);
	world_run_ms(world, 4600);
	assert_string_equal(node->trace, "aasaasass");
	node_forget(node);
	world_run_ms(world, 5000);
	assert_null(strchr(node->trace, 'a'));
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
	node_hear(node, 12, 90); /* waited behind the first one */
	assert_string_equal(node->trace, "sa");
	world_run_ms(world, 1);
	node_hear(node, 12, 90);
	assert_string_equal(node->trace, "sas");
}

/* Third nodes learn from it how soon to expect the winner again. */
static void
test_v3_last_word_has_the_winners_interval(void **state)
{
	world_v3(world, 10);
	become_master();
	node_hear_from(node, &node->instance, 12, 150, 100);
	assert_state(VRRP_STATE_BACKUP);
	assert_int_equal(node->sent_priority, 100);
	assert_int_equal(node->sent_interval_cs, 100);
	assert_int_not_equal(until(VRRP_STATE_MASTER), -1);
	assert_int_equal(node->sent_interval_cs, 10);
}

static void
test_master_hears_resignation(void **state)
{
	become_master();
	node_hear(node, 12, 0);
	assert_string_equal(node->trace, "s");
	assert_int_equal(node_view(node).resigns_received, 1);
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
follow_only_peer(void)
{
	world_add(world, 150);
	world_unicast(world);
	world->nodes_n = 1;
	follow(150);
}

/* In the same turn, but not before the rest of the queue. */
static void
test_resignation_of_only_peer(void **state)
{
	follow_only_peer();
	node_hear(node, 12, 0);
	assert_string_equal(node->trace, "");
	timer_heap_run(&node->timers, world->now);
	assert_string_equal(node->trace, "dcswM");
	assert_string_equal(node->reason, "10.0.0.12 resigned");
}

static void
test_resignation_taken_back(void **state)
{
	follow_only_peer();
	node_hear(node, 12, 0);
	node_hear(node, 12, 150); /* has started again, and both waited in the queue */
	timer_heap_run(&node->timers, world->now);
	assert_state(VRRP_STATE_BACKUP);
	assert_string_equal(node->trace, "");
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(test_take_over),
		ALONE(test_owner_starts_as_master),
		ALONE(test_startup_delay),
		ALONE(test_delay_after_boot),
		ALONE(test_delay_after_boot_is_over),
		ALONE(test_no_lone_take_over_during_startup_delay),
		ALONE(test_cadence),
		ALONE(test_cadence_when_late),
		ALONE(test_backup_follows),
		ALONE(test_master_yields),
		ALONE(test_master_tie),
		ALONE(test_master_reannounces),
		ALONE(test_v3_master_answers_lower),
		ALONE(test_v3_last_word_has_the_winners_interval),
		ALONE(test_master_hears_resignation),
		ALONE(test_resignation_multicast),
		ALONE(test_resignation_of_only_peer),
		ALONE(test_resignation_taken_back),
		ALONE(test_resignation_of_one_of_two),
		ALONE(test_v3_learns_interval),
		ALONE(test_v3_does_not_learn_from_lower),
		ALONE(test_stop_is_make_before_break),
		ALONE(test_stop_alone),
		ALONE(test_stop_of_a_backup),
		ALONE(test_stop_during_startup_delay),
		ALONE(test_link_down_while_resigned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
