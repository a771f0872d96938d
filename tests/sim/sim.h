/*
 * sim.h - a world that is invented but for the code under test: nodes with the engine of vrrpd/ and
 * the leases, watchdog and back-off of daemon/, each on a clock, a kernel and processes of its own,
 * around one network.
 *
 * One thread, one event after the other, nothing allocated but engines as workers start.  Time is
 * "real" (`_ns`, from 0) for the network and the plan; a node's own clock (`local`, struct mono) lags
 * behind by what its machine was suspended for.
 */
#pragma once

#include "daemon/backoff.h"
#include "daemon/lease.h"
#include "daemon/watchdog.h"
#include "dice.h"
#include "plan.h"
#include "vrrpd/auth_hmac.h"
#include "vrrpd/vrrp.h"

#include <stdarg.h>

#define NEVER_NS  INT64_MAX
#define BOOTED_NS (1000 * NS_PER_S) /* a node's clock at the beginning, and more for each node */

#define MARKS_MAX (1 + PLAN_NODES_MAX + VRRP_HMAC_SENDERS)
#define PDU_MAX   128 /* of advertisements with one VIP */
#define WIRE_MAX  1024
#define QUEUE_MAX 256 /* a socket's buffer: what does not fit is lost */
#define INBOX_MAX 256

/* How a rule of the product is broken, to see that it is noticed. */
enum mutant {
	MUTANT_NONE,
	MUTANT_UNDRAINED,   /* the receive queue is not read before a take-over */
	MUTANT_IMMORTAL,    /* the kernel forgets lifetimes */
	MUTANT_SKEW,        /* low priorities wait the shortest time */
	MUTANT_SKEWLESS,    /* and here none waits */
	MUTANT_UNFENCED,    /* a master that was away goes on */
	MUTANT_HURRIED,     /* a backup takes over after one interval */
	MUTANT_DEAF_MASTER, /* a master yields to nobody */
	MUTANT_TIE,         /* equal priorities: both stay */
	MUTANT_MEEK,        /* a backup follows whom it outranks */
	MUTANT_UNLEARNED,   /* version 3: the master's interval is not taken over */
	MUTANT_UNDYING,     /* renewals on behalf of a worker that hangs */
	MUTANT_UNFROZEN,    /* a guardian that was late renews at once */
	MUTANT_CREDULOUS,   /* the worker believes in renewals that nobody has made */
	MUTANT_UNRELEASED,  /* VIPs are not removed after mastership */
	MUTANT_HASTY,       /* what a turn that was too slow has to say is said all the same */
	MUTANT_EAGER,       /* a lone backup takes over in the middle of the queue */
	MUTANT_UNWILLING,   /* no will is executed */
	MUTANT_N,
};

const char *mutant_name(enum mutant mutant);
/* MUTANT_N if there is none of this name. */
enum mutant mutant_find(const char *name);
/* The one in force: mutants.c stands between the product's functions. */
extern enum mutant mutant;

/* ------------------------------------------------------------------ network */

struct packet {
	int64_t leaves_ns, arrives_ns;
	uint64_t number;     /* in the order of sending */
	unsigned from, node; /* node: for whom */
	struct ip source, to;
	uint16_t len;
	uint8_t pdu[PDU_MAX];
};

struct wire {
	struct packet at[WIRE_MAX];
	unsigned n;
	uint64_t sent;
	int64_t next_ns; /* the first arrival */
	unsigned splits[PLAN_ACTIONS_MAX], splits_n;
	unsigned deaf, mute;      /* masks of nodes */
	uint32_t loss, duplicate; /* percent */
	int64_t whole_ns;         /* since when nothing is wrong with it; NEVER_NS = it is */
};

/* ------------------------------------------------------------------ node */

struct message {
	int64_t leaves_ns, arrives_ns;
	enum request what;
	int error; /* CLAIMED …, or the flag of WILL and CONFIRM */
	uint32_t vips_n;
	struct mono at;
};

struct inbox {
	struct message at[INBOX_MAX];
	unsigned first, n;
	int64_t last_ns; /* first in, first out: nothing overtakes */
};

/* A process or a machine that may stand still. */
struct pause {
	unsigned n; /* how many causes */
	int64_t since_ns;
};

enum worker_phase { WORKER_GONE, WORKER_STARTING, WORKER_RUNNING, WORKER_STOPPING };

