/*
 * test_receive.c - advertisements that are refused or looked at twice.
 */
#include "alone.h"

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

/* RFC 9568 section 7.1 has an owner discard all; without the directive two owners settle it. */
static void
test_two_owners(void **state)
{
	for (unsigned ignore = 0; ignore < 2; ignore++) {
		node->instance.priority = 255;
		node->instance.owner_ignore_adverts = ignore;
		become_master();
		node_hear(node, 10, 255); /* a lower address */
		assert_state(VRRP_STATE_MASTER);
		node_hear(node, 12, 0);
		node_hear(node, 12, 255);
		assert_state(ignore ? VRRP_STATE_MASTER : VRRP_STATE_BACKUP);
		assert_int_equal(node_view(node).drops[VRRP_DROP_OWNER], ignore ? 3 : 0);
		vrrp_stop(node->vrrp, world->now, "test");
		node_hear(node, 12, 100); /* whoever follows is heard */
		assert_state(VRRP_STATE_INIT);
		vrrp_free(node->vrrp);
		node->vrrp = NULL;
		node->wants = WANTS_NOTHING;
	}
	become_master();
}

static void
test_transition_text(void **state)
{
	struct vrrp_transition_note note = { .from = VRRP_STATE_BACKUP, .to = VRRP_STATE_MASTER };
	char text[64];

	node_start(node);
	assert_string_equal(vrrp_transition_text(&node->conf, &note, text, sizeof text),
			    "(VI_1) Entering MASTER STATE");
	note.from = VRRP_STATE_INIT;
	assert_string_equal(vrrp_transition_text(&node->conf, &note, text, sizeof text),
			    "(VI_1) Entering MASTER STATE");
	note.to = VRRP_STATE_BACKUP;
	assert_string_equal(vrrp_transition_text(&node->conf, &note, text, sizeof text),
			    "(VI_1) Entering BACKUP STATE (init)");
	note.to = VRRP_STATE_FAULT;
	assert_string_equal(vrrp_transition_text(&node->conf, &note, text, sizeof text),
			    "(VI_1) Entering FAULT STATE (init)");
	note.from = VRRP_STATE_MASTER;
	assert_string_equal(vrrp_transition_text(&node->conf, &note, text, sizeof text),
			    "(VI_1) Entering FAULT STATE");
	note.to = VRRP_STATE_RESIGNED;
	assert_string_equal(vrrp_transition_text(&node->conf, &note, text, sizeof text),
			    "(VI_1) sent 0 priority");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(test_drops_are_counted),
		ALONE(test_list_differs),
		ALONE(test_two_owners),
		ALONE(test_transition_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
