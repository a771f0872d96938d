/*
 * check_window.c - rise and fall.  Pure; run by the thread that owns the server's check.
 */
#include "proxy/check_window.h"

void
check_window_start(struct check_window *w, enum conf_init_state state)
{
	switch (state) {
	case CONF_INIT_UP:
		w->health = w->rise;
		break;
	case CONF_INIT_FULLY_UP:
		w->health = w->rise + w->fall - 1;
		break;
	case CONF_INIT_DOWN:
		w->health = w->rise - 1;
		break;
	case CONF_INIT_FULLY_DOWN:
		w->health = 0;
		break;
	}
}

enum check_change
check_window_add(struct check_window *w, bool passed)
{
	bool was_up = check_window_up(w);

	if (passed) {
		if (++w->health >= w->rise)
			w->health = w->rise + w->fall - 1;
		return was_up || !check_window_up(w) ? CHECK_CHANGE_NONE : CHECK_CHANGE_UP;
	}
	if (w->health > w->rise) {
		w->health--;
		return CHECK_CHANGE_NONE;
	}
	w->health = 0;
	return was_up ? CHECK_CHANGE_DOWN : CHECK_CHANGE_NONE;
}

void
check_window_mark_down(struct check_window *w)
{
	if (w->health > w->rise)
		w->health = w->rise;
}

void
check_window_sudden_death(struct check_window *w)
{
	if (w->health > w->rise)
		w->health = w->rise + 1;
}

void
check_window_score(const struct check_window *w, uint32_t *have, uint32_t *of)
{
	bool up = check_window_up(w);

	*have = up ? w->health - w->rise + 1 : w->health;
	*of = up ? w->fall : w->rise;
}