struct worker {
	enum worker_phase phase;
	struct vrrp *vrrp;
	struct timer_heap timers;
	struct health_board board;
	struct inbox inbox;
	struct pause pause;
	int64_t look_ns;    /* the end of a pause, or the board's bell: a turn is due */
	bool orphaned;      /* its guardian is gone, and it will see that */
	bool receiving;     /* as in daemon/vrrp_io.c */
	int64_t starts_ns;  /* STARTING: the end of that */
	int64_t busy_ns;    /* the end of an interrupted turn */
	int64_t latency_ns; /* of its next waking */
	int64_t stall_ns;   /* planned for the next turn that asks for something */
	int64_t ahead_ns;   /* how far the present turn has fallen behind the clock */
	struct mono paused; /* the beginning of the present pause */
	enum vrrp_state state;
	/* for the rules */
	int64_t joined_ns;      /* out of INIT or FAULT */
	int64_t well_ns;        /* since when nothing has kept it from running */
	int64_t ranked_ns;      /* since when its priority is what it is */
	struct mono advertised; /* the last one of this mastership; 0 = none yet */
};

struct guardian {
	bool alive, stopping;
	struct vrrp_hmac *signer; /* of wills; NULL = nothing is signed */
	struct leases leases;
	struct watchdog dog;
	struct backoff backoff;
	struct inbox inbox;
	struct pause pause;
	bool look, watched, child, gone;
	uint64_t beats;
	int64_t gone_ns; /* when it learns of its worker's end; NEVER_NS */
	int64_t latency_ns;
	struct mono woken; /* when it was last able to run */
	struct mono ticked, restart, deadline, born;
	/* for the rules */
	bool late;       /* it was away for long, and the worker has not confirmed yet */
	int64_t away_ns; /* all pauses so far */
};

/* What the kernel knows of the one VIP and the one interface. */
struct kernel {
	bool vip, link_up, refuses;
	bool changed;            /* the guardian has not looked since */
	struct mono put, lapses; /* lapses: NEVER_NS = never */
	struct packet queue[QUEUE_MAX];
	unsigned first, n;
};

struct node {
	struct sim *sim;
	unsigned index;
	struct conf conf;
	struct conf_instance instance;
	struct conf_track track_script;
	struct conf_track_backend track_backend;
	struct health_backend backend;
	struct ip address;
	struct vrrp_hmac_mark marks[MARKS_MAX]; /* the guardian keeps them for its workers */

	struct pause suspension;
	int64_t behind_ns; /* the sum of the past ones */
	struct worker worker;
	struct guardian guardian;
	struct kernel kernel;
	bool wanted; /* the administrator wants it to run */
	unsigned scripts_failing, backends_dead, backends_wavering, links_down, refusals;

	/* for the rules: when something last entitled it to hold the VIP */
	struct mono entitled;
	struct mono bare; /* since when it has been master without the VIP; 0 = it is not */
	int64_t entitled_away_ns;
};

struct sim {
	struct plan plan;
	struct dice dice;
	int64_t now_ns;
	struct wire wire;
	struct node nodes[PLAN_NODES_MAX];
	struct {
		int64_t at_ns;
		unsigned action;
		bool ends;
	} events[2 * PLAN_ACTIONS_MAX];
	unsigned events_n, event;

	/* for the rules */
	int64_t disturbed_ns; /* the last change of anything but MASTER and BACKUP */
	unsigned rivals;      /* the masters … */
	int64_t rivals_ns;    /* … and since when */
	int64_t bound_ns;     /* within which a whole network has its one master */
	struct node *heir;    /* who has to follow a master that has just died; NULL */
	int64_t heir_ns;      /* since when */
	bool ranked;          /* whoever has the highest priority must be it */
	bool ordered;         /* and nobody else may take over */

	FILE *trace; /* NULL = none */
	bool failed;
	char failure[256];
	uint64_t events_seen, masterships;
};

/* ---- sim.c: the run ---- */

/* Runs the schedule of this seed.  False: a rule was broken, sim->failure says which. */
bool sim_run(struct sim *sim, uint64_t seed, FILE *trace);

__attribute__((format(printf, 2, 3))) void sim_trace(struct sim *sim, const char *format, ...);
/* The first one counts. */
__attribute__((format(printf, 2, 3))) void sim_fail(struct sim *sim, const char *format, ...);

