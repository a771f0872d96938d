/*
 * resources.h - everything the guardian opens once and keeps for its life.
 */
#pragma once

#include "daemon/guardian.h"
#include "daemon/handover.h"
#include "daemon/lease_kernel.h"
#include "daemon/rundir.h"

struct resources {
	struct rundir rundir;
	struct netwatch watch;
	struct listeners listeners;
	struct vrrp_sockets sockets;
	struct announcer announcer;
	struct vip_keeper vips;
	struct lease_kernel kernel;
	struct leases leases;
	struct handover handover;
};

/*
 * Opens everything, in the order in which it depends on each other, and removes VIPs that were left
 * on this host.  False if anything is missing: all that is has been logged then, and the rest is to
 * be closed all the same.
 */
bool resources_open(struct resources *r, const struct guardian_setup *setup, uint32_t generation,
		    struct loop *loop, void (*on_network)(void *ctx), lease_tell_fn *tell,
		    void *ctx);

/* Closes what was opened; needs the loop. */
void resources_close(struct resources *r);
