/*
 * hash.c - see hash.h.  Run by any thread.
 */
#include "proxy/hash.h"

uint32_t
hash_sdbm(const void *data, size_t len)
{
	const unsigned char *key = data;
	uint32_t hash = 0;

	while (len--)
		hash = hash * 65599 + *key++;
	return hash;
}

uint32_t
hash_djb2(const void *data, size_t len)
{
	const unsigned char *key = data;
	uint32_t hash = 5381;

	while (len--)
		hash = hash * 33 + *key++;
	return hash;
}

static uint32_t
rotate(uint32_t value, unsigned bits)
{
	return bits ? value << bits | value >> (32 - bits) : value;
}

uint32_t
hash_wt6(const void *data, size_t len)
{
	const unsigned char *key = data;
	uint32_t a = 0xa53c965a, b = 0x5ca6953a;
	unsigned step_a = 6, step_b = 18;

	while (len--) {
		uint32_t next_a, mixed;

		a = ~(a ^ *key);
		b = ~(b + *key);
		key++;
		next_a = rotate(b, step_a);
		b = rotate(a, step_b);
		a = next_a;
		mixed = (a >> 16 ^ b) & 0xffff;
		step_a = mixed & 31;
		step_b = mixed >> 11;
	}
	return a ^ b;
}

uint32_t
hash_crc(uint32_t crc, uint32_t polynomial, const void *data, size_t len)
{
	const unsigned char *at = data;

	while (len--) {
		crc ^= *at++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
	}
	return crc;
}

/* One of Bob Jenkins' integer hashes with full avalanche, times a large prime. */
uint32_t
hash_avalanche(uint32_t a)
{
	a = (a + 0x7ed55d16) + (a << 12);
	a = (a ^ 0xc761c23c) ^ (a >> 19);
	a = (a + 0x165667b1) + (a << 5);
	a = (a + 0xd3a2646c) ^ (a << 9);
	a = (a + 0xfd7046c5) + (a << 3);
	a = (a ^ 0xb55a4f09) ^ (a >> 16);
	return a * 3221225473U;
}
