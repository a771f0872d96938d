/*
 * clock.c - where clocks are read.  Any thread; no state.
 */
#include "common/clock.h"

#include <time.h>

struct mono
mono_now(void)
{
	struct timespec ts;

	/* Cannot fail: the clock exists on every Linux and the pointer is ours. */
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (struct mono){ ts.tv_sec * NS_PER_S + ts.tv_nsec };
}

int64_t
clock_wall_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}
