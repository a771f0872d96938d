/*
 * neighbours.c - see neighbours.h.  Runs on the guardian's loop: one dump of the kernel's table, which
 * it has ready.
 */
#include "daemon/neighbours.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#define DUMP_SIZE 32768 /* the kernel fills no more at once */

struct search {
	uint32_t ifindex;
	void (*found)(void *ctx, const struct ip *ip);
	void *ctx;
};

static int
note_destination(const struct nlattr *attribute, void *data)
{
	struct ip *ip = data;

	if (mnl_attr_get_type(attribute) == NDA_DST &&
	    mnl_attr_get_payload_len(attribute) == ip_len(ip)) {
		memcpy(ip->bytes, mnl_attr_get_payload(attribute), ip_len(ip));
		return MNL_CB_STOP;
	}
	return MNL_CB_OK;
}

static int
on_neighbour(const struct nlmsghdr *nlh, void *data)
{
	const struct ndmsg *neighbour = mnl_nlmsg_get_payload(nlh);
	const struct search *search = data;
	struct ip ip = { .family = neighbour->ndm_family };

	/* Kernels before 4.20 tell of every link. */
	if ((uint32_t)neighbour->ndm_ifindex != search->ifindex ||
	    !(neighbour->ndm_state & NUD_INCOMPLETE) ||
	    (ip.family != AF_INET && ip.family != AF_INET6))
		return MNL_CB_OK;
	if (mnl_attr_parse(nlh, sizeof *neighbour, note_destination, &ip) == MNL_CB_STOP)
		search->found(search->ctx, &ip);
	return MNL_CB_OK;
}

static int
dump(struct mnl_socket *socket, struct search *search)
{
	char buffer[DUMP_SIZE];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct ndmsg *wanted;
	ssize_t n;
	int r = MNL_CB_OK;

	nlh->nlmsg_type = RTM_GETNEIGH;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	wanted = mnl_nlmsg_put_extra_header(nlh, sizeof *wanted);
	*wanted = (struct ndmsg){ .ndm_family = AF_UNSPEC };
	mnl_attr_put_u32(nlh, NDA_IFINDEX, search->ifindex);
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(socket, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	while (r == MNL_CB_OK) {
		n = mnl_socket_recvfrom(socket, buffer, sizeof buffer);
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		r = mnl_cb_run(buffer, (size_t)n, 0, mnl_socket_get_portid(socket), on_neighbour,
			       search);
	}
	return r < 0 ? -errno : 0;
}

int
neighbours_awaited(uint32_t ifindex, void (*found)(void *ctx, const struct ip *ip), void *ctx)
{
	struct search search = { .ifindex = ifindex, .found = found, .ctx = ctx };
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int r;

	if (!socket)
		return -errno;
	r = dump(socket, &search);
	mnl_socket_close(socket);
	return r;
}
