/*
 * test_neighbour_frame.c - the frames about who has an address, octet by octet.
 */
#include "daemon/neighbour_frame.h"

#include "common/checksum.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct ip
ip(const char *text)
{
	struct ip ip;

	assert_int_equal(ip_parse(text, &ip), 0);
	return ip;
}

static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };

static void
test_arp_request(void **state)
{
	static const uint8_t wanted[NEIGHBOUR_ARP_LEN] =
		"\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x01\x08\x06"
		"\0\x01\x08\0\x06\x04\0\x01"
		"\x02\0\0\0\0\x01\x0a\x09\0\x01"
		"\0\0\0\0\0\0\x0a\x09\0\x02";
	struct ip source = ip("10.9.0.1"), peer = ip("10.9.0.2");
	uint8_t frame[NEIGHBOUR_FRAME_MAX];

	assert_int_equal(neighbour_frame_ask(frame, mac, &source, &peer), NEIGHBOUR_ARP_LEN);
	assert_memory_equal(frame, wanted, NEIGHBOUR_ARP_LEN);
}

static void
test_gratuitous_arp(void **state)
{
	static const uint8_t wanted[NEIGHBOUR_ARP_LEN] =
		"\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x01\x08\x06"
		"\0\x01\x08\0\x06\x04\0\x01"
		"\x02\0\0\0\0\x01\x0a\x09\0\x0a"
		"\xff\xff\xff\xff\xff\xff\x0a\x09\0\x0a";
	struct ip vip = ip("10.9.0.10");
	uint8_t frame[NEIGHBOUR_FRAME_MAX];

	assert_int_equal(neighbour_frame_tell(frame, mac, &vip), NEIGHBOUR_ARP_LEN);
	assert_memory_equal(frame, wanted, NEIGHBOUR_ARP_LEN);
}

/* The 32 octets of a message behind its IPv6 header, whose checksum covers both addresses. */
static void
assert_checksum(const uint8_t *frame)
{
	static const uint8_t pseudo[] = "\0\0\0\x20\0\0\0\x3a";
	uint32_t sum = checksum_add(checksum_add(0, frame + 22, 32), pseudo, 8);

	assert_int_equal(checksum_finish(checksum_add(sum, frame + 54, 32)), 0);
}

static void
test_solicitation(void **state)
{
	static const uint8_t head[] = "\x33\x33\xff\x12\x34\x56\x02\0\0\0\0\x01\x86\xdd"
				      "\x60\0\0\0\0\x20\x3a\xff";
	static const uint8_t to[] = "\xff\x02\0\0\0\0\0\0\0\0\0\x01\xff\x12\x34\x56";
	struct ip source = ip("fe80::1"), peer = ip("fd09::ab12:3456");
	uint8_t frame[NEIGHBOUR_FRAME_MAX];

	assert_int_equal(neighbour_frame_ask(frame, mac, &source, &peer), NEIGHBOUR_ND_LEN);
	assert_memory_equal(frame, head, sizeof head - 1);
	assert_memory_equal(frame + 22, source.bytes, 16);
	assert_memory_equal(frame + 38, to, 16);
	assert_memory_equal(frame + 54, "\x87\0", 2);
	assert_memory_equal(frame + 62, peer.bytes, 16);
	assert_memory_equal(frame + 78, "\x01\x01\x02\0\0\0\0\x01", 8);
	assert_checksum(frame);
}

/* From the VIP to all nodes: router and override, not solicited. */
static void
test_advertisement(void **state)
{
	static const uint8_t head[] = "\x33\x33\0\0\0\x01\x02\0\0\0\0\x01\x86\xdd"
				      "\x60\0\0\0\0\x20\x3a\xff";
	static const uint8_t to[] = "\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\x01";
	struct ip vip = ip("fd09::10");
	uint8_t frame[NEIGHBOUR_FRAME_MAX];

	assert_int_equal(neighbour_frame_tell(frame, mac, &vip), NEIGHBOUR_ND_LEN);
	assert_memory_equal(frame, head, sizeof head - 1);
	assert_memory_equal(frame + 22, vip.bytes, 16);
	assert_memory_equal(frame + 38, to, 16);
	assert_memory_equal(frame + 54, "\x88\0", 2);
	assert_memory_equal(frame + 58, "\xa0\0\0\0", 4);
	assert_memory_equal(frame + 62, vip.bytes, 16);
	assert_memory_equal(frame + 78, "\x02\x01\x02\0\0\0\0\x01", 8);
	assert_checksum(frame);
}

static void
test_destination(void **state)
{
	struct ip vip = ip("10.9.0.10");
	uint8_t frame[NEIGHBOUR_FRAME_MAX];
	struct sockaddr_ll to;

	neighbour_frame_tell(frame, mac, &vip);
	to = neighbour_frame_to(frame, 7);
	assert_int_equal(to.sll_family, AF_PACKET);
	assert_int_equal(ntohs(to.sll_protocol), ETHERTYPE_ARP);
	assert_int_equal(to.sll_ifindex, 7);
	assert_int_equal(to.sll_halen, 6);
	assert_memory_equal(to.sll_addr, "\xff\xff\xff\xff\xff\xff", 6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arp_request),  cmocka_unit_test(test_gratuitous_arp),
		cmocka_unit_test(test_solicitation), cmocka_unit_test(test_advertisement),
		cmocka_unit_test(test_destination),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
