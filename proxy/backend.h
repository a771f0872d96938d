/*
 * backend.h - backends and their servers at run time, shared by all threads.
 *
 * What balancing reads is atomic.  A server's state changes under its backend's lock: by the thread
 * that runs its check, or by the resolver.  Every change is told to balancing, whose sets follow it when
 * their thread picks the next time, and goes to the health board.
 */
#pragma once

#include "common/health.h"
#include "proxy/check_program.h"
#include "proxy/check_result.h"
#include "proxy/check_window.h"
#include "proxy/lb.h"
#include "proxy/proxy.h"

#include <openssl/types.h>
#include <pthread.h>

/* `agent-check`: whom to ask how, and what it has said that holds until it says otherwise. */
struct server_agent {
	struct check_program *program; /* NULL = there is none */
	bool down;
	enum agent_mode mode; /* NONE = READY */
	bool said;            /* it has answered, or failed to, at least once */
	struct check_result last;
};

struct server {
	struct lb_server lb;
	const struct conf_server *conf;
	struct backend *backend;
	SSL_CTX *tls;           /* NULL = plain */
	SSL_CTX *check_tls;     /* what checks may use: `check-ssl` does without `ssl` */
	uint32_t number;        /* over all backends: indexes each thread's tallies */
	_Atomic uint32_t state; /* enum server_state */
	_Atomic bool resolved;  /* `address` is there; it is written once, before this */
	struct sock_addr address;
	_Atomic uint32_t shut_at; /* the proxy's count of shutdowns when its sessions were to end */
	_Atomic int shut_cause;   /* enum session_cause: why */

	bool observed; /* `observe`: what sessions meet with counts */
	_Atomic uint32_t errors_in_row;
	_Atomic bool hurry; /* its next check is to come soon */

	/* `track`: whom it follows, and who follows it.  Made before the threads start. */
	const struct server *tracked;
	struct server *followers, *next_follower;

	/* Under the backend's lock. */
	uint64_t standing, followed; /* number of its own latest, and of its tracked server's */
	enum server_state followed_state; /* of its tracked server */
	struct check_window window;
	struct check_result last;
	bool inherited; /* its health was a former worker's */
	bool judged;    /* checked, or found unresolvable, at least once */
	bool stopping;  /* its check passes on condition: no new connections */
	bool fallen;    /* has been down since it was first judged */
	bool warming;   /* `slowstart` */
	struct mono warming_since;
	struct mono changed;

	/* `option external-check`; under the queue's lock. */
	bool external_queued, external_ended;
	struct proxy_external_end external_end;

	struct server_agent agent;           /* under the lock, but for its program */
	bool followed_down, followed_drains; /* the tracked server is, or does */
};

/* Of a backend's servers; what the health board shows. */
struct backend_sums {
	uint32_t active, backups; /* given connections */
	uint32_t in_transition;   /* their checks are about to change their state */
	uint32_t unsettled;       /* not judged yet */
};

struct backend {
	const struct conf_proxy *conf;
	uint32_t index; /* in conf->proxies and on the health board */
	struct proxy *proxy;
	struct server *servers;
	struct lb_server **lb; /* the servers again, as balancing wants them */
	struct lb_farm farm;
	uint32_t servers_n;
	struct check_program *checks;
	_Atomic uint32_t choosy; /* of those: who cannot do with just any slot */
	pthread_mutex_t lock;
	struct backend_sums sums; /* under the lock */
};

/* 0 or -errno; `number` is that of the first server. */
int backend_init(struct backend *be, struct proxy *proxy, uint32_t index, uint32_t number,
		 struct mono now);
void backend_fini(struct backend *be);

static inline enum server_state
server_state_get(const struct server *s)
{
	return (enum server_state)atomic_load_explicit(&s->state, memory_order_relaxed);
}

/* Joins the servers of all backends that follow another. */
void backend_join_followers(struct proxy *proxy);

/* They have its state from now on, and nothing is said about it.  No lock is held meanwhile. */
void server_lead(struct server *s, struct mono now);

/* How many checks it has: its own, its agent's. */
static inline uint32_t
server_checks(const struct server *s)
{
	return s->conf->check + (s->agent.program != NULL);
}

/* Its agent has answered, or could not be asked: does what it says.  By the check's thread. */
void server_heed(struct server *s, const struct check_result *result);

/* A check ended: moves the window, logs and publishes what changes.  By the check's thread. */
void server_report(struct server *s, const struct check_result *result);

/* `observed`: one more session could not connect.  By the session's thread. */
void server_observe_error(struct server *s, struct mono now);

/* … or could. */
static inline void
server_observe_success(struct server *s)
{
	if (atomic_load_explicit(&s->errors_in_row, memory_order_relaxed))
		atomic_store_explicit(&s->errors_in_row, 0, memory_order_relaxed);
}

/* The resolver has an address (its port is the server's), or NULL: none this time. */
void server_set_address(struct server *s, const struct sock_addr *address, struct mono now);

/* What a former worker knew of the server. */
struct server_health {
	uint32_t health; /* within the server's window */
	bool judged, stopping;
	struct mono changed;
	struct check_result last;
	struct sock_addr address; /* len 0 = none */
	bool agent;               /* its agent had a say: */
	bool agent_down;
	enum agent_mode agent_mode;
	uint32_t weight, maxconn;
};

/* Goes on from there, and says nothing about it.  Before checks begin; backend_inherit follows. */
void server_inherit(struct server *s, const struct server_health *health);

/* The backend is not new, and `usable` then: servers that have joined it decide nothing before their
 * first check.  After its servers' own. */
void backend_inherit(struct backend *be, bool usable);

/* How long to wait for the next check. */
uint32_t server_check_interval_ms(struct server *s);
