/*
 * guardian.c - a node's guardian: the real leases, watchdog and back-off, and around them what
 * daemon/guardian.c does in a turn of its loop.
 *
 * Ticks at which nothing could happen are left out: they matter while the worker is silent, or
 * something is to be renewed or put back.
 */
#include "sim.h"

#include <string.h>

#define LATENCY_MIN_NS   (5 * NS_PER_US)
#define LATENCY_MAX_NS   (300 * NS_PER_US)
#define DEATH_MIN_NS     (200 * NS_PER_US)
#define DEATH_MAX_NS     (2 * NS_PER_MS)
#define STOP_DEADLINE_MS 3000 /* as in daemon/guardian.c */

static const struct mono never = { NEVER_NS };

/* ------------------------------------------------------------------ the worker's life */

static void
tell(void *ctx, enum request what, uint32_t instance, int error, uint32_t vips_n, struct mono at)
{
	struct node *node = ctx;
	struct message message = { .what = what, .error = error, .vips_n = vips_n, .at = at };

	if (node->guardian.child && worker_exists(&node->worker))
		inbox_put(node->sim, &node->worker.inbox, message, 0);
}

static void
spawn(struct node *node)
{
	struct guardian *g = &node->guardian;

	worker_spawn(node);
	g->child = true;
	g->gone = g->watched = false;
	g->gone_ns = NEVER_NS;
	g->restart = never;
	g->born = node_clock(node);
}

static void
end(struct node *node)
{
	struct guardian *g = &node->guardian;

	sim_trace(node->sim, "lb%u: the guardian has ended", node->index + 1);
	leases_fini(&g->leases);
	vrrp_hmac_free(g->signer);
	g->alive = false;
	g->inbox.n = 0;
	rules_disturb(node->sim);
}

static void
act(struct node *node, const struct message *m)
{
	struct guardian *g = &node->guardian;
	struct mono now = node_clock(node);

	if (g->gone && m->what != REQUEST_RELEASE && m->what != REQUEST_WILL)
		return;
	if (m->what == REQUEST_CLAIM) {
		leases_claim(&g->leases, 0, now);
	} else if (m->what == REQUEST_RELEASE) {
		leases_release(&g->leases, 0, now);
	} else if (m->what == REQUEST_WILL) {
		leases_will(&g->leases, 0, m->error);
	} else if (m->what == REQUEST_CONFIRM) {
		g->late = false;
		leases_confirm(&g->leases, 0, m->error, now);
	}
	if (leases_claimed(&g->leases) == 0)
		g->late = false;
}

/* What it said last is heard, wherever it still is. */
static void
on_gone(struct node *node)
{
	struct guardian *g = &node->guardian;
	uint32_t delay_ms;

	g->gone = true;
	inbox_forget(node->sim, &g->inbox);
	while (g->inbox.n) {
		struct message m = g->inbox.at[g->inbox.first];

		g->inbox.first = (g->inbox.first + 1) % INBOX_MAX;
		g->inbox.n--;
		act(node, &m);
	}
	if (g->leases.at[0].lodged)
		rules_bequeath(node);
	leases_execute_wills(&g->leases);
	g->late = false;
	worker_kill(node);
	g->child = false;
	g->gone_ns = NEVER_NS;
	g->deadline = never;
	if (g->stopping) {
		end(node);
		return;
	}
	delay_ms = backoff_delay_ms(&g->backoff, mono_since_ms(node_clock(node), g->born));
	g->restart = mono_add_ms(node_clock(node), delay_ms);
}

void
guardian_bereave(struct node *node)
{
	struct guardian *g = &node->guardian;

	if (g->alive && g->child)
		g->gone_ns = node->sim->now_ns +
			     dice_between(&node->sim->dice, DEATH_MIN_NS, DEATH_MAX_NS);
}

/* ------------------------------------------------------------------ ticks */

static bool
is_beating(const struct guardian *g)
{
	return g->child && g->watched && (watchdog_beating(&g->dog) || mutant == MUTANT_UNDYING);
}

static bool
worker_moves(const struct node *node)
{
	return worker_turns(&node->worker) && node->worker.pause.n == 0 &&
	       node->worker.busy_ns <= node->sim->now_ns;
}

static void
on_tick(struct node *node, struct mono now)
{
	struct guardian *g = &node->guardian;

	g->ticked = now;
	g->beats += worker_moves(node);
	if (g->child && !g->watched && worker_turns(&node->worker)) {
		watchdog_init(&g->dog, node->conf.watchdog_ms, g->beats, now);
		g->watched = true;
	}
	if (g->child && g->watched && !(g->stopping && leases_claimed(&g->leases) == 0) &&
	    watchdog_tick(&g->dog, g->beats, now)) {
		sim_trace(node->sim, "lb%u: the worker is silent", node->index + 1);
		on_gone(node);
		return;
	}
	if (is_beating(g)) {
		leases_renew(&g->leases, now);
		leases_restore(&g->leases, now);
	}
}

/* The tick at `when` or the first one after it. */
static struct mono
tick_at(const struct guardian *g, struct mono when)
{
	int64_t ticks = (mono_since(when, g->ticked) + g->dog.tick_ns - 1) / g->dog.tick_ns;

	return mono_add_ns(g->ticked, (ticks < 1 ? 1 : ticks) * g->dog.tick_ns);
}

