/*
 * worker.c - a node's worker: the real engine, and around it what daemon/worker.c and
 * daemon/vrrp_io.c do in a turn of their loop.
 */
#include "sim.h"

#include <endian.h>
#include <linux/ip.h>
#include <string.h>

#define START_MIN_NS   (10 * NS_PER_MS)
#define START_MAX_NS   (80 * NS_PER_MS)
#define LATENCY_MIN_NS (5 * NS_PER_US)
#define LATENCY_MAX_NS (300 * NS_PER_US)
#define RECEIVE_MAX    64 /* datagrams in a turn, as in daemon/vrrp_io.c */

/* ------------------------------------------------------------------ what the engine asks for */

/* The interruption planned comes at the first request of a turn. */
static struct mono
clock_in_turn(struct node *node)
{
	struct worker *w = &node->worker;

	if (w->stall_ns) {
		w->ahead_ns = w->stall_ns;
		w->stall_ns = 0;
	}
	return mono_add_ns(node_clock(node), w->ahead_ns);
}

static void
tell(struct node *node, enum request what, int flag)
{
	struct message message = { .what = what, .error = flag };

	clock_in_turn(node);
	if (node->guardian.alive)
		inbox_put(node->sim, &node->guardian.inbox, message, node->worker.ahead_ns);
}

static void
op_send(void *ctx, uint32_t instance, const struct ip *source, const struct ip *to, const void *pdu,
	size_t len)
{
	struct node *node = ctx;
	uint8_t priority = ((const uint8_t *)pdu)[2];
	struct mono now = clock_in_turn(node);

	if (vrrp_overdue(node->worker.vrrp, instance, now) && mutant != MUTANT_HASTY)
		return;
	sim_trace(node->sim, "lb%u sends %u", node->index + 1, priority);
	rules_sent(node, priority, now);
	wire_send(node->sim, node->index, source, to, pdu, len, node->worker.ahead_ns);
}

static void
op_claim(void *ctx, uint32_t instance)
{
	tell(ctx, REQUEST_CLAIM, 0);
}

static void
op_release(void *ctx, uint32_t instance)
{
	tell(ctx, REQUEST_RELEASE, 0);
}

/* Of interest to neighbours alone. */
static void
op_announce(void *ctx, uint32_t instance)
{
}

static void
op_lodge_will(void *ctx, uint32_t instance, bool lodged)
{
	tell(ctx, REQUEST_WILL, lodged);
}

/* As a raw socket does: with the header in IPv4, with what was in it in IPv6. */
static void
hand_over(struct node *node, const struct packet *packet)
{
	struct vrrp *vrrp = node->worker.vrrp;
	struct mono now = node_clock(node);
	uint8_t bytes[sizeof(struct iphdr) + PDU_MAX];

	if (packet->source.family == AF_INET6) {
		struct vrrp_datagram datagram = {
			.source = packet->source,
			.destination = packet->to,
			.hop_limit = VRRP_TTL,
			.pdu = packet->pdu,
			.pdu_len = packet->len,
		};

		vrrp_receive6(vrrp, 0, &datagram, now);
	} else {
		struct iphdr ip = {
			.version = 4,
			.ihl = 5,
			.ttl = VRRP_TTL,
			.protocol = VRRP_PROTOCOL,
			.tot_len = htobe16((uint16_t)(sizeof ip + packet->len)),
			.saddr = packet->source.v4.s_addr,
			.daddr = packet->to.v4.s_addr,
		};

		memcpy(bytes, &ip, sizeof ip);
		memcpy(bytes + sizeof ip, packet->pdu, packet->len);
		vrrp_receive(vrrp, 0, bytes, sizeof ip + packet->len, now);
	}
}

static void
receive(struct node *node, unsigned max)
{
	struct worker *w = &node->worker;
	struct kernel *kernel = &node->kernel;

	if (w->receiving)
		return;
	w->receiving = true;
	while (kernel->n && max--) {
		const struct packet *packet = &kernel->queue[kernel->first];

		kernel->first = (kernel->first + 1) % QUEUE_MAX;
		kernel->n--;
		sim_trace(node->sim, "lb%u hears %u from lb%u", node->index + 1, packet->pdu[2],
			  packet->from + 1);
		hand_over(node, packet);
	}
	w->receiving = false;
}

