/*
 * plan.c - see plan.h.
 */
#include "plan.h"

#include "common/clock.h"
#include "dice.h"

#include <string.h>
#include <sys/socket.h>

#define NS_PER_CS (10 * NS_PER_MS)

int64_t
plan_interval_ns(const struct plan *plan)
{
	uint32_t longest_cs = 0;

	for (unsigned i = 0; i < plan->nodes_n; i++)
		if (plan->nodes[i].advert_int_cs > longest_cs)
			longest_cs = plan->nodes[i].advert_int_cs;
	return longest_cs * NS_PER_CS;
}

/* ------------------------------------------------------------------ drawing */

/* Version 2 counts in seconds.  What is fast is dear to simulate, and so rarer. */
static uint32_t
draw_interval_cs(struct dice *dice, uint8_t version)
{
	static const uint32_t v2[] = { 100, 100, 100, 200, 300 };
	static const uint32_t v3[] = { 1, 5, 10, 20, 20, 50, 50, 100, 100, 100, 200, 350 };

	return version == 2 ? v2[dice_below(dice, sizeof v2 / sizeof *v2)]
			    : v3[dice_below(dice, sizeof v3 / sizeof *v3)];
}

static uint8_t
draw_priority(struct dice *dice)
{
	static const uint8_t usual[] = { 100, 100, 101, 150, 200, 254 };

	return dice_percent(dice, 50) ? usual[dice_below(dice, sizeof usual)]
				      : (uint8_t)dice_between(dice, 1, 254);
}

static void
draw_nodes(struct plan *plan, struct dice *dice)
{
	static const int32_t weights[] = { 0, 0, -20, -60, -253, 30 };
	uint32_t interval_cs = draw_interval_cs(dice, plan->version);
	bool mixed = plan->version == 3 && dice_percent(dice, 20);
	enum conf_nopreempt nopreempt = (enum conf_nopreempt)dice_below(dice, 3);
	bool preempts = dice_percent(dice, 60), agrees = dice_percent(dice, 70);
	uint32_t delay_ms = dice_percent(dice, 15) ? (uint32_t)dice_between(dice, 1, 3000) : 0;

	for (unsigned i = 0; i < plan->nodes_n; i++) {
		struct plan_node *node = &plan->nodes[i];

		node->priority = draw_priority(dice);
		node->advert_int_cs = interval_cs;
		if (mixed && dice_percent(dice, 50))
			node->advert_int_cs = draw_interval_cs(dice, plan->version);
		node->nopreempt = preempts ? CONF_PREEMPT
				  : agrees ? nopreempt
					   : (enum conf_nopreempt)dice_below(dice, 3);
		node->preempt_delay_ms = node->nopreempt == CONF_PREEMPT ? delay_ms : 0;
		node->track = (enum plan_track)dice_below(dice, 3);
		node->weight = weights[dice_below(dice, sizeof weights / sizeof *weights)];
	}
	if (dice_percent(dice, 8))
		plan->nodes[dice_below(dice, plan->nodes_n)].priority = 255;
}

static unsigned
draw_side(struct dice *dice, unsigned nodes_n)
{
	return (unsigned)dice_between(dice, 1, (1 << nodes_n) - 2);
}

/* Short or long beside what the protocol waits for, or beside leases and watchdogs. */
static int64_t
draw_length_ns(struct dice *dice, int64_t interval_ns)
{
	switch (dice_below(dice, 5)) {
	case 0:
		return dice_between(dice, 1, interval_ns / 4);
	case 1:
		return dice_between(dice, 1, interval_ns * 2);
	case 2:
		return dice_between(dice, interval_ns * 2, interval_ns * 6);
	case 3:
		return dice_between(dice, 1, NS_PER_S);
	default:
		return dice_between(dice, NS_PER_S, 5 * NS_PER_S);
	}
}

