/*
 * vrrp.c - the engine: all instances of a node, and the facts that reach them.
 *
 * Runs on the VRRP thread; owns the instances, borrows configuration, board and timer heap.
 */
#include "vrrpd/vrrp.h"

#include "common/list.h"
#include "common/log.h"
#include "vrrpd/auth_hmac.h"
#include "vrrpd/engine.h"
#include "vrrpd/tenure.h"
#include "vrrpd/timing.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* First results of checks may be waited for this long after the start: a few rounds of the usual
 * two seconds.  What has not been checked by then counts as well. */
#define SETTLE_MS 5000

void
vrrp_on_facts(struct vrrp *vrrp, struct mono now)
{
	if (!vrrp->begun || vrrp->frozen)
		return;
	for (size_t i = 0; i < vrrp->conf->instances_n; i++)
		if (!vrrp->instances[i].sync)
			vrrp_instance_on_fact(&vrrp->instances[i], now);
	for (size_t i = 0; i < vrrp->conf->groups_n; i++)
		vrrp_sync_on_fact(&vrrp->groups[i], now);
}

/* ------------------------------------------------------------------ life */

static void
begin(struct vrrp *vrrp, struct mono now)
{
	vrrp->begun = true;
	vrrp_track_look(&vrrp->world, now);
	if (mono_before(now, vrrp->settled))
		timer_arm(vrrp->timers, &vrrp->begin, vrrp->settled);
	vrrp_on_facts(vrrp, now);
}

static void
on_begin(struct timer *t, struct mono now)
{
	struct vrrp *vrrp = CONTAINER_OF(t, struct vrrp, begin);

	vrrp->world.settling = mono_before(now, vrrp->settled);
	if (!vrrp->begun)
		begin(vrrp, now);
	else
		vrrp_on_facts(vrrp, now);
}

static void
free_memory(struct vrrp *vrrp)
{
	free(vrrp->instances);
	free(vrrp->interfaces);
	free(vrrp->groups);
	free(vrrp->world.links);
	free(vrrp->world.scripts);
	free(vrrp->world.files);
	free(vrrp->world.processes);
	free(vrrp->own_marks);
	free(vrrp);
}

struct vrrp *
vrrp_new(const struct conf *conf, const struct health_board *board, struct timer_heap *timers,
	 const struct vrrp_ops *ops, void *ctx)
{
	struct vrrp *vrrp = calloc(1, sizeof *vrrp);

	if (vrrp == NULL)
		return NULL;
	*vrrp = (struct vrrp){
		.conf = conf,
		.timers = timers,
		.ops = ops,
		.ctx = ctx,
		.world = { .conf = conf, .board = board, .proxy = HEALTH_PROXY_STARTING },
		.begin.fire = on_begin,
		.shortest_ns = INT64_MAX,
	};
	vrrp->instances = calloc(conf->instances_n + 1, sizeof *vrrp->instances);
	vrrp->interfaces = calloc(conf->interfaces_n + 1, sizeof *vrrp->interfaces);
	vrrp->groups = calloc(conf->groups_n + 1, sizeof *vrrp->groups);
	vrrp->world.scripts = calloc(conf->scripts_n + 1, sizeof *vrrp->world.scripts);
	vrrp->own_marks = calloc(vrrp_marks_n(conf) + 1, sizeof *vrrp->own_marks);
	vrrp->world.links = calloc(conf->interfaces_n + 1, sizeof *vrrp->world.links);
	vrrp->world.files = calloc(conf->track_files_n + 1, sizeof *vrrp->world.files);
	vrrp->world.processes = calloc(conf->track_processes_n + 1, sizeof *vrrp->world.processes);
	if (!vrrp->instances || !vrrp->interfaces || !vrrp->groups || !vrrp->own_marks ||
	    !vrrp->world.scripts || !vrrp->world.links || !vrrp->world.files ||
	    !vrrp->world.processes) {
		free_memory(vrrp);
		return NULL;
	}
	for (uint32_t i = 0; i < conf->track_processes_n; i++)
		vrrp_process_init(&vrrp->world.processes[i], vrrp, i);
	for (uint32_t i = 0; i < conf->interfaces_n; i++)
		vrrp_interface_init(&vrrp->interfaces[i], vrrp, i);
	for (size_t i = 0; i < conf->scripts_n; i++)
		vrrp->world.scripts[i].known =
			conf->scripts[i].init_fail && !conf->scripts[i].replaced;
	for (uint32_t i = 0; i < conf->instances_n; i++) {
		const struct conf_instance *c = &conf->instances[i];
		int64_t interval_ns = vrrp_interval_ns(c->advert_int_cs);
		struct vrrp_instance **slot;

		if (vrrp_instance_init(&vrrp->instances[i], vrrp, i) < 0) {
			while (i-- > 0)
				vrrp_instance_fini(&vrrp->instances[i]);
			free_memory(vrrp);
			return NULL;
		}
		slot = &vrrp->interfaces[c->interface].by_vrid[ip_family_index(c->family)][c->vrid];
		vrrp->instances[i].namesake = *slot;
		*slot = &vrrp->instances[i];
		if (interval_ns < vrrp->shortest_ns)
			vrrp->shortest_ns = interval_ns;
	}
	vrrp_keep_marks(vrrp, vrrp->own_marks);
	for (uint32_t i = 0; i < conf->groups_n; i++)
		vrrp_sync_init(&vrrp->groups[i], vrrp, i);
	return vrrp;
}

