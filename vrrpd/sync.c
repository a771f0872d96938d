/*
 * sync.c - see sync.h.  Runs on the VRRP thread.
 *
 * Members keep their own routers, timers and advertisements.  The one whose own step begins a move is
 * its leader: it moves first, then the others in the file's order, then the group as a whole is told
 * of (keepalived's order, which scripts and FIFOs see; only the first BACKUP of all is told before
 * its members').  While a move is under way the steps of members lead nobody.
 */
#include "vrrpd/sync.h"

#include "common/log.h"
#include "vrrpd/engine.h"

#include <stdio.h>

static uint32_t
members_n(const struct vrrp_sync *sync)
{
	return (uint32_t)sync->conf->members_n;
}

static struct vrrp_instance *
member(const struct vrrp_sync *sync, uint32_t i)
{
	return &sync->vrrp->instances[sync->conf->members[i]];
}

static struct vrrp_group_count
count(const struct vrrp_sync *sync)
{
	struct vrrp_group_count c = { .n = members_n(sync) };

	for (uint32_t i = 0; i < c.n; i++) {
		const struct vrrp_instance *m = member(sync, i);

		c.in[m->state]++;
		c.ready += m->state == VRRP_STATE_BACKUP && m->ready;
	}
	return c;
}

static void
tell(struct vrrp_sync *sync, enum vrrp_state state, struct mono now)
{
	if (state == sync->state || state == VRRP_STATE_RESIGNED)
		return;
	sync->state = state;
	sync->since = now;
	if (sync->vrrp->ops->group)
		sync->vrrp->ops->group(sync->vrrp->ctx, sync->index, state);
}

static void
settle(struct vrrp_sync *sync, struct mono now)
{
	struct vrrp_group_count c = count(sync);

	sync->moving = false;
	tell(sync, vrrp_group_state(&c), now);
}

/* ------------------------------------------------------------------ following */

static void
follow(struct vrrp_instance *leader, enum vrrp_group_move move, struct mono now)
{
	struct vrrp_sync *sync = leader->sync;
	char why[VRRP_WHY_LEN];
	bool any = false;

	snprintf(why, sizeof why, "group %.60s: %.60s is %s: %.100s", sync->conf->name,
		 leader->conf->name, vrrp_state_name(leader->state), leader->reason);
	for (uint32_t i = 0; i < members_n(sync); i++) {
		struct vrrp_instance *m = member(sync, i);
		enum vrrp_event event =
			m == leader ? VRRP_EVENT_N : vrrp_group_follow(move, m->state);

		if (event == VRRP_EVENT_N)
			continue;
		if (!any)
			log_notice("VRRP_Group(%s) Syncing instances to %s state", sync->conf->name,
				   vrrp_state_name(leader->state));
		any = true;
		vrrp_instance_step(m, event, why, now);
	}
}

void
vrrp_sync_lead(struct vrrp_instance *leader, enum vrrp_state from, enum vrrp_event event,
	       struct mono now)
{
	struct vrrp_sync *sync = leader->sync;
	enum vrrp_group_move move = vrrp_group_move(from, event, leader->state);

	if (sync->moving)
		return;
	sync->moving = true;
	if (move != VRRP_GROUP_NOTHING)
		follow(leader, move, now);
	settle(sync, now);
}

bool
vrrp_sync_may_take(struct vrrp_instance *inst)
{
	struct vrrp_group_count c;

	inst->ready = true;
	c = count(inst->sync);
	return vrrp_group_may_take(&c);
}

void
vrrp_sync_listen(struct vrrp_sync *sync, struct mono now)
{
	for (uint32_t i = 0; i < members_n(sync); i++)
		vrrp_instance_listen(member(sync, i), now);
}

/* ------------------------------------------------------------------ facts */

/* Those that are broken themselves go first, and lead the others.  False: nobody is. */
static bool
break_members(struct vrrp_sync *sync, struct mono now)
{
	struct vrrp_instance *leader = NULL;
	char why[VRRP_WHY_LEN];

	for (uint32_t i = 0; i < members_n(sync); i++) {
		struct vrrp_instance *m = member(sync, i);

		bool was = m->broken;

		m->broken = vrrp_instance_own_fault(m, why, sizeof why);
		m->mended = was && !m->broken;
		if (!m->broken)
			continue;
		vrrp_instance_break(m, why, now);
		leader = leader && leader->state == VRRP_STATE_FAULT ? leader : m;
	}
	if (leader && leader->state == VRRP_STATE_FAULT)
		follow(leader, VRRP_GROUP_BREAKS, now);
	return leader != NULL;
}