static struct mono
next_tick(const struct node *node)
{
	const struct guardian *g = &node->guardian;
	const struct lease *lease = &g->leases.at[0];

	if (!g->child)
		return never;
	if (!g->watched || g->dog.silent_ns || !worker_moves(node) ||
	    (lease->claimed && lease->missing_n))
		return tick_at(g, g->ticked);
	if (lease->claimed && !lease->frozen && lease->due.ns)
		return tick_at(g, lease->due);
	return never;
}

/* Brings the watchdog to where it would be, had the ticks that were left out been made. */
void
guardian_watch(struct node *node)
{
	struct guardian *g = &node->guardian;
	int64_t since_ns = mono_since(node_clock(node), g->ticked);

	if (!g->alive || !g->watched || g->pause.n || since_ns < g->dog.tick_ns || g->dog.silent_ns)
		return;
	g->ticked = mono_add_ns(g->ticked, since_ns / g->dog.tick_ns * g->dog.tick_ns);
	g->dog.looked = g->ticked;
}

/* ------------------------------------------------------------------ a turn */

int64_t
guardian_away_ns(const struct node *node)
{
	const struct guardian *g = &node->guardian;

	return g->away_ns + (g->pause.n ? node->sim->now_ns - g->pause.since_ns : 0);
}

/* It is able to run all the time, but for its pauses. */
static void
on_wake(struct node *node, struct mono now)
{
	struct guardian *g = &node->guardian;
	int64_t away_ns = mono_since(now, g->woken);

	g->woken = now;
	if (!g->look)
		return;
	g->look = false;
	if (leases_claimed(&g->leases) == 0 || !lease_is_late(&node->conf, away_ns))
		return;
	g->late = true;
	if (mutant != MUTANT_UNFROZEN)
		leases_freeze(&g->leases, now);
}

static void
take_network(struct node *node)
{
	struct guardian *g = &node->guardian;

	node->kernel.changed = false;
	tell(node, REQUEST_LINK, 0, 0, 0, never);
	leases_settle(&g->leases);
	if (is_beating(g))
		leases_restore(&g->leases, node_clock(node));
}

static void
run_timers(struct node *node, struct mono now)
{
	struct guardian *g = &node->guardian;

	if (!mono_before(now, next_tick(node)))
		on_tick(node, now);
	if (g->alive && !mono_before(now, g->deadline)) {
		sim_trace(node->sim, "lb%u: the worker does not stop", node->index + 1);
		on_gone(node);
	}
	if (g->alive && !mono_before(now, g->restart))
		spawn(node);
}

void
guardian_turn(struct node *node)
{
	struct guardian *g = &node->guardian;
	struct sim *sim = node->sim;
	struct mono now = node_clock(node);
	const struct message *m;

	g->latency_ns = dice_between(&sim->dice, LATENCY_MIN_NS, LATENCY_MAX_NS);
	on_wake(node, now);
	if (g->gone_ns <= sim->now_ns) {
		on_gone(node);
		if (!g->alive)
			return;
	}
	if (node->kernel.changed && dice_percent(&sim->dice, 50))
		take_network(node);
	while ((m = inbox_take(sim, &g->inbox)))
		act(node, m);
	if (node->kernel.changed)
		take_network(node);
	run_timers(node, now);
}

static int64_t
earlier_ns(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t
guardian_due_ns(const struct node *node)
{
	const struct guardian *g = &node->guardian;
	int64_t due_ns;

	if (!g->alive || g->pause.n || node->suspension.n)
		return NEVER_NS;
	if (g->look || node->kernel.changed)
		return node->sim->now_ns;
	due_ns = earlier_ns(g->gone_ns, inbox_next_ns(&g->inbox));
	due_ns = earlier_ns(due_ns, node_real_ns(node, g->restart));
	due_ns = earlier_ns(due_ns, node_real_ns(node, g->deadline));
	due_ns = earlier_ns(due_ns, node_real_ns(node, next_tick(node)));
	return due_ns == NEVER_NS ? NEVER_NS : due_ns + g->latency_ns;
}

/* ------------------------------------------------------------------ life */

void
guardian_start(struct node *node)
{
	struct guardian *g = &node->guardian;

	worker_kill(node); /* whoever starts a service ends what is left of it */
	*g = (struct guardian){
		.alive = true,
		.gone_ns = NEVER_NS,
		.woken = node_clock(node),
		.ticked = node_clock(node),
		.restart = never,
		.deadline = never,
		.away_ns = g->away_ns,
	};
	watchdog_init(&g->dog, node->conf.watchdog_ms, 0, node_clock(node));
	memset(node->marks, 0, sizeof node->marks);
	if (node->instance.hmac)
		g->signer = vrrp_hmac_new(node->instance.hmac);
	if (leases_init(&g->leases, &node->conf, &kernel_ops, node, tell, node) < 0) {
		sim_fail(node->sim, "out of memory");
		return;
	}
	leases_settle(&g->leases);
	spawn(node);
}

void
guardian_kill(struct node *node)
{
	struct guardian *g = &node->guardian;

	if (!g->alive)
		return;
	if (worker_exists(&node->worker)) {
		node->worker.orphaned = true;
		worker_look(node);
	}
	end(node);
}

void
guardian_stop(struct node *node)
{
	struct guardian *g = &node->guardian;

	if (!g->alive || g->stopping)
		return;
	g->stopping = true;
	g->restart = never;
	if (!g->child) {
		end(node);
		return;
	}
	g->deadline = mono_add_ms(node_clock(node), STOP_DEADLINE_MS);
	tell(node, REQUEST_STOP, 0, 0, 0, never);
}
