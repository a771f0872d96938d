/*
 * backend.c - state of servers: the one place where it changes, is logged and published.
 */
#include "proxy/backend.h"

#include "proxy/log_target.h"
#include "proxy/runtime.h"
#include "proxy/session.h"
#include "proxy/slowstart.h"
#include "proxy/tls.h"

#include "common/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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
	case SERVER_UNRESOLVED:
		return "UNRESOLVED";
	}
	return "?";
}

/* What the server's facts add up to. */
static enum server_state
derive_state(const struct server *s)
{
	if (s->conf->disabled || s->backend->conf->disabled)
		return SERVER_DISABLED;
	if (!atomic_load(&s->resolved))
		return SERVER_UNRESOLVED;
	if (s->followed_state == SERVER_DISABLED || s->followed_state == SERVER_UNRESOLVED)
		return s->followed_state;
	if (!s->conf->check && !s->conf->track)
		return SERVER_NOCHECK;
	if (!check_window_up(&s->window))
		return SERVER_DOWN;
	return s->stopping ? SERVER_STOPPING : SERVER_UP;
}

static bool
state_usable(enum server_state state)
{
	return state == SERVER_UP || state == SERVER_NOCHECK;
}

/* What the server adds to its backend's sums. */
static struct backend_sums
share_of(const struct server *s)
{
	bool in_play = lb_in_play(&s->lb), checked = false, named = false;

	switch (server_state_get(s)) {
	case SERVER_UP:
	case SERVER_DOWN:
	case SERVER_STOPPING:
		checked = true;
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
	changed |= atomic_exchange(&cell->in_transition, be->sums.in_transition) !=
		   be->sums.in_transition;
	changed |= atomic_exchange(&cell->settled, settled) != settled;
	if (changed)
		health_ring(board);
}

/* Counts all servers.  Under the lock. */
static void
publish(struct backend *be)
{
	be->sums = (struct backend_sums){ 0 };
	for (uint32_t i = 0; i < be->servers_n; i++) {
		struct backend_sums share = share_of(&be->servers[i]);

		be->sums.active += share.active;
		be->sums.backups += share.backups;
		be->sums.in_transition += share.in_transition;
		be->sums.unsettled += share.unsettled;
	}
	publish_sums(be);
}

/* One server's share was `before`: nothing is summed anew, whatever the number of servers.  Under
 * the lock. */
static void
republish(struct server *s, struct backend_sums before)
{
	struct backend_sums after = share_of(s), *sums = &s->backend->sums;

	if (memcmp(&before, &after, sizeof after) == 0)
		return;
	sums->active += after.active - before.active;
	sums->backups += after.backups - before.backups;
	sums->in_transition += after.in_transition - before.in_transition;
	sums->unsettled += after.unsettled - before.unsettled;
	publish_sums(s->backend);
}

/* Lets a new state act.  Under the lock; the caller publishes. */
static void
set_state(struct server *s, enum server_state state, struct mono now)
{
	if (server_state_get(s) == state)
		return;
	atomic_store(&s->state, state);
	atomic_store(&s->lb.usable, state_usable(state));
	lb_farm_refresh(&s->backend->farm, &s->lb);
	s->changed = now;
	atomic_fetch_add(&s->backend->generation, 1);
	proxy_wake_waiters(s->backend->proxy, s->backend->index);
}

static int
server_init(struct server *s, struct backend *be, uint32_t index, uint32_t number, struct mono now)
{
	const struct conf_server *conf = &be->conf->servers[index];

	s->conf = conf;
	s->backend = be;
	s->number = number;
	s->check_tls = tls_of_server(be->proxy->tls, be->index, index);
	s->tls = conf->tls.on ? s->check_tls : NULL;
	s->lb.farm = &be->farm;
	s->lb.index = index;
	s->lb.id = conf->id;
	s->lb.weight = conf->weight;
	s->lb.effective_weight = conf->weight * LB_WEIGHT_SCALE;
	s->lb.maxconn = conf->maxconn;
	s->lb.minconn = conf->minconn;
	s->lb.maxqueue = conf->maxqueue;
	s->lb.backup = conf->backup;
	s->observed = conf->observe && conf->check;
	s->changed = now;
	check_window_init(&s->window, conf->rise, conf->fall);
	check_window_start(&s->window, conf->init_state);
	if (conf->address.len) {
		s->address = conf->address;
		if (s->address.any.sa_family != AF_UNIX)
			sock_addr_set_port(&s->address, conf->port);
		atomic_store(&s->resolved, true);
	}
	atomic_store(&s->state, derive_state(s));
	atomic_store(&s->lb.usable, state_usable(server_state_get(s)));
	return 0;
}

/* The default of `fullconn`: a tenth of what the frontends before it take; at least 1. */
static uint32_t
tenth_of_frontends(const struct backend *be)
{
	const struct proxy *proxy = be->proxy;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < proxy->proxies_n; i++) {
		const struct conf_proxy *front = &proxy->conf->proxies[i];

		if (front->caps & CONF_CAP_FRONT && front->default_backend == be->index)
			sum += front->maxconn ? front->maxconn : proxy->maxconn;
	}
	return sum >= 10 ? (uint32_t)(sum / 10) : 1;
}

