/*
 * server_state.c - the one place where a server's state changes, is told and published.  Run by the
 * server's check thread, by sessions' threads that meet errors, and by the resolver.
 */
#include "proxy/server_state.h"

#include "proxy/runtime.h"
#include "proxy/server_log.h"
#include "proxy/session.h"
#include "proxy/slowstart.h"

#include <stdio.h>
#include <string.h>

const char *
server_state_name(enum server_state state)
{
	switch (state) {
	case SERVER_DOWN:
		return "DOWN";
	case SERVER_UP:
		return "UP";
	case SERVER_NOCHECK:
		return "no check";
	case SERVER_DISABLED:
		return "MAINT";
	case SERVER_STOPPING:
		return "NOLB";
	case SERVER_DRAIN:
		return "DRAIN";
	case SERVER_UNRESOLVED:
		return "UNRESOLVED";
	}
	return "?";
}

static bool
in_maintenance(const struct server *s)
{
	return s->conf->disabled || s->backend->conf->disabled ||
	       s->followed_state == SERVER_DISABLED || s->agent.mode == AGENT_MODE_MAINT;
}

static bool
draining(const struct server *s)
{
	return s->agent.mode == AGENT_MODE_DRAIN || s->followed_drains;
}

enum server_state
server_derive_state(const struct server *s)
{
	bool watched = s->conf->check || s->conf->track;

	if (s->conf->disabled || s->backend->conf->disabled)
		return SERVER_DISABLED;
	if (!atomic_load(&s->resolved))
		return SERVER_UNRESOLVED;
	if (in_maintenance(s))
		return SERVER_DISABLED;
	if (s->followed_state == SERVER_UNRESOLVED)
		return SERVER_UNRESOLVED;
	if ((watched && !check_window_up(&s->window)) || s->agent.down || s->followed_down)
		return SERVER_DOWN;
	if (draining(s))
		return SERVER_DRAIN;
	if (!watched)
		return SERVER_NOCHECK;
	return s->stopping ? SERVER_STOPPING : SERVER_UP;
}

bool
server_state_usable(enum server_state state)
{
	return state == SERVER_UP || state == SERVER_NOCHECK;
}

/* What the server adds to its backend's sums. */
struct backend_sums
server_share(const struct server *s)
{
	bool in_play = lb_in_play(&s->lb), checked = false, named = false;

	switch (server_state_get(s)) {
	case SERVER_UP:
	case SERVER_DOWN:
	case SERVER_STOPPING:
	case SERVER_DRAIN:
		checked = s->conf->check || s->conf->track;
		break;
	case SERVER_UNRESOLVED:
		named = true;
		break;
	case SERVER_NOCHECK:
	case SERVER_DISABLED:
		break;
	}
	return (struct backend_sums){
		.active = in_play && !s->lb.backup,
		.backups = in_play && s->lb.backup,
		.in_transition = checked && check_window_in_transition(&s->window),
		.unsettled = (checked || named) && !s->judged,
	};
}

struct server_stance
server_stance(const struct server *s)
{
	return (struct server_stance){
		.state = server_state_get(s),
		.maint = in_maintenance(s),
		.draining = draining(s),
		.share = server_share(s),
	};
}

/* Copies the sums to the health board.  Under the lock. */
static void
publish_sums(struct backend *be)
{
	struct health_board *board = be->proxy->board;
	struct health_backend *cell = &board->backends[be->index];
	uint32_t usable = be->sums.active + be->sums.backups;
	bool settled = be->sums.unsettled == 0, changed;

	changed = atomic_exchange(&cell->usable, usable) != usable;
	changed |= atomic_exchange(&cell->total, be->servers_n) != be->servers_n;
	/* Whether there is any: thousands of servers must not ring thousands of times for it. */
	changed |= !atomic_exchange(&cell->in_transition, be->sums.in_transition) !=
		   !be->sums.in_transition;
	changed |= atomic_exchange(&cell->settled, settled) != settled;
	if (changed)
		health_ring(board);
}

