/*
 * daemonize.h - to the background, but not before it is known whether start-up worked.
 */
#pragma once

/* What main.c gives the guardian as `started`. */
struct daemonize {
	int notify_fd; /* the waiting parent's pipe; -1 = stays in the foreground */
};

/*
 * Forks; the parent waits for daemonize_started (its exit status is 0 then) or for the end of the
 * child (1), and does not return.  The child returns in a session of its own: 0, or -errno.
 */
int daemonize_fork(struct daemonize *d);

/* guardian_setup.started; `ctx` is the struct daemonize. */
void daemonize_started(void *ctx);

/* Descriptors 0-2 become /dev/null. */
void daemonize_detach(void);
