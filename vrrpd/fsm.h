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
const char *vrrp_state_name(enum vrrp_state state);

/* One transition, for log lines, the journal and notify scripts. */
struct vrrp_transition_note {
	uint32_t instance;
	enum vrrp_state from, to;
	const char *reason;    /* lives as long as the call */
	uint8_t priority;      /* ours */
	uint8_t peer_priority; /* of the last advertisement heard; 0 with peer AF_UNSPEC */
	struct ip peer;
	int64_t took_ns; /* since the event that caused it: into MASTER, since a peer was last heard */
};

enum vrrp_event {
	/* what our own node says */
	VRRP_EVENT_READY,         /* nothing is in the way of taking part */
	VRRP_EVENT_READY_OWNER,   /* the same, and the priority is 255 */
	VRRP_EVENT_BROKEN,        /* something is: link, address, proxy, lease */
	VRRP_EVENT_STOP,          /* leave mastership for good */
	VRRP_EVENT_YIELD,         /* hand over as planned, and stay */
	VRRP_EVENT_FENCE,         /* we were away long enough for a peer to have taken over */
	VRRP_EVENT_REPRIORITISED, /* a tracker changed the priority we advertise */
	VRRP_EVENT_OUTRANKED,     /* we wait for a fallen master, but have now fallen as low */
	VRRP_EVENT_GROUP_TAKES,   /* our sync group becomes master */
	VRRP_EVENT_GROUP_YIELDS,  /* … or another of its members has found a better one */
	/* timers */
	VRRP_EVENT_DOWN_TIMER,
	VRRP_EVENT_ADVERT_TIMER,
	VRRP_EVENT_HOLD_TIMER, /* nobody took over after we resigned */
	VRRP_EVENT_UNHEEDED,   /* the same, and we are to stay: better we than nobody */
	/* advertisements, as vrrp_classify reads them */
	VRRP_EVENT_PEER_RESIGNS, /* priority 0 */
	VRRP_EVENT_PEER_QUITS, /* priority 0 from the only peer there is: nobody to arbitrate with */
	VRRP_EVENT_PEER_TAKES,   /* who takes over after we yielded */
	VRRP_EVENT_PEER_WINS,    /* a master we follow */
	VRRP_EVENT_PEER_RETIRES, /* a master we follow, after a last word of our own */
	VRRP_EVENT_PEER_LOSES,   /* a master we outrank */
	VRRP_EVENT_PEER_FELL,    /* a master that outranked us, or could, and now does no more */
	VRRP_EVENT_PEER_RIVALS,  /* a master we outrank and answer at once */
	VRRP_EVENT_N,
};

const char *vrrp_event_name(enum vrrp_event event);

/* Bits, performed from the first to the last. */
enum vrrp_effect {
	VRRP_DO_NOTHING = 1 << 0, /* expected here; marks a row that would otherwise be zero */
	VRRP_DO_LEARN = 1 << 1,   /* v3: the advertised interval is the one in force */
	VRRP_DO_CLAIM = 1 << 2,   /* VIPs, and the schedule of their announcements */
	VRRP_DO_RESIGN = 1 << 3,  /* one advertisement with priority 0 */
	VRRP_DO_ADVERTISE = 1 << 4,
	VRRP_DO_LODGE = 1 << 5, /* the will holds */
	VRRP_DO_UNLODGE = 1 << 6,
	VRRP_DO_RELEASE = 1 << 7,
	VRRP_DO_REANNOUNCE = 1 << 8, /* neighbours may point at the loser of a split */
	/* one timer: arming it for one purpose cancels the other */
	VRRP_DO_ARM_ADVERT = 1 << 9,
	VRRP_DO_ARM_DOWN = 1 << 10,
	VRRP_DO_ARM_SKEW = 1 << 11, /* only ever shortens */
	VRRP_DO_ARM_NOW = 1 << 12,  /* … to the end of this turn, when all has been read */
	VRRP_DO_ARM_HOLD = 1 << 13,
	VRRP_DO_DISARM = 1 << 14,
	VRRP_DO_KEEP = 1 << 15, /* announcements and the watch over the lease go on */
};

struct vrrp_transition {
	uint8_t next; /* enum vrrp_state */
	uint16_t effects;
};

/* The cell of the table; NULL = this event is unexpected in this state: log and drop. */
const struct vrrp_transition *vrrp_transition(enum vrrp_state state, enum vrrp_event event);

/* Does an instance in this state hold its VIPs? */
static inline bool
vrrp_state_holds(enum vrrp_state state)
{
	return state == VRRP_STATE_MASTER || state == VRRP_STATE_RESIGNED;
}

/* What an instance is when an advertisement comes in. */
struct vrrp_self {
	enum vrrp_state state;
	uint8_t priority; /* effective */
	bool preempt;     /* a living master of lower priority may be displaced now */
	bool strict;      /* not even one whose own priority fell */
	bool lone;        /* exactly one peer, unicast */
	bool moving; /* a check of ours has not settled: our priority may be about to fall, too */
	bool answers_lower; /* a master that hears a lower priority advertises at once */
	bool last_word;     /* … and one that loses once more */
	bool yielded;       /* we resigned and are to stay, as a backup */
	uint8_t peak; /* the highest priority this sender advertised while we followed it; 0 = new */
	struct ip primary; /* our source address */
};

struct vrrp_advert; /* vrrpd/packet.h */

/* What does this advertisement mean to us?  All version and preemption rules live here:
 * RFC 9568 sections 6.4.2 and 6.4.3, RFC 3768 likewise. */
enum vrrp_event vrrp_classify(const struct vrrp_self *me, const struct vrrp_advert *ad);