int
backend_init(struct backend *be, struct proxy *proxy, uint32_t index, uint32_t number,
	     struct mono now)
{
	const struct conf_proxy *conf = &proxy->conf->proxies[index];
	size_t n = conf->caps & CONF_CAP_BACK ? conf->servers_n : 0;

	be->conf = conf;
	be->index = index;
	be->proxy = proxy;
	be->servers = calloc(n ? n : 1, sizeof *be->servers);
	be->lb = calloc(n ? n : 1, sizeof(struct lb_server *));
	if (!be->servers || !be->lb) {
		free(be->servers);
		free(be->lb);
		be->servers = NULL;
		be->lb = NULL;
		return -ENOMEM;
	}
	be->servers_n = (uint32_t)n;
	pthread_mutex_init(&be->lock, NULL);
	be->checks = check_program_new(&conf->health);
	if (!be->checks) {
		backend_fini(be);
		be->servers = NULL;
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < n; i++) {
		server_init(&be->servers[i], be, i, number + i, now);
		be->lb[i] = &be->servers[i].lb;
	}
	if (lb_farm_init(&be->farm, conf, be->lb, (uint32_t)n) < 0) {
		backend_fini(be);
		be->servers = NULL;
		return -ENOMEM;
	}
	be->farm.fullconn = conf->fullconn ? conf->fullconn : tenth_of_frontends(be);
	pthread_mutex_lock(&be->lock);
	publish(be);
	pthread_mutex_unlock(&be->lock);
	return 0;
}

void
backend_fini(struct backend *be)
{
	if (!be->servers)
		return;
	pthread_mutex_destroy(&be->lock);
	check_program_free(be->checks);
	lb_farm_fini(&be->farm);
	free(be->servers);
	free(be->lb);
}

/* The counts behind a change of state, and why it happened. */
static void
log_change(struct server *s, enum server_state state)
{
	struct backend *be = s->backend;
	const char *prefix = s->lb.backup ? "Backup " : "", *on_backup;
	uint32_t active = be->sums.active, backups = be->sums.backups;
	uint32_t queued = atomic_load(&be->farm.queued);
	char check[512] = "";

	on_backup = active == 0 && backups ? " Running on backup." : "";
	/* With `option log-health-checks` the line before has said why. */
	if (s->tracked) {
		snprintf(check, sizeof check, " via %s/%s", s->tracked->backend->conf->name,
			 s->tracked->conf->name);
	} else if (!be->conf->log_health_checks) {
		memcpy(check, ", ", 3);
		check_result_describe(&s->last, check + 2, sizeof check - 2);
	}
	if (state != SERVER_DOWN)
		log_target_notify(
			be->proxy, be->conf, LOG_NOTICE,
			"%sServer %s/%s is %s%s. %u active and %u backup servers online.%s"
			" 0 sessions requeued, %u total in queue.",
			prefix, be->conf->name, s->conf->name,
			state == SERVER_STOPPING ? "stopping" : "UP", check, active, backups,
			on_backup, queued);
	else
		log_target_notify(
			be->proxy, be->conf, LOG_ALERT,
			"%sServer %s/%s is DOWN%s. %u active and %u backup servers left.%s"
			" %u sessions active, 0 requeued, %u remaining in queue.",
			prefix, be->conf->name, s->conf->name, check, active, backups, on_backup,
			atomic_load(&s->lb.served), queued);
	if (state != SERVER_UP && active + backups == 0)
		log_target_notify(be->proxy, be->conf, LOG_EMERG, "%s %s has no server available!",
				  be->conf->caps & CONF_CAP_FRONT ? "proxy" : "backend",
				  be->conf->name);
}

