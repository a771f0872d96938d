/*
 * watchers.h - what a configuration tracks beside links, scripts and the proxy: files and processes,
 * as their watchers (watcher.h) report them.
 */
#pragma once

#include "daemon/requests.h"
#include "daemon/watcher.h"

typedef void watchers_tell_fn(void *ctx, const struct ans_watched *watched);

struct watchers {
	const struct conf *conf;
	struct watcher files, processes;
	bool events;                                     /* how processes are watched */
	struct ans_watched *told_files, *told_processes; /* kind WATCH_KIND_N: nothing yet */
	watchers_tell_fn *tell;
	void *ctx;
};

/* Starts those that are needed.  `again`: the daemon has run before (reload).  0 or -ENOMEM. */
int watchers_init(struct watchers *watchers, struct loop *loop, const struct conf *conf, bool again,
		  watchers_tell_fn *tell, void *ctx);
void watchers_fini(struct watchers *watchers);

/* Tells all that is known: to a worker that is new. */
void watchers_retell(struct watchers *watchers);
