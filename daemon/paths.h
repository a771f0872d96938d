/*
 * paths.h - the routes and rules of the file in the kernel: an instance's while it is master, the
 * static ones as long as the daemon runs.
 *
 * They carry a protocol number of our own (NETLINK_PROTO): so equal ones of others are left alone,
 * and what a predecessor left behind that was killed is found and removed at the start.  IPv6 routes
 * end with the lease of the addresses beside them; for IPv4 routes and for rules the kernel has no
 * such time, only those with a `src` go with that address.
 *
 * Adding what is there is harmless and says so (-EEXIST).  So putting back means adding everything
 * again, and what did not fail was missing.
 */
#pragma once

#include "common/loop.h"
#include "daemon/netlink_path.h"
#include "daemon/netwatch.h"

struct estate;
struct mnl_socket;

/* What comes and goes together. */
struct path_group {
	const struct conf_paths *paths;
	const char *name; /* as in messages */
	uint32_t lease_s; /* 0 = none */
	bool held;
	bool lost;    /* some may be missing */
	bool failing; /* some could not be added: said once */
};

struct path_keeper {
	const struct netwatch *watch;
	struct loop *loop;
	struct netlink_writer writer;
	struct mnl_socket *events;
	struct loop_fd ready;
	struct path_group *groups; /* by instance; then the static ones */
	size_t groups_n;
	size_t paths_n; /* in all groups: 0 = nothing is opened */
	struct mono restored;
};

/* At the start of the daemon: removes whatever carries our number, since a predecessor left it.
 * (What is another daemon's in the same network namespace that one puts back.) */
void paths_sweep(void);

/* 0 or -errno. */
int paths_init(struct path_keeper *keeper, struct loop *loop, const struct conf *conf,
	       const struct netwatch *watch);
/* Adds what is static; what cannot be added is logged and tried again when the network changes. */
void paths_begin(struct path_keeper *keeper);
/* Instead of paths_begin: what is static, and what instances hold, comes from a former configuration.
 * `to` tells which instance of this one is its i-th, CONF_NONE = none.  What is equal is not
 * touched. */
void paths_adopt(struct path_keeper *keeper, struct path_keeper *from,
		 uint32_t (*to)(void *ctx, uint32_t instance), void *ctx);
/* Removes everything. */
void paths_fini(struct path_keeper *keeper);

/* Adds what an instance has, or leases it anew.  What fails is logged once. */
void paths_put(struct path_keeper *keeper, uint32_t instance);
void paths_take(struct path_keeper *keeper, uint32_t instance);

/* Links or addresses have changed, and the kernel does not tell of all the routes that go with
 * them. */
void paths_suspect(struct path_keeper *keeper);

/* Puts back what is missing, at most every PATHS_RESTORE_PAUSE_MS: what is static, and what of the
 * instances `may` be put back now. */
#define PATHS_RESTORE_PAUSE_MS 100
void paths_restore(struct path_keeper *keeper, bool (*may)(void *ctx, uint32_t instance), void *ctx,
		   struct mono now);

/* Both ways (estate.h).  Read, they are good as `from` of paths_adopt. */
void paths_estate(struct path_keeper *keeper, const struct conf *conf, const struct netwatch *watch,
		  struct estate *e);
