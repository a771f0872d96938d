/*
 * instance.c - the runner: state first, then the effects of the row in one fixed order, then one
 * note.
 *
 * Runs on the VRRP thread.  An instance is entered by an advertisement, by its timer, and by facts
 * about this node; each door turns what came in into one event of the table (vrrpd/fsm.c).  Nothing
 * here knows what a state may do next.
 */
#include "vrrpd/instance.h"

#include "common/list.h"
#include "common/log.h"
#include "conf/behaviour.h"
#include "vrrpd/auth_hmac.h"
#include "vrrpd/engine.h"
#include "vrrpd/sync.h"
#include "vrrpd/tenure.h"
#include "vrrpd/timing.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HOLD_MS 1000 /* VIPs kept after a resignation that nobody answers */

int64_t
vrrp_instance_down_ns(const struct vrrp_instance *inst)
{
	return vrrp_down_ns(inst->conf->version, inst->priority, inst->active_cs,
			    conf_down_adverts(inst->conf));
}

int64_t
vrrp_instance_skew_ns(const struct vrrp_instance *inst)
{
	return vrrp_skew_ns(inst->conf->version, inst->priority, inst->active_cs);
}

bool
vrrp_instance_peer_alive(const struct vrrp_instance *inst, struct mono now)
{
	return inst->peer.family != AF_UNSPEC && inst->peer_priority != 0 &&
	       mono_since(now, inst->peer_heard) < vrrp_instance_down_ns(inst);
}

/* ------------------------------------------------------------------ effects */

/* The last word to a better master carries that one's interval: other backups learn it from us, too,
 * and would else wait for the next advertisement as if it were to come at our own pace. */
static void
send_to(struct vrrp_instance *inst, const struct ip *to, uint8_t priority)
{
	uint8_t pdu[VRRP_PDU_MAX];
	int len = vrrp_packet_build(inst->conf, &inst->source, to, priority,
				    (uint16_t)inst->active_cs, pdu, sizeof pdu);

	if (len > 0 && inst->hmac)
		len = vrrp_packet_sign(inst->hmac, inst->marks,
				       vrrp_hmac_clock(inst->vrrp->ops->wall_ns(inst->vrrp->ctx)),
				       &inst->source, to, pdu, (size_t)len, sizeof pdu);
	if (len > 0)
		inst->vrrp->ops->send(inst->vrrp->ctx, inst->index, &inst->source, to, pdu,
				      (size_t)len);
}

static void
send_advert(struct vrrp_instance *inst, uint8_t priority)
{
	const struct conf_instance *conf = inst->conf;

	for (size_t i = 0; i < conf->unicast_peers_n; i++)
		send_to(inst, &conf->unicast_peers[i].ip, priority);
	if (conf->unicast_peers_n == 0)
		send_to(inst, conf_group(inst->vrrp->conf, conf), priority);
}

static void
arm(struct vrrp_instance *inst, enum vrrp_timer_use use, struct mono when)
{
	inst->use = use;
	timer_arm(inst->vrrp->timers, &inst->timer, when);
}

/* A fixed cadence: lateness does not add up, and is not made up for by a burst either. */
static void
arm_advert(struct vrrp_instance *inst, struct mono now)
{
	int64_t interval_ns = vrrp_interval_ns(inst->conf->advert_int_cs);
	struct mono next = mono_add_ns(now, interval_ns);

	if (inst->use == VRRP_TIMER_USE_ADVERT) {
		struct mono due = mono_add_ns(inst->timer.when, interval_ns);

		if (mono_before(now, due))
			next = due;
	}
	arm(inst, VRRP_TIMER_USE_ADVERT, next);
}

void
vrrp_instance_listen(struct vrrp_instance *inst, struct mono now)
{
	inst->ready = false;
	arm(inst, VRRP_TIMER_USE_DOWN, mono_add_ns(now, vrrp_instance_down_ns(inst)));
}

/* Only ever shortens: a second priority 0 must not put the take-over off. */
static void
arm_skew(struct vrrp_instance *inst, struct mono now)
{
	struct mono when = mono_add_ns(now, vrrp_instance_skew_ns(inst));

	if (!timer_armed(&inst->timer) || mono_before(when, inst->timer.when))
		arm(inst, VRRP_TIMER_USE_DOWN, when);
}

static void
lodge(struct vrrp_instance *inst, bool lodged)
{
	inst->will_lodged = lodged;
	inst->vrrp->ops->lodge_will(inst->vrrp->ctx, inst->index, lodged);
}