/* The one that had held up the others first. */
static void
mend_members(struct vrrp_sync *sync, struct mono now)
{
	if (sync->state == VRRP_STATE_INIT)
		tell(sync, VRRP_STATE_BACKUP, now);
	for (uint32_t i = 0; i < members_n(sync); i++)
		if (member(sync, i)->mended)
			vrrp_instance_mend(member(sync, i), now);
	for (uint32_t i = 0; i < members_n(sync); i++)
		if (!member(sync, i)->mended)
			vrrp_instance_mend(member(sync, i), now);
}

/* Who outranks everybody has nothing to wait for but the others. */
static void
take_as_owners(struct vrrp_sync *sync, struct mono now)
{
	struct vrrp_instance *owner = NULL;

	for (uint32_t i = 0; i < members_n(sync); i++) {
		struct vrrp_instance *m = member(sync, i);

		if (m->state != VRRP_STATE_BACKUP || m->conf->priority != VRRP_PRIORITY_OWNER)
			continue;
		m->ready = true;
		owner = owner ? owner : m;
	}
	if (owner && vrrp_sync_may_take(owner))
		vrrp_instance_step(owner, VRRP_EVENT_DOWN_TIMER, "address owner (priority 255)",
				   now);
}

static bool
any_waits(const struct vrrp_sync *sync)
{
	char why[VRRP_WHY_LEN];

	for (uint32_t i = 0; i < members_n(sync); i++)
		if (vrrp_instance_own_waiting(member(sync, i), why, sizeof why))
			return true;
	return false;
}

static bool
any_down(const struct vrrp_sync *sync)
{
	struct vrrp_group_count c = count(sync);

	return c.in[VRRP_STATE_INIT] + c.in[VRRP_STATE_FAULT] > 0;
}

void
vrrp_sync_on_fact(struct vrrp_sync *sync, struct mono now)
{
	bool broken;

	if (sync->moving || !sync->vrrp->begun)
		return;
	sync->moving = true;
	broken = break_members(sync, now);
	for (uint32_t i = 0; i < members_n(sync); i++)
		vrrp_instance_set_priority(member(sync, i), now);
	if (!broken && any_down(sync) && !sync->vrrp->stopping && !any_waits(sync))
		mend_members(sync, now);
	settle(sync, now);
	take_as_owners(sync, now);
}

void
vrrp_sync_resume(struct vrrp_sync *sync, struct mono now)
{
	struct vrrp_group_count c = count(sync);

	if (c.in[VRRP_STATE_INIT] > 0)
		return;
	sync->state = vrrp_group_state(&c);
	sync->since = now;
}

/* ------------------------------------------------------------------ why */

bool
vrrp_sync_fault(const struct vrrp_instance *inst, char *why, size_t size)
{
	const struct vrrp_sync *sync = inst->sync;
	char cause[VRRP_WHY_LEN];

	for (uint32_t i = 0; i < members_n(sync); i++) {
		const struct vrrp_instance *m = member(sync, i);

		if (m == inst || !vrrp_instance_own_fault(m, cause, sizeof cause))
			continue;
		snprintf(why, size, "group %.60s: %.60s is FAULT: %.120s", sync->conf->name,
			 m->conf->name, cause);
		return true;
	}
	return false;
}

bool
vrrp_sync_waiting(const struct vrrp_instance *inst, char *why, size_t size)
{
	const struct vrrp_sync *sync = inst->sync;
	char cause[VRRP_WHY_LEN];

	for (uint32_t i = 0; i < members_n(sync); i++) {
		const struct vrrp_instance *m = member(sync, i);

		if (m == inst || !vrrp_instance_own_waiting(m, cause, sizeof cause))
			continue;
		snprintf(why, size, "group %.60s: %.60s: %.120s", sync->conf->name, m->conf->name,
			 cause);
		return true;
	}
	return false;
}

void
vrrp_sync_explain(const struct vrrp_instance *inst, char *why, size_t size)
{
	const struct vrrp_sync *sync = inst->sync;

	for (uint32_t i = 0; i < members_n(sync); i++) {
		const struct vrrp_instance *m = member(sync, i);

		if (m->state == VRRP_STATE_BACKUP && m->ready)
			continue;
		snprintf(why, size, "group %.60s waits for %.60s", sync->conf->name, m->conf->name);
		return;
	}
	snprintf(why, size, "about to take over");
}

void
vrrp_sync_init(struct vrrp_sync *sync, struct vrrp *vrrp, uint32_t index)
{
	*sync = (struct vrrp_sync){
		.vrrp = vrrp,
		.conf = &vrrp->conf->groups[index],
		.index = index,
		.state = VRRP_STATE_INIT,
	};
	for (uint32_t i = 0; i < members_n(sync); i++)
		member(sync, i)->sync = sync;
}
