/*
 * sync.h - a sync group at work: the runner of vrrpd/group.h.  Internal to vrrpd.
 */
#pragma once

#include "vrrpd/group.h"
#include "vrrpd/instance.h"

struct vrrp_sync {
	struct vrrp *vrrp;
	const struct conf_group *conf;
	uint32_t index;
	bool moving;           /* members are being moved: their steps lead nobody */
	enum vrrp_state state; /* of the whole, as it was told last */
	struct mono since;
};

void vrrp_sync_init(struct vrrp_sync *sync, struct vrrp *vrrp, uint32_t index);

/* Members have been restored: what the whole is has been told before. */
void vrrp_sync_resume(struct vrrp_sync *sync, struct mono now);

/* Facts may have changed for a member: faults of its own take all to FAULT, and when the last is
 * over all are BACKUP. */
void vrrp_sync_on_fact(struct vrrp_sync *sync, struct mono now);

/* After a member's step that changed its state: the others follow it. */
void vrrp_sync_lead(struct vrrp_instance *leader, enum vrrp_state from, enum vrrp_event event,
		    struct mono now);

/* The member has no master above it any more.  May it become master, all others being as ready?  If
 * not it waits for them, without a timer. */
bool vrrp_sync_may_take(struct vrrp_instance *inst);

/* Silence did not count: every member listens for a down interval again. */
void vrrp_sync_listen(struct vrrp_sync *sync, struct mono now);

/* Is another member broken, or not yet ready to take part?  `why` says which, and why. */
bool vrrp_sync_fault(const struct vrrp_instance *inst, char *why, size_t size);
bool vrrp_sync_waiting(const struct vrrp_instance *inst, char *why, size_t size);

/* "group G waits for VI_2", of a member that is ready to take over. */
void vrrp_sync_explain(const struct vrrp_instance *inst, char *why, size_t size);