static void
advertise(struct vrrp_instance *inst, struct mono now)
{
	send_advert(inst, inst->priority);
	inst->adverts_sent++;
	inst->advertised = now;
}

static void
resign(struct vrrp_instance *inst)
{
	vrrp_tenure_quiet(inst);
	send_advert(inst, 0);
	inst->resigns_sent++;
}

/* In the order of enum vrrp_effect. */
static void
perform(struct vrrp_instance *inst, unsigned effects, const struct vrrp_advert *ad, struct mono now)
{
	if (effects & VRRP_DO_LEARN && inst->conf->version == 3)
		inst->active_cs = ad->interval_cs;
	if (effects & VRRP_DO_CLAIM) {
		inst->became_master++;
		vrrp_tenure_begin(inst, now);
	}
	if (effects & VRRP_DO_RESIGN)
		resign(inst);
	if (effects & VRRP_DO_ADVERTISE)
		advertise(inst, now);
	if (effects & VRRP_DO_LODGE)
		lodge(inst, true);
	if (effects & VRRP_DO_UNLODGE)
		lodge(inst, false);
	if (effects & VRRP_DO_RELEASE)
		vrrp_tenure_end(inst);
	if (effects & VRRP_DO_REANNOUNCE)
		vrrp_tenure_lower_heard(inst, now);
	if (effects & VRRP_DO_ARM_ADVERT)
		arm_advert(inst, now);
	if (effects & VRRP_DO_ARM_DOWN)
		vrrp_instance_listen(inst, now);
	if (effects & VRRP_DO_ARM_SKEW)
		arm_skew(inst, now);
	if (effects & VRRP_DO_ARM_NOW)
		arm(inst, VRRP_TIMER_USE_DOWN, now);
	if (effects & VRRP_DO_ARM_HOLD)
		arm(inst, VRRP_TIMER_USE_HOLD, mono_add_ms(now, HOLD_MS));
	if (effects & VRRP_DO_KEEP)
		vrrp_tenure_rearm(inst);
	if (effects & VRRP_DO_DISARM) {
		inst->use = VRRP_TIMER_USE_NONE;
		timer_disarm(inst->vrrp->timers, &inst->timer);
	}
}

static void
tell_transition(struct vrrp_instance *inst, enum vrrp_state from, struct mono now)
{
	struct vrrp_transition_note note = {
		.instance = inst->index,
		.from = from,
		.to = inst->state,
		.reason = inst->reason,
		.priority = inst->priority,
		.peer_priority = inst->peer_priority,
		.peer = inst->peer,
	};

	if (inst->state == VRRP_STATE_MASTER && inst->peer.family != AF_UNSPEC)
		note.took_ns = mono_since(now, inst->peer_heard);
	inst->vrrp->ops->transition(inst->vrrp->ctx, &note);
}

static void
tell_aside(struct vrrp_instance *inst, enum vrrp_aside aside)
{
	if (inst->vrrp->ops->aside)
		inst->vrrp->ops->aside(inst->vrrp->ctx, inst->index, aside, inst->priority);
}

static void
note_reason(struct vrrp_instance *inst, const struct vrrp_advert *ad, const char *reason)
{
	char peer[IP_STRLEN];

	if (ad == NULL)
		snprintf(inst->reason, sizeof inst->reason, "%s", reason);
	else if (ad->priority == 0)
		snprintf(inst->reason, sizeof inst->reason, "%s resigned",
			 ip_format(&ad->source, peer));
	else
		snprintf(inst->reason, sizeof inst->reason, "%s advertises %u, we have %u",
			 ip_format(&ad->source, peer), ad->priority, inst->priority);
}

/* The one place where a state changes.  With the events of vrrp_classify, `ad` is the reason. */
static void
step(struct vrrp_instance *inst, enum vrrp_event event, const struct vrrp_advert *ad,
     const char *reason, struct mono now)
{
	const struct vrrp_transition *row = vrrp_transition(inst->state, event);
	enum vrrp_state from = inst->state;

	if (row == NULL) {
		log_warning("(%s) unexpected in %s: %s", inst->conf->name, vrrp_state_name(from),
			    vrrp_event_name(event));
		return;
	}
	inst->state = row->next;
	if (inst->state != from) {
		inst->since = inst->advertised = now;
		inst->overdue_now = inst->ready = false;
		inst->preempt_at = (struct mono){ 0 };
		inst->active_cs = inst->conf->advert_int_cs; /* unless the row says to learn */
		note_reason(inst, ad, reason);
	}
	perform(inst, row->effects, ad, now);
	if (inst->state == from)
		return;
	tell_transition(inst, from, now);
	if (inst->sync)
		vrrp_sync_lead(inst, from, event, now);
}

