/*
 * lease.h - who holds what: the VIPs of each instance, their leases and wills.
 *
 * An instance is claimed or it is not.  While it is, its VIPs are renewed every half lease and put
 * back when they vanish, as long as the worker moves; while it is not, none of them may be on this
 * host.  After the guardian itself was late an instance is frozen: its VIPs are neither renewed nor
 * put back until the worker confirms that it is master.
 *
 * Pure: what it wants of the kernel and the network goes through struct lease_ops (the guardian's
 * are in daemon/lease_kernel.c), and time is passed in.  A simulation can drive the very same code.
 */
#pragma once

#include "conf/model.h"
#include "daemon/requests.h"

struct estate;

struct lease {
	bool claimed;
	bool frozen;
	bool lodged;         /* the will */
	bool yielded;        /* resigned until it is told to resume: outlives workers */
	bool failing;        /* the last renewal failed: said once */
	uint32_t missing_n;  /* VIPs that vanished and are not back yet */
	uint32_t rounds;     /* of announcements that were asked for and not made yet */
	struct mono renewed; /* when the kernel last had all of them */
	struct mono due;     /* of the next renewal */
	struct mono restored;
};

/* An answer for the worker: CLAIMED, RELEASED, RENEWED, RESTORED or ASK_CONFIRM. */
typedef void lease_tell_fn(void *ctx, enum request what, uint32_t instance, int error,
			   uint32_t vips_n, struct mono at);

struct leases;

/* What leases ask of the kernel and the network; `kernel` is theirs.  None calls back. */
struct lease_ops {
	/* Puts every VIP there under a fresh lease; one that fails is said unless `quiet`, and stops
	 * no other.  0, or -errno of the first that failed. */
	int (*put)(void *kernel, uint32_t instance, bool quiet);
	/* Removes VIPs first … first + n - 1, as many as there are.  0 or -errno likewise. */
	int (*take)(void *kernel, uint32_t instance, size_t first, size_t n);
	/* How many VIPs are not there, and could be. */
	uint32_t (*missing)(void *kernel, uint32_t instance);
	/* Removes every VIP that is there for no claimed instance. */
	void (*sweep)(void *kernel, const struct leases *leases);
	/* Rounds of gratuitous ARP / unsolicited NA for each VIP. */
	void (*announce)(void *kernel, uint32_t instance, uint32_t rounds);
	/* Joins or leaves the solicited-node groups of the VIPs. */
	void (*join)(void *kernel, uint32_t instance, bool join);
	/* Sends priority 0 to the peers or the group; to how many. */
	size_t (*resign)(void *kernel, uint32_t instance);
};

struct leases {
	const struct conf *conf;
	struct lease *at; /* by instance */
	const struct lease_ops *ops;
	void *kernel;
	lease_tell_fn *tell;
	void *ctx;
	bool asked; /* some instance has rounds */
};

/* 0 or -ENOMEM.  The others outlive it. */
int leases_init(struct leases *leases, const struct conf *conf, const struct lease_ops *ops,
		void *kernel, lease_tell_fn *tell, void *ctx);
void leases_fini(struct leases *leases);

/* Half a lease of the instance's; 0 when VIPs are permanent. */
int64_t lease_half_ns(const struct conf *conf, uint32_t instance);

/* Is a renewal due?  Pure. */
bool lease_is_due(const struct lease *lease, struct mono now);

/* Was the guardian away for so long that somebody else may be master by now?  Pure. */
bool lease_is_late(const struct conf *conf, int64_t away_ns);

/* The worker's requests.  `now` may be early, never late: leases are reckoned from it. */
void leases_claim(struct leases *leases, uint32_t instance, struct mono now);
void leases_release(struct leases *leases, uint32_t instance, struct mono now);
void leases_ask_announce(struct leases *leases, uint32_t instance);
void leases_will(struct leases *leases, uint32_t instance, bool lodged);
void leases_confirm(struct leases *leases, uint32_t instance, bool master, struct mono now);

/* Makes the announcements that were asked for, once everything the worker has said is known: it may
 * have let go since it asked, long ago if the guardian was away. */
void leases_announce(struct leases *leases);

/* Renews what is due.  Only while the worker moves. */
void leases_renew(struct leases *leases, struct mono now);

/* The guardian was late. */
void leases_freeze(struct leases *leases, struct mono now);

/* After the addresses have been read anew: removes what must not be there, and notes what is
 * missing. */
void leases_settle(struct leases *leases);

/* Puts back what is missing: at once, but no more often than every LEASE_RESTORE_PAUSE_MS, lest a
 * program that keeps removing VIPs draws us into a storm of announcements.  Only while the worker
 * moves; after leases_settle and on every tick. */
#define LEASE_RESTORE_PAUSE_MS 100
void leases_restore(struct leases *leases, struct mono now);

/* The worker is dead or hung: VIPs away, priority 0 out, nothing is claimed any more. */
void leases_execute_wills(struct leases *leases);

/*
 * Takes over from the leases of a former configuration, whose kernel must still be there: an
 * instance that both have stays claimed as it is, VIPs that only one of them has are removed or
 * added; the will of one that only the former has is executed.  Nobody is told.  True if addresses
 * were changed.
 */
bool leases_adopt(struct leases *leases, struct leases *from, struct mono now);

/* Tells a worker that is about to take over what the one before may not have been told any more: when
 * the leases began. */
void leases_retell(struct leases *leases);

/* Asks a worker that moves again, or moves now, what the question of leases_freeze has been. */
void leases_ask_again(struct leases *leases, struct mono now);

/* How many instances hold VIPs. */
size_t leases_claimed(const struct leases *leases);

/* Both ways (estate.h).  Read, they are good as `from` of leases_adopt. */
void leases_estate(struct leases *leases, struct estate *e);
