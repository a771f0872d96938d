/*
 * vip.h - the VIPs of an instance as kernel addresses, under a lease.
 */
#pragma once

#include "conf/model.h"
#include "daemon/netlink_write.h"
#include "daemon/netwatch.h"

struct vip_keeper {
	const struct conf *conf;
	const struct netwatch *watch;
	struct netlink_writer writer;
	uint32_t *promoted; /* by interface: the ifindex whose secondaries are protected */
};

/* Also sets promote_secondaries=1 on every interface in use; vip_add does so for one that came
 * back.  0 or -errno. */
int vip_keeper_init(struct vip_keeper *keeper, const struct conf *conf,
		    const struct netwatch *watch);
void vip_keeper_fini(struct vip_keeper *keeper);

/* In all of these, the VIPs that an owner has natively are left alone. */

/* Adds every VIP of the instance, or renews its lifetime; one that fails is logged by name and does
 * not stop the others.  0, or -errno of the first that failed. */
int vip_add(struct vip_keeper *keeper, uint32_t instance);

/* As vip_add, and quiet: a renewal that fails is the caller's to speak about. */
int vip_renew(struct vip_keeper *keeper, uint32_t instance);

/* Removes VIPs first … first + n - 1 (as many as there are); one that is not there is no error. */
int vip_remove(struct vip_keeper *keeper, uint32_t instance, size_t first, size_t n);

/* Removes an address that netwatch found, on whatever interface. */
int vip_remove_found(struct vip_keeper *keeper, const struct netwatch_found *found);

/* What the kernel is to be told of one VIP.  Pure, but for the interface's index. */
struct netlink_address vip_address(const struct conf_vip *vip, enum netlink_verb verb,
				   uint32_t ifindex, uint32_t lease_s);