void
vrrp_instance_step(struct vrrp_instance *inst, enum vrrp_event event, const char *reason,
		   struct mono now)
{
	step(inst, event, NULL, reason, now);
}

/* ------------------------------------------------------------------ timer */

/* Why does the down timer promote us?  Written before the state changes. */
static void
explain_silence(const struct vrrp_instance *inst, struct mono now, char *why, size_t size)
{
	char peer[IP_STRLEN];

	ip_format(&inst->peer, peer);
	if (inst->peer.family == AF_UNSPEC)
		snprintf(why, size, "no master was heard");
	else if (inst->peer_priority == 0)
		snprintf(why, size, "%s resigned", peer);
	else if (vrrp_instance_peer_alive(inst, now))
		snprintf(why, size, "%s advertises %u, we have %u", peer, inst->peer_priority,
			 inst->priority);
	else
		snprintf(why, size, "%s was silent for %.2f s", peer,
			 (double)mono_since(now, inst->peer_heard) / (double)NS_PER_S);
}

/*
 * Silence only counts if we listened.  A timer that fires late by a whole down interval says that
 * this thread was away: it listens for a fresh one.  In any case what waits in the receive queue is
 * heard first, and may have put the take-over off or done it already.
 */
static void
on_down(struct vrrp_instance *inst, struct mono now)
{
	int64_t late_ns = mono_since(now, inst->timer.when);
	char why[VRRP_WHY_LEN];

	if (late_ns > vrrp_instance_down_ns(inst)) {
		log_notice(
			"(%s) this thread was away for %.2f s: listening again before a take-over",
			inst->conf->name, (double)late_ns / (double)NS_PER_S);
		inst->fenced++;
		vrrp_instance_listen(inst, now);
		if (inst->sync)
			vrrp_sync_listen(inst->sync, now);
		return;
	}
	inst->vrrp->ops->drain(inst->vrrp->ctx);
	if (inst->state != VRRP_STATE_BACKUP || timer_armed(&inst->timer))
		return;
	if (inst->sync && !vrrp_sync_may_take(inst))
		return;
	explain_silence(inst, now, why, sizeof why);
	step(inst, VRRP_EVENT_DOWN_TIMER, NULL, why, now);
}

static void
on_timer(struct timer *t, struct mono now)
{
	struct vrrp_instance *inst = CONTAINER_OF(t, struct vrrp_instance, timer);

	switch (inst->use) {
	case VRRP_TIMER_USE_NONE:
		break;
	case VRRP_TIMER_USE_DOWN:
		on_down(inst, now);
		break;
	case VRRP_TIMER_USE_ADVERT:
		if (!vrrp_instance_fence(inst, now))
			step(inst, VRRP_EVENT_ADVERT_TIMER, NULL, "", now);
		break;
	case VRRP_TIMER_USE_HOLD:
		step(inst,
		     inst->yielded && !inst->vrrp->stopping ? VRRP_EVENT_UNHEEDED
							    : VRRP_EVENT_HOLD_TIMER,
		     NULL, "no peer took over", now);
		break;
	}
}

/* ------------------------------------------------------------------ advertisements */

/*
 * keepalived's preempt_delay: counted from the first advertisement of a master we outrank, started
 * over by one that we do not.
 */
static bool
may_preempt(struct vrrp_instance *inst, const struct vrrp_advert *ad, struct mono now)
{
	const struct conf_instance *conf = inst->conf;

	if (conf->priority == VRRP_PRIORITY_OWNER) /* RFC 9568 section 6.1, Preempt_Mode */
		return true;
	if (conf->nopreempt != CONF_PREEMPT)
		return false;
	if (ad->priority == 0 || ad->priority >= inst->priority) {
		inst->preempt_at = (struct mono){ 0 };
		return true;
	}
	if (conf->preempt_delay_ms == 0 || inst->state != VRRP_STATE_BACKUP)
		return true;
	if (inst->preempt_at.ns == 0) {
		inst->preempt_at = mono_add_ms(now, conf->preempt_delay_ms);
		log_info("(%s) start preempt delay (%.3f)", conf->name,
			 conf->preempt_delay_ms / 1e3);
	}
	return !mono_before(now, inst->preempt_at);
}

