/*
 * sim.c - the run of one schedule: the next event of all there are, until the plan is over and
 * everything has been well for long enough.
 */
#include "sim.h"

#include "common/log.h"

#include <stdio.h>

/* Longest back-off of the few deaths of a plan, claims tried again, settling, start-up. */
#define RECOVERY_NS (16 * NS_PER_S)

void
sim_trace(struct sim *sim, const char *format, ...)
{
	va_list args;

	if (!sim->trace)
		return;
	fprintf(sim->trace, "  %12.6f  ", (double)sim->now_ns / (double)NS_PER_S);
	va_start(args, format);
	vfprintf(sim->trace, format, args);
	va_end(args);
	fputc('\n', sim->trace);
}

void
sim_fail(struct sim *sim, const char *format, ...)
{
	va_list args;

	if (sim->failed)
		return;
	sim->failed = true;
	va_start(args, format);
	vsnprintf(sim->failure, sizeof sim->failure, format, args);
	va_end(args);
	sim_trace(sim, "BROKEN: %s", sim->failure);
}

/* ------------------------------------------------------------------ what the plan does */

static void
pause_begin(struct sim *sim, struct pause *pause)
{
	if (pause->n++ == 0)
		pause->since_ns = sim->now_ns;
}

/* Whether it was the last cause. */
static bool
pause_end(struct pause *pause)
{
	return pause->n > 0 && --pause->n == 0;
}

/* The worker can run again, unless it still sticks in a turn. */
static void
recover(struct node *node)
{
	struct worker *w = &node->worker;

	w->well_ns = w->busy_ns > node->sim->now_ns ? w->busy_ns : node->sim->now_ns;
}

static void
pause_worker(struct node *node, bool ends)
{
	struct worker *w = &node->worker;

	if (!ends) {
		if (w->pause.n == 0)
			w->paused = node_clock(node);
		if (worker_exists(w))
			pause_begin(node->sim, &w->pause);
		guardian_watch(node);
	} else if (pause_end(&w->pause)) {
		recover(node);
		worker_look(node);
	}
}

static void
pause_guardian(struct node *node, bool ends)
{
	struct guardian *g = &node->guardian;

	if (!ends) {
		if (!g->alive)
			return;
		if (g->pause.n == 0)
			g->woken = node_clock(node);
		guardian_watch(node);
		pause_begin(node->sim, &g->pause);
	} else if (pause_end(&g->pause)) {
		g->away_ns += node->sim->now_ns - g->pause.since_ns;
		g->look = true;
	}
}

static void
suspend(struct node *node, bool ends)
{
	struct pause *pause = &node->suspension;

	if (!ends) {
		pause_begin(node->sim, pause);
	} else if (pause_end(pause)) {
		node->behind_ns += node->sim->now_ns - pause->since_ns;
		recover(node);
	}
	wire_judge(node->sim);
}

static void
link_down(struct node *node, bool ends)
{
	node->links_down += ends ? -1u : 1u;
	node->kernel.link_up = node->links_down == 0;
	node->kernel.changed = true;
	wire_judge(node->sim);
}

static void
kill_or_stop(struct node *node, enum plan_kind kind, bool ends)
{
	if (ends) {
		node->wanted = true;
	} else if (kind == PLAN_STOP) {
		node->wanted = false;
		guardian_stop(node);
	} else {
		node->wanted = false;
		guardian_kill(node);
		if (kind == PLAN_KILL_BOTH)
			worker_kill(node);
	}
}

static void
split(struct sim *sim, unsigned mask, bool ends)
{
	struct wire *wire = &sim->wire;

	if (!ends) {
		wire->splits[wire->splits_n++] = mask;
		return;
	}
	for (unsigned i = 0; i < wire->splits_n; i++)
		if (wire->splits[i] == mask) {
			wire->splits[i] = wire->splits[--wire->splits_n];
			return;
		}
}

static void
trackers(struct node *node, unsigned *causes, bool ends)
{
	*causes += ends ? -1u : 1u;
	worker_look(node);
}

static void
toggle(unsigned *mask, unsigned bit)
{
	*mask ^= 1u << bit;
}

static void
stall(struct node *node, const struct plan_action *action, bool ends)
{
	if (!ends && worker_turns(&node->worker))
		node->worker.stall_ns = action->ends_ns - action->begins_ns;
}

static void
perform(struct sim *sim, const struct plan_action *action, bool ends)
{
	struct node *node = &sim->nodes[action->node];

	switch (action->kind) {
	case PLAN_SPLIT:
		split(sim, action->mask, ends);
		break;
	case PLAN_DEAF:
		toggle(&sim->wire.deaf, action->node);
		break;
	case PLAN_MUTE:
		toggle(&sim->wire.mute, action->node);
		break;
	case PLAN_LOSS:
		sim->wire.loss = ends ? 0 : action->value;
		break;
	case PLAN_DUPLICATE:
		sim->wire.duplicate = ends ? 0 : action->value;
		break;
	case PLAN_LINK_DOWN:
		link_down(node, ends);
		break;
	case PLAN_PAUSE_WORKER:
		pause_worker(node, ends);
		break;
	case PLAN_PAUSE_GUARDIAN:
		pause_guardian(node, ends);
		break;
	case PLAN_PAUSE_BOTH:
		pause_guardian(node, ends);
		pause_worker(node, ends);
		break;
	case PLAN_SUSPEND:
		suspend(node, ends);
		break;
	case PLAN_STALL:
		stall(node, action, ends);
		break;
	case PLAN_KILL_WORKER:
		if (!ends)
			worker_kill(node);
		break;
	case PLAN_KILL_GUARDIAN:
	case PLAN_KILL_BOTH:
	case PLAN_STOP:
		kill_or_stop(node, action->kind, ends);
		break;
	case PLAN_SERVERS_DIE:
		trackers(node, &node->backends_dead, ends);
		break;
	case PLAN_SERVERS_WAVER:
		trackers(node, &node->backends_wavering, ends);
		break;
	case PLAN_SCRIPT_FAILS:
		trackers(node, &node->scripts_failing, ends);
		break;
	case PLAN_CLAIM_FAILS:
		node->refusals += ends ? -1u : 1u;
		node->kernel.refuses = node->refusals != 0;
		break;
	case PLAN_VIP_REMOVED:
		if (!ends) {
			node->kernel.vip = false;
			node->kernel.changed = true;
		}
		break;
	case PLAN_KIND_N:
		break;
	}
	wire_judge(sim);
	rules_disturb(sim);
}

