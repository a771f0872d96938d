/*
 * test_tenure.c - announcements, lease, and the answers of the guardian.
 */
#include "alone.h"

#include <errno.h>

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

/* Neighbours must learn another MAC of the link that the addresses are on, and only of that. */
static void
test_another_mac(void **state)
{
	become_master();
	world_run_ms(world, 60000);
	node_forget(node);
	node_link(node, true);
	assert_int_equal(count('a'), 0);
	node->link.mac[5]++;
	node_link(node, true);
	assert_int_equal(count('a'), 1);
	world_run_ms(world, 60000);
	assert_in_range(count('a'), 2, 20);
	node->vip.interface = 1;
	node_forget(node);
	node->link.mac[5]++;
	node_link(node, true);
	assert_int_equal(count('a'), 0);
}

/* A backup has nothing to announce. */
static void
test_another_mac_of_a_backup(void **state)
{
	node_start(node);
	node->link.mac[5]++;
	node_link(node, true);
	assert_state(VRRP_STATE_BACKUP);
	assert_int_equal(count('a'), 0);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(test_announcements),    ALONE(test_refresh),
		ALONE(test_another_mac),      ALONE(test_another_mac_of_a_backup),
		ALONE(test_lease_is_renewed), ALONE(test_lease_lapses),
		ALONE(test_claim_unanswered), ALONE(test_claim_fails),
		ALONE(test_restored),         ALONE(test_confirm),
		ALONE(test_confirm_drains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