/* The node's clock. */
static inline struct mono
node_clock(const struct node *node)
{
	const struct pause *pause = &node->suspension;
	int64_t real_ns = pause->n ? pause->since_ns : node->sim->now_ns;

	return (struct mono){ BOOTED_NS * (1 + node->index) + real_ns - node->behind_ns };
}

/* Its time of day: a little off, and put right as soon as a suspended machine goes on. */
static inline int64_t
node_wall_ns(const struct node *node)
{
	return 1800000000 * NS_PER_S + node->sim->now_ns + node->index * 150 * NS_PER_MS;
}

/* The real time of a moment of the node's, if its machine runs on. */
static inline int64_t
node_real_ns(const struct node *node, struct mono local)
{
	return local.ns == NEVER_NS ? NEVER_NS
				    : local.ns + node->behind_ns - BOOTED_NS * (1 + node->index);
}

static inline bool
worker_exists(const struct worker *worker)
{
	return worker->phase != WORKER_GONE;
}

static inline bool
worker_turns(const struct worker *worker)
{
	return worker->phase == WORKER_RUNNING || worker->phase == WORKER_STOPPING;
}

/* ---- shapes.c: configurations, as the parser makes them ---- */

bool shapes_load(void);
void shapes_free(void);
/* Gives the node its configuration. */
void shape_node(struct node *node, const struct plan *plan);

/* ---- wire.c ---- */

void wire_init(struct wire *wire);
/* From a node to the group or to one of the others; late by `ahead_ns`. */
void wire_send(struct sim *sim, unsigned from, const struct ip *source, const struct ip *to,
	       const void *pdu, size_t len, int64_t ahead_ns);
/* The sender has died: what it had not sent yet is not sent. */
void wire_forget(struct sim *sim, unsigned from);
/* Brings what has arrived by now into the queues of the nodes. */
void wire_deliver(struct sim *sim);
/* After a change of what is wrong with it. */
void wire_judge(struct sim *sim);

/* ---- inbox.c ---- */

void inbox_put(struct sim *sim, struct inbox *inbox, struct message message, int64_t ahead_ns);
/* The sender has died: what it had not sent yet is not sent. */
void inbox_forget(struct sim *sim, struct inbox *inbox);
/* The next one that has arrived by now, or NULL. */
const struct message *inbox_take(struct sim *sim, struct inbox *inbox);

static inline int64_t
inbox_next_ns(const struct inbox *inbox)
{
	return inbox->n ? inbox->at[inbox->first].arrives_ns : NEVER_NS;
}

/* ---- worker.c ---- */

/* A process is made; it begins to run a little later, in the state INIT. */
void worker_spawn(struct node *node);
/* It is gone, without a word. */
void worker_kill(struct node *node);
/* When it wants to run; NEVER_NS. */
int64_t worker_due_ns(const struct node *node);
void worker_turn(struct node *node);
/* It can run again, or something outside has changed: servers, scripts, its guardian's life. */
void worker_look(struct node *node);
struct vrrp_view worker_view(const struct node *node);

/* ---- guardian.c ---- */

void guardian_start(struct node *node);
void guardian_kill(struct node *node);
void guardian_stop(struct node *node); /* SIGTERM */
int64_t guardian_due_ns(const struct node *node);
void guardian_turn(struct node *node);
/* The worker has ended. */
void guardian_bereave(struct node *node);
/* The worker stands still, or does no more: ticks are needed again. */
void guardian_watch(struct node *node);
int64_t guardian_away_ns(const struct node *node);

/* ---- kernel.c ---- */

extern const struct lease_ops kernel_ops;
int64_t kernel_due_ns(const struct node *node);
void kernel_lapse(struct node *node);

/* ---- rules.c: what must hold ---- */

void rules_begin(struct sim *sim);
void rules_transition(struct node *node, const struct vrrp_transition_note *note);
void rules_sent(struct node *node, uint8_t priority, struct mono now);
/* The guardian puts the VIP there, at a claim or on its own account. */
void rules_put(struct node *node, bool claim);
/* The guardian is about to execute the will of its worker. */
void rules_bequeath(struct node *node);
/* After each event. */
void rules_check(struct sim *sim);
/* Does every node take part? */
bool rules_everybody(const struct sim *sim);
/* When everything should be well again. */
void rules_end(struct sim *sim);
static inline void
rules_disturb(struct sim *sim)
{
	sim->disturbed_ns = sim->now_ns;
}
