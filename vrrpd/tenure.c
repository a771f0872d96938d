/*
 * tenure.c - the time between claim and release: announcements and lease.
 *
 * Runs on the VRRP thread.  The guardian announces each VIP when it adds it; what follows is
 * vrrpd/garp.c's schedule, kept here.  And the lease: no acknowledged renewal for three quarters of
 * it means that the kernel is about to remove the VIPs.  The instance resigns while it still has
 * them, and stays in FAULT until the guardian is heard again (any answer, or a fact about a link).
 */
#include "vrrpd/tenure.h"

#include "common/list.h"
#include "common/log.h"
#include "vrrpd/engine.h"
#include "vrrpd/timing.h"

#include <stdio.h>
#include <string.h>

#define CLAIM_RETRY_MS 5000

static int64_t
lease_ns(const struct vrrp_instance *inst)
{
	return conf_lease_s(inst->vrrp->conf, inst->conf) * NS_PER_S;
}

static void
announce(struct vrrp_instance *inst, uint32_t rounds)
{
	while (rounds--)
		inst->vrrp->ops->announce(inst->vrrp->ctx, inst->index);
}

/* ------------------------------------------------------------------ announcements */

static void
arm_announce(struct vrrp_instance *inst)
{
	struct mono when = vrrp_garp_next(&inst->garp);

	if (when.ns != 0)
		timer_arm(inst->vrrp->timers, &inst->announce, when);
}

static void
on_announce(struct timer *t, struct mono now)
{
	struct vrrp_instance *inst = CONTAINER_OF(t, struct vrrp_instance, announce);

	announce(inst, vrrp_garp_due(&inst->garp, inst->conf, now));
	arm_announce(inst);
}

/* How long somebody else may still hold and announce our VIPs: a dead node until its lease ends, a
 * living one until it has heard us. */
static int64_t
span_ns(const struct vrrp_instance *inst)
{
	int64_t heard_ns = 2 * vrrp_interval_ns(inst->active_cs);

	if (inst->vrrp->conf->min_garp)
		return 0;
	return lease_ns(inst) > heard_ns ? lease_ns(inst) : heard_ns;
}

void
vrrp_tenure_reannounce(struct vrrp_instance *inst, struct mono now)
{
	announce(inst, vrrp_garp_restored(&inst->garp, span_ns(inst), now));
	arm_announce(inst);
}

void
vrrp_tenure_lower_heard(struct vrrp_instance *inst, struct mono now)
{
	announce(inst, vrrp_garp_lower(&inst->garp, inst->conf, span_ns(inst), now));
	arm_announce(inst);
}

/* ------------------------------------------------------------------ lease */

static void
watch_lease(struct vrrp_instance *inst, struct mono leased)
{
	inst->leased = leased;
	if (lease_ns(inst) != 0)
		timer_arm(inst->vrrp->timers, &inst->lease,
			  mono_add_ns(leased, lease_ns(inst) / 4 * 3));
}

static void
on_lease(struct timer *t, struct mono now)
{
	struct vrrp_instance *inst = CONTAINER_OF(t, struct vrrp_instance, lease);

	inst->trouble = VRRP_TROUBLE_LEASE;
	vrrp_instance_on_fact(inst, now);
}

static void
on_retry(struct timer *t, struct mono now)
{
	struct vrrp_instance *inst = CONTAINER_OF(t, struct vrrp_instance, retry);

	inst->trouble = VRRP_TROUBLE_NONE;
	vrrp_instance_on_fact(inst, now);
}

void
vrrp_tenure_claimed(struct vrrp_instance *inst, int error, struct mono now)
{
	if (inst->state != VRRP_STATE_MASTER) /* released meanwhile */
		return;
	if (error == 0) {
		watch_lease(inst, now);
		return;
	}
	inst->trouble = VRRP_TROUBLE_CLAIM;
	inst->trouble_error = error;
	timer_arm(inst->vrrp->timers, &inst->retry, mono_add_ms(now, CLAIM_RETRY_MS));
	vrrp_instance_on_fact(inst, now);
}

void
vrrp_tenure_renewed(struct vrrp_instance *inst, struct mono at, struct mono now)
{
	inst->renewed = at;
	if (inst->state == VRRP_STATE_MASTER && mono_before(inst->leased, at))
		watch_lease(inst, at);
	vrrp_tenure_guardian_alive(inst);
	vrrp_instance_on_fact(inst, now);
}

void
vrrp_tenure_guardian_alive(struct vrrp_instance *inst)
{
	if (inst->trouble == VRRP_TROUBLE_LEASE)
		inst->trouble = VRRP_TROUBLE_NONE;
}

bool
vrrp_tenure_fault(const struct vrrp_instance *inst, char *why, size_t size)
{
	switch (inst->trouble) {
	case VRRP_TROUBLE_NONE:
		break;
	case VRRP_TROUBLE_CLAIM:
		snprintf(why, size, "the VIPs could not be added: %s",
			 strerror(-inst->trouble_error));
		return true;
	case VRRP_TROUBLE_LEASE:
		snprintf(why, size, "the VIPs are about to lapse: their lease is not renewed");
		return true;
	}
	return false;
}

/* ------------------------------------------------------------------ begin and end */

void
vrrp_tenure_init(struct vrrp_instance *inst)
{
	inst->announce.fire = on_announce;
	inst->lease.fire = on_lease;
	inst->retry.fire = on_retry;
}

void
vrrp_tenure_fini(struct vrrp_instance *inst)
{
	vrrp_tenure_quiet(inst);
	timer_disarm(inst->vrrp->timers, &inst->retry);
}

void
vrrp_tenure_rearm(struct vrrp_instance *inst)
{
	if (inst->trouble == VRRP_TROUBLE_CLAIM)
		timer_arm(inst->vrrp->timers, &inst->retry, inst->retry.when);
	if (inst->state != VRRP_STATE_MASTER)
		return;
	arm_announce(inst);
	watch_lease(inst, inst->leased);
}

void
vrrp_tenure_begin(struct vrrp_instance *inst, struct mono now)
{
	inst->vips_held = true;
	inst->renewed = (struct mono){ 0 };
	inst->vrrp->ops->claim(inst->vrrp->ctx, inst->index);
	vrrp_garp_begin(&inst->garp, inst->conf, span_ns(inst), now);
	arm_announce(inst);
	watch_lease(inst, now);
}

void
vrrp_tenure_quiet(struct vrrp_instance *inst)
{
	timer_disarm(inst->vrrp->timers, &inst->announce);
	timer_disarm(inst->vrrp->timers, &inst->lease);
}

void
vrrp_tenure_end(struct vrrp_instance *inst)
{
	vrrp_tenure_quiet(inst);
	inst->vips_held = false;
	inst->vrrp->ops->release(inst->vrrp->ctx, inst->index);
}
