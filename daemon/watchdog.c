/*
 * watchdog.c - see watchdog.h.  Runs on the guardian's loop, on a timer.
 */
#include "daemon/watchdog.h"

#define TICK_MIN_NS (5 * NS_PER_MS)

void
watchdog_init(struct watchdog *dog, uint32_t watchdog_ms, uint64_t beats, struct mono now)
{
	int64_t limit_ns = watchdog_ms * NS_PER_MS;
	int64_t tick_ns = limit_ns / WATCHDOG_TICKS;

	*dog = (struct watchdog){
		.tick_ns = tick_ns > TICK_MIN_NS ? tick_ns : TICK_MIN_NS,
		.limit_ns = limit_ns,
		.beats = beats,
		.looked = now,
	};
}

bool
watchdog_tick(struct watchdog *dog, uint64_t beats, struct mono now)
{
	int64_t elapsed_ns = mono_since(now, dog->looked);

	dog->looked = now;
	if (beats != dog->beats) {
		dog->beats = beats;
		dog->silent_ns = 0;
		return false;
	}
	dog->silent_ns += elapsed_ns < 2 * dog->tick_ns ? elapsed_ns : 2 * dog->tick_ns;
	return dog->silent_ns >= dog->limit_ns;
}
