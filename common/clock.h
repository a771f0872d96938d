/*
 * clock.h - monotonic time as a type of its own.
 *
 * Logic never reads the clock: `now` is passed in, read once per turn of a loop.  A struct, so that
 * the compiler refuses to mix it with durations, which are plain int64_t nanoseconds (_ns) or
 * milliseconds (_ms).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define NS_PER_US 1000LL
#define NS_PER_MS 1000000LL
#define NS_PER_S  1000000000LL

struct mono {
	int64_t ns; /* CLOCK_MONOTONIC; 0 means "never" where a field says so */
};

/* The present time.  Called by loops and by measuring code, not by logic. */
struct mono mono_now(void);

/* The time of day in ns since 1970: for people and for what is signed, never for intervals. */
int64_t clock_wall_ns(void);

static inline struct mono
mono_add_ns(struct mono t, int64_t ns)
{
	return (struct mono){ t.ns + ns };
}

static inline struct mono
mono_add_ms(struct mono t, int64_t ms)
{
	return (struct mono){ t.ns + ms * NS_PER_MS };
}

/* later - earlier, in ns. */
static inline int64_t
mono_since(struct mono later, struct mono earlier)
{
	return later.ns - earlier.ns;
}

static inline int64_t
mono_since_ms(struct mono later, struct mono earlier)
{
	return (later.ns - earlier.ns) / NS_PER_MS;
}

static inline bool
mono_before(struct mono a, struct mono b)
{
	return a.ns < b.ns;
}
