/*
 * yield.c - leaving mastership, or keeping away from it, while the daemon goes on.  VRRP thread.
 */
#include "vrrpd/engine.h"

/*
 * Not so far as to leave nobody: with the least priority there is it follows any peer, and takes
 * over only from a silence.
 */
void
vrrp_instance_yield(struct vrrp_instance *inst, enum vrrp_yield yield, struct mono now)
{
	enum vrrp_yield before = inst->yielded;

	if (before == yield)
		return;
	inst->yielded = yield;
	if (yield && !before && inst->state == VRRP_STATE_MASTER)
		vrrp_instance_step(inst, VRRP_EVENT_YIELD,
				   yield == VRRP_YIELD_RESIGNED ? "resigned by the administrator"
								: "on probation",
				   now);
	if (!inst->vrrp->begun)
		return;
	vrrp_instance_set_priority(inst, now);
	/* An owner waits for nobody. */
	if (!yield && inst->conf->priority == VRRP_PRIORITY_OWNER &&
	    inst->state == VRRP_STATE_BACKUP)
		vrrp_instance_step(inst, VRRP_EVENT_DOWN_TIMER, "address owner (priority 255)",
				   now);
}

void
vrrp_instance_leave(struct vrrp_instance *inst, bool leave, struct mono now)
{
	if (inst->leaving == leave)
		return;
	inst->leaving = leave;
	if (leave)
		vrrp_instance_step(inst, VRRP_EVENT_STOP, "it is not in the new configuration",
				   now);
	else
		vrrp_instance_on_fact(inst, now);
}
