/*
 * lease_kernel.h - what leases ask for, done: addresses through netlink, announcements and the
 * priority 0 of a will through the guardian's sockets.
 */
#pragma once

#include "daemon/announce.h"
#include "daemon/firewall.h"
#include "daemon/lease.h"
#include "daemon/ledger.h"
#include "daemon/paths.h"
#include "daemon/solicit.h"
#include "daemon/vip.h"
#include "daemon/vrrp_sockets.h"

/* The members outlive it. */
struct lease_kernel {
	const struct conf *conf;
	const struct netwatch *watch;
	struct vip_keeper *vips;
	struct path_keeper *paths;
	struct firewall *firewall;
	struct announcer *announcer;
	struct solicitor *solicitor;
	struct vrrp_sockets *sockets;
	struct ledger *ledger;
};

/* `kernel` is a struct lease_kernel. */
extern const struct lease_ops lease_kernel_ops;
