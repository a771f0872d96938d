/*
 * test_packet.c - the codec against advertisements made by other implementations, and every reason
 * to refuse one.
 *
 * The bytes are facts: a test suite's v2 and v3 goldens (192.0.2.251, VRID 10, priority 200), one of
 * another (VRID 51), and a checksum worked out by a packet library.
 */
#include "world.h"

#include "common/checksum.h"

#include <errno.h>
#include <string.h>

static const uint8_t v2_golden[] = {
	0x21, 0x0a, 0xc8, 0x02, 0x00, 0x01, 0x92, 0xed, 0xc0, 0x00, 0x02, 0x01,
	0xc0, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};
/* RFC 9568 sums the message only, RFC 5798 as most read it the pseudo-header too. */
static const uint8_t v3_message_golden[] = {
	0x31, 0x0a, 0xc8, 0x02, 0x00, 0x64, 0x82, 0x8a,
	0xc0, 0x00, 0x02, 0x01, 0xc0, 0x00, 0x02, 0x02,
};
static const uint8_t v3_pseudo_golden[] = {
	0x31, 0x0a, 0xc8, 0x02, 0x00, 0x64, 0xde, 0xfb,
	0xc0, 0x00, 0x02, 0x01, 0xc0, 0x00, 0x02, 0x02,
};
static const uint8_t v2_other_golden[] = {
	0x21, 0x33, 0x1e, 0x01, 0x00, 0x01, 0xb5, 0xc5, 0x0a, 0x00,
	0x01, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

static struct conf_vip vips[300];
static struct conf_instance golden;
static struct ip source, group;
static const struct ip ip_none;

static int
setup(void **state)
{
	memset(vips, 0, sizeof vips);
	vips[0].ip = ip4("192.0.2.1");
	vips[1].ip = ip4("192.0.2.2");
	golden = (struct conf_instance){
		.vrid = 10,
		.priority = 200,
		.version = 2,
		.advert_int_cs = 100,
		.vips = vips,
		.vips_n = 2,
	};
	source = ip4("192.0.2.251");
	group = ip4("224.0.0.18");
	return 0;
}

static enum vrrp_drop
parse_from(const struct ip *from, const void *pdu, size_t len, struct vrrp_advert *ad)
{
	/* static: what *ad points into must outlive this call */
	static uint8_t bytes[2048];

	return vrrp_packet_parse(bytes, datagram_make(from, &group, VRRP_TTL, pdu, len, bytes), ad);
}

static enum vrrp_drop
parse(const void *pdu, size_t len, struct vrrp_advert *ad)
{
	return parse_from(&source, pdu, len, ad);
}

/* Fills in the checksum of a message without pseudo-header. */
static void
sum_up(uint8_t *pdu, size_t len)
{
	uint16_t sum;

	memset(pdu + 6, 0, 2);
	sum = checksum_finish(checksum_add(0, pdu, len));
	memcpy(pdu + 6, &sum, sizeof sum);
}

/* ------------------------------------------------------------------ what is sent */

static void
assert_built(const uint8_t *expected, size_t len)
{
	uint8_t pdu[VRRP_PDU_MAX];

	assert_int_equal(vrrp_packet_build(&golden, &source, &group, 200, 100, pdu, sizeof pdu),
			 len);
	assert_memory_equal(pdu, expected, len);
}

static void
test_build_goldens(void **state)
{
	assert_built(v2_golden, sizeof v2_golden);
	golden.version = 3;
	assert_built(v3_pseudo_golden, sizeof v3_pseudo_golden);
	golden.v3_checksum_as_v2 = true;
	assert_built(v3_message_golden, sizeof v3_message_golden);
}

/* 20.0.0.3 -> 224.0.0.18, VRID 2, priority 254, 1 cs, {20.0.1.2, 20.0.1.3}: 0xb25e. */
static void
test_build_shortest_interval(void **state)
{
	struct ip from = ip4("20.0.0.3");
	uint8_t pdu[VRRP_PDU_MAX];

	vips[0].ip = ip4("20.0.1.2");
	vips[1].ip = ip4("20.0.1.3");
	golden.vrid = 2;
	golden.version = 3;
	assert_int_equal(vrrp_packet_build(&golden, &from, &group, 254, 1, pdu, sizeof pdu), 16);
	assert_int_equal(pdu[4] << 8 | pdu[5], 1);
	assert_int_equal(pdu[6] << 8 | pdu[7], 0xb25e);
}

static void
test_build_password(void **state)
{
	uint8_t pdu[VRRP_PDU_MAX];
	struct vrrp_advert ad;

	golden.auth = CONF_AUTH_PASS;
	memcpy(golden.auth_data, "secret\0\0", 8);
	assert_int_equal(vrrp_packet_build(&golden, &source, &group, 200, 100, pdu, sizeof pdu),
			 24);
	assert_int_equal(pdu[4], VRRP_AUTH_TYPE_PASS);
	assert_memory_equal(pdu + 16, "secret\0\0", 8);
	assert_int_equal(parse(pdu, 24, &ad), VRRP_DROP_N);
	assert_int_equal(vrrp_packet_check(&golden, &ip_none, &ad), VRRP_DROP_N);
}

/* The count is one octet: what is beyond 255 is held but not advertised, like an excluded VIP. */
static void
test_build_many(void **state)
{
	const int len = VRRP_HEADER_LEN + 255 * 4 + VRRP_AUTH_LEN;
	uint8_t pdu[VRRP_PDU_MAX];
	struct vrrp_advert ad;

	for (unsigned i = 0; i < 300; i++) {
		vips[i].ip = ip4("10.1.0.0");
		vips[i].ip.bytes[2] = (uint8_t)(i >> 8);
		vips[i].ip.bytes[3] = (uint8_t)i;
	}
	vips[1].excluded = true;
	golden.vips_n = 300;
	assert_int_equal(vrrp_packet_build(&golden, &source, &group, 200, 100, pdu, sizeof pdu),
			 len);
	assert_int_equal(pdu[3], 255);
	assert_int_equal(pdu[8 + 4 + 3], 2); /* after 10.1.0.0 comes 10.1.0.2 */
	assert_int_equal(parse(pdu, (size_t)len, &ad), VRRP_DROP_N);
	assert_true(vrrp_packet_same_addresses(&golden, &ad));
}

static void
test_build_refuses(void **state)
{
	uint8_t pdu[VRRP_PDU_MAX];
	struct ip v6 = { .family = AF_INET6 };

	for (size_t size = 0; size < sizeof v2_golden; size++)
		assert_int_equal(vrrp_packet_build(&golden, &source, &group, 1, 100, pdu, size),
				 -EMSGSIZE);
	assert_int_equal(vrrp_packet_build(&golden, &v6, &group, 1, 100, pdu, sizeof pdu),
			 -EAFNOSUPPORT);
}

/* ------------------------------------------------------------------ what is received */

static void
test_parse_v2(void **state)
{
	struct vrrp_advert ad;

	assert_int_equal(parse(v2_golden, sizeof v2_golden, &ad), VRRP_DROP_N);
	assert_int_equal(ad.version, 2);
	assert_int_equal(ad.vrid, 10);
	assert_int_equal(ad.priority, 200);
	assert_int_equal(ad.interval_cs, 100);
	assert_int_equal(ad.addresses_n, 2);
	assert_int_equal(ad.auth_type, VRRP_AUTH_TYPE_NONE);
	assert_true(ip_equal(&ad.source, &source));
	assert_true(ip_equal(&ad.destination, &group));
	assert_true(vrrp_packet_same_addresses(&golden, &ad));
	assert_int_equal(vrrp_packet_check(&golden, &ip_none, &ad), VRRP_DROP_N);

	assert_int_equal(parse(v2_other_golden, sizeof v2_other_golden, &ad), VRRP_DROP_N);
	assert_int_equal(ad.vrid, 51);
	assert_int_equal(ad.priority, 30);
	assert_memory_equal(ad.addresses, ip4("10.0.1.5").bytes, 4);
}

/* keepalived 2.2.7 with old_unicast_checksum: from 10.0.0.11 to 10.0.0.12. */
static const uint8_t v3_old_golden[] = {
	0x31, 51, 100, 1, 0, 100, 0x75, 0xc3, 10, 0, 0, 10,
};

static void
test_old_unicast_checksum(void **state)
{
	struct conf_peer peer = { .ip = ip4("10.0.0.12") };
	struct conf_vip vip = { .ip = ip4("10.0.0.10") };
	struct conf_instance conf = {
		.vrid = 51,
		.version = 3,
		.vips = &vip,
		.vips_n = 1,
		.unicast_peers_n = 1,
	};
	struct ip from = ip4("10.0.0.11");
	uint8_t bytes[64], pdu[VRRP_PDU_MAX];
	struct vrrp_advert ad;
	size_t len =
		datagram_make(&from, &peer.ip, 255, v3_old_golden, sizeof v3_old_golden, bytes);

	assert_int_equal(vrrp_packet_parse(bytes, len, &ad), VRRP_DROP_N);
	assert_true(ad.with_group && !ad.with_pseudo_header);
	peer.ip = from; /* of whoever receives it */
	conf.unicast_peers = &peer;
	assert_int_equal(vrrp_packet_check(&conf, &ip_none, &ad), VRRP_DROP_N);
	conf.old_unicast_checksum = CONF_OFF;
	assert_int_equal(vrrp_packet_check(&conf, &ip_none, &ad), VRRP_DROP_CHECKSUM);

	peer.ip = ip4("10.0.0.12");
	conf.old_unicast_checksum = CONF_ON;
	assert_int_equal(vrrp_packet_build(&conf, &from, &peer.ip, 100, 100, pdu, sizeof pdu),
			 sizeof v3_old_golden);
	assert_memory_equal(pdu, v3_old_golden, sizeof v3_old_golden);

	/* To the group itself it is no different. */
	len = datagram_make(&from, &group, 255, v3_old_golden, sizeof v3_old_golden, bytes);
	assert_int_equal(vrrp_packet_parse(bytes, len, &ad), VRRP_DROP_N);
	assert_true(ad.with_pseudo_header && !ad.with_group);
}

static void
test_parse_v3_both_checksums(void **state)
{
	struct vrrp_advert ad;

	golden.version = 3;
	assert_int_equal(parse(v3_pseudo_golden, sizeof v3_pseudo_golden, &ad), VRRP_DROP_N);
	assert_true(ad.with_pseudo_header);
	assert_int_equal(ad.interval_cs, 100);
	assert_null(ad.auth);
	assert_int_equal(vrrp_packet_check(&golden, &ip_none, &ad), VRRP_DROP_N);

	assert_int_equal(parse(v3_message_golden, sizeof v3_message_golden, &ad), VRRP_DROP_N);
	assert_false(ad.with_pseudo_header);
	/* a pseudo-header of other addresses does not match by chance */
	assert_int_equal(parse_from(&group, v3_pseudo_golden, sizeof v3_pseudo_golden, &ad),
			 VRRP_DROP_IP_HEADER);
	source = ip4("192.0.2.250");
	assert_int_equal(parse(v3_pseudo_golden, sizeof v3_pseudo_golden, &ad), VRRP_DROP_CHECKSUM);
}

/* Short frames are padded to 60 octets on Ethernet: the IP total length counts. */
static void
test_parse_padding(void **state)
{
	uint8_t bytes[64];
	struct vrrp_advert ad;
	size_t len = datagram_make(&source, &group, 255, v3_pseudo_golden, sizeof v3_pseudo_golden,
				   bytes);

	memset(bytes + len, 0xee, sizeof bytes - len);
	assert_int_equal(vrrp_packet_parse(bytes, sizeof bytes, &ad), VRRP_DROP_N);
}

/* Octets after a complete message, such as a trailer of another version, are no reason to drop. */
static void
test_parse_trailer(void **state)
{
	uint8_t pdu[sizeof v2_golden + 28];
	struct vrrp_advert ad;

	memcpy(pdu, v2_golden, sizeof v2_golden);
	memset(pdu + sizeof v2_golden, 0xee, 28);
	assert_int_equal(parse(pdu, sizeof pdu, &ad), VRRP_DROP_N);
}

/* A Cisco frame with MD5 (38 octets after the addresses, no eight of v2) is refused by that name. */
static void
test_parse_cisco_md5(void **state)
{
	uint8_t pdu[16 + 38];
	struct vrrp_advert ad;

	memcpy(pdu, v2_golden, 16);
	memset(pdu + 16, 0x5a, 38);
	pdu[4] = VRRP_AUTH_TYPE_CISCO;
	assert_int_equal(parse(pdu, sizeof pdu, &ad), VRRP_DROP_N);
	assert_int_equal(vrrp_packet_check(&golden, &ip_none, &ad), VRRP_DROP_AUTH_MD5);
}

/* Every way to break the IP header. */
static void
test_drop_ip_header(void **state)
{
	uint8_t good[64], bytes[64];
	struct vrrp_advert ad;
	size_t len = datagram_make(&source, &group, 255, v2_golden, sizeof v2_golden, good);
	static const struct {
		unsigned at;
		uint8_t value;
	} breaks[] = {
		{ 0, 0x65 }, /* version 6 */
		{ 0, 0x44 }, /* header of 16 octets */
		{ 2, 0x01 }, /* total length beyond what came */
		{ 6, 0x20 }, /* more fragments */
		{ 7, 0x01 }, /* a later fragment */
		{ 9, 17 },   /* UDP */
		{ 12, 224 }, /* multicast source */
	};

	for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
		memcpy(bytes, good, sizeof bytes);
		bytes[breaks[i].at] = breaks[i].value;
		assert_int_equal(vrrp_packet_parse(bytes, len, &ad), VRRP_DROP_IP_HEADER);
	}
	for (size_t n = 0; n < len; n++)
		assert_int_equal(vrrp_packet_parse(good, n, &ad), VRRP_DROP_IP_HEADER);
	memcpy(bytes, good, sizeof bytes);
	bytes[3] = 19; /* total length shorter than the header */
	assert_int_equal(vrrp_packet_parse(bytes, len, &ad), VRRP_DROP_IP_HEADER);
	memcpy(bytes, good, sizeof bytes);
	memset(bytes + 12, 0, 4); /* no source */
	assert_int_equal(vrrp_packet_parse(bytes, len, &ad), VRRP_DROP_IP_HEADER);
}