static void
op_drain(void *ctx)
{
	if (mutant != MUTANT_UNDRAINED)
		receive(ctx, UINT32_MAX);
}

static void
op_transition(void *ctx, const struct vrrp_transition_note *note)
{
	struct node *node = ctx;

	sim_trace(node->sim, "lb%u: %s -> %s (%s)", node->index + 1, vrrp_state_name(note->from),
		  vrrp_state_name(note->to), note->reason);
	rules_transition(node, note);
	node->worker.state = note->to;
}

static void
op_aside(void *ctx, uint32_t instance, enum vrrp_aside aside, uint8_t priority)
{
	struct node *node = ctx;

	if (aside == VRRP_ASIDE_LOWER_HEARD)
		return;
	sim_trace(node->sim, "lb%u: priority is now %u", node->index + 1, priority);
	node->worker.ranked_ns = node->sim->now_ns;
	rules_disturb(node->sim);
}

static int64_t
op_wall_ns(void *ctx)
{
	return node_wall_ns(ctx);
}

static const struct vrrp_ops ops = {
	.send = op_send,
	.claim = op_claim,
	.release = op_release,
	.announce = op_announce,
	.lodge_will = op_lodge_will,
	.drain = op_drain,
	.transition = op_transition,
	.wall_ns = op_wall_ns,
	.aside = op_aside,
};

/* ------------------------------------------------------------------ a turn */

static void
take_link(struct node *node)
{
	struct vrrp_link link = { .present = true, .up = node->kernel.link_up, .mtu = 1500 };

	if (node->instance.family == AF_INET6)
		link.primary6 = node->address;
	else
		link.primary = node->address;
	vrrp_link(node->worker.vrrp, 0, &link, node_clock(node));
}

static void
take_messages(struct node *node)
{
	struct worker *w = &node->worker;
	struct mono now = node_clock(node);
	const struct message *m;

	while ((m = inbox_take(node->sim, &w->inbox))) {
		if (m->what == REQUEST_LINK) {
			take_link(node);
		} else if (m->what == REQUEST_CLAIMED) {
			vrrp_claimed(w->vrrp, 0, m->error, now);
		} else if (m->what == REQUEST_RELEASED) {
			vrrp_released(w->vrrp, 0, now);
		} else if (m->what == REQUEST_RENEWED && m->error == 0) {
			vrrp_renewed(w->vrrp, 0, m->at);
		} else if (m->what == REQUEST_RESTORED && m->error == 0) {
			vrrp_restored(w->vrrp, 0, m->vips_n, now);
		} else if (m->what == REQUEST_ASK_CONFIRM) {
			op_drain(node);
			tell(node, REQUEST_CONFIRM, vrrp_confirm(w->vrrp, 0, now));
		} else if (m->what == REQUEST_STOP && w->phase == WORKER_RUNNING) {
			w->phase = WORKER_STOPPING;
			vrrp_stop(w->vrrp, now, "stopped by the administrator");
		}
	}
}

static void
take_health(struct node *node)
{
	struct worker *w = &node->worker;
	struct mono now = node_clock(node);

	atomic_store(&node->backend.usable, node->backends_dead ? 0 : 2);
	atomic_store(&node->backend.in_transition, node->backends_wavering != 0);
	atomic_store(&node->backend.settled, true);
	vrrp_health(w->vrrp, now);
	vrrp_script_result(w->vrrp, 0, node->scripts_failing == 0, now);
}

static void
begin(struct node *node)
{
	struct worker *w = &node->worker;

	w->phase = WORKER_RUNNING;
	w->well_ns = w->ranked_ns = node->sim->now_ns;
	take_link(node);
	vrrp_start(w->vrrp, node_clock(node));
	take_health(node);
}

static void
orphan(struct node *node)
{
	struct worker *w = &node->worker;

	w->orphaned = false;
	if (w->phase == WORKER_RUNNING) {
		w->phase = WORKER_STOPPING;
		vrrp_stop(w->vrrp, node_clock(node), "the guardian is gone");
	}
}

