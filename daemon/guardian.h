/*
 * guardian.h - the privileged half: one process, one loop, one thread besides the death watch.
 *
 * It opens what needs privilege, starts the worker and hands everything over (CONTROL, LISTENER…,
 * TLS_FILES, VRRP_SOCKET…, LINK…, START, in this order), then holds the VIPs under a lease on the worker's
 * behalf and executes its will when it dies or falls silent.  It never blocks and never reads a
 * byte that a client or a peer wrote.
 */
#pragma once

#include "conf/model.h"

#include <stdbool.h>
#include <stddef.h>

struct upgrade_estate;

struct guardian_setup {
	/* In the place of another guardian (upgrade.h): everything down to tls_files_len comes from it.
	 * NULL = an ordinary start. */
	const struct upgrade_estate *estate;
	const struct conf *conf; /* outlives guardian_run */
	const void *packed;      /* conf_pack's block: what the worker gets on WORKER_FD_CONF */
	size_t packed_len;
	const void *tls_files; /* tls_files_pack's block; NULL = no TLS.  There are keys in it */
	size_t tls_files_len;
	const char *rundir;  /* created if missing */
	const char *pidfile; /* -p; NULL = the file's, else RUNDIR/tandem.pid */
	bool debug;          /* -d: the worker may dump core; nothing is locked in memory */
	/* More words for the worker, NULL-terminated (worker.h): it is started as
	 * "tandem --worker GENERATION WORD…" with the descriptors 0-2 and WORKER_FD_*. */
	const char *const *worker_args;
	/* The arguments to load the configuration with anew, NULL-terminated (loader.h); NULL: it cannot
	 * be. */
	const char *const *load_args;
	const char *const *argv; /* of this process, for another binary in its place … */
	const char *path;        /* … which is looked for there; empty = nowhere */
	/* Called once with `estate`, when its configuration is known: sets up the log and worker_args. */
	void (*configured)(void *ctx, const struct conf *conf);
	/* Optional: called once, when the first worker has said READY (a parent that waits for a
	 * daemon's start-up may go then). */
	void (*started)(void *ctx);
	void *ctx;
};

/*
 * Runs until SIGTERM or SIGINT.  Returns the exit status: 0 after a stop, 1 if something needed was
 * missing at start (everything that is missing has been logged).  The worker must let its VRRP
 * thread's loop turn at least every conf->watchdog_ms / 10, and takes the generation that its
 * messages carry from GENERATION.
 */
int guardian_run(const struct guardian_setup *setup);