/* Counts all servers.  Under the lock. */
void
backend_publish(struct backend *be)
{
	be->sums = (struct backend_sums){ 0 };
	for (uint32_t i = 0; i < be->servers_n; i++) {
		struct backend_sums share = server_share(&be->servers[i]);

		be->sums.active += share.active;
		be->sums.backups += share.backups;
		be->sums.in_transition += share.in_transition;
		be->sums.unsettled += share.unsettled;
	}
	publish_sums(be);
}

/* One server's share was `before`: nothing is summed anew, whatever the number of servers.  Under
 * the lock. */
void
server_republish(struct server *s, struct backend_sums before)
{
	struct backend_sums after = server_share(s), *sums = &s->backend->sums;

	if (memcmp(&before, &after, sizeof after) == 0)
		return;
	sums->active += after.active - before.active;
	sums->backups += after.backups - before.backups;
	sums->in_transition += after.in_transition - before.in_transition;
	sums->unsettled += after.unsettled - before.unsettled;
	publish_sums(s->backend);
}

/* Lets a new state act.  Under the lock; the caller publishes. */
void
server_set_state(struct server *s, enum server_state state, struct mono now)
{
	if (server_state_get(s) == state)
		return;
	atomic_store(&s->state, state);
	atomic_store(&s->lb.usable, server_state_usable(state));
	lb_farm_refresh(&s->backend->farm, &s->lb);
	s->changed = now;
	proxy_wake_waiters(s->backend->proxy, s->backend->index);
}

/* "on-marked-down shutdown-sessions", "on-marked-up shutdown-backup-sessions" */
static void
act_on_change(struct server *s, enum server_state state)
{
	struct backend *be = s->backend;

	if ((state == SERVER_DOWN || state == SERVER_DISABLED) && s->conf->shutdown_on_down)
		proxy_shutdown_sessions(s, SESSION_CAUSE_DOWN);
	if (state == SERVER_UP && s->conf->shutdown_backups_on_up)
		for (uint32_t i = 0; i < be->servers_n; i++)
			if (be->servers[i].lb.backup)
				proxy_shutdown_sessions(&be->servers[i], SESSION_CAUSE_UP);
}

/* Is it there, if only for the sessions it has? */
static bool
present(enum server_state state)
{
	return state == SERVER_UP || state == SERVER_DRAIN || state == SERVER_NOCHECK;
}

/* A server that had gone comes back slowly.  Not at the start: nobody has missed it then. */
static void
pace(struct server *s, enum server_state before, enum server_state after, struct mono now)
{
	if (!present(after))
		slowstart_end(s);
	else if (!present(before) && s->fallen)
		slowstart_begin(s, now);
	s->fallen |= after == SERVER_DOWN || after == SERVER_STOPPING || after == SERVER_DISABLED;
}

void
server_settle(struct server *s, const struct server_stance *before, struct mono now)
{
	enum server_state after = server_derive_state(s);

	server_set_state(s, after, now);
	pace(s, before->state, after, now);
	server_republish(s, before->share);
}

void
server_announce(struct server *s, const struct server_stance *before,
		const struct check_result *why)
{
	server_log_change(s, before, why);
	if (before->state != server_state_get(s))
		act_on_change(s, server_state_get(s));
}

struct standing
server_stand(struct server *s)
{
	return (struct standing){
		.number = ++s->standing,
		.stance = server_stance(s),
		.window = s->window,
		.last = s->last,
		.judged = s->judged,
		.stopping = s->stopping,
	};
}

static void
follow(struct server *s, const struct standing *standing, bool aloud, struct mono now)
{
	struct server_stance before = server_stance(s);

	s->followed_state = standing->stance.state;
	s->followed_down = standing->stance.state == SERVER_DOWN;
	s->followed_drains = standing->stance.draining;
	s->window = standing->window;
	s->last = standing->last;
	s->judged |= standing->judged;
	s->stopping = standing->stopping;
	server_settle(s, &before, now);
	if (aloud)
		server_announce(s, &before, &s->last);
}

/*
 * The state of one server becomes that of those who follow it, and of those who follow them: a chain
 * is short.  No lock of another backend is held here.
 */
