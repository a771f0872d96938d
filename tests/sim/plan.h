/*
 * plan.h - a schedule: who takes part, on what network, and what goes wrong when.  Drawn from its
 * seed alone, before anything runs, so that it can be printed and read.
 *
 * Whoever changes what is drawn changes what every seed means: tests/sim/kept then has to be found
 * anew, with the faults it names put back one by one.
 */
#pragma once

#include "conf/model.h"

#include <stdio.h>

#define PLAN_NODES_MAX   5
#define PLAN_ACTIONS_MAX 14

/* Each lasts from `begins_ns` to `ends_ns`; where nothing lasts, both are the same. */
enum plan_kind {
	PLAN_SPLIT,        /* the nodes of `mask` hear only each other, and so do the others */
	PLAN_DEAF,         /* `node` sends, and hears nothing */
	PLAN_MUTE,         /* `node` hears, and nothing of it arrives */
	PLAN_LOSS,         /* `value` percent of all packets vanish */
	PLAN_DUPLICATE,    /* `value` percent arrive twice */
	PLAN_LINK_DOWN,    /* the carrier of `node` is lost */
	PLAN_PAUSE_WORKER, /* stopped, as by SIGSTOP: its kernel goes on */
	PLAN_PAUSE_GUARDIAN,
	PLAN_PAUSE_BOTH,
	PLAN_SUSPEND,     /* a virtual machine whose clock stands still, too */
	PLAN_STALL,       /* the worker's next turn is interrupted half-way, for so long */
	PLAN_KILL_WORKER, /* from here on the end is its start again, or the guardian's doing */
	PLAN_KILL_GUARDIAN,
	PLAN_KILL_BOTH,
	PLAN_STOP,          /* SIGTERM */
	PLAN_SERVERS_DIE,   /* the tracked backend of `node` has no usable server */
	PLAN_SERVERS_WAVER, /* a check of it is between two results */
	PLAN_SCRIPT_FAILS,
	PLAN_CLAIM_FAILS, /* the kernel refuses addresses */
	PLAN_VIP_REMOVED, /* by somebody else */
	PLAN_KIND_N,
};

struct plan_action {
	enum plan_kind kind;
	unsigned node;
	unsigned mask;
	uint32_t value;
	int64_t begins_ns, ends_ns;
};

enum plan_track { PLAN_TRACK_NOTHING, PLAN_TRACK_BACKEND, PLAN_TRACK_SCRIPT };

struct plan_node {
	uint8_t priority;
	uint32_t advert_int_cs;
	enum conf_nopreempt nopreempt;
	uint32_t preempt_delay_ms;
	enum plan_track track;
	int32_t weight;
};

struct plan {
	uint64_t seed;
	uint8_t version, family;
	bool pass, hmac, unicast;
	uint8_t down_adverts; /* down_timer_adverts */
	enum conf_switch lower_prio_no_advert, higher_prio_send_advert;
	uint32_t lease_s, watchdog_ms, startup_delay_ms;
	int64_t delay_min_ns, delay_max_ns; /* of a packet */
	unsigned nodes_n, actions_n;
	struct plan_node nodes[PLAN_NODES_MAX];
	struct plan_action actions[PLAN_ACTIONS_MAX];
	int64_t ends_ns; /* when the last action is over */
};

void plan_draw(struct plan *plan, uint64_t seed);

/* One line for each node and each action. */
void plan_print(FILE *out, const struct plan *plan);

/* "lb2: worker paused" */
void plan_print_action(FILE *out, const struct plan_action *action);

/* The longest advertisement interval of all nodes. */
int64_t plan_interval_ns(const struct plan *plan);
