/*
 * static_addresses.h - static_ipaddress: addresses that this host has while the daemon runs.
 *
 * They are permanent, so that a daemon that is killed leaves the host reachable.  One that was there
 * before is nobody's business: it stays when the daemon stops.
 */
#pragma once

#include "conf/model.h"
#include "daemon/netlink_write.h"
#include "daemon/netwatch.h"

struct static_addresses {
	const struct conf *conf;
	const struct netwatch *watch;
	struct netlink_writer writer;
	bool *added;   /* by us; in the order of the file */
	bool *failing; /* could not be added: said once */
};

/* 0 or -errno. */
int static_addresses_init(struct static_addresses *statics, const struct conf *conf,
			  const struct netwatch *watch);
/* Adds those that are missing, where their interfaces are there.  Did that change anything? */
bool static_addresses_put(struct static_addresses *statics);
/* Removes what was added. */
void static_addresses_fini(struct static_addresses *statics);
