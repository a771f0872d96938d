/*
 * status.h - everything a node can tell about itself, as one JSON document.
 *
 * Names are stable: `tandem status --json` prints the document as it is, and the text form is made
 * from it.  Times are wall clock in milliseconds since 1970 (`_at_ms`), or durations (`_ms`).
 */
#pragma once

#include "common/health.h"
#include "daemon/journal.h"
#include "daemon/requests.h"
#include "proxy/proxy.h"
#include "vrrpd/vrrp.h"

#include <jansson.h>

#define STATUS_TRANSITIONS 10 /* how many of the journal are shown */

struct status_source {
	const struct conf *conf;
	const struct vrrp *vrrp;
	const struct proxy *proxy; /* NULL: no proxy section */
	const struct health_board *board;
	const struct journal *journal;    /* NULL: not handed over yet */
	bool process_events;              /* as in struct worker */
	const struct ans_script *scripts; /* one for each of conf->scripts */
	struct mono now, started;
	int64_t wall_ms; /* the wall clock at `now` */
	int guardian_pid, worker_pid;
	const char *phase; /* "starting", "running", "stopping" */
	/* Workers that another has followed and that still have sessions. */
	const struct ans_retired *retired;
	size_t retired_n;
};

/* A new reference, or NULL for want of memory. */
json_t *status_build(const struct status_source *source);

/* The same of the journal alone, with all it holds. */
json_t *status_history(const struct status_source *source);