/* Options before the payload are stepped over. */
static void
test_parse_ip_options(void **state)
{
	uint8_t plain[64], bytes[64] = { 0 };
	struct vrrp_advert ad;
	size_t len = datagram_make(&source, &group, 255, v2_golden, sizeof v2_golden, plain);

	memcpy(bytes, plain, 20);
	memcpy(bytes + 24, plain + 20, len - 20);
	bytes[0] = 0x46;
	bytes[3] = (uint8_t)(len + 4);
	assert_int_equal(vrrp_packet_parse(bytes, len + 4, &ad), VRRP_DROP_N);
	assert_int_equal(ad.priority, 200);
}

static void
test_drop_ttl(void **state)
{
	uint8_t bytes[64];
	struct vrrp_advert ad;
	struct ip peer = ip4("192.0.2.252");
	size_t len = datagram_make(&source, &group, 254, v2_golden, sizeof v2_golden, bytes);

	assert_int_equal(vrrp_packet_parse(bytes, len, &ad), VRRP_DROP_TTL);
	/* unicast may be routed */
	len = datagram_make(&source, &peer, 60, v2_golden, sizeof v2_golden, bytes);
	assert_int_equal(vrrp_packet_parse(bytes, len, &ad), VRRP_DROP_N);
}

static void
test_drop_length(void **state)
{
	struct vrrp_advert ad;

	for (size_t len = 0; len < sizeof v2_golden; len++)
		assert_int_equal(parse(v2_golden, len, &ad), VRRP_DROP_LENGTH);
	for (size_t len = 0; len < sizeof v3_pseudo_golden; len++)
		assert_int_equal(parse(v3_pseudo_golden, len, &ad), VRRP_DROP_LENGTH);
}

