/*
 * fuzz_vrrp_receive.c - one datagram through every check of the receive path, without an engine
 * behind it: codec, instance, signature.
 *
 * The first octet of the input chooses for whom: auth_hmac or not and its mode (bits 0-1), without
 * clocks (2), unicast (5), version 2 (6); and what is done to the datagram: checksums mended and a
 * signature of its length made good (3), by one who does not have the key (7); IPv6 (4).  An IPv4
 * datagram follows with its header; of an IPv6 one the last octet of the source, the hop limit and
 * the message.
 */
#include "common/checksum.h"
#include "vrrpd/auth_hmac.h"
#include "vrrpd/packet.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define MODE      3 /* 0 = no auth_hmac */
#define MONOTONIC 4
#define MENDED    8
#define IPV6      16
#define UNICAST   32
#define VERSION_2 64
#define STRANGER  128

#define CLOCK (UINT64_C(0x6b49d200) << 32)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Made once: the keys of the instance and of whoever signs. */
static struct conf_hmac_key keys[2], strangers;
static struct conf_hmac hmac = { .keys = keys, .keys_n = 2, .active_key = 1, .time_window_s = 5 };
static struct conf_hmac other = { .keys = &strangers, .keys_n = 1, .active_key = 1 };
static struct vrrp_hmac *ours, *stranger;
static struct vrrp_hmac_mark marks[1 + 1 + VRRP_HMAC_SENDERS];
static struct conf_vip vips[2], vip6;
static struct conf_peer peer, peer6;

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static void
make_keys(void)
{
	if (ours)
		return;
	for (uint8_t k = 0; k < 2; k++) {
		keys[k] = (struct conf_hmac_key){ .id = (uint8_t)(k + 1), .len = 32 };
		memset(keys[k].bytes, 'a' + k, 32);
	}
	strangers = (struct conf_hmac_key){ .id = 1, .len = 64 };
	ours = vrrp_hmac_new(&hmac);
	stranger = vrrp_hmac_new(&other);
	require(ours && stranger);
	ip_parse("10.0.0.10", &vips[0].ip);
	ip_parse("10.0.0.9", &vips[1].ip);
	ip_parse("fe80::10", &vip6.ip);
	ip_parse("10.0.0.12", &peer.ip);
	ip_parse("fe80::12", &peer6.ip);
}

static struct conf_instance
make_instance(uint8_t how)
{
	static const enum conf_hmac_mode modes[] = { CONF_HMAC_ENFORCE, CONF_HMAC_ENFORCE,
						     CONF_HMAC_PERMISSIVE, CONF_HMAC_RECEIVE_ONLY };
	bool six = how & IPV6;
	struct conf_instance conf = {
		.vrid = 51,
		.version = how & VERSION_2 && !six ? 2 : 3,
		.family = six ? AF_INET6 : AF_INET,
		.advert_int_cs = 100,
		.auth = how & VERSION_2 ? CONF_AUTH_PASS : CONF_AUTH_NONE,
		.auth_data = "secret",
		.vips = six ? &vip6 : vips,
		.vips_n = six ? 1 : 2,
		.unicast_peers = six ? &peer6 : &peer,
		.unicast_peers_n = how & UNICAST ? 1 : 0,
		.hmac = how & MODE ? &hmac : NULL,
	};

	hmac.mode = modes[how & MODE];
	hmac.anti_replay = how & MONOTONIC ? CONF_HMAC_MONOTONIC : CONF_HMAC_TIME;
	return conf;
}

/* Signs what is as long as a signed message: its fifth octet chooses the time, in quarters of a
 * second.  Was it signed? */
static bool
sign(uint8_t how, const struct ip *source, uint8_t *pdu, size_t pdu_len, size_t len)
{
	uint8_t *trailer = pdu + pdu_len;

	if (len != pdu_len + VRRP_HMAC_TRAILER_LEN)
		return false;
	vrrp_hmac_sign(how & STRANGER ? stranger : ours, source,
		       CLOCK + (uint64_t)((int64_t)(int8_t)trailer[4] * (1 << 30)), pdu, pdu_len);
	return !(how & STRANGER);
}

static void
put_checksum(uint8_t *pdu, size_t len, uint32_t sum)
{
	uint16_t field;

	memset(pdu + VRRP_CHECKSUM_OFFSET, 0, sizeof field);
	field = checksum_finish(checksum_add(sum, pdu, len));
	memcpy(pdu + VRRP_CHECKSUM_OFFSET, &field, sizeof field);
}

