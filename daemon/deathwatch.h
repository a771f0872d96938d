/*
 * deathwatch.h - the guardian's second thread: waits for the robust mutex that the worker's VRRP
 * thread holds, and rings the guardian's loop the moment the kernel hands it over.
 */
#pragma once

#include "common/loop.h"
#include "daemon/pulse.h"

#include <pthread.h>

struct deathwatch {
	pthread_t thread;
	void *stack;
	bool running;
	struct pulse *pulse;
	struct loop *loop;
	struct loop_fd event; /* eventfd, rung by the thread */
	int ring_fd;          /* the thread's view of it */
	void (*on_death)(void *ctx);
	void *ctx;
};

/* Begins to wait; the worker must hold the mutex already (pulse->locked).  on_death runs in the
 * loop, at most once.  0 or -errno. */
int deathwatch_start(struct deathwatch *watch, struct loop *loop, struct pulse *pulse,
		     void (*on_death)(void *ctx), void *ctx);

/* Ends the wait and joins the thread.  The worker must have been reaped: its page is marked dead.
 * Harmless if nothing is running. */
void deathwatch_stop(struct deathwatch *watch);
