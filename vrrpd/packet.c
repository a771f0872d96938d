/*
 * packet.c - the VRRP codec: RFC 3768 sections 5 and 7.1 (v2), RFC 9568 sections 5 and 7.1 (v3).
 *
 * Pure, any thread, no allocation.  What comes in is an outsider's: every length is checked before
 * a byte is read, and everything refused has a name in enum vrrp_drop.
 */
#include "vrrpd/packet.h"

#include "common/checksum.h"
#include "vrrpd/auth_hmac.h"

#include <endian.h>
#include <errno.h>
#include <linux/ip.h>
#include <string.h>

#define TYPE_ADVERTISEMENT 1
#define FRAGMENT_MASK      0x3fff /* more-fragments flag and offset, RFC 791 */

/* RFC 9568 section 5.2; RFC 3768 section 5.3 has authentication type and interval at byte 4. */
struct header {
	uint8_t version_type;
	uint8_t vrid;
	uint8_t priority;
	uint8_t addresses_n;
	union {
		struct {
			uint8_t auth_type;
			uint8_t interval_s;
		} v2;
		uint16_t interval_cs_be; /* v3: the upper four bits are reserved */
	};
	uint16_t checksum;
};
_Static_assert(sizeof(struct header) == VRRP_HEADER_LEN &&
		       offsetof(struct header, checksum) == VRRP_CHECKSUM_OFFSET,
	       "the header has eight octets");

/* RFC 9568 section 5.2.8, as RFC 8200 section 8.1 has it for IPv6 and UDP for IPv4. */
static uint32_t
pseudo_header_sum(const struct ip *source, const struct ip *destination, size_t pdu_len)
{
	const uint32_t tail_be[2] = { htobe32((uint32_t)pdu_len), htobe32(VRRP_PROTOCOL) };
	uint32_t sum = checksum_add(0, source->bytes, ip_len(source));

	sum = checksum_add(sum, destination->bytes, ip_len(destination));
	return checksum_add(sum, tail_be, sizeof tail_be);
}

/* RFC 9568 section 5.1.1.2. */
static const struct ip group4 = { .family = AF_INET, .bytes = { 224, 0, 0, 18 } };

/*
 * v2 sums the message.  v3 over IPv4 is summed with the pseudo-header by most and without it by
 * RFC 9568 and Cisco: both are accepted.  keepalived up to 1.3.6 summed its unicast messages with the
 * group's address in the pseudo-header.  Over IPv6 there is no choice.
 */
static bool
checksum_holds(struct vrrp_advert *ad, const void *pdu, size_t pdu_len)
{
	uint32_t message = checksum_add(0, pdu, pdu_len);
	uint32_t pseudo;

	if (ad->version == 2)
		return checksum_finish(message) == 0;
	pseudo = pseudo_header_sum(&ad->source, &ad->destination, pdu_len);
	ad->with_pseudo_header = checksum_finish(checksum_add(pseudo, pdu, pdu_len)) == 0;
	if (ad->with_pseudo_header || ad->source.family == AF_INET6)
		return ad->with_pseudo_header;
	if (checksum_finish(message) == 0)
		return true;
	pseudo = pseudo_header_sum(&ad->source, &group4, pdu_len);
	ad->with_group = !ip_is_multicast(&ad->destination) &&
			 checksum_finish(checksum_add(pseudo, pdu, pdu_len)) == 0;
	return ad->with_group;
}

