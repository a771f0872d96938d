/*
 * process.c - tracked processes: are there enough of them, and not too many, for long enough?  Runs on
 * the VRRP thread.  keepalived.conf(5), vrrp_track_process.
 */
#include "common/list.h"
#include "vrrpd/engine.h"

#include <assert.h>

static void
count(struct vrrp_process *process, bool enough, struct mono now)
{
	timer_disarm(process->vrrp->timers, &process->settle);
	process->known = true;
	process->enough = enough;
	vrrp_on_facts(process->vrrp, now);
}

static void
on_settled(struct timer *t, struct mono now)
{
	struct vrrp_process *process = CONTAINER_OF(t, struct vrrp_process, settle);

	count(process, !process->enough, now);
}

/* What is there at the first look counts at once. */
void
vrrp_process_count(struct vrrp *vrrp, uint32_t index, uint32_t running, struct mono now)
{
	struct vrrp_process *process = &vrrp->world.processes[index];
	const struct conf_track_process *conf = process->conf;
	bool enough = running >= conf->quorum && running <= conf->quorum_max;
	uint32_t delay_ms = enough ? conf->fork_delay_ms : conf->terminate_delay_ms;

	assert(index < vrrp->conf->track_processes_n);
	process->running = running;
	if (!process->known || (enough != process->enough && delay_ms == 0))
		count(process, enough, now);
	else if (enough == process->enough)
		timer_disarm(vrrp->timers, &process->settle);
	else if (!timer_armed(&process->settle))
		timer_arm(vrrp->timers, &process->settle, mono_add_ms(now, delay_ms));
}

void
vrrp_process_init(struct vrrp_process *process, struct vrrp *vrrp, uint32_t index)
{
	*process = (struct vrrp_process){
		.vrrp = vrrp,
		.conf = &vrrp->conf->track_processes[index],
		.settle.fire = on_settled,
	};
}