static bool
mend4(uint8_t how, uint8_t *packet, size_t len)
{
	size_t header = len ? (size_t)(packet[0] & 15) * 4 : 0, pdu_len;
	struct ip source = { .family = AF_INET };
	bool genuine;

	if (len < 20 || header < 20 || header + VRRP_HEADER_LEN > len)
		return false;
	packet[0] = (uint8_t)(0x40 | (packet[0] & 15));
	packet[2] = (uint8_t)(len >> 8);
	packet[3] = (uint8_t)len;
	packet[6] &= 0xc0;
	packet[7] = 0;
	packet[9] = VRRP_PROTOCOL;
	pdu_len = VRRP_HEADER_LEN + 4u * packet[header + 3] +
		  (packet[header] >> 4 == 2 ? VRRP_AUTH_LEN : 0);
	if (header + pdu_len > len)
		return false;
	memcpy(source.bytes, packet + 12, 4);
	genuine = sign(how, &source, packet + header, pdu_len, len - header);
	put_checksum(packet + header, pdu_len, 0);
	return genuine;
}

static bool
mend6(uint8_t how, uint8_t *pdu, const struct vrrp_datagram *d)
{
	const uint32_t tail_be[2] = { htobe32((uint32_t)d->pdu_len), htobe32(VRRP_PROTOCOL) };
	uint32_t sum = checksum_add(0, d->source.bytes, 16);
	bool genuine;

	if (d->pdu_len < VRRP_HEADER_LEN)
		return false;
	genuine = sign(how, &d->source, pdu, VRRP_HEADER_LEN + 16u * pdu[3], d->pdu_len);
	sum = checksum_add(sum, d->destination.bytes, 16);
	put_checksum(pdu, d->pdu_len, checksum_add(sum, tail_be, sizeof tail_be));
	return genuine;
}

/* What the codec has let through points into the datagram. */
static void
check_advert(const struct vrrp_advert *ad, const uint8_t *bytes, size_t len)
{
	size_t width = ip_len(&ad->source);

	require(ad->version == 2 || ad->version == 3);
	require(ad->pdu >= bytes && ad->pdu + VRRP_HEADER_LEN <= bytes + len);
	require(ad->addresses == ad->pdu + VRRP_HEADER_LEN);
	require(ad->addresses + width * ad->addresses_n <= bytes + len);
	require((ad->auth != NULL) == (ad->version == 2));
	require(ad->pdu + ad->pdu_len <= bytes + len);
	require(ad->trailer == NULL || ad->trailer + VRRP_HMAC_TRAILER_LEN <= bytes + len);
	require(ad->interval_cs <= (ad->version == 2 ? 25500 : VRRP_INTERVAL_MAX_CS));
}

/* What an instance would take. */
static void
check_taken(const struct conf_instance *conf, const struct vrrp_advert *ad, bool genuine)
{
	enum vrrp_drop drop;

	require(ad->version == conf->version && ad->addresses_n > 0);
	vrrp_packet_same_addresses(conf, ad);
	if (!conf->hmac)
		return;
	drop = vrrp_hmac_check(ours, conf, marks, ad, CLOCK);
	require(drop == VRRP_DROP_N || (drop >= VRRP_DROP_HMAC_MISSING && drop < VRRP_DROP_N));
	if (drop != VRRP_DROP_N)
		return;
	require(genuine || (ad->trailer == NULL && hmac.mode != CONF_HMAC_ENFORCE));
	if (ad->trailer)
		require(vrrp_hmac_check(ours, conf, marks, ad, CLOCK) == VRRP_DROP_HMAC_REPLAY);
}

static void
receive(uint8_t how, uint8_t *bytes, size_t len)
{
	struct conf_instance conf = make_instance(how);
	struct vrrp_datagram d = { .source = vip6.ip, .pdu = bytes, .pdu_len = len };
	struct ip own = conf.vips->ip;
	struct vrrp_advert ad;
	enum vrrp_drop drop;
	bool genuine = false;

	if (how & IPV6) {
		if (len < 2)
			return;
		d.source.bytes[15] = bytes[0];
		d.hop_limit = bytes[1];
		ip_parse(bytes[1] & 1 ? "ff02::12" : "fe80::11", &d.destination);
		d.pdu = bytes + 2;
		d.pdu_len = len - 2;
		if (how & MENDED)
			genuine = mend6(how, bytes + 2, &d);
		drop = vrrp_packet_parse6(&d, &ad);
	} else {
		if (how & MENDED)
			genuine = mend4(how, bytes, len);
		drop = vrrp_packet_parse(bytes, len, &ad);
	}
	require(drop <= VRRP_DROP_CHECKSUM || drop == VRRP_DROP_N);
	if (drop != VRRP_DROP_N)
		return;
	/* Cisco's is refused by name before anything else of it is looked at. */
	if (ad.version == 3 || ad.auth_type != VRRP_AUTH_TYPE_CISCO)
		check_advert(&ad, bytes, len);
	if (vrrp_packet_check(&conf, &own, &ad) == VRRP_DROP_N)
		check_taken(&conf, &ad, genuine);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	if (size == 0)
		return 0;
	make_keys();
	memset(marks, 0, sizeof marks);
	copy = malloc(size - 1 + (size == 1)); /* exactly: a sanitizer sees one octet too far */
	require(copy != NULL);
	memcpy(copy, data + 1, size - 1);
	receive(data[0], copy, size - 1);
	free(copy);
	return 0;
}
