/*
 * test_lease.c - claim, lease, renewal, restoration, strays, freeze and will, against the kernel of a
 * network namespace.  Waiting is always for an event (an address that goes), with a bound.
 */
#include "daemon/neighbour_frame.h"
#include "lease_fixture.h"
#include "tests/unit/margin.h"
#include "vrrpd/packet.h"

#include <linux/ip.h>
#include <net/ethernet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MANY   100 /* more than a batch */
#define LONG_S 60  /* a lease that outlives the test, on whatever machine */

static bool
is_settled(void *ctx)
{
	struct lease_fixture *f = ctx;

	/* Events are in the socket's queue as soon as the change is made: one turn reads them. */
	loop_turn(&f->loop);
	return true;
}

static void
turn(struct lease_fixture *f)
{
	assert_true(lab_turn_until(&f->loop, is_settled, f, WAIT_MS));
}

static bool
is_gone(void *ctx)
{
	return !lab_has("10.9.1.1");
}

static bool
is_restored(void *ctx)
{
	return ((struct lease_fixture *)ctx)->told[REQUEST_RESTORED] > 0;
}

static void
test_claim_and_release(void **state)
{
	struct lease_fixture f;

	lease_fixture_begin(&f, AF_INET, MANY, LONG_S);
	leases_claim(&f.leases, 0, mono_now());
	assert_int_equal(f.told[REQUEST_CLAIMED], 1);
	assert_int_equal(f.error, 0);
	assert_int_equal(f.vips_n, MANY);
	assert_true(lab_has("10.9.1.1"));
	assert_true(lab_has("10.9.1.100"));
	assert_int_equal(leases_claimed(&f.leases), 1);

	/* Our own change is no reason to do anything. */
	turn(&f);
	assert_int_equal(f.told[REQUEST_RESTORED], 0);

	leases_release(&f.leases, 0, mono_now());
	assert_int_equal(f.told[REQUEST_RELEASED], 1);
	assert_int_equal(f.error, 0);
	assert_false(lab_has("10.9.1.1"));
	assert_false(lab_has("10.9.1.100"));
	assert_true(lab_has(LAB_HOST));
	turn(&f);
	assert_int_equal(f.told[REQUEST_RESTORED], 0);
	lease_fixture_end(&f);
}

static void
test_announcements(void **state)
{
	struct lease_fixture f;
	uint8_t frame[128], wanted[NEIGHBOUR_FRAME_MAX];
	int fd = lab_capture(ETHERTYPE_ARP);
	unsigned frames = 0;

	lease_fixture_begin(&f, AF_INET, 2, LONG_S);
	leases_claim(&f.leases, 0, mono_now());
	while (lab_next_frame(fd, frame, sizeof frame)) {
		neighbour_frame_tell(wanted, f.watch.links[0].mac,
				     &f.conf->instances[0].vips[frames % 2].ip);
		assert_memory_equal(frame, wanted, NEIGHBOUR_ARP_LEN);
		frames++;
	}
	assert_int_equal(frames, 5 * 2);
	leases_release(&f.leases, 0, mono_now());
	leases_ask_announce(&f.leases, 0); /* not ours any more */
	leases_announce(&f.leases);
	assert_int_equal(lab_next_frame(fd, frame, sizeof frame), 0);
	close(fd);
	lease_fixture_end(&f);
}

static void
test_the_schedule(void **state)
{
	struct lease_fixture f;
	struct lease *lease;

	lease_fixture_begin(&f, AF_INET, 1, 3);
	lease = &f.leases.at[0];
	assert_false(lease_is_due(lease, mono_add_ms(mono_now(), 100000)));
	leases_claim(&f.leases, 0, mono_now());
	assert_int_equal(mono_since(lease->due, f.at), 1500 * NS_PER_MS);
	assert_false(lease_is_due(lease, mono_add_ms(f.at, 1499)));
	assert_true(lease_is_due(lease, mono_add_ms(f.at, 1500)));

	leases_renew(&f.leases, mono_add_ms(f.at, 1499));
	assert_int_equal(f.told[REQUEST_RENEWED], 0);
	leases_renew(&f.leases, mono_add_ms(f.at, 1500));
	assert_int_equal(f.told[REQUEST_RENEWED], 1);
	assert_int_equal(f.error, 0);
	assert_int_equal(mono_since(lease->due, f.at), 1500 * NS_PER_MS);

	lease->frozen = true;
	assert_false(lease_is_due(lease, mono_add_ms(f.at, 100000)));

	assert_false(lease_is_late(f.conf, 1500 * NS_PER_MS));
	assert_true(lease_is_late(f.conf, 1501 * NS_PER_MS));
	lease_fixture_end(&f);
}

