/*
 * fsm.c - RFC 9568 section 6.4 as data: state x event -> next state, effects.
 *
 * No I/O, clock or allocation in here; vrrpd/instance.c performs what a row says.  A zero row means
 * "unexpected here".  FAULT and RESIGNED are not the RFC's: FAULT is its Initialize with a reason,
 * RESIGNED lies between sending priority 0 and removing the addresses.
 */
#include "vrrpd/fsm.h"

#include "vrrpd/packet.h"

/* RFC 9568 section 6.4.1 (owner) and 6.4.2: the addresses first, so that they are ours when the
 * peers' attention turns to us. */
#define TAKE_OVER (VRRP_DO_CLAIM | VRRP_DO_ADVERTISE | VRRP_DO_LODGE | VRRP_DO_ARM_ADVERT)
#define LET_GO    (VRRP_DO_UNLODGE | VRRP_DO_RELEASE)

static const struct vrrp_transition table[VRRP_STATE_N][VRRP_EVENT_N] = {
	[VRRP_STATE_INIT] = {
		[VRRP_EVENT_READY]         = { VRRP_STATE_BACKUP, VRRP_DO_ARM_DOWN },
		[VRRP_EVENT_READY_OWNER]   = { VRRP_STATE_MASTER, TAKE_OVER },
		[VRRP_EVENT_BROKEN]        = { VRRP_STATE_FAULT,  0 },
		[VRRP_EVENT_STOP]          = { VRRP_STATE_INIT,   VRRP_DO_NOTHING },
		[VRRP_EVENT_PEER_RESIGNS]  = { VRRP_STATE_INIT,   VRRP_DO_NOTHING },
		[VRRP_EVENT_PEER_QUITS]    = { VRRP_STATE_INIT,   VRRP_DO_NOTHING },
		[VRRP_EVENT_PEER_WINS]     = { VRRP_STATE_INIT,   VRRP_DO_NOTHING },
		[VRRP_EVENT_PEER_LOSES]    = { VRRP_STATE_INIT,   VRRP_DO_NOTHING },
		[VRRP_EVENT_PEER_FELL]     = { VRRP_STATE_INIT,   VRRP_DO_NOTHING },
	},
	[VRRP_STATE_BACKUP] = {
		[VRRP_EVENT_BROKEN]        = { VRRP_STATE_FAULT,  VRRP_DO_DISARM },
		[VRRP_EVENT_STOP]          = { VRRP_STATE_INIT,   VRRP_DO_DISARM },
		[VRRP_EVENT_OUTRANKED]     = { VRRP_STATE_BACKUP, VRRP_DO_ARM_DOWN },
		[VRRP_EVENT_GROUP_TAKES]   = { VRRP_STATE_MASTER, TAKE_OVER },
		[VRRP_EVENT_DOWN_TIMER]    = { VRRP_STATE_MASTER, TAKE_OVER },
		[VRRP_EVENT_PEER_RESIGNS]  = { VRRP_STATE_BACKUP, VRRP_DO_ARM_SKEW },
		[VRRP_EVENT_PEER_QUITS]    = { VRRP_STATE_BACKUP, VRRP_DO_ARM_NOW },
		[VRRP_EVENT_PEER_WINS]     = { VRRP_STATE_BACKUP, VRRP_DO_LEARN | VRRP_DO_ARM_DOWN },
		[VRRP_EVENT_PEER_LOSES]    = { VRRP_STATE_BACKUP, 0 },
		[VRRP_EVENT_PEER_FELL]     = { VRRP_STATE_BACKUP, VRRP_DO_ARM_SKEW },
	},
	[VRRP_STATE_MASTER] = {
		[VRRP_EVENT_BROKEN]        = { VRRP_STATE_FAULT,  VRRP_DO_RESIGN | LET_GO | VRRP_DO_DISARM },
		/* The will stays lodged: dying now must still remove the addresses. */
		[VRRP_EVENT_STOP]          = { VRRP_STATE_RESIGNED, VRRP_DO_RESIGN | VRRP_DO_ARM_HOLD },
		[VRRP_EVENT_YIELD]         = { VRRP_STATE_RESIGNED, VRRP_DO_RESIGN | VRRP_DO_ARM_HOLD },
		/* Nothing is sent: a peer that took over must not be contradicted by the past. */
		[VRRP_EVENT_FENCE]         = { VRRP_STATE_BACKUP, LET_GO | VRRP_DO_ARM_DOWN },
		[VRRP_EVENT_REPRIORITISED] = { VRRP_STATE_MASTER, VRRP_DO_ADVERTISE },
		/* The better node takes over on every link of the group, and need not be told. */
		[VRRP_EVENT_GROUP_YIELDS]  = { VRRP_STATE_BACKUP, LET_GO | VRRP_DO_ARM_DOWN },
		[VRRP_EVENT_ADVERT_TIMER]  = { VRRP_STATE_MASTER, VRRP_DO_ADVERTISE | VRRP_DO_ARM_ADVERT },
		[VRRP_EVENT_PEER_RESIGNS]  = { VRRP_STATE_MASTER, VRRP_DO_ADVERTISE },
		[VRRP_EVENT_PEER_WINS]     = { VRRP_STATE_BACKUP, VRRP_DO_LEARN | LET_GO | VRRP_DO_ARM_DOWN },
		[VRRP_EVENT_PEER_RETIRES]  = { VRRP_STATE_BACKUP, VRRP_DO_LEARN | VRRP_DO_ADVERTISE | LET_GO | VRRP_DO_ARM_DOWN },
		[VRRP_EVENT_PEER_LOSES]    = { VRRP_STATE_MASTER, VRRP_DO_REANNOUNCE },
		[VRRP_EVENT_PEER_RIVALS]   = { VRRP_STATE_MASTER, VRRP_DO_ADVERTISE | VRRP_DO_REANNOUNCE },
	},
	[VRRP_STATE_FAULT] = {
		[VRRP_EVENT_READY]         = { VRRP_STATE_BACKUP, VRRP_DO_ARM_DOWN },
		[VRRP_EVENT_READY_OWNER]   = { VRRP_STATE_MASTER, TAKE_OVER },
		[VRRP_EVENT_STOP]          = { VRRP_STATE_INIT,   VRRP_DO_NOTHING },
		[VRRP_EVENT_PEER_RESIGNS]  = { VRRP_STATE_FAULT,  0 },
		[VRRP_EVENT_PEER_QUITS]    = { VRRP_STATE_FAULT,  0 },
		[VRRP_EVENT_PEER_WINS]     = { VRRP_STATE_FAULT,  0 },
		[VRRP_EVENT_PEER_LOSES]    = { VRRP_STATE_FAULT,  0 },
		[VRRP_EVENT_PEER_FELL]     = { VRRP_STATE_FAULT,  0 },
	},
	[VRRP_STATE_RESIGNED] = {
		[VRRP_EVENT_BROKEN]        = { VRRP_STATE_INIT,     LET_GO | VRRP_DO_DISARM },
		[VRRP_EVENT_STOP]          = { VRRP_STATE_RESIGNED, 0 },
		[VRRP_EVENT_HOLD_TIMER]    = { VRRP_STATE_INIT,     LET_GO | VRRP_DO_DISARM },
		[VRRP_EVENT_UNHEEDED]      = { VRRP_STATE_MASTER,   VRRP_DO_ADVERTISE | VRRP_DO_ARM_ADVERT | VRRP_DO_KEEP },
		[VRRP_EVENT_PEER_TAKES]    = { VRRP_STATE_BACKUP,   VRRP_DO_LEARN | LET_GO | VRRP_DO_ARM_DOWN },
		[VRRP_EVENT_PEER_RESIGNS]  = { VRRP_STATE_RESIGNED, 0 },
		[VRRP_EVENT_PEER_WINS]     = { VRRP_STATE_INIT,     LET_GO | VRRP_DO_DISARM },
	},
};

