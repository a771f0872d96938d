/*
 * ledger.h - what auth_hmac has used and seen, in memory that the guardian keeps over its workers.
 *
 * The worker writes: a sequence before the packet that carries it leaves, a peer's once it was found
 * genuine.  A worker that follows a dead one goes on from there, and so does the guardian when it
 * signs a will: nothing of ours is ever a replay, nothing of a peer's is taken twice.  What a hostile
 * worker could write there are numbers: they make its own advertisements, and the will, good or bad.
 */
#pragma once

#include "vrrpd/auth_hmac.h"

struct estate;

struct ledger {
	const struct conf *conf;
	int fd; /* -1 = no instance signs */
	struct vrrp_hmac_mark *marks;
	size_t marks_n;
	struct vrrp_hmac **signers; /* by instance; the guardian's */
};

/* The guardian's, empty.  0 or -errno; ledger_fini either way. */
int ledger_create(struct ledger *ledger, const struct conf *conf);
/* The worker's view of the guardian's; `fd` stays the caller's.  0 or -errno. */
int ledger_adopt(struct ledger *ledger, const struct conf *conf, int fd);
/* The guardian's, from another one's descriptor, which becomes its own if it succeeds.  0 or -errno. */
int ledger_keep(struct ledger *ledger, const struct conf *conf, int fd);
void ledger_fini(struct ledger *ledger); /* closes the guardian's descriptor, not the worker's */

/* What another configuration's workers have used and seen of the same virtual routers (interface,
 * family, VRID).  When none of them is going to use any more. */
void ledger_inherit(struct ledger *ledger, const struct ledger *from);

/* Signs an advertisement of the instance's in the guardian's name, as vrrp_packet_sign. */
int ledger_sign(struct ledger *ledger, uint32_t instance, const struct ip *source,
		const struct ip *to, void *pdu, size_t len, size_t size);

/* Both ways (estate.h).  Read, there is the descriptor for ledger_keep. */
void ledger_estate(struct ledger *ledger, struct estate *e);
