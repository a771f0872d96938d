/*
 * lb_hash.c - hash functions and the ring.  Pure; run on every proxy thread.
 *
 * What the hashes yield is HAProxy's interface: clients must find their server after a move.
 */
#include "proxy/lb_hash.h"

#include "proxy/hash.h"
#include "proxy/lb.h"

#include <arpa/inet.h>
#include <string.h>

/* "none": the key is a number already. */
static uint32_t
number(const char *key, size_t len)
{
	uint32_t value = 0;

	for (; len && *key >= '0' && *key <= '9'; key++, len--)
		value = value * 10 + (uint32_t)(*key - '0');
	return value;
}

static uint32_t
finish(const struct conf_proxy *conf, uint32_t hash)
{
	return conf->hash_avalanche ? hash_avalanche(hash) : hash;
}

uint32_t
lb_hash_source(const struct conf_proxy *conf, const struct ip *ip)
{
	uint32_t hash = 0, word_be;

	if (ip->family == AF_UNSPEC)
		return 0;
	for (unsigned at = 0; at < ip_len(ip); at += sizeof word_be) {
		memcpy(&word_be, ip->bytes + at, sizeof word_be);
		hash ^= ntohl(word_be);
	}
	return finish(conf, hash);
}

uint32_t
lb_hash_key(const struct conf_proxy *conf, const void *key, size_t len)
{
	switch (conf->hash_function) {
	case CONF_HASH_SDBM:
		return finish(conf, hash_sdbm(key, len));
	case CONF_HASH_DJB2:
		return finish(conf, hash_djb2(key, len));
	case CONF_HASH_WT6:
		return finish(conf, hash_wt6(key, len));
	case CONF_HASH_CRC32:
		return finish(conf, ~hash_crc(~0U, HASH_CRC32, key, len));
	case CONF_HASH_NONE:
		return finish(conf, number(key, len));
	}
	return 0;
}

/* Points of one server are numbered from its id times this: 256 weights of 16 points. */
#define POINTS_MAX (256 * LB_WEIGHT_SCALE)

/*
 * Sorts by place, equal ones stay in order: byte by byte from the lowest.  `spare` has room for as
 * many.  Four passes, an even number: the result is where the points were.
 */
static void
sort_by_place(struct lb_point *points, struct lb_point *spare, uint32_t n)
{
	for (unsigned shift = 0; shift < 32; shift += 8) {
		uint32_t at[257] = { 0 };
		struct lb_point *swap = points;

		for (uint32_t i = 0; i < n; i++)
			at[(points[i].place >> shift & 255) + 1]++;
		for (unsigned byte = 1; byte < 256; byte++)
			at[byte] += at[byte - 1];
		for (uint32_t i = 0; i < n; i++)
			spare[at[points[i].place >> shift & 255]++] = points[i];
		points = spare;
		spare = swap;
	}
}

void
lb_ring_make(struct lb_server *const *servers, const uint32_t *counts, uint32_t n,
	     struct lb_point *points)
{
	uint32_t total = 0;

	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < counts[i]; k++)
			points[total++] = (struct lb_point){
				.place = hash_avalanche(servers[i]->id * POINTS_MAX + k),
				.server = (uint16_t)i,
				.k = (uint16_t)k,
			};
	sort_by_place(points, points + total, total);
}
