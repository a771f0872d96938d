/*
 * server_log.c - what the log says of servers and their checks, in HAProxy's words.  Under the backend's lock.
 */
#include "proxy/server_log.h"

#include "proxy/log_target.h"
#include "proxy/runtime.h"

#include "common/log.h"

#include <stdio.h>
#include <string.h>

/* "Backup Server app/s1" */
static void
name_server(const struct server *s, char *text, size_t size)
{
	snprintf(text, size, "%sServer %s/%s", s->lb.backup ? "Backup " : "",
		 s->backend->conf->name, s->conf->name);
}

/* " via app/s0" of a server that follows another. */
static void
name_tracked(const struct server *s, char *text, size_t size)
{
	text[0] = '\0';
	if (s->tracked)
		snprintf(text, size, " via %s/%s", s->tracked->backend->conf->name,
			 s->tracked->conf->name);
}

/* What is left of the backend when a server has gone, or of work when one has come. */
static void
count_servers(const struct server *s, bool up, char *text, size_t size)
{
	const struct backend *be = s->backend;
	uint32_t active = be->sums.active, backups = be->sums.backups;
	uint32_t queued = atomic_load(&be->farm.queued);
	const char *on_backup = active == 0 && backups ? " Running on backup." : "";

	if (up)
		snprintf(text, size,
			 ". %u active and %u backup servers online.%s"
			 " 0 sessions requeued, %u total in queue.",
			 active, backups, on_backup, queued);
	else
		snprintf(text, size,
			 ". %u active and %u backup servers left.%s"
			 " %u sessions active, 0 requeued, %u remaining in queue.",
			 active, backups, on_backup, atomic_load(&s->lb.served), queued);
}

/* A line about the server: "NAME TEXT[VIA][COUNTS]". */
static void
say(const struct server *s, int level, const char *text, const char *via, const char *counts)
{
	char name[192];

	name_server(s, name, sizeof name);
	log_target_notify(s->backend->proxy, s->backend->conf, level, "%s %s%s%s", name, text, via,
			  counts);
}

static void
log_still_draining(const struct server *s, const char *via)
{
	if (s->tracked)
		say(s, LOG_NOTICE, "is leaving forced drain but remains in drain mode", via, ".");
	else
		say(s, LOG_NOTICE, "remains in forced drain mode.", "", "");
}

static void
log_maintenance(const struct server *s, const struct server_stance *before, const char *via,
		const char *left)
{
	bool up = server_state_get(s) != SERVER_DOWN, drains = server_stance(s).draining;
	char text[96];

	if (!before->maint && before->state == SERVER_DOWN) {
		say(s, LOG_NOTICE, "was DOWN and now enters maintenance", via, ".");
	} else if (!before->maint) {
		say(s, LOG_ALERT, "is going DOWN for maintenance", via, left);
	} else {
		snprintf(text, sizeof text, "is %s/%s (leaving %smaintenance).", up ? "UP" : "DOWN",
			 drains ? "DRAIN" : "READY", s->tracked ? "" : "forced ");
		say(s, LOG_NOTICE, text, "", "");
		if (drains)
			log_still_draining(s, via);
	}
}

/* A check, or whom it follows, has turned it. */
static void
log_turn(const struct server *s, const struct check_result *why, const char *via)
{
	enum server_state state = server_state_get(s);
	bool up = state != SERVER_DOWN;
	char check[512] = "", counts[192];

	/* With `option log-health-checks` the line before has said why. */
	if (s->tracked) {
		snprintf(check, sizeof check, "%s", via);
	} else if (!s->backend->conf->log_health_checks) {
		memcpy(check, ", ", 3);
		check_result_describe(why, check + 2, sizeof check - 2);
	}
	count_servers(s, up, counts, sizeof counts);
	say(s, up ? LOG_NOTICE : LOG_ALERT,
	    !up                        ? "is DOWN"
	    : state == SERVER_STOPPING ? "is stopping"
				       : "is UP",
	    check, counts);
	if (server_stance(s).draining)
		log_still_draining(s, via);
}

/* Is it one that checks, or whom it follows, say is there? */
static bool
seems_up(enum server_state state)
{
	return state == SERVER_UP || state == SERVER_DRAIN || state == SERVER_NOCHECK;
}

/* Nothing to tell, as after nearly every check. */
static bool
same(const struct server_stance *a, const struct server_stance *b)
{
	return a->state == b->state && a->maint == b->maint && a->draining == b->draining &&
	       memcmp(&a->share, &b->share, sizeof a->share) == 0;
}

void
server_log_change(struct server *s, const struct server_stance *before,
		  const struct check_result *why)
{
	struct server_stance now = server_stance(s);
	const struct backend *be = s->backend;
	char via[192], counts[192];
	bool up = now.state != SERVER_DOWN;

	if (same(&now, before))
		return;
	name_tracked(s, via, sizeof via);
	count_servers(s, up && !now.maint, counts, sizeof counts);
	if (now.maint != before->maint) {
		log_maintenance(s, before, via, counts);
	} else if (!now.maint) {
		if (now.draining && !before->draining)
			say(s, LOG_NOTICE, "enters drain state", via, counts);
		else if (before->draining && !now.draining)
			say(s, LOG_NOTICE,
			    up ? "is UP (leaving forced drain)."
			       : "is DOWN (leaving forced drain).",
			    "", "");
		if (now.state != before->state && !(seems_up(now.state) && seems_up(before->state)))
			log_turn(s, why, via);
	}
	if (be->sums.active + be->sums.backups == 0 &&
	    before->share.active + before->share.backups > 0)
		log_target_notify(be->proxy, be->conf, LOG_EMERG, "%s %s has no server available!",
				  be->conf->caps & CONF_CAP_FRONT ? "proxy" : "backend",
				  be->conf->name);
}

/* "status: 2/3 UP": a server without weight is as good as drained. */
static void
log_check(const struct server *s, const char *whose, const struct check_result *result,
	  uint32_t have, uint32_t of, bool up)
{
	enum check_grade grade = check_grade(result->status);
	char check[512];

	check_result_describe(result, check, sizeof check);
	log_target_notify(s->backend->proxy, s->backend->conf, LOG_NOTICE,
			  "%s check for %sserver %s/%s %s%s, %s, status: %u/%u %s.", whose,
			  s->lb.backup ? "backup " : "", s->backend->conf->name, s->conf->name,
			  grade == CHECK_GRADE_CONDITIONAL ? "conditionally " : "",
			  grade == CHECK_GRADE_FAILED ? "failed" : "succeeded", check, have, of,
			  !up                                  ? "DOWN"
			  : atomic_load(&s->lb.present_weight) ? "UP"
							       : "DRAIN");
}

void
server_log_health(const struct server *s)
{
	uint32_t have, of;

	check_window_score(&s->window, &have, &of);
	log_check(s, "Health", &s->last, have, of, check_window_up(&s->window));
}

void
server_log_agent(const struct server *s)
{
	log_check(s, "Agent", &s->agent.last, !s->agent.down, 1, !s->agent.down);
}