void
vrrp_free(struct vrrp *vrrp)
{
	if (vrrp == NULL)
		return;
	timer_disarm(vrrp->timers, &vrrp->begin);
	for (size_t i = 0; i < vrrp->conf->instances_n; i++)
		vrrp_instance_fini(&vrrp->instances[i]);
	for (size_t i = 0; i < vrrp->conf->interfaces_n; i++)
		timer_disarm(vrrp->timers, &vrrp->interfaces[i].settle);
	for (size_t i = 0; i < vrrp->conf->track_processes_n; i++)
		timer_disarm(vrrp->timers, &vrrp->world.processes[i].settle);
	free_memory(vrrp);
}

size_t
vrrp_marks_at(const struct conf *conf, uint32_t instance)
{
	size_t n = 0;

	for (uint32_t i = 0; i < instance; i++)
		n += vrrp_hmac_marks_n(&conf->instances[i]);
	return n;
}

size_t
vrrp_marks_n(const struct conf *conf)
{
	return vrrp_marks_at(conf, (uint32_t)conf->instances_n);
}

void
vrrp_keep_marks(struct vrrp *vrrp, struct vrrp_hmac_mark *marks)
{
	for (size_t i = 0; i < vrrp->conf->instances_n; i++) {
		vrrp->instances[i].marks = marks;
		marks += vrrp_hmac_marks_n(vrrp->instances[i].conf);
	}
}

/* Linux counts the monotonic clock from the boot. */
static struct mono
first_moment(const struct conf *conf, struct mono now)
{
	struct mono started = mono_add_ms(now, conf->startup_delay_ms);
	struct mono booted = { (int64_t)conf->boot_delay_ms * NS_PER_MS };

	return mono_before(started, booted) ? booted : started;
}

void
vrrp_start(struct vrrp *vrrp, struct mono now)
{
	struct mono first = first_moment(vrrp->conf, now);

	vrrp->turn = now;
	vrrp->settled = mono_add_ms(now, SETTLE_MS);
	vrrp->world.settling = true;
	if (!mono_before(now, first)) {
		begin(vrrp, now);
		return;
	}
	log_notice("Delaying startup for %.1f seconds", (double)mono_since(first, now) / NS_PER_S);
	timer_arm(vrrp->timers, &vrrp->begin, first);
}