void
worker_turn(struct node *node)
{
	struct worker *w = &node->worker;
	struct sim *sim = node->sim;
	bool messages_first = dice_percent(&sim->dice, 50);

	w->latency_ns = dice_between(&sim->dice, LATENCY_MIN_NS, LATENCY_MAX_NS);
	w->ahead_ns = 0;
	if (w->phase == WORKER_STARTING) {
		begin(node);
		return;
	}
	vrrp_wake(w->vrrp, node_clock(node));
	if (mutant == MUTANT_CREDULOUS)
		vrrp_renewed(w->vrrp, 0, node_clock(node));
	if (messages_first)
		take_messages(node);
	/* What arrives just after the socket was read is there when the timers run. */
	receive(node, dice_percent(&sim->dice, 5) ? dice_below(&sim->dice, 3) : RECEIVE_MAX);
	if (!messages_first)
		take_messages(node);
	if (w->orphaned)
		orphan(node);
	if (w->look_ns != NEVER_NS)
		take_health(node);
	w->look_ns = NEVER_NS;
	timer_heap_run(&w->timers, node_clock(node));
	if (w->ahead_ns) {
		w->busy_ns = sim->now_ns + w->ahead_ns;
		w->well_ns = w->busy_ns;
		guardian_watch(node);
	}
	if (w->phase == WORKER_STOPPING && vrrp_stopped(w->vrrp)) {
		tell(node, REQUEST_STOPPED, 0);
		worker_kill(node);
	}
}

int64_t
worker_due_ns(const struct node *node)
{
	const struct worker *w = &node->worker;
	const struct timer *timer = timer_heap_first(&w->timers);
	int64_t due_ns = inbox_next_ns(&w->inbox);

	if (!worker_exists(w) || w->pause.n || node->suspension.n)
		return NEVER_NS;
	if (w->phase == WORKER_STARTING)
		return w->starts_ns;
	if (node->kernel.n && node->kernel.queue[node->kernel.first].arrives_ns < due_ns)
		due_ns = node->kernel.queue[node->kernel.first].arrives_ns;
	if (w->look_ns < due_ns)
		due_ns = w->look_ns;
	if (timer && node_real_ns(node, timer->when) < due_ns)
		due_ns = node_real_ns(node, timer->when);
	if (due_ns == NEVER_NS)
		return NEVER_NS;
	due_ns += w->latency_ns;
	return due_ns > w->busy_ns ? due_ns : w->busy_ns;
}

/* ------------------------------------------------------------------ life */

void
worker_spawn(struct node *node)
{
	struct worker *w = &node->worker;
	struct sim *sim = node->sim;

	*w = (struct worker){
		.phase = WORKER_STARTING,
		.timers = w->timers, /* empty: its array is used again */
		.look_ns = NEVER_NS,
		.starts_ns = sim->now_ns + dice_between(&sim->dice, START_MIN_NS, START_MAX_NS),
		.board = { .wake_fd = -1, .backends = &node->backend, .backends_n = 1 },
	};
	node->kernel.n = 0;
	w->vrrp = vrrp_new(&node->conf, &w->board, &w->timers, &ops, node);
	if (!w->vrrp)
		sim_fail(sim, "out of memory");
	vrrp_keep_marks(w->vrrp, node->marks);
	rules_disturb(sim);
}

void
worker_kill(struct node *node)
{
	struct worker *w = &node->worker;

	if (!worker_exists(w))
		return;
	vrrp_free(w->vrrp);
	if (w->timers.n)
		sim_fail(node->sim, "lb%u: a timer stayed armed behind the engine",
			 node->index + 1);
	w->vrrp = NULL;
	w->phase = WORKER_GONE;
	w->state = VRRP_STATE_INIT;
	w->inbox.n = 0;
	wire_forget(node->sim, node->index);
	inbox_forget(node->sim, &node->guardian.inbox);
	guardian_bereave(node);
	rules_disturb(node->sim);
}

void
worker_look(struct node *node)
{
	if (node->worker.look_ns == NEVER_NS)
		node->worker.look_ns = node->sim->now_ns;
}

struct vrrp_view
worker_view(const struct node *node)
{
	struct vrrp_view view;

	vrrp_view(node->worker.vrrp, 0, node_clock(node), &view);
	return view;
}
