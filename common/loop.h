/*
 * loop.h - one epoll loop, owned and run by one thread.
 *
 * The owner of a file descriptor embeds a struct loop_fd and registers it once; sessions register
 * edge-triggered for both directions and are never modified again.  A callback may delete any
 * loop_fd, also one with an event pending in the same turn: deletion clears `fd`, and events of a
 * cleared loop_fd are dropped.  Its memory must stay until the turn ends: free it with loop_defer.
 * A loop_fd may be registered again in the same turn; events of its former descriptor are dropped.
 *
 * A turn: wait, read the clock once, on_wake, descriptors, timers, deferred calls, on_turn.
 */
#pragma once

#include "common/timer.h"

#include <stdatomic.h>
#include <sys/epoll.h>

struct loop_fd;
typedef void loop_ready_fn(struct loop_fd *lf, uint32_t events); /* events: EPOLL* */

struct loop_fd {
	int fd; /* -1 = not registered */
	loop_ready_fn *ready;
	uint64_t turn; /* in which it was registered: events gathered before are another's */
};

struct deferred {
	struct deferred *next;
	void (*call)(struct deferred *d);
	bool queued;
};

struct loop {
	int epoll_fd;
	int wake_fd; /* eventfd behind loop_wake */
	bool stop;
	struct mono now; /* read once per turn, after the wait */
	struct timer_heap timers;
	struct deferred *deferred;
	struct loop_fd wake;
	_Atomic bool wake_sent; /* loop_wake rang and the loop has not looked yet */
	uint64_t turn;          /* counts turns */
	/* Optional; `ctx` is the owner's.  on_wake runs after the clock was read and before anything
	 * else: self-fencing lives there.  on_turn runs last: heartbeats live there.  on_message runs
	 * when another thread called loop_wake. */
	void *ctx;
	void (*on_wake)(struct loop *loop);
	void (*on_turn)(struct loop *loop);
	void (*on_message)(struct loop *loop);
	/* Upper bound of a wait, so that a heartbeat goes on without events.  0 = none. */
	int64_t max_wait_ns;
};

/*
 * 0, or -errno.  Clears the whole struct first: set callbacks and ctx afterwards.  loop_fini runs
 * the deferred calls that are left; it accepts a zeroed loop.
 */
int loop_init(struct loop *loop);
void loop_fini(struct loop *loop);

/* Registers lf->fd (set by the caller, with lf->ready) for `events`.  0, or -errno with lf->fd left
 * as it was. */
int loop_add(struct loop *loop, struct loop_fd *lf, uint32_t events);
int loop_modify(struct loop *loop, struct loop_fd *lf, uint32_t events);

/* Takes lf out of epoll and sets lf->fd = -1; returns the descriptor, which stays open. */
int loop_remove(struct loop *loop, struct loop_fd *lf);

/* As loop_remove, and closes the descriptor in one syscall.  Not in a process that forks: until its
 * child executes something, the child's copy would keep in epoll what is closed here, and gone. */
void loop_close(struct loop *loop, struct loop_fd *lf);

/*
 * Calls d->call(d) at the end of this turn, in order of queueing; `d` may be freed by the call.
 * Queueing twice is harmless.  What deferred calls themselves (and on_turn) defer runs at the end of
 * the next turn, which then does not wait.
 */
void loop_defer(struct loop *loop, struct deferred *d);

/* One turn: waits until an event, a timer or max_wait_ns, whichever is first. */
void loop_turn(struct loop *loop);

/* Turns until loop->stop. */
void loop_run(struct loop *loop);

/* From any thread or signal handler: makes the loop run on_message soon.  What the caller wrote
 * before is visible to on_message; wakes that arrive together are one on_message. */
void loop_wake(struct loop *loop);
