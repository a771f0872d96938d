/*
 * check_script.c - see check_script.h.  Runs on the guardian's loop.  The log lines are keepalived's,
 * word for word.
 */
#include "daemon/check_script.h"

#include "common/list.h"
#include "common/log.h"
#include "conf/match.h"
#include "daemon/estate.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- rise and fall ---- */

struct script_health
script_health_init(const struct conf_script *conf)
{
	return (struct script_health){ .state = conf->init_fail ? SCRIPT_STATE_FAILED
								: SCRIPT_STATE_UNKNOWN };
}

bool
script_health_add(struct script_health *health, const struct conf_script *conf, bool success)
{
	enum script_state found = success ? SCRIPT_STATE_OK : SCRIPT_STATE_FAILED;
	uint32_t needed = success ? conf->rise : conf->fall;

	if (health->state == found) {
		health->streak = 0;
		return false;
	}
	if (health->state != SCRIPT_STATE_UNKNOWN && ++health->streak < needed)
		return false;
	*health = (struct script_health){ .state = found };
	return true;
}

/* ---- results ---- */

static void
tell(struct check_script *check)
{
	check->result.state = check->health.state;
	check->all->tell(check->all->ctx, &check->result);
}

/* `how` is keepalived's for a failure. */
static void
count(struct check_script *check, bool success, const char *how)
{
	if (script_health_add(&check->health, check->conf, success))
		log_info("VRRP_Script(%s) %s", check->conf->name, success ? "succeeded" : how);
	check->result.at = check->all->loop->now;
	tell(check);
}

static void
on_late(struct script_run *run)
{
	struct check_script *check = run->ctx;

	check->result.status = -1;
	check->result.signal = 0;
	check->result.took_ms = (uint32_t)mono_since_ms(run->loop->now, run->born);
	count(check, false, "timed_out");
}

static void
on_done(struct script_run *run, const struct script_end *end)
{
	struct check_script *check = run->ctx;
	char how[64];

	if (end->timed_out) /* counted when its time was over */
		return;
	if (end->signal)
		snprintf(how, sizeof how, "failed (due to signal %d)", end->signal);
	else
		snprintf(how, sizeof how, "failed (exited with status %d)", end->status);
	if (!end->signal && end->status != check->last_status) {
		log_info("Script `%s` now returning %d", check->conf->name, end->status);
		check->last_status = end->status;
	}
	check->result.status = end->status;
	check->result.signal = end->signal;
	check->result.took_ms = (uint32_t)end->took_ms;
	count(check, end->status == 0, how);
}

/* ---- the schedule ---- */

static void
on_next(struct timer *t, struct mono now)
{
	struct check_script *check = CONTAINER_OF(t, struct check_script, next);
	const struct conf_script *conf = check->conf;
	int64_t limit_ms = conf->timeout_ms ? conf->timeout_ms : conf->interval_ms;
	struct mono due = mono_add_ms(t->when, conf->interval_ms);
	int r;

	/* A fixed cadence; what was missed while this process was away is not made up for. */
	timer_arm(&check->all->loop->timers, t,
		  mono_before(now, due) ? due : mono_add_ms(now, conf->interval_ms));
	if (script_running(&check->run)) {
		log_debug("Track script %s is still running - skipping run", conf->name);
		return;
	}
	r = script_start(&check->run, &check->program, NULL, limit_ms, true);
	if (r < 0) /* the host's trouble says nothing about what is checked */
		log_warning("Track script %s cannot be started: %s", conf->name, strerror(-r));
}

static bool
is_tracked(const struct conf *conf, uint32_t script)
{
	for (size_t i = 0; i < conf->instances_n; i++)
		for (size_t j = 0; j < conf->instances[i].track[CONF_TRACK_SCRIPT].n; j++)
			if (conf->instances[i].track[CONF_TRACK_SCRIPT].at[j].index == script)
				return true;
	return false;
}

/* Why it does not run; empty if it does. */
static void
prepare(struct check_script *check, const struct script_owner *owner, char *error, size_t size)
{
	const struct conf_script *conf = check->conf;
	struct conf_command command = { conf->command, conf->user, conf->group };

	if (script_program_init(&check->program, &command, owner, error, size) < 0)
		return;
	if (!check->program.words)
		snprintf(error, size, "it has no command");
	else if (!script_program_permitted(
			 &check->program, check->all->conf->enable_script_security, "track script"))
		snprintf(error, size, "not safe");
}