static void
log_health(struct server *s, enum check_grade grade)
{
	uint32_t have, of;
	char check[512];

	check_window_score(&s->window, &have, &of);
	check_result_describe(&s->last, check, sizeof check);
	log_target_notify(s->backend->proxy, s->backend->conf, LOG_NOTICE,
			  "Health check for %sserver %s/%s %s%s, %s, status: %u/%u %s.",
			  s->lb.backup ? "backup " : "", s->backend->conf->name, s->conf->name,
			  grade == CHECK_GRADE_CONDITIONAL ? "conditionally " : "",
			  grade == CHECK_GRADE_FAILED ? "failed" : "succeeded", check, have, of,
			  check_window_up(&s->window) ? "UP" : "DOWN");
}

/* "on-marked-down shutdown-sessions", "on-marked-up shutdown-backup-sessions" */
static void
act_on_change(struct server *s, enum server_state state)
{
	struct backend *be = s->backend;

	if (state == SERVER_DOWN && s->conf->shutdown_on_down)
		proxy_shutdown_sessions(s, SESSION_CAUSE_DOWN);
	if (state == SERVER_UP && s->conf->shutdown_backups_on_up)
		for (uint32_t i = 0; i < be->servers_n; i++)
			if (be->servers[i].lb.backup)
				proxy_shutdown_sessions(&be->servers[i], SESSION_CAUSE_UP);
}

/* A server that had gone comes back slowly.  Not at the start: nobody has missed it then. */
static void
pace(struct server *s, enum server_state before, enum server_state after, struct mono now)
{
	if (after != SERVER_UP)
		slowstart_end(s);
	else if (before != SERVER_UP && s->fallen)
		slowstart_begin(s, now);
	s->fallen |= after == SERVER_DOWN || after == SERVER_STOPPING;
}

/* What a server's followers go by. */
struct standing {
	uint64_t number; /* the latest counts, in whatever order they arrive */
	enum server_state state;
	struct check_window window;
	struct check_result last;
	bool judged, stopping;
};

/* Under the lock. */
static struct standing
stand(struct server *s)
{
	return (struct standing){
		.number = ++s->standing,
		.state = server_state_get(s),
		.window = s->window,
		.last = s->last,
		.judged = s->judged,
		.stopping = s->stopping,
	};
}

/*
 * The state of one server becomes that of those who follow it, and of those who follow them: a chain
 * is short.  No lock of another backend is held here.
 */
static void
lead(const struct server *tracked, const struct standing *standing, bool aloud, struct mono now)
{
	for (struct server *s = tracked->followers; s; s = s->next_follower) {
		enum server_state before, after;
		struct backend_sums share;
		struct standing own;

		pthread_mutex_lock(&s->backend->lock);
		if (standing->number <= s->followed) {
			pthread_mutex_unlock(&s->backend->lock);
			continue;
		}
		s->followed = standing->number;
		share = share_of(s);
		before = server_state_get(s);
		s->followed_state = standing->state;
		s->window = standing->window;
		s->last = standing->last;
		s->judged |= standing->judged;
		s->stopping = standing->stopping;
		after = derive_state(s);
		set_state(s, after, now);
		pace(s, before, after, now);
		republish(s, share);
		if (aloud && before != after) {
			log_change(s, after);
			act_on_change(s, after);
		}
		own = stand(s);
		pthread_mutex_unlock(&s->backend->lock);
		lead(s, &own, aloud, now);
	}
}

void
server_lead(struct server *s, struct mono now)
{
	struct standing standing;

	if (!s->followers)
		return;
	pthread_mutex_lock(&s->backend->lock);
	standing = stand(s);
	pthread_mutex_unlock(&s->backend->lock);
	lead(s, &standing, false, now);
}