/* From a parsed IP header on.  The order of the checks is enum vrrp_drop's. */
static enum vrrp_drop
parse_pdu(const uint8_t *pdu, size_t len, struct vrrp_advert *ad)
{
	struct header h;
	size_t addresses_len, pdu_len;
	bool known;

	if (len < sizeof h)
		return VRRP_DROP_LENGTH;
	memcpy(&h, pdu, sizeof h);
	ad->version = h.version_type >> 4;
	ad->vrid = h.vrid;
	ad->priority = h.priority;
	ad->addresses_n = h.addresses_n;

	/* RFC 3768 has no IPv6; keepalived, if told so, speaks a version 2 of its own there. */
	known = ad->version == 3 || (ad->version == 2 && ad->source.family == AF_INET);
	/* How long a message must be, its version says; of an unknown one the header is enough. */
	addresses_len = (size_t)h.addresses_n * ip_len(&ad->source);
	pdu_len = sizeof h + addresses_len + (ad->version == 2 ? VRRP_AUTH_LEN : 0);
	if (known && len < pdu_len)
		return VRRP_DROP_LENGTH;
	if (!known)
		return VRRP_DROP_VERSION;
	if ((h.version_type & 0x0f) != TYPE_ADVERTISEMENT)
		return VRRP_DROP_TYPE;

	ad->addresses = pdu + sizeof h;
	if (ad->version == 3) {
		ad->interval_cs = be16toh(h.interval_cs_be) & VRRP_INTERVAL_MAX_CS;
	} else {
		ad->auth_type = h.v2.auth_type;
		ad->auth = pdu + sizeof h + addresses_len;
		ad->interval_cs = h.v2.interval_s * 100;
	}
	ad->pdu = pdu;
	ad->pdu_len = pdu_len;
	if (len == pdu_len + VRRP_HMAC_TRAILER_LEN)
		ad->trailer = pdu + pdu_len;
	if (ad->source.family == AF_INET6)
		pdu_len = len; /* padding is the link's, and stays there */
	/* What Cisco's MD5 trailer is summed with is not known: it is refused by its name later. */
	if (ad->version == 2 && ad->auth_type == VRRP_AUTH_TYPE_CISCO)
		return VRRP_DROP_N;
	return checksum_holds(ad, pdu, pdu_len) ? VRRP_DROP_N : VRRP_DROP_CHECKSUM;
}

enum vrrp_drop
vrrp_packet_parse(const void *packet, size_t len, struct vrrp_advert *ad)
{
	struct iphdr ip;
	size_t header_len, total_len;

	*ad = (struct vrrp_advert){ 0 };
	if (len < sizeof ip)
		return VRRP_DROP_IP_HEADER;
	memcpy(&ip, packet, sizeof ip);
	header_len = ip.ihl * 4u;
	total_len = be16toh(ip.tot_len);
	if (ip.version != 4 || header_len < sizeof ip || total_len < header_len || total_len > len)
		return VRRP_DROP_IP_HEADER;
	if (ip.protocol != VRRP_PROTOCOL || (be16toh(ip.frag_off) & FRAGMENT_MASK) != 0)
		return VRRP_DROP_IP_HEADER;
	ad->source.family = ad->destination.family = AF_INET;
	ad->source.v4.s_addr = ip.saddr;
	ad->destination.v4.s_addr = ip.daddr;
	ad->ttl = ip.ttl;
	if (ip.saddr == 0 || IN_MULTICAST(be32toh(ip.saddr)))
		return VRRP_DROP_IP_HEADER;

	/* RFC 9568 section 5.1.1.3: nothing multicast comes from beyond this link.  Unicast peers may
	 * be routers away. */
	if (IN_MULTICAST(be32toh(ip.daddr)) && ip.ttl != VRRP_TTL)
		return VRRP_DROP_TTL;
	return parse_pdu((const uint8_t *)packet + header_len, total_len - header_len, ad);
}

enum vrrp_drop
vrrp_packet_parse6(const struct vrrp_datagram *datagram, struct vrrp_advert *ad)
{
	*ad = (struct vrrp_advert){
		.source = datagram->source,
		.destination = datagram->destination,
		.ttl = datagram->hop_limit,
	};
	if (ad->source.family != AF_INET6 || ad->destination.family != AF_INET6 ||
	    ip_is_any(&ad->source) || ip_is_multicast(&ad->source))
		return VRRP_DROP_IP_HEADER;
	/* RFC 9568 section 5.1.2.3; see above. */
	if (ip_is_multicast(&ad->destination) && ad->ttl != VRRP_TTL)
		return VRRP_DROP_TTL;
	return parse_pdu(datagram->pdu, datagram->pdu_len, ad);
}

static enum vrrp_drop
check_auth(const struct conf_instance *conf, const struct vrrp_advert *ad)
{
	if (ad->auth_type == VRRP_AUTH_TYPE_CISCO)
		return VRRP_DROP_AUTH_MD5;
	switch (conf->auth) {
	case CONF_AUTH_NONE:
		return ad->auth_type == VRRP_AUTH_TYPE_NONE ? VRRP_DROP_N : VRRP_DROP_AUTH_TYPE;
	case CONF_AUTH_PASS:
		if (ad->auth_type != VRRP_AUTH_TYPE_PASS)
			return VRRP_DROP_AUTH_TYPE;
		return memcmp(ad->auth, conf->auth_data, VRRP_AUTH_LEN) == 0 ? VRRP_DROP_N
									     : VRRP_DROP_AUTH_DATA;
	}
	return VRRP_DROP_AUTH_TYPE;
}

