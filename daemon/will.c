/*
 * will.c - see will.h.  Runs on the guardian's loop, and is made from the guardian's own copy of the
 * configuration alone: of a dead or hung worker no more is believed than which sequences of auth_hmac
 * it has used.
 */
#include "daemon/will.h"

#include "common/log.h"
#include "conf/behaviour.h"
#include "daemon/vrrp_send.h"
#include "vrrpd/packet.h"

#include <string.h>

struct will {
	const struct conf_instance *conf;
	uint32_t instance;
	int fd;
	uint32_t ifindex;
	const struct ip *source;
	struct ledger *ledger;
};

static bool
send_one(const struct will *will, const struct ip *to)
{
	const struct conf_instance *conf = will->conf;
	unsigned char pdu[VRRP_PDU_MAX];
	char text[IP_STRLEN];
	int len, r;

	len = vrrp_packet_build(conf, will->source, to, 0, (uint16_t)conf->advert_int_cs, pdu,
				sizeof pdu);
	if (len > 0)
		len = ledger_sign(will->ledger, will->instance, will->source, to, pdu, (size_t)len,
				  sizeof pdu);
	r = len < 0 ? len
		    : vrrp_send(will->fd, will->ifindex, will->source, to, conf_ttl(conf), pdu,
				(size_t)len);
	if (r < 0)
		log_error("(%s) priority 0 not sent to %s: %s", conf->name, ip_format(to, text),
			  strerror(-r));
	return r == 0;
}

size_t
will_send(const struct conf *conf, uint32_t instance, int fd, uint32_t ifindex,
	  const struct ip *source, struct ledger *ledger)
{
	const struct conf_instance *c = &conf->instances[instance];
	const struct will will = { c, instance, fd, ifindex, source, ledger };
	size_t sent = 0;

	if (c->unicast_peers_n == 0)
		return send_one(&will, conf_group(conf, c));
	for (size_t i = 0; i < c->unicast_peers_n; i++)
		sent += send_one(&will, &c->unicast_peers[i].ip);
	return sent;
}
