/*
 * will.c - see will.h.  Runs on the guardian's loop, and is made from the guardian's own copy of the
 * configuration alone: nothing of a dead or hung worker is believed.
 */
#include "daemon/will.h"

#include "common/log.h"
#include "vrrpd/packet.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* The source address goes beside the packet (IP_PKTINFO): the socket is shared by the instances of
 * an interface and bound to none of their addresses. */
static int
send_from(int fd, uint32_t ifindex, const struct ip *source, const struct ip *to, const void *pdu,
	  size_t len)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr = to->v4 };
	struct in_pktinfo info = { .ipi_ifindex = (int)ifindex, .ipi_spec_dst = source->v4 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)pdu, .iov_len = len };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof info)];
	} control = { 0 };
	struct msghdr msg = {
		.msg_name = &sin,
		.msg_namelen = sizeof sin,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control,
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = IPPROTO_IP;
	cmsg->cmsg_type = IP_PKTINFO;
	cmsg->cmsg_len = CMSG_LEN(sizeof info);
	memcpy(CMSG_DATA(cmsg), &info, sizeof info);
	return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static bool
send_one(const struct conf_instance *instance, int fd, uint32_t ifindex, const struct ip *source,
	 const struct ip *to)
{
	unsigned char pdu[VRRP_PDU_MAX];
	char text[IP_STRLEN];
	int len, r;

	len = vrrp_packet_build(instance, source, to, 0, (uint16_t)instance->advert_int_cs, pdu,
				sizeof pdu);
	r = len < 0 ? len : send_from(fd, ifindex, source, to, pdu, (size_t)len);
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
		return send_one(c, fd, ifindex, source, &conf->mcast_group4);
	for (size_t i = 0; i < c->unicast_peers_n; i++)
		sent += send_one(c, fd, ifindex, source, &c->unicast_peers[i]);
	return sent;
}
