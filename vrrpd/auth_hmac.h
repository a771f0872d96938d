/*
 * auth_hmac.h - signed advertisements (draft-cassen-vrrp-auth-hmac, as keepalived 2.4.2 has them).
 *
 * After the whole message follow 28 octets: kind (1), number of the key (1), zero (2), sequence (8),
 * and the first 16 octets of an HMAC-SHA256 over who sent what and when.  The sequence is the
 * sender's clock (32 bits of seconds, 16 of their fraction) and a counter (16), so that it grows over
 * restarts without being kept anywhere; serial number arithmetic (RFC 1982) orders it.
 *
 * Pure but for the library's context of each key: no I/O, no clock.  Not for two threads at once.
 */
#pragma once

#include "vrrpd/packet.h"

#include <stdatomic.h>

#define VRRP_HMAC_SENDERS 4 /* other than unicast peers, whose sequences are remembered */

/*
 * A sequence that was used.  Marks may live in memory that outlasts the process (and are then
 * written in an order in which it may be killed anywhere), so that neither an advertisement of a
 * peer nor one of our own can come twice.
 */
struct vrrp_hmac_mark {
	_Atomic uint64_t sequence; /* 0 = none */
	_Atomic uint32_t used;     /* when, among the senders; 0 = never */
	struct ip sender;          /* of those that are no unicast peers */
};

/* How many an instance has: the first is for what it signs itself, then one for each unicast peer,
 * then the other senders.  0 without auth_hmac. */
size_t vrrp_hmac_marks_n(const struct conf_instance *conf);

/* An instance's keys, ready for use.  NULL: no memory, or no such algorithm in the library. */
struct vrrp_hmac *vrrp_hmac_new(const struct conf_hmac *conf);
void vrrp_hmac_free(struct vrrp_hmac *hmac); /* NULL is fine */
const struct conf_hmac *vrrp_hmac_conf(const struct vrrp_hmac *hmac);

/* Nanoseconds since 1970 as a sequence with the counter 0. */
uint64_t vrrp_hmac_clock(int64_t wall_ns);
/* The seconds by which `a` is ahead of `b`. */
int32_t vrrp_hmac_ahead_s(uint64_t a, uint64_t b);

/*
 * What to sign with after `sent` (0 = nothing yet): the clock, or one more if it has not moved on.  A
 * clock that was set back would have us sign for the future: with anti_replay time, where receivers
 * refuse what is beyond their window, the sequence follows it.
 */
uint64_t vrrp_hmac_next(const struct conf_hmac *conf, uint64_t sent, uint64_t clock);

/* Writes the trailer behind a message of `len` octets, which needs no checksum yet: that is left out
 * of what is signed. */
void vrrp_hmac_sign(struct vrrp_hmac *hmac, const struct ip *source, uint64_t sequence,
		    uint8_t *pdu, size_t len);

/*
 * The checks of a signature, in the order of enum vrrp_drop: kind, freshness, key, HMAC, replay.
 * Only what passes the first four may raise a mark.  An advertisement without a trailer passes where
 * the mode lets it.  `marks` are the instance's.  VRRP_DROP_N or the reason.
 */
enum vrrp_drop vrrp_hmac_check(struct vrrp_hmac *hmac, const struct conf_instance *conf,
			       struct vrrp_hmac_mark *marks, const struct vrrp_advert *ad,
			       uint64_t clock);

/* Marks of one configuration for another's of the same virtual router: as many as find a place. */
void vrrp_hmac_inherit(const struct conf_instance *conf, struct vrrp_hmac_mark *marks,
		       const struct conf_instance *old, const struct vrrp_hmac_mark *old_marks);

/* What a trailer says of itself. */
struct vrrp_hmac_stamp {
	uint64_t sequence;
	uint8_t key;
};
struct vrrp_hmac_stamp vrrp_hmac_stamp(const uint8_t trailer[VRRP_HMAC_TRAILER_LEN]);
