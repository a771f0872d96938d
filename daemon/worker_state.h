/*
 * worker_state.h - what the worker's VRRP thread owns; private to worker*.c.
 */
#pragma once

#include "common/health.h"
#include "common/ipc.h"
#include "common/loop.h"
#include "daemon/control.h"
#include "daemon/journal.h"
#include "daemon/ledger.h"
#include "daemon/log_sockets.h"
#include "daemon/pulse.h"
#include "daemon/requests.h"
#include "daemon/vrrp_io.h"
#include "proxy/log_target.h"
#include "proxy/proxy.h"
#include "proxy/tls_files.h"
#include "vrrpd/vrrp.h"

enum worker_phase {
	WORKER_COLLECTING, /* the guardian hands over sockets and links */
	WORKER_READY,      /* could begin, and waits for the token */
	WORKER_RUNNING,
	WORKER_FROZEN,   /* on a reload: stands still until it is told to go on or to retire */
	WORKER_RETIRED,  /* finishes its sessions, and that is all */
	WORKER_STOPPING, /* resigned; serving until no VIP is held */
};

struct worker {
	struct loop loop;
	struct ipc ipc;
	uint32_t generation;
	enum worker_phase phase;
	bool debug;  /* -d */
	bool detach; /* let go of the terminal when start-up is finished */
	int status;  /* of the process, when the loop has ended */

	struct arena *arena;
	const struct conf *conf;
	struct pulse *pulse;
	struct health_board board;
	struct loop_fd board_wake;
	struct timer health_look;
	struct mono health_holdoff; /* no look at the board before: this thread was away itself */
	struct mono serve_until;    /* stopping: VIPs that nobody removes are still here */
	struct mono last_turn;

	struct vrrp *vrrp;
	struct ledger ledger; /* the guardian's */
	struct vrrp_io io;
	struct proxy *proxy;
	uint32_t threads_n;
	struct proxy_listener *listeners; /* collected until START */
	size_t listeners_n;
	struct tls_files *tls_files; /* until the proxy's contexts are made; NULL = no TLS */

	struct ans_script *scripts; /* what the guardian told last, one for each of conf->scripts */
	bool process_events;        /* the kernel tells it of processes; else it looks for them */

	struct control control;
	int control_fd; /* until the token is here; then the control's.  -1 = none */
	struct log_target_socket log_sockets[LOG_SOCKETS_MAX]; /* of `log` lines, handed over */
	size_t log_sockets_n;
	struct journal *journal; /* handed over; NULL until then */
	struct mono started;
	uint64_t requests_refused;

	struct timer remaining;      /* retired: the next look at what is left */
	struct mono hard_stop;       /* … and when it ends at the latest; 0 = never */
	struct ans_retired *retired; /* former workers, as the guardian told */
	size_t retired_n;
};

/* worker_requests.c: messages of the guardian (ipc_message_fn; ipc->ctx is the worker), and its end. */
void worker_on_message(struct ipc *ipc, struct ipc_message *m);
void worker_on_guardian_gone(struct ipc *ipc);

/* worker_requests.c: vrrp_ops towards the guardian; `ctx` is the worker. */
void worker_claim(void *ctx, uint32_t instance);
void worker_release(void *ctx, uint32_t instance);
void worker_announce(void *ctx, uint32_t instance);
void worker_lodge_will(void *ctx, uint32_t instance, bool lodged);

/* The scripts of this instance are to be told. */
void worker_notify(void *ctx, uint32_t instance, enum notify_event event, uint8_t priority);

void worker_notify_group(void *ctx, uint32_t group, enum notify_event event);

/* A message without arguments: READY, STOPPED; and one with. */
void worker_tell(struct worker *worker, enum request request);
void worker_send(struct worker *worker, enum request request, const void *payload, size_t len);

/* worker_proxy.c: asks for the check programs that the proxy wants run … */
void worker_run_externals(struct worker *worker);
/* … and for sockets that `usesrc` is about to need. */
void worker_ask_foreign(struct worker *worker);
/* Their answers.  NULL, or why one is refused. */
const char *worker_on_external_done(struct worker *worker, const struct ipc_message *m);
const char *worker_on_foreign_sockets(struct worker *worker, struct ipc_message *m);

/* worker_requests.c: the answer to FREEZE; a retired worker's sessions. */
void worker_frozen(struct worker *worker, const struct req_frozen *answer);
void worker_remain(struct worker *worker, uint32_t sessions);

/* worker_carry.c: NULL, or why not.  `fd` stays the caller's. */
const char *worker_freeze(struct worker *worker, int fd);
const char *worker_thaw(struct worker *worker);
const char *worker_retire(struct worker *worker);

/* worker_carry.c: takes over what a former worker has written down.  0, or -errno: it is not
 * understood. */
int worker_adopt(struct worker *worker, int fd);

/* worker.c: control_answer_fn of the control socket; `ctx` is the worker. */
char *worker_answer(void *ctx, const char *line, size_t *len);

/* worker.c: everything was handed over; gets ready to serve.  0, or -errno: the worker must end. */
int worker_prepare(struct worker *worker);

/* worker.c: the token is here; begins to serve, from what `fd` holds (-1: from nothing).  0 or -errno,
 * likewise. */
int worker_begin(struct worker *worker, int fd);

/* worker.c: resigns, make before break; the loop ends when nothing is held any more. */
void worker_stop(struct worker *worker, const char *why);
