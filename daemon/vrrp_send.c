/*
 * vrrp_send.c - see vrrp_send.h.  Without state; any thread.
 */
#include "daemon/vrrp_send.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int))];
};

/* Puts one more item beside the message. */
static void
put_control(struct msghdr *msg, int level, int type, const void *data, size_t len)
{
	struct cmsghdr *cmsg = (void *)((char *)msg->msg_control + msg->msg_controllen);

	msg->msg_controllen += CMSG_SPACE(len);
	cmsg->cmsg_level = level;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(cmsg), data, len);
}

int
vrrp_send(int fd, uint32_t ifindex, const struct ip *source, const struct ip *to, uint8_t ttl,
	  const void *pdu, size_t len)
{
	struct sock_addr address = sock_addr_from_ip(to, 0);
	struct iovec iov = { .iov_base = (void *)(uintptr_t)pdu, .iov_len = len };
	union control control = { 0 };
	struct msghdr msg = {
		.msg_name = &address.any,
		.msg_namelen = address.len,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
	};
	int hops = ttl;

	if (source->family == AF_INET6) {
		struct in6_pktinfo info = { .ipi6_addr = source->v6, .ipi6_ifindex = ifindex };

		put_control(&msg, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
		if (ttl)
			put_control(&msg, IPPROTO_IPV6, IPV6_HOPLIMIT, &hops, sizeof hops);
	} else {
		struct in_pktinfo info = { .ipi_ifindex = (int)ifindex,
					   .ipi_spec_dst = source->v4 };

		put_control(&msg, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
		if (ttl)
			put_control(&msg, IPPROTO_IP, IP_TTL, &hops, sizeof hops);
	}
	return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}
