/*
 * check_beat.h - when a server's checks are due.  Pure.
 *
 * A first one comes soon, within CHECK_FIRST_MS, so that nothing waits long for a first verdict; with
 * thousands of servers a little later, lest they come as a flood.  From then on all checks are spread
 * over their interval, each at a place of its own, and keep their beat: the next is counted from when
 * the last was due, not from its end.  A thread that was held up leaves beats out rather than making
 * up for them, and nobody loses his place.
 *
 * An interval has CHECK_TICKS ticks, and what is due between two of them is made in one turn of the
 * loop: with thousands of servers, waking up for each would cost as much as the checks.  Nor may they
 * be too many at a time, since traffic waits for them: 10,000 servers come to 80, or 0.8 ms.
 */
#pragma once

#include "common/clock.h"

#define CHECK_FIRST_MS     200
#define CHECK_FIRST_PER_MS 10
#define CHECK_TICKS        128

struct check_beat {
	struct mono due, last; /* the next one, and the one before it */
	uint32_t place, of;    /* among all checks: where in the interval */
	int64_t first_ns;      /* how long the first one had to wait */
	bool begun;            /* it has been made … */
	bool first;            /* … and is the last one */
};

/* These return the time for the timer: `due`, rounded up. */
struct mono check_beat_start(struct check_beat *b, struct mono now, int64_t inter_ns,
			     uint32_t place, uint32_t of);

/* The check that was due is made at `now`; the interval to the next is `inter_ns`, > 0. */
struct mono check_beat_next(struct check_beat *b, struct mono now, int64_t inter_ns);

/* Its end at `now` has changed the interval. */
struct mono check_beat_again(struct check_beat *b, struct mono now, int64_t inter_ns);

/* The next one is due then, and those after it are counted from there. */
struct mono check_beat_move(struct check_beat *b, struct mono due);
