/*
 * garp.h - when a master announces its VIPs to the neighbours.  Pure: no I/O, clock, allocation.
 */
#pragma once

#include "common/clock.h"
#include "conf/model.h"

/* vrrp_garp_interval and vrrp_gna_interval: the pauses between the announcements on an interface. */
struct vrrp_pace {
	struct mono next; /* 0 = nothing was sent yet */
};

/*
 * May one more leave now?  Then it has.  Else `next` says when.  Who comes late, as a loop does that
 * counts in milliseconds, makes up for it, but for no more than VRRP_PACE_SLACK_NS.
 */
#define VRRP_PACE_SLACK_NS (10 * NS_PER_MS)
bool vrrp_pace_take(struct vrrp_pace *pace, int64_t interval_ns, struct mono now);

/* The moments of the next announcements; 0 = never. */
struct vrrp_garp {
	struct mono round, round_until; /* while somebody else may still hold the VIPs */
	struct mono delayed;            /* garp_master_delay */
	struct mono lower;              /* garp_lower_prio_delay */
	struct mono refresh;            /* garp_master_refresh */
	struct mono provoked;           /* the last time that counted */
};

/*
 * Mastership begins, and with it garp_master_repeat rounds, which the guardian sends by itself.
 * span_ns: for how long somebody else may answer for the VIPs; 0 = vrrp_min_garp, no rounds then.
 */
void vrrp_garp_begin(struct vrrp_garp *garp, const struct conf_instance *conf, int64_t span_ns,
		     struct mono now);

/*
 * Both tell how many rounds are to be sent at once.  What comes within a second of the last time
 * does not count: an interval may be ten milliseconds.
 */
/* The VIPs had been taken away, and are back. */
uint32_t vrrp_garp_restored(struct vrrp_garp *garp, int64_t span_ns, struct mono now);
/* A master of lower priority was heard. */
uint32_t vrrp_garp_lower(struct vrrp_garp *garp, const struct conf_instance *conf, int64_t span_ns,
			 struct mono now);

/* Mastership goes on, by another configuration. */
void vrrp_garp_resume(struct vrrp_garp *garp, const struct conf_instance *conf, struct mono now);

/* How many rounds are due, and are taken as sent. */
uint32_t vrrp_garp_due(struct vrrp_garp *garp, const struct conf_instance *conf, struct mono now);

/* When to ask again; 0 = never. */
struct mono vrrp_garp_next(const struct vrrp_garp *garp);
