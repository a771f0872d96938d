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

/* The function of `hash-type … wt6`: two halves stir each other, by steps that depend on what came
 * before. */
uint32_t lb_hash_wt6(const void *data, size_t len);

/* hash-type consistent: every server stands at many points of a circle of 2^32. */
struct lb_ring;

/* The ring of these servers, each at as many points as its effective weight.  NULL = no memory. */
struct lb_ring *lb_ring_new(struct lb_server *const *servers, uint32_t n);
void lb_ring_free(struct lb_ring *ring);

/* The point closest to the hash, and the one after a point; the ring is not empty. */
uint32_t lb_ring_find(const struct lb_ring *ring, uint32_t hash);
uint32_t lb_ring_next(const struct lb_ring *ring, uint32_t point);

/* Where on the circle the point is. */
uint32_t lb_ring_place(const struct lb_ring *ring, uint32_t point);

/* Index of the point's server among those the ring was made of. */
uint32_t lb_ring_server(const struct lb_ring *ring, uint32_t point);
uint32_t lb_ring_points(const struct lb_ring *ring);