static void
draw_action(struct plan *plan, struct dice *dice, int64_t begins_ns)
{
	static const uint8_t shares[PLAN_KIND_N] = {
		[PLAN_SPLIT] = 10,        [PLAN_DEAF] = 4,           [PLAN_MUTE] = 4,
		[PLAN_LOSS] = 8,          [PLAN_DUPLICATE] = 3,      [PLAN_LINK_DOWN] = 6,
		[PLAN_PAUSE_WORKER] = 8,  [PLAN_PAUSE_GUARDIAN] = 6, [PLAN_PAUSE_BOTH] = 6,
		[PLAN_SUSPEND] = 6,       [PLAN_STALL] = 5,          [PLAN_KILL_WORKER] = 7,
		[PLAN_KILL_GUARDIAN] = 4, [PLAN_KILL_BOTH] = 5,      [PLAN_STOP] = 7,
		[PLAN_SERVERS_DIE] = 9,   [PLAN_SERVERS_WAVER] = 3,  [PLAN_SCRIPT_FAILS] = 6,
		[PLAN_CLAIM_FAILS] = 4,   [PLAN_VIP_REMOVED] = 4,
	};
	struct plan_action *action = &plan->actions[plan->actions_n++];
	unsigned all = 0, kind = 0, share;

	for (unsigned i = 0; i < PLAN_KIND_N; i++)
		all += shares[i];
	for (share = dice_below(dice, all); share >= shares[kind]; kind++)
		share -= shares[kind];
	*action = (struct plan_action){
		.kind = (enum plan_kind)kind,
		.node = dice_below(dice, plan->nodes_n),
		.mask = draw_side(dice, plan->nodes_n),
		.value = (uint32_t)dice_between(dice, 5, 100),
		.begins_ns = begins_ns,
		.ends_ns = begins_ns + draw_length_ns(dice, plan_interval_ns(plan)),
	};
	if (kind == PLAN_VIP_REMOVED)
		action->ends_ns = begins_ns;
	if (action->ends_ns > plan->ends_ns)
		plan->ends_ns = action->ends_ns;
}

void
plan_draw(struct plan *plan, uint64_t seed)
{
	static const uint32_t watchdogs_ms[] = { 300, 500, 500, 1000 };
	struct dice dice = { seed * 0x2545f4914f6cdd1du + 1 };
	int64_t at_ns = 0, interval_ns;
	unsigned actions_n;

	*plan = (struct plan){ .seed = seed };
	plan->nodes_n = dice_percent(&dice, 40) ? 2 : 2 + dice_below(&dice, PLAN_NODES_MAX - 1);
	plan->version = dice_percent(&dice, 40) ? 2 : 3;
	plan->family = plan->version == 3 && dice_percent(&dice, 40) ? AF_INET6 : AF_INET;
	plan->pass = plan->version == 2 && dice_percent(&dice, 30);
	plan->unicast = dice_percent(&dice, 50);
	plan->hmac = dice_percent(&dice, 15);
	plan->down_adverts = dice_percent(&dice, 80) ? 3 : (uint8_t)dice_between(&dice, 2, 5);
	plan->lower_prio_no_advert = (enum conf_switch)dice_below(&dice, 3);
	plan->higher_prio_send_advert = (enum conf_switch)dice_below(&dice, 3);
	plan->lease_s = dice_percent(&dice, 5) ? 0 : 1 + dice_below(&dice, 3);
	plan->watchdog_ms = watchdogs_ms[dice_below(&dice, 4)];
	plan->startup_delay_ms = dice_percent(&dice, 8) ? 1 + dice_below(&dice, 2000) : 0;
	draw_nodes(plan, &dice);

	interval_ns = plan_interval_ns(plan);
	for (unsigned i = 0; i < plan->nodes_n; i++)
		if (plan->nodes[i].advert_int_cs * NS_PER_CS < interval_ns)
			interval_ns = plan->nodes[i].advert_int_cs * NS_PER_CS;
	plan->delay_min_ns = dice_between(&dice, 20 * NS_PER_US, 200 * NS_PER_US);
	plan->delay_max_ns = plan->delay_min_ns;
	if (dice_percent(&dice, 60)) /* reordered, too */
		plan->delay_max_ns += dice_between(&dice, 0, interval_ns / 4);

	actions_n = 1 + dice_below(&dice, PLAN_ACTIONS_MAX);
	for (unsigned i = 0; i < actions_n; i++) {
		at_ns += draw_length_ns(&dice, plan_interval_ns(plan)) / 2;
		draw_action(plan, &dice, at_ns);
	}
}