/* Standing still is over: what was armed is armed again, for the moment it was armed for. */
void
vrrp_thaw(struct vrrp *vrrp, struct mono now)
{
	vrrp->frozen = false;
	vrrp->turn = now;
	if (!vrrp->begun || vrrp->world.settling)
		timer_arm(vrrp->timers, &vrrp->begin, vrrp->begin.when);
	for (size_t i = 0; i < vrrp->conf->instances_n; i++)
		vrrp_instance_rearm(&vrrp->instances[i]);
	vrrp_on_facts(vrrp, now);
}

void
vrrp_resume(struct vrrp *vrrp, struct mono now)
{
	vrrp->turn = now;
	vrrp->settled = mono_add_ms(now, SETTLE_MS);
	vrrp->world.settling = true;
	for (size_t i = 0; i < vrrp->conf->instances_n; i++) {
		struct vrrp_instance *inst = &vrrp->instances[i];

		if (inst->state == VRRP_STATE_MASTER)
			vrrp_garp_resume(&inst->garp, inst->conf, now);
		vrrp_instance_rearm(inst);
	}
	for (size_t i = 0; i < vrrp->conf->groups_n; i++)
		vrrp_sync_resume(&vrrp->groups[i], now);
	begin(vrrp, now);
}

void
vrrp_stop(struct vrrp *vrrp, struct mono now, const char *why)
{
	vrrp->stopping = true;
	timer_disarm(vrrp->timers, &vrrp->begin);
	for (size_t i = 0; i < vrrp->conf->instances_n; i++)
		vrrp_instance_stop(&vrrp->instances[i], why, now);
}

void
vrrp_yield(struct vrrp *vrrp, uint32_t instance, enum vrrp_yield yield, struct mono now)
{
	assert(instance < vrrp->conf->instances_n);
	vrrp_instance_yield(&vrrp->instances[instance], yield, now);
}

void
vrrp_leave(struct vrrp *vrrp, uint32_t instance, bool leave, struct mono now)
{
	assert(instance < vrrp->conf->instances_n);
	vrrp_instance_leave(&vrrp->instances[instance], leave, now);
}

bool
vrrp_stopped(const struct vrrp *vrrp)
{
	for (size_t i = 0; i < vrrp->conf->instances_n; i++)
		if (vrrp->instances[i].vips_held)
			return false;
	return true;
}

struct mono
vrrp_lapse(const struct vrrp *vrrp)
{
	struct mono last = { 0 };

	for (size_t i = 0; i < vrrp->conf->instances_n; i++) {
		const struct vrrp_instance *inst = &vrrp->instances[i];
		uint32_t lease_s = conf_lease_s(vrrp->conf, inst->conf);
		struct mono end = mono_add_ns(inst->leased, lease_s * NS_PER_S);

		if (inst->vips_held && lease_s && mono_before(last, end))
			last = end;
	}
	return last;
}

/* ------------------------------------------------------------------ fencing */

/*
 * Stepping down comes first and sends nothing; what waited in the receive queues then finds backups.
 * While turns follow each other within the shortest interval nobody can be overdue: a master
 * advertised in the turn its timer was due in.
 */
void
vrrp_wake(struct vrrp *vrrp, struct mono now)
{
	bool fenced = false;
	int64_t away_ns = mono_since(now, vrrp->turn);

	vrrp->turn = now;
	if (vrrp->frozen)
		return;
	if (away_ns < vrrp->shortest_ns && !vrrp->overdue)
		return;
	vrrp->overdue = false;
	for (size_t i = 0; i < vrrp->conf->instances_n; i++)
		fenced |= vrrp_instance_fence(&vrrp->instances[i], now);
	if (fenced)
		vrrp->ops->drain(vrrp->ctx);
}

