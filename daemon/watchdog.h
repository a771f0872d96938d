/*
 * watchdog.h - how long has the worker been silent?  Pure: neither clock nor I/O.
 *
 * Silence is added up tick by tick, and no tick counts for more than two: a guardian that was itself
 * paused or starved must not take its own absence for the worker's.
 */
#pragma once

#include "common/clock.h"

struct watchdog {
	int64_t tick_ns;
	int64_t limit_ns;
	int64_t silent_ns;
	uint64_t beats; /* as last seen */
	struct mono looked;
};

/* Ticks in a watchdog's time: what its judgement may come late. */
#define WATCHDOG_TICKS 10

void watchdog_init(struct watchdog *dog, uint32_t watchdog_ms, uint64_t beats, struct mono now);

/* Once per tick_ns.  True: the silence has reached its limit. */
bool watchdog_tick(struct watchdog *dog, uint64_t beats, struct mono now);

/* Did it move lately?  What is done on its behalf (renewals, restorations) waits while it is not. */
static inline bool
watchdog_beating(const struct watchdog *dog)
{
	return dog->silent_ns <= dog->limit_ns / 2;
}
