/*
 * test_namesakes.c - two instances of one id on one interface: each hears its own peers only.
 */
#include "grouped.h"

static struct conf_peer one[2];

static int
setup(void **state)
{
	grouped_setup(state);
	conf.groups_n = 0;
	for (unsigned i = 0; i < 2; i++) {
		one[i].ip = ip4(i ? "10.0.1.13" : "10.0.1.12");
		instances[i].interface = 0;
		instances[i].vrid = 51;
		instances[i].group = NULL;
		instances[i].unicast_peers = &one[i];
		instances[i].unicast_peers_n = 1;
	}
	return 0;
}

static void
hear_from(const char *from, const char *to_text)
{
	uint8_t pdu[VRRP_PDU_MAX], packet[256];
	struct ip source = ip4(from), to = ip4(to_text);
	int len = vrrp_packet_build(&instances[0], &source, &to, 150, 10, pdu, sizeof pdu);

	assert_true(len > 0);
	vrrp_receive(vrrp, 0, packet,
		     datagram_make(&source, &to, VRRP_TTL, pdu, (size_t)len, packet), now);
}

static uint64_t
heard(uint32_t instance)
{
	struct vrrp_view view;

	vrrp_view(vrrp, instance, now, &view);
	return view.adverts_received;
}

static uint64_t
nobodys(void)
{
	struct vrrp_view view;

	vrrp_view(vrrp, 0, now, &view);
	return view.drops[VRRP_DROP_VRID];
}

static void
test_unicast(void **state)
{
	grouped_start();
	hear_from("10.0.1.12", "10.0.1.11");
	assert_int_equal(heard(0), 1);
	assert_int_equal(heard(1), 0);
	hear_from("10.0.1.13", "10.0.1.11");
	hear_from("10.0.1.13", "10.0.1.11");
	assert_int_equal(heard(0), 1);
	assert_int_equal(heard(1), 2);
	hear_from("10.0.1.14", "10.0.1.11"); /* nobody's peer */
	hear_from("10.0.1.12", "224.0.0.18");
	assert_int_equal(heard(0) + heard(1), 3);
	assert_int_equal(nobodys(), 2);
}

/* One of them multicast: the destination says which is meant. */
static void
test_multicast_beside_unicast(void **state)
{
	instances[1].unicast_peers_n = 0;
	grouped_start();
	hear_from("10.0.1.12", "224.0.0.18");
	assert_int_equal(heard(0), 0);
	assert_int_equal(heard(1), 1);
	hear_from("10.0.1.12", "10.0.1.11");
	assert_int_equal(heard(0), 1);
	assert_int_equal(heard(1), 1);
}

/* Both multicast, each in a group of its own (`mcast_dst_ip`). */
static void
test_two_groups(void **state)
{
	instances[0].unicast_peers_n = instances[1].unicast_peers_n = 0;
	instances[1].mcast_group = ip4("224.0.0.119");
	grouped_start();
	hear_from("10.0.1.12", "224.0.0.119");
	hear_from("10.0.1.12", "224.0.0.119");
	assert_int_equal(heard(0), 0);
	assert_int_equal(heard(1), 2);
	hear_from("10.0.1.12", "224.0.0.18");
	assert_int_equal(heard(0), 1);
	assert_int_equal(heard(1), 2);
	hear_from("10.0.1.12", "224.0.0.120");
	assert_int_equal(nobodys(), 1);
	instances[1].mcast_group.family = AF_UNSPEC;
}

/* Without a namesake the instance itself says why it does not listen. */
static void
test_of_another_id(void **state)
{
	struct vrrp_view view;

	instances[1].vrid = 52;
	grouped_start();
	hear_from("10.0.1.14", "10.0.1.11");
	assert_int_equal(nobodys(), 0);
	vrrp_view(vrrp, 0, now, &view);
	assert_int_equal(view.drops[VRRP_DROP_PEER], 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_unicast, setup, grouped_teardown),
		cmocka_unit_test_setup_teardown(test_multicast_beside_unicast, setup,
						grouped_teardown),
		cmocka_unit_test_setup_teardown(test_two_groups, setup, grouped_teardown),
		cmocka_unit_test_setup_teardown(test_of_another_id, setup, grouped_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