static void
test_drop_version_type_checksum(void **state)
{
	uint8_t pdu[sizeof v2_golden];
	struct vrrp_advert ad;

	for (unsigned first = 0; first < 256; first++) {
		unsigned version = first >> 4;

		memcpy(pdu, v2_golden, sizeof pdu);
		pdu[0] = (uint8_t)first;
		sum_up(pdu, version == 3 ? 16 : sizeof pdu);
		assert_int_equal(parse(pdu, sizeof pdu, &ad), version != 2 && version != 3
								      ? VRRP_DROP_VERSION
							      : (first & 15) != 1 ? VRRP_DROP_TYPE
										  : VRRP_DROP_N);
	}
	/* no bit of the message can turn unnoticed, those of the length and of the names apart */
	for (unsigned bit = 8; bit < 8 * sizeof v2_golden; bit++) {
		memcpy(pdu, v2_golden, sizeof pdu);
		pdu[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(parse(pdu, sizeof pdu, &ad), VRRP_DROP_N);
	}
}

/* ------------------------------------------------------------------ for whom */

static struct vrrp_advert
golden_advert(void)
{
	struct vrrp_advert ad;

	assert_int_equal(parse(v2_golden, sizeof v2_golden, &ad), VRRP_DROP_N);
	return ad;
}

static void
test_check_auth(void **state)
{
	struct vrrp_advert ad = golden_advert();

	golden.auth = CONF_AUTH_PASS;
	memcpy(golden.auth_data, "secret\0\0", 8);
	assert_int_equal(vrrp_packet_check(&golden, &ip_none, &ad), VRRP_DROP_AUTH_TYPE);
	ad.auth_type = VRRP_AUTH_TYPE_PASS;
	assert_int_equal(vrrp_packet_check(&golden, &ip_none, &ad), VRRP_DROP_AUTH_DATA);
	ad.auth = (const uint8_t *)"secret\0\1";
	assert_int_equal(vrrp_packet_check(&golden, &ip_none, &ad), VRRP_DROP_AUTH_DATA);
	ad.auth = (const uint8_t *)"secret\0\0";
	assert_int_equal(vrrp_packet_check(&golden, &ip_none, &ad), VRRP_DROP_N);
	golden.auth = CONF_AUTH_NONE;
	assert_int_equal(vrrp_packet_check(&golden, &ip_none, &ad), VRRP_DROP_AUTH_TYPE);
	ad.auth_type = 2; /* RFC 2338's IP authentication header */
	assert_int_equal(vrrp_packet_check(&golden, &ip_none, &ad), VRRP_DROP_AUTH_TYPE);
}

static void
test_check_interval(void **state)
{
	struct vrrp_advert ad = golden_advert();

	golden.advert_int_cs = 200;
	assert_int_equal(vrrp_packet_check(&golden, &ip_none, &ad), VRRP_DROP_ADVERT_INTERVAL);
	ad.version = golden.version = 3; /* v3 learns another interval, but not none at all */
	assert_int_equal(vrrp_packet_check(&golden, &ip_none, &ad), VRRP_DROP_N);
	ad.interval_cs = 0;
	assert_int_equal(vrrp_packet_check(&golden, &ip_none, &ad), VRRP_DROP_ADVERT_INTERVAL);
}

static void
test_check_version_count_peer_own(void **state)
{
	struct vrrp_advert ad = golden_advert();
	struct conf_peer peers[2] = { { .ip = ip4("192.0.2.252") }, { .ip = ip4("192.0.2.253") } };

	golden.version = 3;
	assert_int_equal(vrrp_packet_check(&golden, &ip_none, &ad), VRRP_DROP_VERSION);
	golden.version = 2;
	assert_int_equal(vrrp_packet_check(&golden, &source, &ad), VRRP_DROP_OWN);

	golden.unicast_peers = peers;
	golden.unicast_peers_n = 2;
	assert_int_equal(vrrp_packet_check(&golden, &ip_none, &ad), VRRP_DROP_PEER);
	peers[1].ip = source;
	assert_int_equal(vrrp_packet_check(&golden, &ip_none, &ad), VRRP_DROP_N);
	golden.unicast_peers_n =
		0; /* a multicast instance does not take what was sent to one node */
	ad.destination = peers[0].ip;
	assert_int_equal(vrrp_packet_check(&golden, &ip_none, &ad), VRRP_DROP_PEER);

	ad.addresses_n = 0;
	assert_int_equal(vrrp_packet_check(&golden, &ip_none, &ad), VRRP_DROP_COUNT);
}

/* Each limit is inclusive; none is the default, and the nearest hop limit there is belongs to it. */
static void
test_check_peer_ttl(void **state)
{
	static const struct {
		uint8_t min_ttl, max_ttl, ttl;
		enum vrrp_drop drop;
	} cases[] = {
		{ 0, 0, 1, VRRP_DROP_N },
		{ 0, 0, 255, VRRP_DROP_N },
		{ 255, 0, 255, VRRP_DROP_N },
		{ 255, 0, 254, VRRP_DROP_PEER_TTL },
		{ 60, 64, 59, VRRP_DROP_PEER_TTL },
		{ 60, 64, 60, VRRP_DROP_N },
		{ 60, 64, 64, VRRP_DROP_N },
		{ 60, 64, 65, VRRP_DROP_PEER_TTL },
		{ 0, 254, 255, VRRP_DROP_PEER_TTL },
	};
	struct vrrp_advert ad = golden_advert();
	struct conf_peer peers[2] = { { .ip = ip4("192.0.2.252") }, { .ip = source } };

	golden.unicast_peers = peers;
	golden.unicast_peers_n = 2;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		peers[1].min_ttl = cases[i].min_ttl;
		peers[1].max_ttl = cases[i].max_ttl;
		ad.ttl = cases[i].ttl;
		assert_int_equal(vrrp_packet_check(&golden, &ip_none, &ad), cases[i].drop);
	}
}

