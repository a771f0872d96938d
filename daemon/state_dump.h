/*
 * state_dump.h - SIGUSR1: the state into a file, where keepalived's operators look for it.
 */
#pragma once

#include "daemon/script.h"

#include <limits.h>

#define STATE_DUMP_FILE "keepalived.data" /* in $TMPDIR, else /tmp */

struct state_dump {
	struct script_run run;
	const char *rundir;
	char path[PATH_MAX];
};

void state_dump_init(struct state_dump *dump, struct loop *loop, const char *rundir);
void state_dump_fini(struct state_dump *dump);

/* Has the file written; what came of it is logged.  One at a time: another is passed over. */
void state_dump_begin(struct state_dump *dump);
