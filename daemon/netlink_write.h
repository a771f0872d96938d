/*
 * netlink_write.h - adding and removing addresses, in batches of at most 64, through libmnl.
 *
 * The kernel works a batch off while it is being sent; its answers are in the socket's queue when
 * the send returns, so nothing here waits.
 */
#pragma once

#include "common/addr.h"

#include <libmnl/libmnl.h>

#define NETLINK_BATCH_MAX 64

/* Whose address it is (IFA_PROTO, Linux 5.18; older kernels ignore it): Tandem's own value. */
#define NETLINK_ADDRESS_PROTO 0x54

enum netlink_verb {
	NETLINK_ADD, /* or replace: sets the lifetime again, and re-creates what vanished */
	NETLINK_REMOVE,
};

struct netlink_address {
	enum netlink_verb verb;
	uint32_t ifindex;
	struct ip ip;
	uint8_t prefix_len;
	struct ip brd; /* AF_UNSPEC = none */
	uint8_t scope;
	const char *label; /* NULL = none */
	uint32_t lease_s;  /* 0 = permanent */
	bool deprecated;   /* IPv6: receives, but is no source of what this host begins */
};

struct netlink_writer {
	struct mnl_socket *socket;
	uint32_t sequence;
};

/* 0 or -errno. */
int netlink_writer_init(struct netlink_writer *w);
void netlink_writer_fini(struct netlink_writer *w);

/* Room that one encoded change takes at most. */
#define NETLINK_ADDRESS_SIZE 256

/* Encodes one change into `buffer` (NETLINK_ADDRESS_SIZE bytes).  Pure. */
struct nlmsghdr *netlink_encode(void *buffer, const struct netlink_address *a, uint32_t sequence,
				bool acknowledge);

/*
 * Carries out `n` changes, at most NETLINK_BATCH_MAX, in order; one that fails does not stop the
 * others.  errors[i] is 0 or -errno of each.  Returns 0, or -errno if the batch as a whole could
 * not be carried out (then every error says so as well).
 */
int netlink_write(struct netlink_writer *w, const struct netlink_address *changes, size_t n,
		  int *errors);
