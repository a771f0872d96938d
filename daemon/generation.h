/*
 * generation.h - one configuration and its worker, as the guardian sees them.
 *
 * Everything that depends on a configuration hangs on its generation: sockets, leases, scripts, the
 * worker and the watch over it.  The guardian has one that holds the token, while it reloads a
 * second that is being prepared, and any number of retired ones, whose workers finish their
 * sessions and hold nothing else.
 */
#pragma once

#include "daemon/backoff.h"
#include "daemon/check_script.h"
#include "daemon/child.h"
#include "daemon/guardian.h"
#include "daemon/handover.h"
#include "daemon/log_sockets.h"
#include "daemon/notify.h"
#include "daemon/privileged.h"
#include "daemon/resources.h"
#include "daemon/watchdog.h"
#include "daemon/watchers.h"

struct generation;

/* What the guardian is told; all from the loop, `ctx` is generation_setup's. */
struct generation_ops {
	/* Everything was handed over and the worker is ready for the token. */
	void (*ready)(void *ctx, struct generation *g);
	/* The process is no more. */
	void (*reaped)(void *ctx, struct generation *g, const char *how);
};

struct generation_setup {
	const struct guardian_setup *setup;
	struct loop *loop;
	const struct generation_ops *ops;
	void *ctx;
};

struct generation {
	struct generation_setup of;
	uint32_t number;
	const struct conf *conf;
	const void *packed; /* as in guardian_setup, and so are the files of TLS */
	size_t packed_len;
	const void *tls_files;
	size_t tls_files_len;

	struct resources res;
	struct log_sockets logs;
	struct handover
		handover; /* its control_fd and journal_fd are set before a worker is spawned */
	struct check_scripts checks;
	struct watchers watchers;
	struct notifier notifier;

	struct child child;
	struct privileged gate;
	struct watchdog dog;
	struct backoff backoff;
	bool watched; /* the dog looks at the present worker */
	bool stopped; /* the worker holds nothing any more */
};

/* With conf, number and of set: closable from now on. */
void generation_init(struct generation *g);

/* Opens what the configuration needs (resources.h); false: what is wrong was logged.
 * generation_close either way. */
bool generation_open(struct generation *g);
/* Begins with check scripts and makes notify scripts ready.  0 or -ENOMEM. */
int generation_begin_scripts(struct generation *g, void (*idle)(void *ctx), void *ctx);
void generation_close(struct generation *g);

/* Starts a worker and hands everything over.  0 or -errno, and then there is none. */
int generation_spawn(struct generation *g);

/* The ready worker is the one that advertises and holds addresses from now on. */
void generation_give_token(struct generation *g);

/* Looks at the worker, as on every tick.  `stopping`: it is taking itself apart. */
void generation_look(struct generation *g, struct mono now, bool stopping);

/* Does the worker move?  Nothing is done on behalf of one that does not. */
bool generation_beating(const struct generation *g);

/* Renews and restores what is due on behalf of a worker that moves. */
void generation_keep_leases(struct generation *g, struct mono now);

/* A message without arguments.  Harmless without a worker. */
void generation_tell(struct generation *g, enum request request);

void generation_log_state(const struct generation *g);
