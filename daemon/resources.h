/*
 * resources.h - everything the guardian opens for one configuration.
 */
#pragma once

#include "daemon/lease_kernel.h"
#include "daemon/listeners.h"
#include "daemon/static_addresses.h"
#include "daemon/vmac.h"

struct resources {
	struct netwatch watch;
	struct vmacs vmacs;
	struct static_addresses statics;
	struct path_keeper paths;
	struct listeners listeners;
	struct vrrp_sockets sockets;
	struct announcer announcer;
	struct solicitor solicitor;
	struct firewall firewall;
	struct vip_keeper vips;
	struct ledger ledger;
	struct lease_kernel kernel;
	struct leases leases;
};

/*
 * Opens everything, in the order in which it depends on each other, and removes VIPs that were left
 * on this host.  False if anything is missing: all that is has been logged then, and the rest is to
 * be closed all the same.
 */
bool resources_open(struct resources *r, const struct conf *conf, struct loop *loop,
		    void (*on_network)(void *ctx), lease_tell_fn *tell, void *ctx);

/* Closes what was opened; needs the loop. */
void resources_close(struct resources *r);
