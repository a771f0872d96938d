/*
 * checksum.c - the Internet checksum (RFC 1071).  Pure; any thread.
 *
 * Words are added as they lie in memory.  The sum is independent of byte order (RFC 1071 section
 * 2 (B)), so storing the result the same way needs no swap on any machine.
 */
#include "common/checksum.h"

#include <string.h>

static uint32_t
fold(uint64_t sum)
{
	while (sum > 0xffff)
		sum = (sum >> 16) + (sum & 0xffff);
	return (uint32_t)sum;
}

uint32_t
checksum_add(uint32_t sum, const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t total = sum;
	uint16_t word;

	for (; len >= 2; p += 2, len -= 2) {
		memcpy(&word, p, 2);
		total += word;
	}
	if (len) {
		/* An odd byte counts as the first of a word whose second is zero. */
		word = 0;
		memcpy(&word, p, 1);
		total += word;
	}

	/* Folded after each piece, so that no number of pieces overflows the caller's 32 bits. */
	return fold(total);
}

uint16_t
checksum_finish(uint32_t sum)
{
	return (uint16_t)~fold(sum);
}
