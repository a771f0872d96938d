/*
 * engine.h - struct vrrp: all instances of a node and what they share.  Internal to vrrpd.
 */
#pragma once

#include "vrrpd/instance.h"
#include "vrrpd/sync.h"
#include "vrrpd/track.h"

/* A repeated complaint is logged once and then at most this often. */
#define VRRP_LOG_PACE_NS (60 * NS_PER_S)

struct vrrp_interface {
	struct vrrp *vrrp;
	uint32_t index;
	bool tracked;          /* by its name, not only as an instance's own */
	struct vrrp_link told; /* the world has it once its delay is over */
	struct timer settle;
	struct vrrp_instance *by_vrid[IP_FAMILIES][256];
	uint64_t drops[VRRP_DROP_N]; /* of packets that cannot be laid to an instance */
	struct mono drop_logged[VRRP_DROP_N];
};

struct vrrp {
	const struct conf *conf;
	struct timer_heap *timers;
	const struct vrrp_ops *ops;
	void *ctx;

	struct vrrp_world world;
	struct vrrp_instance *instances;   /* conf->instances_n */
	struct vrrp_interface *interfaces; /* conf->interfaces_n */
	struct vrrp_hmac_mark *own_marks;  /* unless they were told to be elsewhere */
	struct vrrp_sync *groups;          /* conf->groups_n */

	bool begun;          /* the delays of the start are over */
	bool frozen;         /* no instance does anything */
	bool stopping;       /* no instance takes part any more */
	struct timer begin;  /* end of the startup delay, then of settling */
	struct mono settled; /* when settling ends */
	struct mono turn;    /* the present turn of the loop */
	bool overdue;        /* … or the last one, was too slow: some instance must be fenced */
	int64_t shortest_ns; /* the shortest advertisement interval of all instances */
};

/* link.c */
void vrrp_interface_init(struct vrrp_interface *iface, struct vrrp *vrrp, uint32_t index);

/* process.c */
void vrrp_process_init(struct vrrp_process *process, struct vrrp *vrrp, uint32_t index);

/* Something that any instance may track is another now. */
void vrrp_on_facts(struct vrrp *vrrp, struct mono now);

/* Is it time to repeat a complaint last logged at *logged?  Notes `now` if so. */
bool vrrp_log_due(struct mono *logged, struct mono now);
