/*
 * tenure.h - what a master does besides advertising: it announces the VIPs to the neighbours and
 * sees that the guardian renews their lease.  Internal to vrrpd.
 */
#pragma once

#include "vrrpd/instance.h"

/* Sets the timers' callbacks; disarms them. */
void vrrp_tenure_init(struct vrrp_instance *inst);
void vrrp_tenure_fini(struct vrrp_instance *inst);

/* Arms them as the state demands, after a time in which they were disarmed. */
void vrrp_tenure_rearm(struct vrrp_instance *inst);

/* Claims the VIPs and begins the schedule. */
void vrrp_tenure_begin(struct vrrp_instance *inst, struct mono now);

/* Mastership is over though the VIPs may still be held: no more announcements. */
void vrrp_tenure_quiet(struct vrrp_instance *inst);

/* Releases the VIPs. */
void vrrp_tenure_end(struct vrrp_instance *inst);

/* The VIPs had been away, or are reached by another MAC. */
void vrrp_tenure_reannounce(struct vrrp_instance *inst, struct mono now);

/* Neighbours may point at a master of lower priority. */
void vrrp_tenure_lower_heard(struct vrrp_instance *inst, struct mono now);

/* The guardian's answers, as in vrrpd/vrrp.h. */
void vrrp_tenure_claimed(struct vrrp_instance *inst, int error, struct mono now);
void vrrp_tenure_renewed(struct vrrp_instance *inst, struct mono at, struct mono now);

/* The guardian spoke: a lapsed lease is no reason for FAULT any more. */
void vrrp_tenure_guardian_alive(struct vrrp_instance *inst);

/* Is the guardian the reason for FAULT?  `why` says how. */
bool vrrp_tenure_fault(const struct vrrp_instance *inst, char *why, size_t size);
