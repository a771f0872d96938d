/*
 * rundir.h - what a running instance keeps in its run directory: the lock, the control socket, and
 * (unless the file or -p says otherwise) the pid file.
 */
#pragma once

#include <limits.h>

#define RUNDIR_DEFAULT "/run/tandem"
#define RUNDIR_LOCK    "lock"         /* flock by the guardian: a second instance refuses */
#define RUNDIR_CONTROL "control.sock" /* bound by the guardian, served by the worker: it tells */
#define RUNDIR_COMMAND "command.sock" /* the guardian's own: it is told */
#define RUNDIR_PIDFILE "tandem.pid"

struct estate;

struct rundir {
	int lock_fd;    /* -1 = not ours */
	int control_fd; /* listening, -1 = not open */
	int command_fd; /* listening, until somebody takes it over */
	char control[PATH_MAX], command[PATH_MAX];
	char pidfile[PATH_MAX];
};

/*
 * Creates the directory if it is missing and takes its lock.  0, or -errno with one line in the log
 * ("another tandem is running in DIR (pid N)" for -EWOULDBLOCK).
 */
int rundir_init(struct rundir *rundir, const char *dir);

/* Writes the pid file (`pidfile`, or NULL for the directory's own) and opens the two sockets, for
 * root alone.  0 or -errno, logged. */
int rundir_publish(struct rundir *rundir, const char *dir, const char *pidfile);

/* Removes what was published and lets go of the lock; the lock file itself stays, since removing it
 * would let two instances hold two files of that name. */
void rundir_fini(struct rundir *rundir);

/* Both ways (estate.h); `command_fd` is the socket that somebody has taken over, and is back there when
 * it is read. */
void rundir_estate(struct rundir *rundir, int command_fd, struct estate *e);