static void
note_peer(struct vrrp_instance *inst, const struct vrrp_advert *ad, uint8_t peak, struct mono now)
{
	bool following = inst->state == VRRP_STATE_BACKUP && ad->priority != 0;

	inst->peer = ad->source;
	inst->peer_priority = ad->priority;
	inst->peer_heard = now;
	inst->peak = following && peak > ad->priority ? peak : ad->priority;
	inst->adverts_received++;
	if (ad->priority == 0)
		inst->resigns_received++;
}

void
vrrp_instance_on_advert(struct vrrp_instance *inst, const struct vrrp_advert *ad, struct mono now)
{
	const struct conf_instance *conf = inst->conf;
	bool same = inst->peer.family == ad->source.family && ip_equal(&inst->peer, &ad->source);
	struct vrrp_self self = {
		.state = inst->state,
		.priority = inst->priority,
		.preempt = may_preempt(inst, ad, now),
		.strict = conf->nopreempt == CONF_NOPREEMPT_STRICT &&
			  conf->priority != VRRP_PRIORITY_OWNER,
		.lone = conf->unicast_peers_n == 1,
		.moving = vrrp_track_moving(&inst->vrrp->world, conf),
		.yielded = inst->yielded && !inst->vrrp->stopping,
		.peak = same ? inst->peak : 0,
		/* One answer a turn says it to all: what has queued up is not echoed. */
		.answers_lower = conf_answers_lower(conf) && inst->advertised.ns != now.ns,
		.last_word = conf_has_last_word(conf),
		.primary = inst->source,
	};

	note_peer(inst, ad, self.peak, now);
	step(inst, vrrp_classify(&self, ad), ad, NULL, now);
	if (inst->state == VRRP_STATE_MASTER && ad->priority != 0 && ad->priority < inst->priority)
		tell_aside(inst, VRRP_ASIDE_LOWER_HEARD);
}

/* ------------------------------------------------------------------ facts */

bool
vrrp_instance_own_fault(const struct vrrp_instance *inst, char *why, size_t size)
{
	return vrrp_track_fault(&inst->vrrp->world, inst->conf, why, size) ||
	       vrrp_tenure_fault(inst, why, size);
}

bool
vrrp_instance_own_waiting(const struct vrrp_instance *inst, char *why, size_t size)
{
	return vrrp_track_waiting(&inst->vrrp->world, inst->conf, why, size);
}

bool
vrrp_instance_fault(const struct vrrp_instance *inst, char *why, size_t size)
{
	return vrrp_instance_own_fault(inst, why, size) ||
	       (inst->sync && vrrp_sync_fault(inst, why, size));
}

bool
vrrp_instance_waiting(const struct vrrp_instance *inst, char *why, size_t size)
{
	return vrrp_instance_own_waiting(inst, why, size) ||
	       (inst->sync && vrrp_sync_waiting(inst, why, size));
}

void
vrrp_instance_set_priority(struct vrrp_instance *inst, struct mono now)
{
	uint8_t before = inst->priority;
	char why[VRRP_WHY_LEN];

	inst->priority = vrrp_track_priority(&inst->vrrp->world, inst->conf, why, sizeof why);
	if (inst->yielded) {
		inst->priority = VRRP_PRIORITY_LEAST;
		snprintf(why, sizeof why, "%s",
			 inst->yielded == VRRP_YIELD_RESIGNED
				 ? "resigned until it is told to resume"
				 : "on probation: the workers before this one died young");
	}
	if (inst->priority == before)
		return;
	log_notice("(%s) Changing effective priority from %u to %u%s%s%s", inst->conf->name, before,
		   inst->priority, why[0] ? " (" : "", why, why[0] ? ")" : "");
	if (inst->state == VRRP_STATE_MASTER)
		tell_aside(inst, VRRP_ASIDE_MASTER_PRIORITY);
	else if (inst->state == VRRP_STATE_BACKUP)
		tell_aside(inst, VRRP_ASIDE_BACKUP_PRIORITY);
	if (inst->state == VRRP_STATE_MASTER)
		step(inst, VRRP_EVENT_REPRIORITISED, NULL, "", now);
	/* We were about to replace a master that is no worse than us any more. */
	else if (inst->state == VRRP_STATE_BACKUP && vrrp_instance_peer_alive(inst, now) &&
		 before > inst->peer_priority && inst->priority <= inst->peer_priority)
		step(inst, VRRP_EVENT_OUTRANKED, NULL, "", now);
}

