/*
 * watcher.h - a child process that looks at what could keep the guardian waiting: tracked files, which
 * may be on a file system that hangs, and the process table.
 *
 * It is forked, not executed, has the guardian's rights and no descriptor but the pipe it reports on,
 * and ends with the guardian.  One that ends by itself is started again.
 */
#pragma once

#include "common/loop.h"
#include "conf/model.h"
#include "daemon/backoff.h"

#include <sys/types.h>

enum watch_kind {
	WATCH_KIND_FILE,    /* value: the number in the file */
	WATCH_KIND_PROCESS, /* value: how many run */
	WATCH_KIND_EVENTS,  /* value: 1 = the kernel tells of processes, 0 = they are looked for */
	WATCH_KIND_TROUBLE, /* value: errno; the file cannot be read or written as it is to be */
	WATCH_KIND_N,
};

struct watch_report {
	uint32_t kind;  /* enum watch_kind */
	uint32_t index; /* in track_files or track_processes */
	int32_t value;
};

/* What the child does: reports on `out` with watcher_report, for ever.  `again`: not for the first
 * time since the daemon was started. */
typedef void watcher_work_fn(const struct conf *conf, bool again, int out);
typedef void watcher_tell_fn(void *ctx, const struct watch_report *report);

struct watcher {
	struct loop *loop;
	const struct conf *conf;
	watcher_work_fn *work;
	watcher_tell_fn *tell;
	void *ctx;
	bool again;
	pid_t pid; /* 0 = not running */
	struct loop_fd reports;
	struct mono born;
	struct backoff backoff;
	struct timer restart;
};

/* Starts it at once.  What goes wrong is logged, and tried again. */
void watcher_init(struct watcher *watcher, struct loop *loop, const struct conf *conf,
		  watcher_work_fn *work, bool again, watcher_tell_fn *tell, void *ctx);
void watcher_fini(struct watcher *watcher);

/* For the child.  Ends it when nobody listens any more. */
void watcher_report(int out, enum watch_kind kind, uint32_t index, int32_t value);

/* ------------------------------------------------------------------ the two there are */

watcher_work_fn watch_files, watch_processes;

/* Does any instance track it? */
bool watch_is_tracked(const struct conf *conf, enum conf_track_kind kind, uint32_t index);