/* The first check that fails names the drop, however many would. */
static void
test_check_order(void **state)
{
	struct vrrp_advert ad = golden_advert();
	struct conf_peer peer = { .ip = ip4("192.0.2.252") };

	ad.version = 3;
	ad.interval_cs = 0;
	ad.addresses_n = 0;
	golden.unicast_peers = &peer;
	golden.unicast_peers_n = 1;
	assert_int_equal(vrrp_packet_check(&golden, &ip_none, &ad), VRRP_DROP_VERSION);
	golden.version = 3;
	assert_int_equal(vrrp_packet_check(&golden, &ip_none, &ad), VRRP_DROP_ADVERT_INTERVAL);
	ad.interval_cs = 100;
	assert_int_equal(vrrp_packet_check(&golden, &ip_none, &ad), VRRP_DROP_COUNT);
	ad.addresses_n = 1;
	assert_int_equal(vrrp_packet_check(&golden, &ip_none, &ad), VRRP_DROP_PEER);
}

static void
test_same_addresses(void **state)
{
	struct vrrp_advert ad = golden_advert();
	struct conf_vip swap = vips[0];

	vips[0] = vips[1];
	vips[1] = swap;
	assert_true(vrrp_packet_same_addresses(&golden, &ad)); /* the order does not matter */
	golden.vips_n = 1;
	assert_false(vrrp_packet_same_addresses(&golden, &ad));
	golden.vips_n = 3;
	vips[2].ip = ip4("192.0.2.3");
	assert_false(vrrp_packet_same_addresses(&golden, &ad));
	vips[2].excluded = true;
	assert_true(vrrp_packet_same_addresses(&golden, &ad));
	vips[1].ip = ip4("192.0.2.9");
	assert_false(vrrp_packet_same_addresses(&golden, &ad));
}

