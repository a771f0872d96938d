/*
 * static_addresses.h - static_ipaddress: addresses that this host has while the daemon runs.
 *
 * They are permanent, so that a daemon that is killed leaves the host reachable.  One that was there
 * before is nobody's business: it stays when the daemon stops.
 */
#pragma once

#include "common/clock.h"
#include "conf/model.h"
#include "daemon/netlink_write.h"
#include "daemon/netwatch.h"

struct estate;

struct static_addresses {
	const struct conf *conf;
	const struct netwatch *watch;
	struct netlink_writer writer;
	bool *added;   /* by us; in the order of the file */
	bool *failing; /* could not be added: said once */
	bool suspect;  /* some may be missing */
	struct mono restored;
};

/* 0 or -errno. */
int static_addresses_init(struct static_addresses *statics, const struct conf *conf,
			  const struct netwatch *watch);
/* Adds those that are missing, where their interfaces are there.  Did that change anything? */
bool static_addresses_put(struct static_addresses *statics);

/* After a change of the network: looks again, at once but no more often than every
 * STATIC_RESTORE_PAUSE_MS, lest a program that keeps removing them never gets to its end. */
#define STATIC_RESTORE_PAUSE_MS 100
void static_addresses_restore(struct static_addresses *statics, struct mono now);

/* What was added for a former configuration and is in this one, too, is ours to remove. */
void static_addresses_adopt(struct static_addresses *statics, struct static_addresses *from);
/* Removes what was added. */
void static_addresses_fini(struct static_addresses *statics);

/* Both ways (estate.h).  Read, they are good as `from` of static_addresses_adopt. */
void static_addresses_estate(struct static_addresses *statics, const struct conf *conf,
			     struct estate *e);
