/*
 * privileged.h - the gate that the worker's requests pass before anything is done for them.
 */
#pragma once

#include "common/ipc.h"
#include "conf/model.h"
#include "daemon/requests.h"

enum privileged_reject {
	PRIVILEGED_ACCEPTED,
	PRIVILEGED_UNKNOWN,     /* no such message */
	PRIVILEGED_DIRECTION,   /* one that only the guardian sends */
	PRIVILEGED_LENGTH,      /* not exactly its payload */
	PRIVILEGED_DESCRIPTORS, /* the worker has none to give */
	PRIVILEGED_GENERATION,  /* speaks of another configuration */
	PRIVILEGED_INSTANCE,    /* no such instance */
	PRIVILEGED_VALUE,       /* a flag that is neither 0 nor 1, no such event */
	PRIVILEGED_TURN,        /* what only the holder of the token may do, or only before it is */
	PRIVILEGED_N,
};

/* Which part a worker plays. */
enum privileged_turn {
	PRIVILEGED_TURN_WAITS, /* being prepared, or ready for the token */
	PRIVILEGED_TURN_HOLDS, /* advertises and holds addresses */
	PRIVILEGED_TURN_OVER,  /* has given the token away and finishes its sessions */
};

const char *privileged_reject_name(enum privileged_reject reject);

/* "CLAIM" …; "?" for what is no message. */
const char *privileged_request_name(uint32_t type);

/* What the worker's requests carry: each has the first words in common. */
union privileged_payload {
	struct req_none none;
	struct req_instance instance;
	struct req_lodged lodged;
	struct req_confirm confirm;
	struct req_notify notify;
	struct req_frozen frozen;
	struct req_remaining remaining;
	struct req_external external;
	struct req_foreign foreign;
};

/* A request that was accepted. */
typedef void privileged_fn(void *ctx, enum request request, const union privileged_payload *p);

struct privileged {
	const struct conf *conf;
	uint32_t generation;
	enum privileged_turn turn;
	privileged_fn *act;
	void *ctx;
	uint64_t rejected[PRIVILEGED_N];
};

/* Is this a request to act on?  Pure: every check there is, in the order of the enum. */
enum privileged_reject privileged_check(const struct privileged *p, const struct ipc_message *m);

/* Checks, then acts; or counts and logs. */
void privileged_dispatch(struct privileged *p, const struct ipc_message *m);