static void
test_names(void **state)
{
	for (int i = 0; i < VRRP_DROP_N; i++)
		assert_non_null(vrrp_drop_name((enum vrrp_drop)i));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_build_goldens, setup),
		cmocka_unit_test_setup(test_build_shortest_interval, setup),
		cmocka_unit_test_setup(test_build_password, setup),
		cmocka_unit_test_setup(test_build_many, setup),
		cmocka_unit_test_setup(test_build_refuses, setup),
		cmocka_unit_test_setup(test_parse_v2, setup),
		cmocka_unit_test_setup(test_parse_v3_both_checksums, setup),
		cmocka_unit_test_setup(test_old_unicast_checksum, setup),
		cmocka_unit_test_setup(test_parse_padding, setup),
		cmocka_unit_test_setup(test_parse_trailer, setup),
		cmocka_unit_test_setup(test_parse_cisco_md5, setup),
		cmocka_unit_test_setup(test_drop_ip_header, setup),
		cmocka_unit_test_setup(test_parse_ip_options, setup),
		cmocka_unit_test_setup(test_drop_ttl, setup),
		cmocka_unit_test_setup(test_drop_length, setup),
		cmocka_unit_test_setup(test_drop_version_type_checksum, setup),
		cmocka_unit_test_setup(test_check_auth, setup),
		cmocka_unit_test_setup(test_check_interval, setup),
		cmocka_unit_test_setup(test_check_version_count_peer_own, setup),
		cmocka_unit_test_setup(test_check_peer_ttl, setup),
		cmocka_unit_test_setup(test_check_order, setup),
		cmocka_unit_test_setup(test_same_addresses, setup),
		cmocka_unit_test_setup(test_names, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