void
vrrp_instance_break(struct vrrp_instance *inst, const char *why, struct mono now)
{
	if (inst->state != VRRP_STATE_FAULT &&
	    !(inst->vrrp->stopping && inst->state == VRRP_STATE_INIT))
		step(inst, VRRP_EVENT_BROKEN, NULL, why, now);
}

/* The owner of a group waits for the others (vrrpd/sync.c). */
void
vrrp_instance_mend(struct vrrp_instance *inst, struct mono now)
{
	if (inst->leaving || (inst->state != VRRP_STATE_INIT && inst->state != VRRP_STATE_FAULT))
		return;
	if (inst->conf->priority == VRRP_PRIORITY_OWNER && !inst->sync && !inst->yielded)
		step(inst, VRRP_EVENT_READY_OWNER, NULL, "address owner (priority 255)", now);
	else
		step(inst, VRRP_EVENT_READY, NULL,
		     inst->state == VRRP_STATE_INIT ? "start" : "the fault is over", now);
}

void
vrrp_instance_on_fact(struct vrrp_instance *inst, struct mono now)
{
	char why[VRRP_WHY_LEN] = "";

	if (!inst->vrrp->begun || inst->vrrp->frozen ||
	    (inst->vrrp->stopping && inst->state == VRRP_STATE_INIT))
		return;
	if (inst->sync) {
		vrrp_sync_on_fact(inst->sync, now);
		return;
	}
	if (vrrp_instance_own_fault(inst, why, sizeof why)) {
		vrrp_instance_break(inst, why, now);
		vrrp_instance_set_priority(inst, now);
		return;
	}
	vrrp_instance_set_priority(inst, now);
	if (!vrrp_instance_own_waiting(inst, why, sizeof why))
		vrrp_instance_mend(inst, now);
}

/*
 * The peers count our silence from our last advertisement.  Down interval of our own: a backup of
 * lower priority waits a longer one, so this errs to the safe side.
 */
bool
vrrp_instance_fence(struct vrrp_instance *inst, struct mono now)
{
	int64_t away_ns = mono_since(now, inst->advertised);
	char why[VRRP_WHY_LEN];

	if (inst->state != VRRP_STATE_MASTER ||
	    (away_ns <= vrrp_instance_down_ns(inst) && !inst->overdue_now))
		return false;
	snprintf(why, sizeof why, "this thread was away for %.2f s",
		 (double)away_ns / (double)NS_PER_S);
	inst->fenced++;
	step(inst, VRRP_EVENT_FENCE, NULL, why, now);
	return true;
}

void
vrrp_instance_stop(struct vrrp_instance *inst, const char *why, struct mono now)
{
	step(inst, VRRP_EVENT_STOP, NULL, why, now);
}

int
vrrp_instance_init(struct vrrp_instance *inst, struct vrrp *vrrp, uint32_t index)
{
	const struct conf_instance *conf = &vrrp->conf->instances[index];

	*inst = (struct vrrp_instance){
		.vrrp = vrrp,
		.conf = conf,
		.index = index,
		.priority = conf->priority,
		.active_cs = conf->advert_int_cs,
		.source = conf->unicast_src,
		.timer.fire = on_timer,
	};
	vrrp_tenure_init(inst);
	if (conf->hmac == NULL)
		return 0;
	assert(vrrp->ops->wall_ns);
	inst->hmac = vrrp_hmac_new(conf->hmac);
	return inst->hmac ? 0 : -ENOMEM;
}

void
vrrp_instance_rearm(struct vrrp_instance *inst)
{
	if (inst->use != VRRP_TIMER_USE_NONE)
		timer_arm(inst->vrrp->timers, &inst->timer, inst->timer.when);
	vrrp_tenure_rearm(inst);
}

void
vrrp_instance_freeze(struct vrrp_instance *inst)
{
	timer_disarm(inst->vrrp->timers, &inst->timer);
	vrrp_tenure_fini(inst);
}

void
vrrp_instance_fini(struct vrrp_instance *inst)
{
	vrrp_instance_freeze(inst);
	vrrp_hmac_free(inst->hmac);
}
