/*
 * rules.c - what must hold, whatever the plan.
 *
 *  1. Once the network has been whole and nothing else has happened for 3 x the largest interval +
 *     skew + one interval + the largest delay, there is exactly one master, and it alone has the VIP
 *     (as soon as leases of the past have ended, too).
 *  2. With distinct priorities and preemption it is the highest, after preempt_delay.
 *  3. Nobody keeps a VIP that nothing has entitled it to for a lease (and as long as it takes to
 *     notice that the worker hangs); no VIP is older than its lease without a renewal.
 *  4. Nobody becomes master with an unread advertisement in its receive queue.
 *  5. Two masters that hear each other agree within an interval.
 *  6. Where all wait for the same silence, the highest priority takes over, and nobody before it.
 *  7. A master whose last advertisement is older than its down interval sends none: it may have been
 *     replaced, and steps down first.
 *  8. A master whose worker dies is followed within the skew of the best backup.
 *  9. No master is without its VIP for longer than three quarters of a lease.
 * 10. A guardian that was away for long puts no VIP there before the worker has confirmed; nor on
 *     behalf of a worker that does not move.
 */
#include "sim.h"

#define SLACK_NS (2 * NS_PER_MS) /* what waking up and talking to each other takes, altogether */
#define LAPSE_NS (500 * NS_PER_MS)

/* The product's own timing is under test: this is RFC 3768 and 9568, section 6.1, once more. */
static int64_t
skew_ns(const struct plan *plan, uint8_t priority, int64_t interval_ns)
{
	return (256 - priority) * (plan->version == 2 ? NS_PER_S : interval_ns) / 256;
}

