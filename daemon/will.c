/*
 * will.c - see will.h.  Runs on the guardian's loop, and is made from the guardian's own copy of the
 * configuration alone: nothing of a dead or hung worker is believed.
 */
#include "daemon/will.h"

#include "common/log.h"
#include "daemon/vrrp_send.h"
#include "vrrpd/packet.h"

#include <string.h>

static bool
send_one(const struct conf_instance *instance, int fd, uint32_t ifindex, const struct ip *source,
	 const struct ip *to)
{
	unsigned char pdu[VRRP_PDU_MAX];
	char text[IP_STRLEN];
	int len, r;

	len = vrrp_packet_build(instance, source, to, 0, (uint16_t)instance->advert_int_cs, pdu,
				sizeof pdu);
	r = len < 0 ? len
		    : vrrp_send(fd, ifindex, source, to, conf_ttl(instance), pdu, (size_t)len);
	if (r < 0)
		log_error("(%s) priority 0 not sent to %s: %s", instance->name, ip_format(to, text),
			  strerror(-r));
	return r == 0;
}

size_t
will_send(const struct conf *conf, uint32_t instance, int fd, uint32_t ifindex,
	  const struct ip *source)
{
	const struct conf_instance *c = &conf->instances[instance];
	size_t sent = 0;

	if (c->unicast_peers_n == 0)
		return send_one(c, fd, ifindex, source, conf_group(conf, c));
	for (size_t i = 0; i < c->unicast_peers_n; i++)
		sent += send_one(c, fd, ifindex, source, &c->unicast_peers[i].ip);
	return sent;
}
