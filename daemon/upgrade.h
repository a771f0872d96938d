/*
 * upgrade.h - upgrade in place: the guardian executes another binary in its own place, in the same
 * process, and the new one then replaces the worker as a reload does.
 *
 *     UPGRADE_TRYING     the new binary runs as a child, `tandem --try ARGUMENTS`: it reads the very
 *                        estate (estate.h) that it would get, checks the files of the command line,
 *                        and proves by an answer that it is a tandem
 *     UPGRADE_LEAVING    until nothing is under way that could not be told the next one
 *     … execve: the same process, its children, its blocked signals and every descriptor of the
 *                        estate go on; the worker does not notice
 *     UPGRADE_ARRIVED    the new binary holds it all, and reloads: second worker, snapshot, token
 *     UPGRADE_RETURNING  that worker did not get ready: the new one waits to execute the former
 *
 * What makes going back safe: up to execve nothing is changed.  Whoever reads an estate changes
 * nothing either before it has opened all it needs; if it cannot, it executes the former binary, whose
 * file it was left open, with the estate as it is.  Then the token still is with the former worker,
 * until the second one is ready, as on every reload; if that fails, the new binary writes its estate and
 * executes the former.  A new binary that crashes or hangs instead is ended (by alarm(2), which
 * outlives execve): the worker finds its end of the socket pair closed and hands over to the peer, as
 * for every guardian that dies.
 */
#pragma once

#include "daemon/guardian.h"
#include "daemon/options.h"

#include <limits.h>

#define UPGRADE_ENV        "TANDEM_ESTATE"        /* "ESTATE:FORMER", two descriptors */
#define UPGRADE_REASON_ENV "TANDEM_ESTATE_REASON" /* set: it comes back, and this is why */

/* In a process that was executed in another one's place: what the environment says. */
struct upgrade_estate {
	int fd;        /* memfd with the estate */
	int former_fd; /* the file that was executed before */
	char *reason;  /* NULL = an upgrade; else the former binary is back.  From malloc */
};

/* Takes it out of the environment.  False: this is an ordinary start. */
bool upgrade_is_meant(struct upgrade_estate *estate);

/* Where this process was started from, before it changes its directory; empty = that is not known. */
void upgrade_find_self(char path[PATH_MAX]);

/* `tandem --try`: in the child.  The exit status; the reason is said on stderr. */
int upgrade_try(const struct options *options);
