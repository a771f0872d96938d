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
	PRIVILEGED_N,
};

const char *privileged_reject_name(enum privileged_reject reject);

/* "CLAIM" …; "?" for what is no message. */
const char *privileged_request_name(uint32_t type);

/* Is this a request to act on?  Pure: every check there is, in the order of the enum. */
enum privileged_reject privileged_check(const struct conf *conf, uint32_t generation,
					const struct ipc_message *m);

/* What the worker's requests carry: each has the first words in common. */
union privileged_payload {
	struct req_none none;
	struct req_instance instance;
	struct req_lodged lodged;
	struct req_confirm confirm;
	struct req_notify notify;
};

/* A request that was accepted. */
typedef void privileged_fn(void *ctx, enum request request, const union privileged_payload *p);

struct privileged {
	const struct conf *conf;
	uint32_t generation;
	privileged_fn *act;
	void *ctx;
	uint64_t rejected[PRIVILEGED_N];
};

/* Checks, then acts; or counts and logs. */
void privileged_dispatch(struct privileged *p, const struct ipc_message *m);
