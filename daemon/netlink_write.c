/*
 * netlink_write.c - see netlink_write.h.  Runs on the guardian's loop.
 *
 * Only the last message of a batch asks for an acknowledgement; the kernel answers a message that
 * fails in any case.  So silence up to the acknowledgement means success.
 */
#include "daemon/netlink_write.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#ifndef NETLINK_CAP_ACK
#define NETLINK_CAP_ACK 10
#endif
#define IFA_PROTO_ATTRIBUTE 11 /* IFA_PROTO, which older headers lack */

int
netlink_writer_init(struct netlink_writer *w)
{
	int one = 1, r;

	*w = (struct netlink_writer){ .sequence = 1 };
	w->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!w->socket)
		return -errno;
	if (mnl_socket_bind(w->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		r = -errno;
		netlink_writer_fini(w);
		return r;
	}
	/* An answer need not repeat what was asked: 64 of them must fit the queue. */
	mnl_socket_setsockopt(w->socket, NETLINK_CAP_ACK, &one, sizeof one);
	return 0;
}

void
netlink_writer_fini(struct netlink_writer *w)
{
	if (w->socket)
		mnl_socket_close(w->socket);
	w->socket = NULL;
}

static void
put_ip(struct nlmsghdr *nlh, uint16_t attribute, const struct ip *ip)
{
	mnl_attr_put(nlh, attribute, ip_len(ip), ip->bytes);
}

static void
put_lifetime(struct nlmsghdr *nlh, const struct netlink_address *a)
{
	uint32_t lifetime = a->lease_s ? a->lease_s : UINT32_MAX; /* all ones = for ever */
	struct ifa_cacheinfo info = { .ifa_valid = lifetime };

	/* RFC 6724 would else choose the VIP as a source, which goes away with mastership. */
	info.ifa_prefered = a->deprecated ? 0 : lifetime;
	mnl_attr_put(nlh, IFA_CACHEINFO, sizeof info, &info);
}

struct nlmsghdr *
netlink_encode(void *buffer, const struct netlink_address *a)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct ifaddrmsg *ifa;

	nlh->nlmsg_type = a->verb == NETLINK_REMOVE ? RTM_DELADDR : RTM_NEWADDR;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	if (a->verb == NETLINK_ADD)
		nlh->nlmsg_flags |= NLM_F_CREATE | NLM_F_REPLACE;
	if (a->verb == NETLINK_CREATE)
		nlh->nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;

	ifa = mnl_nlmsg_put_extra_header(nlh, sizeof *ifa);
	ifa->ifa_family = a->ip.family;
	ifa->ifa_prefixlen = a->prefix_len;
	ifa->ifa_index = a->ifindex;
	ifa->ifa_scope = a->scope;
	/* A virtual address was another node's a moment ago: no duplicate detection. */
	ifa->ifa_flags = a->ip.family == AF_INET6 ? IFA_F_NODAD : 0;

	put_ip(nlh, IFA_LOCAL, &a->ip);
	put_ip(nlh, IFA_ADDRESS, a->peer.family != AF_UNSPEC ? &a->peer : &a->ip);
	if (a->verb == NETLINK_REMOVE)
		return nlh;
	if (a->brd.family != AF_UNSPEC)
		put_ip(nlh, IFA_BROADCAST, &a->brd);
	if (a->label)
		mnl_attr_put_strz(nlh, IFA_LABEL, a->label);
	put_lifetime(nlh, a);
	/* In every renewal too: one that omits it erases it. */
	mnl_attr_put_u8(nlh, IFA_PROTO_ATTRIBUTE, NETLINK_PROTO);
	return nlh;
}

/* Notes the answers in `buffer`; true when the one to the last message of the batch is there. */
static bool
note_answers(const void *buffer, int len, uint32_t first, size_t n, int *errors)
{
	const struct nlmsghdr *nlh = buffer;
	bool last = false;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		const struct nlmsgerr *answer = mnl_nlmsg_get_payload(nlh);
		uint32_t i = nlh->nlmsg_seq - first;

		if (nlh->nlmsg_type != NLMSG_ERROR || i >= n ||
		    mnl_nlmsg_get_payload_len(nlh) < sizeof *answer)
			continue;
		errors[i] = answer->error;
		last |= i == n - 1;
	}
	return last;
}

static int
fail_all(int *errors, size_t n, int r)
{
	for (size_t i = 0; i < n; i++)
		errors[i] = r;
	return r;
}

void
netlink_batch_init(struct netlink_batch *batch, struct netlink_writer *w)
{
	batch->writer = w;
	batch->n = batch->len = 0;
}

void *
netlink_batch_room(struct netlink_batch *batch, size_t size)
{
	if (batch->n == NETLINK_BATCH_MAX || batch->len + size > sizeof batch->bytes)
		return NULL;
	return batch->bytes + batch->len;
}

void
netlink_batch_add(struct netlink_batch *batch, struct nlmsghdr *nlh)
{
	nlh->nlmsg_seq = batch->writer->sequence++;
	batch->last = nlh;
	batch->len += MNL_ALIGN(nlh->nlmsg_len);
	batch->n++;
}

int
netlink_batch_send(struct netlink_batch *batch, int *errors)
{
	_Alignas(struct nlmsghdr) char answers[8192];
	struct mnl_socket *socket = batch->writer->socket;
	uint32_t first = batch->writer->sequence - (uint32_t)batch->n;
	size_t n = batch->n, len = batch->len;

	if (n == 0)
		return 0;
	batch->n = batch->len = 0;
	batch->last->nlmsg_flags |= NLM_F_ACK;
	fail_all(errors, n, 0);
	if (mnl_socket_sendto(socket, batch->bytes, len) < 0)
		return fail_all(errors, n, -errno);
	for (;;) {
		ssize_t got = mnl_socket_recvfrom(socket, answers, sizeof answers);

		if (got >= 0 && note_answers(answers, (int)got, first, n, errors))
			return 0;
		if (got < 0 && errno != EINTR)
			return fail_all(errors, n, -errno);
	}
}

int
netlink_write(struct netlink_writer *w, const struct netlink_address *changes, size_t n,
	      int *errors)
{
	struct netlink_batch batch;

	if (n > NETLINK_BATCH_MAX)
		return fail_all(errors, n, -E2BIG);
	netlink_batch_init(&batch, w);
	for (size_t i = 0; i < n; i++)
		netlink_batch_add(&batch,
				  netlink_encode(netlink_batch_room(&batch, NETLINK_ADDRESS_SIZE),
						 &changes[i]));
	return netlink_batch_send(&batch, errors);
}
