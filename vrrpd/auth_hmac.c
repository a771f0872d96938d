/*
 * auth_hmac.c - see auth_hmac.h.  VRRP thread of the worker; for wills the guardian's loop.
 *
 * A trailer is an outsider's until its HMAC has been found right: what is done before that can refuse
 * it and nothing else.  The library's contexts are made once; each signature starts them over.
 */
#include "vrrpd/auth_hmac.h"

#include <endian.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#define KIND_SHA256 1
#define DIGEST_LEN  32
#define HMAC_LEN    16 /* of the digest, in the trailer */

struct trailer {
	uint8_t kind;
	uint8_t key;
	uint16_t reserved;
	uint32_t seconds_be;
	uint16_t fraction_be;
	uint16_t counter_be;
	uint8_t hmac[HMAC_LEN];
};
_Static_assert(sizeof(struct trailer) == VRRP_HMAC_TRAILER_LEN, "the trailer has no holes");

/* Signed in front of the message: it ties the signature to its sender and its virtual router. */
struct preamble {
	uint8_t family; /* 4 or 6 */
	uint8_t version, vrid, zero;
	uint8_t source[16]; /* IPv4: padded with zeros */
};
_Static_assert(sizeof(struct preamble) == 20, "the preamble has no holes");

struct vrrp_hmac {
	const struct conf_hmac *conf;
	EVP_MAC_CTX *keys[]; /* in the order of conf->keys */
};

size_t
vrrp_hmac_marks_n(const struct conf_instance *conf)
{
	return conf->hmac ? 1 + conf->unicast_peers_n + VRRP_HMAC_SENDERS : 0;
}

/* ------------------------------------------------------------------ keys */

static EVP_MAC_CTX *
make_key(EVP_MAC *mac, const struct conf_hmac_key *key)
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);

	if (ctx == NULL || EVP_MAC_init(ctx, key->bytes, key->len, params) == 1)
		return ctx;
	EVP_MAC_CTX_free(ctx);
	return NULL;
}

struct vrrp_hmac *
vrrp_hmac_new(const struct conf_hmac *conf)
{
	struct vrrp_hmac *hmac = calloc(1, sizeof *hmac + conf->keys_n * sizeof *hmac->keys);
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	bool whole = hmac != NULL && mac != NULL;

	if (hmac != NULL)
		hmac->conf = conf;
	for (size_t i = 0; i < conf->keys_n && whole; i++) {
		hmac->keys[i] = make_key(mac, &conf->keys[i]);
		whole = hmac->keys[i] != NULL;
	}
	EVP_MAC_free(mac);
	if (whole)
		return hmac;
	vrrp_hmac_free(hmac);
	return NULL;
}

void
vrrp_hmac_free(struct vrrp_hmac *hmac)
{
	if (hmac == NULL)
		return;
	for (size_t i = 0; i < hmac->conf->keys_n; i++)
		EVP_MAC_CTX_free(hmac->keys[i]);
	free(hmac);
}

const struct conf_hmac *
vrrp_hmac_conf(const struct vrrp_hmac *hmac)
{
	return hmac->conf;
}

static EVP_MAC_CTX *
find_key(const struct vrrp_hmac *hmac, uint8_t id)
{
	for (size_t i = 0; i < hmac->conf->keys_n; i++)
		if (hmac->conf->keys[i].id == id)
			return hmac->keys[i];
	return NULL;
}

/*
 * The message with its checksum read as zero, the trailer with its HMAC read as zero.  False: the
 * library failed.
 */