void
backend_join_followers(struct proxy *proxy)
{
	/* Backwards, so that each list is in the file's order. */
	for (uint32_t i = proxy->proxies_n; i-- > 0;) {
		for (uint32_t k = proxy->backends[i].servers_n; k-- > 0;) {
			struct server *s = &proxy->backends[i].servers[k], *tracked;

			if (!s->conf->track)
				continue;
			tracked = &proxy->backends[s->conf->track_proxy]
					   .servers[s->conf->track_server];
			s->tracked = tracked;
			s->next_follower = tracked->followers;
			tracked->followers = s;
		}
	}
}

/* Shifts a verdict in.  `prepare`, if any, sees the window before. */
static void
report(struct server *s, const struct check_result *result, void (*prepare)(struct check_window *w))
{
	struct backend *be = s->backend;
	enum check_grade grade = check_grade(result->status);
	enum server_state before, after;
	struct backend_sums share;
	struct standing standing;
	uint32_t health;
	bool told;

	pthread_mutex_lock(&be->lock);
	share = share_of(s);
	told = s->judged && check_grade(s->last.status) == grade;
	health = s->window.health;
	before = server_state_get(s);
	if (prepare)
		prepare(&s->window);
	s->last = *result;
	s->judged = true;
	check_window_add(&s->window, grade != CHECK_GRADE_FAILED);
	s->stopping =
		grade == CHECK_GRADE_CONDITIONAL || (s->stopping && grade == CHECK_GRADE_FAILED);
	if (be->conf->log_health_checks && (!told || health != s->window.health))
		log_health(s, grade);
	after = derive_state(s);
	set_state(s, after, result->at);
	pace(s, before, after, result->at);
	republish(s, share);
	if (before != after) {
		log_change(s, after);
		act_on_change(s, after);
	}
	standing = stand(s);
	pthread_mutex_unlock(&be->lock);
	lead(s, &standing, true, result->at);
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
		set_state(s, derive_state(s), now);
	}
	/* With a check still to come, that is what settles the server. */
	if (!address || (!s->conf->check && !s->conf->track))
		s->judged = true;
	publish(be);
	pthread_mutex_unlock(&be->lock);
	server_lead(s, now);
}

void
server_inherit(struct server *s, const struct server_health *health)
{
	struct backend *be = s->backend;

	pthread_mutex_lock(&be->lock);
	s->window.health = health->health;
	s->judged = health->judged;
	s->stopping = health->stopping;
	s->fallen = health->judged && (health->stopping || !check_window_up(&s->window));
	s->last = health->last;
	s->inherited = true;
	/* A name that has been resolved here meanwhile is younger. */
	if (health->address.len && !atomic_load(&s->resolved)) {
		s->address = health->address;
		atomic_store(&s->resolved, true);
	}
	set_state(s, derive_state(s), health->changed);
	s->changed = health->changed;
	pthread_mutex_unlock(&be->lock);
}

void
backend_inherit(struct backend *be, bool usable)
{
	pthread_mutex_lock(&be->lock);
	for (uint32_t i = 0; i < be->servers_n; i++) {
		struct server *s = &be->servers[i];

		if (s->inherited || !s->conf->check)
			continue;
		/* One success from up: nobody takes it for the rescue of a backend that was down. */
		if (!usable && check_window_up(&s->window)) {
			s->window.health = s->window.rise - 1;
			set_state(s, derive_state(s), s->changed);
		}
		s->judged = true;
	}
	publish(be);
	pthread_mutex_unlock(&be->lock);
}

uint32_t
server_check_interval_ms(struct server *s)
{
	const struct conf_server *conf = s->conf;
	uint32_t ms = conf->inter_ms ? conf->inter_ms : 2000;

	pthread_mutex_lock(&s->backend->lock);
	if (s->window.health == 0 && conf->downinter_ms)
		ms = conf->downinter_ms;
	else if (check_window_in_transition(&s->window) && conf->fastinter_ms)
		ms = conf->fastinter_ms;
	pthread_mutex_unlock(&s->backend->lock);
	return ms;
}