static void
test_permanent_vips_are_never_due(void **state)
{
	struct lease_fixture f;

	lease_fixture_begin(&f, AF_INET, 1, 0);
	leases_claim(&f.leases, 0, mono_now());
	assert_false(lease_is_due(&f.leases.at[0], mono_add_ms(f.at, 1000000)));
	lease_fixture_end(&f);
}

/* Nobody renews: the kernel removes them by itself, and the guardian, which would restore what
 * somebody else removed, is not moving on behalf of a silent worker. */
static void
test_expiry(void **state)
{
	struct lease_fixture f;

	lease_fixture_begin(&f, AF_INET, 3, 1);
	f.restore = false;
	leases_claim(&f.leases, 0, mono_now());
	assert_true(lab_has("10.9.1.1"));
	assert_true(lab_turn_until(&f.loop, is_gone, &f, WAIT_MS));
	assert_true(mono_since_ms(mono_now(), f.at) >= 990);
	assert_true(lab_has(LAB_HOST));
	lease_fixture_end(&f);
}

static void
test_restored_at_once(void **state)
{
	struct lease_fixture f;

	lease_fixture_begin(&f, AF_INET, 3, LONG_S);
	leases_claim(&f.leases, 0, mono_now());
	turn(&f);
	lab_ip("address del 10.9.1.2/32 dev tt0");
	assert_true(lab_turn_until(&f.loop, is_restored, &f, WAIT_MS));
	assert_int_equal(f.told[REQUEST_RENEWED], 1); /* the lease is fresh, and the worker knows */
	assert_int_equal(f.restored_n, 1);
	assert_int_equal(f.error, 0);
	assert_true(lab_has("10.9.1.2"));
	turn(&f);

	/* Whoever does it again at once has to wait for a moment, but not longer. */
	f.leases.at[0].restored = mono_add_ms(mono_now(), 100000);
	lab_ip("address del 10.9.1.2/32 dev tt0");
	lab_ip("address del 10.9.1.3/32 dev tt0");
	turn(&f);
	assert_int_equal(f.told[REQUEST_RESTORED], 1);
	leases_restore(&f.leases, mono_add_ms(f.leases.at[0].restored, LEASE_RESTORE_PAUSE_MS));
	assert_int_equal(f.told[REQUEST_RESTORED], 2);
	assert_int_equal(f.restored_n, 2);
	assert_true(lab_has("10.9.1.2"));
	assert_true(lab_has("10.9.1.3"));
	lease_fixture_end(&f);
}

/* The queue of events overran, and the one that matters was lost. */
static void
test_restored_after_an_overrun(void **state)
{
	struct lease_fixture f;
	int least = 1;

	lease_fixture_begin(&f, AF_INET, 1, LONG_S);
	leases_claim(&f.leases, 0, mono_now());
	turn(&f);
	assert_int_equal(setsockopt(f.watch.ready.fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof least),
			 0);
	for (int i = 1; i <= 20; i++)
		lab_ip("address add 10.8.0.%d/32 dev tt1", i);
	lab_ip("address del 10.9.1.1/32 dev tt0");
	turn(&f);
	assert_int_equal(f.told[REQUEST_RESTORED], 1);
	assert_true(lab_has("10.9.1.1"));
	lab_ip("address flush dev tt1");
	lease_fixture_end(&f);
}

static void
test_frozen_until_confirmed(void **state)
{
	struct lease_fixture f;

	lease_fixture_begin(&f, AF_INET, 1, LONG_S);
	leases_claim(&f.leases, 0, mono_now());
	turn(&f);
	leases_freeze(&f.leases, mono_now());
	assert_int_equal(f.told[REQUEST_ASK_CONFIRM], 1);
	lab_ip("address del 10.9.1.1/32 dev tt0");
	turn(&f);
	leases_renew(&f.leases, mono_add_ms(f.at, 100000));
	assert_int_equal(f.told[REQUEST_RESTORED] + f.told[REQUEST_RENEWED], 0);
	assert_false(lab_has("10.9.1.1"));

	leases_confirm(&f.leases, 0, true, mono_now());
	assert_int_equal(f.told[REQUEST_RESTORED], 1);
	assert_true(lab_has("10.9.1.1"));

	leases_freeze(&f.leases, mono_now());
	leases_confirm(&f.leases, 0, false, mono_now());
	assert_int_equal(f.told[REQUEST_RELEASED], 1);
	assert_false(lab_has("10.9.1.1"));
	/* An answer to a question nobody asks any more. */
	leases_confirm(&f.leases, 0, true, mono_now());
	assert_false(lab_has("10.9.1.1"));
	lease_fixture_end(&f);
}

