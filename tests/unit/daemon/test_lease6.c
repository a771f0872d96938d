/*
 * test_lease6.c - IPv6 VIPs against the kernel of a network namespace: claim, announcement, strays,
 * restoration and will.
 */
#include "common/checksum.h"
#include "lease_fixture.h"
#include "tests/unit/margin.h"
#include "vrrpd/packet.h"

#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define VIPS 3

/* The next IPv6 packet at the other end with this header after IPv6's; false if there is none. */
static bool
next_packet(int fd, uint8_t next_header, struct ip6_hdr *ip, uint8_t payload[2048])
{
	uint8_t frame[2048];
	size_t len;

	while ((len = lab_next_frame(fd, frame, sizeof frame)) > 0) {
		memcpy(ip, frame + sizeof(struct ether_header), sizeof *ip);
		memcpy(payload, frame + sizeof(struct ether_header) + sizeof *ip,
		       len - sizeof(struct ether_header) - sizeof *ip);
		if (ip->ip6_nxt == next_header)
			return true;
	}
	return false;
}

static struct ip
ip_of(const struct in6_addr *v6)
{
	return (struct ip){ .family = AF_INET6, .v6 = *v6 };
}

/* RFC 4443 section 2.3: with the pseudo-header the sum is nothing. */
static bool
sums_up(const struct ip6_hdr *ip, const uint8_t *payload)
{
	const uint32_t tail_be[2] = { htonl(ntohs(ip->ip6_plen)), htonl(ip->ip6_nxt) };
	uint32_t sum = checksum_add(0, &ip->ip6_src, 32);

	sum = checksum_add(sum, tail_be, sizeof tail_be);
	return checksum_finish(checksum_add(sum, payload, ntohs(ip->ip6_plen))) == 0;
}

static void
test_claim_announces(void **state)
{
	struct lease_fixture f;
	int fd = lab_capture(ETHERTYPE_IPV6);
	struct ip all_nodes, source, target;
	struct nd_neighbor_advert na;
	unsigned announced = 0;
	uint8_t payload[2048];
	struct ip6_hdr ip;

	ip_parse("ff02::1", &all_nodes);
	lease_fixture_begin(&f, AF_INET6, VIPS, 60);
	leases_claim(&f.leases, 0, mono_now());
	assert_int_equal(f.told[REQUEST_CLAIMED], 1);
	assert_int_equal(f.error, 0);
	assert_true(lab_has("fe80::1"));
	assert_true(lab_has("fd09::1:1"));
	assert_true(lab_has("fd09::1:2"));
	while (next_packet(fd, IPPROTO_ICMPV6, &ip, payload)) {
		memcpy(&na, payload, sizeof na);
		if (na.nd_na_type != ND_NEIGHBOR_ADVERT)
			continue;
		source = ip_of(&ip.ip6_src);
		target = ip_of(&na.nd_na_target);
		assert_memory_equal(&ip.ip6_dst, &all_nodes.v6, 16);
		assert_true(ip_equal(&source, &target));
		assert_true(ip_equal(&target, &f.conf->instances[0].vips[announced % VIPS].ip));
		assert_int_equal(ip.ip6_hlim, 255);
		assert_int_equal(na.nd_na_flags_reserved, ND_NA_FLAG_ROUTER | ND_NA_FLAG_OVERRIDE);
		assert_memory_equal(payload + sizeof na, "\x02\x01", 2);
		assert_memory_equal(payload + sizeof na + 2, f.watch.links[0].mac, 6);
		assert_true(sums_up(&ip, payload));
		announced++;
	}
	assert_int_equal(announced, 5 * VIPS);
	leases_release(&f.leases, 0, mono_now());
	assert_false(lab_has("fe80::1"));
	assert_false(lab_has("fd09::1:2"));
	close(fd);
	lease_fixture_end(&f);
}

static bool
is_restored(void *ctx)
{
	return ((struct lease_fixture *)ctx)->told[REQUEST_RESTORED] > 0;
}

