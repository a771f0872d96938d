/*
 * group.h - sync groups as data: what follows for the others when one member changes its state.
 * Pure: no I/O, clock, allocation.
 *
 * The rules are keepalived's.  A group becomes master when no member has a master above it any more;
 * it leaves mastership, and is in FAULT, as soon as one member does.
 */
#pragma once

#include "vrrpd/fsm.h"

/* What a change of one member means to the others. */
enum vrrp_group_move {
	VRRP_GROUP_NOTHING,
	VRRP_GROUP_TAKES,  /* became master: so do they */
	VRRP_GROUP_YIELDS, /* a peer is better, or may have taken over: they give way as well */
	VRRP_GROUP_BREAKS, /* is in FAULT */
	VRRP_GROUP_MOVE_N,
};

/* The meaning of a member's own step; a change that its group asked for means nothing further. */
enum vrrp_group_move vrrp_group_move(enum vrrp_state from, enum vrrp_event event,
				     enum vrrp_state to);

/* The event for a member in state `other`; VRRP_EVENT_N = none. */
enum vrrp_event vrrp_group_follow(enum vrrp_group_move move, enum vrrp_state other);

/* A group's members, counted. */
struct vrrp_group_count {
	uint32_t n;
	uint32_t in[VRRP_STATE_N];
	uint32_t ready; /* of those in BACKUP: they may take over, no master is above them */
};

/* May the group become master? */
bool vrrp_group_may_take(const struct vrrp_group_count *count);

/* What the group is as a whole, once nobody is on the way; VRRP_STATE_RESIGNED while some members
 * still let go of their addresses. */
enum vrrp_state vrrp_group_state(const struct vrrp_group_count *count);
