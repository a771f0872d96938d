/*
 * test_signed.c - instances with auth_hmac: what an attacker on the link cannot do, what a restart
 * must not forget, and that a pair gets along at every step from no signatures to enforced ones.
 */
#include "alone.h"

#include "vrrpd/auth_hmac.h"

#include <stdlib.h>
#include <string.h>

#define WALL_NS (INT64_C(1800000000) * NS_PER_S)

static struct conf_hmac_key keys[2];
static struct conf_hmac hmac[2];
static uint8_t captured[96];
static size_t captured_len;

/* Node `n` signs and asks for signatures. */
static void
with_hmac(unsigned n)
{
	struct node *it = &world->nodes[n];

	for (unsigned k = 0; k < 2; k++) {
		keys[k] = (struct conf_hmac_key){ .id = (uint8_t)(k + 1), .len = 32 };
		memset(keys[k].bytes, 'a' + (int)k, 32);
	}
	hmac[n] = (struct conf_hmac){
		.keys = keys, .keys_n = 2, .active_key = 1, .time_window_s = 5
	};
	it->instance.hmac = &hmac[n];
	it->wall_ns = WALL_NS;
}

static int
setup(void **state)
{
	alone_setup(state);
	with_hmac(0);
	return 0;
}

/* An advertisement of 10.0.0.12, signed `late_s` ago with what `from` has; kept in `captured`. */
static void
hear_signed(const struct conf_hmac *from, uint8_t priority, int64_t late_s)
{
	struct ip source = ip4("10.0.0.12");
	struct vrrp_hmac *signer = vrrp_hmac_new(from);
	struct vrrp_hmac_mark sent;
	uint8_t pdu[VRRP_PDU_MAX];
	int64_t wall_ns = world->now.ns + WALL_NS - late_s * NS_PER_S;
	int len;

	assert_non_null(signer);
	len = vrrp_packet_build(&node->instance, &source, &node->conf.mcast_group4, priority, 100,
				pdu, sizeof pdu);
	memset(&sent, 0, sizeof sent);
	len = vrrp_packet_sign(signer, &sent, vrrp_hmac_clock(wall_ns), &source,
			       &node->conf.mcast_group4, pdu, (size_t)len, sizeof pdu);
	captured_len = datagram_make(&source, &node->conf.mcast_group4, VRRP_TTL, pdu, (size_t)len,
				     captured);
	vrrp_hmac_free(signer);
	vrrp_receive(node->vrrp, 0, captured, captured_len, world->now);
}

static void
hear_captured(void)
{
	vrrp_receive(node->vrrp, 0, captured, captured_len, world->now);
}

static uint64_t
sent_sequence(const struct node *n)
{
	assert_true(n->sent_len > VRRP_HMAC_TRAILER_LEN);
	return vrrp_hmac_stamp(n->sent_pdu + n->sent_len - VRRP_HMAC_TRAILER_LEN).sequence;
}

/* ------------------------------------------------------------------ attacks */

/* Each way of attack, on a master that would step down and on a backup that would stay or take
 * over: nothing happens but a count. */
static void
attack(bool master)
{
	struct conf_hmac forger = hmac[0];
	struct conf_hmac_key unknown[1] = { { .id = 7, .len = 32 } }, wrong[1] = { keys[0] };
	enum vrrp_state state = master ? VRRP_STATE_MASTER : VRRP_STATE_BACKUP;
	int64_t left_ns;
	struct vrrp_view before;

	if (master) {
		become_master();
	} else {
		node_start(node);
		hear_signed(&hmac[0], 150, 0);
	}
	before = node_view(node);
	left_ns = mono_since(before.next, world->now);

	node_hear(node, 12, master ? 255 : 0);
	if (!master)
		hear_captured(); /* once more */
	hear_signed(&hmac[0], master ? 255 : 0, 6);
	hear_signed(&hmac[0], master ? 255 : 0, -6);
	unknown->bytes[0] = 1;
	forger.keys = unknown;
	forger.keys_n = 1;
	forger.active_key = 7;
	hear_signed(&forger, master ? 255 : 0, 0);
	wrong->bytes[31]++;
	forger.keys = wrong;
	forger.active_key = 1;
	hear_signed(&forger, master ? 255 : 0, 0);
	captured[captured_len - VRRP_HMAC_TRAILER_LEN] = 2;
	hear_captured();

	assert_state(state);
	assert_int_equal(node_view(node).drops[VRRP_DROP_HMAC_MISSING], 1);
	assert_int_equal(node_view(node).drops[VRRP_DROP_HMAC_REPLAY], !master);
	assert_int_equal(node_view(node).drops[VRRP_DROP_HMAC_TIME], 2);
	assert_int_equal(node_view(node).drops[VRRP_DROP_HMAC_KEY], 1);
	assert_int_equal(node_view(node).drops[VRRP_DROP_HMAC_FORGED], 1);
	assert_int_equal(node_view(node).drops[VRRP_DROP_HMAC_KIND], 1);
	assert_int_equal(node_view(node).adverts_received, before.adverts_received);
	assert_int_equal(node_view(node).peer_priority, before.peer_priority);
	assert_true(mono_since(node_view(node).next, world->now) == left_ns);
}

