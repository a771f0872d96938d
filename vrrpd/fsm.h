/*
 * fsm.h - RFC 9568 section 6.4 as data: states, events, effects.  Pure: no I/O, clock, allocation.
 */
#pragma once

#include "common/addr.h"

#include <stdbool.h>
#include <stdint.h>

enum vrrp_state {
	VRRP_STATE_INIT,
	VRRP_STATE_BACKUP,
	VRRP_STATE_MASTER,
	VRRP_STATE_FAULT,
	VRRP_STATE_RESIGNED, /* priority 0 sent, VIPs kept until a peer advertises: make before break */
	VRRP_STATE_N,
};

/* "INIT", "BACKUP", "MASTER", "FAULT", "RESIGNED": keepalived's words where it has them. */
const char *
vrrp_state_name(enum vrrp_state state);

/* One transition, for log lines, the journal and notify scripts. */
struct vrrp_transition_note {
	uint32_t instance;
	enum vrrp_state from, to;
	const char *reason;       /* lives as long as the call */
	uint8_t priority;         /* ours */
	uint8_t peer_priority;    /* of the last advertisement heard; 0 with peer AF_UNSPEC */
	struct ip peer;
	int64_t took_ns;          /* since the event that caused it; take-over included */
};
