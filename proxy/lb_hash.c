/*
 * lb_hash.c - hash functions and the ring.  lb_hash_* and lb_ring_find run on every proxy
 * thread; rings are built and freed by the thread that uses them.
 *
 * What the hashes yield is HAProxy's interface: clients must find their server after a move.
 */
#include "proxy/lb_hash.h"

#include "proxy/lb.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* One of Bob Jenkins' integer hashes with full avalanche, spread over the circle by a large prime. */
static uint32_t
avalanche(uint32_t a)
{
	a = (a + 0x7ed55d16) + (a << 12);
	a = (a ^ 0xc761c23c) ^ (a >> 19);
	a = (a + 0x165667b1) + (a << 5);
	a = (a + 0xd3a2646c) ^ (a << 9);
	a = (a + 0xfd7046c5) + (a << 3);
	a = (a ^ 0xb55a4f09) ^ (a >> 16);
	return a * 3221225473U;
}

static uint32_t
sdbm(const unsigned char *key, size_t len)
{
	uint32_t hash = 0;

	while (len--)
		hash = hash * 65599 + *key++;
	return hash;
}

static uint32_t
djb2(const unsigned char *key, size_t len)
{
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
lb_hash_wt6(const void *data, size_t len)
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

/* ISO 3309, as in Ethernet. */
static uint32_t
crc32(const unsigned char *key, size_t len)
{
	uint32_t crc = ~0U;

	while (len--) {
		crc ^= *key++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

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
	return conf->hash_avalanche ? avalanche(hash) : hash;
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
		return finish(conf, sdbm(key, len));
	case CONF_HASH_DJB2:
		return finish(conf, djb2(key, len));
	case CONF_HASH_WT6:
		return finish(conf, lb_hash_wt6(key, len));
	case CONF_HASH_CRC32:
		return finish(conf, crc32(key, len));
	case CONF_HASH_NONE:
		return finish(conf, number(key, len));
	}
	return 0;
}

struct point {
	uint32_t place;
	uint32_t server;
};

struct lb_ring {
	uint32_t points_n;
	struct point points[];
};

/* Points of one server are numbered from its id times this: 256 weights of 16 points. */
#define POINTS_MAX (256 * LB_WEIGHT_SCALE)

/*
 * Sorts by place, equal ones stay in order: byte by byte from the lowest, for a ring of thousands of
 * servers is made anew at every change of one.  `spare` has room for as many.
 */
static void
sort_by_place(struct point *points, struct point *spare, uint32_t n)
{
	for (unsigned shift = 0; shift < 32; shift += 8) {
		uint32_t at[257] = { 0 };
		struct point *swap = points;

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

struct lb_ring *
lb_ring_new(struct lb_server *const *servers, uint32_t n)
{
	struct lb_ring *ring;
	struct point *spare;
	size_t total = 0;

	for (uint32_t i = 0; i < n; i++)
		total += atomic_load(&servers[i]->effective_weight);
	ring = malloc(sizeof *ring + total * sizeof ring->points[0]);
	spare = malloc((total + 1) * sizeof *spare);
	if (!ring || !spare) {
		free(ring);
		free(spare);
		return NULL;
	}
	ring->points_n = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t points_n = atomic_load(&servers[i]->effective_weight);

		for (uint32_t k = 0; k < points_n && ring->points_n < total; k++)
			ring->points[ring->points_n++] = (struct point){
				.place = avalanche(servers[i]->id * POINTS_MAX + k),
				.server = i,
			};
	}
	/* Four passes, an even number: the result is where the points were. */
	sort_by_place(ring->points, spare, ring->points_n);
	free(spare);
	return ring;
}

void
lb_ring_free(struct lb_ring *ring)
{
	free(ring);
}

uint32_t
lb_ring_find(const struct lb_ring *ring, uint32_t hash)
{
	uint32_t low = 0, high = ring->points_n, after, before;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (ring->points[middle].place < hash)
			low = middle + 1;
		else
			high = middle;
	}
	after = low < ring->points_n ? low : 0;
	before = (after ? after : ring->points_n) - 1;
	/* Distances around the circle: unsigned differences wrap as it does. */
	if (hash - ring->points[before].place <= ring->points[after].place - hash)
		return before;
	return after;
}

uint32_t
lb_ring_next(const struct lb_ring *ring, uint32_t point)
{
	return point + 1 < ring->points_n ? point + 1 : 0;
}

uint32_t
lb_ring_place(const struct lb_ring *ring, uint32_t point)
{
	return ring->points[point].place;
}

uint32_t
lb_ring_server(const struct lb_ring *ring, uint32_t point)
{
	return ring->points[point].server;
}

uint32_t
lb_ring_points(const struct lb_ring *ring)
{
	return ring->points_n;
}