static void
test_attacks_on_a_master(void **state)
{
	attack(true);
}

static void
test_attacks_on_a_backup(void **state)
{
	attack(false);
}

/* A master's last words before it failed do not keep its backup waiting. */
static void
test_a_dead_master_is_not_replayed_to_life(void **state)
{
	node_start(node);
	hear_signed(&hmac[0], 150, 0);
	for (unsigned i = 0; i < 30; i++) {
		world_run_ms(world, 100);
		hear_captured();
	}
	assert_int_equal(node_view(node).drops[VRRP_DROP_HMAC_REPLAY], 30);
	assert_in_range(until(VRRP_STATE_MASTER), 500, 700); /* 3.61 s after it was heard */
}

/* ------------------------------------------------------------------ what is told */

static void
test_view(void **state)
{
	hmac[0].mode = CONF_HMAC_PERMISSIVE;
	node_start(node);
	node_hear(node, 12, 150);
	assert_int_equal(node_view(node).unsigned_taken, 1);
	assert_int_equal(node_view(node).peer_key, 0);
	hmac[0].active_key = 2;
	hear_signed(&hmac[0], 150, 3);
	assert_int_equal(node_view(node).unsigned_taken, 1);
	assert_int_equal(node_view(node).peer_key, 2);
	assert_int_equal(node_view(node).peer_ahead_s, -3);
	assert_int_equal(node_view(node).adverts_received, 2);
}

/* ------------------------------------------------------------------ what we send */

/* Two in one instant, a clock that stands still or goes back: the sequence grows. */
static void
test_sequence_grows(void **state)
{
	uint64_t last = 0;

	become_master();
	for (unsigned i = 0; i < 20; i++) {
		unsigned before = node->sent_n;

		if (i % 4 == 3)
			node->wall_ns -= NS_PER_S / 2;
		if (i % 2)
			hear_signed(&hmac[0], 0, 0); /* a master answers that at once */
		else
			world_run_ms(world, 1000);
		assert_true(node->sent_n > before);
		assert_true((int64_t)(sent_sequence(node) - last) > 0);
		last = sent_sequence(node);
	}
	vrrp_stop(node->vrrp, world->now, "test");
	assert_int_equal(node->sent_priority, 0);
	assert_true((int64_t)(sent_sequence(node) - last) > 0);
}

static void
test_receive_only_does_not_sign(void **state)
{
	hmac[0].mode = CONF_HMAC_RECEIVE_ONLY;
	become_master();
	world_run_ms(world, 1000);
	assert_int_equal(node->sent_len, 8 + 4 + 8);
	hmac[0].mode = CONF_HMAC_PERMISSIVE;
	world_run_ms(world, 1000);
	assert_int_equal(node->sent_len, 8 + 4 + 8 + 28);
}

/* Each peer gets one of its own. */
static void
test_unicast(void **state)
{
	uint64_t first;

	node->peers[0].ip = ip4("10.0.0.12");
	node->peers[1].ip = ip4("10.0.0.13");
	node->instance.unicast_peers = node->peers;
	node->instance.unicast_peers_n = 2;
	become_master();
	world_run_ms(world, 1000);
	first = sent_sequence(node);
	assert_int_equal(node->sent_n, 2);
	world_run_ms(world, 1000);
	assert_int_equal(node->sent_n, 4);
	assert_true(sent_sequence(node) > first);
}

/* ------------------------------------------------------------------ restart */