/* A worker that follows hears when the lease began, and the open question, each for itself. */
static void
test_told_to_another_worker(void **state)
{
	struct mono claimed = mono_now();
	struct lease_fixture f;

	lease_fixture_begin(&f, AF_INET, 1, LONG_S);
	leases_retell(&f.leases);
	leases_ask_again(&f.leases, claimed);
	assert_int_equal(f.told[REQUEST_RENEWED] + f.told[REQUEST_ASK_CONFIRM], 0);
	leases_claim(&f.leases, 0, claimed);
	turn(&f);
	leases_retell(&f.leases);
	assert_int_equal(f.told[REQUEST_RENEWED], 1);
	assert_int_equal(f.at.ns, claimed.ns);
	leases_ask_again(&f.leases, claimed);
	assert_int_equal(f.told[REQUEST_ASK_CONFIRM], 0);
	leases_freeze(&f.leases, mono_now());
	leases_retell(&f.leases);
	assert_int_equal(f.told[REQUEST_ASK_CONFIRM], 1);
	leases_ask_again(&f.leases, mono_now());
	assert_int_equal(f.told[REQUEST_ASK_CONFIRM], 2);
	lease_fixture_end(&f);
}

static void
test_strays_are_removed_while_not_master(void **state)
{
	struct lease_fixture f;

	lab_ip("address add 10.9.1.1/24 dev tt0");
	lab_ip("address add 10.9.1.2/32 dev tt1");
	lab_ip("address add 10.9.1.3/24 dev tt1"); /* no VIP */
	lease_fixture_begin(&f, AF_INET, 2, LONG_S);
	leases_settle(&f.leases);
	assert_false(lab_has("10.9.1.1"));
	assert_false(lab_has("10.9.1.2"));
	assert_true(lab_has("10.9.1.3"));

	lab_ip("address add 10.9.1.2/30 dev lo");
	turn(&f);
	assert_false(lab_has("10.9.1.2"));

	/* Claimed, they are where they belong. */
	leases_claim(&f.leases, 0, mono_now());
	turn(&f);
	assert_true(lab_has("10.9.1.2"));
	lab_ip("address del 10.9.1.3/24 dev tt1");
	lease_fixture_end(&f);
}

static void
test_an_owner_keeps_its_addresses(void **state)
{
	struct lease_fixture f;

	lab_ip("address add 10.9.1.1/24 dev tt0");
	lease_fixture_begin(&f, AF_INET, 1, LONG_S);
	f.conf->instances[0].priority = 255;
	netwatch_fini(&f.watch);
	lab_ip("address del " LAB_HOST "/24 dev tt0");
	assert_int_equal(
		netwatch_init(&f.watch, &f.loop, f.conf, NULL, lease_fixture_on_change, &f), 0);
	/* The only address there is: advertisements come from it. */
	assert_true(ip_equal(&f.watch.links[0].primary, &f.conf->instances[0].vips[0].ip));
	lab_ip("address add " LAB_HOST "/24 dev tt0");
	leases_settle(&f.leases);
	leases_claim(&f.leases, 0, mono_now());
	leases_release(&f.leases, 0, mono_now());
	leases_claim(&f.leases, 0, mono_now());
	leases_execute_wills(&f.leases);
	assert_true(lab_has("10.9.1.1"));
	lab_ip("address del 10.9.1.1/24 dev tt0");
	lease_fixture_end(&f);
}

/* A lease that a predecessor left would run out, were it taken for the owner's own address. */
static void
test_an_owner_renews_what_its_predecessor_left(void **state)
{
	struct lease_fixture f;

	lab_ip("address add 10.9.1.1/24 dev tt0 valid_lft 30 preferred_lft 30");
	lease_fixture_begin(&f, AF_INET, 1, LONG_S);
	f.conf->instances[0].priority = 255;
	netwatch_fini(&f.watch);
	assert_int_equal(
		netwatch_init(&f.watch, &f.loop, f.conf, NULL, lease_fixture_on_change, &f), 0);
	leases_settle(&f.leases);
	assert_false(lab_has("10.9.1.1"));
	leases_claim(&f.leases, 0, mono_now());
	assert_true(lab_has("10.9.1.1"));
	leases_release(&f.leases, 0, mono_now());
	assert_false(lab_has("10.9.1.1"));
	lease_fixture_end(&f);
}

