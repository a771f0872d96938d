/*
 * child.h - one worker process: spawn it, talk to it, learn of its death, reap it.
 *
 * Death has up to three messengers (the robust mutex, the process descriptor, the end of the socket
 * pair); whichever comes first calls on_gone, once.  on_reaped follows when the process is no more;
 * only then may the next be spawned.
 */
#pragma once

#include "common/ipc.h"
#include "daemon/deathwatch.h"
#include "daemon/pulse.h"

#include <sys/types.h>

struct child_setup {
	const void *packed; /* for WORKER_FD_CONF */
	size_t packed_len;
	const char *const *args; /* words after the generation, NULL-terminated; may be NULL */
	uint32_t generation;
	bool core_dumps;
	const char *executable; /* /proc/self/exe */
};

struct estate;

struct child {
	struct loop *loop;
	pid_t pid;              /* 0 = none */
	struct loop_fd process; /* its pidfd */
	struct ipc ipc;
	struct pulse *pulse;
	int pulse_fd; /* its pages */
	struct deathwatch death;
	struct mono born;
	bool gone; /* on_gone was called; messages that mean something new are refused */
	ipc_message_fn *on_message;
	void (*on_gone)(struct child *child, const char *how);
	void (*on_reaped)(struct child *child, const char *how);
	void *ctx;
};

void child_init(struct child *child, struct loop *loop, ipc_message_fn *on_message,
		void (*on_gone)(struct child *child, const char *how),
		void (*on_reaped)(struct child *child, const char *how), void *ctx);

/* 0 or -errno.  child->ipc.ctx is `ctx`. */
int child_spawn(struct child *child, const struct child_setup *setup);

/* Both ways (estate.h).  Read, after child_init: child_resume makes it count.  0 or -errno. */
void child_estate(struct child *child, struct estate *e);
int child_resume(struct child *child);

/* Begins the death watch as soon as the worker holds the mutex: call it on every tick. */
void child_watch(struct child *child);

/* It is as good as dead (silent, or overdue): on_gone, unless that was called already.  Harmless
 * without a child. */
void child_give_up(struct child *child, const char *how);

/* SIGKILL.  Harmless without a child. */
void child_kill(struct child *child);

/* Waits for its end (after child_kill: short) and lets go of everything, without callbacks. */
void child_fini(struct child *child);

static inline bool
child_running(const struct child *child)
{
	return child->pid != 0 && !child->gone;
}
