/*
 * world.h - an invented network for tests: nodes with an engine each, a guardian that answers, a
 * link that can be cut, and a clock that only moves when told.
 *
 * Each operation an engine asks for is one letter in the node's trace, in order:
 *   c claim   r release   a announce   w will lodged   u will withdrawn   d drain
 *   s advertisement       0 advertisement with priority 0
 *   I B M F X transition into INIT, BACKUP, MASTER, FAULT, RESIGNED
 */
#pragma once

#include "vrrpd/packet.h"
#include "vrrpd/vrrp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define NODES_MAX 3
#define QUEUE_MAX 4096
#define TRACE_MAX 65536

struct datagram {
	struct mono arrives;
	size_t len;
	uint8_t bytes[96];
};

struct node {
	struct world *world;
	struct conf conf;
	struct conf_interface interface;
	struct conf_instance instance;
	struct conf_vip vip;
	struct conf_script script;
	struct conf_track track_script;
	struct conf_proxy proxy;
	struct conf_track_backend track_backend;
	struct conf_peer peers[NODES_MAX];
	struct health_board board;
	struct health_thread thread;
	struct health_backend backend;
	struct timer_heap timers;
	struct vrrp *vrrp;
	struct ip address;
	struct vrrp_link link;

	bool running;                  /* turns of its loop happen */
	bool cut;                      /* nothing it sends arrives, nothing reaches it */
	struct mono renewed_meanwhile; /* told to the engine that a reload brings; 0 = nothing */
	bool guardian_deaf;
	enum { WANTS_NOTHING, WANTS_CLAIM, WANTS_RELEASE } wants; /* the last request, unanswered */
	int claim_error;
	struct mono renewal; /* 0 = none due */
	bool holds;          /* the kernel has the VIP */

	struct datagram queue[QUEUE_MAX];
	unsigned queue_first, queue_n;
	char trace[TRACE_MAX];
	size_t trace_len;
	char asides[32]; /* l = a lower priority heard, m / b = priority of a master / backup */
	size_t asides_n;
	struct vrrp_transition_note note; /* the last one; reason is in `reason` */
	char reason[256];
	struct mono sent; /* last advertisement */
	uint8_t sent_priority;
	uint32_t sent_interval_cs; /* version 3 */
	uint8_t sent_pdu[96];
	size_t sent_len;
	unsigned sent_n;
	int64_t wall_ns; /* its time of day is that much ahead of the world's clock */
};

struct world {
	struct mono now;
	struct node nodes[NODES_MAX];
	unsigned nodes_n;
};

/* A node 10.0.0.(11 + index) of VRID 51, v2 without authentication, multicast, no lease.  Change
 * its configuration before world_start. */
struct node *world_add(struct world *world, uint8_t priority);

/* Every node gets its engine, its link comes up, and it starts. */
void world_start(struct world *world);
void node_start(struct node *node);

/* Unicast among all nodes. */
void world_unicast(struct world *world);

/* v3 with this interval for all. */
void world_v3(struct world *world, uint32_t interval_cs);

/* Lets `ms` go by. */
void world_run_ms(struct world *world, int64_t ms);

/* Runs until the condition holds; the time that took in ms, or -1 after limit_ms. */
#define WORLD_RUN_UNTIL(world, condition, limit_ms)                                      \
	({                                                                               \
		struct mono begun_ = (world)->now;                                       \
		while (!(condition) && mono_since_ms((world)->now, begun_) < (limit_ms)) \
			world_step(world);                                               \
		(condition) ? (int)mono_since_ms((world)->now, begun_) : -1;             \
	})

/* The next thing that happens, at most 1 ms away. */
void world_step(struct world *world);

void world_free(struct world *world);

void node_link(struct node *node, bool up);
enum vrrp_state node_state(const struct node *node);
struct vrrp_view node_view(const struct node *node);

/* Another engine goes on from what this one has saved, of which `change` may make something else
 * (NULL: does not); was it understood? */
bool node_reload(struct node *node, void (*change)(unsigned char *saved, size_t *len, size_t n),
		 size_t n);

/* Forgets the trace so far. */
void node_forget(struct node *node);

/* Gives the node an advertisement as if it had come from `last` in 10.0.0.0/24. */
void node_hear(struct node *node, uint8_t last, uint8_t priority);
/* The same with everything chosen: `from` describes the sender. */
void node_hear_from(struct node *node, const struct conf_instance *from, uint8_t last,
		    uint8_t priority, uint32_t interval_cs);

/* A backend "app" of which the health board tells, tracked by the node. */
void node_track_backend(struct node *node, int32_t weight);
void node_backend(struct node *node, uint32_t usable, uint32_t in_transition, bool settled);

/* A proxy of one thread. */
void node_with_proxy(struct node *node);

/* An IPv4 datagram around a PDU, as a raw socket delivers it; its length. */
size_t datagram_make(const struct ip *source, const struct ip *destination, uint8_t ttl,
		     const void *pdu, size_t pdu_len, uint8_t *out);

struct ip ip4(const char *text);