static void
test_will(void **state)
{
	struct lease_fixture f;
	uint8_t frame[1024], pdu[VRRP_PDU_MAX];
	const uint8_t *packet = frame + sizeof(struct ether_header);
	int fd = lab_capture(ETHERTYPE_IP), len;
	struct iphdr ip;
	struct ip host;

	lease_fixture_begin(&f, AF_INET, MANY, LONG_S);
	leases_claim(&f.leases, 0, mono_now());
	leases_will(&f.leases, 0, true);
	leases_execute_wills(&f.leases);
	assert_int_equal(leases_claimed(&f.leases), 0);
	assert_false(lab_has("10.9.1.1"));
	assert_false(lab_has("10.9.1.100"));

	do {
		assert_true(lab_next_frame(fd, frame, sizeof frame) > 0);
		memcpy(&ip, packet, sizeof ip);
	} while (ip.protocol != VRRP_PROTOCOL);
	ip_parse(LAB_HOST, &host);
	len = vrrp_packet_build(&f.conf->instances[0], &host, &f.conf->mcast_group4, 0, 100, pdu,
				sizeof pdu);
	assert_int_equal(pdu[2], 0);
	assert_int_equal(ntohs(ip.tot_len), ip.ihl * 4 + len);
	assert_memory_equal(packet + ip.ihl * 4, pdu, len);
	assert_int_equal(ip.ttl, VRRP_TTL);
	assert_int_equal(ip.saddr, host.v4.s_addr);
	assert_int_equal(ip.daddr, f.conf->mcast_group4.v4.s_addr);

	/* Once only: nothing is lodged any more. */
	leases_execute_wills(&f.leases);
	assert_int_equal(lab_next_frame(fd, frame, sizeof frame), 0);
	close(fd);
	lease_fixture_end(&f);
}

/* An instance that cannot speak from its source must not go on as master. */
static void
test_a_source_that_goes(void **state)
{
	struct lease_fixture f;

	lease_fixture_begin(&f, AF_INET, 1, LONG_S);
	ip_parse(LAB_HOST, &f.conf->instances[0].unicast_src);
	assert_int_equal(netwatch_sync(&f.watch), 0);
	assert_int_equal(f.watch.links[0].sources_lost, 0);
	lab_ip("address add 10.9.1.3/24 dev tt0");
	lab_ip("address del " LAB_HOST "/24 dev tt0");
	turn(&f);
	assert_int_equal(f.watch.links[0].sources_lost, 1);
	lab_ip("address add " LAB_HOST "/24 dev tt0");
	lab_ip("address del 10.9.1.3/24 dev tt0");
	turn(&f);
	assert_int_equal(f.watch.links[0].sources_lost, 0);
	lease_fixture_end(&f);
}

static void
test_an_interface_that_goes_and_comes(void **state)
{
	struct lease_fixture f;

	lab_ip("link add tt8 type veth peer name tt9");
	lease_fixture_begin(&f, AF_INET, 1, LONG_S);
	leases_claim(&f.leases, 0, mono_now());
	f.conf->interfaces[0].name = "tt8";
	netwatch_sync(&f.watch);
	assert_true(f.watch.links[0].present);
	assert_false(f.watch.links[0].up);
	assert_true(vrrp_sockets_refresh(&f.sockets, 0, AF_INET));
	assert_false(vrrp_sockets_refresh(&f.sockets, 0, AF_INET));
	lab_ip("link del tt8");
	turn(&f);
	assert_false(f.watch.links[0].present);
	assert_false(vrrp_sockets_refresh(&f.sockets, 0, AF_INET));
	f.conf->interfaces[0].name = "tt0";
	netwatch_sync(&f.watch);
	assert_true(f.watch.links[0].up);
	assert_true(vrrp_sockets_refresh(&f.sockets, 0, AF_INET));
	lease_fixture_end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_claim_and_release),
		cmocka_unit_test(test_announcements),
		cmocka_unit_test(test_the_schedule),
		cmocka_unit_test(test_permanent_vips_are_never_due),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_restored_at_once),
		cmocka_unit_test(test_restored_after_an_overrun),
		cmocka_unit_test(test_frozen_until_confirmed),
		cmocka_unit_test(test_told_to_another_worker),
		cmocka_unit_test(test_strays_are_removed_while_not_master),
		cmocka_unit_test(test_an_owner_keeps_its_addresses),
		cmocka_unit_test(test_an_owner_renews_what_its_predecessor_left),
		cmocka_unit_test(test_will),
		cmocka_unit_test(test_a_source_that_goes),
		cmocka_unit_test(test_an_interface_that_goes_and_comes),
	};

	lab_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
