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
 * Opens everything, in the order in which it depends on each other.  False if anything is missing:
 * all that is has been logged then, and the rest is to be closed all the same.
 *
 * Without `from` VIPs that were left on this host are removed.  With it, the resources of the
 * configuration in force, sockets for what both have are duplicated, and no address is touched
 * before resources_adopt.
 */
bool resources_open(struct resources *r, const struct conf *conf, const struct resources *from,
		    struct loop *loop, void (*on_network)(void *ctx), lease_tell_fn *tell,
		    void *ctx);

/* Nothing is open: what resources_close accepts. */
void resources_clear(struct resources *r);

/* Takes the leases over: VIPs that are new are added, those that are no more are removed, all others
 * are not touched. */
void resources_adopt(struct resources *r, struct resources *from, struct mono now);

/* Closes what was opened, but for paths that `other` (NULL = none) uses, too; needs the loop. */
void resources_close(struct resources *r, const struct resources *other);
