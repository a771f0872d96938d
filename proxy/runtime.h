/*
 * runtime.h - the proxy while it runs: what threads share and what each has of its own.
 *
 * struct proxy is made before the threads start and freed after they are gone; but for atomics and
 * what says it is under a lock, it does not change in between.  A struct proxy_thread is touched by
 * its thread alone, except for the atomics, which others read or set before they wake its loop.
 */
#pragma once

#include "common/list.h"
#include "common/loop.h"
#include "proxy/backend.h"
#include "proxy/counters.h"
#include "proxy/log_target.h"
#include "proxy/rate_gate.h"
#include "proxy/relay.h"

#include <openssl/types.h>

struct check;
struct rate;
struct regex;
struct listener;
struct process_vars;
struct resolver;
struct stock;
struct tls;

struct frontend {
	const struct conf_proxy *conf;
	struct proxy *proxy;
	struct backend *backend; /* default_backend; NULL = none */
	uint32_t index;
	uint32_t maxconn;
	_Atomic uint32_t sessions;
	_Atomic uint32_t *bind_sessions; /* by bind */
	struct rate_gate gate;           /* `rate-limit sessions` */
	bool plain;                      /* no rules: a session goes straight to `backend` */
	bool log_end, log_start;         /* there is a target: a line at the end, or at the start */
};

/* A thread's sessions that wait for a slot on a backend's servers. */
struct waiting {
	struct list sessions;
	_Atomic uint32_t n;
	_Atomic int64_t oldest_ns; /* since when the first one waits; 0 = none does */
	struct deferred dispatch;
	struct proxy_thread *thread;
	struct backend *backend;
};

enum proxy_phase {
	PROXY_PREPARED, /* threads turn, that is all */
	PROXY_OPEN,
	PROXY_CLOSED, /* sessions go on, nothing else */
};

/* Servers whose check program is to be run: check_external.h */
struct external_queue {
	pthread_mutex_t lock;
	struct server **servers; /* room for each once */
	uint32_t n;
};

struct proxy_thread {
	struct proxy *proxy;
	uint32_t index;
	pthread_t id;
	bool started;
	struct loop loop;
	struct relay_store store;
	struct pool session_pool;
	struct list sessions;
	struct listener *listeners;
	uint32_t listeners_n;
	struct check *checks;
	uint32_t checks_n;
	struct lb_set **sets;                  /* by backend; built when first needed */
	struct waiting *waiting;               /* by backend */
	struct tally *fronts, *backs;          /* by index in conf->proxies */
	struct tally *servers;                 /* by server number */
	struct ssl_session_st **tls_sessions;  /* by server number: to be resumed; NULL = no TLS */
	struct rate *front_rates, *back_rates; /* by index in conf->proxies; NULL = nobody asks */
	struct rate *server_rates;             /* by server number; NULL = nobody asks */
	struct log_sender log;
	struct stock *stock;     /* NULL = the file has no `usesrc` */
	uint64_t random;         /* state of proxy_random */
	uint32_t serial;         /* of the next session, among this thread's */
	uint32_t shutdowns_seen; /* of proxy->shutdowns */
	_Atomic bool hurries;    /* some of its checks are to come soon */
	enum proxy_phase phase;  /* as far as this thread has followed */
	struct timer relief;     /* out of descriptors: accepting goes on later */
	struct deferred readmit; /* a session has ended: listeners may be resumed */
	_Atomic bool starved;    /* listeners wait for sessions to end, anywhere */
};

struct proxy {
	const struct conf *conf;
	struct health_board *board;
	struct tls *tls;            /* NULL = none */
	struct frontend *frontends; /* by index in conf->proxies, as are the backends */
	struct backend *backends;
	uint32_t proxies_n, servers_n;
	uint32_t checks_n;      /* of servers and of agents */
	struct regex **regexes; /* by index in conf->regexes */
	struct process_vars *process_vars;
	uint32_t *backends_sorted; /* indexes, by name */
	uint32_t backends_n;
	struct proxy_thread *threads;
	uint32_t threads_n;
	uint32_t maxconn;
	uint32_t pipes_max; /* of all threads */
	_Atomic uint32_t sessions;
	_Atomic uint32_t starved_n; /* threads with `starved` */
	_Atomic bool stopping;
	_Atomic uint32_t phase;     /* enum proxy_phase */
	_Atomic uint32_t closed_n;  /* threads that have followed to PROXY_CLOSED */
	_Atomic uint32_t shutdowns; /* of servers' sessions, ever */
	pthread_mutex_t shutdown_lock;
	struct external_queue external;
	struct mono stock_asked[2]; /* by family, when; 0 = no more are under way */
	struct resolver *resolver;
	pthread_mutex_t notify_lock;
	struct log_sender notify; /* under notify_lock */
};

/* The backend called so, or NULL.  Any thread. */
struct backend *proxy_find_backend(const struct proxy *proxy, const char *name, size_t len);

/* Makes every thread with sessions waiting for the backend look for a server again. */
void proxy_wake_waiters(struct proxy *proxy, uint32_t backend);

/* Ends the server's sessions, on all threads, soon, for that cause (enum session_cause).  Any thread. */
void proxy_shutdown_sessions(struct server *server, int cause);

/* The server's next check comes within fastinter from now.  Any thread. */
void proxy_hurry_check(struct server *server);

/* Its check's thread has something to look at.  Any thread. */
void proxy_look_at_checks(struct server *server);

/* thread.c: 64 random bits, good enough to balance by.  By the thread itself. */
uint64_t proxy_random(struct proxy_thread *t);

/* thread.c: sets up everything of a thread but the thread itself; 0 or -errno. */
int proxy_thread_init(struct proxy_thread *t, struct proxy *proxy, uint32_t index);
int proxy_thread_start(struct proxy_thread *t);
void proxy_thread_fini(struct proxy_thread *t);