const struct vrrp_transition *
vrrp_transition(enum vrrp_state state, enum vrrp_event event)
{
	const struct vrrp_transition *row = &table[state][event];

	return row->next != 0 || row->effects != 0 ? row : NULL;
}

/* A master that hears another.  Equal priorities are decided by the source address (RFC 9568 section
 * 6.4.3). */
static enum vrrp_event
classify_rival(const struct vrrp_self *me, const struct vrrp_advert *ad)
{
	int rank = ad->priority - me->priority;

	if (ad->priority == 0)
		return VRRP_EVENT_PEER_RESIGNS;
	if (rank == 0)
		rank = ip_cmp(&ad->source, &me->primary);
	if (rank > 0)
		return me->last_word ? VRRP_EVENT_PEER_RETIRES : VRRP_EVENT_PEER_WINS;
	return me->answers_lower ? VRRP_EVENT_PEER_RIVALS : VRRP_EVENT_PEER_LOSES;
}

/*
 * A node that follows.  A master whose own priority fell below ours has said that it is worse than
 * it was: replacing it is a fail-over and needs only the skew, whatever nopreempt says (but not
 * `strict`).  While a check of ours is moving, the fault it saw may reach us next: no hurry then.
 */
static enum vrrp_event
classify_master(const struct vrrp_self *me, const struct vrrp_advert *ad)
{
	if (ad->priority == 0)
		return me->lone ? VRRP_EVENT_PEER_QUITS : VRRP_EVENT_PEER_RESIGNS;
	if (ad->priority >= me->priority)
		return VRRP_EVENT_PEER_WINS;
	if (ad->priority < me->peak && !me->strict)
		return me->moving ? VRRP_EVENT_PEER_LOSES : VRRP_EVENT_PEER_FELL;
	return me->preempt ? VRRP_EVENT_PEER_LOSES : VRRP_EVENT_PEER_WINS;
}

