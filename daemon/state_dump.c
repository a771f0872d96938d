/*
 * state_dump.c - see state_dump.h.  Runs on the guardian's loop.
 *
 * The guardian neither waits for a file nor reads what a worker says: a child of this very binary asks
 * the worker as anybody would (`tandem status`) and puts the answer into the file's place.
 */
#include "daemon/state_dump.h"

#include "common/log.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIMIT_MS 5000

static void
on_done(struct script_run *run, const struct script_end *end)
{
	const struct state_dump *dump = run->ctx;

	if (end->status == 0)
		log_notice("the state was written to %s", dump->path);
	else
		log_warning("the state could not be written to %s", dump->path);
}

void
state_dump_init(struct state_dump *dump, struct loop *loop, const char *rundir)
{
	const char *folder = getenv("TMPDIR");
	int n = snprintf(dump->path, sizeof dump->path, "%s/%s",
			 folder && *folder ? folder : "/tmp", STATE_DUMP_FILE);

	if ((size_t)n >= sizeof dump->path)
		snprintf(dump->path, sizeof dump->path, "/tmp/%s", STATE_DUMP_FILE);
	dump->rundir = rundir;
	script_run_init(&dump->run, loop, on_done, dump);
}

void
state_dump_fini(struct state_dump *dump)
{
	script_run_fini(&dump->run);
}

void
state_dump_begin(struct state_dump *dump)
{
	const char *words[] = { "tandem", "status", "-R", dump->rundir, "-o", dump->path, NULL };
	struct script_program program = {
		.words = (char **)(uintptr_t)words,
		.path = (char *)(uintptr_t) "/proc/self/exe",
		.owner = { .uid = geteuid(), .gid = getegid() },
	};
	int r;

	if (script_running(&dump->run))
		return;
	r = script_start(&dump->run, &program, NULL, LIMIT_MS, true);
	if (r < 0)
		log_warning("cannot write the state to %s: %s", dump->path, strerror(-r));
}