static bool
is_within(const struct conf_peer *peer, uint8_t ttl)
{
	return ttl >= peer->min_ttl && (peer->max_ttl == 0 || ttl <= peer->max_ttl);
}

static enum vrrp_drop
check_peer(const struct conf_instance *conf, const struct vrrp_advert *ad)
{
	if (conf->unicast_peers_n == 0)
		return ip_is_multicast(&ad->destination) ? VRRP_DROP_N : VRRP_DROP_PEER;
	for (size_t i = 0; i < conf->unicast_peers_n; i++) {
		const struct conf_peer *peer = &conf->unicast_peers[i];

		if (ip_equal(&peer->ip, &ad->source))
			return is_within(peer, ad->ttl) ? VRRP_DROP_N : VRRP_DROP_PEER_TTL;
	}
	return VRRP_DROP_PEER;
}

enum vrrp_drop
vrrp_packet_check(const struct conf_instance *conf, const struct ip *own,
		  const struct vrrp_advert *ad)
{
	if (ad->version != conf->version)
		return VRRP_DROP_VERSION;
	if (ad->with_group && conf->old_unicast_checksum == CONF_OFF)
		return VRRP_DROP_CHECKSUM;
	if (ad->version == 2) {
		/* A signature says more than a password, and what it says includes it. */
		bool is_signed = conf->hmac && ad->trailer;
		enum vrrp_drop drop = is_signed ? VRRP_DROP_N : check_auth(conf, ad);

		if (drop != VRRP_DROP_N)
			return drop;
		/* RFC 3768 section 7.1; a master of another interval cannot be timed. */
		if (ad->interval_cs != conf->advert_int_cs)
			return VRRP_DROP_ADVERT_INTERVAL;
	} else if (ad->interval_cs == 0) {
		return VRRP_DROP_ADVERT_INTERVAL;
	}
	if (ad->addresses_n == 0)
		return VRRP_DROP_COUNT;
	if (own->family == ad->source.family && ip_equal(own, &ad->source))
		return VRRP_DROP_OWN;
	return check_peer(conf, ad);
}

static bool
is_advertised(const struct conf_vip *vip, uint8_t family)
{
	return !vip->excluded && vip->ip.family == family;
}

bool
vrrp_packet_same_addresses(const struct conf_instance *conf, const struct vrrp_advert *ad)
{
	size_t width = ip_len(&ad->source), n = 0;

	for (size_t i = 0; i < conf->vips_n && n < VRRP_ADDRESSES_MAX; i++) {
		const struct conf_vip *vip = &conf->vips[i];
		size_t at = n;

		if (!is_advertised(vip, ad->source.family))
			continue;
		if (n == ad->addresses_n)
			return false;
		/* Two nodes nearly always list in the same order: look there first. */
		if (memcmp(ad->addresses + at * width, vip->ip.bytes, width) != 0)
			for (at = 0; at < ad->addresses_n; at++)
				if (memcmp(ad->addresses + at * width, vip->ip.bytes, width) == 0)
					break;
		if (at == ad->addresses_n)
			return false;
		n++;
	}
	return n == ad->addresses_n;
}

/* What the pseudo-header says; see checksum_holds. */
static const struct ip *
summed_destination(const struct conf_instance *conf, const struct ip *destination)
{
	bool old = conf->old_unicast_checksum == CONF_ON && destination->family == AF_INET &&
		   conf->unicast_peers_n > 0;

	return old ? &group4 : destination;
}

