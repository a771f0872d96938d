/*
 * test_packet6.c - the codec over IPv6, against advertisements made by other implementations.
 *
 * The bytes are facts: a test suite's golden (fe80::c8, VRID 10, priority 200), the checksum a packet
 * library worked out, and an advertisement with octets after its addresses, which the checksum covers.
 */
#include "world.h"

#include <errno.h>
#include <string.h>

static const uint8_t golden_pdu[] = {
	0x31, 0x0a, 0x64, 0x02, 0x00, 0x64, 0x3f, 0x5d, /* header */
	0xfe, 0x80, 0,    0,    0,    0,    0,    0,    0, 0, 0, 0, 0, 0, 0, 1,
	0x20, 0x01, 0x0d, 0xb8, 0,    0,    0,    0,    0, 0, 0, 0, 0, 0, 0, 1,
};
static const uint8_t library_pdu[] = {
	0x31, 0x02, 0xfe, 0x02, 0x00, 0x01, 0x48, 0x1b, /* header */
	0x20, 0x01, 0x0d, 0xb8, 0,    0,    0,    0,    0, 0, 0, 0, 0, 0, 0, 2,
	0x20, 0x01, 0x0d, 0xb8, 0,    0,    0,    0,    0, 0, 0, 0, 0, 0, 0, 3,
};
static const uint8_t trailer_pdu[] = {
	0x31, 0x33, 0xc8, 0x01, 0x00, 0x64, 0xa2, 0xe9, /* header */
	0xfe, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01,
	0x00, 0x01, 0x01, 0x00, 0x00, 0x68, 0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0xc8, 0xc5,
	0x61, 0x46, 0xeb, 0xfd, 0x66, 0xee, 0x10, 0xec, 0x4d, 0x81, 0x86, 0x46, 0x1b, 0x78,
};

static struct conf_vip vips[CONF_ADVERTISED6_MAX];
static struct conf_instance golden;
static struct vrrp_datagram datagram;

static int
setup(void **state)
{
	memset(vips, 0, sizeof vips);
	vips[0].ip = ip4("fe80::1");
	vips[1].ip = ip4("2001:db8::1");
	golden = (struct conf_instance){
		.vrid = 10,
		.priority = 100,
		.family = AF_INET6,
		.version = 3,
		.advert_int_cs = 100,
		.vips = vips,
		.vips_n = 2,
	};
	datagram = (struct vrrp_datagram){
		.source = ip4("fe80::c8"),
		.destination = ip4("ff02::12"),
		.hop_limit = VRRP_TTL,
		.pdu = golden_pdu,
		.pdu_len = sizeof golden_pdu,
	};
	return 0;
}

static enum vrrp_drop
parse(struct vrrp_advert *ad)
{
	return vrrp_packet_parse6(&datagram, ad);
}

static void
test_parse(void **state)
{
	const struct ip none = { 0 };
	struct vrrp_advert ad;

	assert_int_equal(parse(&ad), VRRP_DROP_N);
	assert_int_equal(ad.version, 3);
	assert_int_equal(ad.vrid, 10);
	assert_int_equal(ad.priority, 100);
	assert_int_equal(ad.interval_cs, 100);
	assert_int_equal(ad.addresses_n, 2);
	assert_true(ip_equal(&ad.source, &datagram.source));
	assert_true(vrrp_packet_same_addresses(&golden, &ad));
	assert_int_equal(vrrp_packet_check(&golden, &none, &ad), VRRP_DROP_N);
	assert_int_equal(vrrp_packet_check(&golden, &datagram.source, &ad), VRRP_DROP_OWN);
}

static void
test_parse_of_others(void **state)
{
	struct vrrp_advert ad;

	datagram.source = ip4("2001:db8::1");
	datagram.pdu = library_pdu;
	datagram.pdu_len = sizeof library_pdu;
	assert_int_equal(parse(&ad), VRRP_DROP_N);
	assert_int_equal(ad.interval_cs, 1);

	datagram.source = ip4("fe80::10");
	datagram.destination = ip4("fe80::20");
	datagram.pdu = trailer_pdu;
	datagram.pdu_len = sizeof trailer_pdu;
	assert_int_equal(parse(&ad), VRRP_DROP_N);
	assert_int_equal(ad.vrid, 51);
	assert_int_equal(ad.addresses_n, 1);
}

