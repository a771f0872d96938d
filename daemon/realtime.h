/*
 * realtime.h - being on time on a busy host: scheduling class, memory, the out-of-memory killer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REALTIME_PRIORITY 20

/* What realtime_thread gives from now on; 0 = REALTIME_PRIORITY. */
void realtime_choose(int priority);

/* The calling thread gets SCHED_RR, which what it forks does not inherit.  0 or -errno: without
 * the right to it one goes on as one is. */
int realtime_thread(void);

/* Back to the ordinary class for a while.  True if there was another to come back to, with
 * realtime_thread. */
bool realtime_pause(void);

/* The whole process: pages locked (never under a sanitizer), and the last that the kernel would
 * kill for memory.  What is refused is logged at debug level only. */
void realtime_process(bool lock_memory);

/* An unprivileged process that is about to be one: its pages are locked as they come into use.  0 or
 * -errno. */
int realtime_lock_memory(void);

/* The calling thread runs on these CPUs only.  0 or -errno. */
int realtime_pin(const uint16_t *cpus, size_t n);

/* In a forked child, before it executes something else: undoes what is inherited. */
void realtime_undo(void);