static void
begin(struct check_scripts *checks, uint32_t index, const struct script_owner *owner)
{
	struct check_script *check = &checks->at[index];
	char error[256] = "";

	*check = (struct check_script){
		.all = checks,
		.conf = &checks->conf->scripts[index],
		.health = script_health_init(&checks->conf->scripts[index]),
		.next = { .fire = on_next },
		.result = { .script = index },
	};
	script_run_init(&check->run, checks->loop, on_done, check);
	check->run.late = on_late;
	if (check->conf->replaced || !is_tracked(checks->conf, index))
		return;
	prepare(check, owner, error, sizeof error);
	if (error[0]) {
		log_error("Disabling track script %s: %s", check->conf->name, error);
		check->health.state = SCRIPT_STATE_DISABLED;
		return;
	}
	timer_arm(&checks->loop->timers, &check->next, mono_now());
}

/* A run that is under way there is lost, and its result with it. */
static void
go_on(struct check_script *check, const struct check_script *from)
{
	uint32_t index = check->result.script;

	if (!timer_armed(&from->next))
		return;
	check->health = from->health;
	check->last_status = from->last_status;
	check->result = from->result;
	check->result.script = index;
	timer_arm(&check->all->loop->timers, &check->next, from->next.when);
}

int
check_scripts_init(struct check_scripts *checks, struct loop *loop, const struct conf *conf,
		   const struct check_scripts *from, check_script_tell_fn *tell_fn, void *ctx)
{
	struct script_owner owner, *known = &owner;
	char error[256];

	*checks = (struct check_scripts){ .loop = loop, .conf = conf, .tell = tell_fn, .ctx = ctx };
	checks->at = calloc(conf->scripts_n + 1, sizeof *checks->at);
	if (!checks->at)
		return -ENOMEM;
	if (script_owner_default(conf, &owner, error, sizeof error) < 0)
		known = NULL; /* the notifier complains for all */
	for (uint32_t i = 0; i < conf->scripts_n; i++)
		begin(checks, i, known);
	for (uint32_t i = 0; from && from->at && i < from->conf->scripts_n; i++) {
		uint32_t to = conf_match_script(from->conf, i, conf);

		if (to != CONF_NONE && timer_armed(&checks->at[to].next))
			go_on(&checks->at[to], &from->at[i]);
	}
	return 0;
}

void
check_scripts_fini(struct check_scripts *checks)
{
	for (size_t i = 0; checks->at && i < checks->conf->scripts_n; i++) {
		struct check_script *check = &checks->at[i];

		timer_disarm(&checks->loop->timers, &check->next);
		script_run_fini(&check->run);
		script_program_fini(&check->program);
	}
	free(checks->at);
	checks->at = NULL;
}

void
check_scripts_retell(struct check_scripts *checks)
{
	for (size_t i = 0; i < checks->conf->scripts_n; i++)
		if (checks->at[i].program.words ||
		    checks->at[i].health.state == SCRIPT_STATE_DISABLED)
			tell(&checks->at[i]);
}

static void
check_estate(struct check_script *check, struct estate *e)
{
	uint32_t state = check->health.state;

	estate_u32(e, &state, SCRIPT_STATE_N - 1);
	estate_u32(e, &check->health.streak, UINT32_MAX);
	estate_int(e, &check->last_status, INT_MIN, INT_MAX);
	estate_int(e, &check->result.status, -1, INT_MAX);
	estate_u32(e, &check->result.signal, INT32_MAX);
	estate_u32(e, &check->result.took_ms, UINT32_MAX);
	estate_mono(e, &check->result.at);
	estate_timer(e, &check->all->loop->timers, &check->next);
	script_run_estate(&check->run, e);
	check->health.state = (enum script_state)state;
	check->result.state = state;
}

void
check_scripts_estate(struct check_scripts *checks, struct loop *loop, const struct conf *conf,
		     struct estate *e)
{
	estate_section(e, "check scripts");
	if (!e->writing) {
		*checks = (struct check_scripts){ .conf = conf, .loop = loop };
		checks->at = calloc(conf->scripts_n + 1, sizeof *checks->at);
		if (!checks->at) {
			estate_fail(e, "out of memory");
			return;
		}
	}
	estate_expect(e, conf->scripts_n);
	for (uint32_t i = 0; i < conf->scripts_n; i++) {
		struct check_script *check = &checks->at[i];

		if (!e->writing) {
			*check = (struct check_script){ .all = checks, .result = { .script = i } };
			check->next.fire = on_next;
			script_run_init(&check->run, loop, on_done, check);
		}
		check_estate(check, e);
	}
}