static void
test_build(void **state)
{
	uint8_t pdu[VRRP_PDU_MAX];

	assert_int_equal(vrrp_packet_build(&golden, &datagram.source, &datagram.destination, 100,
					   100, pdu, sizeof pdu),
			 sizeof golden_pdu);
	assert_memory_equal(pdu, golden_pdu, sizeof golden_pdu);
	/* The switch is about IPv4 only. */
	golden.v3_checksum_as_v2 = true;
	vrrp_packet_build(&golden, &datagram.source, &datagram.destination, 100, 100, pdu,
			  sizeof pdu);
	assert_memory_equal(pdu, golden_pdu, sizeof golden_pdu);
	for (size_t size = 0; size < sizeof golden_pdu; size++)
		assert_int_equal(vrrp_packet_build(&golden, &datagram.source, &datagram.destination,
						   100, 100, pdu, size),
				 -EMSGSIZE);
}

/* An excluded address of the other family is nothing to advertise. */
static void
test_build_mixed(void **state)
{
	uint8_t pdu[VRRP_PDU_MAX];

	vips[2] = (struct conf_vip){ .ip = ip4("192.0.2.1"), .excluded = true };
	golden.vips_n = 3;
	assert_int_equal(vrrp_packet_build(&golden, &datagram.source, &datagram.destination, 100,
					   100, pdu, sizeof pdu),
			 sizeof golden_pdu);
	assert_memory_equal(pdu, golden_pdu, sizeof golden_pdu);
}

/* As many as the packet holds that every link carries. */
static void
test_build_many(void **state)
{
	uint8_t pdu[VRRP_PDU_MAX];
	struct vrrp_advert ad;

	for (unsigned i = 0; i < CONF_ADVERTISED6_MAX; i++) {
		vips[i].ip = ip4("2001:db8::");
		vips[i].ip.bytes[15] = (uint8_t)i;
	}
	golden.vips_n = CONF_ADVERTISED6_MAX;
	assert_int_equal(vrrp_packet_build(&golden, &datagram.source, &datagram.destination, 100,
					   100, pdu, sizeof pdu),
			 VRRP_PDU_MAX - VRRP_HMAC_TRAILER_LEN);
	datagram.pdu = pdu;
	datagram.pdu_len = VRRP_PDU_MAX - VRRP_HMAC_TRAILER_LEN;
	assert_int_equal(parse(&ad), VRRP_DROP_N);
	assert_true(vrrp_packet_same_addresses(&golden, &ad));
}

static void
test_refusals(void **state)
{
	uint8_t bytes[sizeof golden_pdu];
	struct vrrp_advert ad;

	for (size_t len = 0; len < sizeof golden_pdu; len++) {
		datagram.pdu_len = len;
		assert_int_equal(parse(&ad), VRRP_DROP_LENGTH);
	}
	datagram.pdu_len = sizeof golden_pdu;

	/* The checksum covers both addresses, and a sum of the message alone is none. */
	datagram.source = ip4("fe80::c9");
	assert_int_equal(parse(&ad), VRRP_DROP_CHECKSUM);
	datagram.source = ip4("fe80::c8");
	memcpy(bytes, golden_pdu, sizeof bytes);
	bytes[2]++;
	datagram.pdu = bytes;
	assert_int_equal(parse(&ad), VRRP_DROP_CHECKSUM);
	bytes[0] = 0x21;
	assert_int_equal(parse(&ad), VRRP_DROP_VERSION);
	bytes[0] = 0x32;
	assert_int_equal(parse(&ad), VRRP_DROP_TYPE);
	datagram.pdu = golden_pdu;

	datagram.hop_limit = 254;
	assert_int_equal(parse(&ad), VRRP_DROP_TTL);
	datagram.hop_limit = VRRP_TTL;
	datagram.source = (struct ip){ 0 };
	assert_int_equal(parse(&ad), VRRP_DROP_IP_HEADER);
	datagram.source = ip4("::");
	assert_int_equal(parse(&ad), VRRP_DROP_IP_HEADER);
	datagram.source = ip4("ff02::12");
	assert_int_equal(parse(&ad), VRRP_DROP_IP_HEADER);
	datagram.source = ip4("fe80::c8");
	datagram.destination = (struct ip){ 0 };
	assert_int_equal(parse(&ad), VRRP_DROP_IP_HEADER);
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_parse),       TEST(test_parse_of_others), TEST(test_build),
		TEST(test_build_mixed), TEST(test_build_many),      TEST(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