int
vrrp_packet_build(const struct conf_instance *conf, const struct ip *source,
		  const struct ip *destination, uint8_t priority, uint16_t interval_cs, void *buf,
		  size_t size)
{
	struct header h = { .vrid = conf->vrid, .priority = priority };
	uint8_t *pdu = buf;
	size_t width = ip_len(source), len = sizeof h;
	uint32_t sum = 0;

	if ((source->family != AF_INET && source->family != AF_INET6) ||
	    source->family != destination->family)
		return -EAFNOSUPPORT;
	for (size_t i = 0; i < conf->vips_n && h.addresses_n < VRRP_ADDRESSES_MAX; i++) {
		if (!is_advertised(&conf->vips[i], source->family))
			continue;
		if (len + width > size)
			return -EMSGSIZE;
		memcpy(pdu + len, conf->vips[i].ip.bytes, width);
		len += width;
		h.addresses_n++;
	}

	h.version_type = (uint8_t)(conf->version << 4 | TYPE_ADVERTISEMENT);
	if (conf->version == 2) {
		if (len + VRRP_AUTH_LEN > size)
			return -EMSGSIZE;
		memset(pdu + len, 0, VRRP_AUTH_LEN);
		h.v2.interval_s = (uint8_t)(interval_cs / 100);
		if (conf->auth == CONF_AUTH_PASS) {
			h.v2.auth_type = VRRP_AUTH_TYPE_PASS;
			memcpy(pdu + len, conf->auth_data, VRRP_AUTH_LEN);
		}
		len += VRRP_AUTH_LEN;
	} else {
		h.interval_cs_be = htobe16(interval_cs & VRRP_INTERVAL_MAX_CS);
		if (!conf->v3_checksum_as_v2 || source->family == AF_INET6)
			sum = pseudo_header_sum(source, summed_destination(conf, destination), len);
	}
	if (len > size)
		return -EMSGSIZE;
	memcpy(pdu, &h, sizeof h);
	h.checksum = checksum_finish(checksum_add(sum, pdu, len));
	memcpy(pdu, &h, sizeof h);
	return (int)len;
}

int
vrrp_packet_sign(struct vrrp_hmac *hmac, struct vrrp_hmac_mark *sent, uint64_t clock,
		 const struct ip *source, const struct ip *destination, void *pdu, size_t len,
		 size_t size)
{
	size_t signed_len = len + VRRP_HMAC_TRAILER_LEN;
	uint8_t *checksum = (uint8_t *)pdu + VRRP_CHECKSUM_OFFSET;
	uint16_t sum = 0;

	if (vrrp_hmac_conf(hmac)->mode == CONF_HMAC_RECEIVE_ONLY)
		return (int)len;
	if (signed_len > size)
		return -EMSGSIZE;
	sent->sequence = vrrp_hmac_next(vrrp_hmac_conf(hmac), sent->sequence, clock);
	vrrp_hmac_sign(hmac, source, sent->sequence, pdu, len);
	if (source->family == AF_INET6) {
		memcpy(checksum, &sum, sizeof sum);
		sum = checksum_finish(checksum_add(
			pseudo_header_sum(source, destination, signed_len), pdu, signed_len));
		memcpy(checksum, &sum, sizeof sum);
	}
	return (int)signed_len;
}

const char *
vrrp_drop_name(enum vrrp_drop drop)
{
	static const char *const names[VRRP_DROP_N] = {
		[VRRP_DROP_IP_HEADER] = "malformed IP header",
		[VRRP_DROP_TTL] = "TTL is not 255",
		[VRRP_DROP_LENGTH] = "too short",
		[VRRP_DROP_VERSION] = "wrong version",
		[VRRP_DROP_TYPE] = "not an advertisement",
		[VRRP_DROP_CHECKSUM] = "wrong checksum",
		[VRRP_DROP_VRID] = "unknown VRID",
		[VRRP_DROP_OWNER] = "the addresses are ours",
		[VRRP_DROP_AUTH_TYPE] = "wrong authentication type",
		[VRRP_DROP_AUTH_MD5] = "Cisco MD5 authentication is not supported",
		[VRRP_DROP_AUTH_DATA] = "wrong password",
		[VRRP_DROP_ADVERT_INTERVAL] = "wrong advertisement interval",
		[VRRP_DROP_COUNT] = "no address",
		[VRRP_DROP_PEER] = "not from a peer",
		[VRRP_DROP_PEER_TTL] = "TTL outside of the peer's limits",
		[VRRP_DROP_OWN] = "our own",
		[VRRP_DROP_HMAC_MISSING] = "not signed",
		[VRRP_DROP_HMAC_KIND] = "unknown kind of signature",
		[VRRP_DROP_HMAC_TIME] = "signed outside the time window",
		[VRRP_DROP_HMAC_KEY] = "signed with an unknown key",
		[VRRP_DROP_HMAC_FORGED] = "wrong signature",
		[VRRP_DROP_HMAC_REPLAY] = "replayed",
	};

	return names[drop];
}
