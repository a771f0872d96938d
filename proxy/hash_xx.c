/*
 * hash_xx.c - see hash_xx.h.  Four lanes take a quarter of each block, are joined, and what is left
 * of the input is stirred in.  Run by any thread; pure.
 */
#include "proxy/hash_xx.h"

#include <endian.h>
#include <string.h>

enum { LANES = 4 };

static const uint32_t prime32[] = { 0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1 };
static const uint64_t prime64[] = { 0x9e3779b185ebca87, 0xc2b2ae3d27d4eb4f, 0x165667b19e3779f9,
				    0x85ebca77c2b2ae63, 0x27d4eb2f165667c5 };

static uint32_t
rotate32(uint32_t value, unsigned bits)
{
	return value << bits | value >> (32 - bits);
}

static uint64_t
rotate64(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

static uint32_t
get32(const unsigned char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof value);
	return le32toh(value);
}

static uint64_t
get64(const unsigned char *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof value);
	return le64toh(value);
}

static uint32_t
stir32(uint32_t lane, uint32_t input)
{
	return rotate32(lane + input * prime32[1], 13) * prime32[0];
}

static uint64_t
stir64(uint64_t lane, uint64_t input)
{
	return rotate64(lane + input * prime64[1], 31) * prime64[0];
}

uint32_t
hash_xx32(const void *data, size_t len, uint32_t seed)
{
	const unsigned char *at = data, *end = at + len;
	uint32_t lanes[LANES] = { seed + prime32[0] + prime32[1], seed + prime32[1], seed,
				  seed - prime32[0] };
	uint32_t hash = seed + prime32[4];

	for (; (size_t)(end - at) >= sizeof lanes; at += sizeof lanes)
		for (size_t i = 0; i < LANES; i++)
			lanes[i] = stir32(lanes[i], get32(at + i * sizeof *lanes));
	if (len >= sizeof lanes)
		hash = rotate32(lanes[0], 1) + rotate32(lanes[1], 7) + rotate32(lanes[2], 12) +
		       rotate32(lanes[3], 18);
	hash += (uint32_t)len;
	for (; end - at >= 4; at += 4)
		hash = rotate32(hash + get32(at) * prime32[2], 17) * prime32[3];
	for (; at < end; at++)
		hash = rotate32(hash + *at * prime32[4], 11) * prime32[0];
	hash = (hash ^ hash >> 15) * prime32[1];
	hash = (hash ^ hash >> 13) * prime32[2];
	return hash ^ hash >> 16;
}

uint64_t
hash_xx64(const void *data, size_t len, uint64_t seed)
{
	const unsigned char *at = data, *end = at + len;
	uint64_t lanes[LANES] = { seed + prime64[0] + prime64[1], seed + prime64[1], seed,
				  seed - prime64[0] };
	uint64_t hash = seed + prime64[4];

	for (; (size_t)(end - at) >= sizeof lanes; at += sizeof lanes)
		for (size_t i = 0; i < LANES; i++)
			lanes[i] = stir64(lanes[i], get64(at + i * sizeof *lanes));
	if (len >= sizeof lanes) {
		hash = rotate64(lanes[0], 1) + rotate64(lanes[1], 7) + rotate64(lanes[2], 12) +
		       rotate64(lanes[3], 18);
		for (size_t i = 0; i < LANES; i++)
			hash = (hash ^ stir64(0, lanes[i])) * prime64[0] + prime64[3];
	}
	hash += len;
	for (; end - at >= 8; at += 8)
		hash = rotate64(hash ^ stir64(0, get64(at)), 27) * prime64[0] + prime64[3];
	if (end - at >= 4) {
		hash = rotate64(hash ^ get32(at) * prime64[0], 23) * prime64[1] + prime64[2];
		at += 4;
	}
	for (; at < end; at++)
		hash = rotate64(hash ^ *at * prime64[4], 11) * prime64[0];
	hash = (hash ^ hash >> 33) * prime64[1];
	hash = (hash ^ hash >> 29) * prime64[2];
	return hash ^ hash >> 32;
}
