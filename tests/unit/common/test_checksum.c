/*
 * test_checksum.c - known vectors, and pieces against the whole.
 */
#include "common/checksum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

/* RFC 1071 section 3: the bytes 00 01 f2 03 f4 f5 f6 f7 sum to ddf2. */
static void
test_rfc1071(void **state)
{
	static const unsigned char data[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	assert_int_equal(ntohs(checksum_finish(checksum_add(0, data, 8))), 0xffff ^ 0xddf2);
}

/* An IPv4 header whose checksum b861 is widely known; with it in place the sum is zero. */
static void
test_ip_header(void **state)
{
	unsigned char h[20] = { 0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
				0x00, 0x00, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7 };
	uint16_t sum = checksum_finish(checksum_add(0, h, sizeof h));

	assert_int_equal(ntohs(sum), 0xb861);
	memcpy(h + 10, &sum, 2);
	assert_int_equal(checksum_finish(checksum_add(0, h, sizeof h)), 0);
	h[3] ^= 1;
	assert_int_not_equal(checksum_finish(checksum_add(0, h, sizeof h)), 0);
}

static void
test_edges(void **state)
{
	static const unsigned char odd[] = { 0x12, 0x34, 0x56 }, even[] = { 0x12, 0x34, 0x56, 0 };
	static unsigned char ones[1 << 20];

	assert_int_equal(checksum_finish(checksum_add(0, "", 0)), 0xffff);
	assert_int_equal(checksum_add(0, odd, 3), checksum_add(0, even, 4));

	/* More than 65,537 words of ffff, whole and in pieces: 32 bits must not overflow. */
	memset(ones, 0xff, sizeof ones);
	assert_int_equal(checksum_finish(checksum_add(0, ones, sizeof ones)), 0);
	assert_int_equal(checksum_finish(checksum_add(0xffffffff, ones, sizeof ones)), 0);
}

static void
test_pieces(void **state)
{
	unsigned char data[255];
	uint32_t whole, sum;

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (unsigned char)(i * 37 + 11);
	whole = checksum_add(0, data, sizeof data);
	for (size_t cut = 0; cut <= sizeof data; cut += 2) {
		sum = checksum_add(0, data, cut);
		sum = checksum_add(sum, data + cut, sizeof data - cut);
		assert_int_equal(checksum_finish(sum), checksum_finish(whole));
	}
	/* Unaligned data gives the same. */
	sum = checksum_add(0, data, 100);
	memmove(data + 1, data, 100);
	assert_int_equal(checksum_add(0, data + 1, 100), sum);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc1071),
		cmocka_unit_test(test_ip_header),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
