/*
 * netlink_write.h - telling the kernel of changes, in batches of at most 64, through libmnl; the
 * messages about addresses.
 *
 * The kernel works a batch off while it is being sent; its answers are in the socket's queue when
 * the send returns, so nothing here waits.
 */
#pragma once

#include "common/addr.h"

#include <libmnl/libmnl.h>

#define NETLINK_BATCH_MAX 64

/* Whose address, route or rule it is: Tandem's own value, in IFA_PROTO (Linux 5.18; older kernels
 * ignore it), rtm_protocol and FRA_PROTOCOL. */
#define NETLINK_PROTO 0x54

enum netlink_verb {
	NETLINK_ADD,    /* or replace: sets the lifetime again, and re-creates what vanished */
	NETLINK_CREATE, /* -EEXIST if it is there */
	NETLINK_REMOVE,
};

struct netlink_address {
	enum netlink_verb verb;
	uint32_t ifindex;
	struct ip ip;
	uint8_t prefix_len;
	struct ip peer; /* AF_UNSPEC = none; else the prefix is its own */
	struct ip brd;  /* AF_UNSPEC = none */
	uint8_t scope;
	const char *label; /* NULL = none */
	uint32_t lease_s;  /* 0 = permanent */
	bool deprecated;   /* receives, but is no source of what this host begins */
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
struct nlmsghdr *netlink_encode(void *buffer, const struct netlink_address *a);

/*
 * Messages on their way.  Begin with netlink_batch_init; encode each at netlink_batch_room and add
 * it; send.  After that the batch is empty again.
 */
struct netlink_batch {
	struct netlink_writer *writer;
	size_t n, len;
	struct nlmsghdr *last;
	_Alignas(struct nlmsghdr) char bytes[NETLINK_BATCH_MAX * NETLINK_ADDRESS_SIZE];
};

void netlink_batch_init(struct netlink_batch *batch, struct netlink_writer *w);

/* Where the next message of at most `size` bytes is to be; NULL = send first. */
void *netlink_batch_room(struct netlink_batch *batch, size_t size);
void netlink_batch_add(struct netlink_batch *batch, struct nlmsghdr *nlh);

/* errors[i] (there are NETLINK_BATCH_MAX) is 0 or -errno of each; one that fails does not stop the
 * others.  Returns 0, or -errno if the batch as a whole could not be carried out (then every error
 * says so as well). */
int netlink_batch_send(struct netlink_batch *batch, int *errors);

/* Carries out `n` changes of addresses, at most NETLINK_BATCH_MAX, in order; as a batch. */
int netlink_write(struct netlink_writer *w, const struct netlink_address *changes, size_t n,
		  int *errors);
