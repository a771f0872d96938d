/*
 * group.c - see group.h.
 */
#include "vrrpd/group.h"

enum vrrp_group_move
vrrp_group_move(enum vrrp_state from, enum vrrp_event event, enum vrrp_state to)
{
	if (from == to || event == VRRP_EVENT_GROUP_TAKES || event == VRRP_EVENT_GROUP_YIELDS)
		return VRRP_GROUP_NOTHING;
	switch (to) {
	case VRRP_STATE_MASTER:
		return VRRP_GROUP_TAKES;
	case VRRP_STATE_FAULT:
		return VRRP_GROUP_BREAKS;
	case VRRP_STATE_BACKUP:
		return from == VRRP_STATE_MASTER ? VRRP_GROUP_YIELDS : VRRP_GROUP_NOTHING;
	case VRRP_STATE_INIT:
	case VRRP_STATE_RESIGNED:
	case VRRP_STATE_N:
		break; /* the whole engine stops, and every member is told */
	}
	return VRRP_GROUP_NOTHING;
}

/* An event plus one: zero is none. */
#define DO(event) (VRRP_EVENT_##event + 1)

static const uint8_t follows[VRRP_GROUP_MOVE_N][VRRP_STATE_N] = {
	[VRRP_GROUP_TAKES] = {
		[VRRP_STATE_BACKUP] = DO(GROUP_TAKES),
	},
	[VRRP_GROUP_YIELDS] = {
		[VRRP_STATE_MASTER] = DO(GROUP_YIELDS),
	},
	[VRRP_GROUP_BREAKS] = {
		[VRRP_STATE_INIT]   = DO(BROKEN),
		[VRRP_STATE_BACKUP] = DO(BROKEN),
		[VRRP_STATE_MASTER] = DO(BROKEN),
	},
};

enum vrrp_event
vrrp_group_follow(enum vrrp_group_move move, enum vrrp_state other)
{
	uint8_t event = follows[move][other];

	return event ? (enum vrrp_event)(event - 1) : VRRP_EVENT_N;
}

bool
vrrp_group_may_take(const struct vrrp_group_count *count)
{
	return count->n > 0 && count->ready + count->in[VRRP_STATE_MASTER] == count->n;
}

enum vrrp_state
vrrp_group_state(const struct vrrp_group_count *count)
{
	if (count->in[VRRP_STATE_FAULT] > 0)
		return VRRP_STATE_FAULT;
	if (count->in[VRRP_STATE_RESIGNED] > 0)
		return VRRP_STATE_RESIGNED;
	if (count->in[VRRP_STATE_INIT] == count->n)
		return VRRP_STATE_INIT;
	return count->in[VRRP_STATE_MASTER] == count->n ? VRRP_STATE_MASTER : VRRP_STATE_BACKUP;
}