/* ------------------------------------------------------------------ printing */

static void
print_nodes(FILE *out, unsigned mask)
{
	for (unsigned i = 0; i < PLAN_NODES_MAX; i++)
		if (mask & 1u << i)
			fprintf(out, " lb%u", i + 1);
}

void
plan_print_action(FILE *out, const struct plan_action *action)
{
	static const char *const of_node[PLAN_KIND_N] = {
		[PLAN_DEAF] = "hears nothing",
		[PLAN_MUTE] = "is not heard",
		[PLAN_LINK_DOWN] = "link down",
		[PLAN_PAUSE_WORKER] = "worker paused",
		[PLAN_PAUSE_GUARDIAN] = "guardian paused",
		[PLAN_PAUSE_BOTH] = "worker and guardian paused",
		[PLAN_SUSPEND] = "virtual machine suspended",
		[PLAN_STALL] = "a turn of the worker interrupted",
		[PLAN_KILL_WORKER] = "worker killed",
		[PLAN_KILL_GUARDIAN] = "guardian killed, started again at the end",
		[PLAN_KILL_BOTH] = "worker and guardian killed, started again at the end",
		[PLAN_STOP] = "SIGTERM, started again at the end",
		[PLAN_SERVERS_DIE] = "no usable server",
		[PLAN_SERVERS_WAVER] = "a check between two results",
		[PLAN_SCRIPT_FAILS] = "script fails",
		[PLAN_CLAIM_FAILS] = "the kernel refuses addresses",
		[PLAN_VIP_REMOVED] = "the VIP is removed by somebody else",
	};

	if (action->kind == PLAN_SPLIT) {
		fprintf(out, "split: on one side");
		print_nodes(out, action->mask);
	} else if (action->kind == PLAN_LOSS) {
		fprintf(out, "%u %% of all packets lost", action->value);
	} else if (action->kind == PLAN_DUPLICATE) {
		fprintf(out, "%u %% of all packets doubled", action->value);
	} else {
		fprintf(out, "lb%u: %s", action->node + 1, of_node[action->kind]);
	}
}

void
plan_print(FILE *out, const struct plan *plan)
{
	static const char *const preempts[] = {
		[CONF_PREEMPT] = "",
		[CONF_NOPREEMPT] = ", nopreempt",
		[CONF_NOPREEMPT_STRICT] = ", nopreempt strict",
	};
	static const char *const tracks[] = {
		[PLAN_TRACK_NOTHING] = "nothing",
		[PLAN_TRACK_BACKEND] = "a backend",
		[PLAN_TRACK_SCRIPT] = "a script",
	};

	fprintf(out,
		"seed %llu: %u nodes, version %u, IPv%d, %s%s%s, lease %u s, watchdog %u ms, start-up "
		"delay %u ms, down after %u, packets take %.3f to %.3f ms\n",
		(unsigned long long)plan->seed, plan->nodes_n, plan->version,
		plan->family == AF_INET6 ? 6 : 4, plan->unicast ? "unicast" : "multicast",
		plan->pass ? ", PASS" : "", plan->hmac ? ", signed" : "", plan->lease_s,
		plan->watchdog_ms, plan->startup_delay_ms, plan->down_adverts,
		(double)plan->delay_min_ns / NS_PER_MS, (double)plan->delay_max_ns / NS_PER_MS);
	for (unsigned i = 0; i < plan->nodes_n; i++) {
		const struct plan_node *node = &plan->nodes[i];

		fprintf(out, "  lb%u: priority %u, every %u ms%s, preempt delay %u ms, tracks %s",
			i + 1, node->priority, node->advert_int_cs * 10, preempts[node->nopreempt],
			node->preempt_delay_ms, tracks[node->track]);
		if (node->track != PLAN_TRACK_NOTHING)
			fprintf(out, ", weight %d", node->weight);
		fprintf(out, "\n");
	}
	for (unsigned i = 0; i < plan->actions_n; i++) {
		const struct plan_action *action = &plan->actions[i];

		fprintf(out, "  %10.6f … %10.6f s  ", (double)action->begins_ns / NS_PER_S,
			(double)action->ends_ns / NS_PER_S);
		plan_print_action(out, action);
		fprintf(out, "\n");
	}
}
