/*
 * vmac.h - the virtual interfaces of use_vmac: macvlans with the virtual router's MAC.
 *
 * Everything else treats them as interfaces like others: addresses go onto them, advertisements and
 * announcements leave from them.  What is special about them is here, and that advertisements are
 * received on the base.
 */
#pragma once

#include "daemon/netwatch.h"

struct estate;

struct vmac {
	bool ours;    /* removed at the end */
	bool refused; /* the name is somebody else's: said once */
};

#define VMAC_BASE_SETTINGS 3

/* What was set on an interface that has a virtual one: only while it has. */
struct vmac_base {
	uint32_t ifindex; /* 0 = nothing was */
	int before[VMAC_BASE_SETTINGS];
};

struct vmacs {
	const struct conf *conf;
	const struct netwatch *watch;
	struct nl_sock *netlink;
	/* by interface index of the configuration */
	struct vmac *at;
	struct vmac_base *bases;
};

/* Makes those whose base is there; what cannot be made is logged, and tried again with each change.
 * 0 or -errno: there can be none. */
int vmacs_init(struct vmacs *vmacs, const struct conf *conf, const struct netwatch *watch);

/* After a change of links: makes what is missing.  True if anything was: read the links anew. */
bool vmacs_refresh(struct vmacs *vmacs);

/* What `successor` has, too, is its business from now on. */
void vmacs_hand_over(struct vmacs *vmacs, struct vmacs *successor);

/* What `other` has, too, has been its business all the time. */
void vmacs_leave_to(struct vmacs *vmacs, const struct vmacs *other);

/* Removes what is ours, and puts settings back. */
void vmacs_fini(struct vmacs *vmacs);

/* Both ways (estate.h).  Read, they are good for vmacs_hand_over. */
void vmacs_estate(struct vmacs *vmacs, const struct conf *conf, const struct netwatch *watch,
		  struct estate *e);