enum vrrp_event
vrrp_classify(const struct vrrp_self *me, const struct vrrp_advert *ad)
{
	switch (me->state) {
	case VRRP_STATE_MASTER:
		return classify_rival(me, ad);
	case VRRP_STATE_RESIGNED: /* whoever advertises now has taken over, of whatever priority */
		return ad->priority == 0 ? VRRP_EVENT_PEER_RESIGNS
		       : me->yielded     ? VRRP_EVENT_PEER_TAKES
					 : VRRP_EVENT_PEER_WINS;
	case VRRP_STATE_INIT:
	case VRRP_STATE_BACKUP:
	case VRRP_STATE_FAULT:
	case VRRP_STATE_N:
		break;
	}
	return classify_master(me, ad);
}

const char *
vrrp_state_name(enum vrrp_state state)
{
	static const char *const names[VRRP_STATE_N] = {
		[VRRP_STATE_INIT] = "INIT",         [VRRP_STATE_BACKUP] = "BACKUP",
		[VRRP_STATE_MASTER] = "MASTER",     [VRRP_STATE_FAULT] = "FAULT",
		[VRRP_STATE_RESIGNED] = "RESIGNED",
	};

	return names[state];
}

const char *
vrrp_event_name(enum vrrp_event event)
{
	static const char *const names[VRRP_EVENT_N] = {
		[VRRP_EVENT_READY] = "ready",
		[VRRP_EVENT_READY_OWNER] = "ready as owner",
		[VRRP_EVENT_BROKEN] = "broken",
		[VRRP_EVENT_STOP] = "stop",
		[VRRP_EVENT_YIELD] = "yield",
		[VRRP_EVENT_FENCE] = "fence",
		[VRRP_EVENT_REPRIORITISED] = "priority changed",
		[VRRP_EVENT_OUTRANKED] = "outranked",
		[VRRP_EVENT_GROUP_TAKES] = "group becomes master",
		[VRRP_EVENT_GROUP_YIELDS] = "group gives way",
		[VRRP_EVENT_DOWN_TIMER] = "down timer",
		[VRRP_EVENT_ADVERT_TIMER] = "advertisement timer",
		[VRRP_EVENT_HOLD_TIMER] = "hold timer",
		[VRRP_EVENT_UNHEEDED] = "unheeded",
		[VRRP_EVENT_PEER_RESIGNS] = "peer resigns",
		[VRRP_EVENT_PEER_QUITS] = "only peer resigns",
		[VRRP_EVENT_PEER_TAKES] = "peer takes",
		[VRRP_EVENT_PEER_WINS] = "peer wins",
		[VRRP_EVENT_PEER_RETIRES] = "peer retires us",
		[VRRP_EVENT_PEER_LOSES] = "peer loses",
		[VRRP_EVENT_PEER_FELL] = "peer fell",
		[VRRP_EVENT_PEER_RIVALS] = "peer rivals",
	};

	return names[event];
}