void
server_tell_followers(const struct server *tracked, const struct standing *standing, bool aloud,
		      struct mono now)
{
	for (struct server *s = tracked->followers; s; s = s->next_follower) {
		struct standing own;

		pthread_mutex_lock(&s->backend->lock);
		if (standing->number <= s->followed) {
			pthread_mutex_unlock(&s->backend->lock);
			continue;
		}
		s->followed = standing->number;
		follow(s, standing, aloud, now);
		own = server_stand(s);
		pthread_mutex_unlock(&s->backend->lock);
		server_tell_followers(s, &own, aloud, now);
	}
}

void
server_lead(struct server *s, struct mono now)
{
	struct standing standing;

	if (!s->followers)
		return;
	pthread_mutex_lock(&s->backend->lock);
	standing = server_stand(s);
	pthread_mutex_unlock(&s->backend->lock);
	server_tell_followers(s, &standing, false, now);
}

/* Shifts a verdict in.  Under the lock. */
static void
take_in(struct server *s, const struct check_result *result,
	void (*prepare)(struct check_window *w))
{
	enum check_grade grade = check_grade(result->status);
	bool told = s->judged && check_grade(s->last.status) == grade;
	struct server_stance before = server_stance(s);
	uint32_t health = s->window.health;

	if (prepare)
		prepare(&s->window);
	s->last = *result;
	s->judged = true;
	check_window_add(&s->window, grade != CHECK_GRADE_FAILED);
	s->stopping =
		grade == CHECK_GRADE_CONDITIONAL || (s->stopping && grade == CHECK_GRADE_FAILED);
	if (s->backend->conf->log_health_checks && (!told || health != s->window.health))
		server_log_health(s);
	server_settle(s, &before, result->at);
	server_announce(s, &before, result);
}

/* `prepare`, if any, sees the window before. */
static void
report(struct server *s, const struct check_result *result, void (*prepare)(struct check_window *w))
{
	struct standing standing;

	pthread_mutex_lock(&s->backend->lock);
	/* What was asked before its maintenance began does not matter any more. */
	if (s->agent.mode != AGENT_MODE_MAINT)
		take_in(s, result, prepare);
	standing = server_stand(s);
	pthread_mutex_unlock(&s->backend->lock);
	server_tell_followers(s, &standing, true, result->at);
}

void
server_report(struct server *s, const struct check_result *result)
{
	report(s, result, NULL);
}

void
server_observe_error(struct server *s, struct mono now)
{
	struct check_result result = { .status = CHECK_STATUS_OBSERVED, .at = now };
	uint32_t errors = atomic_fetch_add(&s->errors_in_row, 1) + 1;

	if (errors < s->conf->error_limit)
		return;
	/* Of several threads that get here one has the event. */
	if (!atomic_compare_exchange_strong(&s->errors_in_row, &errors, 0))
		return;
	snprintf(result.info, sizeof result.info,
		 "Detected %u consecutive errors, last one was: L4 unsuccessful connection",
		 errors);
	switch (s->conf->on_error) {
	case CONF_ON_ERROR_FASTINTER:
		break;
	case CONF_ON_ERROR_FAIL_CHECK:
		report(s, &result, NULL);
		break;
	case CONF_ON_ERROR_SUDDEN_DEATH:
		report(s, &result, check_window_sudden_death);
		break;
	case CONF_ON_ERROR_MARK_DOWN:
		report(s, &result, check_window_mark_down);
		break;
	}
	proxy_hurry_check(s);
}

void
server_set_address(struct server *s, const struct sock_addr *address, struct mono now)
{
	struct backend *be = s->backend;

	pthread_mutex_lock(&be->lock);
	/* Threads read it without the lock: what was inherited stays. */
	if (address && !atomic_load(&s->resolved)) {
		s->address = *address;
		atomic_store(&s->resolved, true);
		server_set_state(s, server_derive_state(s), now);
	}
	/* With a check still to come, that is what settles the server. */
	if (!address || (!s->conf->check && !s->conf->track))
		s->judged = true;
	backend_publish(be);
	pthread_mutex_unlock(&be->lock);
	server_lead(s, now);
}
