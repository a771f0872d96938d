/*
 * script.h - one child process with a deadline: scripts that check and scripts that are told.
 *
 * A script gets a session and process group of its own, the rights of its owner, the guardian's
 * environment and directory, /dev/null for its three streams (what it prints is nobody's), the mask
 * 0177 that keepalived gives, and nothing else: no other descriptor, no ignored or blocked signal,
 * no real-time priority.  It is told to end (SIGTERM) when the guardian dies.
 */
#pragma once

#include "common/list.h"
#include "common/loop.h"
#include "daemon/script_program.h"

#include <sys/types.h>

#define SCRIPT_TERM_MS 2000 /* between SIGTERM and SIGKILL, as in keepalived */

struct script_end {
	int status;     /* of its exit; -1: a signal ended it */
	int signal;     /* that signal, or 0 */
	bool timed_out; /* it was told to end */
	int64_t took_ms;
};

struct estate;
struct script_run;
typedef void script_done_fn(struct script_run *run, const struct script_end *end);
typedef void script_late_fn(struct script_run *run);

struct script_run {
	struct list running; /* all that run now */
	struct loop *loop;
	pid_t pid; /* 0 = not running */
	struct loop_fd process;
	struct timer deadline;
	struct mono born;
	bool told_to_end, alone;
	script_done_fn *done; /* it has ended and may be started again */
	script_late_fn *late; /* optional: the deadline has passed, the end will follow */
	void *ctx;
};

void script_run_init(struct script_run *run, struct loop *loop, script_done_fn *done, void *ctx);

/* Ends what still runs, at once and without `done`. */
void script_run_fini(struct script_run *run);

static inline bool
script_running(const struct script_run *run)
{
	return run->pid != 0;
}

/*
 * Starts the program with `more` (NULL-terminated, or NULL) after its own words.  After limit_ms
 * (0 = never) its group gets SIGTERM, and SCRIPT_TERM_MS later SIGKILL.  `alone`: children it
 * leaves behind end with it.  0 or -errno; a file that cannot be executed ends with status 127.
 */
int script_start(struct script_run *run, const struct script_program *program,
		 const char *const *more, int64_t limit_ms, bool alone);

/* Limits what runs already to limit_ms from now, if it is not limited more tightly. */
void script_limit(struct script_run *run, int64_t limit_ms);

/* Notes the limits this process was started with, which scripts get back.  Before they are raised. */
void script_note_limits(void);

/* Both ways (estate.h).  Read, a run that was under way can be ended (script_run_fini), or resumed:
 * its end and its deadline count again.  After script_run_init. */
void script_run_estate(struct script_run *run, struct estate *e);
int script_run_resume(struct script_run *run); /* 0 or -errno */

/* The limits that scripts get, both ways. */
void script_limits_estate(struct estate *e);
