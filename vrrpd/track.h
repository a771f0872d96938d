/*
 * track.h - what the node's own facts mean to an instance: its effective priority, or a fault.
 *
 * Reads the configuration, the link and the health board; decides nothing about states.  Priorities
 * follow keepalived: a positive weight is added while its tracker is well, a negative one while it
 * is ill, `reverse` turns the sign, the sum stays within 1-254, and 255 (owner) is never changed.
 */
#pragma once

#include "vrrpd/vrrp.h"

/* A check script as VRRP sees it.  One that the in-process tracker replaces keeps its rise and
 * fall: a change counts once it has lasted for (rise or fall - 1) intervals. */
struct vrrp_script {
	bool known, ok;
	bool disabled;     /* no result will ever come */
	bool seen;         /* replaced: what was found at the last look … */
	struct mono since; /* … and since when */
};

/* A file whose value is tracked, and processes that are counted. */
struct vrrp_file {
	bool known;
	int32_t value;
};
struct vrrp_process {
	struct vrrp *vrrp;
	const struct conf_track_process *conf;
	bool known, enough; /* enough: as it counts, once its delay is over */
	uint32_t running;
	struct timer settle;
};

/* The node as a whole, the same for all instances. */
struct vrrp_world {
	const struct conf *conf;
	const struct health_board *board;
	enum health_proxy proxy; /* at the last look */
	struct vrrp_link *links; /* by interface, once their delays are over */
	struct vrrp_script *scripts;
	struct vrrp_file *files;
	struct vrrp_process *processes;
	bool settling; /* just started: first results of checks may be waited for */
};

/* Looks at the health board again, at `now`. */
void vrrp_track_look(struct vrrp_world *world, struct mono now);

/* What an instance advertises.  `why` (may be NULL) becomes "backend app has no usable server:
 * priority 150 -> 10", or empty when the priority is the configured one. */
uint8_t vrrp_track_priority(const struct vrrp_world *world, const struct conf_instance *conf,
			    char *why, size_t size);

/* Must the instance be in FAULT?  If so `why` says what is wrong. */
bool vrrp_track_fault(const struct vrrp_world *world, const struct conf_instance *conf, char *why,
		      size_t size);

/*
 * Should the instance wait before it takes part?  While the node settles: a proxy that is starting,
 * scripts whose failure would be a fault and that have no result yet (as in keepalived), files and
 * processes that have not been looked at, and backends whose servers have not all been checked once.  A node that has just started must not
 * take mastership and lose it again a second later.
 */
bool vrrp_track_waiting(const struct vrrp_world *world, const struct conf_instance *conf, char *why,
			size_t size);

/* Is a check of a tracked backend between two results? */
bool vrrp_track_moving(const struct vrrp_world *world, const struct conf_instance *conf);