/* A new engine with the old marks, as after a crash of the worker. */
static void
test_restart(void **state)
{
	struct vrrp_hmac_mark marks[1 + VRRP_HMAC_SENDERS];
	uint64_t before;

	memset(marks, 0, sizeof marks);
	node_start(node);
	assert_int_equal(vrrp_marks_n(&node->conf), sizeof marks / sizeof *marks);
	vrrp_keep_marks(node->vrrp, marks);
	hear_signed(&hmac[0], 150, 0);
	assert_int_equal(node_view(node).adverts_received, 1);
	assert_int_not_equal(until(VRRP_STATE_MASTER), -1);
	before = sent_sequence(node);

	vrrp_free(node->vrrp);
	node->wall_ns -= 4 * NS_PER_S; /* the clock alone would not do */
	node_start(node);
	vrrp_keep_marks(node->vrrp, marks);
	hear_captured();
	assert_int_equal(node_view(node).adverts_received, 0);
	assert_int_not_equal(until(VRRP_STATE_MASTER), -1);
	assert_true((int64_t)(sent_sequence(node) - before) > 0);
	assert_int_equal(node_view(node).drops[VRRP_DROP_HMAC_REPLAY], 1);
}

/* ------------------------------------------------------------------ a pair */

static int
setup_pair(void **state)
{
	alone_setup(state);
	world_add(world, 150);
	with_hmac(0);
	with_hmac(1);
	return 0;
}

static void
assert_settled(void)
{
	world_run_ms(world, 10000);
	assert_int_equal(node_state(&world->nodes[0]), VRRP_STATE_BACKUP);
	assert_int_equal(node_state(&world->nodes[1]), VRRP_STATE_MASTER);
	assert_int_equal(node_view(&world->nodes[1]).became_master, 1);
}

/* Backwards through the modes, one node at a time: who is master stays master. */
static void
test_to_signatures(void **state)
{
	static const enum conf_hmac_mode steps[] = { CONF_HMAC_PERMISSIVE, CONF_HMAC_ENFORCE };

	hmac[0].mode = hmac[1].mode = CONF_HMAC_RECEIVE_ONLY;
	world_start(world);
	assert_settled();
	for (unsigned s = 0; s < 2; s++) {
		for (unsigned n = 0; n < 2; n++) {
			hmac[n].mode = steps[s];
			assert_settled();
		}
	}
	assert_true(node_view(&world->nodes[0]).unsigned_taken > 0);
	for (unsigned d = VRRP_DROP_HMAC_MISSING; d < VRRP_DROP_N; d++)
		assert_int_equal(node_view(&world->nodes[0]).drops[d], 0);
}

static void
test_to_another_key(void **state)
{
	world_start(world);
	assert_settled();
	for (unsigned n = 0; n < 2; n++) {
		hmac[n].active_key = 2;
		assert_settled();
	}
	assert_int_equal(node_view(&world->nodes[0]).peer_key, 2);
	for (unsigned d = VRRP_DROP_HMAC_MISSING; d < VRRP_DROP_N; d++)
		assert_int_equal(node_view(&world->nodes[0]).drops[d], 0);
}

/* Clocks that differ by more than the window: two masters, but each knows why. */
static void
test_clocks_differ(void **state)
{
	world->nodes[1].wall_ns += 7 * NS_PER_S;
	world_start(world);
	world_run_ms(world, 10000);
	assert_int_equal(node_state(&world->nodes[0]), VRRP_STATE_MASTER);
	assert_true(node_view(&world->nodes[0]).drops[VRRP_DROP_HMAC_TIME] > 0);
	world->nodes[1].wall_ns -= 7 * NS_PER_S;
	world_run_ms(world, 10000);
	assert_int_equal(node_state(&world->nodes[0]), VRRP_STATE_BACKUP);
	assert_int_equal(node_state(&world->nodes[1]), VRRP_STATE_MASTER);
}

#define SIGNED(test) cmocka_unit_test_setup_teardown(test, setup, alone_teardown)
#define PAIR(test)   cmocka_unit_test_setup_teardown(test, setup_pair, alone_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SIGNED(test_attacks_on_a_master),
		SIGNED(test_attacks_on_a_backup),
		SIGNED(test_a_dead_master_is_not_replayed_to_life),
		SIGNED(test_view),
		SIGNED(test_sequence_grows),
		SIGNED(test_receive_only_does_not_sign),
		SIGNED(test_unicast),
		SIGNED(test_restart),
		PAIR(test_to_signatures),
		PAIR(test_to_another_key),
		PAIR(test_clocks_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
