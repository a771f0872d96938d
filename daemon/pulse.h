/*
 * pulse.h - one page shared by guardian and worker: is the VRRP thread alive and moving?
 *
 * The VRRP thread locks `alive` (robust, process-shared) when it starts and never unlocks it; the
 * kernel hands it to the guardian's waiting thread the moment that thread is gone, long before a
 * process with thousands of sockets has been torn down and SIGCHLD comes.  `beats` counts the
 * turns of its loop; the guardian looks at it, no message is sent.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct pulse {
	pthread_mutex_t alive;
	_Atomic uint32_t locked; /* the worker holds `alive`: waiting for it makes sense */
	_Atomic uint64_t beats;
};

/* The guardian's: a memfd with an initialised page.  The descriptor, or -errno. */
int pulse_create(struct pulse **pulse);

/* The worker's: maps it, locks `alive` on the calling thread.  0 or -errno. */
int pulse_adopt(int fd, struct pulse **pulse);
/* The guardian's again, in another binary: only maps it.  0 or -errno; -EBADMSG: not the same page. */
int pulse_map(int fd, struct pulse **pulse);
void pulse_unmap(struct pulse *pulse);

static inline void
pulse_beat(struct pulse *pulse)
{
	atomic_fetch_add_explicit(&pulse->beats, 1, memory_order_relaxed);
}
