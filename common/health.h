/*
 * health.h - the health board: all that passes between proxy and vrrpd.
 *
 * Proxy threads write, the VRRP thread reads; every cell is an atomic, there is no lock.  A change
 * that can matter to a priority rings `wake_fd` (an eventfd in the VRRP thread's loop).  The board
 * lives as long as the worker; indexes are those of the configuration (threads 0…nbthread-1,
 * backends by their index in conf->proxies).
 */
#pragma once

#include "common/clock.h"

#include <stdatomic.h>

struct health_thread {
	_Alignas(64) _Atomic int64_t beat_ns; /* CLOCK_MONOTONIC of the last turn */
	_Atomic uint32_t listening;           /* listeners this thread serves */
	_Atomic uint32_t lost;                /* listeners that failed since start */
	_Atomic bool ready;                   /* start-up is finished */
};

struct health_backend {
	_Atomic uint32_t usable; /* servers that may get a connection now, backups included */
	_Atomic uint32_t total;
	_Atomic uint32_t in_transition; /* servers whose check result is not settled yet */
	_Atomic bool settled;           /* every checked server has been checked at least once */
};

struct health_board {
	int wake_fd;
	uint32_t threads_n, backends_n;
	struct health_thread *threads;
	struct health_backend *backends;
};

/* 0 or -errno.  health_board_fini accepts a zeroed board. */
int health_board_init(struct health_board *board, uint32_t threads_n, uint32_t backends_n);
void health_board_fini(struct health_board *board);

/* A proxy thread says it is alive. */
void health_beat(struct health_board *board, uint32_t thread, struct mono now);

/* Wakes the VRRP thread. */
void health_ring(struct health_board *board);

enum health_proxy {
	HEALTH_PROXY_SERVING,
	HEALTH_PROXY_STARTING,      /* a thread is not ready yet */
	HEALTH_PROXY_LISTENER_LOST, /* a listener failed */
	HEALTH_PROXY_STUCK,         /* a thread was silent for longer than `stuck_ns` */
};

/* What the whole proxy is worth at `now`: stuck before starting before listener lost.  A thread that
 * is not ready and has never beaten is starting, however long it takes.  With no thread (VRRP alone)
 * it is SERVING. */
enum health_proxy health_proxy_state(const struct health_board *board, struct mono now,
				     int64_t stuck_ns);

/* "serving", "starting", "listener lost", "thread stuck". */
const char *health_proxy_name(enum health_proxy state);