static void
run_plan(struct sim *sim)
{
	while (sim->event < sim->events_n && sim->events[sim->event].at_ns <= sim->now_ns) {
		unsigned action = sim->events[sim->event].action;
		bool ends = sim->events[sim->event].ends;

		if (sim->trace) {
			fprintf(sim->trace, "  %12.6f  %s ", (double)sim->now_ns / (double)NS_PER_S,
				ends ? "---" : "+++");
			plan_print_action(sim->trace, &sim->plan.actions[action]);
			fputc('\n', sim->trace);
		}
		perform(sim, &sim->plan.actions[action], ends);
		sim->event++;
	}
}

/* ------------------------------------------------------------------ the run */

static void
put_event(struct sim *sim, int64_t at_ns, unsigned action, bool ends)
{
	unsigned i = sim->events_n++;

	for (; i > 0 && sim->events[i - 1].at_ns > at_ns; i--)
		sim->events[i] = sim->events[i - 1];
	sim->events[i].at_ns = at_ns;
	sim->events[i].action = action;
	sim->events[i].ends = ends;
}

static void
begin(struct sim *sim, uint64_t seed)
{
	plan_draw(&sim->plan, seed);
	sim->dice.state = ~seed;
	sim->now_ns = 0;
	sim->failed = false;
	sim->events_n = sim->event = 0;
	wire_init(&sim->wire);
	for (unsigned i = 0; i < sim->plan.actions_n; i++) {
		put_event(sim, sim->plan.actions[i].begins_ns, i, false);
		put_event(sim, sim->plan.actions[i].ends_ns, i, true);
	}
	rules_begin(sim);
	for (unsigned i = 0; i < sim->plan.nodes_n; i++) {
		struct node *node = &sim->nodes[i];
		struct timer_heap timers = node->worker.timers;

		node->sim = sim;
		node->index = i;
		node->suspension.n = 0;
		node->behind_ns = node->entitled_away_ns = 0;
		node->scripts_failing = node->backends_dead = node->backends_wavering =
			node->links_down = node->refusals = 0;
		node->wanted = true;
		node->worker = (struct worker){ .timers = timers };
		node->guardian = (struct guardian){ 0 };
		node->kernel.vip = node->kernel.refuses = node->kernel.changed = false;
		node->kernel.link_up = true;
		node->kernel.n = 0;
		node->entitled = node_clock(node);
		node->bare = (struct mono){ 0 };
		shape_node(node, &sim->plan);
	}
}

static void
end(struct sim *sim)
{
	for (unsigned i = 0; i < sim->plan.nodes_n; i++) {
		guardian_kill(&sim->nodes[i]);
		worker_kill(&sim->nodes[i]);
	}
}

/* The next moment at which something happens, and what: run after the clock has been put there. */
struct next {
	int64_t at_ns;
	void (*run)(struct node *node);
	struct node *node;
};

static void
consider(struct next *next, int64_t at_ns, void (*run)(struct node *node), struct node *node)
{
	if (at_ns < next->at_ns)
		*next = (struct next){ at_ns, run, node };
}

static struct next
find_next(struct sim *sim)
{
	struct next next = { NEVER_NS, NULL, NULL };

	if (sim->event < sim->events_n)
		next.at_ns = sim->events[sim->event].at_ns;
	if (sim->wire.next_ns < next.at_ns)
		next.at_ns = sim->wire.next_ns;
	for (unsigned i = 0; i < sim->plan.nodes_n; i++) {
		struct node *node = &sim->nodes[i];

		if (node->wanted && !node->guardian.alive && node->suspension.n == 0)
			consider(&next, sim->now_ns, guardian_start, node);
		consider(&next, kernel_due_ns(node), kernel_lapse, node);
		consider(&next, guardian_due_ns(node), guardian_turn, node);
		consider(&next, worker_due_ns(node), worker_turn, node);
	}
	return next;
}

bool
sim_run(struct sim *sim, uint64_t seed, FILE *trace)
{
	int64_t last_ns, wait_ns;

	sim->trace = trace;
	begin(sim, seed);
	wait_ns = sim->bound_ns + plan_interval_ns(&sim->plan) + (sim->plan.lease_s + 1) * NS_PER_S;
	last_ns = sim->plan.ends_ns + RECOVERY_NS + wait_ns;
	while (!sim->failed) {
		struct next next = find_next(sim);

		if (next.at_ns == NEVER_NS || next.at_ns > last_ns)
			break;
		if (sim->event == sim->events_n && next.at_ns - sim->disturbed_ns > wait_ns &&
		    rules_everybody(sim))
			break;
		if (next.at_ns > sim->now_ns)
			sim->now_ns = next.at_ns;
		sim->events_seen++;
		run_plan(sim);
		wire_deliver(sim);
		if (next.run)
			next.run(next.node);
		rules_check(sim);
	}
	rules_end(sim);
	end(sim);
	return !sim->failed;
}
