/*
 * packet.h - the VRRP advertisement on the wire: RFC 3768 section 5.1 (v2), RFC 9568 section 5.1
 * (v3).  Pure: no engine, no state; the guardian builds its wills with it.
 */
#pragma once

#include "conf/model.h"
#include "vrrpd/vrrp.h"

#define VRRP_PROTOCOL         112
#define VRRP_TTL              255
#define VRRP_HEADER_LEN       8
#define VRRP_CHECKSUM_OFFSET  6   /* in the header, two octets */
#define VRRP_AUTH_LEN         8   /* v2 */
#define VRRP_ADDRESSES_MAX    255 /* the count is one octet */
#define VRRP_AUTH_TYPE_NONE   0
#define VRRP_AUTH_TYPE_PASS   1
#define VRRP_AUTH_TYPE_CISCO  254
#define VRRP_INTERVAL_MAX_CS  4095 /* v3: 12 bits */
#define VRRP_HMAC_TRAILER_LEN 28   /* auth_hmac: behind the whole message */

/* The largest advertisement that is sent: CONF_ADVERTISED_MAX IPv4 addresses with authentication
 * take less. */
#define VRRP_PDU_MAX (VRRP_HEADER_LEN + CONF_ADVERTISED6_MAX * 16 + VRRP_HMAC_TRAILER_LEN)
/* The largest that may come in, whoever sent it: 255 IPv6 addresses. */
#define VRRP_PDU_RECEIVED_MAX (VRRP_HEADER_LEN + VRRP_ADDRESSES_MAX * 16 + VRRP_AUTH_LEN)

struct vrrp_hmac;
struct vrrp_hmac_mark;

/* A received advertisement; its pointers point into the datagram. */
struct vrrp_advert {
	struct ip source, destination;
	uint8_t ttl;
	uint8_t version, vrid, priority;
	uint8_t auth_type;    /* v2 */
	uint16_t interval_cs; /* v2: whole seconds */
	uint8_t addresses_n;
	const uint8_t *addresses; /* ip_len(&source) bytes each */
	const uint8_t *auth;      /* v2: VRRP_AUTH_LEN bytes; NULL in v3 */
	bool with_pseudo_header;  /* v3: how the sender summed … */
	bool with_group;          /* … a unicast message as if it went to the group */
	const uint8_t *pdu;       /* the message … */
	size_t pdu_len;           /* … without what follows it */
	const uint8_t *trailer; /* VRRP_HMAC_TRAILER_LEN bytes if just that many follow, or NULL */
};

/*
 * Reads one IPv4 datagram, header included, as a raw socket delivers it: bytes beyond the IP total
 * length are Ethernet padding.  Checks what needs no configuration, in the order of enum vrrp_drop
 * up to the checksum.  VRRP_DROP_N when all is well, else the reason (*ad is then partly filled).
 * Octets after a complete advertisement are tolerated (RFC 9568 section 7.1 asks for "complete").
 */
enum vrrp_drop vrrp_packet_parse(const void *packet, size_t len, struct vrrp_advert *ad);

/*
 * The same for IPv6, where a raw socket delivers what follows the headers and the kernel tells the
 * rest beside it.  The checksum covers all of it (RFC 8200 section 8.1).
 */
enum vrrp_drop vrrp_packet_parse6(const struct vrrp_datagram *datagram, struct vrrp_advert *ad);

/*
 * The checks that need the instance the VRID named: version, authentication, interval, count, and
 * that the sender is one of its peers.  `own` is our source address.  VRRP_DROP_N or the reason.
 * A signature (auth_hmac) is still to be checked.
 */
enum vrrp_drop vrrp_packet_check(const struct conf_instance *conf, const struct ip *own,
				 const struct vrrp_advert *ad);

/* Does the advertisement list exactly the addresses this instance would?  In any order. */
bool vrrp_packet_same_addresses(const struct conf_instance *conf, const struct vrrp_advert *ad);

/*
 * Builds the advertisement an instance sends from `source` to `destination` (a peer or the group;
 * both count in the checksum of v3): its advertised VIPs of the family of `source`, at most 255.
 * `interval_cs` is what v3 announces; v2 announces the whole seconds of it.  Returns the length, or
 * -EMSGSIZE when `size` is too small (VRRP_PDU_MAX suffices), -EAFNOSUPPORT for another family.
 */
int vrrp_packet_build(const struct conf_instance *conf, const struct ip *source,
		      const struct ip *destination, uint8_t priority, uint16_t interval_cs,
		      void *buf, size_t size);

/*
 * Signs what vrrp_packet_build made of these addresses, if the mode is to sign: appends the trailer,
 * which an IPv6 checksum covers and an IPv4 one does not.  `sent` is the mark of what was signed last,
 * and of this as soon as anything of it can be seen.  Returns the length, or -EMSGSIZE.
 */
int vrrp_packet_sign(struct vrrp_hmac *hmac, struct vrrp_hmac_mark *sent, uint64_t clock,
		     const struct ip *source, const struct ip *destination, void *pdu, size_t len,
		     size_t size);