static bool
compute(EVP_MAC_CTX *key, const struct ip *source, const uint8_t *pdu, size_t len,
	const struct trailer *trailer, uint8_t digest[DIGEST_LEN])
{
	static const uint8_t zeros[HMAC_LEN];
	struct preamble preamble = {
		.family = source->family == AF_INET6 ? 6 : 4,
		.version = pdu[0] >> 4,
		.vrid = pdu[1],
	};
	size_t digest_len;

	memcpy(preamble.source, source->bytes, ip_len(source));
	return EVP_MAC_init(key, NULL, 0, NULL) == 1 &&
	       EVP_MAC_update(key, (const uint8_t *)&preamble, sizeof preamble) == 1 &&
	       EVP_MAC_update(key, pdu, VRRP_CHECKSUM_OFFSET) == 1 &&
	       EVP_MAC_update(key, zeros, VRRP_HEADER_LEN - VRRP_CHECKSUM_OFFSET) == 1 &&
	       EVP_MAC_update(key, pdu + VRRP_HEADER_LEN, len - VRRP_HEADER_LEN) == 1 &&
	       EVP_MAC_update(key, (const uint8_t *)trailer, offsetof(struct trailer, hmac)) == 1 &&
	       EVP_MAC_update(key, zeros, sizeof zeros) == 1 &&
	       EVP_MAC_final(key, digest, &digest_len, DIGEST_LEN) == 1;
}

/* ------------------------------------------------------------------ the sequence */

uint64_t
vrrp_hmac_clock(int64_t wall_ns)
{
	uint64_t seconds = (uint64_t)wall_ns / NS_PER_S, rest = (uint64_t)wall_ns % NS_PER_S;

	return seconds << 32 | ((rest << 16) / NS_PER_S) << 16;
}

int32_t
vrrp_hmac_ahead_s(uint64_t a, uint64_t b)
{
	return (int32_t)((uint32_t)(a >> 32) - (uint32_t)(b >> 32));
}

/* RFC 1982 section 3.2, with 64 bits. */
static bool
is_after(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) > 0;
}

static bool
is_within_window(const struct conf_hmac *conf, uint64_t sequence, uint64_t clock)
{
	int32_t ahead_s = vrrp_hmac_ahead_s(sequence, clock);

	return ahead_s <= conf->time_window_s && ahead_s >= -conf->time_window_s;
}

uint64_t
vrrp_hmac_next(const struct conf_hmac *conf, uint64_t sent, uint64_t clock)
{
	if (sent == 0 || is_after(clock, sent))
		return clock;
	if (conf->anti_replay == CONF_HMAC_TIME && !is_within_window(conf, sent, clock))
		return clock;
	return sent + 1;
}

static uint64_t
sequence_of(const struct trailer *trailer)
{
	return (uint64_t)be32toh(trailer->seconds_be) << 32 |
	       (uint32_t)be16toh(trailer->fraction_be) << 16 | be16toh(trailer->counter_be);
}

struct vrrp_hmac_stamp
vrrp_hmac_stamp(const uint8_t trailer[VRRP_HMAC_TRAILER_LEN])
{
	struct trailer t;

	memcpy(&t, trailer, sizeof t);
	return (struct vrrp_hmac_stamp){ sequence_of(&t), t.key };
}

void
vrrp_hmac_sign(struct vrrp_hmac *hmac, const struct ip *source, uint64_t sequence, uint8_t *pdu,
	       size_t len)
{
	struct trailer trailer = {
		.kind = KIND_SHA256,
		.key = hmac->conf->active_key,
		.seconds_be = htobe32((uint32_t)(sequence >> 32)),
		.fraction_be = htobe16((uint16_t)(sequence >> 16)),
		.counter_be = htobe16((uint16_t)sequence),
	};
	uint8_t digest[DIGEST_LEN];

	/* Without memory the HMAC stays zero, which every receiver refuses. */
	if (compute(find_key(hmac, trailer.key), source, pdu, len, &trailer, digest))
		memcpy(trailer.hmac, digest, HMAC_LEN);
	memcpy(pdu + len, &trailer, sizeof trailer);
}

/* ------------------------------------------------------------------ marks */

/* Who is no unicast peer takes the place of whoever was not heard for longest. */
static struct vrrp_hmac_mark *
find_sender(struct vrrp_hmac_mark *senders, const struct ip *source)
{
	struct vrrp_hmac_mark *oldest = senders;
	uint32_t latest = 0;

	for (size_t i = 0; i < VRRP_HMAC_SENDERS; i++)
		if (senders[i].used > latest)
			latest = senders[i].used;
	for (size_t i = 0; i < VRRP_HMAC_SENDERS; i++) {
		struct vrrp_hmac_mark *mark = &senders[i];

		if (mark->used != 0 && ip_equal(&mark->sender, source)) {
			/* Every packet of the only sender would count up to the end otherwise. */
			if (mark->used != latest)
				mark->used = latest + 1;
			return mark;
		}
		if (mark->used < oldest->used)
			oldest = mark;
	}
	/* Killed between these, a process leaves a mark that says nothing. */
	oldest->used = 0;
	oldest->sequence = 0;
	oldest->sender = *source;
	oldest->used = latest + 1;
	return oldest;
}

