/*
 * lb_hash.h - from a key to a server, as HAProxy does it: so that a client finds the same server
 * behind either.  Pure.
 */
#pragma once

#include "conf/model.h"

struct lb_server;

/* The hash of a source address: its 32-bit words in host order, XORed. */
uint32_t lb_hash_source(const struct conf_proxy *conf, const struct ip *ip);

/* The hash of a key of bytes, by the backend's `hash-type`. */
uint32_t lb_hash_key(const struct conf_proxy *conf, const void *key, size_t len);

/* hash-type consistent: every server stands at many points of a circle of 2^32. */
struct lb_point {
	uint32_t place;  /* on the circle */
	uint16_t server; /* which of those the ring is made of */
	uint16_t k;      /* its k-th point */
};

/* The ring of these servers, counts[i] points each, sorted by place.  There is room for twice the sum. */
void lb_ring_make(struct lb_server *const *servers, const uint32_t *counts, uint32_t n,
		  struct lb_point *points);
