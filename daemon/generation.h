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
#include "daemon/external_check.h"
#include "daemon/guardian.h"
#include "daemon/handover.h"
#include "daemon/log_sockets.h"
#include "daemon/notify.h"
#include "daemon/privileged.h"
#include "daemon/resources.h"
#include "daemon/watchdog.h"
#include "daemon/watchers.h"

struct estate;
struct generation;

/* What the guardian is told; all from the loop, `ctx` is generation_setup's. */
struct generation_ops {
	/* Everything was handed over and the worker is ready for the token. */
	void (*ready)(void *ctx, struct generation *g);
	/* It has written down what it knows, or could not: 0 or -errno. */
	void (*frozen)(void *ctx, struct generation *g, int error);
	/* It has let go of an instance. */
	void (*released)(void *ctx, struct generation *g);
	/* Retired: how many sessions it has left has changed. */
	void (*remains)(void *ctx, struct generation *g);
	/* The worker is as good as dead; its wills have been executed if it held the token. */
	void (*gone)(void *ctx, struct generation *g, const char *how);
	/* The process is no more. */
	void (*reaped)(void *ctx, struct generation *g, const char *how);
	/* Retired: its scripts have ended. */
	void (*idle)(void *ctx, struct generation *g);
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
	struct arena *arena; /* conf lives in it; NULL = somebody else's, as the blocks are then */
	const struct conf *conf;
	void *packed; /* as in guardian_setup, and so are the files of TLS */
	size_t packed_len;
	void *tls_files;
	size_t tls_files_len;

	struct resources res;
	struct log_sockets logs;
	struct handover
		handover; /* its control_fd and journal_fd are set before a worker is spawned */
	struct check_scripts checks;
	struct external_checks external;
	struct watchers watchers;
	struct notifier notifier;

	struct child child;
	struct privileged gate;
	struct watchdog dog;
	struct backoff backoff;
	bool watched;  /* the dog looks at the present worker */
	bool stopped;  /* the worker holds nothing any more */
	bool in_force; /* addresses on this host are this configuration's affair */

	/* retired or discarded */
	struct list link;
	struct mono retired_at;
	uint32_t remaining; /* sessions */
	bool dead;          /* the worker has been reaped */
	bool closed;        /* there is nothing left of its resources */
};

/* With conf, number and of set: closable from now on. */
void generation_init(struct generation *g);

/* Opens what the configuration needs (resources.h), beside `from`, the one in force (NULL = none);
 * false: what is wrong was logged.  generation_close either way. */
bool generation_open(struct generation *g, const struct generation *from);
/* Begins with check scripts and makes notify scripts ready; both go on where those of `from` (NULL =
 * none) are.  0 or -ENOMEM. */
int generation_begin_scripts(struct generation *g, struct generation *from, void (*idle)(void *ctx),
			     void *ctx);
/* Begins again with what watchers_fini has ended.  0 or -ENOMEM. */
int generation_begin_watching(struct generation *g);
/* Ends everything; `other` (NULL = none) is in force. */
void generation_close(struct generation *g, const struct generation *other);
/* Parses its packed block into its arena.  0 or -errno. */
int generation_load(struct generation *g);
/* The configuration itself, if it is its own. */
void generation_free_memory(struct generation *g);

/* Starts a worker and hands everything over.  0 or -errno, and then there is none. */
int generation_spawn(struct generation *g);

/* The ready worker is the one that advertises and holds addresses from now on, and goes on from what
 * is in `carry_fd` (-1 = nothing). */
void generation_give_token(struct generation *g, int carry_fd);

/* The worker shall stand still and write down what it knows.  0 or -errno. */
int generation_freeze(struct generation *g, int carry_fd);

/* `second` has taken over: the worker finishes its sessions, everything else is closed.  False if
 * there is no worker: then it is over. */
bool generation_retire(struct generation *g, const struct generation *second);

/* It did not come to it: the worker is ended.  False as above. */
bool generation_discard(struct generation *g, const struct generation *current);

/* Do notify scripts of it run no more? */
bool generation_idle(const struct generation *g);

/* Tells the worker how an instance is to resign, or that it is not to. */
void generation_tell_resign(struct generation *g, uint32_t instance, enum resign_how how);

/* Tells it of a former worker: its sessions, or that it is gone. */
void generation_tell_retired(struct generation *g, const struct generation *former, bool gone);

/* Looks at the worker, as on every tick.  `stopping`: it is taking itself apart. */
void generation_look(struct generation *g, struct mono now, bool stopping);

/* The same for a worker that finishes its sessions: it would be here for ever if it hung. */
void generation_look_retired(struct generation *g, struct mono now);

/* Does the worker move?  Nothing is done on behalf of one that does not. */
bool generation_beating(const struct generation *g);

/* Renews and restores what is due on behalf of a worker that moves. */
void generation_keep_leases(struct generation *g, struct mono now);

/* A message without arguments.  Harmless without a worker. */
void generation_tell(struct generation *g, enum request request);

void generation_log_state(const struct generation *g);

/*
 * Both ways (estate.h).  Read into a zeroed one with `of` set, it is good as `from` of generation_open
 * and generation_begin_scripts, resources_adopt and generation_retire.
 */
void generation_estate(struct generation *g, struct estate *e);
/* A retired one, with no more than its worker. */
void generation_former_estate(struct generation *g, struct estate *e);
