/*
 * check_window.h - rise and fall: what a row of check results says about a server.
 *
 * Health runs from 0 to rise + fall - 1; the server is up from `rise` on.  A success adds one, and
 * the one that reaches `rise` jumps to the maximum; a failure takes one away, and the one that
 * falls below `rise` drops to 0.  A server starts at `rise`, up and one failure from down, unless
 * `init-state` says otherwise.  Pure.
 */
#pragma once

#include "conf/model.h"

#include <stdbool.h>
#include <stdint.h>

struct check_window {
	uint32_t rise, fall; /* >= 1 */
	uint32_t health;
};

enum check_change { CHECK_CHANGE_NONE, CHECK_CHANGE_UP, CHECK_CHANGE_DOWN };

static inline void
check_window_init(struct check_window *w, uint32_t rise, uint32_t fall)
{
	*w = (struct check_window){ .rise = rise ? rise : 1, .fall = fall ? fall : 1 };
	w->health = w->rise;
}

/* To where `init-state` wants it. */
void check_window_start(struct check_window *w, enum conf_init_state state);

static inline bool
check_window_up(const struct check_window *w)
{
	return w->health >= w->rise;
}

/* Neither surely up nor surely down: the time between checks is `fastinter`. */
static inline bool
check_window_in_transition(const struct check_window *w)
{
	return w->health != 0 && w->health != w->rise + w->fall - 1;
}

/* Shifts one result in. */
enum check_change check_window_add(struct check_window *w, bool passed);

/* What `on-error` does before the failure it stands for is shifted in: that one takes a server that
 * is up down, or leaves it one failure from there. */
void check_window_mark_down(struct check_window *w);
void check_window_sudden_death(struct check_window *w);

/* The two numbers HAProxy prints as "2/3 UP": successes to lose of `fall`, or won of `rise`. */
void check_window_score(const struct check_window *w, uint32_t *have, uint32_t *of);