static int64_t
later_ns(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

void
rules_begin(struct sim *sim)
{
	const struct plan *plan = &sim->plan;
	int64_t interval_ns = plan_interval_ns(plan);
	bool distinct = true, preempts = true, alike = true;
	int64_t delay_ns = 0;

	for (unsigned i = 0; i < plan->nodes_n; i++) {
		const struct plan_node *node = &plan->nodes[i];

		for (unsigned j = 0; j < i; j++)
			distinct &= plan->nodes[j].priority != node->priority;
		preempts &= node->nopreempt == CONF_PREEMPT;
		delay_ns = later_ns(delay_ns, node->preempt_delay_ms * NS_PER_MS);
		alike &= node->advert_int_cs == plan->nodes[0].advert_int_cs;
	}
	sim->bound_ns = plan->down_adverts * interval_ns + skew_ns(plan, 1, interval_ns) +
			interval_ns + plan->delay_max_ns + SLACK_NS;
	/* Counted from the first advertisement of whoever is to be replaced. */
	if (delay_ns)
		sim->bound_ns += delay_ns + sim->bound_ns;
	sim->ranked = distinct && preempts;
	sim->ordered = preempts && alike && delay_ns == 0;
	sim->disturbed_ns = 0;
	sim->rivals = 0;
	sim->heir = NULL;
}

static bool
takes_part(const struct node *node)
{
	return worker_turns(&node->worker) &&
	       (node->worker.state == VRRP_STATE_BACKUP || node->worker.state == VRRP_STATE_MASTER);
}

/* Since when is the node itself well?  NEVER_NS: it is not. */
static int64_t
well_ns(const struct node *node)
{
	const struct worker *w = &node->worker;

	if (!worker_turns(w) || w->pause.n || node->suspension.n)
		return NEVER_NS;
	return later_ns(w->well_ns, w->joined_ns);
}

/* ------------------------------------------------------------------ 4, 6: becoming master */

/* Would this backup have to be the first? */
static bool
goes_before(const struct node *other, const struct node *node, int64_t steady_ns)
{
	const struct sim *sim = node->sim;
	int64_t interval_ns = plan_interval_ns(&sim->plan), theirs_ns, ours_ns;
	struct vrrp_view a, b;

	if (other == node || !takes_part(other) || other->worker.state != VRRP_STATE_BACKUP ||
	    well_ns(other) > steady_ns || other->worker.ranked_ns > steady_ns ||
	    other->backends_wavering)
		return false;
	a = worker_view(other);
	b = worker_view(node);
	theirs_ns = skew_ns(&sim->plan, a.priority, interval_ns);
	ours_ns = skew_ns(&sim->plan, b.priority, interval_ns);
	return ours_ns - theirs_ns > 2 * sim->plan.delay_max_ns + SLACK_NS;
}

/* A resignation may arrive behind the first words of whoever took over, and then starts the skew
 * once more (RFC 9568 section 6.4.2 asks for no less). */
static bool
is_belated(const struct node *node)
{
	const struct plan *plan = &node->sim->plan;

	return plan->delay_min_ns != plan->delay_max_ns && worker_view(node).peer_priority == 0;
}

static void
judge_take_over(struct node *node)
{
	struct sim *sim = node->sim;
	int64_t steady_ns = sim->now_ns - 2 * sim->bound_ns;

	if (node->kernel.n)
		sim_fail(sim, "lb%u becomes master with %u advertisements unread", node->index + 1,
			 node->kernel.n);
	if (!sim->ordered || sim->wire.whole_ns > steady_ns || well_ns(node) > steady_ns ||
	    node->worker.ranked_ns > steady_ns || node->backends_wavering || is_belated(node))
		return;
	for (unsigned i = 0; i < sim->plan.nodes_n; i++)
		if (goes_before(&sim->nodes[i], node, steady_ns))
			sim_fail(sim, "lb%u becomes master before lb%u, which waits for the same",
				 node->index + 1, i + 1);
}

static bool
is_role(enum vrrp_state state)
{
	return state == VRRP_STATE_BACKUP || state == VRRP_STATE_MASTER;
}

void
rules_transition(struct node *node, const struct vrrp_transition_note *note)
{
	struct sim *sim = node->sim;

	if (note->to == VRRP_STATE_MASTER) {
		sim->masterships++;
		node->worker.advertised = (struct mono){ 0 };
		if (note->from == VRRP_STATE_BACKUP)
			judge_take_over(node);
	}
	if (!is_role(note->from) || !is_role(note->to)) {
		node->worker.joined_ns = sim->now_ns;
		rules_disturb(sim);
	}
}

/* ------------------------------------------------------------------ 7: words from the past */

void
rules_sent(struct node *node, uint8_t priority, struct mono now)
{
	struct worker *w = &node->worker;
	int64_t interval_ns = node->instance.advert_int_cs * 10 * NS_PER_MS;
	int64_t down_ns = node->sim->plan.down_adverts * interval_ns +
			  skew_ns(&node->sim->plan, priority, interval_ns);

	if (priority == 0)
		return;
	/* The last word to a better one is said as BACKUP. */
	if (w->state == VRRP_STATE_MASTER && w->advertised.ns &&
	    mono_since(now, w->advertised) > down_ns &&
	    worker_view(node).state == VRRP_STATE_MASTER)
		sim_fail(node->sim,
			 "lb%u advertises %.3f s after its last time, as if nobody "
			 "could have taken over",
			 node->index + 1,
			 (double)mono_since(now, w->advertised) / (double)NS_PER_S);
	w->advertised = now;
}

/* ------------------------------------------------------------------ 3, 9, 10: the VIP */

void
rules_put(struct node *node, bool claim)
{
	const struct guardian *g = &node->guardian;
	const struct worker *w = &node->worker;
	int64_t silent_ns = w->pause.n ? mono_since(node_clock(node), w->paused) : 0;
	int64_t patience_ns = g->dog.limit_ns / 2 + 3 * g->dog.tick_ns;

	if (claim)
		return;
	if (g->late)
		sim_fail(node->sim, "lb%u: the guardian was away, and puts the VIP there unasked",
			 node->index + 1);
	if ((!worker_turns(w) && g->gone_ns == NEVER_NS) ||
	    (silent_ns > patience_ns && guardian_away_ns(node) == node->entitled_away_ns))
		sim_fail(node->sim, "lb%u: the VIP is put there for a worker that does not move",
			 node->index + 1);
}

/* Something that may hold the VIP moves on this node. */
static bool
is_entitled(const struct node *node)
{
	return worker_turns(&node->worker) && vrrp_state_holds(node->worker.state) &&
	       node->worker.pause.n == 0 && node->suspension.n == 0;
}

static void
judge_vip(struct node *node)
{
	struct sim *sim = node->sim;
	const struct guardian *g = &node->guardian;
	struct mono now = node_clock(node);
	int64_t lease_ns = sim->plan.lease_s * NS_PER_S;
	int64_t away_ns = guardian_away_ns(node);
	int64_t notice_ns = node->conf.watchdog_ms * NS_PER_MS + 3 * g->dog.tick_ns + SLACK_NS;

	if (is_entitled(node)) {
		node->entitled = now;
		node->entitled_away_ns = away_ns;
	}
	if (!node->kernel.vip || lease_ns == 0)
		return;
	if (mono_since(now, node->kernel.put) > lease_ns + LAPSE_NS)
		sim_fail(sim, "lb%u has the VIP %.3f s after its last renewal", node->index + 1,
			 (double)mono_since(now, node->kernel.put) / (double)NS_PER_S);
	if (mono_since(now, node->entitled) >
	    lease_ns + LAPSE_NS + notice_ns + away_ns - node->entitled_away_ns)
		sim_fail(sim, "lb%u has had the VIP for %.3f s without being master",
			 node->index + 1,
			 (double)mono_since(now, node->entitled) / (double)NS_PER_S);
}

/* The worker has noticed that nobody renews, whoever is to blame. */
static void
judge_bare(struct node *node)
{
	struct sim *sim = node->sim;
	const struct worker *w = &node->worker;
	struct mono now = node_clock(node);
	int64_t lease_ns = sim->plan.lease_s * NS_PER_S;

	if (w->state != VRRP_STATE_MASTER || node->kernel.vip || lease_ns == 0 || w->pause.n ||
	    w->well_ns > sim->now_ns) {
		node->bare = (struct mono){ 0 };
		return;
	}
	if (node->bare.ns == 0)
		node->bare = now;
	if (mono_since(now, node->bare) > lease_ns / 4 * 3 + SLACK_NS)
		sim_fail(sim, "lb%u has been master without the VIP for %.3f s", node->index + 1,
			 (double)mono_since(now, node->bare) / (double)NS_PER_S);
}

static unsigned
count_masters(const struct sim *sim)
{
	unsigned n = 0;

	for (unsigned i = 0; i < sim->plan.nodes_n; i++)
		n += sim->nodes[i].worker.state == VRRP_STATE_MASTER;
	return n;
}

/* Two masters: since when could they all have known of each other? */
static void
judge_rivals(struct sim *sim)
{
	unsigned rivals = 0, n = count_masters(sim);
	int64_t since_ns;

	for (unsigned i = 0; i < sim->plan.nodes_n; i++)
		if (sim->nodes[i].worker.state == VRRP_STATE_MASTER)
			rivals |= 1u << i;
	if (rivals != sim->rivals) {
		sim->rivals = rivals;
		sim->rivals_ns = sim->now_ns;
	}
	if (n < 2)
		return;
	since_ns = later_ns(sim->rivals_ns, sim->wire.whole_ns);
	for (unsigned i = 0; i < sim->plan.nodes_n; i++)
		if (sim->nodes[i].worker.state == VRRP_STATE_MASTER)
			since_ns = later_ns(since_ns, later_ns(well_ns(&sim->nodes[i]),
							       sim->nodes[i].worker.ranked_ns));
	if (since_ns != NEVER_NS && sim->now_ns - since_ns > plan_interval_ns(&sim->plan) +
								     2 * sim->plan.delay_max_ns +
								     SLACK_NS)
		sim_fail(sim, "%u masters hear each other for %.3f s", n,
			 (double)(sim->now_ns - since_ns) / (double)NS_PER_S);
}

/* ------------------------------------------------------------------ 8: heirs */

static bool
may_inherit(const struct node *node, int64_t since_ns)
{
	return node->worker.state == VRRP_STATE_BACKUP && well_ns(node) <= since_ns &&
	       node->worker.ranked_ns <= since_ns;
}

void
rules_bequeath(struct node *node)
{
	struct sim *sim = node->sim;
	int64_t steady_ns = sim->now_ns - sim->bound_ns;

	/* A will that is overtaken by the last advertisement is as good as none. */
	if (sim->wire.whole_ns > steady_ns || sim->plan.delay_min_ns != sim->plan.delay_max_ns)
		return;
	for (unsigned i = 0; i < sim->plan.nodes_n; i++)
		if (&sim->nodes[i] != node && may_inherit(&sim->nodes[i], steady_ns)) {
			sim->heir = &sim->nodes[i];
			sim->heir_ns = sim->now_ns;
		}
}

/* Somebody has taken over, be it the heir or a better one. */
static void
judge_heir(struct sim *sim)
{
	int64_t skew = skew_ns(&sim->plan, 1, plan_interval_ns(&sim->plan));

	if (!sim->heir)
		return;
	if (count_masters(sim) > 0 || sim->wire.whole_ns > sim->heir_ns ||
	    !may_inherit(sim->heir, sim->heir_ns))
		sim->heir = NULL;
	else if (sim->now_ns - sim->heir_ns > skew + sim->plan.delay_max_ns + SLACK_NS)
		sim_fail(sim, "lb%u has not followed a master that died %.3f s ago",
			 sim->heir->index + 1,
			 (double)(sim->now_ns - sim->heir_ns) / (double)NS_PER_S);
}

/* ------------------------------------------------------------------ 1, 2: calm */

static void
judge_rank(struct sim *sim)
{
	struct node *best = NULL;
	uint8_t priority = 0;

	for (unsigned i = 0; i < sim->plan.nodes_n; i++) {
		struct vrrp_view view;

		if (!takes_part(&sim->nodes[i]))
			continue;
		view = worker_view(&sim->nodes[i]);
		if (view.priority == priority) /* trackers have made two alike */
			return;
		if (view.priority > priority) {
			best = &sim->nodes[i];
			priority = view.priority;
		}
	}
	if (best && best->worker.state != VRRP_STATE_MASTER)
		sim_fail(sim, "lb%u has the highest priority (%u) and is not master",
			 best->index + 1, priority);
}

/* When the last lease of the past has ended, too. */
static void
judge_holders(struct sim *sim)
{
	for (unsigned i = 0; i < sim->plan.nodes_n; i++) {
		const struct node *node = &sim->nodes[i];
		bool master = node->worker.state == VRRP_STATE_MASTER;

		if (node->guardian.pause.n || node->kernel.refuses ||
		    (sim->plan.lease_s == 0 && !worker_turns(&node->worker)))
			continue;
		if (node->kernel.vip != master)
			sim_fail(sim, "lb%u is %smaster and has %s VIP", i + 1,
				 master ? "" : "not ", node->kernel.vip ? "the" : "no");
	}
}

static void
judge_calm(struct sim *sim, int64_t calm_ns)
{
	int64_t lease_ns = sim->plan.lease_s * NS_PER_S + LAPSE_NS;
	unsigned masters = count_masters(sim), parts = 0;

	for (unsigned i = 0; i < sim->plan.nodes_n; i++)
		parts += takes_part(&sim->nodes[i]);
	if (masters != (parts > 0))
		sim_fail(sim, "%u masters after %.3f s without disturbance", masters,
			 (double)calm_ns / (double)NS_PER_S);
	if (sim->ranked)
		judge_rank(sim);
	if (calm_ns > sim->bound_ns + lease_ns)
		judge_holders(sim);
}

void
rules_check(struct sim *sim)
{
	int64_t since_ns = later_ns(sim->disturbed_ns, sim->wire.whole_ns);

	for (unsigned i = 0; i < sim->plan.nodes_n; i++) {
		judge_vip(&sim->nodes[i]);
		judge_bare(&sim->nodes[i]);
	}
	judge_rivals(sim);
	judge_heir(sim);
	for (unsigned i = 0; i < sim->plan.nodes_n; i++)
		if (worker_exists(&sim->nodes[i].worker))
			since_ns = later_ns(since_ns, well_ns(&sim->nodes[i]));
	if (since_ns != NEVER_NS && sim->now_ns - since_ns > sim->bound_ns)
		judge_calm(sim, sim->now_ns - since_ns);
}

bool
rules_everybody(const struct sim *sim)
{
	for (unsigned i = 0; i < sim->plan.nodes_n; i++)
		if (!takes_part(&sim->nodes[i]))
			return false;
	return true;
}

/* Everything was put right some time ago: everybody takes part. */
void
rules_end(struct sim *sim)
{
	for (unsigned i = 0; i < sim->plan.nodes_n; i++)
		if (!takes_part(&sim->nodes[i]))
			sim_fail(sim, "lb%u does not take part any more, with nothing wrong",
				 i + 1);
}