static struct vrrp_hmac_mark *
find_mark(const struct conf_instance *conf, struct vrrp_hmac_mark *marks, const struct ip *source)
{
	for (size_t i = 0; i < conf->unicast_peers_n; i++)
		if (ip_equal(&conf->unicast_peers[i].ip, source))
			return &marks[1 + i];
	return find_sender(marks + 1 + conf->unicast_peers_n, source);
}

static void
inherit_one(const struct conf_instance *conf, struct vrrp_hmac_mark *marks, const struct ip *sender,
	    uint64_t sequence)
{
	if (sequence != 0)
		find_mark(conf, marks, sender)->sequence = sequence;
}

void
vrrp_hmac_inherit(const struct conf_instance *conf, struct vrrp_hmac_mark *marks,
		  const struct conf_instance *old, const struct vrrp_hmac_mark *old_marks)
{
	const struct vrrp_hmac_mark *senders = old_marks + 1 + old->unicast_peers_n;

	marks->sequence = old_marks->sequence;
	for (size_t i = 0; i < VRRP_HMAC_SENDERS; i++)
		if (senders[i].used != 0)
			inherit_one(conf, marks, &senders[i].sender, senders[i].sequence);
	/* A mark of a peer's own is the newer one. */
	for (size_t i = 0; i < old->unicast_peers_n; i++)
		inherit_one(conf, marks, &old->unicast_peers[i].ip, old_marks[1 + i].sequence);
}

/*
 * A mark outside the window could only refuse what the window refuses anyway, or a sender whose clock
 * was set back by more than that: it is forgotten.
 */
static bool
is_new(const struct conf_hmac *conf, const struct vrrp_hmac_mark *mark, uint64_t sequence,
       uint64_t clock)
{
	if (mark->sequence == 0 || is_after(sequence, mark->sequence))
		return true;
	return conf->anti_replay == CONF_HMAC_TIME &&
	       !is_within_window(conf, mark->sequence, clock);
}

enum vrrp_drop
vrrp_hmac_check(struct vrrp_hmac *hmac, const struct conf_instance *conf,
		struct vrrp_hmac_mark *marks, const struct vrrp_advert *ad, uint64_t clock)
{
	struct vrrp_hmac_mark *mark;
	uint8_t digest[DIGEST_LEN];
	struct trailer trailer;
	uint64_t sequence;
	EVP_MAC_CTX *key;

	if (ad->trailer == NULL)
		return hmac->conf->mode == CONF_HMAC_ENFORCE ? VRRP_DROP_HMAC_MISSING : VRRP_DROP_N;
	memcpy(&trailer, ad->trailer, sizeof trailer);
	if (trailer.kind != KIND_SHA256 || trailer.reserved != 0)
		return VRRP_DROP_HMAC_KIND;
	/* Before the HMAC, so that a flood of old packets costs none. */
	sequence = sequence_of(&trailer);
	if (hmac->conf->anti_replay == CONF_HMAC_TIME &&
	    !is_within_window(hmac->conf, sequence, clock))
		return VRRP_DROP_HMAC_TIME;
	key = find_key(hmac, trailer.key);
	if (key == NULL)
		return VRRP_DROP_HMAC_KEY;
	if (!compute(key, &ad->source, ad->pdu, ad->pdu_len, &trailer, digest) ||
	    CRYPTO_memcmp(digest, trailer.hmac, HMAC_LEN) != 0)
		return VRRP_DROP_HMAC_FORGED;
	mark = find_mark(conf, marks, &ad->source);
	if (!is_new(hmac->conf, mark, sequence, clock))
		return VRRP_DROP_HMAC_REPLAY;
	mark->sequence = sequence;
	return VRRP_DROP_N;
}