bool
vrrp_overdue(struct vrrp *vrrp, uint32_t instance, struct mono now)
{
	struct vrrp_instance *inst = &vrrp->instances[instance];
	/* The peers count from our last advertisement; before the first one, from nothing. */
	struct mono since = inst->state == VRRP_STATE_MASTER ? inst->advertised : vrrp->turn;
	bool overdue = inst->overdue_now || mono_since(now, since) > vrrp_instance_down_ns(inst);

	if (overdue) {
		inst->overdue++;
		inst->overdue_now = vrrp->overdue = true;
	}
	return overdue;
}

bool
vrrp_confirm(struct vrrp *vrrp, uint32_t instance, struct mono now)
{
	struct vrrp_instance *inst = &vrrp->instances[instance];

	assert(instance < vrrp->conf->instances_n);
	vrrp_instance_fence(inst, now);
	vrrp->ops->drain(vrrp->ctx);
	return inst->state == VRRP_STATE_MASTER;
}

/* ------------------------------------------------------------------ facts */

void
vrrp_health(struct vrrp *vrrp, struct mono now)
{
	if (!vrrp->begun || vrrp->frozen)
		return;
	vrrp_track_look(&vrrp->world, now);
	vrrp_on_facts(vrrp, now);
}

void
vrrp_script_result(struct vrrp *vrrp, uint32_t script, bool ok, struct mono now)
{
	assert(script < vrrp->conf->scripts_n);
	vrrp->world.scripts[script].known = true;
	vrrp->world.scripts[script].ok = ok;
	vrrp_on_facts(vrrp, now);
}

void
vrrp_script_disabled(struct vrrp *vrrp, uint32_t script, struct mono now)
{
	assert(script < vrrp->conf->scripts_n);
	vrrp->world.scripts[script].known = false;
	vrrp->world.scripts[script].disabled = true;
	vrrp_on_facts(vrrp, now);
}

void
vrrp_file_value(struct vrrp *vrrp, uint32_t file, int32_t value, struct mono now)
{
	assert(file < vrrp->conf->track_files_n);
	vrrp->world.files[file] = (struct vrrp_file){ true, value };
	vrrp_on_facts(vrrp, now);
}

void
vrrp_claimed(struct vrrp *vrrp, uint32_t instance, int error, struct mono now)
{
	vrrp_tenure_claimed(&vrrp->instances[instance], error, now);
}

void
vrrp_released(struct vrrp *vrrp, uint32_t instance, struct mono now)
{
	vrrp_tenure_guardian_alive(&vrrp->instances[instance]);
	vrrp_instance_on_fact(&vrrp->instances[instance], now);
}

void
vrrp_renewed(struct vrrp *vrrp, uint32_t instance, struct mono at)
{
	/* The message may have waited: what follows from it happens in the present turn. */
	struct mono now = mono_before(vrrp->turn, at) ? at : vrrp->turn;

	vrrp_tenure_renewed(&vrrp->instances[instance], at, now);
}

void
vrrp_restored(struct vrrp *vrrp, uint32_t instance, uint32_t vips_n, struct mono now)
{
	struct vrrp_instance *inst = &vrrp->instances[instance];

	inst->vips_restored += vips_n;
	log_warning("(%s) %u VIPs had been removed by someone else and are back", inst->conf->name,
		    vips_n);
	if (inst->state == VRRP_STATE_MASTER)
		vrrp_tenure_reannounce(inst, now);
}

const char *
vrrp_transition_text(const struct conf *conf, const struct vrrp_transition_note *note, char *buf,
		     size_t size)
{
	const char *name = conf->instances[note->instance].name;
	bool init = note->from == VRRP_STATE_INIT && note->to != VRRP_STATE_MASTER;

	if (note->to == VRRP_STATE_RESIGNED)
		snprintf(buf, size, "(%s) sent 0 priority", name);
	else
		snprintf(buf, size, "(%s) Entering %s STATE%s", name, vrrp_state_name(note->to),
			 init ? " (init)" : "");
	return buf;
}
