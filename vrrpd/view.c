/*
 * view.c - what an instance is and why, for status.
 *
 * Reads only.  The sentence is made anew each time from what holds now: a BACKUP of an hour ago may
 * be one today for another reason.
 */
#include "common/log.h"
#include "vrrpd/engine.h"

#include <stdio.h>
#include <string.h>

static double
seconds(int64_t ns)
{
	return (double)ns / (double)NS_PER_S;
}

/* ------------------------------------------------------------------ one sentence per state */

static void
explain_init(const struct vrrp_instance *inst, struct mono now, char *why, size_t size)
{
	const struct vrrp *vrrp = inst->vrrp;

	if (vrrp->stopping) {
		snprintf(why, size, "stopped: %.200s", inst->reason);
	} else if (vrrp->begun) {
		if (!vrrp_instance_waiting(inst, why, size))
			snprintf(why, size, "about to take part");
	} else if (timer_armed(&vrrp->begin)) {
		snprintf(why, size, "startup delay, %.1f s more",
			 seconds(mono_since(vrrp->begin.when, now)));
	} else {
		snprintf(why, size, "not started");
	}
}

/* While a master is heard: why do we leave it be, or when do we not? */
static void
explain_follower(const struct vrrp_instance *inst, struct mono now, char *why, size_t size)
{
	const struct conf_instance *conf = inst->conf;
	int64_t left_ns = mono_since(inst->timer.when, now);
	char peer[IP_STRLEN], how[64] = "";

	ip_format(&inst->peer, peer);
	if (inst->peer_priority < inst->priority) {
		if (inst->preempt_at.ns != 0 && mono_before(now, inst->preempt_at))
			snprintf(how, sizeof how, "; preempt delay, %.1f s more",
				 seconds(mono_since(inst->preempt_at, now)));
		else if (conf->nopreempt != CONF_PREEMPT && inst->peak <= inst->peer_priority)
			snprintf(how, sizeof how, "; nopreempt");
		else
			snprintf(how, sizeof how, "; taking over in %.2f s", seconds(left_ns));
	}
	snprintf(why, size, "%s advertises %u, we have %u%s", peer, inst->peer_priority,
		 inst->priority, how);
}

static void
explain_backup(const struct vrrp_instance *inst, struct mono now, char *why, size_t size)
{
	double left_s = seconds(mono_since(inst->timer.when, now));
	char peer[IP_STRLEN];

	if (inst->ready && inst->sync) {
		vrrp_sync_explain(inst, why, size);
		return;
	}
	if (vrrp_instance_peer_alive(inst, now)) {
		explain_follower(inst, now, why, size);
		return;
	}
	ip_format(&inst->peer, peer);
	if (inst->peer.family == AF_UNSPEC)
		snprintf(why, size, "no master heard yet, waiting %.1f s more for one", left_s);
	else if (inst->peer_priority == 0)
		snprintf(why, size, "%s resigned, taking over in %.2f s", peer, left_s);
	else
		snprintf(why, size, "waiting %.1f s more for %s to be silent", left_s, peer);
}

static void
explain_master(const struct vrrp_instance *inst, struct mono now, char *why, size_t size)
{
	char peer[IP_STRLEN];

	if (vrrp_instance_peer_alive(inst, now))
		snprintf(why, size, "%s advertises %u, we have %u", ip_format(&inst->peer, peer),
			 inst->peer_priority, inst->priority);
	else
		snprintf(why, size, "%s", inst->reason);
}

/* A priority that is not the configured one is part of the answer. */
static void
append_priority(const struct vrrp_instance *inst, char *why, size_t size)
{
	size_t len = strlen(why);
	char cause[VRRP_WHY_LEN];

	vrrp_track_priority(&inst->vrrp->world, inst->conf, cause, sizeof cause);
	if (cause[0] != '\0')
		snprintf(why + len, size - len, "%s%s", len ? "; " : "", cause);
}

static void
explain(const struct vrrp_instance *inst, struct mono now, char *why, size_t size)
{
	why[0] = '\0';
	switch (inst->state) {
	case VRRP_STATE_INIT:
		explain_init(inst, now, why, size);
		return;
	case VRRP_STATE_FAULT:
		if (!vrrp_instance_fault(inst, why, size) &&
		    !vrrp_instance_waiting(inst, why, size))
			snprintf(why, size, "the fault is over");
		return;
	case VRRP_STATE_RESIGNED:
		snprintf(why, size,
			 "resigned (%.100s): the VIPs stay until a peer advertises, at most %.1f s",
			 inst->reason, seconds(mono_since(inst->timer.when, now)));
		return;
	case VRRP_STATE_BACKUP:
		explain_backup(inst, now, why, size);
		break;
	case VRRP_STATE_MASTER:
		explain_master(inst, now, why, size);
		break;
	case VRRP_STATE_N:
		break;
	}
	append_priority(inst, why, size);
}

/* ------------------------------------------------------------------ the whole */

void
vrrp_view(const struct vrrp *vrrp, uint32_t instance, struct mono now, struct vrrp_view *view)
{
	const struct vrrp_instance *inst = &vrrp->instances[instance];
	const struct vrrp_interface *iface = &vrrp->interfaces[inst->conf->interface];

	*view = (struct vrrp_view){
		.conf = inst->conf,
		.state = inst->state,
		.since = inst->since,
		.priority = inst->priority,
		.advert_int_cs = inst->active_cs,
		.down_ns = vrrp_instance_down_ns(inst),
		.skew_ns = vrrp_instance_skew_ns(inst),
		.source = inst->source,
		.peer = inst->peer,
		.peer_priority = inst->peer_priority,
		.peer_heard = inst->peer_heard,
		.vips_held = inst->vips_held,
		.will_lodged = inst->will_lodged,
		.yielded = inst->yielded,
		.renewed = inst->renewed,
		.adverts_sent = inst->adverts_sent,
		.adverts_received = inst->adverts_received,
		.resigns_sent = inst->resigns_sent,
		.resigns_received = inst->resigns_received,
		.became_master = inst->became_master,
		.vips_restored = inst->vips_restored,
		.fenced = inst->fenced,
		.overdue = inst->overdue,
		.list_differs = inst->list_differs,
		.interval_differs = inst->interval_differs,
		.unsigned_taken = inst->unsigned_taken,
		.peer_key = inst->peer_key,
		.peer_ahead_s = inst->peer_ahead_s,
	};
	if (timer_armed(&inst->timer))
		view->next = inst->timer.when;
	for (int i = 0; i < VRRP_DROP_N; i++)
		view->drops[i] = inst->drops[i] + iface->drops[i];
	explain(inst, now, view->why, sizeof view->why);
}

void
vrrp_group_view(const struct vrrp *vrrp, uint32_t group, struct vrrp_group_view *view)
{
	const struct vrrp_sync *sync = &vrrp->groups[group];

	*view = (struct vrrp_group_view){
		.conf = sync->conf,
		.state = sync->state,
		.since = sync->since,
	};
}

const struct vrrp_link *
vrrp_link_view(const struct vrrp *vrrp, uint32_t interface)
{
	return &vrrp->world.links[interface];
}

bool
vrrp_file_view(const struct vrrp *vrrp, uint32_t file, int32_t *value)
{
	*value = vrrp->world.files[file].value;
	return vrrp->world.files[file].known;
}

bool
vrrp_process_view(const struct vrrp *vrrp, uint32_t process, uint32_t *running, bool *enough)
{
	*running = vrrp->world.processes[process].running;
	*enough = vrrp->world.processes[process].enough;
	return vrrp->world.processes[process].known;
}