static void
test_restored(void **state)
{
	struct lease_fixture f;

	lease_fixture_begin(&f, AF_INET6, VIPS, 60);
	leases_claim(&f.leases, 0, mono_now());
	lab_ip("address del fd09::1:1/128 dev tt0");
	assert_false(lab_has("fd09::1:1"));
	assert_true(lab_turn_until(&f.loop, is_restored, &f, WAIT_MS));
	assert_true(lab_has("fd09::1:1"));
	lease_fixture_end(&f);
}

static bool
is_clean(void *ctx)
{
	return !lab_has("fd09::1:1");
}

/* A VIP is ours at any length and on any interface while we are not master; a link-local one only on
 * its own interface, for elsewhere it is another address. */
static void
test_strays(void **state)
{
	struct lease_fixture f;

	lab_ip("address add fe80::1/64 dev tt1 nodad");
	lease_fixture_begin(&f, AF_INET6, VIPS, 60);
	lab_ip("address add fe80::1/64 dev tt0 nodad");
	lab_ip("address add fd09::1:1/64 dev tt1 nodad");
	assert_true(lab_turn_until(&f.loop, is_clean, &f, WAIT_MS));
	netwatch_sync(&f.watch);
	leases_settle(&f.leases);
	assert_int_equal(f.watch.found_n, 0);
	assert_true(lab_has("fe80::1"));
	lab_ip("address del fe80::1/64 dev tt1");
	assert_false(lab_has("fe80::1"));
	lease_fixture_end(&f);
}

/* A lease may be longer than `vip_lease`: what a predecessor left under such is no owner's own. */
static void
test_a_long_lease_is_not_native(void **state)
{
	struct lease_fixture f;

	lab_ip("address add fd09::1:1/128 dev tt0 nodad valid_lft 30 preferred_lft 0");
	lease_fixture_begin(&f, AF_INET6, VIPS, 60);
	f.conf->instances[0].priority = 255;
	f.conf->instances[0].lease_s = 30;
	netwatch_fini(&f.watch);
	assert_int_equal(
		netwatch_init(&f.watch, &f.loop, f.conf, NULL, lease_fixture_on_change, &f), 0);
	assert_false(netwatch_vip(&f.watch, 0, 1)->native);
	leases_settle(&f.leases);
	assert_false(lab_has("fd09::1:1"));
	lease_fixture_end(&f);
}

/* The source is the first link-local address that is usable: no VIP, and not being probed. */
static void
test_will(void **state)
{
	struct lease_fixture f;
	struct vrrp_datagram d;
	struct vrrp_advert ad;
	int fd = lab_capture(ETHERTYPE_IPV6);
	uint8_t payload[2048];
	struct ip6_hdr ip;

	lease_fixture_begin(&f, AF_INET6, VIPS, 60);
	leases_claim(&f.leases, 0, mono_now());
	netwatch_sync(&f.watch);
	assert_true(ip_is_link_local(&f.watch.links[0].primary6));
	assert_int_not_equal(f.watch.links[0].primary6.bytes[15], 1);
	leases_will(&f.leases, 0, true);
	leases_execute_wills(&f.leases);
	assert_false(lab_has("fd09::1:1"));

	assert_true(next_packet(fd, VRRP_PROTOCOL, &ip, payload));
	d = (struct vrrp_datagram){
		.source = ip_of(&ip.ip6_src),
		.destination = ip_of(&ip.ip6_dst),
		.hop_limit = ip.ip6_hlim,
		.pdu = payload,
		.pdu_len = ntohs(ip.ip6_plen),
	};
	assert_int_equal(vrrp_packet_parse6(&d, &ad), VRRP_DROP_N);
	assert_int_equal(ad.priority, 0);
	assert_int_equal(ad.ttl, VRRP_TTL);
	assert_true(ip_equal(&ad.source, &f.watch.links[0].primary6));
	assert_true(ip_equal(&ad.destination, &f.conf->mcast_group6));
	assert_true(vrrp_packet_same_addresses(&f.conf->instances[0], &ad));
	close(fd);
	lease_fixture_end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_claim_announces),
		cmocka_unit_test(test_restored),
		cmocka_unit_test(test_strays),
		cmocka_unit_test(test_a_long_lease_is_not_native),
		cmocka_unit_test(test_will),
	};

	lab_enter();
	lab_ip("address add fe80::abcd/64 dev tt0 nodad");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
